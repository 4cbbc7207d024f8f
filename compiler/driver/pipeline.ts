/**
 * The compiler on one screen: the stages in order. Each is timed, and verified and printed when asked (stage-runner.ts).
 *
 *   text ─ parse, elaborate, expand (check-source.ts) ─▶ plain ─ passes ─ fuse ─▶ groups
 *     ─ schedule, plan, print, for each target ─▶ kernels as text, and the plan
 */
import { printKernels } from '../kernel-ir/print.ts';
import type { Kernel } from '../kernel-ir/program.ts';
import { verifyKernel } from '../kernel-ir/verify.ts';
import { commonSubexpressions } from '../passes/common-subexpressions.ts';
import { deadCode } from '../passes/dead-code.ts';
import { expandComposites } from '../passes/expand-composites.ts';
import { fuse } from '../passes/fuse.ts';
import type { FusedEntry } from '../passes/fused-group.ts';
import type { Pass } from '../passes/pass.ts';
import { simplify } from '../passes/simplify.ts';
import { makePlan, type PlannedProgram } from '../plan/make-plan.ts';
import { cpuSchedule } from '../schedule/cpu/schedule.ts';
import type { CpuModel } from '../schedule/device-model.ts';
import { metalSchedule } from '../schedule/metal/schedule.ts';
import {
  type Schedule,
  type ScheduledProgram,
  type ShowPlaces,
  scheduleProgram,
} from '../schedule/schedule.ts';
import type { Program } from '../tensor-ir/program.ts';
import { printC } from '../to-c/print.ts';
import { printMetal } from '../to-metal/print.ts';
import { inspectProgram } from './check-source.ts';
import type { Target } from './host.ts';
import { type KernelLibrary, placeLibraries } from './kernel-libraries.ts';
import type { KernelSource } from './kernel-sources.ts';
import type { StageRunner } from './stage-runner.ts';

/** What a plain program goes through before fusion. */
const passes: readonly Pass<'plain', 'plain'>[] = [
  expandComposites,
  simplify,
  deadCode,
  commonSubexpressions,
];

/** The same program with less to do. */
export function simplifyProgram(plain: Program<'plain'>, runner: StageRunner): Program<'plain'> {
  let program = plain;
  for (const pass of passes) {
    const before = program;
    program = runner.run(pass.name, () => pass.run(before), inspectProgram);
  }
  return program;
}

/** Groups that run as one kernel each. */
export function fuseProgram(program: Program<'plain'>, runner: StageRunner): readonly FusedEntry[] {
  return runner.run('fuse', () => fuse(program));
}

export interface TargetProgram {
  readonly target: Target;
  /** As it went into fusion. */
  readonly simple: Program<'plain'>;
  /** What its `extern` kernels are made of. */
  readonly sources: KernelTexts;
  readonly scheduled: ScheduledProgram;
  readonly planned: PlannedProgram;
  /** kernels.c or kernels.metal. */
  readonly text: string;
}

export type KernelTexts = ReadonlyMap<string, Pick<KernelSource, 'text' | 'names'>>;

export interface TargetOptions {
  /** The sources of `extern` functions by name. */
  readonly sources: KernelTexts;
  /** Libraries of kernels that are not Metal source, by `libraryKey`. */
  readonly libraries: ReadonlyMap<string, KernelLibrary>;
  readonly cpuModel: CpuModel;
  /** The text of a helper of a printer, by target and name. */
  readonly helper: (target: Target, name: string) => string;
  /** Source lines for the comments of kernels. */
  readonly showPlaces: ShowPlaces;
}

/** Kernels, their text and the plan for one device. */
export function buildTarget(
  target: Target,
  simple: Program<'plain'>,
  fused: readonly FusedEntry[],
  options: TargetOptions,
  runner: StageRunner,
): TargetProgram {
  const schedule: Schedule = target === 'cpu' ? cpuSchedule(options.cpuModel) : metalSchedule();
  const { sources, libraries } = options;
  const helper = (name: string): string => options.helper(target, name);
  const print = (kernels: readonly Kernel[]): string =>
    target === 'cpu'
      ? printC(kernels, helper)
      : printMetal(kernels, helper, (name) => sources.get(name)?.text ?? '');
  const taken = new Set([...sources.values()].flatMap((source) => source.names));
  const scheduled = runner.run(
    `schedule-${target}`,
    () => scheduleProgram(fused, schedule, options.showPlaces, taken),
    {
      show: ({ kernels }) => printKernels(kernels),
      verify: ({ kernels }) => {
        for (const kernel of kernels) verifyKernel(kernel, target);
      },
    },
  );
  const planned = runner.run(`plan-${target}`, () =>
    placeLibraries(makePlan(scheduled), scheduled.kernels, libraries),
  );
  const text = runner.run(`print-${target}`, () => print(scheduled.kernels), {
    show: (printed) => printed,
  });
  return { target, simple, sources, scheduled, planned, text };
}
