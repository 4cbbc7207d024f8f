/**
 * The programs of test/golden/programs on the Metal device, against what NumPy and JAX gave, and the functions of the samples and of
 * test/golden/kernels, against the evaluator. All checks are on.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { compileStages } from '../../compiler/driver/compile.ts';
import { nodeHost } from '../../compiler/driver/node-host.ts';
import { evaluate } from '../../compiler/symbolic/integer.ts';
import { isFloat } from '../../compiler/tensor-ir/dtype.ts';
import { bindDims, evaluateFunction } from '../../compiler/tensor-ir/evaluate.ts';
import { arrayOf, elementCount, type NdArray } from '../../compiler/tensor-ir/nd-array.ts';
import type { Entry } from '../../compiler/tensor-ir/program.ts';
import type { Tensor } from '../../runtime/index.ts';
import { hasDoubles } from '../../tools/fuzz/run.ts';
import { expectAllClose } from '../support/all-close.ts';
import {
  countKernels,
  describeMetalCases,
  librariesOf,
  type MetalCase,
} from '../support/metal-cases.ts';
import { countMetal } from '../support/metal-count.ts';
import { numbers, strictMetal, leavesOf as tensorsOf } from '../support/metal-device.ts';
import { leavesOf, mapCase, type ProgramCase } from '../support/program-cases.ts';
import { fromTensor, tensorOf } from '../support/run-on-cpu.ts';
import { compileProgramForMetal, type MetalProgram } from '../support/run-on-metal-device.ts';

const root = new URL('../../', import.meta.url);

function filesIn(folder: string, extension: string): readonly string[] {
  return readdirSync(new URL(folder, root), { recursive: true })
    .map((file) => `${folder}/${file}`)
    .filter((file) => file.endsWith(extension))
    .sort();
}

/** The functions of a file that Metal can run, under names with the last parts of its path: `-1` for the file alone. */
function entriesOf(path: string, inFolder: number): readonly Entry[] {
  const stages = compileStages({ path }, { host: nodeHost(fileURLToPath(root)), targets: [] });
  if (!stages.ok) throw new Error(stages.diagnostics.map((d) => d.message).join('\n'));
  const file = path
    .replace(/\.mlx$/, '')
    .split('/')
    .slice(inFolder)
    .join('_');
  return stages.simple.entries
    .filter(({ func }) => !hasDoubles(func))
    .map((entry) => {
      const name = `${file}_${entry.name}`;
      return { ...entry, name, func: { ...entry.func, name } };
    });
}

const goldens = 'test/golden/programs';
const cases = filesIn(goldens, '.json').flatMap((file): readonly ProgramCase[] =>
  JSON.parse(readFileSync(new URL(file, root), 'utf8')),
);
const programs = new Map(
  filesIn(goldens, '.mlx')
    .flatMap((path) => entriesOf(path, -1))
    .map((entry) => [entry.name, entry]),
);

const what = 'golden programs against NumPy and JAX';

describe.each(librariesOf([...programs.values()]))(`${what}, library %i`, (_, entries) => {
  let program: MetalProgram;
  beforeAll(async () => {
    program = await compileProgramForMetal({ stage: 'plain', entries }, strictMetal());
  }, 300_000);

  countKernels(what, () => program);

  const names = new Set(entries.map(({ name }) => name));
  const own = cases
    .map((c, i) => ({
      label: `${c.file} ${c.function} (${i})`,
      c,
      name: `${c.file}_${c.function}`,
    }))
    .filter(({ name }) => names.has(name));

  test.each(own)('$label', ({ c, name }) => {
    countMetal({ what, functions: 1, calls: 1 });
    const called = program.module.function(name).with({ dims: c.dims ?? {} });
    const found = tensorsOf(called(...c.arguments.map((a) => mapCase(a, tensorOf) as Tensor)));
    const expected = leavesOf(c.result);
    expect(found.length).toBe(expected.length);
    found.forEach((x, i) =>
      expectAllClose(fromTensor(x), expected[i]!, `result ${i}`, c.tolerance ?? 2e-5),
    );
  });
});

/** More than the simulator runs in a few seconds; only the size of the model differs from what is run. */
const mostElements = 300_000;

/** A call with dims of a few elements; none when a guard or the size is against it. */
function callsOf(entry: Entry): readonly MetalCase[] {
  const dims = new Map(entry.dims.map((name, i) => [name, 4 * (1 + (i % 3))]));
  const size = (name: string): number | undefined => dims.get(name);
  const holds = entry.guards.every(({ relation, left, right }) => {
    const [a, b] = [evaluate(left, size), evaluate(right, size)];
    return relation === 'equal' ? a === b : relation === 'at-least' ? a >= b : a % b === 0;
  });
  const shapes = entry.func.parameters.map(({ type }) => type.shape.map((d) => evaluate(d, size)));
  const total = shapes.reduce((sum, shape) => sum + elementCount(shape), 0);
  if (!holds || total > mostElements) {
    leftOut.push(`${entry.name}: ${holds ? `${total} elements of arguments` : 'a guard'}`);
    return [];
  }
  const operands = entry.func.parameters.map(({ type }, i) => {
    const values = [...numbers(elementCount(shapes[i]!), i + 1)];
    const scaled = values.map((v) => (isFloat(type.dtype) ? v / 2 : Math.floor(2 * v + 2)));
    return arrayOf(type.dtype, shapes[i]!, scaled);
  });
  const bound = new Map([...bindDims(entry.func, operands), ...dims]);
  return [
    {
      label: entry.name,
      func: entry.func,
      operands,
      dims: Object.fromEntries(bound),
      check: (found) => {
        const expected = evaluateFunction(entry.func, operands, bound);
        expect(found.length).toBe(expected.length);
        found.forEach((x, i) => expectAllClose(x, expected[i]!, `result ${i}`, toleranceOf(x)));
      },
    },
  ];
}

function toleranceOf({ dtype }: NdArray): number {
  return { f16: 1e-2, bf16: 5e-2 }[dtype as string] ?? 2e-3;
}

const leftOut: string[] = [];
const calls = [...filesIn('samples', '.mlx'), ...filesIn('test/golden/kernels', '.mlx')]
  .flatMap((path) => entriesOf(path, -2))
  .flatMap(callsOf);
console.log(`functions of samples that do not run on Metal here: ${leftOut.join('; ')}`);
describeMetalCases('functions of samples', calls);
