/**
 * A concrete tensor of the reference evaluator: row-major data with a known shape. Floats of every width are held
 * in a Float64Array and rounded to their dtype after each operation (see `roundTo`), 64-bit integers as bigint arrays,
 * other integers and bools in a Float64Array of whole numbers.
 */
import type { DType } from './dtype.ts';

export interface NdArray {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Float64Array | BigInt64Array | BigUint64Array;
}
