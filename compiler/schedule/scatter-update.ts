/** What the scatters of all devices share: which updates fall where, and what an update does. */
import { combine } from '../kernel-ir/monoids.ts';
import type { KernelScalar } from '../kernel-ir/program.ts';
import { add, ceildiv, constantValue, floordiv, type Int, int, one } from '../symbolic/integer.ts';
import { computeType } from '../tensor-ir/dtype.ts';
import type { Value } from '../tensor-ir/program.ts';
import type { KernelBuilder } from './kernel-builder.ts';

/** How an update joins the element it falls on. */
export type ScatterMode = 'set' | 'add' | 'mul' | 'min' | 'max';

/** One coordinate of the place of an update. */
export interface ScatterTarget {
  readonly axis: number;
  readonly scalar: KernelScalar;
}

/** Rows of each of about `tasks` tasks: at least 1, even where there are no rows, because the rows are divided by it. */
export function rowsOfTask(rows: Int, tasks: number): Int {
  const known = constantValue(rows);
  if (known === undefined) return add(floordiv(rows, int(tasks)), one);
  return known === 0 ? one : ceildiv(rows, int(tasks));
}

/** Where the update at `point` falls on the indexed axes. */
export function targetsAt(
  b: KernelBuilder,
  indices: readonly Value[],
  axes: readonly number[],
  point: readonly Int[],
): readonly ScatterTarget[] {
  return indices.map((value, i) => ({
    axis: axes[i]!,
    scalar: b.let('target', widened(b.at(value, point))),
  }));
}

/** In a dtype that holds the sizes of axes too: 256 is no u8. */
function widened(index: KernelScalar): KernelScalar {
  const is32 = index.dtype === 'i32' || /^[iu](?:8|16)$/.test(index.dtype);
  const dtype = is32 ? 'i32' : 'i64';
  return index.dtype === dtype ? index : { kind: 'convert', dtype, value: index };
}

/** Whether all targets lie within the bounds of their axes, `[0, size)` unless `boundsOf` says otherwise. */
export function fallsInside(
  targets: readonly ScatterTarget[],
  shape: readonly Int[],
  boundsOf: (axis: number) => readonly [Int, Int] | undefined,
): KernelScalar {
  const conditions = targets.flatMap(({ axis, scalar }) => {
    const [low, high] = boundsOf(axis) ?? [int(0), shape[axis]!];
    return [compare('ge', scalar, low), compare('lt', scalar, high)];
  });
  return conditions.reduce((x, y) => ({ kind: 'call', name: 'and', dtype: 'bool', args: [x, y] }));
}

/** Updates the element of `result` at `index`. */
export function applyUpdate(
  b: KernelBuilder,
  mode: ScatterMode,
  result: Value,
  index: readonly Int[],
  update: KernelScalar,
): void {
  const value = mode === 'set' ? update : combine(monoids[mode], b.load(result, index), update);
  b.store(result, index, value);
}

const monoids: Readonly<Record<Exclude<ScatterMode, 'set'>, 'sum' | 'prod' | 'min' | 'max'>> = {
  add: 'sum',
  mul: 'prod',
  min: 'min',
  max: 'max',
};

function compare(name: 'ge' | 'lt', scalar: KernelScalar, bound: Int): KernelScalar {
  const value: KernelScalar = { kind: 'index', dtype: computeType(scalar.dtype), value: bound };
  return { kind: 'call', name, dtype: 'bool', args: [scalar, value] };
}
