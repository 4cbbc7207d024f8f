/** Made-up inputs for benchmarks: the same for the same seed. */
import { makeTypedArray, writeElement } from '../../../runtime/typed-array.ts';
import { type ElementType, isFloat, storageOf } from '../../tensor-ir/dtype.ts';
import type { HostTensor } from './host-tensor.ts';

/** Floats in [-1, 1); integers 0 or 1, so that they are valid as labels, tokens and flags. */
export function randomTensor(
  type: ElementType,
  shape: readonly number[],
  seed: number,
): HostTensor {
  const { dtype, width } = storageOf(type);
  const length = shape.reduce((a, b) => a * b, width);
  const data = makeTypedArray(dtype, length);
  // xorshift32: no quality is asked of these numbers but that they differ
  let state = (seed * 0x9e3779b9) >>> 0 || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
  for (let i = 0; i < length; i++) {
    const value = next();
    writeElement(dtype, data, i, isFloat(dtype) ? value * 2 - 1 : value < 0.5 ? 0 : 1);
  }
  return { dtype: type, shape, data };
}
