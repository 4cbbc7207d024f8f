/**
 * Cumulative operations on Metal. Many rows, or short ones: a thread a row, side by side where the axis is not innermost.
 * Else a threadgroup a row, tile by tile: each thread folds four neighbours, the threads' states are scanned in threadgroup
 * memory (Hillis & Steele 1986), and each thread runs along its four again from the state before them.
 *
 *   for row                                    grid
 *     carry = 0
 *     for tile
 *       s[t] = x[4t] + ... + x[4t + 3]         threads
 *       for d = 1, 2, 4, ...: s[t] = s[t - d] + s[t]
 *       y[4t + e] = carry + s[t - 1] + x[4t] + ... + x[4t + e]
 *       carry = carry + s[last]
 *
 * Few long rows are cut into chunks, in two kernels: the state of each chunk, then every chunk from the states of those before.
 * So are long rows side by side that are too few for a thread each to fill the machine; then a thread has a chunk.
 */
import type { Buffer, KernelScalar } from '../../kernel-ir/program.ts';
import type { FusedFunction } from '../../passes/fused-group.ts';
import { estimateSize } from '../../passes/materialize.ts';
import {
  add,
  ceildiv,
  constantValue,
  type Int,
  int,
  min,
  multiply,
  product,
  subtract,
  zero,
} from '../../symbolic/integer.ts';
import { makeValue } from '../../tensor-ir/builder.ts';
import type { Operation } from '../../tensor-ir/program.ts';
import { type Cumulative, cumulativeOf, elementAt, type FoldState } from '../cumulative.ts';
import { delinearize } from '../flatten.ts';
import { KernelBuilder, type ScheduledKernel } from '../kernel-builder.ts';
import type { KernelLabel } from '../schedule.ts';
import { defaultThreads, inRange, simdWidth, whereBelow } from './layout.ts';
import { spread } from './map.ts';

/** Neighbours that one thread folds. */
const perThread = 4;
/** Rows up to this length belong to one thread. */
const shortRow = 32;
/** This many rows fill the machine with a thread each. */
const manyRows = 1 << 13;
/** Fewer rows than this, if long, are cut into chunks. */
const fewRows = 16;
const chunkElements = 16384;
/** Rows side by side that are longer than this are cut into chunks. */
const longColumn = 256;
/** A dim of unknown size may well be this large where parallelism would be lost. */
const unknownDim = 1 << 16;

export function scheduleCumulative(
  fused: FusedFunction,
  op: Operation,
  label: KernelLabel,
): readonly ScheduledKernel[] {
  const c = cumulativeOf(op);
  const rows = estimateSize(product([...c.outer, ...c.inner]));
  const isInnermost = estimateSize(product(c.inner)) < simdWidth;
  const isShort = estimateSize(c.length) <= shortRow;
  if (!isInnermost && rows >= simdWidth * fewRows && rows < manyRows) {
    const length = estimateSize(c.length);
    if (length > longColumn) return columnsInChunks(fused, c, label, length);
  }
  if (isShort || rows >= manyRows || (!isInnermost && rows >= simdWidth * fewRows)) {
    return [byThread(fused, c, label)];
  }
  if (rows < fewRows && estimateSize(c.length, unknownDim) > chunkElements) {
    return inChunks(fused, c, label);
  }
  const schedule = 'cumulative';
  return [
    byThreadgroup(fused, c, 'results', { ...label, schedule }, [], (run) =>
      run.along(zero, c.length),
    ),
  ];
}

function byThread(fused: FusedFunction, c: Cumulative, label: KernelLabel): ScheduledKernel {
  const extents = [...c.outer, ...c.inner];
  return byPoint(fused, extents, { ...label, schedule: 'cumulative' }, (b, point) =>
    runSerially(b, c, point, accumulators(b, c.fold.running.identity), zero, c.length),
  );
}

/** A thread for each point of these extents. */
function byPoint(
  fused: FusedFunction,
  extents: readonly Int[],
  label: KernelLabel & { readonly schedule: string },
  body: (b: KernelBuilder, point: readonly Int[]) => void,
): ScheduledKernel {
  const b = new KernelBuilder(fused, label.dims);
  const element = (flat: Int): void =>
    body(
      b,
      delinearize(flat, extents).map((at, i) => b.letInteger('at', at, extents[i]!)),
    );
  const grid = spread(b, product(extents), 1, { around: (run) => run(), element });
  return b.finish({ ...label, grid: [grid], threads: defaultThreads });
}

/** One thread runs along a stretch of the row at `point` and stores its results. */
function runSerially(
  b: KernelBuilder,
  c: Cumulative,
  point: readonly Int[],
  state: Registers,
  start: Int,
  extent: Int,
): void {
  b.loop('p', extent, 'serial', (p) => {
    const position = start === zero ? p : b.letInteger('position', add(start, p), c.length);
    advance(b, state, c.fold.running.combine(state, elementAt(b, c, point, position)));
    b.store(c.result, c.indexOf(point, position), c.fold.result(state));
  });
}

/** Two kernels over chunks and rows, neighbours in neighbouring rows: the states of chunks, then their results from those before. */
function columnsInChunks(
  fused: FusedFunction,
  c: Cumulative,
  label: KernelLabel,
  length: number,
): readonly ScheduledKernel[] {
  // about as many chunks as elements in one
  const size = 2 ** Math.ceil(Math.log2(length) / 2);
  const extents = [ceildiv(c.length, int(size)), ...c.outer, ...c.inner];
  const partials = c.fold.identity.map(({ dtype }) =>
    makeValue({ dtype, shape: extents }, 'chunk_state'),
  );
  const stretch = (chunk: Int): readonly [start: Int, extent: Int] => {
    const start = multiply(chunk, int(size));
    return [start, min(int(size), subtract(c.length, start))];
  };
  const first = { ...label, schedule: 'cumulative chunks' };
  const states = byPoint(fused, extents, first, (b, [chunk, ...point]) => {
    const [start, extent] = stretch(chunk!);
    const state = accumulators(b, c.fold.identity);
    b.loop('p', extent, 'serial', (p) => {
      const position = b.letInteger('position', add(start, p), c.length);
      advance(b, state, c.fold.combine(state, elementAt(b, c, point, position)));
    });
    partials.forEach((partial, i) => {
      b.store(partial, [chunk!, ...point], state[i]!);
    });
  });
  const second = { ...label, name: `${label.name}_apply`, schedule: 'cumulative' };
  const results = byPoint(fused, extents, second, (b, [chunk, ...point]) => {
    const [start, extent] = stretch(chunk!);
    const { running } = c.fold;
    const state = accumulators(b, running.identity);
    b.loop('before', chunk!, 'serial', (before) => {
      const known = partials.map((partial) => b.load(partial, [before, ...point]));
      advance(b, state, running.combine(state, known));
    });
    runSerially(b, c, point, state, start, extent);
  });
  return [states, results];
}

/** Two kernels: the state of each chunk, then every chunk from the states of those before it. */
function inChunks(
  fused: FusedFunction,
  c: Cumulative,
  label: KernelLabel,
): readonly ScheduledKernel[] {
  const count = ceildiv(c.length, int(chunkElements));
  const shape = [...c.outer, ...c.inner, count];
  const partials = c.fold.identity.map(({ dtype }) => makeValue({ dtype, shape }, 'chunk_state'));
  const extentOf = (start: Int): Int => min(int(chunkElements), subtract(c.length, start));
  const first = { ...label, schedule: 'cumulative chunks' };
  const totals = byThreadgroup(fused, c, 'states', first, [count], (run, [chunk]) => {
    const start = multiply(chunk!, int(chunkElements));
    run.along(start, extentOf(start));
    run.b.if(inRange(run.thread, int(1)), () => {
      partials.forEach((p, i) => {
        run.b.store(p, [...run.point, chunk!], run.carry[i]!);
      });
    });
  });
  const second = { ...label, name: `${label.name}_apply`, schedule: 'cumulative' };
  const apply = byThreadgroup(fused, c, 'results', second, [count], (run, [chunk]) => {
    const { b, carry } = run;
    const start = multiply(chunk!, int(chunkElements));
    b.loop('before', chunk!, 'serial', (before) => {
      const state = partials.map((p) => b.load(p, [...run.point, before]));
      advance(b, carry, c.fold.running.combine(carry, state));
    });
    run.along(start, extentOf(start));
  });
  return [totals, apply];
}

type Registers = readonly (KernelScalar & { readonly name: string })[];

interface RowRun {
  readonly b: KernelBuilder;
  readonly thread: Int;
  /** The row: an index of the axes other than the one that it runs along. */
  readonly point: readonly Int[];
  /** The state so far, the same in every thread. */
  readonly carry: Registers;
  /** Runs along a stretch of the row; leaves the state after it in `carry`. */
  readonly along: (start: Int, extent: Int) => void;
}

/** Stores the results of the rows, or only works out the states of stretches. */
type Aim = 'results' | 'states';

function byThreadgroup(
  fused: FusedFunction,
  c: Cumulative,
  aim: Aim,
  label: KernelLabel & { readonly schedule: string },
  chunks: readonly Int[],
  body: (run: RowRun, chunk: readonly Int[]) => void,
): ScheduledKernel {
  const b = new KernelBuilder(fused, label.dims);
  const threads = threadsFor(c.length);
  const rest = [...c.outer, ...c.inner];
  const grid = [...rest, ...chunks];
  const nest = (index: readonly Int[]): void => {
    if (index.length < grid.length) {
      b.loop('i', grid[index.length]!, 'grid', (i) => nest([...index, i]));
      return;
    }
    const point = index.slice(0, rest.length);
    const carry = accumulators(b, (aim === 'results' ? c.fold.running : c.fold).identity);
    b.loop('t', int(threads), 'threads', (thread) => {
      const along = (start: Int, extent: Int): void =>
        tiles(b, c, aim, { thread, threads, point, carry }, start, extent);
      body({ b, thread, point, carry, along }, index.slice(rest.length));
    });
  };
  nest([]);
  return b.finish({ ...label, grid, threads });
}

/** Enough threads for a row of known length, a power of two. */
function threadsFor(length: Int): number {
  const wanted = Math.ceil((constantValue(length) ?? Infinity) / perThread);
  let threads = simdWidth;
  while (threads < wanted && threads < defaultThreads) threads *= 2;
  return threads;
}

/** Runs along a stretch, tile by tile. All threads of the threadgroup take part in every step. */
function tiles(
  b: KernelBuilder,
  c: Cumulative,
  aim: Aim,
  run: {
    readonly thread: Int;
    readonly threads: number;
    readonly point: readonly Int[];
    readonly carry: Registers;
  },
  start: Int,
  extent: Int,
): void {
  const { thread, threads, point, carry } = run;
  const { fold } = c;
  const allocate = (): readonly Buffer[] =>
    fold.identity.map((s) => b.allocate('states', s.dtype, 'threadgroup', int(threads)));
  const memory = [allocate(), allocate()] as const;
  const end = add(start, extent);
  const tile = threads * perThread;
  b.loop('tile', ceildiv(extent, int(tile)), 'serial', (at) => {
    const first = add(add(start, multiply(at, int(tile))), multiply(thread, int(perThread)));
    const each = (body: (position: Int, element: FoldState) => void): void => {
      b.loop('e', int(perThread), 'unroll', (e) => {
        whereBelow(b, 'p', add(first, e), end, false, (position) =>
          body(position, elementAt(b, c, point, position)),
        );
      });
    };
    const own = accumulators(b, fold.identity);
    each((_, element) => advance(b, own, fold.combine(own, element)));
    const total = scanThreads(b, c, memory, thread, threads, own);
    const stateOf = (t: Int): FoldState => total.map((s) => b.loadFrom(s, t));
    const states = aim === 'results' ? fold.running : fold;
    if (aim === 'results') {
      const state = accumulators(b, carry);
      const left = subtract(thread, int(1));
      b.if(inRange(left, int(threads)), () => {
        advance(b, state, states.combine(state, stateOf(left)));
      });
      each((position, element) => {
        advance(b, state, states.combine(state, element));
        b.store(c.result, c.indexOf(point, position), fold.result(state));
      });
    }
    advance(b, carry, states.combine(carry, stateOf(int(threads - 1))));
    b.emit({ kind: 'barrier', device: false });
  });
}

/** The states of all threads up to each one; returns the memory that holds them, after a barrier. */
function scanThreads(
  b: KernelBuilder,
  c: Cumulative,
  memory: readonly [readonly Buffer[], readonly Buffer[]],
  thread: Int,
  threads: number,
  own: Registers,
): readonly Buffer[] {
  const put = (to: readonly Buffer[]): void => {
    own.forEach((value, i) => {
      b.emit({ kind: 'store', buffer: to[i]!, index: thread, value });
    });
    b.emit({ kind: 'barrier', device: false });
  };
  let [from, to] = memory;
  put(from);
  for (let distance = 1; distance < threads; distance *= 2) {
    const source = from;
    const left = subtract(thread, int(distance));
    b.if(inRange(left, int(threads)), () => {
      const before = source.map((s) => b.loadFrom(s, left));
      advance(b, own, c.fold.combine(before, own));
    });
    put(to);
    [from, to] = [to, from];
  }
  return from;
}

function accumulators(b: KernelBuilder, state: FoldState): Registers {
  return state.map((s) => b.accumulator('state', s.dtype, s));
}

/** Registers take a new state, all computed from the old one. */
function advance(b: KernelBuilder, registers: Registers, next: FoldState): void {
  const values = next.length === 1 ? next : next.map((value) => b.let('next', value));
  values.forEach((value, i) => {
    b.emit({ kind: 'assign', name: registers[i]!.name, value });
  });
}
