/**
 * Numeric oracles of transformations: finite differences along a direction, inner products, one example of a batch after
 * the other. Functions under test are in f64, where nothing is lost to rounding.
 */
import { expect } from 'vitest';
import { eliminateDeadCode } from '../../compiler/passes/dead-code.ts';
import { int } from '../../compiler/symbolic/integer.ts';
import { isFloat } from '../../compiler/tensor-ir/dtype.ts';
import {
  arrayOf,
  elementCount,
  type NdArray,
  toNumbers,
} from '../../compiler/tensor-ir/nd-array.ts';
import type { Func, TensorType } from '../../compiler/tensor-ir/program.ts';
import { jvpFunction } from '../../compiler/transforms/jvp.ts';
import { vjpFunction } from '../../compiler/transforms/vjp.ts';
import { batchFunction } from '../../compiler/transforms/vmap.ts';
import { runFunction } from './functions.ts';

/** Numbers in (0, 1) that look random and are the same in every run. */
export function makeRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
}

/** A random array: floats in [low, high), integers in [0, 3), bools. */
export function randomArray(
  type: { readonly dtype: TensorType['dtype']; readonly shape: readonly number[] },
  random: () => number,
  [low, high]: readonly [number, number] = [-1, 1],
): NdArray {
  const draw = (): number => {
    if (isFloat(type.dtype)) return low + (high - low) * random();
    return Math.floor(random() * (type.dtype === 'bool' ? 2 : 3));
  };
  return arrayOf(type.dtype, type.shape, Array.from({ length: elementCount(type.shape) }, draw));
}

export function combine(
  xs: readonly NdArray[],
  ys: readonly NdArray[],
  f: (x: number, y: number) => number,
): readonly NdArray[] {
  return xs.map((x, i) => {
    const other = toNumbers(ys[i]!);
    return arrayOf(
      x.dtype,
      x.shape,
      toNumbers(x).map((v, k) => f(v, other[k]!)),
    );
  });
}

export function innerProduct(xs: readonly NdArray[], ys: readonly NdArray[]): number {
  return combine(xs, ys, (x, y) => x * y).reduce(
    (total, products) => total + toNumbers(products).reduce((a, b) => a + b, 0),
    0,
  );
}

export function expectClose(
  found: readonly NdArray[],
  expected: readonly NdArray[],
  tolerance: number,
): void {
  expect(found.map((x) => x.shape)).toEqual(expected.map((x) => x.shape));
  found.forEach((x, i) => {
    const other = toNumbers(expected[i]!);
    toNumbers(x).forEach((v, k) => {
      const scale = Math.max(1, Math.abs(other[k]!));
      if (Number.isNaN(v) && Number.isNaN(other[k]!)) return;
      if (v === other[k]) return;
      expect(
        Math.abs(v - other[k]!) / scale,
        `result ${i}, element ${k}: ${v} and ${other[k]}`,
      ).toBeLessThan(tolerance);
    });
  });
}

/** The float parameters of a function. */
export function floatParameters(func: Func): readonly number[] {
  return func.parameters.flatMap((p, i) => (isFloat(p.type.dtype) ? [i] : []));
}

function floatsOf(arrays: readonly NdArray[]): readonly NdArray[] {
  return arrays.filter((x) => isFloat(x.dtype));
}

/** What tests do to a function after it is transformed: nothing, or the passes. */
export type Polish = (func: Func) => Func;

/**
 * Checks `jvp` against central differences along a random direction, and `vjp` against `jvp`: <ct, J t> = <J^T ct, t>.
 */
export function checkDerivatives(
  func: Func,
  args: readonly NdArray[],
  polish: Polish = eliminateDeadCode,
  tolerance = 1e-6,
): void {
  const random = makeRandom(17);
  const wrt = floatParameters(func);
  const primals = wrt.map((i) => args[i]!);
  const tangents = primals.map((x) => randomArray(x, random));
  const count = func.results.length;

  const forward = runFunction(polish(jvpFunction(func, wrt)), [...args, ...tangents]);
  const plain = runFunction(func, args);
  expectClose(forward.slice(0, count), plain, 1e-12);
  const moved = (step: number): readonly NdArray[] => {
    const shifted = combine(primals, tangents, (x, t) => x + step * t);
    return floatsOf(
      runFunction(
        func,
        args.map((x, i) => (wrt.includes(i) ? shifted[wrt.indexOf(i)]! : x)),
      ),
    );
  };
  const step = 1e-5;
  const difference = combine(moved(step), moved(-step), (a, b) => (a - b) / (2 * step));
  expectClose(forward.slice(count), difference, tolerance);

  const cotangents = floatsOf(plain).map((x) => randomArray(x, random));
  const backward = runFunction(polish(vjpFunction(func, wrt)), [...args, ...cotangents]);
  expectClose(backward.slice(0, count), plain, 1e-12);
  const left = innerProduct(cotangents, forward.slice(count));
  const right = innerProduct(backward.slice(count), tangents);
  expect(Math.abs(left - right) / Math.max(1, Math.abs(left))).toBeLessThan(1e-9);
}

/** Checks `vmap` against one example after the other. Mapped arguments have the batch as axis 0. */
export function checkBatch(
  func: Func,
  args: readonly NdArray[],
  isMapped: readonly boolean[],
  size: number,
  polish: Polish = eliminateDeadCode,
): void {
  const batched = batchFunction(func, isMapped, int(size));
  const found = runFunction(polish(batched.func), args);
  expect(batched.func.parameters.map((p) => p.type.shape.length)).toEqual(
    func.parameters.map((p, i) => p.type.shape.length + (isMapped[i] ? 1 : 0)),
  );
  for (let example = 0; example < size; example++) {
    const row = (x: NdArray): NdArray => {
      const count = elementCount(x.shape.slice(1));
      return {
        dtype: x.dtype,
        shape: x.shape.slice(1),
        data: x.data.slice(example * count, (example + 1) * count),
      };
    };
    const expected = runFunction(
      func,
      args.map((x, i) => (isMapped[i] ? row(x) : x)),
    );
    expectClose(
      found.map((x, i) => (batched.outMapped[i] ? row(x) : x)),
      expected,
      1e-12,
    );
  }
  if (size === 0) {
    found.forEach((x, i) => {
      if (batched.outMapped[i]) expect(x.shape[0]).toBe(0);
    });
  }
}
