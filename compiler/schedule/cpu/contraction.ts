/**
 * CPU schedule of contractions in f32 (and f16, bf16 computed in f32): packed panels and a register-blocked micro-kernel, after
 * Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008).
 *
 *   for task (batch, row block, column block)                  grid
 *     for each depth block                                     serial
 *       pack b into panels [k][columns]; pack a by rows or by depth, whichever its memory is
 *       for each panel, each strip of rows: micro-kernel       c[rows][columns] += a * b, in registers
 *     for each element of the tile: epilogue, store            vector
 *
 * Operands are read through their index maps while packing, so transposed, sliced or broadcast operands cost nothing more, and the
 * windows of a convolution are never laid out: they are packed run by run, as far as memory is linear along the depth.
 * Products with very few rows or columns, and other dtypes, run as row reductions (row.ts).
 */
import type { Buffer, Statement } from '../../kernel-ir/program.ts';
import type { FusedFunction, FusedGroup } from '../../passes/fused-group.ts';
import { estimateSize } from '../../passes/materialize.ts';
import {
  add,
  ceildiv,
  constantValue,
  floordiv,
  type Int,
  indexVariable,
  int,
  linearIn,
  min,
  multiply,
  one,
  product,
  subtract,
  zero,
} from '../../symbolic/integer.ts';
import type { Value } from '../../tensor-ir/program.ts';
import type { CpuModel } from '../device-model.ts';
import { delinearize } from '../flatten.ts';
import { KernelBuilder, linearIndex, type ScheduledKernel } from '../kernel-builder.ts';
import { memoryReads } from '../memory-reads.ts';
import type { KernelLabel } from '../schedule.ts';
import {
  type ContractionAxes,
  contractionAxes,
  extentOf,
  isProductOfAtLeast,
  nameOf,
  rename,
} from '../stage-program.ts';

/** Fewer rows or columns than this waste most of a register block. */
const skinny = 4;

type MicroKernel = Extract<Statement, { kind: 'micro-kernel' }>;

export function isTiled(group: FusedGroup): boolean {
  return isProductOfAtLeast(skinny, group);
}

/** Whether neighbours along `variable` are neighbours in memory, judged by the largest tensor behind the operand. */
function isContiguous(
  fused: FusedFunction,
  value: Value,
  index: readonly Int[],
  variable: Int,
): boolean {
  if (variable === zero) return false;
  const analysis = memoryReads(fused);
  let largest = -1;
  let contiguous = false;
  for (const read of analysis.readsAt(value, index)) {
    const size = estimateSize(product(read.value.type.shape));
    if (size <= largest) continue;
    largest = size;
    contiguous =
      linearIn(linearIndex(read.index, read.value.type.shape), nameOf(variable))?.coefficient ===
      one;
  }
  return contiguous;
}

/** Views that show every element of their operand as it is: what lies behind them can be read in place. */
const plainViews = new Set(['permute', 'reshape', 'broadcast', 'slice', 'reverse', 'window_slice']);

/** The tensor in memory that an operand merely shows, if it does. */
function viewedTensor(fused: FusedFunction, operand: Value): Value | undefined {
  let value = operand;
  for (;;) {
    const op = fused.definitions.get(value);
    if (op === undefined || fused.inMemory.has(value)) return value;
    if (!plainViews.has(op.primitive.name)) return undefined;
    value = op.operands[0]!;
  }
}

/** Rows of a that can be read where they are: their address is start + row*rowStride + k. */
interface InPlace {
  readonly buffer: Buffer;
  /** Address of the element at a flat row and depth. */
  readonly address: (row: Int, depth: Int) => Int;
  readonly rowStride: Int;
}

/**
 * How many steps along the depth an operand can be read at one address plus a multiple of the step, without divisions and with no
 * test but at the start: the extent of the last axes of the depth. Undefined for the whole depth.
 */
function runAlongDepth(
  fused: FusedFunction,
  value: Value,
  index: readonly Int[],
  depth: readonly Int[],
): number | undefined {
  const axes = depth.filter((v) => v !== zero);
  const isBare = viewedTensor(fused, value) !== undefined;
  for (let first = isBare ? 0 : axes.length - 1; first < axes.length; first++) {
    const extents = axes.slice(first).map(extentOf);
    const run = indexVariable('run', product(extents));
    const renaming = new Map(
      delinearize(run, extents).map((place, i) => [nameOf(axes[first + i]!), place]),
    );
    const reads = memoryReads(fused).readsAt(value, rename(index, renaming));
    const isLinear = reads.every(
      (read) => linearIn(linearIndex(read.index, read.value.type.shape), nameOf(run)) !== undefined,
    );
    if (isLinear) return first === 0 ? undefined : constantValue(product(extents));
  }
  return undefined;
}

/** The depth of a block: the limit, or less so that runs end where blocks end. */
function depthOfBlock(limit: number, total: Int, runs: readonly (number | undefined)[]): number {
  const start = Math.min(constantValue(total) ?? limit, limit);
  return runs.reduce<number>((block, run) => {
    if (run === undefined || block % run === 0 || run % block === 0) return block;
    if (run <= limit) return Math.floor(limit / run) * run;
    const parts = Math.ceil(run / limit);
    return run % parts === 0 ? run / parts : block;
  }, start);
}

/** Fewer columns than this do not pay for packing a: each of its elements is used too few times. */
const columnsWorthPacking = 192;

const lastOf = (axes: readonly Int[]): Int => axes[axes.length - 1] ?? zero;

/** Cycles to pack one element, as measured: runs copy, transposed runs scatter. */
const copyCost = 0.3;
const transposeCost = 1.3;
/** Floats multiplied and added in a cycle at best. */
const productsPerCycle = 32;
/** Fewer products than this are not worth spreading over workers. */
const smallProduct = 64 ** 3;

interface PackingCost {
  readonly left: number;
  readonly right: number;
}

interface Blocks {
  readonly rowBlock: number;
  readonly columnBlock: number;
}

/** Blocks of `size` in equal parts, each a multiple of `step` and at most `limit`. */
function* blockSizes(
  size: number,
  step: number,
  limit: number,
): Iterable<{ block: number; count: number }> {
  let last = 0;
  for (let parts = 1; parts <= 16; parts++) {
    const block = Math.min(Math.ceil(size / parts / step) * step, Math.floor(limit / step) * step);
    if (block === last) continue;
    last = block;
    yield { block, count: Math.ceil(size / block) };
  }
}

/**
 * Row and column blocks of the least time on a few workers: every row block packs all of b again, every column block all of a, and
 * an uneven number of tasks leaves workers idle. Known by estimate where dims are symbolic.
 */
function chooseBlocks(
  model: CpuModel,
  rows: Int,
  columns: Int,
  depth: Int,
  batch: Int,
  cost: PackingCost,
): Blocks {
  const [m, n, k, batches] = [rows, columns, depth, batch].map((size) => estimateSize(size)) as [
    number,
    number,
    number,
    number,
  ];
  let best: Blocks | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const row of blockSizes(m, model.rows, model.rowBlock)) {
    for (const column of blockSizes(n, model.columns, model.columnBlock)) {
      const products = (row.count * row.block * column.count * column.block * k) / productsPerCycle;
      const packing = row.count * k * n * cost.right + column.count * m * k * cost.left;
      const tasks = batches * row.count * column.count;
      const idle =
        m * n * k * batches < smallProduct ? 1 : (idleFactor(tasks, 2) + idleFactor(tasks, 4)) / 2;
      const time = (products + packing) * idle;
      if (time < least) {
        least = time;
        best = { rowBlock: row.block, columnBlock: column.block };
      }
    }
  }
  return best!;
}

/** How much longer equal tasks take than evenly divided work would. */
function idleFactor(tasks: number, workers: number): number {
  return (Math.ceil(tasks / workers) * workers) / tasks;
}

export function scheduleContraction(
  fused: FusedFunction,
  group: FusedGroup,
  label: KernelLabel,
  model: CpuModel,
): ScheduledKernel {
  return new Contraction(fused, group, label, model).build();
}

class Contraction {
  private readonly b: KernelBuilder;
  private readonly axes: ContractionAxes;
  private readonly fused: FusedFunction;
  private readonly group: FusedGroup;
  private readonly label: KernelLabel;
  private readonly model: CpuModel;
  private readonly renaming = new Map<string, Int>();
  private readonly totalRows: Int;
  private readonly totalColumns: Int;
  private readonly totalDepth: Int;
  private readonly rowBlock: number;
  private readonly columnBlock: number;
  private readonly depthBlock: number;
  /** Whether the left and the right operand are packed along the depth, as they lie in memory, or across it. */
  private readonly isPackedByDepth: readonly [boolean, boolean];
  /** See `runAlongDepth`; where it matters. */
  private readonly runs: readonly [number | undefined, number | undefined];

  constructor(fused: FusedFunction, group: FusedGroup, label: KernelLabel, model: CpuModel) {
    this.fused = fused;
    this.group = group;
    this.label = label;
    this.model = model;
    this.b = new KernelBuilder(fused, label.dims);
    this.axes = contractionAxes(group);
    this.totalRows = product(this.axes.rows.map(extentOf));
    this.totalColumns = product(this.axes.columns.map(extentOf));
    this.totalDepth = product(this.axes.depth.map(extentOf));
    const batch = product(this.axes.batch.map(extentOf));
    const { rowBlock, columnBlock } = chooseBlocks(
      model,
      this.totalRows,
      this.totalColumns,
      this.totalDepth,
      batch,
      this.packingCost(),
    );
    this.rowBlock = rowBlock;
    this.columnBlock = columnBlock;
    const [x, y] = this.axes.op.operands as [Value, Value];
    const { left, right, rows, depth } = this.axes;
    this.isPackedByDepth = [
      !isContiguous(fused, x, left, lastOf(rows)),
      isContiguous(fused, y, right, lastOf(depth)),
    ];
    this.runs = [
      this.isPackedByDepth[0] ? runAlongDepth(fused, x, left, depth) : undefined,
      this.isPackedByDepth[1] ? runAlongDepth(fused, y, right, depth) : undefined,
    ];
    this.depthBlock = depthOfBlock(model.depthBlock, this.totalDepth, this.runs);
  }

  build(): ScheduledKernel {
    const { b, axes } = this;
    const result = axes.op.results[0]!;
    for (const stage of this.group.stages) {
      for (const store of stage.stores) if (store.value !== result) b.computeHere(store.value);
    }
    const grid: Int[] = [];
    const batch = axes.batch.filter((v) => v !== zero);
    const nestBatch = (axis: number): void => {
      if (axis < batch.length) {
        grid.push(extentOf(batch[axis]!));
        b.loop('batch', extentOf(batch[axis]!), 'grid', (i) => {
          this.renaming.set(nameOf(batch[axis]!), i);
          nestBatch(axis + 1);
        });
        return;
      }
      this.block('row_block', this.totalRows, this.rowBlock, grid, (rowStart, rows) => {
        this.block(
          'column_block',
          this.totalColumns,
          this.columnBlock,
          grid,
          (columnStart, columns) => {
            this.tile(rowStart, rows, columnStart, columns);
          },
        );
      });
    };
    nestBatch(0);
    return b.finish({
      ...this.label,
      grid: grid.length === 0 ? [one] : grid,
      schedule: 'contraction',
    });
  }

  private block(
    name: string,
    total: Int,
    size: number,
    grid: Int[],
    body: (start: Int, extent: Int) => void,
  ): void {
    const constant = constantValue(total);
    if (constant !== undefined && constant <= size) {
      body(zero, total);
      return;
    }
    const blocks = ceildiv(total, int(size));
    grid.push(blocks);
    this.b.loop(name, blocks, 'grid', (i) => {
      const start = multiply(i, int(size));
      body(
        start,
        constant !== undefined && constant % size === 0
          ? int(size)
          : min(int(size), subtract(total, start)),
      );
    });
  }

  private tile(rowStart: Int, rows: Int, columnStart: Int, columns: Int): void {
    const { b, model } = this;
    const { rowBlock, columnBlock, depthBlock } = this;
    const c = b.allocate('tile', 'f32', 'scratch', int(rowBlock * columnBlock));
    const packedA = b.allocate('packed_a', 'f32', 'scratch', int(rowBlock * depthBlock));
    const packedB = b.allocate('packed_b', 'f32', 'scratch', int(depthBlock * columnBlock));
    const strips = ceildiv(rows, int(model.rows));
    const inPlace = this.rowsInPlace();
    const fullStrips = inPlace === undefined ? zero : floordiv(rows, int(model.rows));
    const panels = ceildiv(columns, int(model.columns));
    const depth = constantValue(this.totalDepth);
    const isOneBlock = depth !== undefined && depth <= depthBlock;

    const depthStep = (start: Int, extent: Int): void => {
      this.packB(packedB, columnStart, panels, start, extent);
      const packedStrips = subtract(strips, fullStrips);
      const byRows = this.packA(packedA, rowStart, fullStrips, packedStrips, start, extent);
      b.loop('panel', panels, 'serial', (panel) => {
        const multiplyStrip = (
          strip: Int,
          a: Pick<MicroKernel, 'a' | 'aOffset' | 'aRowStride' | 'aDepthStride'>,
        ): void => {
          b.emit({
            kind: 'micro-kernel',
            ...a,
            b: packedB,
            bOffset: multiply(panel, int(model.columns * depthBlock)),
            c,
            cOffset: add(
              multiply(strip, int(model.rows * columnBlock)),
              multiply(panel, int(model.columns)),
            ),
            cStride: int(columnBlock),
            depth: extent,
            rows: model.rows,
            columns: model.columns,
            accumulate: !isOneBlock,
          });
        };
        if (inPlace !== undefined) {
          b.loop('strip', fullStrips, 'serial', (strip) => {
            multiplyStrip(strip, {
              a: inPlace.buffer,
              aOffset: inPlace.address(add(rowStart, multiply(strip, int(model.rows))), start),
              aRowStride: inPlace.rowStride,
              aDepthStride: one,
            });
          });
        }
        if (packedStrips === zero) return;
        b.loop('strip', packedStrips, 'serial', (strip) => {
          multiplyStrip(add(fullStrips, strip), {
            a: packedA,
            aOffset: multiply(strip, int(model.rows * depthBlock)),
            aRowStride: byRows ? int(depthBlock) : one,
            aDepthStride: byRows ? one : int(model.rows),
          });
        });
      });
    };
    if (isOneBlock) depthStep(zero, this.totalDepth);
    else {
      b.loop('z', multiply(strips, int(model.rows * columnBlock)), 'vector', (z) => {
        b.emit({
          kind: 'store',
          buffer: c,
          index: z,
          value: { kind: 'constant', dtype: 'f32', value: 0 },
        });
      });
      b.loop('depth_block', ceildiv(this.totalDepth, int(depthBlock)), 'serial', (block) => {
        const start = multiply(block, int(depthBlock));
        const isExact = depth !== undefined && depth % depthBlock === 0;
        depthStep(
          start,
          isExact ? int(depthBlock) : min(int(depthBlock), subtract(this.totalDepth, start)),
        );
      });
    }
    this.epilogue(c, rowStart, rows, columnStart, columns);
  }

  private packingCost(): PackingCost {
    const [, y] = this.axes.op.operands as [Value, Value];
    const isTransposed = isContiguous(this.fused, y, this.axes.right, lastOf(this.axes.depth));
    return { left: copyCost, right: isTransposed ? transposeCost : copyCost };
  }

  /** Decides whether the left operand is read where it is instead of being packed. */
  private rowsInPlace(): InPlace | undefined {
    const { axes } = this;
    const x = axes.op.operands[0]!;
    const columns = constantValue(this.totalColumns);
    if (columns === undefined || columns > columnsWorthPacking) return undefined;
    const tensor = viewedTensor(this.fused, x);
    if (tensor === undefined || tensor.type.dtype !== 'f32') return undefined;
    const row = indexVariable('row_in_place', this.totalRows);
    const depth = indexVariable('depth_in_place', this.totalDepth);
    this.bind(axes.rows, row);
    this.bind(axes.depth, depth);
    const [read] = memoryReads(this.fused).readsAt(x, rename(axes.left, this.renaming));
    if (read?.value !== tensor) return undefined;
    const address = linearIndex(read.index, tensor.type.shape);
    const byDepth = linearIn(address, nameOf(depth));
    const byRow = byDepth && linearIn(byDepth.rest, nameOf(row));
    if (byDepth?.coefficient !== one || byRow === undefined) return undefined;
    const { coefficient: rowStride, rest: start } = byRow;
    return {
      buffer: this.b.readFrom(tensor),
      rowStride,
      address: (r, k) => add(add(start, multiply(r, rowStride)), k),
    };
  }

  /** Binds the axes of one role at a flat position. */
  private bind(axes: readonly Int[], flat: Int): void {
    const real = axes.filter((v) => v !== zero);
    delinearize(flat, real.map(extentOf)).forEach((index, i) =>
      this.renaming.set(nameOf(real[i]!), index),
    );
  }

  /** An index variable that is in range of `total` by its guard: what division may rely on. */
  private guarded(
    position: Int,
    total: Int,
    read: () => ReturnType<KernelBuilder['at']>,
  ): ReturnType<KernelBuilder['at']> {
    return this.b.guard([{ value: position, extent: total }], read, {
      kind: 'constant',
      dtype: 'f32',
      value: 0,
    });
  }

  /** packed[(panel*depthBlock + k)*columns + j] = b[k, column], zero past the edge. */
  private packB(packed: Buffer, columnStart: Int, panels: Int, depthStart: Int, depth: Int): void {
    const { b, axes, model } = this;
    const y = axes.op.operands[1]!;
    const byDepth = this.isPackedByDepth[1];
    const isExact = (constantValue(this.totalColumns) ?? 1) % model.columns === 0;
    const element = (panel: Int, k: Int, j: Int): void => {
      const column = add(columnStart, add(multiply(panel, int(model.columns)), j));
      this.bind(axes.columns, column);
      this.bind(axes.depth, add(depthStart, k));
      const read = (): ReturnType<KernelBuilder['at']> =>
        b.at(y, rename(axes.right, this.renaming));
      const index = add(
        multiply(add(multiply(panel, int(this.depthBlock)), k), int(model.columns)),
        j,
      );
      b.emit({
        kind: 'store',
        buffer: packed,
        index,
        value: isExact ? read() : this.guarded(column, this.totalColumns, read),
      });
    };
    b.loop('panel', panels, 'serial', (panel) => {
      if (byDepth) {
        b.loop('j', int(model.columns), 'serial', (j) =>
          this.alongDepth(depth, this.runs[1], (k) => element(panel, k, j)),
        );
      } else {
        b.loop('k', depth, 'serial', (k) =>
          b.loop('j', int(model.columns), 'vector', (j) => element(panel, k, j)),
        );
      }
    });
  }

  /** A loop over the depth of a block, run by run where several make a block. */
  private alongDepth(depth: Int, run: number | undefined, body: (k: Int) => void): void {
    const { b } = this;
    if (run === undefined || run === this.depthBlock || this.depthBlock % run !== 0) {
      b.loop('k', depth, 'vector', body);
      return;
    }
    b.loop('run', floordiv(depth, int(run)), 'serial', (n) =>
      b.loop('k', int(run), 'vector', (k) => body(add(multiply(n, int(run)), k))),
    );
  }

  /** Strips of rows, each row-major when the depth is contiguous in memory (returns true), else depth-major. */
  private packA(
    packed: Buffer,
    rowStart: Int,
    firstStrip: Int,
    strips: Int,
    depthStart: Int,
    depth: Int,
  ): boolean {
    const { b, axes, model } = this;
    const x = axes.op.operands[0]!;
    const byDepth = this.isPackedByDepth[0];
    const isExact = (constantValue(this.totalRows) ?? 1) % model.rows === 0;
    const element = (strip: Int, k: Int, r: Int): void => {
      const row = add(rowStart, add(multiply(add(firstStrip, strip), int(model.rows)), r));
      this.bind(axes.rows, row);
      this.bind(axes.depth, add(depthStart, k));
      const read = (): ReturnType<KernelBuilder['at']> => b.at(x, rename(axes.left, this.renaming));
      const inside = byDepth
        ? add(multiply(r, int(this.depthBlock)), k)
        : add(multiply(k, int(model.rows)), r);
      const index = add(multiply(strip, int(model.rows * this.depthBlock)), inside);
      b.emit({
        kind: 'store',
        buffer: packed,
        index,
        value: isExact ? read() : this.guarded(row, this.totalRows, read),
      });
    };
    if (strips === zero) return byDepth;
    b.loop('strip', strips, 'serial', (strip) => {
      if (byDepth) {
        b.loop('r', int(model.rows), 'serial', (r) =>
          this.alongDepth(depth, this.runs[0], (k) => element(strip, k, r)),
        );
      } else {
        b.loop('k', depth, 'serial', (k) =>
          b.loop('r', int(model.rows), 'vector', (r) => element(strip, k, r)),
        );
      }
    });
    return byDepth;
  }

  private epilogue(c: Buffer, rowStart: Int, rows: Int, columnStart: Int, columns: Int): void {
    const { b, axes } = this;
    const result = axes.op.results[0]!;
    b.loop('r', rows, 'serial', (r) => {
      this.bind(axes.rows, add(rowStart, r));
      b.loop('j', columns, 'vector', (j) => {
        this.bind(axes.columns, add(columnStart, j));
        const element = b.loadFrom(c, add(multiply(r, int(this.columnBlock)), j));
        b.setOnChip(result, () => element);
        for (const stage of this.group.stages) {
          for (const store of stage.stores) {
            const index = rename(store.index, this.renaming);
            b.store(store.value, index, b.at(store.value, index));
          }
        }
      });
    });
  }
}
