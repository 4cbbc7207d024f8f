/**
 * The helper functions of the Metal printer, compiled as C++ for this machine over a few lines that stand for Metal's library: their
 * values against the meaning of the scalar functions.
 */
import { expect, test } from 'vitest';
import { evaluateScalar, scalarFunction } from '../../compiler/kernel-ir/scalar-functions.ts';
import { convertElement } from '../../compiler/primitives/convert.ts';
import { type DType, integerRange, isFloat } from '../../compiler/tensor-ir/dtype.ts';
import type { Element } from '../../compiler/tensor-ir/nd-array.ts';
import { valueType } from '../../compiler/to-metal/types.ts';
import { hostLiteral, runOnHost } from '../support/metal-on-host.ts';

const floats: readonly number[] = [
  ...[0, -0, 1, -1, 0.5, -0.5, 2, 3, -3, 0.1, -0.1, 7.5, 1e-8, -1e-8, 1e-30, 1e10, -1e10, 3e38],
  ...[Infinity, -Infinity, NaN, 0.49999997, 0.99999994, -0.99999994, 88.5, -87, 4, -4, 9.25, 5.5],
  ...Array.from({ length: 400 }, (_, i) => Math.fround((i - 200) / 37)),
].map(Math.fround);

const few: readonly number[] = floats.slice(0, 30);

function integersOf(dtype: DType): readonly bigint[] {
  const { min, max } = integerRange(dtype);
  return [...new Set([min, min + 1n, -7n, -3n, -2n, -1n, 0n, 1n, 2n, 3n, 5n, 31n, max - 1n, max])]
    .filter((v) => v >= min && v <= max)
    .sort((a, b) => (a < b ? -1 : 1));
}

const unaryFloats = [
  ...['sign', 'expm1', 'log1p', 'cbrt', 'logistic', 'erf', 'erfc', 'erfinv'],
  ...['lgamma', 'digamma'],
];
const binaryFloats = ['floor_div', 'rem', 'max', 'min'];
const unaryIntegers = ['sign'];
const binaryIntegers = ['floor_div', 'rem', 'pow', 'shift_left', 'shift_right'];
const integerTypes = ['i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64'] as const;

interface Call {
  readonly name: string;
  readonly dtype: DType;
  readonly args: readonly Element[];
  /** Of conversions. */
  readonly to?: DType;
}

function calls(): Call[] {
  const all: Call[] = [];
  for (const name of unaryFloats)
    for (const x of floats) all.push({ name, dtype: 'f32', args: [x] });
  for (const name of binaryFloats) {
    for (const x of few) for (const y of few) all.push({ name, dtype: 'f32', args: [x, y] });
  }
  // a large order takes few terms, not many steps
  for (const order of [0, 1, 2, 3, 5, 2.4, 1e30, -1, NaN]) {
    for (const x of few) all.push({ name: 'polygamma', dtype: 'f32', args: [order, x] });
  }
  for (const dtype of integerTypes) {
    const values = integersOf(dtype);
    const element = (v: bigint): Element => (dtype.endsWith('64') ? v : Number(v));
    for (const name of unaryIntegers) {
      for (const x of values) all.push({ name, dtype, args: [element(x)] });
    }
    for (const name of binaryIntegers) {
      for (const x of values) {
        for (const y of values) all.push({ name, dtype, args: [element(x), element(y)] });
      }
    }
    const bounds = [2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 63, 2 ** 64, 255.5, 127.9, -128.9, 65535.5];
    for (const x of [...floats.slice(0, 40), ...bounds]) {
      all.push({ name: 'convert', dtype: 'f32', args: [x], to: dtype });
    }
  }
  return all;
}

/** Spacing of floats around a value. */
function ulp(value: number): number {
  return Math.max(2 ** (Math.floor(Math.log2(Math.abs(value))) - 23), 2 ** -126);
}

const allowed: Readonly<Record<string, number>> = {
  expm1: 4,
  log1p: 4,
  cbrt: 2,
  logistic: 4,
  erf: 3,
  erfc: 8,
  erfinv: 8,
  lgamma: 9,
  digamma: 12,
  polygamma: 8,
  // where the quotient is no whole number that float holds
  floor_div: 1,
};

/** Left of 0 their terms cancel next to their zeros: the error counts against 1 at least. */
const hasZeros: ReadonlySet<string> = new Set(['lgamma', 'digamma', 'polygamma']);

test('helpers compute what the scalar functions mean', () => {
  const all = calls();
  const helperOf = (call: Call): string =>
    call.to === undefined ? call.name : 'saturating_convert';
  const expressions = all.map(({ name, dtype, args, to }) => {
    const target = to === undefined ? name : `to_${valueType(to)}`;
    return `mlxc::${target}(${args.map((a) => hostLiteral(dtype, a)).join(', ')})`;
  });
  const results = runOnHost(expressions, all.map(helperOf));
  expect(results).toHaveLength(all.length);
  const wrong: string[] = [];
  all.forEach(({ name, dtype, args, to }, i) => {
    const [x, y] = args;
    const result = results[i]!;
    const call = `${name}_${to ?? dtype}(${args.join(', ')})`;
    if (to !== undefined || !isFloat(dtype)) {
      const want =
        to !== undefined
          ? convertElement(x!, 'f32', to)
          : evaluateScalar(scalarFunction(name), dtype, x!, y ?? (dtype.endsWith('64') ? 0n : 0));
      if (result !== BigInt(want)) wrong.push(`${call} is ${result}, not ${want}`);
      return;
    }
    const found = Number(result);
    const exact = Number(evaluateScalar(scalarFunction(name), 'f32', x!, y ?? 0));
    const want = Math.fround(exact);
    if (Object.is(found, want) || Math.abs(want) < 2 ** -126) return;
    if (found === 0 && want === 0 && allowed[name] !== undefined) return;
    const isReflected = hasZeros.has(name) && Number(y ?? x) < 0;
    const error = Math.abs(found - exact) / ulp(isReflected ? Math.max(1, Math.abs(want)) : want);
    if (!(error <= (allowed[name] ?? 0)))
      wrong.push(`${call} is ${found}, not ${want}: ${error} ulp`);
  });
  expect(wrong).toEqual([]);
});
