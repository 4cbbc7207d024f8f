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
import type { KernelInteger } from '../../kernel-ir/program.ts';
import type { FusedFunction, HorizontalGroup } from '../../passes/fused-group.ts';
import { segmentSize } from '../../passes/horizontal.ts';
import {
  add,
  ceildiv,
  dimVariable,
  type Int,
  int,
  multiply,
  zero,
} from '../../symbolic/integer.ts';
import { segment as bindSegments } from '../cpu/horizontal.ts';
import { delinearize } from '../flatten.ts';
import { KernelBuilder, type ScheduledKernel } from '../kernel-builder.ts';
import type { KernelLabel } from '../schedule.ts';
import { emitRiders, nameOf, rename } from '../stage-program.ts';
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
  const { stores } = model.stages[0]!;
  for (const store of stores) b.computeHere(store.value);

  const sizes = group.members.map(segmentSize);
  const integers: KernelInteger[] = [];
  const declare = (base: string, value: Int): string => {
    const name = b.uniqueName(base);
    integers.push({ name, value });
    return name;
  };
  let tasks = zero;
  const starts = sizes.map((size, s) => {
    const name = declare(`start_${s}`, tasks);
    tasks = add(tasks, ceildiv(size, int(chunk)));
    return name;
  });
  const lengths = sizes.map((size, s) => declare(`length_${s}`, size));
  const length = b.uniqueName('length');

  b.loop('task', tasks, 'grid', (task) => {
    const segment = b.declareIndex('segment', int(group.members.length));
    const local = b.declareIndex('local', tasks);
    b.emit({
      kind: 'locate-segment',
      task,
      segment: nameOf(segment),
      local: nameOf(local),
      starts,
      length,
      lengths,
    });
    b.loop('t', int(defaultThreads), 'threads', (t) => {
      emitRiders(b, group.riders, [task, t]);
      b.loop('e', int(each), 'unroll', (e) => {
        const position = add(add(multiply(local, int(chunk)), multiply(e, int(defaultThreads))), t);
        whereBelow(b, 'i', position, dimVariable(length), false, (i) => {
          const renaming = new Map<string, Int>();
          const indices = delinearize(i, stores[0]!.value.type.shape);
          stores[0]!.index.forEach((variable, axis) => {
            if (variable !== zero) renaming.set(nameOf(variable), indices[axis]!);
          });
          for (const store of stores) {
            const index = rename(store.index, renaming);
            b.store(store.value, index, b.at(store.value, index));
          }
        });
      });
    });
  });
  const schedule = 'horizontal map';
  const threads = defaultThreads;
  const scheduled = b.finish({ ...label, grid: [tasks], threads, schedule, integers });
  return bindSegments(fused, group, scheduled, length);
}
