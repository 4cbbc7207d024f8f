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
 * Long columns are cut into chunks of rows, in two kernels: the sums of each chunk, then those sums as columns of their own. So are
 * columns of unknown length: then a thread has a column of a chunk, and the host works out how many rows make a chunk, so that there
 * are threads enough whether columns are many or few. Those of what an earlier kernel left stay one kernel: a threadgroup has 8 of them,
 * and each of its simdgroups 4 rows at a time.
 */
import { combine } from '../../kernel-ir/monoids.ts';
import type { KernelInteger, KernelScalar, Monoid } from '../../kernel-ir/program.ts';
import type { FusedFunction, FusedGroup } from '../../passes/fused-group.ts';
import { estimateSize } from '../../passes/materialize.ts';
import {
  add,
  ceildiv,
  constantValue,
  dimVariable,
  floordiv,
  type Int,
  indexVariable,
  int,
  max,
  min,
  mod,
  multiply,
  one,
  product,
  substitute,
  subtract,
  zero,
} from '../../symbolic/integer.ts';
import type { Value } from '../../tensor-ir/program.ts';
import { delinearize } from '../flatten.ts';
import type { KernelBuilder, ScheduledKernel } from '../kernel-builder.ts';
import { isColumnwise } from '../memory-reads.ts';
import type { KernelLabel } from '../schedule.ts';
import { extentOf, nameOf, rename, type StageStep, stageSteps } from '../stage-program.ts';
import { combineStep, type Partial, partialsOf } from './full-reduction.ts';
import {
  bindPoint,
  builderOf,
  defaultThreads,
  gridLoops,
  inRange,
  isMultiple,
  simdWidth,
  whereBelow,
} from './layout.ts';
import { spread } from './map.ts';
import { Preloads } from './preload.ts';
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

/** How a threadgroup is laid over columns: each simdgroup spans so many columns, and as many rows as it has lanes left. */
interface Layout {
  readonly simdgroups: number;
  readonly columns: number;
}

const wide = (simdgroups: number): Layout => ({ simdgroups, columns: simdWidth });

/** Many threadgroups where columns may be few; what they load of a row is a sector of memory. */
const narrow: Layout = { simdgroups: 32, columns: 8 };

/** Rows of a column that a thread of the narrow layout loads before it waits for one. */
const rowsInFlight = 4;

/** Simdgroups of a threadgroup: all share 32 columns. */
function simdgroupsFor(points: number, steps: readonly StageStep[]): number {
  const longest = Math.max(...steps.map((s) => estimateSize(product(s.row.map(extentOf)), 1024)));
  return points < fewPoints && longest >= longRow ? 32 : defaultThreads / simdWidth;
}

/** Whether the group reduces columns, of which there are enough for the lanes of a simdgroup. */
export function hasColumns(fused: FusedFunction, group: FusedGroup): boolean {
  const columns = group.space.at(-1);
  if (columns === undefined || estimateSize(extentOf(columns)) < shortRow) return false;
  return isColumnwise(fused, group, stageSteps(group));
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
  // what several stages read is read again: by a threadgroup's columns, from the caches
  const isReadOnce = steps.filter((s) => s.row.length > 0).length === 1;
  const areKnown = constantValue(product(group.space.map(extentOf))) !== undefined;
  const longest = Math.max(...lengths.map((n) => constantValue(n) ?? Infinity));
  const isThin = longest <= leastChunkRows && (!areKnown || points >= fewPoints);
  if (isReadOnce && (isThin || (areKnown && points >= manyPoints && longest < Infinity))) {
    return [byPoints(fused, group, steps, label)];
  }
  if (longest === Infinity || (!areKnown && longest > longColumn)) {
    if (canBeCut(steps)) {
      return readsResults(fused, group)
        ? [byColumns(fused, group, steps, label, narrow)]
        : inUnknownChunks(fused, group, steps, label);
    }
  }
  const rows = chunkRows(points, steps);
  if (rows !== undefined) return inChunks(fused, group, steps, label, rows);
  // with few threadgroups at a time, what they read stays in the caches until they read it again
  const simdgroups = isReadOnce ? simdgroupsFor(points, steps) : 32;
  return [byColumns(fused, group, steps, label, wide(simdgroups))];
}

/** Rows of a chunk when the columns of the first stage, alone in having rows, are so long that they are cut. */
function chunkRows(points: number, steps: readonly StageStep[]): number | undefined {
  if (!canBeCut(steps)) return undefined;
  const length = estimateSize(product(steps[0]!.row.map(extentOf)));
  if (length <= longColumn) return undefined;
  const blocks = Math.ceil(points / simdWidth);
  let rows = leastChunkRows;
  while (rows < mostChunkRows && (length / rows) * blocks > manyThreadgroups) rows *= 2;
  return rows;
}

/** Whether the group reads what other kernels of the function compute. */
function readsResults(fused: FusedFunction, group: FusedGroup): boolean {
  return [...group.reads].some(
    (value) => value.type.shape.length > 0 && fused.definitions.has(value),
  );
}

/** Whether the first stage alone has rows, and stores none of them. */
function canBeCut([first, ...rest]: readonly StageStep[]): boolean {
  return first !== undefined && first.stores.length === 0 && rest.every((s) => s.row.length === 0);
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
  const blocks = spread(b, product(group.space.map(extentOf)), 1, {
    around: (body) => body(),
    element: (i) => alongRows(b, steps, bindPoint(group, i)),
  });
  return b.finish({ ...label, grid: [blocks], threads: defaultThreads, schedule: 'point' });
}

/** Reductions of chunks, in memory, and the stages that go on from those. */
interface Cut {
  readonly partials: readonly Partial[];
  readonly later: readonly StageStep[];
}

/** `count`, the number of chunks, as kernels know it. */
function cutInto(chunks: Int, count: Int, group: FusedGroup, steps: readonly StageStep[]): Cut {
  const [first, ...rest] = steps as [StageStep, ...StageStep[]];
  const partials = partialsOf(first.reduces, [chunks, ...group.space.map(extentOf)]);
  const part = indexVariable('part', count);
  const combined: StageStep = {
    row: [part],
    stores: [],
    reduces: first.reduces.map((r, i) => combineStep(r, partials[i]!, [part, ...group.space])),
  };
  return { partials, later: [combined, ...rest] };
}

/** Threads that fill the machine when each runs along a chunk of a column. */
const chunkThreads = 1 << 17;

/** The reductions of chunks of as many rows as the host finds right, a thread each, then of those and the later stages. */
function inUnknownChunks(
  fused: FusedFunction,
  group: FusedGroup,
  steps: readonly StageStep[],
  label: KernelLabel,
): readonly ScheduledKernel[] {
  const first = steps[0]!;
  const extents = first.row.map(extentOf);
  const space = group.space.map(extentOf);
  const total = product(extents);
  const perChunk = max(
    int(leastChunkRows),
    ceildiv(multiply(total, product(space)), int(chunkThreads)),
  );
  const chunks = ceildiv(total, perChunk);
  const b = builderOf(fused, group, label);
  const rows = b.uniqueName('chunk_rows');
  const count = b.uniqueName('chunks');
  const { partials, later } = cutInto(chunks, dimVariable(count), group, steps);
  const renaming = new Map<string, Int>();
  const tasks = [dimVariable(count), ...space];
  const blocks = spread(b, product(tasks), 1, {
    around: (body) => body(),
    element: (i) => {
      const [chunk, ...point] = delinearize(i, tasks).map((v, axis) =>
        b.letInteger('at', v, tasks[axis]!),
      );
      group.space.forEach((v, axis) => renaming.set(nameOf(v), point[axis]!));
      const start = multiply(chunk!, dimVariable(rows));
      const length = min(dimVariable(rows), subtract(total, start));
      const own = b.letInteger('own', length, add(total, one));
      const running = beginReductions(b, first.reduces);
      b.loop('r', own, 'serial', (r) => {
        delinearize(b.letInteger('j', add(start, r), total), extents).forEach((index, axis) =>
          renaming.set(nameOf(first.row[axis]!), index),
        );
        updateReductions(b, running, renaming);
      });
      running.forEach(({ accumulator }, k) => {
        b.store(partials[k]!.value, [chunk!, ...point], accumulator.result);
      });
    },
  });
  const grid = [substitute(blocks, (v) => (v.name === count ? chunks : undefined))];
  const chunkCount = { name: count, value: chunks };
  const integers = [{ name: rows, value: perChunk }, chunkCount];
  const schedule = 'column chunks';
  const second = { ...label, name: `${label.name}_combine` };
  return [
    b.finish({ ...label, grid, threads: defaultThreads, schedule, integers }),
    combineUnknown(fused, group, later, second, chunkCount),
  ];
}

/** Chunks up to this number are combined by one thread. */
const fewChunks = 16;

/**
 * Combines chunks, of which there are many when columns are few, and the other way round: a threadgroup has 32 columns, or as many as
 * it has threads.
 */
function combineUnknown(
  fused: FusedFunction,
  group: FusedGroup,
  steps: readonly StageStep[],
  label: KernelLabel,
  chunks: KernelInteger,
): ScheduledKernel {
  const b = builderOf(fused, group, { ...label, dims: [...label.dims, chunks.name] });
  const threads = 1024;
  const extents = group.space.map(extentOf);
  const points = product(extents);
  const hasFew = min(one, max(zero, subtract(int(fewChunks + 1), chunks.value)));
  const columns = add(int(simdWidth), multiply(int(threads - simdWidth), hasFew));
  const blocks = ceildiv(points, columns);
  b.loop('block', blocks, 'grid', (block) => {
    const few = (): void =>
      b.loop('t', int(threads), 'threads', (t) => {
        const position = add(multiply(block, int(threads)), t);
        whereBelow(b, 'i', position, points, false, (i) => {
          b.apart(() => alongRows(b, steps, bindPoint(group, i)));
        });
      });
    const many = (): void => {
      b.loop('l', int(simdWidth), 'lanes', (l) => {
        const position = add(multiply(block, int(simdWidth)), l);
        const i = b.letInteger('i', min(position, subtract(points, one)), points);
        const renaming = bindPoint(group, i);
        b.apart(() => {
          const store = (step: StageStep): void => {
            if (step.stores.length === 0) return;
            b.if(inRange(position, points), () => storeAll(b, step, renaming));
          };
          for (const step of steps)
            runStage(fused, b, step, renaming, l, wide(threads / simdWidth), store);
        });
      });
    };
    b.if(inRange(dimVariable(chunks.name), int(fewChunks + 1)), few, many);
  });
  const integers = [chunks];
  return b.finish({ ...label, grid: [blocks], threads, schedule: 'column', integers });
}

/** One thread runs through the stages of a point. */
function alongRows(
  b: KernelBuilder,
  steps: readonly StageStep[],
  renaming: Map<string, Int>,
): void {
  for (const step of steps) {
    const running = beginReductions(b, step.reduces);
    serialRow(b, step.row, renaming, () => {
      updateReductions(b, running, renaming);
      storeAll(b, step, renaming);
    });
    for (const r of running) b.setOnChip(r.step.value, () => r.accumulator.result);
  }
}

/** The sums of chunks of `rows` rows, then the sums of those and the later stages. */
function inChunks(
  fused: FusedFunction,
  group: FusedGroup,
  steps: readonly StageStep[],
  label: KernelLabel,
  rows: number,
): readonly ScheduledKernel[] {
  const first = steps[0]!;
  const extents = first.row.map(extentOf);
  const total = product(extents);
  const chunks = ceildiv(total, int(rows));
  const { partials, later } = cutInto(chunks, chunks, group, steps);
  const b = builderOf(fused, group, label);
  const renaming = new Map<string, Int>();
  const simdgroups = defaultThreads / simdWidth;
  const grid: Int[] = [chunks];
  b.loop('chunk', chunks, 'grid', (chunk) => {
    const start = multiply(chunk, int(rows));
    const count = isMultiple(total, rows) ? int(rows) : min(int(rows), subtract(total, start));
    grid.push(
      ...overColumns(b, group, renaming, simdWidth, (lane, whereInside) => {
        const running = beginReductions(b, first.reduces);
        b.loop('r', count, 'simdgroups', (r) => {
          delinearize(b.letInteger('j', add(start, r), total), extents).forEach((index, axis) =>
            renaming.set(nameOf(first.row[axis]!), index),
          );
          updateReductions(b, running, renaming);
        });
        combineSimdgroups(b, running, lane, wide(simdgroups));
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
      wide(simdgroupsFor(estimateSize(product(group.space.map(extentOf)), 1024), later)),
    ),
  ];
}

function byColumns(
  fused: FusedFunction,
  group: FusedGroup,
  steps: readonly StageStep[],
  label: KernelLabel,
  layout: Layout,
  integers: readonly KernelInteger[] = [],
): ScheduledKernel {
  const reserved = integers.map(({ name }) => name);
  const b = builderOf(fused, group, { ...label, dims: [...label.dims, ...reserved] });
  const renaming = new Map<string, Int>();
  const grid = overColumns(b, group, renaming, layout.columns, (l, whereInside) => {
    const store = (step: StageStep): void => {
      if (step.stores.length > 0) whereInside(() => storeAll(b, step, renaming));
    };
    for (const step of steps) runStage(fused, b, step, renaming, l, layout, store);
  });
  const threads = layout.simdgroups * simdWidth;
  return b.finish({ ...label, grid, threads, schedule: 'column', integers });
}

/**
 * Opens the loops over the space, `width` columns a threadgroup, and binds its variables. `body` gets the lane, and what runs something
 * only in lanes whose column exists. Returns the extents of the grid.
 */
function overColumns(
  b: KernelBuilder,
  group: FusedGroup,
  renaming: Map<string, Int>,
  width: number,
  body: (lane: Int, whereInside: (inside: () => void) => void) => void,
): readonly Int[] {
  const column = group.space[group.space.length - 1]!;
  const outer = group.space.slice(0, -1).map((v) => ({ name: nameOf(v), extent: extentOf(v) }));
  const total = extentOf(column);
  const blocks = ceildiv(total, int(width));
  const isExact = isMultiple(total, width);
  gridLoops(b, outer, renaming, () => {
    b.loop('block', blocks, 'grid', (block) => {
      b.loop('l', int(simdWidth), 'lanes', (l) => {
        const position = add(multiply(block, int(width)), mod(l, int(width)));
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
  fused: FusedFunction,
  b: KernelBuilder,
  step: StageStep,
  renaming: Map<string, Int>,
  lane: Int,
  layout: Layout,
  store: (step: StageStep) => void,
): void {
  const running = beginReductions(b, step.reduces);
  const rowsAtOnce = simdWidth / layout.columns;
  const body = (inside?: KernelScalar): void => {
    updateReductions(b, running, renaming, inside);
    if (inside === undefined) store(step);
    else if (step.stores.length > 0) b.if(inside, () => store(step));
  };
  const [first, ...rest] = step.row;
  const isFirst = inRange(lane, int(layout.columns));
  // a reduced axis of size 1 is no row: one simdgroup has the only element
  if (first === undefined) {
    b.loop('first', one, 'simdgroups', () => {
      if (rowsAtOnce === 1) body();
      else b.if(isFirst, () => body());
    });
  } else if (rowsAtOnce === 1) {
    b.loop('j', extentOf(first), 'simdgroups', (j) => {
      renaming.set(nameOf(first), j);
      serialRow(b, rest, renaming, () => body());
    });
  } else {
    const extent = extentOf(first);
    const atOnce = int(rowsAtOnce * rowsInFlight);
    b.loop('rows', ceildiv(extent, atOnce), 'simdgroups', (rows) => {
      const start = add(multiply(rows, atOnce), floordiv(lane, int(layout.columns)));
      const preloads = rest.length === 0 ? new Preloads(b, fused, step, rowsInFlight) : undefined;
      const over = (run: (e: Int, inside: KernelScalar) => void): void =>
        b.loop('e', int(rowsInFlight), 'unroll', (e) => {
          const position = add(start, multiply(e, int(rowsAtOnce)));
          const j = b.letInteger('j', position, extent);
          const inside = inRange(position, extent);
          renaming.set(nameOf(first), j);
          b.whereLoadsHold(j, inside, () => run(e, inside));
        });
      if (preloads?.isEmpty === false) over((e) => preloads.load(e, renaming));
      over((e, inside) => {
        preloads?.use(e, renaming);
        serialRow(b, rest, renaming, () => body(inside));
      });
    });
  }
  if (running.length > 0) combineSimdgroups(b, running, lane, layout);
}

/**
 * Every thread of a column gets the combination of the column over all simdgroups, in their order; before, over the lanes of a
 * simdgroup that have the same column.
 */
function combineSimdgroups(
  b: KernelBuilder,
  running: readonly Running[],
  lane: Int,
  { simdgroups, columns }: Layout,
): void {
  const shared = running.map(({ step, accumulator }): Shared => {
    const { monoid } = step;
    const { result } = accumulator;
    if (result.kind !== 'variable') throw new TypeError('an accumulator has a name');
    if (monoid === 'argmax' || monoid === 'argmin') throw new TypeError('pairs have rows');
    return { value: step.value, monoid, result };
  });
  const width = int(columns);
  const column = mod(lane, width);
  b.loop('s', int(simdgroups), 'simdgroups', (s) => {
    if (columns < simdWidth) {
      combineParts(b, shared, simdgroups * simdWidth, {
        own: add(multiply(s, int(simdWidth)), lane),
        first: add(multiply(s, int(simdWidth)), column),
        pitch: width,
        count: simdWidth / columns,
      });
    }
    const store = { own: add(multiply(s, width), column), first: column };
    combineParts(b, shared, simdgroups * columns, {
      ...store,
      pitch: width,
      count: simdgroups,
      ...(columns < simdWidth ? { stores: inRange(lane, width) } : {}),
    });
  });
  for (const { value, result } of shared) b.setOnChip(value, () => result);
}

interface Shared {
  readonly value: Value;
  readonly monoid: Exclude<Monoid, 'argmax' | 'argmin'>;
  readonly result: KernelScalar & { readonly kind: 'variable' };
}

/** Where a thread leaves its part in threadgroup memory, and which parts it combines. */
interface Parts {
  readonly own: Int;
  readonly first: Int;
  readonly pitch: Int;
  readonly count: number;
  /** The threads that leave a part, when these are not all. */
  readonly stores?: KernelScalar;
}

function combineParts(
  b: KernelBuilder,
  shared: readonly Shared[],
  size: number,
  { own, first, pitch, count, stores }: Parts,
): void {
  const all = shared.map((s) => ({
    ...s,
    buffer: b.allocate(`${s.result.name}_parts`, s.result.dtype, 'threadgroup', int(size)),
  }));
  const store = (): void => {
    for (const { result, buffer } of all) {
      b.emit({ kind: 'store', buffer, index: own, value: result });
    }
  };
  if (stores === undefined) store();
  else b.if(stores, store);
  b.emit({ kind: 'barrier', device: false });
  for (const { result, buffer } of all) {
    b.emit({ kind: 'assign', name: result.name, value: b.loadFrom(buffer, first) });
  }
  b.loop('p', int(count - 1), 'unroll', (p) => {
    for (const { monoid, result, buffer } of all) {
      const index = add(multiply(add(p, one), pitch), first);
      const value = combine(monoid, result, b.loadFrom(buffer, index));
      b.emit({ kind: 'assign', name: result.name, value });
    }
  });
}
