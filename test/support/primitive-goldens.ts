/** The golden results of test/golden/primitives: cases as functions with their operands, and the comparison with what was found. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { primitive } from '../../compiler/primitives/registry.ts';
import { int } from '../../compiler/symbolic/integer.ts';
import { type DType, isFloat } from '../../compiler/tensor-ir/dtype.ts';
import { arrayOf, type NdArray, roundTo } from '../../compiler/tensor-ir/nd-array.ts';
import type { Attr, Attrs, Func } from '../../compiler/tensor-ir/program.ts';
import { buildFunction, tensor } from './functions.ts';

interface StoredTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
}

interface StoredCase {
  readonly name: string;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly operands: readonly StoredTensor[];
  readonly results: readonly StoredTensor[];
}

export interface GoldenCase {
  /** Of the primitive. */
  readonly name: string;
  /** The operation alone. */
  readonly func: Func;
  readonly operands: readonly NdArray[];
  readonly results: readonly NdArray[];
}

const folder = new URL('../golden/primitives/', import.meta.url);

export const goldenFiles: readonly string[] = readdirSync(folder);

/** All cases of one file. */
export function readGoldens(file: string): readonly GoldenCase[] {
  const stored = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as readonly StoredCase[];
  return stored.map(({ name, attrs, operands, results }) => {
    const types = operands.map(({ dtype, shape }) => tensor(dtype, ...shape));
    const func = buildFunction(name, types, (b, ...args) =>
      b.applyAll(primitive(name), args, readAttrs(attrs)),
    );
    return { name, func, operands: operands.map(readTensor), results: results.map(readTensor) };
  });
}

const symbolicAttrs = new Set([
  'shape',
  'start',
  'stop',
  'step',
  'low',
  'high',
  'interior',
  'sizes',
  'k',
]);

function readAttrs(attrs: Readonly<Record<string, unknown>>): Attrs {
  const entries = Object.entries(attrs).map(([name, value]): [string, Attr] =>
    symbolicAttrs.has(name) ? [name, asInts(value as number | number[])] : [name, value as Attr],
  );
  return Object.fromEntries(entries);
}

function asInts(value: number | readonly number[]): Attr {
  return typeof value === 'number' ? int(value) : value.map(int);
}

function readTensor({ dtype, shape, data }: StoredTensor): NdArray {
  const isBig = dtype === 'i64' || dtype === 'u64';
  return arrayOf(
    dtype,
    shape,
    data.map((x) => (isBig ? BigInt(x) : readNumber(x))),
  );
}

function readNumber(x: number | string): number {
  if (typeof x === 'number') return x;
  return x === 'nan' ? Number.NaN : x === '-0' ? -0 : x === 'inf' ? Infinity : -Infinity;
}

/** Sums: the order of the terms is free. */
const sums = new Set(['dot_general', 'reduce_sum', 'cumsum', 'cumlogsumexp']);

/** Which zero they choose is free. */
const zerosAreEqual = new Set([
  ...['max', 'min', 'clamp', 'reduce_max', 'reduce_min'],
  ...['cumsum', 'cummax', 'cummin', 'cumlogsumexp', 'linear_recurrence'],
]);

/** How many steps of the dtype a float may be off. */
export type Steps = (dtype: DType) => number;

/** Fails with the first difference. Exact for integers; NaN, infinities and the sign of zero count. */
export function expectGolden(
  { name, operands, results }: GoldenCase,
  found: readonly NdArray[],
  steps: Steps,
): void {
  results.forEach((expected, i) => {
    const array = found[i]!;
    expect(array.dtype).toBe(expected.dtype);
    expect(array.shape).toEqual(expected.shape);
    expected.data.forEach((b, k) => {
      const a = array.data[k]!;
      if (Object.is(a, b) || (a === b && zerosAreEqual.has(name))) return;
      if (typeof a === 'number' && typeof b === 'number' && isFloat(expected.dtype)) {
        if (isNear(a, b, expected.dtype, sums.has(name) ? 1 : 0, steps(expected.dtype))) return;
      }
      const given = operands
        .filter((x) => x.data.length === expected.data.length)
        .map((x) => showElement(x.data[k]!));
      const types = operands.map(({ dtype, shape }) => `${dtype}[${shape.join(', ')}]`);
      expect.fail(
        `${name} of ${types.join(', ')}: element ${k} (${given.join(', ')}) is ${showElement(a)}, expected ${showElement(b)}`,
      );
    });
  });
}

function showElement(x: number | bigint): string {
  return Object.is(x, -0) ? '-0' : String(x);
}

/** Within `steps` of the spacing of `dtype` around b, which is at least that around `scale`. */
function isNear(a: number, b: number, dtype: DType, scale: number, steps: number): boolean {
  if ((a === 0 && b === 0) || !Number.isFinite(a) || !Number.isFinite(b)) return false;
  return Math.abs(a - b) <= steps * spacing(Math.max(Math.abs(b), scale), dtype) * 1.000001;
}

/** The distance from a positive number to the next of its dtype. */
function spacing(x: number, dtype: DType): number {
  const [digits, low] = { f16: [11, -14], bf16: [8, -126], f32: [24, -126], f64: [53, -1022] }[
    dtype as 'f16' | 'bf16' | 'f32' | 'f64'
  ] as [number, number];
  const exponent = Math.max(Math.floor(Math.log2(roundTo(x, dtype))), low);
  return 2 ** (exponent - digits + 1);
}
