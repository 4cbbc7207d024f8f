/** `evaluate` against NumPy, SciPy and JAX, special values included: see tools/goldens/primitives.py. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { primitive } from '../../compiler/primitives/registry.ts';
import { int } from '../../compiler/symbolic/integer.ts';
import { type DType, isFloat } from '../../compiler/tensor-ir/dtype.ts';
import { arrayOf, type NdArray, roundTo } from '../../compiler/tensor-ir/nd-array.ts';
import type { Attr, Attrs } from '../../compiler/tensor-ir/program.ts';
import { buildFunction, runFunction, tensor } from '../support/functions.ts';

interface GoldenTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
}

interface GoldenCase {
  readonly name: string;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly operands: readonly GoldenTensor[];
  readonly results: readonly GoldenTensor[];
}

const folder = new URL('../golden/primitives/', import.meta.url);

describe.each(readdirSync(folder))('%s', (file) => {
  const cases = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as readonly GoldenCase[];
  test.each([...new Set(cases.map((c) => c.name))])('%s', (name) => {
    for (const golden of cases.filter((c) => c.name === name)) checkCase(golden);
  });
});

function checkCase({ name, attrs, operands, results }: GoldenCase): void {
  const types = operands.map(({ dtype, shape }) => tensor(dtype, ...shape));
  const func = buildFunction(name, types, (b, ...args) =>
    b.applyAll(primitive(name), args, readAttrs(attrs)),
  );
  const found = runFunction(func, operands.map(readTensor));
  results.forEach((expected, i) => {
    expectSame(name, found[i]!, readTensor(expected), `${name} of ${describeOperands(operands)}`);
  });
}

function describeOperands(operands: readonly GoldenTensor[]): string {
  return operands.map(({ dtype, shape }) => `${dtype}[${shape.join(', ')}]`).join(', ');
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
]);

function readAttrs(attrs: Readonly<Record<string, unknown>>): Attrs {
  const entries = Object.entries(attrs).map(([name, value]): [string, Attr] =>
    symbolicAttrs.has(name) ? [name, (value as number[]).map(int)] : [name, value as Attr],
  );
  return Object.fromEntries(entries);
}

function readTensor({ dtype, shape, data }: GoldenTensor): NdArray {
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
const sums = new Set(['dot_general', 'reduce_sum']);

/** Which zero they choose is free. */
const zerosAreEqual = new Set(['max', 'min', 'reduce_max', 'reduce_min']);

/** Exact for integers; NaN, infinities and the sign of zero count. */
function expectSame(name: string, found: NdArray, expected: NdArray, what: string): void {
  expect(found.dtype).toBe(expected.dtype);
  expect(found.shape).toEqual(expected.shape);
  expected.data.forEach((b, i) => {
    const a = found.data[i]!;
    if (Object.is(a, b) || (a === b && zerosAreEqual.has(name))) return;
    if (typeof a === 'number' && typeof b === 'number' && isFloat(expected.dtype)) {
      if (isNear(a, b, expected.dtype, sums.has(name) ? 1 : Math.abs(b))) return;
    }
    expect.fail(`${what}: element ${i} is ${showElement(a)}, expected ${showElement(b)}`);
  });
}

function showElement(x: number | bigint): string {
  return Object.is(x, -0) ? '-0' : String(x);
}

/** A few units in the last place of a double; one step of a narrower dtype, for a double on the other side of a tie. */
function isNear(a: number, b: number, dtype: DType, scale: number): boolean {
  if (a === 0 && b === 0) return false;
  if (dtype === 'f64') return Math.abs(a - b) <= 8e-15 * scale + 5e-324;
  const middle = roundTo((a + b) / 2, dtype);
  return Math.abs(a - b) <= 0.02 * Math.abs(b) + 2 ** -133 && (middle === a || middle === b);
}
