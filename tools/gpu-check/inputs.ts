/**
 * Made-up inputs that run.py makes again on the GPU, so that they need not travel: element i of leaf `seed` comes from a hash
 * of both.
 */

import { type DType, isFloat } from '../../compiler/tensor-ir/dtype.ts';
import { makeTypedArray, type TypedArray, writeElement } from '../../runtime/typed-array.ts';

export interface InputSpec {
  readonly dtype: DType;
  readonly seed: number;
  /** Floats: multiples of (high - low) / 256 in [low, high), exact in every float type for the ranges in use. */
  readonly low: number;
  readonly high: number;
  /** Integers: in [0, below). */
  readonly below: number;
}

/** Optimizer states hold averages of squares, which are not negative; weights are small. */
export function inputSpec(parameter: string, dtype: DType, seed: number, below: number): InputSpec {
  const isState = parameter === 'opt' || parameter === 'state';
  const [low, high] = isState ? [0, 1] : parameter === 'm' ? [-0.125, 0.125] : [-1, 1];
  return { dtype, seed, low, high, below: isState ? 2 : below };
}

export function makeInput(spec: InputSpec, shape: readonly number[]): TypedArray {
  const { dtype, seed, low, high, below } = spec;
  const length = shape.reduce((a, b) => a * b, 1);
  const data = makeTypedArray(dtype, length);
  for (let i = 0; i < length; i++) {
    const bits = hash(i, seed);
    const value = isFloat(dtype)
      ? low + ((bits >>> 24) / 256) * (high - low)
      : dtype === 'bool'
        ? bits >>> 31
        : bits % below;
    writeElement(dtype, data, i, value);
  }
  return data;
}

/** 32 bits: the finalizer `lowbias32` of C. Wellons' hash prospector over a product of index and seed. */
function hash(index: number, seed: number): number {
  let h = (Math.imul(index, 0x9e3779b9) + Math.imul(seed, 0x85ebca6b)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}
