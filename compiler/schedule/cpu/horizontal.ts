/**
 * Horizontally fused element-wise groups on the CPU: one kernel whose tasks are chunks of all segments in a row.
 *
 *   for task t                                     grid
 *     segment s, chunk c = locate(t)
 *     for v < min(4096, length[s] - 4096*c)        vector
 *       p_s[4096*c + v] -= lr * g_s[4096*c + v]
 */
import type { FusedFunction, HorizontalGroup } from '../../passes/fused-group.ts';
import { add, dimVariable, int, min, multiply, subtract } from '../../symbolic/integer.ts';
import { KernelBuilder, type ScheduledKernel } from '../kernel-builder.ts';
import type { KernelLabel } from '../schedule.ts';
import { bindSegments, storeElement, tableOfSegments } from '../segments.ts';
import { emitRiders } from '../stage-program.ts';

const chunk = 4096;

export function scheduleHorizontal(
  fused: FusedFunction,
  group: HorizontalGroup,
  label: KernelLabel,
): ScheduledKernel {
  const model = group.members[0]!;
  const b = new KernelBuilder(fused, label.dims);
  for (const store of model.stages[0]!.stores) b.computeHere(store.value);
  const { tasks, integers, length, locate } = tableOfSegments(b, group, chunk);
  b.loop('task', tasks, 'grid', (task) => {
    emitRiders(b, group.riders, [task]);
    const start = multiply(locate(task), int(chunk));
    b.loop('v', min(int(chunk), subtract(dimVariable(length), start)), 'vector', (v) => {
      storeElement(b, model, add(start, v));
    });
  });
  const scheduled = b.finish({ ...label, grid: [tasks], schedule: 'horizontal map', integers });
  return bindSegments(fused, group, scheduled, length);
}
