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
import { metalSamples } from '../support/sample-selection.ts';
import { drawOperands, sampleFunction } from '../support/samples.ts';

const kernels = [...primitives.values()].filter((record) => metalSamples(record).length > 0);

describe.each(kernels.map((record) => [record.name, record] as const))('%s', (name, record) => {
  test.each(metalSamples(record).map((sample) => [sample.label, sample] as const))(
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
  const functions = kernels.flatMap((record) =>
    metalSamples(record).map((sample, i) => ({
      ...sampleFunction(record.name, sample),
      name: `${record.name}_${i}`,
    })),
  );
  const source = printMetal(scheduleForMetal(functions).kernels, metalHelper);
  await expectMetal(new Map([['registry', source]]));
});
