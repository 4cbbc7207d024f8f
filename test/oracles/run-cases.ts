/** Runs the cases of an oracle on the reference evaluator and on the CPU device. */
import { beforeAll, describe, expect, test } from 'vitest';
import { evaluateEntry } from '../../compiler/tensor-ir/evaluate.ts';
import type { NdArray } from '../../compiler/tensor-ir/nd-array.ts';
import type { Entry } from '../../compiler/tensor-ir/program.ts';
import type { Module, Tensor } from '../../runtime/index.ts';
import { isClose } from '../support/all-close.ts';
import { countCases, type OracleCount } from '../support/oracle-count.ts';
import { compileProgramForCpu, fromTensor, toTensor } from '../support/run-on-cpu.ts';
import { compileSource, simplifyProgram } from '../support/run-source.ts';
import {
  argumentsOf,
  expectedOf,
  functionOf,
  type OracleCase,
  type OracleFile,
  tolerances,
} from './cases.ts';

/** The cases of one function, each with the name of the entry that computes it. */
interface Family {
  readonly name: string;
  readonly cases: readonly (readonly [entry: string, OracleCase])[];
  readonly text: string;
}

function familiesOf(file: OracleFile): readonly Family[] {
  const names = [...new Set(file.cases.map((c) => c.f))];
  return names.map((name, k) => {
    const entries = new Map<string, string>();
    const cases = file.cases
      .filter((c) => c.f === name)
      .map((c): [string, OracleCase] => {
        const text = functionOf('NAME', c);
        if (!entries.has(text)) entries.set(text, `f${k}_${entries.size}`);
        return [entries.get(text)!, c];
      });
    const functions = [...entries].map(([text, entry]) => text.replace('fn NAME', `fn ${entry}`));
    return { name, cases, text: `${file.imports}\n${functions.join('')}` };
  });
}

type Run = (name: string, args: readonly NdArray[]) => readonly NdArray[];

/** Entries in one C source: the compiler of C splits it further. */
const entriesOfAModule = 800;

/** Defines the tests: one for each function and device. */
export function testOracle(oracle: string, file: OracleFile): void {
  const families = familiesOf(file);
  const entries = new Map<string, Entry>();
  const modules = new Map<string, Module>();
  const problems = new Map<string, string>();

  beforeAll(async () => {
    for (const { name, text } of families) {
      try {
        for (const entry of simplifyProgram(compileSource(text)).entries) {
          entries.set(entry.name, { ...entry, func: { ...entry.func, name: entry.name } });
        }
      } catch (error) {
        problems.set(name, String(error));
      }
    }
    const all = [...entries.values()];
    for (let start = 0; start < all.length; start += entriesOfAModule) {
      const part = all.slice(start, start + entriesOfAModule);
      const { module } = await compileProgramForCpu({ stage: 'plain', entries: part });
      for (const { name } of part) modules.set(name, module);
    }
  }, 600_000);

  const devices = [
    ['evaluator', (name, args) => evaluateEntry(entries.get(name)!, args)],
    ['CPU', (name, args) => tensorsOf(modules.get(name)!.function(name)(...args.map(toTensor)))],
  ] satisfies readonly (readonly [OracleCount['device'], Run])[];

  describe.each(devices)(`${oracle} on the %s`, (device, run) => {
    test.each(families.map((family) => [family.name, family] as const))('%s', (name, family) => {
      countCases({ oracle, device, function: name, cases: family.cases.length });
      expect(problems.get(name), 'the program compiles').toBeUndefined();
      const wrong = family.cases.flatMap(([entry, c], i) => {
        const problem = compare(run(entry, argumentsOf(c, file)), expectedOf(c, file), c);
        return problem === undefined ? [] : [`case ${i}, ${c.dtype}, ${c.code}: ${problem}`];
      });
      if (wrong.length > 0) expect.fail(wrong.join('\n'));
    });
  });
}

function tensorsOf(result: unknown): NdArray[] {
  if (typeof result !== 'object' || result === null) return [];
  return 'dtype' in result
    ? [fromTensor(result as Tensor)]
    : Object.values(result).flatMap(tensorsOf);
}

/** The first element that differs, or undefined. */
function compare(
  found: readonly NdArray[],
  expected: readonly NdArray[],
  { near = 1, out, vjp = [] }: OracleCase,
): string | undefined {
  if (found.length !== expected.length) return `${found.length} results, not ${expected.length}`;
  for (const [i, wanted] of expected.entries()) {
    const what = i < out.length ? 'value' : i < out.length + vjp.length ? 'vjp' : 'jvp';
    const got = found[i]!;
    if (got.dtype !== wanted.dtype || String(got.shape) !== String(wanted.shape)) {
      return `${what}: ${got.dtype}[${got.shape}], not ${wanted.dtype}[${wanted.shape}]`;
    }
    const tolerance = near * (tolerances[wanted.dtype] ?? 0);
    for (const [k, b] of wanted.data.entries()) {
      const a = got.data[k]!;
      if (!isClose(a, b, tolerance)) return `${what} ${i}, element ${k}: ${a}, not ${b}`;
    }
  }
  return undefined;
}
