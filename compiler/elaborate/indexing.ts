/**
 * `x[...]` as NumPy has it: numbers and slices with symbolic bounds, `...`, `newaxis`, scalar tensors (a dynamic
 * slice) and integer tensors (a gather). Numbers known when compiling are checked against the size, or guarded;
 * those of the run count from the end when negative.
 */
import { unreachable } from '../diagnostics/internal-error.ts';
import {
  badIndex,
  badSlice,
  indexOutOfRange,
  notIndexable,
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
import { isInteger, isSigned } from '../tensor-ir/dtype.ts';
import type { Value } from '../tensor-ir/program.ts';
import { broadcastTogether } from './broadcast.ts';
import { describe } from './describe.ts';
import type { Elaborator } from './elaborator.ts';
import { elaborateExpression } from './expressions.ts';
import { apply, constant, convert, dimValue, permute, reshape, slice } from './operations.ts';
import type { Scope } from './scope.ts';
import { errorTerm, mapLeaves } from './terms.ts';
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

export function elaborateIndex(
  e: Elaborator,
  expression: Expression & { readonly kind: 'index' },
  scope: Scope,
): Term {
  const object = elaborateExpression(e, expression.object, scope, undefined);
  const entries = elaborateEntries(e, expression.items, scope);
  if (object.kind === 'error' || entries === undefined) return errorTerm;
  const { span } = expression;
  e.builder.span = span;
  if (object.kind === 'tuple' || object.kind === 'array')
    return indexItems(e, object, entries, span);
  const rank = visibleRank(object);
  if (rank === undefined) return e.error(notIndexable(describe(object), expression.object.span));
  const plain = expandEllipsis(e, entries, rank, describe(object), span);
  if (plain === undefined) return errorTerm;
  return indexTree(e, object, plain);
}

/** The axes that an index can name: all of a tensor, those before the pair of words of a key, the leading ones of `S[B]`. */
export function visibleRank(term: Term): number | undefined {
  if (term.kind === 'tensor') return term.value.type.shape.length - (term.isKey ? 1 : 0);
  if (term.kind === 'struct' && term.type.leading.length > 0) return term.type.leading.length;
  return undefined;
}

/** Indexes the tensor, or every leaf of an `S[B]` along the leading axes. */
export function indexTree(e: Elaborator, object: Term, entries: readonly PlainEntry[]): Term {
  let failed = false;
  const indexed = mapLeaves(object, (leaf) => {
    if (leaf.kind !== 'tensor') return leaf;
    const value = applyIndex(e, leaf.value, entries);
    if (value === undefined) failed = true;
    return value === undefined ? errorTerm : { kind: 'tensor', value, isKey: leaf.isKey };
  });
  if (failed) return errorTerm;
  return object.kind === 'struct' ? withIndexedLeading(indexed, object, entries) : indexed;
}

/** `S[B][i]` is an `S`; a slice or an index tensor leaves leading axes behind. */
function withIndexedLeading(indexed: Term, object: Term, entries: readonly PlainEntry[]): Term {
  if (indexed.kind !== 'struct' || object.kind !== 'struct') return indexed;
  let before: readonly Int[] | undefined;
  let after: readonly Int[] | undefined;
  const walk = (a: Term, b: Term): void => {
    if (a.kind === 'tensor' && b.kind === 'tensor') {
      before ??= a.value.type.shape;
      after ??= b.value.type.shape;
    } else if (a.kind === 'struct' && b.kind === 'struct') {
      for (const [name, field] of a.fields) walk(field, b.fields.get(name)!);
    } else if ((a.kind === 'tuple' || a.kind === 'array') && a.kind === b.kind) {
      const others = b.items;
      a.items.forEach((item, i) => {
        walk(item, others[i]!);
      });
    }
  };
  walk(object, indexed);
  const removed = (before?.length ?? 0) - (after?.length ?? 0);
  const count = Math.max(0, entries.length === 0 ? 0 : object.type.leading.length - removed);
  const leading = after?.slice(0, count) ?? [];
  const relabel = (term: Term): Term => {
    if (term.kind === 'struct') {
      const fields = new Map<string, Term>();
      for (const [name, field] of term.fields) fields.set(name, relabel(field));
      const own = term.type.leading.slice(object.type.leading.length);
      return { kind: 'struct', type: { ...term.type, leading: [...leading, ...own] }, fields };
    }
    if (term.kind === 'tuple' || term.kind === 'array') {
      return { kind: term.kind, items: term.items.map(relabel) };
    }
    return term;
  };
  return relabel(indexed);
}

// ---------------------------------------------------------------------------------------------------------
// From the source to entries

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
          const hint =
            term.kind === 'tensor'
              ? '; `dynamic_slice(x, start, sizes)` starts at a number of the run'
              : '';
          e.error(
            badSlice(
              `the bounds of a slice are known when compiling, found ${describe(term)}${hint}`,
              part.span,
            ),
          );
        }
        return 'bad';
      };
      const [start, stop, step] = [bound(item.start), bound(item.stop), bound(item.step)];
      if (start === 'bad' || stop === 'bad' || step === 'bad') return [undefined];
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
      if (!term.isKey && isInteger(dtype)) return { kind: 'tensor', value: term.value, span };
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
  e.error(badIndex(describe(term), span));
  return undefined;
}

function lengthOf(items: readonly unknown[]): Int {
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

/** Fixed arrays and tuples: a number gives the item, a slice a shorter array. */
function indexItems(
  e: Elaborator,
  object: Term & { readonly kind: 'tuple' | 'array' },
  entries: readonly IndexEntry[],
  span: Span,
): Term {
  const [entry, ...rest] = entries;
  const { items } = object;
  if (entry?.kind === 'at' && rest.length === 0) {
    const index = constantValue(entry.index);
    if (index === undefined) return e.error(badIndex(`the dim ${print(entry.index)}`, entry.span));
    const item = items[index < 0 ? index + items.length : index];
    return item ?? e.error(indexOutOfRange(`${index}`, `${items.length}`, 0, entry.span));
  }
  if (entry?.kind === 'slice' && rest.length === 0 && entry.step > 0) {
    const bounds = [entry.start ?? zero, entry.stop ?? lengthOf(items)].map(constantValue);
    const [start, stop] = bounds.map((b) => (b !== undefined && b < 0 ? b + items.length : b));
    if (
      start !== undefined &&
      stop !== undefined &&
      start >= 0 &&
      start <= stop &&
      stop <= items.length
    ) {
      const part = items.slice(start, stop).filter((_, i) => i % entry.step === 0);
      return { kind: object.kind, items: part };
    }
    const { start: from, stop: to } = entry;
    return e.error(
      sliceOutOfRange(
        from ? print(from) : '',
        to ? print(to) : '',
        `${items.length}`,
        0,
        entry.span,
      ),
    );
  }
  const hint = 'a fixed array or tuple is indexed by a number known when compiling';
  return e.error(
    badIndex(entry?.kind === 'tensor' ? 'a number of the run' : 'this', entry?.span ?? span, hint),
  );
}

// ---------------------------------------------------------------------------------------------------------
// Entries on a tensor

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

/** Applies the entries to the first axes; further axes stay whole. */
export function applyIndex(
  e: Elaborator,
  value: Value,
  entries: readonly PlainEntry[],
): Value | undefined {
  const b = e.builder;
  const { shape } = value.type;
  const ranges: Range[] = [];
  let axis = 0;
  for (const entry of entries) {
    if (entry.kind === 'newaxis') continue;
    const range = rangeOf(e, entry, shape[axis]!, axis);
    if (range === undefined) return undefined;
    ranges.push(range);
    axis++;
  }
  for (; axis < shape.length; axis++) {
    ranges.push({ start: zero, stop: shape[axis]!, step: 1, isReversed: false });
  }
  const turned = ranges.flatMap((r, i) => (r.isReversed ? [i] : []));
  let result = turned.length === 0 ? value : apply(b, 'reverse', [value], { axes: turned });
  result = slice(
    b,
    result,
    ranges.map((r) => r.start),
    ranges.map((r) => r.stop),
    ranges.map((r) => r.step),
  );
  // numbers drop their axis, `newaxis` adds one
  const sizes: Int[] = [];
  const indexed: { readonly axis: number; readonly value: Value; readonly span: Span }[] = [];
  let source = 0;
  for (const entry of entries) {
    if (entry.kind === 'newaxis') sizes.push(one);
    else {
      const size = result.type.shape[source++]!;
      if (entry.kind === 'at') continue;
      if (entry.kind === 'tensor')
        indexed.push({ axis: sizes.length, value: entry.value, span: entry.span });
      sizes.push(size);
    }
  }
  sizes.push(...result.type.shape.slice(source));
  result = reshape(b, result, sizes);
  if (indexed.length === 0) return result;
  if (indexed.every((i) => i.value.type.shape.length === 0)) return takeScalars(e, result, indexed);
  return gather(e, result, indexed, placeOfGathered(entries));
}

interface Indexed {
  readonly axis: number;
  readonly value: Value;
  readonly span: Span;
}

/** One element along each of the axes, which go. */
function takeScalars(e: Elaborator, x: Value, indexed: readonly Indexed[]): Value {
  const b = e.builder;
  const { shape } = x.type;
  const none = constant(b, 'i32', [], 0);
  const starts = shape.map((size, axis) => {
    const here = indexed.find((i) => i.axis === axis);
    return here === undefined ? none : convert(b, wrapIndex(e, here.value, size), 'i32');
  });
  const isTaken = (axis: number): boolean => indexed.some((i) => i.axis === axis);
  const sizes = shape.map((size, axis) => (isTaken(axis) ? one : size));
  const part = apply(b, 'dynamic_slice', [x, ...starts], { sizes });
  return reshape(
    b,
    part,
    shape.filter((_, axis) => !isTaken(axis)),
  );
}

/** `undefined`: the gathered axes come first, as when index tensors are parted by a slice. */
function placeOfGathered(entries: readonly PlainEntry[]): number | undefined {
  // beside index tensors, numbers count as indices too: x[0, :, idx] is parted
  const isAdvanced = (x: PlainEntry): boolean => x.kind === 'tensor' || x.kind === 'at';
  const first = entries.findIndex(isAdvanced);
  const last = entries.findLastIndex(isAdvanced);
  if (!entries.slice(first, last + 1).every(isAdvanced)) return undefined;
  return first;
}

function gather(
  e: Elaborator,
  x: Value,
  indexed: readonly Indexed[],
  place: number | undefined,
): Value | undefined {
  const b = e.builder;
  const wrapped = indexed.map((i) => wrapIndex(e, i.value, x.type.shape[i.axis]!));
  const aligned = sameDType(e, wrapped);
  const indices = broadcastTogether(
    e,
    aligned,
    indexed.map((i) => i.span),
  );
  if (indices === undefined) return undefined;
  const axes = indexed.map((i) => i.axis);
  const result = apply(b, 'gather', [x, ...indices], { axes });
  const rank = result.type.shape.length;
  const width = indices[0]!.type.shape.length;
  const before = place === undefined ? 0 : place;
  // gathered axes come first in the primitive; here they stand where the index tensors stood
  const order = [...span(width, width + before), ...span(0, width), ...span(width + before, rank)];
  return permute(b, result, order);
}

function span(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/** Index tensors of several integer dtypes meet in i32. */
export function sameDType(e: Elaborator, values: readonly Value[]): readonly Value[] {
  const first = values[0]?.type.dtype;
  return values.every((v) => v.type.dtype === first)
    ? values
    : values.map((v) => convert(e.builder, v, 'i32'));
}

/** Negative indices of the run count from the end. */
export function wrapIndex(e: Elaborator, index: Value, size: Int): Value {
  const { dtype, shape } = index.type;
  if (!isSigned(dtype) || e.nonNegative.has(index)) return index;
  const b = e.builder;
  const isNegative = apply(b, 'lt', [index, constant(b, dtype, shape, 0)]);
  const known = constantValue(size);
  const offset =
    known !== undefined
      ? constant(b, dtype, shape, known)
      : apply(b, 'broadcast', [dimValue(b, size, dtype)], { shape, axes: [] });
  const wrapped = apply(b, 'add', [index, offset]);
  const result = apply(b, 'select', [isNegative, wrapped, index]);
  return result;
}
