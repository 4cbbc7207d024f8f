/**
 * Metal schedule of element-wise groups that read along one axis and store along another (transposed operands). A threadgroup has a
 * square tile of both axes (32 or 64 a side): it loads with neighbours in memory side by side, turns the tile in threadgroup memory, and stores likewise.
 *
 *   for block of rows, block of columns        grid
 *     for r = s, s + 8, ...                    simdgroups
 *       for l                                  lanes
 *         tile[r][l] = x[32*column block + r, 32*row block + l]
 *     barrier
 *     ... y[32*row block + r, 32*column block + l] = tile[l][r]
 *
 * Rows of the tile are one element longer than it is wide, so that neither way of going through it meets the same bank twice.
 */
import type { Buffer } from '../../kernel-ir/program.ts';
import type { FusedFunction, FusedGroup } from '../../passes/fused-group.ts';
import { ReadAnalysis } from '../../passes/index-map.ts';
import { estimateSize } from '../../passes/materialize.ts';
import {
  add,
  ceildiv,
  type Int,
  int,
  linearIn,
  multiply,
  one,
  product,
} from '../../symbolic/integer.ts';
import { byteSize } from '../../tensor-ir/dtype.ts';
import type { Value } from '../../tensor-ir/program.ts';
import { type KernelBuilder, linearIndex, type ScheduledKernel } from '../kernel-builder.ts';
import { stageLeaves } from '../memory-reads.ts';
import type { KernelLabel } from '../schedule.ts';
import { emitRiders, extentOf, nameOf, rename, type StoreStep } from '../stage-program.ts';
import { builderOf, defaultThreads, gridLoops, inRange, isMultiple, simdWidth } from './layout.ts';
import { isAlwaysThere } from './preload.ts';

/** Axes shorter than this leave most of a tile empty. */
const leastExtent = 16;
/** Operands that are turned; more would take too much threadgroup memory. */
const mostTiles = 3;
/** Tensors smaller than this stay in the caches, whichever way they are read. */
const leastElements = 1 << 14;

interface Turned {
  readonly value: Value;
  readonly index: readonly Int[];
  readonly buffer: Buffer;
}

/** The schedule for a group with transposed operands; undefined for other groups. */
export function scheduleTranspose(
  fused: FusedFunction,
  group: FusedGroup,
  label: KernelLabel,
): ScheduledKernel | undefined {
  const stores = group.stages.flatMap((s) => s.stores);
  const last = group.space.at(-1);
  if (last === undefined) return undefined;
  const reads = transposedReads(fused, group, stores, last);
  const [first] = reads;
  if (first === undefined) return undefined;
  const { along } = first;
  const turned = reads.filter((r) => r.along === along);
  const fits = [along, last].every((v) => estimateSize(extentOf(v)) >= leastExtent);
  if (!fits || turned.length > mostTiles) return undefined;
  return build(fused, group, label, stores, { along, last, turned });
}

interface Read {
  readonly value: Value;
  readonly index: readonly Int[];
  /** The axis of the space whose neighbours are neighbours in memory. */
  readonly along: Int;
}

/** Large tensors that are read with neighbours along another axis than the last, the largest first. */
function transposedReads(
  fused: FusedFunction,
  group: FusedGroup,
  stores: readonly StoreStep[],
  last: Int,
): readonly Read[] {
  const leaves = stageLeaves(fused, [{ row: [], reduces: [], stores }]);
  const analysis = new ReadAnalysis(fused.definitions, leaves);
  const found: Read[] = [];
  const visit = (value: Value, index: readonly Int[], isLeaf: boolean): boolean => {
    if (!isLeaf) return true;
    const { shape } = value.type;
    if (sizeOf(value) < leastElements || !isAlwaysThere(value, index)) return false;
    const address = linearIndex(index, shape);
    if (!isStridedBy(address, last)) return false;
    const along = group.space.find((v) => linearIn(address, nameOf(v))?.coefficient === one);
    const isNew = found.every((r) => r.value !== value || r.index.some((i, a) => i !== index[a]));
    if (along !== undefined && isNew) found.push({ value, index, along });
    return false;
  };
  for (const { value, index } of stores) analysis.walk(value, index, visit);
  return found.sort((a, b) => sizeOf(b.value) - sizeOf(a.value));
}

/** Whether neighbours along the axis are apart, and not the same, in memory. */
function isStridedBy(address: Int, axis: Int): boolean {
  const stride = linearIn(address, nameOf(axis))?.coefficient;
  return stride !== undefined && stride !== one && stride.terms.length > 0;
}

function sizeOf(value: Value): number {
  return estimateSize(product(value.type.shape));
}

function build(
  fused: FusedFunction,
  group: FusedGroup,
  label: KernelLabel,
  stores: readonly StoreStep[],
  plan: { readonly along: Int; readonly last: Int; readonly turned: readonly Read[] },
): ScheduledKernel {
  const { along, last } = plan;
  const b = builderOf(fused, group, label);
  const renaming = new Map<string, Int>();
  const simdgroups = defaultThreads / simdWidth;
  const bytes = plan.turned.reduce((sum, r) => sum + byteSize(r.value.type.dtype), 0);
  const edge = bytes <= 4 ? 64 : 32;
  const outer = group.space.filter((v) => v !== along && v !== last);
  const [rows, columns] = [extentOf(along), extentOf(last)];
  const [rowBlocks, columnBlocks] = [ceildiv(rows, int(edge)), ceildiv(columns, int(edge))];
  const isExact = isMultiple(rows, edge) && isMultiple(columns, edge);
  const pitch = int(edge + 1);
  const loops = outer.map((v) => ({ name: nameOf(v), extent: extentOf(v) }));
  gridLoops(b, loops, renaming, () => {
    b.loop('row_block', rowBlocks, 'grid', (rowBlock) => {
      b.loop('column_block', columnBlocks, 'grid', (columnBlock) => {
        const turned = plan.turned.map(
          (r): Turned => ({
            ...r,
            buffer: b.allocate(
              `${r.value.name ?? 'x'}_tile`,
              r.value.type.dtype,
              'threadgroup',
              int(edge * (edge + 1)),
            ),
          }),
        );
        const at = (block: Int, i: Int): Int => add(multiply(block, int(edge)), i);
        /** `body` at each place of the tile: its line, and its place in the line, which neighbouring threads share. */
        const over = (body: (line: Int, place: Int) => void): void =>
          overTile(b, edge, simdgroups, body);
        const point = (row: Int, column: Int, body: () => void): void => {
          const inside = (): void => {
            renaming.set(nameOf(along), b.letInteger('row', row, rows));
            renaming.set(nameOf(last), b.letInteger('column', column, columns));
            body();
          };
          if (isExact) inside();
          else b.if(areInRange(row, rows, column, columns), inside);
        };
        over((line, place) =>
          point(at(rowBlock, place), at(columnBlock, line), () => {
            for (const { value, index, buffer } of turned) {
              const element = b.load(value, rename(index, renaming));
              const where = add(multiply(line, pitch), place);
              b.emit({ kind: 'store', buffer, index: where, value: element });
            }
          }),
        );
        b.emit({ kind: 'barrier', device: false });
        over((line, place) =>
          point(at(rowBlock, line), at(columnBlock, place), () => {
            readTurned(b, turned, renaming, add(multiply(place, pitch), line));
            emitRiders(b, group.riders, [
              ...loops.map((v) => renaming.get(v.name)!),
              rowBlock,
              columnBlock,
              line,
              place,
            ]);
            for (const store of stores) {
              const index = rename(store.index, renaming);
              b.store(store.value, index, b.at(store.value, index));
            }
          }),
        );
      });
    });
  });
  const grid = [...loops.map((v) => v.extent), rowBlocks, columnBlocks];
  return b.finish({ ...label, grid, threads: defaultThreads, schedule: 'transpose' });
}

function areInRange(row: Int, rows: Int, column: Int, columns: Int): ReturnType<typeof inRange> {
  const [first, second] = [inRange(row, rows), inRange(column, columns)];
  if (first.kind !== 'in-range' || second.kind !== 'in-range') return first;
  return { ...first, conditions: [...first.conditions, ...second.conditions] };
}

/** The places of a tile: lines by simdgroups, places in a line by lanes. */
function overTile(
  b: KernelBuilder,
  edge: number,
  simdgroups: number,
  body: (line: Int, place: Int) => void,
): void {
  b.loop('s', int(simdgroups), 'simdgroups', (s) => {
    b.loop('l', int(simdWidth), 'lanes', (l) => {
      b.loop('r', int(edge / simdgroups), 'unroll', (r) => {
        const line = add(multiply(r, int(simdgroups)), s);
        const parts = edge / simdWidth;
        if (parts === 1) body(line, l);
        else {
          b.loop('p', int(parts), 'unroll', (p) => body(line, add(multiply(p, int(simdWidth)), l)));
        }
      });
    });
  });
}

/** From here on, what was turned is read from its tile at the point at hand. */
function readTurned(
  b: KernelBuilder,
  turned: readonly Turned[],
  renaming: ReadonlyMap<string, Int>,
  place: Int,
): void {
  for (const value of new Set(turned.map((t) => t.value))) {
    const here = turned
      .filter((t) => t.value === value)
      .map(({ index, buffer }) => ({ index: rename(index, renaming), buffer }));
    b.setOnChip(value, (wanted) => {
      const found = here.find(({ index }) => index.every((i, axis) => i === wanted[axis]));
      return found && b.loadFrom(found.buffer, place);
    });
  }
}
