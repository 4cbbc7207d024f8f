import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { compileStages, type Stages } from '../../compiler/driver/compile.ts';
import { nodeHost } from '../../compiler/driver/node-host.ts';
import { evaluate, type Int } from '../../compiler/symbolic/integer.ts';
import type { DType } from '../../compiler/tensor-ir/dtype.ts';
import { evaluateFunction } from '../../compiler/tensor-ir/evaluate.ts';
import { arrayOf, elementCount, type NdArray } from '../../compiler/tensor-ir/nd-array.ts';
import type { Entry } from '../../compiler/tensor-ir/program.ts';
import { expectMetal } from '../support/metal-helpers.ts';
import { runScheduled } from '../support/run-on-metal.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

function modulesIn(folder: string): readonly string[] {
  return readdirSync(new URL(`../../${folder}/`, import.meta.url), { recursive: true })
    .map((file) => `${folder}/${file}`)
    .filter((file) => file.endsWith('.mlx'))
    .sort();
}

function compileForMetal(path: string): Stages {
  const stages = compileStages({ path }, { host: nodeHost(root), targets: ['metal'] });
  if (!stages.ok) throw new Error(stages.diagnostics.map((d) => d.message).join('\n'));
  return stages;
}

const samples = modulesIn('samples');
const kernels = modulesIn('test/golden/kernels');

test('every sample passes the strict check', async () => {
  const sources = [...samples, ...kernels].map(
    (path) => [path, compileForMetal(path).programs[0]!.text] as const,
  );
  await expectMetal(new Map(sources));
});

test('the text is the same from run to run', () => {
  const text = compileForMetal('samples/digits/model.mlx').programs[0]!.text;
  compileForMetal('test/golden/kernels/softmax.mlx');
  expect(compileForMetal('samples/digits/model.mlx').programs[0]!.text).toBe(text);
});

/** Numbers that repeat (Park and Miller, 1988). */
function random(): () => number {
  let state = 11;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

function argumentsOf(entry: Entry, dims: ReadonlyMap<string, number>): NdArray[] {
  const next = random();
  const size = (dim: Int): number => evaluate(dim, (name) => dims.get(name));
  return entry.func.parameters.map(({ type }) => {
    const shape = type.shape.map(size);
    const isFloat = type.dtype[0] === 'f' || type.dtype === 'bf16';
    const values = Array.from({ length: elementCount(shape) }, () =>
      isFloat ? next() - 0.5 : Math.floor(next() * 4),
    );
    return arrayOf(type.dtype, shape, values);
  });
}

const tolerance: Partial<Record<DType, number>> = { f32: 2e-3, f16: 1e-2, bf16: 5e-2 };

/** Runs every function of a module that has no control flow, with dims of a few elements. */
function compareWithEvaluator(path: string, names: (name: string) => boolean = () => true): void {
  const { simple, programs } = compileForMetal(path);
  simple.entries.forEach((entry, number) => {
    const { scheduled } = programs[0]!.scheduled.entries[number]!;
    if (!names(entry.name) || scheduled.steps.some((s) => s.kind !== 'dispatch')) return;
    const dims = new Map(entry.dims.map((name, i) => [name, 4 * (1 + (i % 3))]));
    const args = argumentsOf(entry, dims);
    const expected = evaluateFunction(entry.func, args, dims);
    const results = runScheduled(scheduled, entry.func, args, Object.fromEntries(dims));
    results.forEach(({ data, dtype }, r) => {
      data.forEach((value, at) => {
        const want = Number(expected[r]!.data[at]);
        const error = Math.abs(Number(value) - want);
        const limit = (tolerance[dtype] ?? 0) * (1 + Math.abs(want));
        if (!(error <= limit || Object.is(Number(value), want))) {
          throw new Error(
            `${path} ${entry.name}: result ${r}[${at}] is ${value}, expected ${want}`,
          );
        }
      });
    });
  });
}

// 300,000 elements take the simulator too long; horizontal maps have a case in schedules.test.ts
const simulated = kernels.filter((path) => !path.endsWith('adamw_tree.mlx'));

test.each(simulated)('%s computes what the evaluator computes', (path) => {
  compareWithEvaluator(path);
});

test('the functions of the digits sample compute what the evaluator computes', () => {
  compareWithEvaluator('samples/digits/model.mlx');
});

test('so does a training step of the transformer block', () => {
  compareWithEvaluator('samples/transformer/block.mlx', (name) => name === 'train_step');
});
