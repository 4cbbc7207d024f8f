/** The order of the elements along an axis. */
import { type Element, makeArray, type NdArray } from '../tensor-ir/nd-array.ts';
import { definePrimitive, type Primitive } from '../tensor-ir/primitive.ts';
import { requireAxes, requireCount, tensorType } from './checks.ts';
import { batchAttrs, notLinear, zeroTangents } from './families.ts';
import { forEachRow } from './linear-recurrence.ts';

export type ArgsortAttrs = { readonly axis: number; readonly descending: boolean };

/**
 * i32: element i is where the i-th smallest element is. Stable; NaN counts as greatest (last, or first with `descending`), -0 equals
 * 0, false comes before true.
 */
export const argsort: Primitive<ArgsortAttrs> = definePrimitive<ArgsortAttrs>({
  name: 'argsort',
  inferType: (operands, { axis }) => {
    requireCount('argsort', operands, 1);
    const x = operands[0]!;
    requireAxes('argsort', [axis], x.shape.length);
    return [tensorType('i32', x.shape)];
  },
  evaluate: ([x], attrs) => [orderOf(x!, attrs)],
  jvp: zeroTangents(),
  transpose: notLinear('argsort'),
  batch: batchAttrs(
    () => argsort,
    ({ axis, descending }) => ({ axis: axis + 1, descending }),
  ),
  cost: { flops: 20 },
  lower: { kind: 'custom' },
});

function orderOf(x: NdArray, { axis, descending }: ArgsortAttrs): NdArray {
  const result = makeArray('i32', x.shape);
  forEachRow(x.shape, axis, false, (offsets) => {
    const places = offsets.map((_, i) => i);
    const at = (i: number): Element => x.data[offsets[i]!]!;
    places.sort((i, j) => (descending ? compare(at(j), at(i)) : compare(at(i), at(j))));
    places.forEach((place, i) => {
      result.data[offsets[i]!] = place;
    });
  });
  return result;
}

/** Negative when a comes before b; NaN comes after all. */
function compare(a: Element, b: Element): number {
  if (a < b) return -1;
  if (a > b) return 1;
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}
