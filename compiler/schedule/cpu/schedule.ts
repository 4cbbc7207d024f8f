/** The CPU's schedules: picks the kernel class of each group. */
import { InternalError } from '../../diagnostics/internal-error.ts';
import { hasTooFewRows } from '../../passes/fuse.ts';
import { isCumulative } from '../cumulative.ts';
import type { CpuModel } from '../device-model.ts';
import type { Schedule } from '../schedule.ts';
import { isTiled, scheduleContraction } from './contraction.ts';
import { scheduleCumulative } from './cumulative.ts';
import { scheduleHorizontal } from './horizontal.ts';
import { scheduleMap } from './map.ts';
import { scheduleRows } from './row.ts';
import { scheduleScatter } from './scatter.ts';
import { scheduleSort } from './sort.ts';
import { scheduleSplitReduction } from './split-reduction.ts';

export function cpuSchedule(model: CpuModel): Schedule {
  return {
    target: 'cpu',
    fused: (fused, group, label) => {
      if (group.contraction !== undefined && isTiled(group))
        return [scheduleContraction(fused, group, label, model)];
      const reducing = group.stages.find((s) => s.reduces.length > 0);
      if (reducing === undefined && group.contraction === undefined)
        return [scheduleMap(fused, group, label)];
      if (
        reducing !== undefined &&
        group.stages[0] === reducing &&
        hasTooFewRows(group.space, reducing.row)
      ) {
        return scheduleSplitReduction(fused, group, label);
      }
      return [scheduleRows(fused, group, label)];
    },
    horizontal: (fused, group, label) => [scheduleHorizontal(fused, group, label)],
    operation: (fused, op, label) => {
      if (op.primitive.lower.kind === 'scatter') return [scheduleScatter(fused, op, label)];
      if (isCumulative(op)) return scheduleCumulative(fused, op, label);
      if (op.primitive.name === 'argsort') return [scheduleSort(fused, op, label)];
      throw new InternalError(`no CPU schedule for ${op.primitive.name}`);
    },
  };
}
