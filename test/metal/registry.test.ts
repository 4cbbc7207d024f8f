/** Every primitive on its samples, through fusion and the Metal schedules, against the evaluator. */
import { describe, test } from 'vitest';
import { primitives } from '../../compiler/primitives/registry.ts';
import { expectAllClose } from '../support/all-close.ts';
import { runFunction } from '../support/functions.ts';
import { runOnMetal } from '../support/run-on-metal.ts';
import { drawOperands, sampleFunction, samplesOf } from '../support/samples.ts';

const kernels = [...primitives.values()].filter(
  ({ lower }) => lower.kind !== 'removed' && lower.kind !== 'control',
);

describe.each(kernels.map((record) => record.name))('%s', (name) => {
  // f64 does not exist on Metal
  const samples = samplesOf(name).filter((s) => s.dtype !== 'f64' && s.attrs['dtype'] !== 'f64');
  test.each(samples.map((sample) => [sample.label, sample] as const))('%s', (_, sample) => {
    const func = sampleFunction(name, sample);
    const operands = drawOperands(sample);
    const expected = runFunction(func, operands);
    runOnMetal(func, operands).forEach((found, i) => {
      expectAllClose(found, expected[i]!, `result ${i}`);
    });
  });
});
