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
 *
 * Long columns are cut into chunks of rows, in two kernels: the sums of each chunk, then those sums as columns of their own.
 */
import { combine } from '../../kernel-ir/monoids.ts';
import type { FusedFunction, FusedGroup } from '../../passes/fused-group.ts';
import { estimateSize } from '../../passes/materialize.ts';
import {
  add,
  ceildiv,
  constantValue,
  type Int,
  indexVariable,
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
import { combineStep, partialsOf } from './full-reduction.ts';
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

/** Columns longer than this are cut into chunks. */
const longColumn = 256;
/** Chunks grow from the first of these numbers of rows to the second while there are more threadgroups than the third. */
const leastChunkRows = 64;
const mostChunkRows = 4096;
const manyThreadgroups = 4096;

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
): readonly ScheduledKernel[] | undefined {
  const steps = stageSteps(group);
  const lengths = steps.map((s) => product(s.row.map(extentOf)));
  const points = estimateSize(product(group.space.map(extentOf)), 1024);
  const isShort = lengths.every((n) => (constantValue(n) ?? shortRow + 1) <= shortRow);
  if (isShort && group.space.length > 0) return [byPoints(fused, group, steps, label)];
  if (!isColumnwise(fused, group, steps)) return undefined;
  if (points >= manyPoints) return [byPoints(fused, group, steps, label)];
  const rows = chunkRows(points, steps);
  if (rows !== undefined) return inChunks(fused, group, steps, label, rows);
  return [byColumns(fused, group, steps, label, simdgroupsFor(points, steps))];
}

/** Rows of a chunk when the columns of the first stage, alone in having rows, are so long that they are cut. */
function chunkRows(points: number, steps: readonly StageStep[]): number | undefined {
  const [first, ...rest] = steps;
  if (first === undefined || first.stores.length > 0 || rest.some((s) => s.row.length > 0)) {
    return undefined;
  }
  const length = estimateSize(product(first.row.map(extentOf)));
  if (length <= longColumn) return undefined;
  const blocks = Math.ceil(points / simdWidth);
  let rows = leastChunkRows;
  while (rows < mostChunkRows && (length / rows) * blocks > manyThreadgroups) rows *= 2;
  return rows;
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

/** The sums of chunks of `rows` rows, then the sums of those and the later stages. */
function inChunks(
  fused: FusedFunction,
  group: FusedGroup,
  steps: readonly StageStep[],
  label: KernelLabel,
  rows: number,
): readonly ScheduledKernel[] {
  const [first, ...rest] = steps as [StageStep, ...StageStep[]];
  const extents = first.row.map(extentOf);
  const total = product(extents);
  const chunks = ceildiv(total, int(rows));
  const partials = partialsOf(first.reduces, [chunks, ...group.space.map(extentOf)]);
  const part = indexVariable('part', chunks);
  const combined: StageStep = {
    row: [part],
    stores: [],
    reduces: first.reduces.map((r, i) => combineStep(r, partials[i]!, [part, ...group.space])),
  };
  const later = [combined, ...rest];
  const b = builderOf(fused, group, label);
  const renaming = new Map<string, Int>();
  const simdgroups = defaultThreads / simdWidth;
  const grid: Int[] = [chunks];
  b.loop('chunk', chunks, 'grid', (chunk) => {
    const start = multiply(chunk, int(rows));
    const count = isMultiple(total, rows) ? int(rows) : min(int(rows), subtract(total, start));
    grid.push(
      ...overColumns(b, group, renaming, (lane, whereInside) => {
        const running = beginReductions(b, first.reduces);
        b.loop('r', count, 'simdgroups', (r) => {
          delinearize(b.letInteger('j', add(start, r), total), extents).forEach((index, axis) =>
            renaming.set(nameOf(first.row[axis]!), index),
          );
          updateReductions(b, running, renaming);
        });
        combineSimdgroups(b, running, lane, simdgroups);
        const space = group.space.map((v) => renaming.get(nameOf(v))!);
        b.loop('first', one, 'simdgroups', () =>
          whereInside(() => {
            running.forEach(({ accumulator }, i) => {
              b.store(partials[i]!.value, [chunk, ...space], accumulator.result);
            });
          }),
        );
      }),
    );
  });
  const schedule = 'column chunks';
  return [
    b.finish({ ...label, grid, threads: defaultThreads, schedule }),
    byColumns(
      fused,
      group,
      later,
      { ...label, name: `${label.name}_combine` },
      simdgroupsFor(estimateSize(product(group.space.map(extentOf)), 1024), later),
    ),
  ];
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
  const grid = overColumns(b, group, renaming, (l, whereInside) => {
    const store = (step: StageStep): void => {
      if (step.stores.length > 0) whereInside(() => storeAll(b, step, renaming));
    };
    for (const step of steps) runStage(b, step, renaming, l, simdgroups, store);
  });
  const threads = simdgroups * simdWidth;
  return b.finish({ ...label, grid, threads, schedule: 'column' });
}

/**
 * Opens the loops over the space, 32 columns a threadgroup, and binds its variables. `body` gets the lane, and what runs something
 * only in lanes whose column exists. Returns the extents of the grid.
 */
function overColumns(
  b: KernelBuilder,
  group: FusedGroup,
  renaming: Map<string, Int>,
  body: (lane: Int, whereInside: (inside: () => void) => void) => void,
): readonly Int[] {
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
        body(l, (inside) => {
          if (isExact) inside();
          else b.if(inRange(position, total), inside);
        });
      });
    });
  });
  return [...outer.map((v) => v.extent), blocks];
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
