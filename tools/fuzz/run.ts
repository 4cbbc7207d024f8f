/** Runs a batch of programs through the whole compiler and on the devices, and compares each with the evaluator. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kernel } from '../../compiler/kernel-ir/program.ts';
import { verifyKernel } from '../../compiler/kernel-ir/verify.ts';
import { commonSubexpressions } from '../../compiler/passes/common-subexpressions.ts';
import { deadCode } from '../../compiler/passes/dead-code.ts';
import { expandComposites } from '../../compiler/passes/expand-composites.ts';
import { fuse } from '../../compiler/passes/fuse.ts';
import { simplify } from '../../compiler/passes/simplify.ts';
import { makePlan } from '../../compiler/plan/make-plan.ts';
import { cpuSchedule } from '../../compiler/schedule/cpu/schedule.ts';
import { type CpuModel, cpuModels } from '../../compiler/schedule/device-model.ts';
import { metalSchedule } from '../../compiler/schedule/metal/schedule.ts';
import { type ScheduledProgram, scheduleProgram } from '../../compiler/schedule/schedule.ts';
import { evaluate } from '../../compiler/symbolic/integer.ts';
import { type DType, isFloat } from '../../compiler/tensor-ir/dtype.ts';
import { bindDims } from '../../compiler/tensor-ir/evaluate.ts';
import type { NdArray } from '../../compiler/tensor-ir/nd-array.ts';
import type { Entry, Func, Guard, Program } from '../../compiler/tensor-ir/program.ts';
import { verifyProgram } from '../../compiler/tensor-ir/verify.ts';
import { expandTransformations } from '../../compiler/transforms/expand.ts';
import { type Module, type Result, Tensor } from '../../runtime/index.ts';
import { metalDevice } from '../../runtime/metal-device.ts';
import { compileScheduledForCpu, fromTensor, toTensor } from '../../test/support/run-on-cpu.ts';
import { runScheduled } from '../../test/support/run-on-metal.ts';
import { loadScheduledForMetal } from '../../test/support/run-on-metal-device.ts';
import { elaborateSource, SourceProblem } from '../../test/support/run-source.ts';
import { compareResults } from './compare.ts';
import type { Dims, FuzzCase } from './program.ts';

/** Where a program went wrong; two failures are of one kind when stage and problem are the same. */
export interface Failure {
  readonly name: string;
  readonly stage: string;
  /** The first line of the message, without numbers: what tells one bug from another. */
  readonly problem: string;
  readonly message: string;
}

export interface BatchReport {
  readonly failures: readonly Failure[];
  readonly programs: number;
  /** Calls that were compared, and those that a guard refused. */
  readonly calls: number;
  readonly refused: number;
  readonly compared: number;
  readonly skipped: number;
  readonly onMetal: number;
  /** Kernels of the programs that ran on a device for Metal. */
  readonly kernels: number;
  /** How many programs have each primitive, at any stage, and each feature of the generator. */
  readonly primitives: Readonly<Record<string, number>>;
  readonly features: Readonly<Record<string, number>>;
}

export interface BatchOptions {
  readonly model: keyof typeof cpuModels;
  /** True for the flags of the product, false for the quickest compilation. */
  readonly isOptimized: boolean;
  /** One program in so many also runs through the Metal schedules; 0 for none. */
  readonly metalEvery: number;
  /** Where the programs run; `metal-sim` is Metal's runtime over the simulator, with all checks. */
  readonly device?: FuzzDevice;
}

export type FuzzDevice = 'cpu' | 'metal-sim';

interface Compiled {
  readonly test: FuzzCase;
  readonly entry: Entry;
  /** What the evaluator runs: before any pass. */
  readonly plain: Func;
  readonly narrowest: DType;
}

interface Scheduled extends Compiled {
  readonly scheduled: ScheduledProgram;
}

export async function runBatch(
  cases: readonly FuzzCase[],
  options: BatchOptions,
): Promise<BatchReport> {
  return await new Batch(options).run(cases);
}

class Batch {
  private readonly options: BatchOptions;
  private readonly failures: Failure[] = [];
  private readonly primitives: Record<string, number> = {};
  private readonly features: Record<string, number> = {};
  private calls = 0;
  private refused = 0;
  private compared = 0;
  private skipped = 0;
  private onMetal = 0;
  private kernels = 0;

  constructor(options: BatchOptions) {
    this.options = options;
  }

  async run(cases: readonly FuzzCase[]): Promise<BatchReport> {
    const compiled = cases.flatMap((test) => this.compile(test) ?? []);
    if (this.options.device === 'metal-sim')
      await this.runAll(compiled.flatMap((c) => this.scheduleForMetal(c) ?? []));
    else await this.runOnCpuAndSchedules(compiled);
    const { failures, calls, refused, compared, skipped, onMetal, kernels, primitives, features } =
      this;
    return {
      failures,
      programs: cases.length,
      calls,
      refused,
      compared,
      skipped,
      onMetal,
      kernels,
      primitives,
      features,
    };
  }

  private async runOnCpuAndSchedules(compiled: readonly Compiled[]): Promise<void> {
    const model = cpuModels[this.options.model];
    const sound = compiled.flatMap((c) => this.schedule(c, model) ?? []);
    await this.runAll(sound);
    sound.forEach((c, i) => {
      const { metalEvery } = this.options;
      if (metalEvery > 0 && i % metalEvery === 0) this.runOnMetal(c);
    });
  }

  private fail(test: FuzzCase, stage: string, error: unknown): void {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const first = (error instanceof Error ? error.message : message).split('\n')[0]!;
    const problem = first.replace(/-?\d+(\.\d+)?(e[+-]?\d+)?/g, '#').replace(/\bf#\w*/g, 'f#');
    this.failures.push({ name: test.name, stage, problem, message });
  }

  /** Runs one stage of one program; undefined, and a failure, when it throws. */
  private attempt<T>(test: FuzzCase, stage: string, run: () => T): T | undefined {
    try {
      return run();
    } catch (error) {
      this.fail(test, error instanceof SourceProblem ? 'refused' : stage, error);
      return undefined;
    }
  }

  private compile(test: FuzzCase): Compiled | undefined {
    const used = new Set<string>();
    const traced = this.attempt(test, 'elaborate', () => verified(elaborateSource(test.source)));
    if (traced === undefined) return undefined;
    collect(traced, used);
    const plain = this.attempt(test, 'transformations', () =>
      verified(expandTransformations(traced)),
    );
    if (plain === undefined) return undefined;
    collect(plain, used);
    let program = plain;
    for (const pass of [expandComposites, simplify, deadCode, commonSubexpressions]) {
      const before = program;
      const after = this.attempt(test, pass.name, () => verified(pass.run(before)));
      if (after === undefined) return undefined;
      if (pass === expandComposites) collect(after, used);
      program = after;
    }
    for (const name of used) this.primitives[name] = (this.primitives[name] ?? 0) + 1;
    for (const name of test.features) this.features[name] = (this.features[name] ?? 0) + 1;
    const entry = program.entries[0]!;
    return { test, entry, plain: plain.entries[0]!.func, narrowest: narrowestFloat(plain) };
  }

  /** Each program alone, so that one that fails does not hide the others. */
  private schedule(compiled: Compiled, model: CpuModel): Scheduled | undefined {
    const { test, entry } = compiled;
    return this.attempt(test, 'schedule', () => {
      const fused = fuse({ stage: 'plain', entries: [entry] });
      const scheduled = scheduleProgram(fused, cpuSchedule(model));
      verifyAll(scheduled.kernels, 'cpu');
      makePlan(scheduled);
      return { ...compiled, scheduled };
    });
  }

  /** Those without f64, which Metal has not. */
  private scheduleForMetal(compiled: Compiled): Scheduled | undefined {
    const { test, entry, narrowest } = compiled;
    if (narrowest === 'f64' || hasDoubles(entry.func)) return undefined;
    return this.attempt(test, 'schedule for metal', () => {
      const scheduled = scheduleProgram(
        fuse({ stage: 'plain', entries: [entry] }),
        metalSchedule(),
      );
      verifyAll(scheduled.kernels, 'metal');
      return { ...compiled, scheduled };
    });
  }

  /** Compiled together; where that fails, by halves until the program is found. */
  private async runAll(compiled: readonly Scheduled[]): Promise<void> {
    if (compiled.length === 0) return;
    const cacheFolder = mkdtempSync(join(tmpdir(), 'mlxc-fuzz-'));
    const target = compiled[0]!.scheduled.target;
    try {
      const module = await this.load(
        {
          target,
          kernels: compiled.flatMap((c) => c.scheduled.kernels),
          entries: compiled.flatMap((c) => c.scheduled.entries),
        },
        cacheFolder,
      );
      for (const one of compiled) this.callAll(one, module);
      if (target === 'metal') {
        this.onMetal += compiled.length;
        for (const { scheduled } of compiled) this.kernels += scheduled.kernels.length;
      }
    } catch (error) {
      if (compiled.length === 1)
        return this.fail(compiled[0]!.test, target === 'cpu' ? 'c' : 'metal', error);
      const middle = compiled.length >> 1;
      await this.runAll(compiled.slice(0, middle));
      await this.runAll(compiled.slice(middle));
    } finally {
      rmSync(cacheFolder, { recursive: true, force: true });
    }
  }

  private async load(program: ScheduledProgram, cacheFolder: string): Promise<Module> {
    if (program.target === 'metal') return loadScheduledForMetal(program, metalDevice('metal-sim'));
    const moreFlags = this.options.isOptimized ? [] : ['-O0'];
    return (await compileScheduledForCpu(program, { cacheFolder, moreFlags })).module;
  }

  private callAll(one: Compiled, module: Module): void {
    for (const call of one.test.calls) {
      const dims = dimsOf(one, call.dims, call.arguments);
      if (!one.entry.guards.every((guard) => holds(guard, dims))) {
        this.refused += 1;
        continue;
      }
      this.check(one, this.options.device ?? 'cpu', call.arguments, dims, () => {
        const called = module.function(one.test.name);
        const known = Object.entries(call.dims).filter(([d]) => called.signature.dims.includes(d));
        const bound = called.with({ dims: Object.fromEntries(known) });
        return leavesOf(bound(...call.arguments.map(toTensor))).map(fromTensor);
      });
    }
  }

  private check(
    { test, plain, narrowest }: Compiled,
    device: string,
    args: readonly NdArray[],
    dims: ReadonlyMap<string, number>,
    run: () => readonly NdArray[],
  ): void {
    const found = this.attempt(test, `run on ${device}`, run);
    if (found === undefined) return;
    this.calls += 1;
    const report = this.attempt(test, 'evaluate', () =>
      compareResults(plain, args, dims, found, narrowest),
    );
    if (report === undefined) return;
    this.compared += report.compared;
    this.skipped += report.skipped;
    if (report.difference === undefined) return;
    const { result, index, expected, found: got } = report.difference;
    const shown = [...dims].map(([name, value]) => `${name} = ${value}`).join(', ');
    const message = `result ${result}, element ${index}: expected ${expected}, found ${got}${shown === '' ? '' : ` with ${shown}`}`;
    this.failures.push({ name: test.name, stage: `wrong on ${device}`, problem: '', message });
  }

  /** Programs without f64 and control flow, the first call. */
  private runOnMetal(one: Compiled): void {
    const { test, entry } = one;
    if (one.narrowest === 'f64' || hasDoubles(entry.func)) return;
    const scheduled = this.attempt(test, 'schedule for metal', () => {
      const program = scheduleProgram(fuse({ stage: 'plain', entries: [entry] }), metalSchedule());
      verifyAll(program.kernels, 'metal');
      return program.entries[0]!.scheduled;
    });
    const [call] = test.calls;
    if (scheduled === undefined || call === undefined) return;
    if (scheduled.steps.some((step) => step.kind !== 'dispatch')) return;
    const dims = dimsOf(one, call.dims, call.arguments);
    if (!entry.guards.every((guard) => holds(guard, dims))) return;
    this.onMetal += 1;
    this.check(one, 'metal', call.arguments, dims, () =>
      runScheduled(scheduled, entry.func, call.arguments, call.dims),
    );
  }
}

function verified<P extends Program>(program: P): P {
  verifyProgram(program);
  return program;
}

function verifyAll(kernels: readonly Kernel[], target: 'cpu' | 'metal'): void {
  for (const kernel of kernels) verifyKernel(kernel, target);
}

function forEachOperation(func: Func, visit: (op: Func['body'][number]) => void): void {
  for (const op of func.body) {
    visit(op);
    for (const region of op.regions) forEachOperation(region, visit);
  }
}

function collect(program: Program, used: Set<string>): void {
  for (const { func } of program.entries)
    forEachOperation(func, (op) => used.add(op.primitive.name));
}

/** Whether any value of a function is f64, which Metal has not. */
export function hasDoubles(func: Func): boolean {
  let found = func.parameters.some((p) => p.type.dtype === 'f64');
  forEachOperation(func, (op) => {
    found ||= op.results.some((r) => r.type.dtype === 'f64');
  });
  return found;
}

const byPrecision: readonly DType[] = ['bf16', 'f16', 'f32', 'f64'];

/** The float of least precision among the values of a program. */
export function narrowestFloat(program: Pick<Program, 'entries'>): DType {
  const found = new Set<DType>();
  for (const { func } of program.entries) {
    for (const p of func.parameters) found.add(p.type.dtype);
    forEachOperation(func, (op) => {
      for (const r of op.results) found.add(r.type.dtype);
    });
  }
  return byPrecision.find((dtype) => isFloat(dtype) && found.has(dtype)) ?? 'f64';
}

function dimsOf(
  { entry }: Compiled,
  given: Dims,
  args: readonly NdArray[],
): ReadonlyMap<string, number> {
  const known = Object.entries(given).filter(([name]) => entry.dims.includes(name));
  return new Map([...bindDims(entry.func, args), ...known]);
}

function holds({ relation, left, right }: Guard, dims: ReadonlyMap<string, number>): boolean {
  const [a, b] = [left, right].map((x) => evaluate(x, (name) => dims.get(name)));
  if (relation === 'equal') return a === b;
  return relation === 'at-least' ? a! >= b! : a! % b! === 0;
}

function leavesOf(result: Result): readonly Tensor[] {
  return result instanceof Tensor ? [result] : Object.values(result).flatMap(leavesOf);
}
