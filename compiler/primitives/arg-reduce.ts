/** Where the greatest or least element along an axis is. */
import { constantValue } from '../symbolic/integer.ts';
import {
  type Element,
  forEachIndex,
  makeArray,
  type NdArray,
  offsetOf,
  stridesOf,
} from '../tensor-ir/nd-array.ts';
import { definePrimitive, type Primitive } from '../tensor-ir/primitive.ts';
import { otherAxes, require, requireAxes, requireCount, showType, tensorType } from './checks.ts';
import { batchAttrs, notLinear, zeroTangents } from './families.ts';

export type ArgReduceAttrs = { readonly axis: number };

function argReduction(
  name: 'argmax' | 'argmin',
  isBetter: (candidate: Element, best: Element) => boolean,
): Primitive<ArgReduceAttrs> {
  const record: Primitive<ArgReduceAttrs> = definePrimitive<ArgReduceAttrs>({
    name,
    inferType: (operands, { axis }) => {
      requireCount(name, operands, 1);
      const x = operands[0]!;
      requireAxes(name, [axis], x.shape.length);
      require(constantValue(x.shape[axis]!) !== 0, () =>
        `${name} needs at least one element along axis ${axis} of ${showType(x)}`);
      return [
        tensorType(
          'i32',
          x.shape.filter((_, i) => i !== axis),
        ),
      ];
    },
    evaluate: ([x], { axis }) => [searchAlong(x!, axis, isBetter)],
    jvp: zeroTangents(),
    transpose: notLinear(name),
    batch: batchAttrs(
      () => record,
      ({ axis }) => ({ axis: axis + 1 }),
    ),
    cost: { flops: 1 },
    lower: { kind: 'reduce', monoid: name, axes: (op) => [op.attrs.axis] },
  });
  return record;
}

function searchAlong(
  x: NdArray,
  axis: number,
  isBetter: (candidate: Element, best: Element) => boolean,
): NdArray {
  const strides = stridesOf(x.shape);
  const kept = otherAxes(x.shape.length, [axis]);
  const result = makeArray(
    'i32',
    kept.map((a) => x.shape[a]!),
  );
  const rowStrides = kept.map((a) => strides[a]!);
  forEachIndex(result.shape, (index, offset) => {
    const start = offsetOf(index, rowStrides);
    let best = 0;
    for (let i = 1; i < x.shape[axis]!; i++) {
      const candidate = x.data[start + i * strides[axis]!]!;
      const champion = x.data[start + best * strides[axis]!]!;
      if (Number.isNaN(champion)) break;
      if (Number.isNaN(candidate) || isBetter(candidate, champion)) best = i;
    }
    result.data[offset] = best;
  });
  return result;
}

/** i32; the first of equals; NaN counts as greatest. */
export const argmax: Primitive<ArgReduceAttrs> = argReduction('argmax', (a, b) => a > b);

/** i32; the first of equals; NaN counts as least. */
export const argmin: Primitive<ArgReduceAttrs> = argReduction('argmin', (a, b) => a < b);
