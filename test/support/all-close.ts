/** Comparison of arrays within the tolerance of their dtype. */
import { expect } from 'vitest';
import type { DType } from '../../compiler/tensor-ir/dtype.ts';
import type { Element, NdArray } from '../../compiler/tensor-ir/nd-array.ts';

/** Relative and absolute: a few units in the last place; integers and bools are compared exactly. */
export function toleranceOf(dtype: DType): number {
  switch (dtype) {
    case 'f64':
      return 1e-12;
    case 'f32':
      return 2e-6;
    case 'f16':
      return 2e-3;
    case 'bf16':
      return 2e-2;
    default:
      return 0;
  }
}

/** True when the elements agree: NaN with NaN, infinities and integers exactly, else |a - b| <= t * max(1, |b|). */
export function isClose(found: Element, expected: Element, tolerance: number): boolean {
  if (found === expected) return true;
  if (typeof found === 'bigint' || typeof expected === 'bigint') return false;
  if (Number.isNaN(expected)) return Number.isNaN(found);
  return Math.abs(found - expected) <= tolerance * Math.max(1, Math.abs(expected));
}

/** Fails with the first element that differs. The tolerance defaults to that of the dtype. */
export function expectAllClose(
  found: NdArray,
  expected: NdArray,
  what = 'result',
  tolerance: number = toleranceOf(expected.dtype),
): void {
  expect(found.dtype, `dtype of ${what}`).toBe(expected.dtype);
  expect(found.shape, `shape of ${what}`).toEqual(expected.shape);
  for (let i = 0; i < expected.data.length; i++) {
    const a = found.data[i]!;
    const b = expected.data[i]!;
    if (!isClose(a, b, tolerance)) expect.fail(`${what}: element ${i} is ${a}, expected ${b}`);
  }
}
