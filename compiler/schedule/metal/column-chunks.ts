import type { KernelInteger } from '../../kernel-ir/program.ts';
import type { FusedFunction, FusedGroup } from '../../passes/fused-group.ts';
import { estimateSize } from '../../passes/materialize.ts';
import {
  add,
  ceildiv,
  dimVariable,
  type Int,
  indexVariable,
  int,
  max,
  min,
  multiply,
  one,
  product,
  substitute,
  subtract,
  zero,
} from '../../symbolic/integer.ts';
import { delinearize } from '../flatten.ts';
import type { ScheduledKernel } from '../kernel-builder.ts';
import type { KernelLabel } from '../schedule.ts';
import { extentOf, nameOf, type StageStep } from '../stage-program.ts';
import {
  alongRows,
  byColumns,
  combineSimdgroups,
  overColumns,
  runStage,
  simdgroupsFor,
  storeAll,
  wide,
} from './column-stages.ts';
import { combineStep, type Partial, partialsOf } from './full-reduction.ts';
import {
  bindPoint,
  builderOf,
  defaultThreads,
  inRange,
  isMultiple,
  simdWidth,
  whereBelow,
} from './layout.ts';
import { spread } from './map.ts';
import { beginReductions, updateReductions } from './reduction.ts';

/** Columns longer than this are cut into chunks. */
export const longColumn = 256;
/** Chunks grow from the first of these numbers of rows to the second while there are more threadgroups than the third. */
export const leastChunkRows = 64;
const mostChunkRows = 4096;
const manyThreadgroups = 4096;

/** Whether the first stage alone has rows, and stores none of them. */
export function canBeCut([first, ...rest]: readonly StageStep[]): boolean {
  return first !== undefined && first.stores.length === 0 && rest.every((s) => s.row.length === 0);
}

/** Rows of a chunk when the columns of the first stage, alone in having rows, are so long that they are cut. */
export function chunkRows(points: number, steps: readonly StageStep[]): number | undefined {
  if (!canBeCut(steps)) return undefined;
  const length = estimateSize(product(steps[0]!.row.map(extentOf)));
  if (length <= longColumn) return undefined;
  const blocks = Math.ceil(points / simdWidth);
  let rows = leastChunkRows;
  while (rows < mostChunkRows && (length / rows) * blocks > manyThreadgroups) rows *= 2;
  return rows;
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
export function inUnknownChunks(
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

/** The sums of chunks of `rows` rows, then the sums of those and the later stages. */
export function inChunks(
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
