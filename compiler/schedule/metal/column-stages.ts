/** What column.ts lays over columns: loops over them, the stages of a column, and how the threads that share one combine. */
import { combine } from '../../kernel-ir/monoids.ts';
import type { KernelInteger, KernelScalar, Monoid } from '../../kernel-ir/program.ts';
import type { FusedFunction, FusedGroup } from '../../passes/fused-group.ts';
import { estimateSize } from '../../passes/materialize.ts';
import {
  add,
  ceildiv,
  floordiv,
  type Int,
  int,
  min,
  mod,
  multiply,
  one,
  product,
  subtract,
} from '../../symbolic/integer.ts';
import type { Value } from '../../tensor-ir/program.ts';
import type { KernelBuilder, ScheduledKernel } from '../kernel-builder.ts';
import type { KernelLabel } from '../schedule.ts';
import { extentOf, nameOf, rename, type StageStep } from '../stage-program.ts';
import { builderOf, defaultThreads, gridLoops, inRange, isMultiple, simdWidth } from './layout.ts';
import { Preloads } from './preload.ts';
import { beginReductions, type Running, updateReductions } from './reduction.ts';

/** Fewer points than this, with rows of at least `longRow`, get the largest threadgroups. */
export const fewPoints = 4096;
const longRow = 512;

/** How a threadgroup is laid over columns: each simdgroup spans so many columns, and as many rows as it has lanes left. */
export interface Layout {
  readonly simdgroups: number;
  readonly columns: number;
}

export const wide = (simdgroups: number): Layout => ({ simdgroups, columns: simdWidth });

/** Many threadgroups where columns may be few; what they load of a row is a sector of memory. */
export const narrow: Layout = { simdgroups: 32, columns: 8 };

/** Rows of a column that a thread of the narrow layout loads before it waits for one. */
const rowsInFlight = 4;

/** Simdgroups of a threadgroup: all share 32 columns. */
export function simdgroupsFor(points: number, steps: readonly StageStep[]): number {
  const longest = Math.max(...steps.map((s) => estimateSize(product(s.row.map(extentOf)), 1024)));
  return points < fewPoints && longest >= longRow ? 32 : defaultThreads / simdWidth;
}

export function storeAll(
  b: KernelBuilder,
  step: StageStep,
  renaming: ReadonlyMap<string, Int>,
): void {
  for (const store of step.stores) {
    const index = rename(store.index, renaming);
    b.store(store.value, index, b.at(store.value, index));
  }
}

/** Serial loops over the row of a step. */
export function serialRow(
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

/** One thread runs through the stages of a point. */
export function alongRows(
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

export function byColumns(
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
export function overColumns(
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

export function runStage(
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
      // what is held for these rows is not there after them
      b.apart(() => {
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
    });
  }
  if (running.length > 0) combineSimdgroups(b, running, lane, layout);
}

/**
 * Every thread of a column gets the combination of the column over all simdgroups, in their order; before, over the lanes of a
 * simdgroup that have the same column.
 */
export function combineSimdgroups(
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
