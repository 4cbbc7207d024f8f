/**
 * Whether results agree with the evaluator's, as closely as the program allows. Where an element differs by more than rounding
 * explains at a glance, the evaluator runs again with other roundings: exact, and a few ulps up or down at random after each
 * operation (Monte Carlo arithmetic) with arguments moved as much. An element that moves by as much is ill-conditioned or sits on a
 * discontinuity, and says nothing.
 */
import { type DType, isFloat } from '../../compiler/tensor-ir/dtype.ts';
import { type DimValues, evaluateFunction } from '../../compiler/tensor-ir/evaluate.ts';
import { type Element, type NdArray, roundTo } from '../../compiler/tensor-ir/nd-array.ts';
import type { Func } from '../../compiler/tensor-ir/program.ts';
import { Random } from './random.ts';

export interface Difference {
  readonly result: number;
  readonly index: number;
  readonly expected: string;
  readonly found: string;
}

export interface Comparison {
  readonly difference?: Difference | undefined;
  /** Elements that were compared, and those left out because they depend on rounding. */
  readonly compared: number;
  readonly skipped: number;
}

/** Relative to the greater of 1 and the element. */
const glance: Readonly<Partial<Record<DType, number>>> = {
  f64: 1e-11,
  f32: 4e-6,
  f16: 4e-3,
  bf16: 3e-2,
};

/**
 * What differs by less is rounding, too: a sum in another order, a product that becomes part of an fma, f32 kept where f16 is asked
 * for. None of these show in the samples.
 */
const slack: Readonly<Partial<Record<DType, number>>> = {
  f64: 1e-9,
  f32: 4e-4,
  f16: 4e-2,
  bf16: 0.2,
};

/** The unit in the last place of 1. */
const ulp: Readonly<Partial<Record<DType, number>>> = {
  f64: 2 ** -50,
  f32: 2 ** -23,
  f16: 2 ** -10,
  bf16: 2 ** -7,
};

const samples = 24;

/** Compares what a device found with the function evaluated. */
export function compareResults(
  func: Func,
  args: readonly NdArray[],
  dims: DimValues,
  found: readonly NdArray[],
  narrowest: DType,
): Comparison {
  const expected = evaluateFunction(func, args, dims);
  let others: readonly (readonly NdArray[])[] | undefined;
  let compared = 0;
  let skipped = 0;
  for (const [result, wanted] of expected.entries()) {
    const got = found[result]!;
    if (got.dtype !== wanted.dtype || got.shape.join() !== wanted.shape.join()) {
      const [a, b] = [show(wanted), show(got)];
      return { difference: { result, index: 0, expected: a, found: b }, compared, skipped };
    }
    for (let index = 0; index < wanted.data.length; index++) {
      compared += 1;
      const [a, b] = [got.data[index]!, wanted.data[index]!];
      if (isNear(a, b, glance[wanted.dtype] ?? 0)) continue;
      others ??= sample(func, args, dims, narrowest);
      const near = others.map((arrays) => arrays[result]!.data[index]!);
      if (isExplained(a, b, near, wanted.dtype)) {
        skipped += 1;
        continue;
      }
      const difference = { result, index, expected: String(b), found: String(a) };
      return { difference, compared, skipped };
    }
  }
  return { compared, skipped };
}

/**
 * For each result how far its elements may be from the evaluator's, by what other roundings make of them: for comparisons that are done
 * elsewhere. Infinity where nothing can be said.
 */
export function slackOf(
  func: Func,
  args: readonly NdArray[],
  dims: DimValues,
  narrowest: DType,
): readonly (readonly number[])[] {
  const others = sample(func, args, dims, narrowest);
  return evaluateFunction(func, args, dims).map(({ dtype, data }, result) =>
    [...data].map((wanted, index) => {
      const near = others.map((arrays) => arrays[result]!.data[index]!);
      if (!isFloat(dtype)) return near.some((other) => other !== wanted) ? Infinity : 0;
      const b = Number(wanted);
      const numbers = near.map(Number);
      if (!Number.isFinite(b)) return numbers.every((n) => Object.is(n, b)) ? 0 : Infinity;
      const spread = Math.max(
        ...numbers.map((n) => (Number.isFinite(n) ? Math.abs(n - b) : Infinity)),
      );
      return 16 * spread + slack[dtype]! * Math.max(1, Math.abs(b));
    }),
  );
}

function show(x: NdArray): string {
  return `${x.dtype}[${x.shape.join(', ')}]`;
}

function isNear(a: Element, b: Element, tolerance: number): boolean {
  if (a === b) return true;
  if (typeof a === 'bigint' || typeof b === 'bigint') return false;
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b);
  return Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b));
}

/** True when other roundings give something as far from `expected`, or move so much that nothing can be said. */
function isExplained(
  found: Element,
  expected: Element,
  others: readonly Element[],
  dtype: DType,
): boolean {
  if (!isFloat(dtype)) return others.some((other) => other !== expected);
  const [a, b] = [Number(found), Number(expected)];
  const numbers = others.map(Number);
  if (!Number.isFinite(b) || !Number.isFinite(a)) {
    // becomes finite, infinite or NaN by rounding alone
    return numbers.some(
      (n) => !Object.is(n, b) && !(Number.isFinite(n) && Number.isFinite(b) && !isFar(n, b)),
    );
  }
  const spread = Math.max(...numbers.map((n) => (Number.isFinite(n) ? Math.abs(n - b) : Infinity)));
  return Math.abs(a - b) <= 16 * spread + slack[dtype]! * Math.max(1, Math.abs(b));
}

function isFar(a: number, b: number): boolean {
  return Math.abs(a - b) > 0.1 * Math.max(1, Math.abs(b));
}

function sample(
  func: Func,
  args: readonly NdArray[],
  dims: DimValues,
  narrowest: DType,
): readonly (readonly NdArray[])[] {
  const exact = evaluateFunction(func, args, dims, { precision: 'exact' });
  const shaken = Array.from({ length: samples }, (_, seed) => {
    const random = new Random(seed);
    // half of the samples leave the arguments as they are: ties between them stay ties
    const moved = seed % 2 === 0 ? args : args.map((x) => moveAll(x, random, narrowest));
    const round = (x: NdArray): NdArray => shake(x, random);
    return evaluateFunction(func, moved, dims, { round });
  });
  return [exact, ...shaken];
}

/** What is exact stays; all else goes up or down by up to two ulps. */
function shake(x: NdArray, random: Random): NdArray {
  if (!isFloat(x.dtype)) return x;
  const size = 2 * ulp[x.dtype]!;
  const data = (x.data as Float64Array).map((value) => {
    const rounded = x.dtype === 'f64' ? Math.fround(value) : roundTo(value, x.dtype);
    if (rounded === value || !Number.isFinite(rounded)) return rounded;
    return roundTo(value * (1 + size * (2 * random.next() - 1)), x.dtype);
  });
  return { ...x, data };
}

function moveAll(x: NdArray, random: Random, narrowest: DType): NdArray {
  if (!isFloat(x.dtype)) return x;
  const size = 2 * Math.min(ulp[x.dtype]!, ulp[narrowest] ?? 1);
  const data = (x.data as Float64Array).map(
    (value) => value * (1 + size * (2 * random.next() - 1)),
  );
  return { ...x, data };
}
