/**
 * Metal schedules of groups that reduce over an axis while another one is contiguous in memory (column sums), and of very
 * short rows.
 *
 * Points: many results, or short rows. A thread has one point of the space and runs over its rows in order; neighbours read
 * neighbours.
 *
 * Columns: a threadgroup has 32 columns, one a lane, and its simdgroups (8, or 32 when columns are few and long) share the rows:
 *
 *   for column block                           grid
 *     for l: c = min(32*block + l, N - 1)      lanes
 *       for j = s, s + 8, ...                  simdgroups
 *         sum += x[j, c]
 *       parts[s][l] = sum; barrier; sum = parts[0][l] + parts[1][l] + ...
 *
 * Lanes past the edge repeat the last column and store nothing, so that all threads meet at the barriers.
 */
import { combine } from '../../kernel-ir/monoids.ts';
import type { FusedFunction, FusedGroup } from '../../passes/fused-group.ts';
import { estimateSize } from '../../passes/materialize.ts';
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
} from '../../symbolic/integer.ts';
import { delinearize } from '../flatten.ts';
import type { KernelBuilder, ScheduledKernel } from '../kernel-builder.ts';
import { isColumnwise } from '../memory-reads.ts';
import type { KernelLabel } from '../schedule.ts';
import { extentOf, nameOf, rename, type StageStep, stageSteps } from '../stage-program.ts';
import { builderOf, defaultThreads, gridLoops, inRange, isMultiple, simdWidth } from './layout.ts';
import { spread } from './map.ts';
import { beginReductions, type Running, updateReductions } from './reduction.ts';

/** Rows up to this length are not worth a simdgroup. */
const shortRow = 16;
/** From this many points on, one thread a point fills the machine. */
const manyPoints = 1 << 15;
/** Fewer points than this, with rows of at least `longRow`, get the largest threadgroups. */
const fewPoints = 4096;
const longRow = 512;

/** Simdgroups of a threadgroup: all share 32 columns. */
function simdgroupsFor(points: number, steps: readonly StageStep[]): number {
  const longest = Math.max(...steps.map((s) => estimateSize(product(s.row.map(extentOf)), 1024)));
  return points < fewPoints && longest >= longRow ? 32 : defaultThreads / simdWidth;
}

/** The schedule for this group, or undefined when its rows are contiguous and long: then it is row.ts's. */
export function scheduleColumns(
  fused: FusedFunction,
  group: FusedGroup,
  label: KernelLabel,
): ScheduledKernel | undefined {
  const steps = stageSteps(group);
  const lengths = steps.map((s) => product(s.row.map(extentOf)));
  const points = estimateSize(product(group.space.map(extentOf)), 1024);
  const isShort = lengths.every((n) => (constantValue(n) ?? shortRow + 1) <= shortRow);
  if (isShort && group.space.length > 0) return byPoints(fused, group, steps, label);
  if (!isColumnwise(fused, group, steps)) return undefined;
  return points >= manyPoints
    ? byPoints(fused, group, steps, label)
    : byColumns(fused, group, steps, label, simdgroupsFor(points, steps));
}

function storeAll(b: KernelBuilder, step: StageStep, renaming: ReadonlyMap<string, Int>): void {
  for (const store of step.stores) {
    const index = rename(store.index, renaming);
    b.store(store.value, index, b.at(store.value, index));
  }
}

/** Serial loops over the row of a step. */
function serialRow(
  b: KernelBuilder,
  row: readonly Int[],
  renaming: Map<string, Int>,
  body: () => void,
): void {
  const [first, ...rest] = row;
  if (first === undefined) body();
  else {
    b.loop('j', extentOf(first), 'serial', (j) => {
      renaming.set(nameOf(first), j);
      serialRow(b, rest, renaming, body);
    });
  }
}

function byPoints(
  fused: FusedFunction,
  group: FusedGroup,
  steps: readonly StageStep[],
  label: KernelLabel,
): ScheduledKernel {
  const b = builderOf(fused, group, label);
  const renaming = new Map<string, Int>();
  const extents = group.space.map(extentOf);
  const blocks = spread(b, product(extents), 1, {
    around: (body) => body(),
    element: (i) => {
      delinearize(i, extents).forEach((index, axis) =>
        renaming.set(nameOf(group.space[axis]!), index),
      );
      for (const step of steps) {
        const running = beginReductions(b, step.reduces);
        serialRow(b, step.row, renaming, () => {
          updateReductions(b, running, renaming);
          storeAll(b, step, renaming);
        });
        for (const r of running) b.setOnChip(r.step.value, () => r.accumulator.result);
      }
    },
  });
  return b.finish({ ...label, grid: [blocks], threads: defaultThreads, schedule: 'point' });
}

function byColumns(
  fused: FusedFunction,
  group: FusedGroup,
  steps: readonly StageStep[],
  label: KernelLabel,
  simdgroups: number,
): ScheduledKernel {
  const b = builderOf(fused, group, label);
  const renaming = new Map<string, Int>();
  const column = group.space[group.space.length - 1]!;
  const outer = group.space.slice(0, -1).map((v) => ({ name: nameOf(v), extent: extentOf(v) }));
  const total = extentOf(column);
  const blocks = ceildiv(total, int(simdWidth));
  const isExact = isMultiple(total, simdWidth);
  gridLoops(b, outer, renaming, () => {
    b.loop('block', blocks, 'grid', (block) => {
      b.loop('l', int(simdWidth), 'lanes', (l) => {
        const position = add(multiply(block, int(simdWidth)), l);
        const clamped = isExact ? position : min(position, subtract(total, one));
        renaming.set(nameOf(column), b.letInteger('column', clamped, total));
        const store = (step: StageStep): void => {
          if (step.stores.length === 0) return;
          if (isExact) storeAll(b, step, renaming);
          else b.if(inRange(position, total), () => storeAll(b, step, renaming));
        };
        for (const step of steps) runStage(b, step, renaming, l, simdgroups, store);
      });
    });
  });
  const grid = [...outer.map((v) => v.extent), blocks];
  const threads = simdgroups * simdWidth;
  return b.finish({ ...label, grid, threads, schedule: 'column' });
}

function runStage(
  b: KernelBuilder,
  step: StageStep,
  renaming: Map<string, Int>,
  lane: Int,
  simdgroups: number,
  store: (step: StageStep) => void,
): void {
  const running = beginReductions(b, step.reduces);
  const [first, ...rest] = step.row;
  const body = (): void => {
    updateReductions(b, running, renaming);
    store(step);
  };
  // a reduced axis of size 1 is no row: one simdgroup has the only element
  if (first === undefined) b.loop('first', one, 'simdgroups', body);
  else {
    b.loop('j', extentOf(first), 'simdgroups', (j) => {
      renaming.set(nameOf(first), j);
      serialRow(b, rest, renaming, body);
    });
  }
  if (running.length > 0) combineSimdgroups(b, running, lane, simdgroups);
}

/** Every thread of a lane gets the combination of its lane over all simdgroups, in their order. */
function combineSimdgroups(
  b: KernelBuilder,
  running: readonly Running[],
  lane: Int,
  simdgroups: number,
): void {
  const shared = running.map(({ step, accumulator }) => {
    const { result } = accumulator;
    if (result.kind !== 'variable') throw new TypeError('an accumulator has a name');
    const size = int(simdgroups * simdWidth);
    const buffer = b.allocate(`${result.name}_parts`, result.dtype, 'threadgroup', size);
    return { step, result, buffer };
  });
  b.loop('s', int(simdgroups), 'simdgroups', (s) => {
    for (const { result, buffer } of shared) {
      const index = add(multiply(s, int(simdWidth)), lane);
      b.emit({ kind: 'store', buffer, index, value: result });
    }
  });
  b.emit({ kind: 'barrier', device: false });
  for (const { result, buffer } of shared) {
    b.emit({ kind: 'assign', name: result.name, value: b.loadFrom(buffer, lane) });
  }
  b.loop('p', int(simdgroups - 1), 'unroll', (p) => {
    for (const { step, result, buffer } of shared) {
      const { monoid } = step;
      if (monoid === 'argmax' || monoid === 'argmin') throw new TypeError('pairs have rows');
      const index = add(multiply(add(p, one), int(simdWidth)), lane);
      const value = combine(monoid, result, b.loadFrom(buffer, index));
      b.emit({ kind: 'assign', name: result.name, value });
    }
  });
  for (const { step, result } of shared) b.setOnChip(step.value, () => result);
}
