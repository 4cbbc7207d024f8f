/** Brings a term to a type that is demanded: literals become tensors, sizes are compared, everything else must agree. */

import type { Label } from '../diagnostics/diagnostic.ts';
import { unreachable } from '../diagnostics/internal-error.ts';
import { wrongArity } from '../diagnostics/problems/calls.ts';
import type { Problem } from '../diagnostics/problems/problem.ts';
import { notAFunction, notCompileTime, typeMismatch } from '../diagnostics/problems/types.ts';
import type { Span } from '../diagnostics/span.ts';
import { asVariable, constantValue, type Int, one, print } from '../symbolic/integer.ts';
import type { Expression } from '../syntax/ast.ts';
import { isFloat } from '../tensor-ir/dtype.ts';
import type { Value } from '../tensor-ir/program.ts';
import { weakToComplex } from './complex.ts';
import { describe } from './describe.ts';
import type { Elaborator } from './elaborator.ts';
import { keyOfType } from './keys.ts';
import { isWeak, weakToTensor } from './numbers.ts';
import { reshape } from './operations.ts';
import { showTensor, showType } from './show.ts';
import { containsError, errorTerm, isUnit, tensorTerm, typeOf } from './terms.ts';
import type { FunctionTerm, StructTerm, Term, Type } from './value.ts';

/** Where the term stands, and why the type is demanded. */
export interface Demand {
  readonly span: Span;
  /** More about one axis of the demanded tensor type: "`linear` needs I = 64", and where that was bound. */
  readonly axis?: (
    axis: number,
  ) => { readonly reason: string; readonly labels: readonly Label[] } | undefined;
  /** What else matters: the declaration of the parameter, the result type. */
  readonly labels?: readonly Label[];
  /** What the term was written as: the items of a tuple or array are then blamed one by one. */
  readonly written?: Expression | undefined;
  /** Set for the parts of a tree: `()` may then stand for an integer leaf. */
  readonly isPart?: boolean;
}

/** Returns the error term after a report. */
export function coerce(e: Elaborator, term: Term, type: Type, demand: Demand): Term {
  if (term.kind === 'error' || containsError(term)) return errorTerm;
  switch (type.kind) {
    case 'tensor':
      return coerceTensor(e, term, type, demand);
    case 'key': {
      if (term.kind !== 'tensor' || term.form !== 'key')
        return mismatch(e, term, type, demand, keyHint(term));
      const shape = term.value.type.shape.slice(0, -1);
      const value = coerceShape(e, term.value, shape, type.shape, type, demand);
      return value === undefined ? errorTerm : tensorTerm(value, 'key');
    }
    case 'complex':
      return coerceComplex(e, term, type, demand);
    case 'int':
      if (term.kind === 'int') return term;
      return e.error(notCompileTime('a whole number', describe(term), demand.span));
    case 'float':
      if (term.kind === 'float') return term;
      if (term.kind === 'int') {
        const known = constantValue(term.value);
        return known === undefined ? term : { kind: 'float', value: known };
      }
      return e.error(notCompileTime('a number', describe(term), demand.span));
    case 'bool-constant':
    case 'string':
    case 'none':
    case 'dtype':
      if (typeOf(term).kind === type.kind) return term;
      return mismatch(e, term, type, demand);
    case 'axes':
      if (isAxes(term)) return term;
      return e.error(
        notCompileTime('an axis, a tuple of axes or `none`', describe(term), demand.span),
      );
    case 'any':
      return term;
    case 'tuple':
    case 'array': {
      if (term.kind !== type.kind || term.items.length !== type.items.length) {
        return mismatch(e, term, type, demand, lengthHint(term, type));
      }
      const { span, labels = [], written } = demand;
      const parts = written?.kind === 'tuple' || written?.kind === 'array' ? written.items : [];
      const items: Term[] = [];
      // one report: items in the wrong order are one mistake
      for (const [i, item] of term.items.entries()) {
        const part = parts[i];
        const where = { span: part?.span ?? span, written: part, isPart: true, labels };
        const value = coerce(e, item, type.items[i]!, where);
        if (value.kind === 'error') return errorTerm;
        items.push(value);
      }
      return { kind: type.kind, items };
    }
    case 'struct':
      return coerceStruct(e, term, type, demand);
    case 'function':
      if (term.kind === 'function') {
        const misfit = arityProblem(term, type.parameters.length, demand.span);
        return misfit === undefined ? term : e.error(misfit);
      }
      return e.error(notAFunction(describe(term), demand.span));
    case 'error':
      return term;
    default:
      return unreachable(type);
  }
}

function isAxes(term: Term): boolean {
  if (term.kind === 'tuple' || term.kind === 'array') {
    return term.items.every((item) => item.kind === 'int');
  }
  return term.kind === 'int' || term.kind === 'none';
}

function mismatch(e: Elaborator, term: Term, type: Type, demand: Demand, hint?: string): Term {
  const isMaker = term.kind === 'function' && term.form === 'native';
  const call = isMaker ? `it is called as \`${term.name}(x)\`` : undefined;
  const isEmpty = isUnit(term) && !isUnitType(type);
  const ended = isEmpty ? 'a block whose last expression ends in `;` has no value' : undefined;
  const part = partHint(term, type) ?? makerHint(term, type);
  const more = { labels: demand.labels ?? [], hint: hint ?? call ?? ended ?? part };
  return e.error(typeMismatch(showType(type), describe(term), demand.span, more));
}

/** A tuple of which one item is what is wanted: the results of `value_and_grad`, of a pullback, of a step. */
function partHint(term: Term, type: Type): string | undefined {
  if (term.kind !== 'tuple' || type.kind === 'tuple') return undefined;
  const at = term.items.findIndex((item) => isAlike(typeOf(item), type));
  if (at < 0) return undefined;
  const names = term.items.map((_, i) => (i === at ? 'x' : '_')).join(', ');
  const pattern = term.items.length === 1 ? '(x,)' : `(${names})`;
  return `take it apart: \`let ${pattern} = …;\`, or \`.${at}\` for that item`;
}

function isAlike(a: Type, b: Type): boolean {
  if (a.kind === 'tensor' && b.kind === 'tensor') {
    return a.dtype === b.dtype && a.shape.length === b.shape.length;
  }
  if (a.kind === 'struct' && b.kind === 'struct') return a.type.declaration === b.type.declaration;
  return a.kind === b.kind;
}

/** A tensor where the struct is wanted that would hold it. */
function makerHint(term: Term, type: Type): string | undefined {
  if (type.kind !== 'struct' || term.kind === 'struct') return undefined;
  const fields = type.fields.map((f) => `${f.name}: …`).join(', ');
  return `a value of it is written \`${type.type.declaration.name.text} { ${fields} }\``;
}

function isUnitType(type: Type): boolean {
  return type.kind === 'tuple' && type.items.length === 0;
}

function keyHint(term: Term): string | undefined {
  return term.kind === 'int' ? '`key(seed)` makes a key' : undefined;
}

/** An array, or a tuple of scalars, where a tensor is wanted. */
function arrayHint(term: Term): string | undefined {
  if ((term.kind !== 'array' && term.kind !== 'tuple') || term.items.length === 0) return undefined;
  const isScalar = (t: Term): boolean =>
    isWeak(t) || (t.kind === 'tensor' && t.value.type.shape.length === 0);
  return term.kind === 'array' || term.items.every(isScalar)
    ? '`array([a, b])` makes a tensor of numbers'
    : undefined;
}

function lengthHint(term: Term, type: Type & { kind: 'tuple' | 'array' }): string | undefined {
  if (term.kind === 'tuple' && type.kind === 'array') return 'a fixed array is written `[a, b]`';
  if (term.kind === 'array' && type.kind === 'tuple') return 'a tuple is written `(a, b)`';
  if (term.kind === 'array' && type.kind === 'array') {
    return `${type.items.length} items are needed, ${term.items.length} given`;
  }
  return undefined;
}

function coerceTensor(
  e: Elaborator,
  term: Term,
  type: Type & { kind: 'tensor' },
  demand: Demand,
): Term {
  if (isWeak(term) && !(term.kind === 'tensor' && term.value.type.shape.length > 0)) {
    if (type.shape.length > 0) {
      return mismatch(
        e,
        term,
        type,
        demand,
        'a number is a scalar: `full(shape, value)` fills a tensor',
      );
    }
    // known bools stay known, so that an `if` on them is decided now
    if (term.kind === 'boolean' && type.dtype === 'bool') return term;
    const value = weakToTensor(e, term, type.dtype, [], demand.span);
    return value === undefined ? errorTerm : tensorTerm(value);
  }
  if (demand.isPart === true && isUnit(term) && !isFloat(type.dtype)) return term;
  if (term.kind !== 'tensor') {
    return mismatch(e, term, type, demand, partHint(term, type) ?? arrayHint(term));
  }
  const { dtype, shape } = term.value.type;
  if (term.form !== 'plain') {
    const isMagnitude = term.form === 'complex' && isFloat(type.dtype);
    return mismatch(e, term, type, demand, isMagnitude ? realHint : undefined);
  }
  if (dtype !== type.dtype) {
    const sameSizes = shape.length === type.shape.length;
    const hint = sameSizes ? `\`${type.dtype}(...)\` converts it` : undefined;
    return mismatch(e, term, type, demand, hint);
  }
  const value = coerceShape(e, term.value, shape, type.shape, type, demand);
  return value === undefined ? errorTerm : value === term.value ? term : tensorTerm(value);
}

const realHint = '`real(x)` drops the imaginary part, `abs(x)` is the magnitude';

function coerceComplex(
  e: Elaborator,
  term: Term,
  type: Type & { kind: 'complex' },
  demand: Demand,
): Term {
  if (isWeak(term) && type.shape.length === 0 && typeOf(term).kind !== 'bool-constant') {
    const value = weakToComplex(e, term, [], demand.span);
    return value === undefined ? errorTerm : tensorTerm(value, 'complex');
  }
  if (term.kind !== 'tensor' || term.form !== 'complex') {
    const isReal = term.kind === 'tensor' && term.form === 'plain';
    return mismatch(e, term, type, demand, isReal ? '`c64(...)` converts it' : undefined);
  }
  const shape = term.value.type.shape.slice(0, -1);
  const value = coerceShape(e, term.value, shape, type.shape, type, demand);
  return value === undefined ? errorTerm : tensorTerm(value, 'complex');
}

/** Compares the sizes; where only a guard makes them equal, the value takes the demanded shape. */
function coerceShape(
  e: Elaborator,
  value: Value,
  found: readonly Int[],
  wanted: readonly Int[],
  type: Type & { kind: 'tensor' | 'key' | 'complex' },
  demand: Demand,
): Value | undefined {
  const dtype = value.type.dtype;
  const show = (shape: readonly Int[]): string =>
    type.kind === 'tensor' ? showTensor(dtype, shape) : showType({ kind: type.kind, shape });
  if (found.length !== wanted.length) {
    const reason = `${axes(found.length)} here, ${wanted.length} needed`;
    const labels = demand.labels ?? [];
    const hint = rankHint(found, wanted);
    e.error(typeMismatch(show(wanted), show(found), demand.span, { reason, labels, hint }));
    return undefined;
  }
  let isSame = true;
  for (let axis = 0; axis < found.length; axis++) {
    const left = found[axis]!;
    const right = wanted[axis]!;
    if (left === right) continue;
    isSame = false;
    if (e.conditions.judge({ relation: 'equal', left, right }) === 'refuted') {
      const why = demand.axis?.(axis);
      const needed = why?.reason ?? `${print(right)} is needed`;
      const reason = `dim ${axis} is ${print(left)} here but ${needed}`;
      const bound = why === undefined ? e.dimLabels(left, right) : [];
      const labels = [...(why?.labels ?? []), ...(demand.labels ?? []), ...bound];
      const hint = permutationHint(found, wanted) ?? dimHint(left, right);
      e.error(typeMismatch(show(wanted), show(found), demand.span, { reason, labels, hint }));
      return undefined;
    }
    e.requireEqual(left, right, demand.span, `dim ${axis}`);
  }
  if (isSame) return value;
  return reshape(
    e.builder,
    value,
    type.kind === 'tensor' ? wanted : [...wanted, value.type.shape.at(-1)!],
  );
}

/** Sizes of 1 that are missing or too many. */
function rankHint(found: readonly Int[], wanted: readonly Int[]): string | undefined {
  const without = (shape: readonly Int[]): string =>
    shape
      .filter((d) => d !== one)
      .map((d) => d.key)
      .join(' ');
  if (without(found) !== without(wanted)) return undefined;
  return found.length < wanted.length
    ? 'a reduction keeps its axes with `keepdims = true`; `x[:, newaxis]` adds one of size 1'
    : '`squeeze(x, axis)` removes an axis of size 1, and so does an index: `x[0]`';
}

/** A function that cannot take so many arguments. */
function arityProblem(term: FunctionTerm, given: number, span: Span): Problem | undefined {
  if (term.form === 'lambda') {
    const count = term.parameters.length;
    return count === given
      ? undefined
      : wrongArity('the lambda', several(count), given, span, undefined);
  }
  if (term.form !== 'declared') return undefined;
  const { parameters, name } = term.declaration;
  const required = parameters.filter((p) => p.default === undefined).length;
  if (given >= required && given <= parameters.length) return undefined;
  const takes = several(given < required ? required : parameters.length);
  return wrongArity(`\`${name.text}\``, takes, given, span, name.span);
}

function several(count: number): string {
  return count === 1 ? '1 argument' : `${count} arguments`;
}

function axes(count: number): string {
  return count === 1 ? '1 axis' : `${count} axes`;
}

/** The sizes that are wanted in another order: how to bring them into it. */
function permutationHint(found: readonly Int[], wanted: readonly Int[]): string | undefined {
  const left = found.map((size, i) => ({ size, i }));
  const order: number[] = [];
  for (const size of wanted) {
    const at = left.findIndex((f) => f.size === size);
    if (at < 0) return undefined;
    order.push(left.splice(at, 1)[0]!.i);
  }
  return order.length === 2
    ? '`x.T` transposes'
    : `\`transpose(x, (${order.join(', ')}))\` orders the axes so`;
}

function dimHint(found: Int, wanted: Int): string | undefined {
  const a = asVariable(found);
  const b = asVariable(wanted);
  if (a !== undefined && b !== undefined) {
    return `use one name for both dims, or state \`where ${a.name} == ${b.name}\``;
  }
  if (found === one && wanted !== one) return '`broadcast_to` repeats an axis of size 1';
  return undefined;
}

function coerceStruct(
  e: Elaborator,
  term: Term,
  type: Type & { kind: 'struct' },
  demand: Demand,
): Term {
  if (term.kind !== 'struct' || term.type.declaration !== type.type.declaration) {
    return mismatch(e, term, type, demand);
  }
  // a struct may be named right and hold other shapes: `map` keeps the name
  if (keyOfType(e, typeOf(term)) === keyOfType(e, type)) return term;
  const before = e.errorCount;
  const fields = new Map<string, Term>();
  e.quiet++;
  let wrong: string | undefined;
  for (const field of type.fields) {
    const found = term.fields.get(field.name);
    if (found === undefined) continue;
    const value = coerce(e, found, field.type, { span: demand.span, isPart: true });
    if (value.kind === 'error')
      wrong ??= `field \`${field.name}\` is ${describe(found)} here, ${showType(field.type)} is needed`;
    fields.set(field.name, value);
  }
  e.quiet--;
  e.errorCount = before;
  if (wrong !== undefined) {
    const labels = demand.labels ?? [];
    const isStacked = showType(typeOf(term)).startsWith(`${showType(type)}[`);
    const hint = isStacked ? 'it is stacked: `for m in ms { … }` and `ms[0]` give one' : undefined;
    return e.error(
      typeMismatch(showType(type), describe(term), demand.span, { reason: wrong, labels, hint }),
    );
  }
  const result: StructTerm = { kind: 'struct', type: type.type, fields };
  return result;
}
