/** Entries of an index applied to a tensor: slice and reshape, then a dynamic slice or a gather. */
import type { Span } from '../diagnostics/span.ts';
import { constantValue, type Int, one, product, zero } from '../symbolic/integer.ts';
import { byteSize, isSigned } from '../tensor-ir/dtype.ts';
import type { Value } from '../tensor-ir/program.ts';
import { broadcastTogether } from './broadcast.ts';
import type { Elaborator } from './elaborator.ts';
import { type PlainEntry, type Range, rangeOf } from './index-entries.ts';
import { apply, constant, convert, dimValue, permute, reshape, slice } from './operations.ts';

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
  if (indexed.every((i) => i.value.type.shape.length === 0)) {
    for (const i of indexed) e.requireElements(sizes[i.axis]!, one, i.span);
    return takeScalars(e, result, indexed);
  }
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
  const count = product(indices[0]!.type.shape);
  for (const i of indexed) e.requireElements(x.type.shape[i.axis]!, count, i.span);
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
export function wrapIndex(e: Elaborator, given: Value, size: Int): Value {
  if (!isSigned(given.type.dtype) || e.nonNegative.has(given)) return given;
  const b = e.builder;
  // the size may be more than a narrow integer holds
  const index = byteSize(given.type.dtype) < 4 ? convert(b, given, 'i32') : given;
  const { dtype, shape } = index.type;
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
