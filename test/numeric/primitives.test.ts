/** Every primitive on its samples: the rules of its record against its own `evaluate`. */
import { describe, expect, test } from 'vitest';
import { concatenateArrays } from '../../compiler/primitives/concatenate.ts';
import { primitives } from '../../compiler/primitives/registry.ts';
import { constantValue, int } from '../../compiler/symbolic/integer.ts';
import { isFloat } from '../../compiler/tensor-ir/dtype.ts';
import { makeArray, type NdArray, toNumbers } from '../../compiler/tensor-ir/nd-array.ts';
import { parseFunction } from '../../compiler/tensor-ir/parse.ts';
import { isAbsent } from '../../compiler/tensor-ir/primitive.ts';
import { printFunction } from '../../compiler/tensor-ir/print.ts';
import type { Func } from '../../compiler/tensor-ir/program.ts';
import { jvpFunction } from '../../compiler/transforms/jvp.ts';
import { batchFunction } from '../../compiler/transforms/vmap.ts';
import { runFunction } from '../support/functions.ts';
import { checkBatch, checkDerivatives, floatParameters } from '../support/oracles.ts';
import { drawOperands, type Sample, sampleFunction, samplesOf } from '../support/samples.ts';

const expanded = ['vmap', 'jvp', 'vjp', 'custom_vjp_tangent'];

/** Their derivative is not that of their values. */
const notSmooth = new Set(['bitcast', 'stop_gradient']);

/** Reverse mode through an unbounded loop does not exist, nor forward mode of custom_vjp: transformations.test.ts has them. */
const onlyOneMode = new Set(['while', 'custom_vjp']);

describe.each([...primitives.keys()].filter((name) => !expanded.includes(name)))('%s', (name) => {
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
    for (const sample of samples.filter(isOfMainDType)) checkBatches(name, sample);
  });

  test('has the derivative that finite differences give', () => {
    if (notSmooth.has(name) || onlyOneMode.has(name)) return;
    for (const sample of samples.flatMap(inDoubles)) {
      const func = sampleFunction(name, sample);
      if (func.parameters.some((p) => isFloat(p.type.dtype)) && !isMaximumOfNothing(func)) {
        checkDerivatives(func, drawOperands(sample, 3));
      }
    }
  });

  test('has a second derivative, and batches twice', () => {
    if (notSmooth.has(name) || onlyOneMode.has(name)) return;
    const [sample] = samples.flatMap(inDoubles);
    if (sample === undefined) return;
    const func = sampleFunction(name, sample);
    const wrt = floatParameters(func);
    if (wrt.length === 0) return;
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

/** One dtype a kind is enough where only shapes matter. */
function isOfMainDType({ dtype }: Sample): boolean {
  return dtype === 'f32' || dtype === 'i32' || dtype === 'bool';
}

function expectValid(x: NdArray): void {
  for (const value of toNumbers(x)) {
    if (x.dtype === 'bool') expect([0, 1]).toContain(value);
    else if (!isFloat(x.dtype)) expect(Number.isInteger(value)).toBe(true);
  }
}

/** The sample in f64, where nothing is lost to rounding; none when it has a dtype of its own that is not f32. */
function inDoubles(sample: Sample): readonly Sample[] {
  const isFixed = sample.regions !== undefined || 'dtype' in sample.attrs;
  if (isFixed) {
    const to = sample.attrs['dtype'];
    return sample.dtype === 'f64' && (to === undefined || to === 'f64') ? [sample] : [];
  }
  if (sample.dtype !== 'f32') return [];
  const operands = sample.operands.map((operand) =>
    operand.type.dtype === 'f32'
      ? { ...operand, type: { ...operand.type, dtype: 'f64' as const } }
      : operand,
  );
  return [{ ...sample, operands }];
}

/** Minus infinity for every argument: its tangent is 0 / 0. */
function isMaximumOfNothing(func: Func): boolean {
  const op = func.body[0]!;
  if (op.primitive.name !== 'reduce_max' && op.primitive.name !== 'reduce_min') return false;
  const axes = op.attrs['axes'] as readonly number[];
  return axes.some((axis) => constantValue(op.operands[0]!.type.shape[axis]!) === 0);
}

function all(func: Func): readonly boolean[] {
  return func.parameters.map(() => true);
}

function checkBatches(name: string, sample: Sample): void {
  const func = sampleFunction(name, sample);
  const count = sample.operands.length;
  for (const size of [3, 0]) {
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

function stack(rows: readonly NdArray[], like: NdArray): NdArray {
  if (rows.length === 0) return makeArray(like.dtype, [0, ...like.shape]);
  return concatenateArrays(
    rows.map((row) => ({ ...row, shape: [1, ...row.shape] })),
    0,
  );
}
