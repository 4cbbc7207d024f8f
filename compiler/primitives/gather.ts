/** Reading at indices known at run time. */
import type { Int } from '../symbolic/integer.ts';
import type { Builder } from '../tensor-ir/builder.ts';
import { isInteger } from '../tensor-ir/dtype.ts';
import {
  forEachIndex,
  makeArray,
  type NdArray,
  offsetOf,
  setElement,
  stridesOf,
} from '../tensor-ir/nd-array.ts';
import { definePrimitive, type Primitive } from '../tensor-ir/primitive.ts';
import type { TensorType, Value } from '../tensor-ir/program.ts';
import {
  otherAxes,
  require,
  requireAxes,
  requireSameShape,
  showType,
  tensorType,
  withoutAxes,
} from './checks.ts';
import { iota } from './constant.ts';
import { jointlyLinear } from './families.ts';
import { scatter } from './scatter.ts';
import { asMapped, clampIndex, moveAxis, zerosOf } from './values.ts';

export type GatherAttrs = { readonly axes: readonly number[] };

/**
 * `gather(x, index_1..index_k)`: shape of an index, then the axes of x that are not in `axes`. Indices clamp into
 * range. Linear in x.
 */
export const gather: Primitive<GatherAttrs> = definePrimitive<GatherAttrs>({
  name: 'gather',
  inferType: (operands, { axes }) => {
    const x = operands[0]!;
    const shape = requireIndices('gather', x, operands.slice(1), axes);
    return [tensorType(x.dtype, [...shape, ...withoutAxes(x.shape, axes)])];
  },
  evaluate: ([x, ...indices], { axes }) => {
    const others = otherAxes(x!.shape.length, axes);
    const shape = [...indices[0]!.shape, ...others.map((a) => x!.shape[a]!)];
    const result = makeArray(x!.dtype, shape);
    forEachTarget(x!, indices, axes, true, (from, to) => {
      setElement(result.data, to, x!.data[from]!);
    });
    return [result];
  },
  jvp: jointlyLinear(
    () => gather,
    () => [0],
  ),
  transpose: (b, op, _, [cotangent]) => {
    if (cotangent === undefined) return op.operands.map(() => undefined);
    const [x, ...indices] = op.operands;
    const { axes } = op.attrs;
    const { shape } = x!.type;
    // scatter drops what is out of range where gather clamped
    const clamped = indices.map((index, i) => clampIndex(b, index, shape[axes[i]!]!));
    const sum = b.apply(scatter, [zerosOf(b, x!.type), cotangent, ...clamped], {
      axes,
      mode: 'add',
    });
    return [sum, ...indices.map(() => undefined)];
  },
  batch: (b, op, operands, isMapped, size) => {
    const { axes } = op.attrs;
    const rank = op.operands[1]!.type.shape.length;
    if (!isMapped.slice(1).includes(true)) {
      const result = b.apply(gather, operands, { axes: axes.map((a) => a + 1) });
      return [moveAxis(b, result, rank, 0)];
    }
    const [x] = operands;
    const indices = mapIndices(b, operands.slice(1), isMapped.slice(1), size);
    if (!isMapped[0]) return [b.apply(gather, [x!, ...indices], { axes })];
    const example = exampleIndex(b, indices[0]!);
    return [b.apply(gather, [x!, example, ...indices], { axes: [0, ...axes.map((a) => a + 1)] })];
  },
  cost: { flops: 0 },
  lower: {
    kind: 'element',
    isView: true,
    element: (k, op, index) => {
      const { shape } = op.operands[0]!.type;
      const rank = op.operands[1]!.type.shape.length;
      const source = new Array<Int>(shape.length);
      op.attrs.axes.forEach((axis, i) => {
        source[axis] = k.asIndex(k.read(1 + i, index.slice(0, rank)), shape[axis]!);
      });
      otherAxes(shape.length, op.attrs.axes).forEach((axis, i) => {
        source[axis] = index[rank + i]!;
      });
      const extents = op.attrs.axes.map((axis) => shape[axis]!);
      return k.whereNotEmpty(extents, () => k.read(0, source));
    },
  },
});

/** Checks the indices of gather and scatter; returns their shape. */
export function requireIndices(
  name: string,
  x: TensorType,
  indices: readonly TensorType[],
  axes: readonly number[],
): readonly Int[] {
  requireAxes(name, axes, x.shape.length);
  require(indices.length === axes.length && indices.length > 0, () =>
    `${name} needs an index for each of its axes (${axes.join(', ')}), found ${indices.length}`);
  for (const index of indices) {
    require(isInteger(index.dtype), () =>
      `${name} needs integer indices, found ${showType(index)}`);
    requireSameShape(name, indices[0]!, index);
  }
  return indices[0]!.shape;
}

/** All indices with the batch in front. */
export function mapIndices(
  b: Builder,
  indices: readonly Value[],
  isMapped: readonly boolean[],
  size: Int,
): readonly Value[] {
  return indices.map((index, i) => asMapped(b, index, isMapped[i]!, size));
}

/** The number of the example, in the shape of a mapped index. */
export function exampleIndex(b: Builder, like: Value): Value {
  return b.apply(iota, [], { dtype: 'i32', shape: like.type.shape, axis: 0 });
}

/**
 * Calls `visit` with the offset in x and the offset in the gathered tensor (or update) of each element, in row-major order
 * of the latter. Out of range, the index clamps or the element is left out.
 */
export function forEachTarget(
  x: NdArray,
  indices: readonly NdArray[],
  axes: readonly number[],
  clamps: boolean,
  visit: (offset: number, position: number) => void,
): void {
  const strides = stridesOf(x.shape);
  const others = otherAxes(x.shape.length, axes);
  const restShape = others.map((a) => x.shape[a]!);
  const restStrides = others.map((a) => strides[a]!);
  let position = 0;
  for (let i = 0; i < indices[0]!.data.length; i++) {
    let start = 0;
    let isInside = true;
    axes.forEach((axis, j) => {
      const last = x.shape[axis]! - 1;
      const index = Number(indices[j]!.data[i]);
      if (index < 0 || index > last) isInside = false;
      start += Math.max(0, Math.min(index, last)) * strides[axis]!;
    });
    forEachIndex(restShape, (rest) => {
      if (isInside || clamps) visit(start + offsetOf(rest, restStrides), position);
      position++;
    });
  }
}
