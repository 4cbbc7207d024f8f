/**
 * Every primitive on its samples, in every dtype that Metal has, and at the edges (test/support/metal-edges.ts), on the Metal device
 * against the evaluator; all checks on.
 */
import { afterAll, expect, test } from 'vitest';
import { primitives } from '../../compiler/primitives/registry.ts';
import { isFloat } from '../../compiler/tensor-ir/dtype.ts';
import type { NdArray } from '../../compiler/tensor-ir/nd-array.ts';
import { expectAllClose } from '../support/all-close.ts';
import { runFunction } from '../support/functions.ts';
import { describeMetalCases, type MetalCase } from '../support/metal-cases.ts';
import { type EdgeCase, edgesOf } from '../support/metal-edges.ts';
import { deviceSamples, expandedPrimitives } from '../support/sample-selection.ts';
import { drawOperands, sampleFunction } from '../support/samples.ts';

const left: string[] = [];

function compared(c: EdgeCase): MetalCase {
  return {
    ...c,
    check: (found) => {
      const expected = runFunction(c.func, c.operands, c.dims);
      expect(found.length).toBe(expected.length);
      expected.forEach((x, i) => expectAllClose(found[i]!, x, `result ${i}`, toleranceOf(c, x)));
    },
  };
}

/** More than a thousand terms in another order. */
function toleranceOf({ operands }: EdgeCase, { dtype }: NdArray): number | undefined {
  const isLong = operands.some(({ data }) => data.length > 1000);
  return isLong && dtype === 'f32' && isFloat(dtype) ? 2e-5 : undefined;
}

const records = [...primitives.values()];
const samples = records.flatMap((record) =>
  deviceSamples(record).map((sample) =>
    compared({
      label: `${record.name}: ${sample.label}`,
      func: sampleFunction(record.name, sample),
      operands: drawOperands(sample),
    }),
  ),
);
const edges = records.flatMap((record) =>
  edgesOf(record, deviceSamples(record), (why) => left.push(`${record.name}: ${why}`)).map(
    compared,
  ),
);

describeMetalCases('primitives in every dtype', samples);
describeMetalCases('primitives at the edges', edges);

test('every primitive runs, or is gone before anything runs', () => {
  const ran = new Set(samples.map(({ label }) => label.slice(0, label.indexOf(':'))));
  const others = records.filter(({ name }) => !ran.has(name));
  left.push(...others.map(({ name }) => `${name}: ${whyNot(name)}`));
  const running = others.filter(({ lower }) => lower.kind !== 'removed');
  expect(running.map(({ name }) => name)).toEqual(['extern']);
});

function whyNot(name: string): string {
  return expandedPrimitives.get(name) ?? 'transformations take what it wraps';
}

afterAll(() => {
  console.log(
    `${records.length} primitives on Metal: ${samples.length} samples, ${edges.length} edges. Left out:\n  ${left.join('\n  ')}`,
  );
});
