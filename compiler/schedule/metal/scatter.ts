/**
 * Scatter on Metal, deterministic without atomics: a thread owns one element of the axes that are not indexed, in a block of
 * the first indexed axis. It fills its part from the operand and applies, in order, the updates that fall into it. All threads
 * of a threadgroup read the same indices.
 *
 *   for each (block, rest)                     threads
 *     for r in block: y[r, rest] = x[r, rest]
 *     for n: if index[n] in block: y[index[n], rest] += update[n, rest]
 */
import { combine } from '../../kernel-ir/monoids.ts';
import type { KernelScalar } from '../../kernel-ir/program.ts';
import type { FusedFunction } from '../../passes/fused-group.ts';
import { estimateSize } from '../../passes/materialize.ts';
import {
  add,
  ceildiv,
  type Int,
  int,
  min,
  multiply,
  one,
  product,
  subtract,
} from '../../symbolic/integer.ts';
import { computeType } from '../../tensor-ir/dtype.ts';
import type { Operation, Value } from '../../tensor-ir/program.ts';
import { delinearize } from '../flatten.ts';
import { KernelBuilder, type ScheduledKernel } from '../kernel-builder.ts';
import type { KernelLabel } from '../schedule.ts';
import { defaultThreads } from './layout.ts';
import { spread } from './map.ts';

/** Threads that keep a large GPU busy. */
const wantedThreads = 1 << 15;

type Mode = 'set' | 'add' | 'mul' | 'min' | 'max';

export function scheduleScatter(
  fused: FusedFunction,
  op: Operation,
  label: KernelLabel,
): ScheduledKernel {
  const b = new KernelBuilder(fused, label.dims);
  const result = op.results[0]!;
  const [operand, update, ...indices] = op.operands as [Value, Value, ...Value[]];
  const axes = op.attrs['axes'] as readonly number[];
  const mode = op.attrs['mode'] as Mode;
  const { shape } = result.type;
  const points = indices[0]!.type.shape;
  const rest = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const restExtents = rest.map((axis) => shape[axis]!);
  const restSize = product(restExtents);
  const [blocked, ...others] = axes as [number, ...number[]];
  const rowsPerBlock = ceildiv(
    shape[blocked]!,
    int(Math.max(1, Math.floor(wantedThreads / estimateSize(restSize)))),
  );
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
      const targets = indices.map((value, j) => ({
        axis: axes[j]!,
        scalar: b.let('target', b.at(value, point)),
      }));
      const conditions = targets.flatMap(({ axis, scalar }) =>
        axis === blocked
          ? [compare('ge', scalar, first), compare('lt', scalar, add(first, rows))]
          : [compare('ge', scalar, int(0)), compare('lt', scalar, shape[axis]!)],
      );
      b.if(
        conditions.reduce((x, y) => ({ kind: 'call', name: 'and', dtype: 'bool', args: [x, y] })),
        () => {
          for (const { axis, scalar } of targets) index[axis] = b.index(scalar, shape[axis]!);
          // read for the updates that fall here alone
          const value = b.inPlace(() => b.at(update, [...point, ...inside]));
          const held = mode === 'set' ? undefined : b.load(result, index);
          b.store(
            result,
            index,
            held === undefined
              ? value
              : combine(monoidOf(mode as Exclude<Mode, 'set'>), held, value),
          );
        },
      );
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

function monoidOf(mode: Exclude<Mode, 'set'>): 'sum' | 'prod' | 'min' | 'max' {
  switch (mode) {
    case 'add':
      return 'sum';
    case 'mul':
      return 'prod';
    default:
      return mode;
  }
}

function compare(name: 'ge' | 'lt', scalar: KernelScalar, bound: Int): KernelScalar {
  const value: KernelScalar = { kind: 'index', dtype: computeType(scalar.dtype), value: bound };
  return { kind: 'call', name, dtype: 'bool', args: [scalar, value] };
}
