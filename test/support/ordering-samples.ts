/** Samples of the cumulative operations and of sorting, in every dtype and by every schedule that a device may choose. */
import { int } from '../../compiler/symbolic/integer.ts';
import { type DType, dtypes, isFloat } from '../../compiler/tensor-ir/dtype.ts';
import { tensor } from './functions.ts';
import type { Sample, SampleOperand } from './samples.ts';

const numbers = dtypes.filter((dtype) => dtype !== 'bool');
const floats = dtypes.filter(isFloat);

type Shape = readonly number[];
type Range = readonly [number, number];

function operandOf(dtype: DType, shape: Shape, range?: Range): SampleOperand {
  const type = tensor(dtype, ...shape);
  return range === undefined || !isFloat(dtype) ? { type } : { type, range };
}

function cumulative(
  list: readonly DType[],
  shape: Shape,
  attrs: { readonly axis: number; readonly reverse: boolean },
  ranges: readonly (Range | undefined)[],
): readonly Sample[] {
  const way = attrs.reverse ? 'back along' : 'along';
  return list.map((dtype) => ({
    label: `${dtype}[${shape.join(', ')}] ${way} ${attrs.axis}`,
    dtype,
    operands: ranges.map((range) => operandOf(dtype, shape, range)),
    attrs,
  }));
}

/** Of an operation whose operands lie in the given ranges. */
function cumulativeSamples(
  list: readonly DType[],
  ...ranges: readonly (Range | undefined)[]
): readonly Sample[] {
  const along = (shape: Shape, axis: number, only = list): readonly Sample[] =>
    cumulative(only, shape, { axis, reverse: false }, ranges);
  const back = (shape: Shape, axis: number): readonly Sample[] =>
    cumulative(['f32'], shape, { axis, reverse: true }, ranges);
  return [
    ...along([3, 5], 1),
    ...along([4, 3], 0),
    ...along(
      [2, 70],
      1,
      list.filter((d) => ['f32', 'f16', 'i64'].includes(d)),
    ),
    ...back([2, 70], 1),
    ...back([5, 2, 3], 0),
    ...along([2, 12, 9], 1, ['f32']),
    ...along([1], 0, ['f32']),
    ...along([0], 0, ['f32']),
    ...along([2, 0, 3], 2, ['f32']),
  ];
}

function ordered(
  list: readonly DType[],
  shape: Shape,
  attrs: { readonly axis: number; readonly descending: boolean },
): readonly Sample[] {
  const way = attrs.descending ? 'down' : 'up';
  return list.map((dtype) => ({
    label: `${dtype}[${shape.join(', ')}] ${way} along ${attrs.axis}`,
    dtype,
    operands: [operandOf(dtype, shape)],
    attrs,
  }));
}

function argsortSamples(): readonly Sample[] {
  return [
    ...ordered(dtypes, [3, 7], { axis: 1, descending: false }),
    ...ordered(dtypes, [2, 70], { axis: 1, descending: true }),
    ...ordered(['f32', 'i8'], [37, 3], { axis: 0, descending: false }),
    ...ordered(['f32'], [1], { axis: 0, descending: false }),
    ...ordered(['f32'], [2, 0], { axis: 1, descending: false }),
    ...ordered(['f32'], [0, 20], { axis: 1, descending: false }),
  ];
}

function sortSamples(): readonly Sample[] {
  const one = (list: readonly DType[], shape: Shape, axis: number): readonly Sample[] =>
    list.map((dtype) => ({
      label: `${dtype}[${shape.join(', ')}] along ${axis}`,
      dtype,
      operands: [operandOf(dtype, shape)],
      attrs: { axis, keys: 1, descending: false },
    }));
  const several = (keys: number, descending: boolean, ...types: readonly DType[]): Sample => ({
    label: `${types.join(', ')} by ${keys}${descending ? ' down' : ''}`,
    dtype: types[0]!,
    operands: types.map((dtype) => operandOf(dtype, [3, 20])),
    attrs: { axis: 1, keys, descending },
  });
  return [
    ...one(dtypes, [3, 7], 1),
    ...one(['f32'], [20, 2], 0),
    ...one(['f32'], [2, 0], 1),
    several(1, false, 'f32', 'f32', 'i32'),
    several(2, true, 'i8', 'f32', 'f16'),
    several(3, false, 'bool', 'u8', 'f32'),
  ];
}

function topKSamples(): readonly Sample[] {
  const some = (list: readonly DType[], shape: Shape, axis: number, k: number): readonly Sample[] =>
    list.map((dtype) => ({
      label: `${k} of ${dtype}[${shape.join(', ')}] along ${axis}`,
      dtype,
      operands: [operandOf(dtype, shape)],
      attrs: { axis, k: int(k) },
    }));
  return [
    ...some(dtypes, [3, 7], 1, 3),
    ...some(['f32'], [30, 2], 0, 5),
    ...some(['f32'], [2, 4], 1, 4),
    ...some(['f32'], [2, 4], 1, 0),
  ];
}

const samples: ReadonlyMap<string, () => readonly Sample[]> = new Map([
  ['cumsum', () => cumulativeSamples(numbers, undefined)],
  // near 1, so that long products stay moderate
  ['cumprod', () => cumulativeSamples(numbers, [0.8, 1.2])],
  ['cummax', () => cumulativeSamples(numbers, undefined)],
  ['cummin', () => cumulativeSamples(numbers, undefined)],
  ['cumlogsumexp', () => cumulativeSamples(floats, undefined)],
  ['linear_recurrence', () => cumulativeSamples(numbers, [-0.9, 0.9], undefined)],
  ['argsort', argsortSamples],
  ['sort', sortSamples],
  ['top_k', topKSamples],
]);

/** The samples of a primitive of these families; undefined for others. */
export function orderingSamples(name: string): readonly Sample[] | undefined {
  return samples.get(name)?.();
}
