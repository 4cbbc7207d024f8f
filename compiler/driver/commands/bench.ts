/** `mlxc bench`: the time of compiling and of calling one function of the user's. */
import type { Argument } from '../../../runtime/arguments.ts';
import { load } from '../../../runtime/load.ts';
import type { CompiledFunction, Result } from '../../../runtime/module.ts';
import { Tensor } from '../../../runtime/tensor.ts';
import type { PlanLeaf, Step } from '../../plan/plan.ts';
import { compile } from '../compile.ts';
import type { CommandContext, ExitCode } from '../context.ts';
import { UsageError } from '../errors.ts';
import { type Arguments, readArguments } from '../io/arguments.ts';
import { randomTensor } from '../io/random-tensor.ts';
import { buildTree, leafPlaces } from '../io/tree.ts';
import { reportFailure } from './build.ts';
import { compileOptions } from './compile-flags.ts';
import { findFunction } from './run.ts';

export interface BenchFlags {
  readonly file: string;
  readonly function: string;
  readonly values: readonly string[];
  readonly dim?: readonly string[];
  readonly seconds: number;
}

export async function bench(context: CommandContext, flags: BenchFlags): Promise<ExitCode> {
  if (!(flags.seconds > 0)) throw new UsageError('--seconds takes a number above 0');
  const options = compileOptions(context, { ...flags, target: 'cpu', entry: [flags.function] });
  const started = performance.now();
  const result = compile({ path: flags.file }, options);
  const compileMilliseconds = performance.now() - started;
  if (!result.ok) {
    await reportFailure(context, result);
    return 1;
  }
  const f = findFunction(await load(result.bundle), flags.function);
  const given = await readArguments(flags.values, f.signature.parameters, context.shell.cwd, true);
  const args = fillArguments(f, given);
  const perCall = measure(() => settle(f(...args)), flags.seconds);
  const { bytes, flops } = totalCost(f.signature.steps);
  const results = [
    { name: 'compile', value: compileMilliseconds, unit: 'ms' },
    { name: `${flags.function} call`, value: perCall * 1e3, unit: 'ms' },
    {
      name: `${flags.function} kernels`,
      value: countDispatches(f.signature.steps),
      unit: 'kernels',
    },
    ...(bytes === undefined
      ? []
      : [{ name: 'memory', value: bytes / perCall / 1e9, unit: 'GB/s' }]),
    ...(flops === undefined
      ? []
      : [{ name: 'arithmetic', value: flops / perCall / 1e9, unit: 'GFLOP/s' }]),
  ];
  if (context.isJson) context.printJson(results);
  else
    for (const r of results)
      context.print(`${r.name.padEnd(32)} ${r.value.toPrecision(4)} ${r.unit}`);
  return 0;
}

/** Random numbers for parameters that have no value; their dims must be known. */
function fillArguments(f: CompiledFunction, given: Arguments): readonly Argument[] {
  let seed = 1;
  return f.signature.parameters.map(({ name, tree }) => {
    const leaves =
      given.get(name) ?? leafPlaces(tree).map(({ leaf }) => randomLeaf(leaf, name, seed++));
    const tensors = leaves.map((leaf) => new Tensor(leaf.dtype, leaf.shape, leaf.data));
    return buildTree(tree, tensors[Symbol.iterator]()) as Argument;
  });
}

function randomLeaf(leaf: PlanLeaf, name: string, seed: number): ReturnType<typeof randomTensor> {
  const open = leaf.shape.find((dim) => !/^\d+$/.test(dim));
  if (open !== undefined) {
    throw new UsageError(
      `the size \`${open}\` of ${name} is open`,
      'fix it, such as with --dim B=64, or give a value',
    );
  }
  return randomTensor(leaf.dtype, leaf.shape.map(Number), seed);
}

/** Waits for the result: a call returns before it is there. */
function settle(result: Result): void {
  if (result instanceof Tensor) result.wait();
  else for (const part of Object.values(result)) settle(part as Result);
}

/** Seconds per call: the mean of the faster half of many samples, after one warm-up. */
function measure(call: () => unknown, seconds: number): number {
  call();
  const samples: number[] = [];
  const end = performance.now() + seconds * 1000;
  do {
    const started = performance.now();
    call();
    samples.push((performance.now() - started) / 1000);
  } while (performance.now() < end);
  samples.sort((a, b) => a - b);
  const half = samples.slice(0, Math.ceil(samples.length / 2));
  return half.reduce((a, b) => a + b, 0) / half.length;
}

function countDispatches(steps: readonly Step[]): number {
  return steps.filter((step) => step.kind === 'dispatch').length;
}

/** Undefined when a size is open or depends on a loop. */
function totalCost(steps: readonly Step[]): {
  bytes: number | undefined;
  flops: number | undefined;
} {
  const add = (key: 'bytes' | 'flops'): number | undefined => {
    let total = 0;
    for (const step of steps) {
      if (step.kind === 'copy') continue;
      if (step.kind !== 'dispatch' || !/^\d+$/.test(step[key])) return undefined;
      total += Number(step[key]);
    }
    return total;
  };
  return { bytes: add('bytes'), flops: add('flops') };
}
