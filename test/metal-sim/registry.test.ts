/** Every primitive on its samples, in every dtype that Metal has, on the Metal device against the evaluator; all checks on. */
import { beforeAll, describe, expect, test } from 'vitest';
import { primitives } from '../../compiler/primitives/registry.ts';
import type { Module } from '../../runtime/index.ts';
import { expectAllClose } from '../support/all-close.ts';
import { runFunction } from '../support/functions.ts';
import { countMetal } from '../support/metal-count.ts';
import { strictMetal } from '../support/metal-device.ts';
import { callOnCpu, entryOf } from '../support/run-on-cpu.ts';
import { compileProgramForMetal } from '../support/run-on-metal-device.ts';
import { deviceSamples } from '../support/sample-selection.ts';
import { drawOperands, sampleFunction } from '../support/samples.ts';

/** Functions in a library: enough that starting the compiler costs little, few enough that one that it refuses is soon found. */
const perLibrary = 150;

const cases = [...primitives.values()].flatMap((record) =>
  deviceSamples(record).map((sample, i) => ({
    label: `${record.name}: ${sample.label}`,
    func: { ...sampleFunction(record.name, sample), name: `${record.name}_${i}` },
    operands: drawOperands(sample),
  })),
);
const libraries = Array.from({ length: Math.ceil(cases.length / perLibrary) }, (_, i) =>
  cases.slice(i * perLibrary, (i + 1) * perLibrary),
);

describe.each(libraries.map((own, i) => [i, own] as const))('library %i', (_, own) => {
  let module: Module;
  beforeAll(async () => {
    const entries = own.map(({ func }) => entryOf(func));
    module = await compileProgramForMetal({ stage: 'plain', entries }, strictMetal());
  }, 300_000);

  test.each(own)('$label', ({ func, operands }) => {
    countMetal({ what: 'primitives in every dtype', functions: 1, calls: 1 });
    const expected = runFunction(func, operands);
    const found = callOnCpu(module, func.name, operands);
    expect(found.length).toBe(expected.length);
    expected.forEach((x, i) => expectAllClose(found[i]!, x, `result ${i}`));
  });
});
