/** Every primitive on its samples: the rules of its record against its own `evaluate`. */
import { describe, expect, test } from 'vitest';
import { primitives } from '../../compiler/primitives/registry.ts';
import { int } from '../../compiler/symbolic/integer.ts';
import { type DType, isFloat } from '../../compiler/tensor-ir/dtype.ts';
import { arrayOf, type NdArray, toNumbers } from '../../compiler/tensor-ir/nd-array.ts';
import { parseFunction } from '../../compiler/tensor-ir/parse.ts';
import { isAbsent } from '../../compiler/tensor-ir/primitive.ts';
import { printFunction } from '../../compiler/tensor-ir/print.ts';
import type { Func } from '../../compiler/tensor-ir/program.ts';
import { jvpFunction } from '../../compiler/transforms/jvp.ts';
import { vjpFunction } from '../../compiler/transforms/vjp.ts';
import { batchFunction } from '../../compiler/transforms/vmap.ts';
import { expectAllClose, toleranceOf } from '../support/all-close.ts';
import { runFunction } from '../support/functions.ts';
import { checkBatch, checkDerivatives, floatParameters } from '../support/oracles.ts';
import { stack } from '../support/rows.ts';
import {
  batchSamples,
  differenceSamples,
  narrowDerivativeSamples,
  otherBatchSamples,
  sampledPrimitives,
} from '../support/sample-selection.ts';
import { drawOperands, type Sample, sampleFunction, samplesOf } from '../support/samples.ts';

describe.each(sampledPrimitives.map((record) => record.name))('%s', (name) => {
  const samples = samplesOf(name);

  test('has samples', () => {
    expect(samples.length).toBeGreaterThan(0);
    expect(new Set(samples.map((s) => s.label)).size).toBe(samples.length);
  });

  test('evaluates to what inferType says, in values of its dtype; prints and parses', () => {
    for (const sample of samples) {
      const func = sampleFunction(name, sample);
      const text = printFunction(func);
      expect(printFunction(parseFunction(text))).toBe(text);
      for (const result of runFunction(func, drawOperands(sample))) expectValid(result);
    }
  });

  test('agrees with a loop under vmap', () => {
    for (const sample of batchSamples(name)) checkBatches(name, sample);
    for (const sample of otherBatchSamples(name)) checkBatches(name, sample, [3]);
  });

  test('has the derivative that finite differences give', () => {
    for (const sample of differenceSamples(name)) {
      checkDerivatives(sampleFunction(name, sample), drawOperands(sample, 3));
    }
  });

  test('has the same derivatives in narrower floats', () => {
    for (const [sample, wide] of narrowDerivativeSamples(name)) {
      const operands = drawOperands(sample, 3);
      const doubles = operands.map((x, i) => ({ ...x, dtype: wide.operands[i]!.type.dtype }));
      const expected = derivativesOf(sampleFunction(name, wide), doubles);
      derivativesOf(sampleFunction(name, sample), operands).forEach((found, i) => {
        const { data } = expected[i]!;
        const rounded = arrayOf(found.dtype, found.shape, data);
        expectAllClose(found, rounded, sample.label, 16 * coarsest(sample, found));
      });
    }
  });

  test('has a second derivative, and batches twice', () => {
    const [sample] = differenceSamples(name);
    if (sample === undefined) return;
    const func = sampleFunction(name, sample);
    const wrt = floatParameters(func);
    const dual = jvpFunction(func, wrt);
    const operands = drawOperands(sample, 3);
    const tangents = wrt.map((i) => operands[i]!);
    checkDerivatives(dual, [...operands, ...tangents]);
    const twice = batchFunction(func, all(func), int(2)).func;
    const args = twice.parameters.map((_, i) => {
      const row = stack([operands[i]!, operands[i]!], operands[i]!);
      return stack([row, row, row], row);
    });
    checkBatch(twice, args, all(twice), 3);
  });

  test('says why where a rule is absent', () => {
    const { jvp, transpose, batch } = primitives.get(name)!;
    for (const rule of [jvp, transpose, batch]) {
      if (isAbsent(rule)) expect(rule.absent).toMatch(/\w/);
    }
  });
});

function expectValid(x: NdArray): void {
  for (const value of toNumbers(x)) {
    if (x.dtype === 'bool') expect([0, 1]).toContain(value);
    else if (!isFloat(x.dtype)) expect(Number.isInteger(value)).toBe(true);
  }
}

/** The tolerance of the narrowest float on the way. */
function coarsest({ dtype, attrs }: Sample, found: NdArray): number {
  const to = (attrs['dtype'] as DType | undefined) ?? dtype;
  return Math.max(...[dtype, to, found.dtype].map(toleranceOf));
}

/** The derivative along the operands themselves, then the pullback of the results. */
function derivativesOf(func: Func, operands: readonly NdArray[]): readonly NdArray[] {
  const wrt = floatParameters(func);
  const tangents = wrt.map((i) => operands[i]!);
  const forward = runFunction(jvpFunction(func, wrt), [...operands, ...tangents]);
  const results = forward.slice(0, func.results.length);
  const cotangents = results.filter((x) => isFloat(x.dtype));
  const backward = runFunction(vjpFunction(func, wrt), [...operands, ...cotangents]);
  return [...forward.slice(results.length), ...backward.slice(results.length)];
}

function all(func: Func): readonly boolean[] {
  return func.parameters.map(() => true);
}

/** Every choice of mapped operands. */
function checkBatches(name: string, sample: Sample, sizes: readonly number[] = [3, 0]): void {
  const func = sampleFunction(name, sample);
  const count = sample.operands.length;
  for (const size of sizes) {
    const examples = Array.from({ length: size }, (_, i) => drawOperands(sample, 7 + i));
    const shared = drawOperands(sample, 99);
    for (let mask = 1; mask < 2 ** count; mask++) {
      const isMapped = sample.operands.map((_, i) => (mask & (2 ** i)) !== 0);
      const args = sample.operands.map((_, i) =>
        isMapped[i]
          ? stack(
              examples.map((e) => e[i]!),
              shared[i]!,
            )
          : shared[i]!,
      );
      checkBatch(func, args, isMapped, size);
    }
  }
}
