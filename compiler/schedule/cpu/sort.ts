/**
 * argsort on the CPU: a task a row lays the keys and places side by side in scratch memory, sorts the pairs, and stores
 * the places.
 */
import type { FusedFunction } from '../../passes/fused-group.ts';
import type { Int } from '../../symbolic/integer.ts';
import type { Operation, Value } from '../../tensor-ir/program.ts';
import { KernelBuilder, type ScheduledKernel } from '../kernel-builder.ts';
import type { KernelLabel } from '../schedule.ts';
import { keyTypeOf, sortKey } from '../sort-key.ts';

export function scheduleSort(
  fused: FusedFunction,
  op: Operation,
  label: KernelLabel,
): ScheduledKernel {
  const b = new KernelBuilder(fused, label.dims);
  const [x] = op.operands as [Value];
  const result = op.results[0]!;
  const axis = op.attrs['axis'] as number;
  const descending = op.attrs['descending'] as boolean;
  const { shape } = result.type;
  const count = shape[axis]!;
  const grid = shape.filter((_, i) => i !== axis);
  const type = keyTypeOf(x.type.dtype);

  const row = (point: readonly Int[]): void => {
    const at = (i: Int): readonly Int[] => [...point.slice(0, axis), i, ...point.slice(axis)];
    const keys = b.allocate('keys', type, 'scratch', count);
    const places = b.allocate('places', 'i32', 'scratch', count);
    const spareKeys = b.allocate('spare_keys', type, 'scratch', count);
    const sparePlaces = b.allocate('spare_places', 'i32', 'scratch', count);
    b.loop('i', count, 'vector', (i) => {
      const key = sortKey(b.at(x, at(i)), descending);
      b.emit({ kind: 'store', buffer: keys, index: i, value: key });
      const place = { kind: 'index', dtype: 'i32', value: i } as const;
      b.emit({ kind: 'store', buffer: places, index: i, value: place });
    });
    b.emit({
      kind: 'sort-pairs',
      keys,
      values: places,
      spareKeys,
      spareValues: sparePlaces,
      count,
    });
    b.loop('i', count, 'vector', (i) => b.store(result, at(i), b.loadFrom(places, i)));
  };
  const nest = (point: readonly Int[]): void => {
    const extent = grid[point.length];
    if (extent === undefined) row(point);
    else b.loop('i', extent, 'grid', (i) => nest([...point, i]));
  };
  nest([]);
  return b.finish({ ...label, grid, schedule: 'sort' });
}
