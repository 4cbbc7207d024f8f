/**
 * Programs as users write them, test/golden/programs, against NumPy and JAX: on the CPU device (one C source for all),
 * in the reference evaluator, and their Metal kernels through the strict check.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { compileStages, type Stages } from '../../compiler/driver/compile.ts';
import { nodeHost } from '../../compiler/driver/node-host.ts';
import { evaluateEntry } from '../../compiler/tensor-ir/evaluate.ts';
import type { Entry } from '../../compiler/tensor-ir/program.ts';
import type { Module, Tensor } from '../../runtime/index.ts';
import { expectAllClose } from '../support/all-close.ts';
import { expectMetal } from '../support/metal-helpers.ts';
import { countCases } from '../support/oracle-count.ts';
import { leavesOf, mapCase, type ProgramCase } from '../support/program-cases.ts';
import { compileProgramForCpu, fromTensor, tensorOf } from '../support/run-on-cpu.ts';

const folder = new URL('../golden/programs/', import.meta.url);
const cases = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .flatMap((file): readonly ProgramCase[] =>
    JSON.parse(readFileSync(new URL(file, folder), 'utf8')),
  );
const files = readdirSync(folder)
  .filter((file) => file.endsWith('.mlx'))
  .map((file) => file.slice(0, -'.mlx'.length));

const programs = new Map<string, Stages>();
let cpu: Module;

beforeAll(async () => {
  const host = nodeHost(fileURLToPath(folder));
  for (const file of files) {
    const stages = compileStages({ path: `${file}.mlx` }, { host, targets: ['metal'] });
    if (!stages.ok) {
      throw new Error(stages.diagnostics.map((d) => `${file}: ${d.message}`).join('\n'));
    }
    programs.set(file, stages);
  }
  const entries = [...programs].flatMap(([file, { simple }]) =>
    simple.entries.map((entry): Entry => {
      const name = `${file}_${entry.name}`;
      return { ...entry, name, func: { ...entry.func, name } };
    }),
  );
  cpu = (await compileProgramForCpu({ stage: 'plain', entries })).module;
}, 300_000);

function tensorsOf(result: unknown): readonly Tensor[] {
  if (typeof result !== 'object' || result === null) return [];
  return 'dtype' in result ? [result as Tensor] : Object.values(result).flatMap(tensorsOf);
}

const named = cases.map((c, i) => [`${c.file} ${c.function} (${i})`, c] as const);

describe('programs', () => {
  test('every program has a case', () => {
    expect([...new Set(cases.map((c) => c.file))].sort()).toEqual([...files].sort());
  });

  test.each(named)('%s on the CPU', (_, c) => {
    countCases({ oracle: 'programs', device: 'CPU', function: c.file, cases: 1 });
    const called = cpu.function(`${c.file}_${c.function}`);
    const result = called.with({ dims: c.dims ?? {} })(
      ...c.arguments.map((a) => mapCase(a, tensorOf) as Tensor),
    );
    const expected = leavesOf(c.result);
    const found = tensorsOf(result).map(fromTensor);
    expect(found.length).toBe(expected.length);
    found.forEach((x, i) => expectAllClose(x, expected[i]!, `result ${i}`, toleranceOf(c)));
  });

  test.each(named)('%s in the evaluator', (_, c) => {
    countCases({ oracle: 'programs', device: 'evaluator', function: c.file, cases: 1 });
    const entry = programs.get(c.file)!.simple.entries.find((e) => e.name === c.function)!;
    const dims = new Map(Object.entries(c.dims ?? {}));
    const found = evaluateEntry(entry, c.arguments.flatMap(leavesOf), {}, dims);
    const expected = leavesOf(c.result);
    found.forEach((x, i) => expectAllClose(x, expected[i]!, `result ${i}`, toleranceOf(c)));
  });

  test('their Metal kernels pass the strict check', async () => {
    await expectMetal(new Map([...programs].map(([file, s]) => [file, s.programs[0]!.text])));
  }, 300_000);
});

/** Sums in another order than the golden's: a few units in the last place more than one operation. */
function toleranceOf(c: ProgramCase): number {
  return c.tolerance ?? 2e-5;
}
