/**
 * Cumulative operations on the CPU: a task runs along a row, or along `lanes` neighbouring rows at once where the axis is not
 * innermost. Few long rows are cut into chunks, in two kernels: the state of each chunk, then the chunks themselves, each
 * starting from the states of those before it.
 *
 *   for row                                    grid
 *     s = 0
 *     for p: s = s + x[row, p]; y[row, p] = s
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
import {
  type Absorption,
  type Cumulative,
  cumulativeOf,
  elementAt,
  type FoldState,
} from '../cumulative.ts';
import { delinearize } from '../flatten.ts';
import { KernelBuilder, type ScheduledKernel } from '../kernel-builder.ts';
import type { KernelLabel } from '../schedule.ts';

/** Rows that one task takes side by side. */
const lanes = 256;
/** Rows side by side pay from this many on. */
const fewLanes = 8;
/** Fewer tasks than this leave workers idle. */
const fewTasks = 16;
const chunkElements = 16384;
/** A dim of unknown size may well be this large where parallelism would be lost. */
const unknownDim = 1 << 16;

export function scheduleCumulative(
  fused: FusedFunction,
  op: Operation,
  label: KernelLabel,
): readonly ScheduledKernel[] {
  const c = cumulativeOf(op, 'f64');
  const isWide = estimateSize(product(c.inner)) >= fewLanes;
  const rows = estimateSize(product([...c.outer, ...c.inner]));
  const tasks = isWide ? rows / lanes : rows;
  const isLong = estimateSize(c.length, unknownDim) > chunkElements;
  if (tasks >= fewTasks || !isLong) {
    const whole = { start: zero, extent: c.length };
    return [
      build(fused, c, c.fold.running, { ...label, schedule: 'cumulative' }, isWide, [], (run) =>
        run.along(whole, (point, position, state) => run.store(point, position, state)),
      ),
    ];
  }
  return inChunks(fused, c, label, isWide);
}

interface Stretch {
  readonly start: Int;
  readonly extent: Int;
}

/** Two kernels: the state of each chunk, then every chunk from the state of those before it. */
function inChunks(
  fused: FusedFunction,
  c: Cumulative,
  label: KernelLabel,
  isWide: boolean,
): readonly ScheduledKernel[] {
  const count = ceildiv(c.length, int(chunkElements));
  const shape = [...c.outer, count, ...c.inner];
  const partials = c.fold.identity.map(({ dtype }) => makeValue({ dtype, shape }, 'chunk_state'));
  const at = (point: readonly Int[], chunk: Int): readonly Int[] => [
    ...point.slice(0, c.axis),
    chunk,
    ...point.slice(c.axis),
  ];
  const stretchOf = (chunk: Int): Stretch => {
    const start = multiply(chunk, int(chunkElements));
    return { start, extent: min(int(chunkElements), subtract(c.length, start)) };
  };
  const totals = build(
    fused,
    c,
    c.fold,
    { ...label, schedule: 'cumulative chunks' },
    isWide,
    [count],
    (run, [chunk]) => {
      run.along(stretchOf(chunk!));
      run.each((point, state) => {
        partials.forEach((p, i) => {
          run.b.store(p, at(point, chunk!), state[i]!);
        });
      });
    },
  );
  const second = { ...label, name: `${label.name}_apply`, schedule: 'cumulative' };
  const apply = build(fused, c, c.fold.running, second, isWide, [count], (run, [chunk]) => {
    run.b.loop('before', chunk!, 'serial', (before) => {
      run.advance((point) => partials.map((p) => run.b.load(p, at(point, before))));
    });
    run.along(stretchOf(chunk!), (point, position, state) => run.store(point, position, state));
  });
  return [totals, apply];
}

/** A kernel whose tasks hold the states of the rows that they take. */
function build(
  fused: FusedFunction,
  c: Cumulative,
  states: Absorption,
  label: KernelLabel & { readonly schedule: string },
  isWide: boolean,
  chunks: readonly Int[],
  body: (run: RowRun, chunk: readonly Int[]) => void,
): ScheduledKernel {
  const b = new KernelBuilder(fused, label.dims);
  const width = product(c.inner);
  const blocks = isWide ? [ceildiv(width, int(lanes))] : c.inner;
  const grid = [...c.outer, ...chunks, ...blocks];
  const nest = (index: readonly Int[]): void => {
    if (index.length < grid.length) {
      b.loop('i', grid[index.length]!, 'grid', (i) => nest([...index, i]));
      return;
    }
    const outer = index.slice(0, c.axis);
    const chunk = index.slice(c.axis, c.axis + chunks.length);
    const inner = index.slice(c.axis + chunks.length);
    const run = isWide
      ? new WideRun(b, c, states, outer, multiply(inner[0]!, int(lanes)), width)
      : new NarrowRun(b, c, states, [...outer, ...inner]);
    body(run, chunk);
  };
  nest([]);
  return b.finish({ ...label, grid });
}

/** What a task does with the states of its rows. */
abstract class RowRun {
  readonly b: KernelBuilder;
  protected readonly c: Cumulative;
  protected readonly states: Absorption;

  constructor(b: KernelBuilder, c: Cumulative, states: Absorption) {
    this.b = b;
    this.c = c;
    this.states = states;
  }

  /** Calls `visit` with the point of each row and its state. */
  abstract each(visit: (point: readonly Int[], state: FoldState) => void): void;

  /** Combines more into the state of each row; `then` sees the new states. */
  abstract advance(
    more: (point: readonly Int[]) => FoldState,
    then?: (point: readonly Int[], state: FoldState) => void,
  ): void;

  /** Runs along a stretch of the rows. */
  along(
    { start, extent }: Stretch,
    then?: (point: readonly Int[], position: Int, state: FoldState) => void,
  ): void {
    this.b.loop('p', extent, 'serial', (p) => {
      const position = add(start, p);
      this.advance(
        (point) => elementAt(this.b, this.c, point, position),
        then && ((point, state) => then(point, position, state)),
      );
    });
  }

  store(point: readonly Int[], position: Int, state: FoldState): void {
    const { result, fold, indexOf } = this.c;
    this.b.store(result, indexOf(point, position), fold.result(state));
  }
}

/** One row, its state in registers. */
class NarrowRun extends RowRun {
  private readonly point: readonly Int[];
  private readonly state: readonly (KernelScalar & { readonly name: string })[];

  constructor(b: KernelBuilder, c: Cumulative, states: Absorption, point: readonly Int[]) {
    super(b, c, states);
    this.point = point;
    this.state = states.identity.map((s) => b.accumulator('state', s.dtype, s));
  }

  each(visit: (point: readonly Int[], state: FoldState) => void): void {
    visit(this.point, this.state);
  }

  advance(
    more: (point: readonly Int[]) => FoldState,
    then?: (point: readonly Int[], state: FoldState) => void,
  ): void {
    const { b, state } = this;
    const next = this.states.combine(state, more(this.point));
    // all from the old state before any register changes
    const values = next.length === 1 ? next : next.map((value) => b.let('next', value));
    values.forEach((value, i) => {
      b.emit({ kind: 'assign', name: state[i]!.name, value });
    });
    then?.(this.point, state);
  }
}

/** Neighbouring rows side by side, their states in arrays. */
class WideRun extends RowRun {
  private readonly outer: readonly Int[];
  private readonly start: Int;
  private readonly width: Int;
  private readonly memory: readonly Buffer[];

  constructor(
    b: KernelBuilder,
    c: Cumulative,
    states: Absorption,
    outer: readonly Int[],
    start: Int,
    width: Int,
  ) {
    super(b, c, states);
    this.outer = outer;
    this.start = start;
    this.width = min(int(lanes), subtract(width, start));
    const size = int(Math.min(lanes, constantValue(width) ?? lanes));
    const { identity } = states;
    this.memory = identity.map((s) => b.allocate('state', s.dtype, 'thread', size));
    this.loop((_, j) => this.put(j, identity));
  }

  each(visit: (point: readonly Int[], state: FoldState) => void): void {
    this.loop((point, j) => visit(point, this.get(j)));
  }

  advance(
    more: (point: readonly Int[]) => FoldState,
    then?: (point: readonly Int[], state: FoldState) => void,
  ): void {
    this.loop((point, j) => {
      const next = this.states.combine(this.get(j), more(point));
      const values = next.map((value) => this.b.let('next', value));
      this.put(j, values);
      then?.(point, values);
    });
  }

  private get(j: Int): FoldState {
    return this.memory.map((buffer) => this.b.loadFrom(buffer, j));
  }

  private put(j: Int, state: FoldState): void {
    this.memory.forEach((buffer, i) => {
      this.b.emit({ kind: 'store', buffer, index: j, value: state[i]! });
    });
  }

  private loop(body: (point: readonly Int[], j: Int) => void): void {
    this.b.loop('j', this.width, 'vector', (j) => {
      body([...this.outer, ...delinearize(add(this.start, j), this.c.inner)], j);
    });
  }
}
