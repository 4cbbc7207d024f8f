/** The items of `x[...]`: what each of them takes of an axis, checked against its size. */
import { unreachable } from '../diagnostics/internal-error.ts';
import {
  badIndex,
  badSlice,
  indexOutOfRange,
  sliceOutOfRange,
  tooManyIndices,
  twoEllipses,
} from '../diagnostics/problems/shapes.ts';
import type { Span } from '../diagnostics/span.ts';
import {
  add,
  constantValue,
  type Int,
  isNonNegative,
  negate,
  one,
  print,
  subtract,
  zero,
} from '../symbolic/integer.ts';
import type { Expression, IndexItem } from '../syntax/ast.ts';
import { isInteger } from '../tensor-ir/dtype.ts';
import type { Value } from '../tensor-ir/program.ts';
import { describe } from './describe.ts';
import type { Elaborator } from './elaborator.ts';
import { elaborateExpression } from './expressions.ts';
import { apply } from './operations.ts';
import type { Scope } from './scope.ts';
import type { Term } from './value.ts';

export type IndexEntry =
  | { readonly kind: 'at'; readonly index: Int; readonly span: Span }
  | {
      readonly kind: 'slice';
      readonly start: Int | undefined;
      readonly stop: Int | undefined;
      readonly step: number;
      readonly span: Span;
    }
  | { readonly kind: 'tensor'; readonly value: Value; readonly span: Span }
  | { readonly kind: 'newaxis'; readonly span: Span }
  | { readonly kind: 'ellipsis'; readonly span: Span };

export type PlainEntry = Exclude<IndexEntry, { readonly kind: 'ellipsis' }>;

export function elaborateEntries(
  e: Elaborator,
  items: readonly IndexItem[],
  scope: Scope,
): readonly IndexEntry[] | undefined {
  const entries = items.flatMap((item) => elaborateEntry(e, item, scope));
  return entries.every((entry) => entry !== undefined) ? entries : undefined;
}

function elaborateEntry(
  e: Elaborator,
  item: IndexItem,
  scope: Scope,
): readonly (IndexEntry | undefined)[] {
  const { span } = item;
  switch (item.kind) {
    case 'ellipsis':
    case 'newaxis':
      return [{ kind: item.kind, span }];
    case 'slice': {
      const bound = (part: Expression | undefined): Int | undefined | 'bad' => {
        if (part === undefined) return undefined;
        const term = elaborateExpression(e, part, scope, undefined);
        if (term.kind === 'int') return term.value;
        if (term.kind === 'none') return undefined;
        if (term.kind !== 'error') {
          const reason = `the bounds of a slice are known when compiling, found ${describe(term)}`;
          const hint = '`dynamic_slice(x, (i,), (4,))` takes 4 from a start known at run time';
          const problem = badSlice(reason, part.span);
          e.error(term.kind === 'tensor' ? { ...problem, hint } : problem);
        }
        return 'bad';
      };
      const start = bound(item.start);
      if (start === 'bad') return [undefined];
      const stop = bound(item.stop);
      if (stop === 'bad') return [undefined];
      const step = bound(item.step);
      if (step === 'bad') return [undefined];
      const stride = step === undefined ? 1 : constantValue(step);
      if (stride === undefined || stride === 0) {
        e.error(
          badSlice(`the step of a slice is a number other than 0, found ${print(step!)}`, span),
        );
        return [undefined];
      }
      return [{ kind: 'slice', start, stop, step: stride, span }];
    }
    case 'expression':
      return [entryOfTerm(e, elaborateExpression(e, item.value, scope, undefined), span)];
    default:
      return unreachable(item);
  }
}

function entryOfTerm(e: Elaborator, term: Term, span: Span): IndexEntry | undefined {
  switch (term.kind) {
    case 'error':
      return undefined;
    case 'int':
      return { kind: 'at', index: term.value, span };
    case 'none':
      return { kind: 'newaxis', span };
    case 'array': {
      const numbers = term.items.map((t) =>
        t.kind === 'int' ? constantValue(t.value) : undefined,
      );
      if (numbers.length === 0 || !numbers.every((n) => n !== undefined)) break;
      e.builder.span = span;
      const data = Int32Array.from(numbers);
      const attrs = { dtype: 'i32', shape: [lengthOf(numbers)], data };
      return { kind: 'tensor', value: apply(e.builder, 'literal', [], attrs), span };
    }
    case 'tensor': {
      const { dtype } = term.value.type;
      if (term.form === 'plain' && isInteger(dtype))
        return { kind: 'tensor', value: term.value, span };
      const hint =
        dtype === 'bool'
          ? 'the size would depend on the values: `where(mask, a, b)` selects by element'
          : 'indices are integers: `i32(x)` converts';
      e.error(badIndex(describe(term), span, hint));
      return undefined;
    }
    default:
      break;
  }
  const name = term.kind === 'string' ? term.value : undefined;
  e.error(
    badIndex(describe(term), span, name && `a field is written behind a point: \`x.${name}\``),
  );
  return undefined;
}

export function lengthOf(items: readonly unknown[]): Int {
  return items.reduce<Int>((n) => add(n, one), zero);
}

/** One entry for every axis: `...` and missing entries become whole slices. */
export function expandEllipsis(
  e: Elaborator,
  entries: readonly IndexEntry[],
  rank: number,
  shown: string,
  span: Span,
): readonly PlainEntry[] | undefined {
  const ellipses = entries.filter((entry) => entry.kind === 'ellipsis');
  if (ellipses.length > 1) {
    e.error(twoEllipses(ellipses[1]!.span));
    return undefined;
  }
  const used = entries.filter((x) => x.kind !== 'ellipsis' && x.kind !== 'newaxis').length;
  if (used > rank) {
    e.error(tooManyIndices(used, rank, shown, span));
    return undefined;
  }
  const whole: PlainEntry = { kind: 'slice', start: undefined, stop: undefined, step: 1, span };
  const filler = Array.from({ length: rank - used }, () => whole);
  const plain: PlainEntry[] = [];
  for (const entry of entries) {
    if (entry.kind === 'ellipsis') plain.push(...filler);
    else plain.push(entry);
  }
  return ellipses.length === 0 ? [...plain, ...filler] : plain;
}

// ---------------------------------------------------------------------------------------------------------
// What an entry takes of an axis

/** A negative number known when compiling counts from the end. */
function fromStart(index: Int, size: Int): Int {
  const isNegative = index !== zero && isNonNegative(negate(index));
  return isNegative ? add(size, index) : index;
}

export interface Range {
  readonly start: Int;
  readonly stop: Int;
  readonly step: number;
  /** The axis is turned round first: steps below 0. */
  readonly isReversed: boolean;
}

/** What an entry takes of an axis, checked against its size; undefined after a report. */
export function rangeOf(
  e: Elaborator,
  entry: PlainEntry,
  size: Int,
  axis: number,
): Range | undefined {
  const whole: Range = { start: zero, stop: size, step: 1, isReversed: false };
  switch (entry.kind) {
    case 'newaxis':
    case 'tensor':
      return whole;
    case 'at': {
      const index = fromStart(entry.index, size);
      const isInside =
        need(e, index, zero, entry.span) && need(e, size, add(index, one), entry.span);
      if (isInside) return { start: index, stop: add(index, one), step: 1, isReversed: false };
      e.error(indexOutOfRange(print(entry.index), print(size), axis, entry.span));
      return undefined;
    }
    case 'slice': {
      if (entry.step < 0) return reversedRange(e, entry, size, axis);
      const start = entry.start === undefined ? zero : fromStart(entry.start, size);
      const stop = entry.stop === undefined ? size : fromStart(entry.stop, size);
      return checkRange(e, { start, stop, step: entry.step, isReversed: false }, size, axis, entry);
    }
    default:
      return unreachable(entry);
  }
}

/** Elements start, start - s, ... above stop are start', start' + s, ... below stop' of the axis turned round. */
function reversedRange(
  e: Elaborator,
  entry: PlainEntry & { readonly kind: 'slice' },
  size: Int,
  axis: number,
): Range | undefined {
  const last = subtract(size, one);
  const start = entry.start === undefined ? zero : subtract(last, fromStart(entry.start, size));
  const stop = entry.stop === undefined ? size : subtract(last, fromStart(entry.stop, size));
  const range = { start, stop, step: -entry.step, isReversed: true };
  return checkRange(e, range, size, axis, entry);
}

function checkRange(
  e: Elaborator,
  range: Range,
  size: Int,
  axis: number,
  entry: PlainEntry & { readonly kind: 'slice' },
): Range | undefined {
  const { start, stop } = range;
  const { span } = entry;
  const isInside =
    need(e, start, zero, span) && need(e, stop, start, span) && need(e, size, stop, span);
  if (isInside) return range;
  const shown = (part: Int | undefined): string => (part === undefined ? '' : print(part));
  e.error(sliceOutOfRange(shown(entry.start), shown(entry.stop), print(size), axis, span));
  return undefined;
}

/** left >= right: proved, or kept as a guard; false when it cannot hold. */
function need(e: Elaborator, left: Int, right: Int, span: Span): boolean {
  const condition = { relation: 'at-least', left, right } as const;
  const verdict = e.conditions.judge(condition);
  if (verdict === 'open') {
    const message = `the index needs ${print(left)} >= ${print(right)}`;
    e.conditions.record({ ...condition, message, span });
  }
  return verdict !== 'refuted';
}
