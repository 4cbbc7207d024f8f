/** Every primitive on its samples on the CPU device, against the evaluator: one C source, compiled once. */
import { beforeAll, describe, expect, test } from 'vitest';
import { primitives } from '../../compiler/primitives/registry.ts';
import type { NdArray } from '../../compiler/tensor-ir/nd-array.ts';
import { expectAllClose } from '../support/all-close.ts';
import { runFunction } from '../support/functions.ts';
import { type CompiledForCpu, callOnCpu, compileForCpu } from '../support/run-on-cpu.ts';
import { cpuSamples } from '../support/sample-selection.ts';
import { drawOperands, sampleFunction } from '../support/samples.ts';

const cases = [...primitives.values()].flatMap((record) =>
  cpuSamples(record).map((sample, i) => ({
    label: `${record.name}: ${sample.label}`,
    func: { ...sampleFunction(record.name, sample), name: `${record.name}_${i}` },
    operands: drawOperands(sample),
  })),
);

let compiled: CompiledForCpu;

beforeAll(async () => {
  compiled = await compileForCpu(cases.map(({ func }) => func));
}, 300_000);

describe('registry', () => {
  test.each(cases)('$label', ({ func, operands }) => {
    const expected = runFunction(func, operands);
    const found: readonly NdArray[] = callOnCpu(compiled.module, func.name, operands);
    expect(found.length).toBe(expected.length);
    expected.forEach((x, i) => {
      expectAllClose(found[i]!, x, `result ${i}`);
    });
  });
});
