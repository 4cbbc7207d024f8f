/** `evaluate` and the CPU device against NumPy, SciPy and JAX, special values included: see tools/goldens/primitives.py and special-values.py. */
import { beforeAll, describe, expect, test } from 'vitest';
import { runFunction } from '../support/functions.ts';
import { countCases } from '../support/oracle-count.ts';
import {
  expectGolden,
  goldenFiles,
  readGoldens,
  type Steps,
} from '../support/primitive-goldens.ts';
import { type CompiledForCpu, callOnCpu, compileForCpu } from '../support/run-on-cpu.ts';

/** The evaluator rounds once, but Math's functions are not all correctly rounded. */
const evaluatorSteps: Steps = (dtype) => (dtype === 'f64' ? 32 : 1);

const cpuSteps: Steps = (dtype) => (dtype === 'f64' ? 64 : dtype === 'f32' ? 4 : 1);

const cases = goldenFiles.flatMap((file) =>
  readGoldens(file).map((golden, i) => ({
    ...golden,
    file,
    func: { ...golden.func, name: `${file.replace(/\W/g, '_')}_${i}` },
  })),
);

let compiled: CompiledForCpu;

beforeAll(async () => {
  compiled = await compileForCpu(cases.map(({ func }) => func));
}, 300_000);

describe.each(goldenFiles)('%s', (file) => {
  const inFile = cases.filter((c) => c.file === file);

  describe.each([...new Set(inFile.map((c) => c.name))])('%s', (name) => {
    const named = inFile.filter((c) => c.name === name);

    const count = { oracle: `primitives: ${file}`, function: name, cases: named.length };

    test('by the evaluator', () => {
      countCases({ ...count, device: 'evaluator' });
      for (const golden of named) {
        expectGolden(golden, runFunction(golden.func, golden.operands), evaluatorSteps);
      }
      expect(named.length).toBeGreaterThan(0);
    });

    test('on the CPU', () => {
      countCases({ ...count, device: 'CPU' });
      for (const golden of named) {
        const found = callOnCpu(compiled.module, golden.func.name, golden.operands);
        expectGolden(golden, found, cpuSteps);
      }
      expect(named.length).toBeGreaterThan(0);
    });
  });
});
