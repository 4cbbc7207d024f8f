/** Metal's schedules: picks the kernel class of each group. */
import { InternalError } from '../../diagnostics/internal-error.ts';
import { hasTooFewRows } from '../../passes/fuse.ts';
import { isCumulative } from '../cumulative.ts';
import type { Schedule } from '../schedule.ts';
import { hasColumns, scheduleColumns } from './column.ts';
import { isTiled, scheduleContraction } from './contraction.ts';
import { scheduleCumulative } from './cumulative.ts';
import { scheduleExtern } from './extern.ts';
import { scheduleFullReduction } from './full-reduction.ts';
import { scheduleHorizontal } from './horizontal.ts';
import { scheduleMap } from './map.ts';
import { scheduleRows } from './row.ts';
import { scheduleScatter } from './scatter.ts';
import { scheduleSort } from './sort.ts';
import { scheduleTranspose } from './transpose.ts';

export function metalSchedule(): Schedule {
  return {
    target: 'metal',
    fused: (fused, group, label) => {
      if (group.contraction !== undefined && isTiled(group)) {
        return [scheduleContraction(fused, group, label)];
      }
      const reducing = group.stages.find((s) => s.reduces.length > 0);
      if (reducing === undefined && group.contraction === undefined) {
        return [scheduleTranspose(fused, group, label) ?? scheduleMap(fused, group, label)];
      }
      const isFull =
        reducing !== undefined &&
        group.stages[0] === reducing &&
        hasTooFewRows(group.space, reducing.row) &&
        !hasColumns(fused, group);
      if (isFull) return scheduleFullReduction(fused, group, label);
      return scheduleColumns(fused, group, label) ?? [scheduleRows(fused, group, label)];
    },
    horizontal: (fused, group, label) => [scheduleHorizontal(fused, group, label)],
    operation: (fused, op, label) => {
      if (op.primitive.lower.kind === 'scatter') return [scheduleScatter(fused, op, label)];
      if (isCumulative(op)) return scheduleCumulative(fused, op, label);
      if (op.primitive.name === 'argsort') return scheduleSort(fused, op, label);
      if (op.primitive.name === 'extern') return [scheduleExtern(op, label)];
      throw new InternalError(`no Metal schedule for ${op.primitive.name}`);
    },
  };
}
