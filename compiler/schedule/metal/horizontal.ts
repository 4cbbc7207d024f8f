/**
 * Horizontally fused element-wise groups on Metal: one dispatch over the elements of all segments, four a thread; a threadgroup
 * finds its segment by a binary search in a table of starts.
 *
 *   for task                                   grid
 *     segment, local = locate(task)
 *     for t < 256, e < 4:                      threads, unroll
 *       i = 1024*local + 256*e + t
 *       if i < length[segment]: p[segment][i] -= lr * g[segment][i]
 */
import type { FusedFunction, HorizontalGroup } from '../../passes/fused-group.ts';
import { add, dimVariable, int, multiply } from '../../symbolic/integer.ts';
import { KernelBuilder, type ScheduledKernel } from '../kernel-builder.ts';
import type { KernelLabel } from '../schedule.ts';
import { bindSegments, storeElement, tableOfSegments } from '../segments.ts';
import { emitRiders } from '../stage-program.ts';
import { defaultThreads, whereBelow } from './layout.ts';

const each = 4;
const chunk = each * defaultThreads;

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
    const local = locate(task);
    b.loop('t', int(defaultThreads), 'threads', (t) => {
      emitRiders(b, group.riders, [task, t]);
      b.loop('e', int(each), 'unroll', (e) => {
        const position = add(add(multiply(local, int(chunk)), multiply(e, int(defaultThreads))), t);
        whereBelow(b, 'i', position, dimVariable(length), false, (i) => storeElement(b, model, i));
      });
    });
  });
  const schedule = 'horizontal map';
  const threads = defaultThreads;
  const scheduled = b.finish({ ...label, grid: [tasks], threads, schedule, integers });
  return bindSegments(fused, group, scheduled, length);
}
