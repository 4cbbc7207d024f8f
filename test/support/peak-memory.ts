/** Memory that a planned function needs at once beside its arguments and results. */
import { fuse } from '../../compiler/passes/fuse.ts';
import { makePlan } from '../../compiler/plan/make-plan.ts';
import type { PlanFunction } from '../../compiler/plan/plan.ts';
import { cpuSchedule } from '../../compiler/schedule/cpu/schedule.ts';
import { cpuModels } from '../../compiler/schedule/device-model.ts';
import { metalSchedule } from '../../compiler/schedule/metal/schedule.ts';
import { scheduleProgram } from '../../compiler/schedule/schedule.ts';
import { byteSize } from '../../compiler/tensor-ir/dtype.ts';
import type { Program } from '../../compiler/tensor-ir/program.ts';
import { compileSource, simplifyProgram } from './run-source.ts';

/** The plan of an exported function without dims. */
export function planOf(source: string, name: string, target: 'cpu' | 'metal'): PlanFunction {
  const program: Program<'plain'> = simplifyProgram(compileSource(source));
  const schedule = target === 'cpu' ? cpuSchedule(cpuModels.avx2) : metalSchedule();
  const { plan } = makePlan(scheduleProgram(fuse(program), schedule));
  return plan.functions.find((f) => f.name === name)!;
}

/** The most bytes of temporaries that are in use at one step. */
export function peakBytes({ buffers, steps }: PlanFunction): number {
  const temporaries = buffers.filter((b) => b.kind === 'temporary');
  const inUse = steps.map((_, step) =>
    temporaries
      .filter((b) => b.firstStep! <= step && step <= b.lastStep!)
      .reduce((total, b) => total + Number(b.size) * byteSize(b.dtype), 0),
  );
  return Math.max(0, ...inUse);
}
