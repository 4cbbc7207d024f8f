/**
 * Metal schedule of contractions in f32, f16 and bf16: 8x8 simdgroup matrices with f32 accumulators, operands staged in
 * threadgroup memory.
 *
 *   for batch, row block, column block              grid; 4 simdgroups as 2 x 2
 *     for each 16 of the depth                      serial
 *       a[64][16] = x[rows, depth]                  threads; index maps, prologue and edges apply here
 *       b[16][64] = y[depth, columns]
 *       barrier
 *       c[4][4] += a[4] * b[4], twice               simdgroup matrices in registers
 *       barrier
 *     for each 8 rows of a simdgroup's part         serial
 *       strip[8][32] = c; barrier; epilogue and store, a column a lane; barrier
 *
 * Past the edges zeros are loaded and nothing is stored, so that all threads meet at the barriers. Products with few rows or
 * columns, and of other dtypes, run as reductions (row.ts, column.ts).
 */
import type { Buffer } from '../../kernel-ir/program.ts';
import type { FusedFunction, FusedGroup } from '../../passes/fused-group.ts';
import { estimateSize } from '../../passes/materialize.ts';
import {
  add,
  ceildiv,
  floordiv,
  type Int,
  int,
  mod,
  multiply,
  product,
  zero,
} from '../../symbolic/integer.ts';
import type { DType } from '../../tensor-ir/dtype.ts';
import type { Value } from '../../tensor-ir/program.ts';
import { delinearize } from '../flatten.ts';
import type { KernelBuilder, ScheduledKernel } from '../kernel-builder.ts';
import type { KernelLabel } from '../schedule.ts';
import {
  type ContractionAxes,
  contractionAxes,
  extentOf,
  isProductOfAtLeast,
  nameOf,
  rename,
} from '../stage-program.ts';
import { builderOf, gridLoops, isContiguous, isMultiple, simdWidth } from './layout.ts';

/** Side of a simdgroup matrix. */
const side = 8;
const depthBlock = 16;
const threads = 128;
/** Fewer rows or columns than this waste most of a tile. */
const skinny = 8;
/** Threadgroups that keep a large GPU busy: smaller tiles are used until there are as many. */
const enoughTiles = 48;

const sizeOf = (axes: readonly Int[]): Int => product(axes.map(extentOf));

export function isTiled(group: FusedGroup): boolean {
  return isProductOfAtLeast(skinny, group);
}

export function scheduleContraction(
  fused: FusedFunction,
  group: FusedGroup,
  label: KernelLabel,
): ScheduledKernel {
  return new Contraction(fused, group, label).build();
}

function chooseTile(rows: Int, columns: Int, batch: Int): number {
  const [m, n] = [estimateSize(rows, 512), estimateSize(columns, 512)];
  if (Math.min(m, n) <= 48) return 32;
  const tiles = estimateSize(batch, 16) * Math.ceil(m / 64) * Math.ceil(n / 64);
  return tiles >= enoughTiles ? 64 : 32;
}

/** An operand's tile in threadgroup memory. */
interface Tile {
  readonly buffer: Buffer;
  /** Elements between its rows: padded, so that rows start in different banks. */
  readonly stride: number;
}

class Contraction {
  private readonly b: KernelBuilder;
  private readonly fused: FusedFunction;
  private readonly group: FusedGroup;
  private readonly label: KernelLabel;
  private readonly axes: ContractionAxes;
  private readonly renaming = new Map<string, Int>();
  private readonly rows: Int;
  private readonly columns: Int;
  private readonly depth: Int;
  /** Rows and columns of a threadgroup, and of one of its 2 x 2 simdgroups. */
  private readonly tile: number;
  private readonly part: number;
  /** Simdgroup matrices along a side of a part. */
  private readonly count: number;
  private readonly dtype: DType;

  constructor(fused: FusedFunction, group: FusedGroup, label: KernelLabel) {
    this.fused = fused;
    this.group = group;
    this.label = label;
    this.b = builderOf(fused, group, label);
    this.axes = contractionAxes(group);
    this.rows = sizeOf(this.axes.rows);
    this.columns = sizeOf(this.axes.columns);
    this.depth = sizeOf(this.axes.depth);
    this.tile = chooseTile(this.rows, this.columns, sizeOf(this.axes.batch));
    this.part = this.tile / 2;
    this.count = this.part / side;
    this.dtype = this.axes.op.operands[0]!.type.dtype;
  }

  build(): ScheduledKernel {
    const { b } = this;
    const batch = this.axes.batch
      .filter((v) => v !== zero)
      .map((v) => ({ name: nameOf(v), extent: extentOf(v) }));
    const rowBlocks = ceildiv(this.rows, int(this.tile));
    const columnBlocks = ceildiv(this.columns, int(this.tile));
    gridLoops(b, batch, this.renaming, () => {
      b.loop('row_block', rowBlocks, 'grid', (r) => {
        b.loop('column_block', columnBlocks, 'grid', (c) => {
          this.block(multiply(r, int(this.tile)), multiply(c, int(this.tile)));
        });
      });
    });
    const grid = [...batch.map((v) => v.extent), rowBlocks, columnBlocks];
    return b.finish({ ...this.label, grid, threads, schedule: 'contraction' });
  }

  private block(firstRow: Int, firstColumn: Int): void {
    const { b, tile } = this;
    const a = this.allocateTile('a', tile, depthBlock);
    const y = this.allocateTile('b', depthBlock, tile);
    const stripSize = int((threads / simdWidth) * side * this.part);
    const strip = b.allocate('strip', 'f32', 'threadgroup', stripSize);
    b.loop('s', int(threads / simdWidth), 'simdgroups', (s) => {
      const at = (half: Int): Int => multiply(half, int(this.part));
      const partRow = b.letInteger('part_row', at(floordiv(s, int(2))), int(tile));
      const partColumn = b.letInteger('part_column', at(mod(s, int(2))), int(tile));
      const c = this.declareMatrices('c', 'f32', this.count * this.count, false);
      const left = this.declareMatrices('left', this.dtype, this.count, true);
      const right = this.declareMatrices('right', this.dtype, this.count, true);
      b.loop('k_block', ceildiv(this.depth, int(depthBlock)), 'serial', (block) => {
        const firstDepth = multiply(block, int(depthBlock));
        this.loadLeft(a, firstRow, firstDepth);
        this.loadRight(y, firstColumn, firstDepth);
        b.emit({ kind: 'barrier', device: false });
        b.loop('step', int(depthBlock / side), 'unroll', (step) => {
          this.multiply(c, left, right, a, y, partRow, partColumn, multiply(step, int(side)));
        });
        b.emit({ kind: 'barrier', device: false });
      });
      this.epilogue(c, strip, s, add(firstRow, partRow), add(firstColumn, partColumn));
    });
  }

  private allocateTile(name: string, rows: number, columns: number): Tile {
    const stride = columns + (this.dtype === 'f32' ? 4 : 8);
    const buffer = this.b.allocate(name, this.dtype, 'threadgroup', int(rows * stride));
    return { buffer, stride };
  }

  private declareMatrices(base: string, dtype: DType, count: number, isUndefined: boolean): string {
    const name = this.b.uniqueName(base);
    this.b.emit({ kind: 'matrix-declare', name, dtype, count, isUndefined });
    return name;
  }

  /** c[i][j] += a[i] * b[j] at one step of 8 along the depth. */
  private multiply(
    c: string,
    left: string,
    right: string,
    a: Tile,
    y: Tile,
    partRow: Int,
    partColumn: Int,
    depth: Int,
  ): void {
    const { b } = this;
    const load = (name: string, element: Int, tile: Tile, row: Int, column: Int): void =>
      b.emit({
        kind: 'matrix-load',
        name,
        element,
        buffer: tile.buffer,
        offset: add(multiply(row, int(tile.stride)), column),
        stride: int(tile.stride),
        transpose: false,
      });
    b.loop('m', int(this.count), 'unroll', (m) => {
      load(left, m, a, add(partRow, multiply(m, int(side))), depth);
      load(right, m, y, depth, add(partColumn, multiply(m, int(side))));
    });
    b.loop('m', int(this.count), 'unroll', (m) => {
      b.loop('n', int(this.count), 'unroll', (n) => {
        b.emit({
          kind: 'matrix-multiply-accumulate',
          d: c,
          dElement: add(multiply(m, int(this.count)), n),
          a: left,
          aElement: m,
          b: right,
          bElement: n,
        });
      });
    });
  }

  /** Binds the axes of one role at a flat position. */
  private bind(axes: readonly Int[], flat: Int): void {
    const real = axes.filter((v) => v !== zero);
    delinearize(flat, real.map(extentOf)).forEach((index, i) =>
      this.renaming.set(nameOf(real[i]!), index),
    );
  }

  /** a[r][k] = x[firstRow + r, firstDepth + k]; threads run along what is contiguous in memory. */
  private loadLeft(a: Tile, firstRow: Int, firstDepth: Int): void {
    const { axes } = this;
    const byRows = this.isAlong(axes.op.operands[0]!, axes.left, axes.rows);
    this.loadTile(a, this.tile, depthBlock, byRows, (r, k) => {
      this.loadElement(
        a,
        0,
        axes.left,
        add(firstRow, r),
        add(firstDepth, k),
        axes.rows,
        this.rows,
        [r, k],
      );
    });
  }

  /** b[k][j] = y[firstDepth + k, firstColumn + j]. */
  private loadRight(y: Tile, firstColumn: Int, firstDepth: Int): void {
    const { axes } = this;
    const byDepth = this.isAlong(axes.op.operands[1]!, axes.right, axes.depth);
    this.loadTile(y, depthBlock, this.tile, byDepth, (k, j) => {
      this.loadElement(
        y,
        1,
        axes.right,
        add(firstColumn, j),
        add(firstDepth, k),
        axes.columns,
        this.columns,
        [k, j],
      );
    });
  }

  private isAlong(value: Value, index: readonly Int[], role: readonly Int[]): boolean {
    const last = role[role.length - 1];
    return last !== undefined && last !== zero && isContiguous(this.fused, value, index, last);
  }

  /** Spreads the elements of a tile over the threads; neighbours share a row, or a column when `byRows`. */
  private loadTile(
    _tile: Tile,
    rows: number,
    columns: number,
    byRows: boolean,
    element: (row: Int, column: Int) => void,
  ): void {
    this.b.loop('e', int(rows * columns), 'threads', (e) => {
      if (byRows) element(mod(e, int(rows)), floordiv(e, int(rows)));
      else element(floordiv(e, int(columns)), mod(e, int(columns)));
    });
  }

  private loadElement(
    tile: Tile,
    operand: 0 | 1,
    index: readonly Int[],
    free: Int,
    depth: Int,
    axes: readonly Int[],
    extent: Int,
    [row, column]: readonly [Int, Int],
  ): void {
    const { b } = this;
    this.bind(axes, free);
    this.bind(this.axes.depth, depth);
    const conditions = [
      ...(isMultiple(extent, this.tile) ? [] : [{ value: free, extent }]),
      ...(isMultiple(this.depth, depthBlock) ? [] : [{ value: depth, extent: this.depth }]),
    ];
    const read = (): ReturnType<KernelBuilder['at']> =>
      b.at(this.axes.op.operands[operand]!, rename(index, this.renaming));
    const value =
      conditions.length === 0
        ? read()
        : b.guard(conditions, read, { kind: 'constant', dtype: 'f32', value: 0 });
    b.emit({
      kind: 'store',
      buffer: tile.buffer,
      index: add(multiply(row, int(tile.stride)), column),
      value,
    });
  }

  /** A strip of 8 rows at a time goes through threadgroup memory: there every lane has a column. */
  private epilogue(c: string, strip: Buffer, s: Int, firstRow: Int, firstColumn: Int): void {
    const { b, part } = this;
    const result = this.axes.op.results[0]!;
    const own = multiply(s, int(side * part));
    b.loop('m', int(this.count), 'unroll', (m) => {
      b.loop('n', int(this.count), 'unroll', (n) => {
        b.emit({
          kind: 'matrix-store',
          name: c,
          element: add(multiply(m, int(this.count)), n),
          buffer: strip,
          offset: add(own, multiply(n, int(side))),
          stride: int(part),
        });
      });
      b.emit({ kind: 'barrier', device: false });
      b.loop('v', int(side * part), 'lanes', (v) => {
        const r = floordiv(v, int(part));
        const row = add(add(firstRow, multiply(m, int(side))), r);
        const column = add(firstColumn, mod(v, int(part)));
        const held = b.loadFrom(strip, add(own, v));
        const conditions = [
          ...(isMultiple(this.rows, this.tile) ? [] : [{ value: row, extent: this.rows }]),
          ...(isMultiple(this.columns, this.tile) ? [] : [{ value: column, extent: this.columns }]),
        ];
        const store = (): void => {
          // names of their own, so that what depends on them stays under the guard
          this.bind(this.axes.rows, b.letInteger('row', row, this.rows));
          this.bind(this.axes.columns, b.letInteger('column', column, this.columns));
          b.setOnChip(result, () => held);
          for (const stage of this.group.stages) {
            for (const { value, index } of stage.stores) {
              const at = rename(index, this.renaming);
              b.store(value, at, b.at(value, at));
            }
          }
        };
        if (conditions.length === 0) store();
        else b.if({ kind: 'in-range', dtype: 'bool', conditions }, store);
      });
      b.emit({ kind: 'barrier', device: false });
    });
  }
}
