/** A part of a tensor with steps, and the turning round of axes. */
import {
  add,
  ceildiv,
  constantValue,
  type Int,
  max,
  multiply,
  one,
  subtract,
  zero,
} from '../symbolic/integer.ts';
import { moveElements, offsetOf, stridesOf } from '../tensor-ir/nd-array.ts';
import { definePrimitive, type Primitive } from '../tensor-ir/primitive.ts';
import {
  isSurelyLess,
  require,
  requireAxes,
  requireCount,
  showShape,
  showType,
  tensorType,
} from './checks.ts';
import { batchAttrs, jointlyLinear } from './families.ts';
import { pad } from './pad.ts';
import { filled } from './values.ts';

export type SliceAttrs = {
  readonly start: readonly Int[];
  readonly stop: readonly Int[];
  /** Constants of at least 1. */
  readonly step: readonly Int[];
};

/** Elements start, start + step, ... below stop, along each axis. Linear. */
export const slice: Primitive<SliceAttrs> = definePrimitive<SliceAttrs>({
  name: 'slice',
  inferType: (operands, { start, stop, step }) => {
    requireCount('slice', operands, 1);
    const x = operands[0]!;
    require([start, stop, step].every((list) => list.length === x.shape.length), () =>
      `slice needs start, stop and step for each axis of ${showType(x)}`);
    require(step.every((s) => (constantValue(s) ?? 0) >= 1), () =>
      `slice needs constant steps of at least 1, found ${showShape(step)}`);
    x.shape.forEach((size, axis) => {
      const isOutside =
        isSurelyLess(start[axis]!, zero) ||
        isSurelyLess(stop[axis]!, start[axis]!) ||
        isSurelyLess(size, stop[axis]!);
      require(!isOutside, () =>
        `slice from ${showShape(start)} to ${showShape(stop)} is outside ${showType(x)} at axis ${axis}`);
    });
    return [
      tensorType(
        x.dtype,
        start.map((s, axis) => sliceSize(s, stop[axis]!, step[axis]!)),
      ),
    ];
  },
  evaluate: ([x], { start, step }, context) => {
    const strides = stridesOf(x!.shape);
    const first = offsetOf(start.map(context.size), strides);
    const source = strides.map((stride, axis) => stride * context.size(step[axis]!));
    const shape = context.resultTypes[0]!.shape.map(context.size);
    return [moveElements(x!, shape, (index) => first + offsetOf(index, source))];
  },
  jvp: jointlyLinear(
    () => slice,
    () => [0],
  ),
  transpose: (b, op, _, [cotangent]) => {
    if (cotangent === undefined) return [undefined];
    const { start, stop, step } = op.attrs;
    const type = op.operands[0]!.type;
    const high = type.shape.map((size, axis) => {
      const count = sliceSize(start[axis]!, stop[axis]!, step[axis]!);
      return subtract(size, add(start[axis]!, paddedSize(count, subtract(step[axis]!, one))));
    });
    const padding = filled(b, { dtype: type.dtype, shape: [] }, 0);
    const interior = step.map((s) => subtract(s, one));
    return [b.apply(pad, [cotangent, padding], { low: start, high, interior })];
  },
  batch: batchAttrs(
    () => slice,
    ({ start, stop, step }, size) => ({
      start: [zero, ...start],
      stop: [size, ...stop],
      step: [one, ...step],
    }),
  ),
  cost: { flops: 0 },
  lower: {
    kind: 'element',
    isView: true,
    element: (k, { attrs }, index) =>
      k.read(
        0,
        index.map((i, axis) => add(attrs.start[axis]!, multiply(attrs.step[axis]!, i))),
      ),
  },
});

/** How many elements a slice takes along an axis. */
export function sliceSize(start: Int, stop: Int, step: Int): Int {
  return ceildiv(subtract(stop, start), step);
}

/** The size of an axis after `interior` elements are put between its neighbours. */
export function paddedSize(size: Int, interior: Int): Int {
  if (interior === zero) return size;
  const gaps = constantValue(size) === 0 ? zero : max(subtract(size, one), zero);
  return add(size, multiply(interior, gaps));
}

export type ReverseAttrs = { readonly axes: readonly number[] };

/** The given axes from end to start. Linear. */
export const reverse: Primitive<ReverseAttrs> = definePrimitive<ReverseAttrs>({
  name: 'reverse',
  inferType: (operands, { axes }) => {
    requireCount('reverse', operands, 1);
    requireAxes('reverse', axes, operands[0]!.shape.length);
    return [operands[0]!];
  },
  evaluate: ([x], { axes }) => {
    const strides = stridesOf(x!.shape);
    const last = axes.reduce((sum, axis) => sum + (x!.shape[axis]! - 1) * strides[axis]!, 0);
    const source = strides.map((stride, axis) => (axes.includes(axis) ? -stride : stride));
    return [moveElements(x!, x!.shape, (index) => last + offsetOf(index, source))];
  },
  jvp: jointlyLinear(
    () => reverse,
    () => [0],
  ),
  transpose: (b, op, _, [cotangent]) => [
    cotangent === undefined ? undefined : b.apply(reverse, [cotangent], op.attrs),
  ],
  batch: batchAttrs(
    () => reverse,
    ({ axes }) => ({ axes: axes.map((a) => a + 1) }),
  ),
  cost: { flops: 0 },
  lower: {
    kind: 'element',
    isView: true,
    element: (k, op, index) => {
      const { shape } = op.operands[0]!.type;
      return k.read(
        0,
        index.map((i, axis) =>
          op.attrs.axes.includes(axis) ? subtract(subtract(shape[axis]!, one), i) : i,
        ),
      );
    },
  },
});
