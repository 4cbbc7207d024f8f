/** A loop with a known number of steps. */
import { elementCount, makeArray, type NdArray, scalarOf } from '../tensor-ir/nd-array.ts';
import { definePrimitive, type Primitive } from '../tensor-ir/primitive.ts';
import { type ScanAttrs, scanRules } from '../transforms/regions/scan.ts';
import { require, showType, tensorType } from './checks.ts';
import { concatenateArrays } from './concatenate.ts';
import { byRegion, requireRegions, requireTypes, typesOf } from './regions.ts';

/**
 * `scan(carry..., sequences..., consts...) { body(index, carry, slices, consts) -> carry, ys }`: the final carry, then each y
 * stacked along a new axis 0. With `reverse` the index runs down; ys[i] still belongs to index i.
 */
export const scan: Primitive<ScanAttrs> = definePrimitive<ScanAttrs>({
  name: 'scan',
  inferType: (operands, { carries, sequences, length }, regions) => {
    requireRegions('scan', regions, 1);
    const body = regions[0]!;
    const slices = operands.slice(carries, carries + sequences).map((x) => {
      require(x.shape[0] === length, () =>
        `scan needs sequences with its length in front, found ${showType(x)}`);
      return tensorType(x.dtype, x.shape.slice(1));
    });
    const carry = operands.slice(0, carries);
    const parameters = [
      tensorType('i32', []),
      ...carry,
      ...slices,
      ...operands.slice(carries + sequences),
    ];
    requireTypes('parameters of the body', parameters, typesOf(body.parameters));
    const results = typesOf(body.results);
    requireTypes('carry of the body', carry, results.slice(0, carries));
    const stacked = results.slice(carries).map((y) => tensorType(y.dtype, [length, ...y.shape]));
    return [...carry, ...stacked];
  },
  evaluate: (
    operands,
    { carries, sequences, length, reverse },
    { op, call, size, resultTypes },
  ) => {
    const steps = size(length);
    const consts = operands.slice(carries + sequences);
    let carry = operands.slice(0, carries);
    const stacks = resultTypes.slice(carries).map(() => new Array<NdArray>(steps));
    for (let step = 0; step < steps; step++) {
      const index = reverse ? steps - 1 - step : step;
      const slices = operands.slice(carries, carries + sequences).map((x) => rowOf(x, index));
      const results = call(op.regions[0]!, [
        scalarOf('i32', index),
        ...carry,
        ...slices,
        ...consts,
      ]);
      carry = results.slice(0, carries);
      stacks.forEach((stack, i) => {
        stack[index] = results[carries + i]!;
      });
    }
    const stacked = resultTypes
      .slice(carries)
      .map((type, i) => stackArrays(stacks[i]!, type.dtype, type.shape.slice(1).map(size)));
    return [...carry, ...stacked];
  },
  jvp: byRegion,
  transpose: byRegion,
  batch: byRegion,
  regional: scanRules,
  cost: { flops: 0 },
  lower: { kind: 'control' },
});

/** x[index] along axis 0. */
export function rowOf(x: NdArray, index: number): NdArray {
  const shape = x.shape.slice(1);
  const count = elementCount(shape);
  return { dtype: x.dtype, shape, data: x.data.slice(index * count, (index + 1) * count) };
}

/** Arrays of one shape along a new axis 0; the shape and dtype are for when there are none. */
export function stackArrays(
  rows: readonly NdArray[],
  dtype: NdArray['dtype'],
  shape: readonly number[],
): NdArray {
  if (rows.length === 0) return makeArray(dtype, [0, ...shape]);
  return concatenateArrays(
    rows.map((row) => ({ ...row, shape: [1, ...row.shape] })),
    0,
  );
}
