/** Numbers as tensors: weak literals and dims take the dtype of what they meet, and must fit it. */
import { literalDoesNotFit, mixedDTypes, notATensor } from '../diagnostics/problems/types.ts';
import type { Span } from '../diagnostics/span.ts';
import { constantValue, type Int, print } from '../symbolic/integer.ts';
import { type DType, integerRange, isFloat, isInteger } from '../tensor-ir/dtype.ts';
import type { Value } from '../tensor-ir/program.ts';
import { describe, showNumber } from './describe.ts';
import type { Elaborator } from './elaborator.ts';
import { broadcastRight, constant, convert, dimValue } from './operations.ts';
import { forEachLeaf, formOf } from './terms.ts';
import type { ElementForm, Term } from './value.ts';

/** Literals, dims and arithmetic on them: no dtype of their own. */
export function isWeak(term: Term): boolean {
  return (
    term.kind === 'int' ||
    term.kind === 'float' ||
    term.kind === 'boolean' ||
    (term.kind === 'tensor' && term.isWeak === true)
  );
}

/** The dtype of a number that meets nothing. */
export function defaultDType(term: Term): DType | undefined {
  switch (term.kind) {
    case 'tensor':
      return term.literal === undefined ? term.value.type.dtype : 'i32';
    case 'int':
      return 'i32';
    case 'float':
      return 'f32';
    case 'boolean':
      return 'bool';
    default:
      return undefined;
  }
}

/** A weak number as a tensor of the dtype and shape; undefined, with a report, when it does not fit. */
export function weakToTensor(
  e: Elaborator,
  term: Term,
  dtype: DType,
  shape: readonly Int[],
  span: Span,
): Value | undefined {
  const b = e.builder;
  switch (term.kind) {
    case 'boolean':
      if (dtype !== 'bool') {
        e.error(literalDoesNotFit(`\`${term.value}\``, dtype, span, 'it is a bool'));
        return undefined;
      }
      return constant(b, 'bool', shape, term.value);
    case 'int': {
      const known = constantValue(term.value);
      if (dtype === 'bool') {
        e.error(literalDoesNotFit(print(term.value), dtype, span, 'bools are `true` and `false`'));
        return undefined;
      }
      if (known === undefined) return broadcastRight(b, dimValue(b, term.value, dtype), shape);
      if (isInteger(dtype)) {
        if (!fitsInteger(BigInt(known), dtype)) {
          e.error(literalDoesNotFit(`${known}`, dtype, span, rangeReason(dtype), wideHint(dtype)));
          return undefined;
        }
      } else if (!requireFinite(e, known, dtype, span)) return undefined;
      return constant(b, dtype, shape, known);
    }
    case 'float':
      if (!isFloat(dtype)) {
        const isWhole = Number.isSafeInteger(term.value);
        const reason =
          dtype === 'bool'
            ? 'bools are `true` and `false`'
            : isWhole
              ? 'with a point or an exponent it is a float'
              : 'it is not a whole number';
        const whole = isWhole ? `write \`${term.value}\`, or convert` : 'convert';
        const hint = dtype === 'bool' ? undefined : `${whole} the integer side: \`f32(x)\``;
        e.error(literalDoesNotFit(showNumber(term.value), dtype, span, reason, hint));
        return undefined;
      }
      if (!requireFinite(e, term.value, dtype, span)) return undefined;
      return constant(b, dtype, shape, term.value);
    case 'tensor':
      if (term.literal !== undefined) return bigToTensor(e, term.literal, dtype, shape, span);
      if (!isFloat(dtype) && dtype !== term.value.type.dtype) {
        e.error(
          literalDoesNotFit(
            'a quotient of dims',
            dtype,
            span,
            'it is not a whole number',
            'convert the integer side: `f32(x)`',
          ),
        );
        return undefined;
      }
      return broadcastRight(b, convert(b, term.value, dtype), shape);
    default:
      if (term.kind !== 'error') e.error(notATensor(describe(term), span));
      return undefined;
  }
}

export function fitsInteger(value: bigint, dtype: DType): boolean {
  const { min, max } = integerRange(dtype);
  return value >= min && value <= max;
}

function rangeReason(dtype: DType): string {
  const { min, max } = integerRange(dtype);
  return `it holds ${min} to ${max}`;
}

function wideHint(dtype: DType): string | undefined {
  return dtype === 'i32' ? 'annotate a wider dtype, as in `let n: i64 = …;`' : undefined;
}

/** The largest finite value of each float dtype. */
const largest: ReadonlyMap<DType, number> = new Map<DType, number>([
  ['f16', 65504],
  ['bf16', 3.3895313892515355e38],
  ['f32', 3.4028234663852886e38],
]);

/** A finite literal must stay finite in the dtype that it takes. */
function requireFinite(e: Elaborator, value: number, dtype: DType, span: Span): boolean {
  const most = largest.get(dtype);
  if (most === undefined || !Number.isFinite(value) || Math.abs(value) <= most) return true;
  const reason = `its largest finite value is ${showNumber(most)}`;
  e.error(literalDoesNotFit(showNumber(value), dtype, span, reason, '`inf` is infinity'));
  return false;
}

/** A literal beyond 2^53. */
function bigToTensor(
  e: Elaborator,
  literal: bigint,
  dtype: DType,
  shape: readonly Int[],
  span: Span,
): Value | undefined {
  if (isFloat(dtype)) {
    if (!requireFinite(e, Number(literal), dtype, span)) return undefined;
    return constant(e.builder, dtype, shape, Number(literal));
  }
  if (isInteger(dtype) && fitsInteger(literal, dtype)) {
    return constant(e.builder, dtype, shape, literal);
  }
  const reason = isInteger(dtype) ? rangeReason(dtype) : 'bools are `true` and `false`';
  e.error(literalDoesNotFit(`${literal}`, dtype, span, reason, wideHint(dtype)));
  return undefined;
}

export function toTensor(e: Elaborator, term: Term, span: Span, dtype?: DType): Value | undefined {
  const isOwn = term.kind === 'tensor' && term.literal === undefined;
  if (isOwn && (term.isWeak !== true || dtype === undefined)) return term.value;
  const own = defaultDType(term);
  if (own === undefined) {
    if (term.kind !== 'error') e.error(notATensor(describe(term), span));
    return undefined;
  }
  return weakToTensor(e, term, dtype ?? own, [], span);
}

/** The one dtype of several numbers: that of the tensors, or the default of the literals. */
export function joinDTypes(
  e: Elaborator,
  terms: readonly Term[],
  spans: readonly Span[],
  operation: string,
): DType | undefined {
  let strong: { dtype: DType; span: Span; term: Term } | undefined;
  let weak: DType | undefined;
  let form: ElementForm = 'plain';
  for (let i = 0; i < terms.length; i++) {
    const term = terms[i]!;
    const span = spans[i]!;
    const dtype = defaultDType(term);
    if (dtype === undefined) {
      if (term.kind !== 'error') e.error(notATensor(describe(term), span));
      return undefined;
    }
    if (isWeak(term)) {
      if (weak === undefined || (weak === 'i32' && dtype === 'f32')) weak = dtype;
      continue;
    }
    const here = formOf(term);
    if (strong !== undefined && (strong.dtype !== dtype || form !== here)) {
      const shown = describe(term);
      const before = describe(strong.term);
      const labels = [
        { span: strong.span, text: before },
        { span, text: shown },
      ];
      const isComplex = form === 'complex' || here === 'complex';
      const hint = isComplex
        ? 'convert the real side: `c64(...)`'
        : conversionHint(strong.dtype, dtype);
      e.error(mixedDTypes(operation, before, shown, joinedSpan(strong.span, span), labels, hint));
      return undefined;
    }
    if (strong === undefined) strong = { dtype, span, term };
    form = here;
  }
  return strong?.dtype ?? weak ?? 'f32';
}

function joinedSpan(a: Span, b: Span): Span {
  if (a.file !== b.file) return b;
  return { file: a.file, start: Math.min(a.start, b.start), end: Math.max(a.end, b.end) };
}

/** Names the conversion that loses least. */
function conversionHint(left: DType, right: DType): string {
  if (isFloat(left) !== isFloat(right)) {
    const [float, other] = isFloat(left) ? [left, right] : [right, left];
    return `convert the ${other} side: \`${float}(...)\``;
  }
  return `convert one side: \`${left}(...)\` or \`${right}(...)\``;
}

export function toTensors(
  e: Elaborator,
  terms: readonly Term[],
  spans: readonly Span[],
): readonly Value[] | undefined {
  const dtype = joinDTypes(e, terms, spans, 'this');
  if (dtype === undefined) return undefined;
  const values: Value[] = [];
  for (let i = 0; i < terms.length; i++) {
    const value = toTensor(e, terms[i]!, spans[i]!, dtype);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}

/** The tensors of a tree in order; numbers known when compiling become tensors. */
export function leavesOf(e: Elaborator, term: Term, span: Span): readonly Value[] | undefined {
  if (term.kind === 'error') return undefined;
  const values: Value[] = [];
  let isWhole = true;
  forEachLeaf(term, (leaf) => {
    const value = toTensor(e, leaf, span);
    if (value === undefined) isWhole = false;
    else values.push(value);
  });
  return isWhole ? values : undefined;
}
