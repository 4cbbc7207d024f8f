/** Arrays as stacks of examples. */
import { concatenateArrays } from '../../compiler/primitives/concatenate.ts';
import { elementCount, makeArray, type NdArray } from '../../compiler/tensor-ir/nd-array.ts';

/** x[index] along axis 0. */
export function rowOf(x: NdArray, index: number): NdArray {
  const shape = x.shape.slice(1);
  const count = elementCount(shape);
  return { dtype: x.dtype, shape, data: x.data.slice(index * count, (index + 1) * count) };
}

/** Arrays of the shape and dtype of `like` along a new axis 0. */
export function stack(rows: readonly NdArray[], like: NdArray): NdArray {
  if (rows.length === 0) return makeArray(like.dtype, [0, ...like.shape]);
  return concatenateArrays(
    rows.map((row) => ({ ...row, shape: [1, ...row.shape] })),
    0,
  );
}

/** Axis 0 moved to place `to`. */
export function moveFirstAxis(x: NdArray, to: number): NdArray {
  const [size, ...rest] = x.shape;
  const shape = rest.toSpliced(to, 0, size!);
  const result = makeArray(x.dtype, shape);
  const [before, after] = [elementCount(rest.slice(0, to)), elementCount(rest.slice(to))];
  for (let i = 0; i < size!; i++) {
    for (let j = 0; j < before; j++) {
      for (let k = 0; k < after; k++) {
        result.data[(j * size! + i) * after + k] = x.data[(i * before + j) * after + k]!;
      }
    }
  }
  return result;
}
