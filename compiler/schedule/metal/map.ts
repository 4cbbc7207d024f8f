/**
 * Metal schedule of element-wise groups: a flat grid of threads, each with up to four elements a threadgroup apart, so that
 * neighbours load neighbours. What the four read is loaded first (preload.ts).
 *
 *   for block                                  grid
 *     for t < 256                              threads
 *       for e < 4                              unroll
 *         i = 1024*block + 256*e + t
 *         if i < N: x_held[e] = x[i]
 *       for e < 4                              unroll
 *         i = 1024*block + 256*e + t
 *         if i < N: y[i] = ... x_held[e] ...
 *
 * Where the flat index would have to be divided (a transposed operand), leading axes go to the grid instead, as long as the
 * axes that remain fill a threadgroup. When the last axis alone remains and its length is not known, a simdgroup has a line of 256
 * elements of it, so that short lines do not leave most of a threadgroup idle.
 */
import type { FusedFunction, FusedGroup } from '../../passes/fused-group.ts';
import { estimateSize } from '../../passes/materialize.ts';
import {
  add,
  ceildiv,
  constantValue,
  type Int,
  int,
  multiply,
  product,
} from '../../symbolic/integer.ts';
import { delinearize, dividesVariable } from '../flatten.ts';
import type { KernelBuilder, ScheduledKernel } from '../kernel-builder.ts';
import type { KernelLabel } from '../schedule.ts';
import { emitRiders, extentOf, nameOf, rename } from '../stage-program.ts';
import {
  builderOf,
  defaultThreads,
  gridLoops,
  isMultiple,
  simdWidth,
  whereBelow,
} from './layout.ts';
import { Preloads } from './preload.ts';

/** From this many elements on, a thread takes four: enough threads remain to fill the machine. */
const largeMap = 1 << 17;

export function scheduleMap(
  fused: FusedFunction,
  group: FusedGroup,
  label: KernelLabel,
): ScheduledKernel {
  const flat = build(fused, group, label, 0);
  if (!flat.divides) return flat.kernel;
  for (let outer = 1; outer < group.space.length; outer++) {
    const inner = product(group.space.slice(outer).map(extentOf));
    if (estimateSize(inner) < defaultThreads) break;
    if (outer === group.space.length - 1 && constantValue(inner) === undefined) {
      return byLines(fused, group, label);
    }
    const attempt = build(fused, group, label, outer);
    if (!attempt.divides) return attempt.kernel;
  }
  return flat.kernel;
}

/**
 * Elements that one thread takes: four when a map over `all` elements fills the machine with that, and the `inner` ones of
 * them along which threads lie are not fewer than a threadgroup then spans.
 */
function elementsPerThread(all: Int, inner: Int): number {
  const isLarge = estimateSize(all, 1 << 20) >= largeMap;
  return isLarge && estimateSize(inner, 1 << 20) >= 4 * defaultThreads ? 4 : 1;
}

/** Axes before `outer` are grid axes, the others one flat axis. */
function build(
  fused: FusedFunction,
  group: FusedGroup,
  label: KernelLabel,
  outer: number,
): { readonly kernel: ScheduledKernel; readonly divides: boolean } {
  const b = builderOf(fused, group, label);
  const stores = group.stages.flatMap((s) => s.stores);
  const leading = group.space.slice(0, outer);
  const inner = group.space.slice(outer);
  const extents = inner.map(extentOf);
  const total = product(extents);
  const renaming = new Map<string, Int>();
  const flatNames: string[] = [];
  const each = elementsPerThread(product(group.space.map(extentOf)), total);
  let preloads: Preloads | undefined;
  const bind = (i: Int): void => {
    if (inner.length > 0 && i.terms[0]?.powers.length === 1) flatNames.push(nameOf(i));
    delinearize(i, extents).forEach((index, axis) => renaming.set(nameOf(inner[axis]!), index));
  };
  const blocks = spread(b, total, each, {
    riders: (block, t) => {
      const outerTasks = leading.map((v) => renaming.get(nameOf(v))!);
      emitRiders(b, group.riders, [...outerTasks, block, t]);
    },
    around: (body) =>
      gridLoops(
        b,
        leading.map((v) => ({ name: nameOf(v), extent: extentOf(v) })),
        renaming,
        body,
      ),
    before: (load) => {
      preloads = new Preloads(b, fused, { row: [], reduces: [], stores }, each);
      if (preloads.isEmpty) return;
      load((i, e) => {
        bind(i);
        preloads?.load(e, renaming);
      });
    },
    element: (i, e) => {
      bind(i);
      preloads?.use(e, renaming);
      for (const store of stores) {
        const index = rename(store.index, renaming);
        b.store(store.value, index, b.at(store.value, index));
      }
    },
  });
  const divides = flatNames.some((name) => dividesVariable(b.statements, name));
  const grid = [...leading.map(extentOf), blocks];
  const threads = defaultThreads;
  return { kernel: b.finish({ ...label, grid, threads, schedule: 'map' }), divides };
}

/** Elements of a line that a lane takes. */
const perLane = 8;

/** A simdgroup for each stretch of a line along the last axis. */
function byLines(fused: FusedFunction, group: FusedGroup, label: KernelLabel): ScheduledKernel {
  const b = builderOf(fused, group, label);
  const stores = group.stages.flatMap((s) => s.stores);
  const renaming = new Map<string, Int>();
  const [line, last] = group.space.slice(-2) as [Int, Int];
  const leading = group.space.slice(0, -2);
  const simdgroups = defaultThreads / simdWidth;
  const stretch = int(perLane * simdWidth);
  const [lines, length] = [extentOf(line), extentOf(last)];
  const [lineBlocks, stretches] = [ceildiv(lines, int(simdgroups)), ceildiv(length, stretch)];
  const outer = leading.map((v) => ({ name: nameOf(v), extent: extentOf(v) }));
  gridLoops(b, outer, renaming, () => {
    b.loop('lines', lineBlocks, 'grid', (block) => {
      b.loop('stretch', stretches, 'grid', (at) => {
        b.loop('s', int(simdgroups), 'simdgroups', (s) => {
          const position = add(multiply(block, int(simdgroups)), s);
          whereBelow(b, 'line', position, lines, isMultiple(lines, simdgroups), (own) => {
            renaming.set(nameOf(line), own);
            b.loop('l', int(simdWidth), 'lanes', (l) => {
              emitRiders(b, group.riders, [
                ...outer.map((v) => renaming.get(v.name)!),
                ...[block, at, s, l],
              ]);
              const start = add(multiply(at, stretch), l);
              const over = (body: (e: Int) => void): void =>
                b.loop('e', int(perLane), 'unroll', (e) => {
                  const i = add(start, multiply(e, int(simdWidth)));
                  whereBelow(b, 'i', i, length, false, (index) => {
                    renaming.set(nameOf(last), index);
                    body(e);
                  });
                });
              const preloads = new Preloads(b, fused, { row: [], reduces: [], stores }, perLane);
              if (!preloads.isEmpty) over((e) => preloads.load(e, renaming));
              over((e) => {
                preloads.use(e, renaming);
                for (const store of stores) {
                  const index = rename(store.index, renaming);
                  b.store(store.value, index, b.at(store.value, index));
                }
              });
            });
          });
        });
      });
    });
  });
  const grid = [...outer.map((v) => v.extent), lineBlocks, stretches];
  return b.finish({ ...label, grid, threads: defaultThreads, schedule: 'map' });
}

/**
 * The loops of a flat map: `element` is called once with the index of an element below `total`. Returns the number of
 * threadgroups, the last extent of the grid; `around` opens the grid loops before it.
 */
export function spread(
  b: KernelBuilder,
  total: Int,
  each: number,
  parts: {
    readonly around: (body: () => void) => void;
    /** Emits what only the first thread of all does. */
    readonly riders?: (block: Int, t: Int) => void;
    /** Called before the loop over the elements; may open another loop over them, which comes before it. */
    readonly before?: (over: (element: (index: Int, e: Int) => void) => void) => void;
    /** `e` counts the elements of the thread. */
    readonly element: (index: Int, e: Int) => void;
  },
): Int {
  const span = defaultThreads * each;
  const blocks = ceildiv(total, int(span));
  parts.around(() => {
    b.loop('block', blocks, 'grid', (block) => {
      b.loop('t', int(defaultThreads), 'threads', (t) => {
        parts.riders?.(block, t);
        const start = multiply(block, int(span));
        const over = (element: (index: Int, e: Int) => void): void => {
          const at = (e: Int): void => {
            const position = add(add(start, multiply(e, int(defaultThreads))), t);
            whereBelow(b, 'i', position, total, isMultiple(total, span), (i) => element(i, e));
          };
          if (each === 1) at(int(0));
          else b.loop('e', int(each), 'unroll', at);
        };
        parts.before?.(over);
        over(parts.element);
      });
    });
  });
  return blocks;
}
