/** Runs functions of the tensor IR on the Metal device of this machine: schedules, plan, Metal source, runtime/metal. */
import { expandComposites } from '../../compiler/passes/expand-composites.ts';
import { fuse } from '../../compiler/passes/fuse.ts';
import { metalSchedule } from '../../compiler/schedule/metal/schedule.ts';
import { type ScheduledProgram, scheduleProgram } from '../../compiler/schedule/schedule.ts';
import type { Program } from '../../compiler/tensor-ir/program.ts';
import { printMetal } from '../../compiler/to-metal/print.ts';
import { load, type Module } from '../../runtime/index.ts';
import type { MetalDevice } from '../../runtime/metal-device.ts';
import { metalHelper } from './metal-helper.ts';
import { planOf } from './run-on-cpu.ts';

/** A loaded program, and how many kernels it has. */
export interface MetalProgram {
  readonly module: Module;
  readonly kernels: number;
}

/** Compiles all entries of a program: one Metal library for all. */
export async function compileProgramForMetal(
  program: Program<'plain'>,
  device: MetalDevice,
): Promise<MetalProgram> {
  const scheduled = scheduleProgram(fuse(expandComposites.run(program)), metalSchedule());
  const module = await loadScheduledForMetal(scheduled, device);
  return { module, kernels: scheduled.kernels.length };
}

/** The same from kernels on. */
export async function loadScheduledForMetal(
  scheduled: ScheduledProgram,
  device: MetalDevice,
): Promise<Module> {
  const metal = printMetal(scheduled.kernels, metalHelper);
  return load({ ...planOf(scheduled), kernels: '', metal }, { device });
}
