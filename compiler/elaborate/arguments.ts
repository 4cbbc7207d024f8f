/** Compile-time arguments of intrinsics: each reader reports what it found instead when the term does not fit. */

import { axisOutOfRange, repeatedAxis } from '../diagnostics/problems/shapes.ts';
import { notAFunction, notCompileTime } from '../diagnostics/problems/types.ts';
import type { Span } from '../diagnostics/span.ts';
import { constantValue, type Int, print } from '../symbolic/integer.ts';
import type { DType } from '../tensor-ir/dtype.ts';
import { describe } from './describe.ts';
import type { Elaborator } from './elaborator.ts';
import { hintForType } from './foreign-names.ts';
import type { FunctionTerm, Term } from './value.ts';

function refuse(e: Elaborator, what: string, term: Term, span: Span, hint?: string): undefined {
  if (term.kind !== 'error') e.error(notCompileTime(what, describe(term), span, hint));
  return undefined;
}

export function asInt(e: Elaborator, term: Term, span: Span): Int | undefined {
  if (term.kind === 'int') return term.value;
  const hint =
    term.kind === 'tensor' ? 'axes, counts and sizes are fixed when compiling' : undefined;
  return refuse(e, 'a whole number', term, span, hint);
}

export function asConstantInt(e: Elaborator, term: Term, span: Span): number | undefined {
  const value = asInt(e, term, span);
  if (value === undefined) return undefined;
  const known = constantValue(value);
  if (known === undefined) {
    e.error(
      notCompileTime(
        'a number',
        `the dim ${print(value)}`,
        span,
        'its value is known at run time only',
      ),
    );
  }
  return known;
}

export function asAxis(e: Elaborator, term: Term, rank: number, span: Span): number | undefined {
  const axis = asConstantInt(e, term, span);
  if (axis === undefined) return undefined;
  if (axis < -rank || axis >= rank) {
    e.error(axisOutOfRange(axis, rank, span));
    return undefined;
  }
  return axis < 0 ? axis + rank : axis;
}

export function asAxes(
  e: Elaborator,
  term: Term,
  rank: number,
  span: Span,
): readonly number[] | undefined {
  if (term.kind === 'none') return Array.from({ length: rank }, (_, i) => i);
  if (term.kind !== 'tuple' && term.kind !== 'array') {
    const axis = asAxis(e, term, rank, span);
    return axis === undefined ? undefined : [axis];
  }
  const axes: number[] = [];
  for (const item of term.items) {
    const axis = asAxis(e, item, rank, span);
    if (axis === undefined) return undefined;
    if (axes.includes(axis)) {
      e.error(repeatedAxis(axis, span));
      return undefined;
    }
    axes.push(axis);
  }
  return axes;
}

export function asBoolean(e: Elaborator, term: Term, span: Span): boolean | undefined {
  return term.kind === 'boolean' ? term.value : refuse(e, 'true or false', term, span);
}

export function asString(e: Elaborator, term: Term, span: Span): string | undefined {
  return term.kind === 'string' ? term.value : refuse(e, 'a string', term, span);
}

function dtypeHint(term: Term): string | undefined {
  if (term.kind === 'int') return 'a shape is one tuple: `zeros((2, 3))`, `reshape(x, (2, 3))`';
  if (term.kind !== 'string') return undefined;
  return hintForType(term.value) ?? 'a dtype stands without quotes: `i32`';
}

export function asDType(e: Elaborator, term: Term, span: Span): DType | undefined {
  if (term.kind === 'dtype' && term.dtype !== 'c64') return term.dtype;
  return refuse(e, 'a real dtype such as `f32`', term, span, dtypeHint(term));
}

export function asShape(e: Elaborator, term: Term, span: Span): readonly Int[] | undefined {
  if (term.kind === 'int') return [term.value];
  if (term.kind !== 'tuple' && term.kind !== 'array') {
    return refuse(e, 'a shape such as `(2, 3)`', term, span);
  }
  const shape: Int[] = [];
  for (const item of term.items) {
    const size = asInt(e, item, span);
    if (size === undefined) return undefined;
    shape.push(size);
  }
  return shape;
}

export function asFunction(e: Elaborator, term: Term, span: Span): FunctionTerm | undefined {
  if (term.kind === 'function') return term;
  const hint = 'give a function, by its name or as a lambda `|x| …`, not what it gives';
  if (term.kind !== 'error') e.error(notAFunction(describe(term), span, hint));
  return undefined;
}
