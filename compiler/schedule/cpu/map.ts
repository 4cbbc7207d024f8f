/**
 * CPU schedule of element-wise groups: one vector loop over as many trailing axes as are contiguous together, cut into
 * chunks; leading axes are the grid.
 *
 *   for task (i, chunk c)                    grid
 *     for v < min(4096, N - 4096*c)          vector
 *       y[i, 4096*c + v] = ...
 */
import type { FusedFunction, FusedGroup } from '../../passes/fused-group.ts';
import {
  add,
  ceildiv,
  constantValue,
  type Int,
  int,
  min,
  multiply,
  one,
  product,
  subtract,
  zero,
} from '../../symbolic/integer.ts';
import { delinearize, dividesVariable } from '../flatten.ts';
import { KernelBuilder, type ScheduledKernel } from '../kernel-builder.ts';
import type { KernelLabel } from '../schedule.ts';
import { emitRiders, extentOf, nameOf, type Renaming, rename } from '../stage-program.ts';

/** Elements of one task: small enough to balance, large enough that a task costs more than its dispatch. */
const chunk = 4096;

export function scheduleMap(
  fused: FusedFunction,
  group: FusedGroup,
  label: KernelLabel,
): ScheduledKernel {
  const { space } = group;
  for (let outer = 0; outer < space.length; outer++) {
    const kernel = build(fused, group, label, outer);
    if (kernel !== undefined) return kernel;
  }
  return build(fused, group, label, Math.max(space.length - 1, 0), true)!;
}

/** Axes before `outer` are grid axes, the others one flat axis; undefined when that leaves divisions in the inner loop. */
function build(
  fused: FusedFunction,
  group: FusedGroup,
  label: KernelLabel,
  outer: number,
  force = false,
): ScheduledKernel | undefined {
  const b = new KernelBuilder(fused, label.dims);
  const stores = group.stages.flatMap((s) => s.stores);
  for (const store of stores) b.computeHere(store.value);
  const inner = group.space.slice(outer);
  const extents = inner.map(extentOf);
  const total = product(extents);
  const renaming = new Map<string, Int>();
  const grid: Int[] = [];
  let vector = '';

  const storeAll = (names: Renaming): void => {
    for (const store of stores) {
      const index = rename(store.index, names);
      b.store(store.value, index, b.at(store.value, index));
    }
  };
  const tasks: Int[] = [];
  const inside = (): void => {
    const isSmall = (constantValue(total) ?? chunk + 1) <= chunk;
    const flatLoop = (base: Int, extent: Int): void => {
      b.loop('v', extent, 'vector', (v) => {
        vector = nameOf(v);
        delinearize(add(base, v), extents).forEach((index, i) =>
          renaming.set(nameOf(inner[i]!), index),
        );
        storeAll(renaming);
      });
    };
    if (inner.length === 0) storeAll(renaming);
    else if (isSmall) {
      emitRiders(b, group.riders, tasks);
      flatLoop(zero, total);
    } else {
      const chunks = ceildiv(total, int(chunk));
      grid.push(chunks);
      b.loop('c', chunks, 'grid', (c) => {
        emitRiders(b, group.riders, [...tasks, c]);
        const start = multiply(c, int(chunk));
        flatLoop(start, min(int(chunk), subtract(total, start)));
      });
    }
  };
  const nest = (axis: number): void => {
    if (axis === outer) inside();
    else {
      const extent = extentOf(group.space[axis]!);
      grid.push(extent);
      b.loop('i', extent, 'grid', (i) => {
        tasks.push(i);
        renaming.set(nameOf(group.space[axis]!), i);
        nest(axis + 1);
      });
    }
  };
  nest(0);
  if (!force && vector !== '' && dividesVariable(b.statements, vector)) return undefined;
  return b.finish({ ...label, grid: grid.length === 0 ? [one] : grid, schedule: 'map' });
}
