/**
 * Scatter on the CPU, deterministic without atomics: each task owns a block of rows of the result, fills them from the operand, and
 * applies, in order, the updates that fall into them. All tasks read all indices; the updates are read once.
 */
import type { FusedFunction } from '../../passes/fused-group.ts';
import { add, ceildiv, type Int, min, multiply, one, subtract } from '../../symbolic/integer.ts';
import type { Operation, Value } from '../../tensor-ir/program.ts';
import { KernelBuilder, type ScheduledKernel } from '../kernel-builder.ts';
import {
  applyUpdate,
  fallsInside,
  rowsOfTask,
  type ScatterMode,
  targetsAt,
} from '../scatter-update.ts';
import type { KernelLabel } from '../schedule.ts';

const tasks = 16;

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
  const rowCount = shape[0] ?? one;
  const rowsPerTask = rowsOfTask(rowCount, tasks);
  const pointShape = indices[0]!.type.shape;
  const rest = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));

  b.loop('block', ceildiv(rowCount, rowsPerTask), 'grid', (block) => {
    const first = multiply(block, rowsPerTask);
    const rows = min(rowsPerTask, subtract(rowCount, first));
    const fill = (axis: number, index: readonly Int[]): void => {
      if (axis === shape.length) {
        b.store(result, index, b.at(operand, index));
        return;
      }
      const isLast = axis === shape.length - 1;
      b.loop('i', axis === 0 ? rows : shape[axis]!, isLast ? 'vector' : 'serial', (i) => {
        fill(axis + 1, [...index, axis === 0 ? add(first, i) : i]);
      });
    };
    fill(0, []);

    const eachPoint = (axis: number, point: readonly Int[]): void => {
      if (axis < pointShape.length) {
        b.loop('n', pointShape[axis]!, 'serial', (n) => eachPoint(axis + 1, [...point, n]));
        return;
      }
      const targets = targetsAt(b, indices, axes, point);
      const own = (axis: number): readonly [Int, Int] | undefined =>
        axis === 0 ? [first, add(first, rows)] : undefined;
      b.if(fallsInside(targets, shape, own), () => {
        const index: Int[] = [...shape];
        for (const { axis: target, scalar } of targets)
          index[target] = b.index(scalar, shape[target]!);
        const window = (k: number, inside: readonly Int[]): void => {
          if (k === rest.length) {
            applyUpdate(b, mode, result, index, b.at(update, [...point, ...inside]));
            return;
          }
          const target = rest[k]!;
          b.loop(
            'w',
            target === 0 ? rows : shape[target]!,
            k === rest.length - 1 ? 'vector' : 'serial',
            (w) => {
              index[target] = target === 0 ? add(first, w) : w;
              window(k + 1, [...inside, index[target]!]);
            },
          );
        };
        window(0, []);
      });
    };
    eachPoint(0, []);
  });
  return b.finish({ ...label, grid: [ceildiv(rowCount, rowsPerTask)], schedule: 'scatter' });
}
