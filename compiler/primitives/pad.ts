/** Padding at both ends of each axis and between elements; negative padding crops. */
import {
  add,
  constantValue,
  floordiv,
  type Int,
  mod,
  multiply,
  negate,
  one,
  subtract,
  zero,
} from '../symbolic/integer.ts';
import type { Builder } from '../tensor-ir/builder.ts';
import { forEachIndex, makeArray, offsetOf, setElement, stridesOf } from '../tensor-ir/nd-array.ts';
import { definePrimitive, type Primitive } from '../tensor-ir/primitive.ts';
import type { Value } from '../tensor-ir/program.ts';
import { sub } from './arithmetic.ts';
import {
  isSurelyLess,
  range,
  require,
  requireCount,
  requireSameDType,
  showShape,
  showType,
  tensorType,
} from './checks.ts';
import { jointlyLinear } from './families.ts';
import { reduceSum } from './reduce.ts';
import { select } from './select.ts';
import { paddedSize, slice } from './slice.ts';
import { asMapped, broadcastBack, filled } from './values.ts';

export type PadAttrs = {
  /** May be negative: crops. */
  readonly low: readonly Int[];
  readonly high: readonly Int[];
  /** How many padding elements go between neighbours: constants of at least 0. */
  readonly interior: readonly Int[];
};

/** `pad(x, value)`: x surrounded by and interspersed with a scalar. Linear in both. */
export const pad: Primitive<PadAttrs> = definePrimitive<PadAttrs>({
  name: 'pad',
  inferType: (operands, { low, high, interior }) => {
    requireCount('pad', operands, 2);
    const [x, value] = operands;
    requireSameDType('pad', x!, value!);
    require(value!.shape.length === 0, () =>
      `pad needs a scalar to pad with, found ${showType(value!)}`);
    require([low, high, interior].every((list) => list.length === x!.shape.length), () =>
      `pad needs low, high and interior for each axis of ${showType(x!)}`);
    require(interior.every((n) => (constantValue(n) ?? -1) >= 0), () =>
      `pad needs constant interior padding of at least 0, found ${showShape(interior)}`);
    const shape = x!.shape.map((size, axis) =>
      add(add(low[axis]!, high[axis]!), paddedSize(size, interior[axis]!)),
    );
    require(!shape.some((size) => isSurelyLess(size, zero)), () =>
      `pad of ${showType(x!)} gives a negative size: ${showShape(shape)}`);
    return [tensorType(x!.dtype, shape)];
  },
  evaluate: ([x, value], { low, interior }, context) => {
    const result = makeArray(x!.dtype, context.resultTypes[0]!.shape.map(context.size));
    const strides = stridesOf(x!.shape);
    const first = low.map(context.size);
    const strideOf = interior.map((n) => context.size(n) + 1);
    forEachIndex(result.shape, (index, offset) => {
      const source = index.map((i, axis) => (i - first[axis]!) / strideOf[axis]!);
      const isInside = source.every(
        (i, axis) => Number.isInteger(i) && i >= 0 && i < x!.shape[axis]!,
      );
      const element = isInside ? x!.data[offsetOf(source, strides)]! : value!.data[0]!;
      setElement(result.data, offset, element);
    });
    return [result];
  },
  jvp: jointlyLinear(
    () => pad,
    () => [0, 1],
  ),
  transpose: (b, op, isLinear, [cotangent]) => {
    if (cotangent === undefined) return [undefined, undefined];
    const inside = unpad(b, cotangent, op.attrs);
    if (!isLinear[1]) return [inside, undefined];
    const outside = b.apply(sub, [sumAll(b, cotangent), sumAll(b, inside)], {});
    return [isLinear[0] ? inside : undefined, outside];
  },
  batch: (b, op, operands, isMapped, size) => {
    const attrs: PadAttrs = {
      low: [zero, ...op.attrs.low],
      high: [zero, ...op.attrs.high],
      interior: [zero, ...op.attrs.interior],
    };
    const x = asMapped(b, operands[0]!, isMapped[0]!, size);
    const value = operands[1]!;
    if (!isMapped[1]) return [b.apply(pad, [x, value], attrs)];
    // a padding value for each example: pad a mask as well and choose
    const inside = filled(b, { dtype: 'bool', shape: x.type.shape }, 1);
    const mask = b.apply(pad, [inside, filled(b, { dtype: 'bool', shape: [] }, 0)], attrs);
    const padded = b.apply(pad, [x, filled(b, { dtype: x.type.dtype, shape: [] }, 0)], attrs);
    const { shape } = padded.type;
    const values = broadcastBack(b, value, shape, range(shape.length).slice(1));
    return [b.apply(select, [mask, padded, values], {})];
  },
  cost: { flops: 0 },
  lower: {
    kind: 'element',
    isView: true,
    element: (k, op, index) => {
      const { low, interior } = op.attrs;
      const { shape } = op.operands[0]!.type;
      const conditions: { value: Int; extent: Int }[] = [];
      const source = index.map((i, axis) => {
        const from = subtract(i, low[axis]!);
        const stride = add(interior[axis]!, one);
        if (stride === one) {
          conditions.push({ value: from, extent: shape[axis]! });
          return from;
        }
        // from < (size - 1)*stride + 1 comes first: the division then never sees a negative number
        const reach = add(multiply(subtract(shape[axis]!, one), stride), one);
        conditions.push({ value: from, extent: reach });
        conditions.push({ value: mod(from, stride), extent: one });
        return floordiv(from, stride);
      });
      return k.whereInRange(
        conditions,
        () => k.read(0, source),
        () => k.read(1, []),
      );
    },
  },
});

/** The elements of a padded tensor that came from the operand; zeros for those that were cropped away. */
function unpad(b: Builder, x: Value, { low, high, interior }: PadAttrs): Value {
  const isPadded = [...low, ...high].some((n) => n !== zero);
  const none = filled(b, { dtype: x.type.dtype, shape: [] }, 0);
  const trimmed = isPadded
    ? b.apply(pad, [x, none], {
        low: low.map(negate),
        high: high.map(negate),
        interior: interior.map(() => zero),
      })
    : x;
  if (interior.every((n) => n === zero)) return trimmed;
  return b.apply(slice, [trimmed], {
    start: low.map(() => zero),
    stop: trimmed.type.shape,
    step: interior.map((n) => add(n, one)),
  });
}

function sumAll(b: Builder, x: Value): Value {
  const { length } = x.type.shape;
  return length === 0 ? x : b.apply(reduceSum, [x], { axes: range(length) });
}
