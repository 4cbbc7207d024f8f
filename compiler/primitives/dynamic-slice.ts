/** Slices whose place is known at run time: read and update. */
import { add, constantValue, type Int, one, subtract, zero } from '../symbolic/integer.ts';
import type { Builder } from '../tensor-ir/builder.ts';
import {
  forEachIndex,
  moveElements,
  type NdArray,
  offsetOf,
  setElement,
  stridesOf,
} from '../tensor-ir/nd-array.ts';
import { definePrimitive, type ElementBuilder, type Primitive } from '../tensor-ir/primitive.ts';
import type { TensorType, Value } from '../tensor-ir/program.ts';
import { add as addValues } from './arithmetic.ts';
import {
  isSurelyLess,
  range,
  require,
  requireSameDType,
  requireScalar,
  showShape,
  showType,
  tensorType,
} from './checks.ts';
import { iota } from './constant.ts';
import { jointlyLinear, type NoAttrs } from './families.ts';
import { gather } from './gather.ts';
import { scatter } from './scatter.ts';
import { asMapped, broadcastBack, broadcastScalar, clampIndex, filled, zerosOf } from './values.ts';

export type DynamicSliceAttrs = { readonly sizes: readonly Int[] };

/** `dynamic_slice(x, start...)`: a block of `sizes`; each i32 start is clamped so that the block fits. Linear in x. */
export const dynamicSlice: Primitive<DynamicSliceAttrs> = definePrimitive<DynamicSliceAttrs>({
  name: 'dynamic_slice',
  inferType: (operands, { sizes }) => {
    const x = requireStarts('dynamic_slice', operands, 1);
    requireBlock('dynamic_slice', x, sizes);
    return [tensorType(x.dtype, sizes)];
  },
  evaluate: ([x, ...starts], _, context) => {
    const shape = context.resultTypes[0]!.shape.map(context.size);
    const strides = stridesOf(x!.shape);
    const first = offsetOf(clampStarts(x!, starts, shape), strides);
    return [moveElements(x!, shape, (index) => first + offsetOf(index, strides))];
  },
  jvp: jointlyLinear(
    () => dynamicSlice,
    () => [0],
  ),
  transpose: (b, op, _, [cotangent]) => {
    if (cotangent === undefined) return op.operands.map(() => undefined);
    const [x, ...starts] = op.operands;
    const zeros = zerosOf(b, x!.type);
    const update = b.apply(dynamicUpdateSlice, [zeros, cotangent, ...starts], {});
    return [update, ...starts.map(() => undefined)];
  },
  batch: (b, op, operands, isMapped, size) => {
    const [x, ...starts] = operands;
    const { sizes } = op.attrs;
    if (!isMapped.slice(1).includes(true)) {
      const first = filled(b, { dtype: 'i32', shape: [] }, 0);
      return [b.apply(dynamicSlice, [x!, first, ...starts], { sizes: [size, ...sizes] })];
    }
    const whole = op.operands[0]!.type.shape;
    const block = blockIndices(b, starts, isMapped.slice(1), whole, sizes, size);
    const axes = range(whole.length);
    if (!isMapped[0]) return [b.apply(gather, [x!, ...block], { axes })];
    const example = b.apply(iota, [], { dtype: 'i32', shape: [size, ...sizes], axis: 0 });
    return [b.apply(gather, [x!, example, ...block], { axes: [0, ...axes.map((a) => a + 1)] })];
  },
  cost: { flops: 0 },
  lower: {
    kind: 'element',
    isView: true,
    element: (k, op, index) => {
      const { shape } = op.operands[0]!.type;
      const starts = startIndices(k, shape, op.attrs.sizes, 1);
      const places = shape.map((size, axis) => placesOf(size, op.attrs.sizes[axis]!));
      const source = index.map((i, axis) => add(starts[axis]!, i));
      return k.whereNotEmpty(places, () => k.read(0, source));
    },
  },
});

/** `dynamic_update_slice(x, update, start...)`: x with a block replaced; starts clamp. Linear in (x, update). */
export const dynamicUpdateSlice: Primitive<NoAttrs> = definePrimitive<NoAttrs>({
  name: 'dynamic_update_slice',
  inferType: (operands) => {
    const x = requireStarts('dynamic_update_slice', operands, 2);
    const update = operands[1]!;
    requireSameDType('dynamic_update_slice', x, update);
    requireBlock('dynamic_update_slice', x, update.shape);
    return [x];
  },
  evaluate: ([x, update, ...starts]) => {
    const result = { ...x!, data: x!.data.slice() };
    const strides = stridesOf(x!.shape);
    const first = offsetOf(clampStarts(x!, starts, update!.shape), strides);
    forEachIndex(update!.shape, (index, offset) => {
      setElement(result.data, first + offsetOf(index, strides), update!.data[offset]!);
    });
    return [result];
  },
  jvp: jointlyLinear(
    () => dynamicUpdateSlice,
    () => [0, 1],
  ),
  transpose: (b, op, isLinear, [cotangent]) => {
    if (cotangent === undefined) return op.operands.map(() => undefined);
    const [, update, ...starts] = op.operands;
    const hole = (): Value => {
      const zeros = zerosOf(b, update!.type);
      return b.apply(dynamicUpdateSlice, [cotangent, zeros, ...starts], {});
    };
    const { shape } = update!.type;
    return [
      isLinear[0] ? hole() : undefined,
      isLinear[1] ? b.apply(dynamicSlice, [cotangent, ...starts], { sizes: shape }) : undefined,
      ...starts.map(() => undefined),
    ];
  },
  batch: (b, op, operands, isMapped, size) => {
    const x = asMapped(b, operands[0]!, isMapped[0]!, size);
    const update = asMapped(b, operands[1]!, isMapped[1]!, size);
    const starts = operands.slice(2);
    if (!isMapped.slice(2).includes(true)) {
      const first = filled(b, { dtype: 'i32', shape: [] }, 0);
      return [b.apply(dynamicUpdateSlice, [x, update, first, ...starts], {})];
    }
    const sizes = op.operands[1]!.type.shape;
    const whole = op.operands[0]!.type.shape;
    const block = blockIndices(b, starts, isMapped.slice(2), whole, sizes, size);
    const example = b.apply(iota, [], { dtype: 'i32', shape: [size, ...sizes], axis: 0 });
    const axes = range(whole.length + 1);
    return [b.apply(scatter, [x, update, example, ...block], { axes, mode: 'set' })];
  },
  cost: { flops: 0 },
  lower: {
    kind: 'element',
    isView: true,
    element: (k, op, index) => {
      const sizes = op.operands[1]!.type.shape;
      const starts = startIndices(k, op.operands[0]!.type.shape, sizes, 2);
      const local = index.map((i, axis) => subtract(i, starts[axis]!));
      return k.whereInRange(
        local.map((value, axis) => ({ value, extent: sizes[axis]! })),
        () => k.read(1, local),
        () => k.read(0, index),
      );
    },
  },
});

/** Checks that operand 0 is followed, after `before` operands, by one i32 scalar for each of its axes. */
function requireStarts(name: string, operands: readonly TensorType[], before: number): TensorType {
  const x = operands[0]!;
  require(operands.length === before + x.shape.length, () =>
    `${name} needs a start for each axis of ${showType(x)}, found ${operands.length - before}`);
  for (const start of operands.slice(before)) requireScalar(name, 'starts', start, 'i32');
  return x;
}

function requireBlock(name: string, x: TensorType, sizes: readonly Int[]): void {
  const fits =
    sizes.length === x.shape.length &&
    sizes.every((size, axis) => !isSurelyLess(x.shape[axis]!, size) && !isSurelyLess(size, zero));
  require(fits, () => `${name}: a block ${showShape(sizes)} does not fit in ${showType(x)}`);
}

function clampStarts(
  x: NdArray,
  starts: readonly NdArray[],
  sizes: readonly number[],
): readonly number[] {
  return starts.map((start, axis) => {
    const last = x.shape[axis]! - sizes[axis]!;
    return Math.max(0, Math.min(Number(start.data[0]), last));
  });
}

/** How many starts of a block there are along an axis. */
function placesOf(whole: Int, block: Int): Int {
  return add(subtract(whole, block), one);
}

/** The clamped starts as indices: each lies in [0, size - block size]. */
function startIndices(
  k: ElementBuilder,
  whole: readonly Int[],
  sizes: readonly Int[],
  first: number,
): readonly Int[] {
  return whole.map((size, axis) => {
    const places = placesOf(size, sizes[axis]!);
    return constantValue(places) === 1 ? zero : k.asIndex(k.read(first + axis, []), places);
  });
}

/** For each axis an index tensor of shape [size, ...sizes]: the example's clamped start plus the place in the block. */
function blockIndices(
  b: Builder,
  starts: readonly Value[],
  isMapped: readonly boolean[],
  whole: readonly Int[],
  sizes: readonly Int[],
  size: Int,
): readonly Value[] {
  const shape = [size, ...sizes];
  return starts.map((start, axis) => {
    const places = placesOf(whole[axis]!, sizes[axis]!);
    const clamped = clampIndex(b, start, places);
    const spread = isMapped[axis]
      ? broadcastBack(b, clamped, shape, range(shape.length).slice(1))
      : broadcastScalar(b, clamped, shape);
    const place = b.apply(iota, [], { dtype: 'i32', shape, axis: axis + 1 });
    return b.apply(addValues, [spread, place], {});
  });
}
