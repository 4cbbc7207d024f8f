/** Repetition along new axes and along axes of size 1. */

import type { Int } from '../symbolic/integer.ts';
import { zero } from '../symbolic/integer.ts';
import { moveElements, offsetOf, stridesOf } from '../tensor-ir/nd-array.ts';
import { definePrimitive, type Primitive } from '../tensor-ir/primitive.ts';
import {
  isOne,
  otherAxes,
  require,
  requireAxes,
  requireCount,
  showShape,
  showType,
  tensorType,
} from './checks.ts';
import { batchAttrs, jointlyLinear } from './families.ts';
import { reduceSum } from './reduce.ts';
import { reshape } from './reshape.ts';

export type BroadcastAttrs = {
  readonly shape: readonly Int[];
  /** Axis i of the operand becomes axis `axes[i]` of the result; increasing. */
  readonly axes: readonly number[];
};

/** The operand repeated along the axes of `shape` that are not in `axes`, and where its size is 1. Linear. */
export const broadcast: Primitive<BroadcastAttrs> = definePrimitive<BroadcastAttrs>({
  name: 'broadcast',
  inferType: (operands, { shape, axes }) => {
    requireCount('broadcast', operands, 1);
    const x = operands[0]!;
    requireAxes('broadcast', axes, shape.length);
    const fits =
      axes.length === x.shape.length &&
      axes.every((axis, i) => i === 0 || axis > axes[i - 1]!) &&
      x.shape.every((size, i) => size === shape[axes[i]!] || isOne(size));
    require(fits, () =>
      `broadcast of ${showType(x)} along axes (${axes.join(', ')}) does not fit ${showShape(shape)}`);
    return [tensorType(x.dtype, shape)];
  },
  evaluate: ([x], { axes }, context) => {
    const strides = stridesOf(x!.shape).map((stride, i) => (x!.shape[i] === 1 ? 0 : stride));
    const shape = context.resultTypes[0]!.shape.map(context.size);
    const source = new Array<number>(shape.length).fill(0);
    axes.forEach((axis, i) => {
      source[axis] = strides[i]!;
    });
    return [moveElements(x!, shape, (index) => offsetOf(index, source))];
  },
  jvp: jointlyLinear(
    () => broadcast,
    () => [0],
  ),
  transpose: (b, op, _, [cotangent]) => {
    if (cotangent === undefined) return [undefined];
    const { shape, axes } = op.attrs;
    const from = op.operands[0]!.type.shape;
    const repeated = axes.filter((axis, i) => from[i] !== shape[axis]);
    const summed = [...otherAxes(shape.length, axes), ...repeated].sort((p, q) => p - q);
    const sum = summed.length === 0 ? cotangent : b.apply(reduceSum, [cotangent], { axes: summed });
    return [repeated.length === 0 ? sum : b.apply(reshape, [sum], { shape: from })];
  },
  batch: batchAttrs(
    () => broadcast,
    ({ shape, axes }, size) => ({ shape: [size, ...shape], axes: [0, ...axes.map((a) => a + 1)] }),
  ),
  cost: { flops: 0 },
  lower: {
    kind: 'element',
    isView: true,
    element: (k, op, index) => {
      const { axes } = op.attrs;
      const from = op.operands[0]!.type.shape;
      return k.read(
        0,
        axes.map((axis, i) => (isOne(from[i]!) ? zero : index[axis]!)),
      );
    },
  },
});
