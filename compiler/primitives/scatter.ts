/** Updates at indices known at run time. */
import { evaluateScalar, scalarFunction } from '../kernel-ir/scalar-functions.ts';
import { type Int, product as productOf } from '../symbolic/integer.ts';
import type { Builder } from '../tensor-ir/builder.ts';
import { type NdArray, setElement } from '../tensor-ir/nd-array.ts';
import { definePrimitive, type Primitive } from '../tensor-ir/primitive.ts';
import type { Value } from '../tensor-ir/program.ts';
import { div, mul } from './arithmetic.ts';
import { and } from './bitwise.ts';
import {
  isSameShape,
  range,
  require,
  requireSameDType,
  showShape,
  showType,
  withoutAxes,
} from './checks.ts';
import { eq, ge, lt } from './comparison.ts';
import { dimValue, iota } from './constant.ts';
import { exampleIndex, forEachTarget, gather, mapIndices, requireIndices } from './gather.ts';
import { reshape } from './reshape.ts';
import { select } from './select.ts';
import {
  addTangents,
  asMapped,
  asWideIndex,
  broadcastBack,
  broadcastScalar,
  filled,
  filledLike,
  instantiate,
  maskAs,
  moveAxis,
  zerosOf,
} from './values.ts';

export type ScatterMode = 'set' | 'add' | 'mul' | 'min' | 'max';

export type ScatterAttrs = { readonly axes: readonly number[]; readonly mode: ScatterMode };

/**
 * `scatter(x, update, index_1..index_k)`: x with each element of `update` (shape of an index, then the other axes of
 * x) combined in, in row-major order; out of range is dropped. `set` and `add` are linear in (x, update).
 */
export const scatter: Primitive<ScatterAttrs> = definePrimitive<ScatterAttrs>({
  name: 'scatter',
  inferType: (operands, { axes, mode }) => {
    require(operands.length >= 3, () => `scatter needs x, update and indices`);
    const [x, update, ...indices] = operands;
    const shape = requireIndices('scatter', x!, indices, axes);
    requireSameDType('scatter', x!, update!);
    require(mode === 'set' || x!.dtype !== 'bool', () =>
      `scatter with mode ${mode} takes numbers, found ${showType(x!)}`);
    const expected = [...shape, ...withoutAxes(x!.shape, axes)];
    require(isSameShape(expected, update!.shape), () =>
      `scatter needs an update of shape ${showShape(expected)}, found ${showType(update!)}`);
    return [x!];
  },
  evaluate: ([x, update, ...indices], { axes, mode }) => [
    scatterInto(x!, update!, indices, axes, mode),
  ],
  jvp: (b, op, [dx, du]) => {
    if (dx === undefined && du === undefined) return [undefined];
    switch (op.attrs.mode) {
      case 'set':
      case 'add':
        return [linearTangent(b, op, dx, du)];
      case 'mul':
        return [productTangent(b, op, dx, du)];
      case 'min':
      case 'max':
        return [extremumTangent(b, op, dx, du)];
    }
  },
  transpose: (b, op, isLinear, [cotangent]) => {
    if (cotangent === undefined) return op.operands.map(() => undefined);
    const { mode } = op.attrs;
    // `mul` is linear in x alone, with the factors known
    const forX =
      mode === 'set'
        ? put(b, op, cotangent, zerosOf(b, op.operands[1]!.type), 'set')
        : mode === 'mul'
          ? put(b, op, cotangent, op.operands[1]!, 'mul')
          : cotangent;
    return [
      isLinear[0] ? forX : undefined,
      isLinear[1] ? cotangentOfUpdate(b, op, cotangent) : undefined,
      ...op.operands.slice(2).map(() => undefined),
    ];
  },
  batch: (b, op, operands, isMapped, size) => {
    const { axes, mode } = op.attrs;
    const x = asMapped(b, operands[0]!, isMapped[0]!, size);
    const update = asMapped(b, operands[1]!, isMapped[1]!, size);
    const shifted = axes.map((a) => a + 1);
    if (!isMapped.slice(2).includes(true)) {
      const rank = op.operands[2]!.type.shape.length;
      const moved = moveAxis(b, update, 0, rank);
      return [b.apply(scatter, [x, moved, ...operands.slice(2)], { axes: shifted, mode })];
    }
    const indices = mapIndices(b, operands.slice(2), isMapped.slice(2), size);
    const example = exampleIndex(b, indices[0]!);
    return [b.apply(scatter, [x, update, example, ...indices], { axes: [0, ...shifted], mode })];
  },
  cost: { flops: 1 },
  lower: { kind: 'scatter' },
});

function scatterInto(
  x: NdArray,
  update: NdArray,
  indices: readonly NdArray[],
  axes: readonly number[],
  mode: ScatterMode,
): NdArray {
  const result = { ...x, data: x.data.slice() };
  const combine = mode === 'set' ? undefined : scalarFunction(mode);
  forEachTarget(x, indices, axes, false, (to, from) => {
    const element = update.data[from]!;
    const value =
      combine === undefined ? element : evaluateScalar(combine, x.dtype, result.data[to]!, element);
    setElement(result.data, to, value);
  });
  return result;
}

// ---------------------------------------------------------------------------------------------------------
// Derivatives

interface Scatter {
  readonly operands: readonly Value[];
  readonly results: readonly Value[];
  readonly attrs: ScatterAttrs;
}

/** The same scatter with another x, update and mode. */
function put(b: Builder, op: Scatter, x: Value, update: Value, mode: ScatterMode): Value {
  const indices = op.operands.slice(2);
  return b.apply(scatter, [x, update, ...indices], { axes: op.attrs.axes, mode });
}

/** The elements of a tensor like x at the indices (clamped), in the shape of the update. */
function take(b: Builder, op: Scatter, x: Value): Value {
  return b.apply(gather, [x, ...op.operands.slice(2)], { axes: op.attrs.axes });
}

function linearTangent(
  b: Builder,
  op: Scatter,
  dx: Value | undefined,
  du: Value | undefined,
): Value {
  const [x, update] = op.operands;
  return put(b, op, instantiate(b, dx, x!.type), instantiate(b, du, update!.type), op.attrs.mode);
}

/** The part of the update that lands: its indices are in range, and for `set` no later element overwrites it. */
function landed(b: Builder, op: Scatter, update: Value): Value {
  const { axes, mode } = op.attrs;
  const shape = op.operands[0]!.type.shape;
  const indices = op.operands.slice(2);
  const isInside = indices
    .map((index, i) => inRange(b, index, shape[axes[i]!]!))
    .reduce((p, q) => b.apply(and, [p, q], {}));
  const wins = mode === 'set' ? b.apply(and, [isInside, isLast(b, op)], {}) : isInside;
  const others = range(update.type.shape.length).slice(isInside.type.shape.length);
  const mask = broadcastBack(b, wins, update.type.shape, others);
  return b.apply(select, [mask, update, zerosOf(b, update.type)], {});
}

function inRange(b: Builder, index: Value, size: Int): Value {
  const x = asWideIndex(b, index);
  const { dtype, shape } = x.type;
  const bound = broadcastScalar(b, b.apply(dimValue, [], { dim: size, dtype }), shape);
  const isBelow = b.apply(lt, [x, bound], {});
  return b.apply(and, [b.apply(ge, [x, zerosOf(b, x.type)], {}), isBelow], {});
}

/** True for each index that no later one equals: number the updates, scatter the numbers, see which ones stay. */
function isLast(b: Builder, op: Scatter): Value {
  const { axes } = op.attrs;
  const indices = op.operands.slice(2);
  const { shape } = indices[0]!.type;
  const numbers = numberElements(b, shape);
  const plane = axes.map((axis) => op.operands[0]!.type.shape[axis]!);
  const attrs = { axes: range(axes.length), mode: 'set' as const };
  const board = filled(b, { dtype: 'i32', shape: plane }, -1);
  const written = b.apply(scatter, [board, numbers, ...indices], attrs);
  const kept = b.apply(gather, [written, ...indices], { axes: attrs.axes });
  return b.apply(eq, [kept, numbers], {});
}

/** 0, 1, 2, ... in row-major order over a shape. */
function numberElements(b: Builder, shape: readonly Int[]): Value {
  if (shape.length === 0) return filled(b, { dtype: 'i32', shape }, 0);
  const line = b.apply(iota, [], { dtype: 'i32', shape: [productOf(shape)], axis: 0 });
  return shape.length === 1 ? line : b.apply(reshape, [line], { shape });
}

function cotangentOfUpdate(b: Builder, op: Scatter, cotangent: Value): Value {
  return landed(b, op, take(b, op, cotangent));
}

/**
 * x times all factors u: dx times all factors, plus each du times x and the other factors. The latter come from the product of
 * the non-zero factors and the number of zeros, as in `reduce_prod`.
 */
function productTangent(
  b: Builder,
  op: Scatter,
  dx: Value | undefined,
  du: Value | undefined,
): Value | undefined {
  const [x, u] = op.operands as [Value, Value];
  const fromX = dx === undefined ? undefined : put(b, op, dx, u, 'mul');
  if (du === undefined) return fromX;
  const zero = zerosOf(b, u.type);
  const isZero = b.apply(eq, [u, zero], {});
  const nonZero = b.apply(select, [isZero, filledLike(b, u, 1), u], {});
  const product = take(b, op, put(b, op, x, nonZero, 'mul'));
  const count = put(b, op, zerosOf(b, x.type), maskAs(b, isZero, u.type.dtype), 'add');
  const zeros = take(b, op, count);
  const hasNone = b.apply(eq, [zeros, zero], {});
  const isTheOne = b.apply(and, [isZero, b.apply(eq, [zeros, filledLike(b, u, 1)], {})], {});
  const quotient = b.apply(div, [product, nonZero], {});
  const others = b.apply(
    select,
    [hasNone, quotient, b.apply(select, [isTheOne, product, zero], {})],
    {},
  );
  const terms = b.apply(mul, [du, others], {});
  return addTangents(b, fromX, put(b, op, zerosOf(b, x.type), terms, 'add'));
}

/** The candidates equal to the result share the tangent equally. */
function extremumTangent(
  b: Builder,
  op: Scatter,
  dx: Value | undefined,
  du: Value | undefined,
): Value {
  const [x, u] = op.operands as [Value, Value];
  const result = op.results[0]!;
  const { dtype } = x.type;
  const fromX = maskAs(b, b.apply(eq, [x, result], {}), dtype);
  const fromU = maskAs(b, b.apply(eq, [u, take(b, op, result)], {}), dtype);
  const count = put(b, op, fromX, fromU, 'add');
  const total = put(
    b,
    op,
    dx === undefined ? zerosOf(b, x.type) : b.apply(mul, [dx, fromX], {}),
    du === undefined ? zerosOf(b, u.type) : b.apply(mul, [du, fromU], {}),
    'add',
  );
  return b.apply(div, [total, count], {});
}
