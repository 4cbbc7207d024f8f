/**
 * Every primitive on its samples, through fusion and the Metal schedules: against the evaluator, and as text through the strict
 * check.
 */
import { describe, test } from 'vitest';
import { primitives } from '../../compiler/primitives/registry.ts';
import { printMetal } from '../../compiler/to-metal/print.ts';
import { expectAllClose } from '../support/all-close.ts';
import { runFunction } from '../support/functions.ts';
import { expectMetal, metalHelper } from '../support/metal-helpers.ts';
import { runOnMetal, scheduleForMetal } from '../support/run-on-metal.ts';
import { drawOperands, type Sample, sampleFunction, samplesOf } from '../support/samples.ts';

const kernels = [...primitives.values()].filter(
  ({ lower }) => lower.kind !== 'removed' && lower.kind !== 'control',
);

/** f64 does not exist on Metal. */
function metalSamples(name: string): readonly Sample[] {
  return samplesOf(name).filter((s) => s.dtype !== 'f64' && s.attrs['dtype'] !== 'f64');
}

describe.each(kernels.map((record) => record.name))('%s', (name) => {
  test.each(metalSamples(name).map((sample) => [sample.label, sample] as const))(
    '%s',
    (_, sample) => {
      const func = sampleFunction(name, sample);
      const operands = drawOperands(sample);
      const expected = runFunction(func, operands);
      runOnMetal(func, operands).forEach((found, i) => {
        expectAllClose(found, expected[i]!, `result ${i}`);
      });
    },
  );
});

test('every sample passes the strict check as text', async () => {
  const functions = kernels.flatMap(({ name }) =>
    metalSamples(name).map((sample, i) => ({
      ...sampleFunction(name, sample),
      name: `${name}_${i}`,
    })),
  );
  const source = printMetal(scheduleForMetal(functions).kernels, metalHelper);
  await expectMetal(new Map([['registry', source]]));
});
