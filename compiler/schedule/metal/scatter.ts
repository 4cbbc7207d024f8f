/**
 * Scatter on Metal, deterministic without atomics: a thread owns one element of the axes that are not indexed, in a block of
 * the first indexed axis. It fills its part from the operand and applies, in order, the updates that fall into it. All threads
 * of a threadgroup read the same indices.
 *
 *   for each (block, rest)                     threads
 *     for r in block: y[r, rest] = x[r, rest]
 *     for n: if index[n] in block: y[index[n], rest] += update[n, rest]
 */
import type { FusedFunction } from '../../passes/fused-group.ts';
import { estimateSize } from '../../passes/materialize.ts';
import {
  add,
  ceildiv,
  type Int,
  min,
  multiply,
  one,
  product,
  subtract,
} from '../../symbolic/integer.ts';
import type { Operation, Value } from '../../tensor-ir/program.ts';
import { delinearize } from '../flatten.ts';
import { KernelBuilder, type ScheduledKernel } from '../kernel-builder.ts';
import {
  applyUpdate,
  fallsInside,
  rowsOfTask,
  type ScatterMode,
  targetsAt,
} from '../scatter-update.ts';
import type { KernelLabel } from '../schedule.ts';
import { defaultThreads } from './layout.ts';
import { spread } from './map.ts';

/** Threads that keep a large GPU busy. */
const wantedThreads = 1 << 15;

export function scheduleScatter(
  fused: FusedFunction,
  op: Operation,
  label: KernelLabel,
): ScheduledKernel {
  const b = new KernelBuilder(fused, label.dims);
  const result = op.results[0]!;
  const [operand, update, ...indices] = op.operands as [Value, Value, ...Value[]];
  const axes = op.attrs['axes'] as readonly number[];
  const mode = op.attrs['mode'] as ScatterMode;
  const { shape } = result.type;
  const points = indices[0]!.type.shape;
  const rest = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const restExtents = rest.map((axis) => shape[axis]!);
  const restSize = product(restExtents);
  const [blocked, ...others] = axes as [number, ...number[]];
  const parts = Math.max(1, Math.floor(wantedThreads / estimateSize(restSize)));
  const rowsPerBlock = rowsOfTask(shape[blocked]!, parts);
  const blocks = ceildiv(shape[blocked]!, rowsPerBlock);

  const element = (flat: Int): void => {
    const index: Int[] = [...shape];
    const extents = [blocks, ...restExtents];
    const [block, ...inside] = delinearize(flat, extents).map((value, i) =>
      b.letInteger(i === 0 ? 'part' : 'at', value, extents[i]!),
    ) as [Int, ...Int[]];
    rest.forEach((axis, i) => {
      index[axis] = inside[i]!;
    });
    const first = multiply(block, rowsPerBlock);
    const left = subtract(shape[blocked]!, first);
    const rows = b.letInteger('rows', min(rowsPerBlock, left), add(rowsPerBlock, one));
    b.loop('r', rows, 'serial', (r) => {
      index[blocked] = add(first, r);
      eachOf(b, others, shape, index, () => b.store(result, index, b.at(operand, index)));
    });
    const point: Int[] = [...points];
    eachOf(b, [...points.keys()], points, point, () => {
      const targets = targetsAt(b, indices, axes, point);
      const own = (axis: number): readonly [Int, Int] | undefined =>
        axis === blocked ? [first, add(first, rows)] : undefined;
      b.if(fallsInside(targets, shape, own), () => {
        for (const { axis, scalar } of targets) index[axis] = b.index(scalar, shape[axis]!);
        // read for the updates that fall here alone
        const value = b.inPlace(() => b.at(update, [...point, ...inside]));
        applyUpdate(b, mode, result, index, value);
      });
    });
  };
  const grid = spread(b, multiply(blocks, restSize), 1, { around: (body) => body(), element });
  return b.finish({ ...label, grid: [grid], threads: defaultThreads, schedule: 'scatter' });
}

/** Serial loops over `axes`, which set their entries of `index`. */
function eachOf(
  b: KernelBuilder,
  axes: readonly number[],
  extents: readonly Int[],
  index: Int[],
  body: () => void,
): void {
  const [axis, ...others] = axes;
  if (axis === undefined) body();
  else {
    b.loop('n', extents[axis]!, 'serial', (n) => {
      index[axis] = n;
      eachOf(b, others, extents, index, body);
    });
  }
}
