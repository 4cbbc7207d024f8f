/**
 * argsort of few long rows on Metal, by all threadgroups together: tiles are sorted in threadgroup memory, then runs are merged many
 * at a time, a kernel a merge. A thread finds the place of its element by binary search in every other run of the merge.
 *
 *   kernel 1, threadgroup (row, tile):   sorts 1024 elements
 *   kernel 2..., thread (row, i):        place = own place in its run + elements before it in the other runs
 *
 * With rows of unknown length there are as many merges as the longest row needs; on a row that is one run already, a merge copies.
 */
import type { FusedFunction } from '../../passes/fused-group.ts';
import {
  add,
  ceildiv,
  constantValue,
  floordiv,
  type Int,
  int,
  min,
  mod,
  multiply,
  product,
  subtract,
} from '../../symbolic/integer.ts';
import { makeValue } from '../../tensor-ir/builder.ts';
import type { Value } from '../../tensor-ir/program.ts';
import { delinearize } from '../flatten.ts';
import { KernelBuilder, type ScheduledKernel } from '../kernel-builder.ts';
import type { KernelLabel } from '../schedule.ts';
import { defaultThreads } from './layout.ts';
import { spread } from './map.ts';
import { call, countBefore, i32, indexScalar, mergeElement, onChip } from './merge-runs.ts';
import type { Sort } from './sort.ts';

/** Elements of a tile: 2^tileBits. */
const tileBits = 10;
const tile = 1 << tileBits;
/** Runs that each merge joins, as bits; together with a tile they make 2^31 elements, more than a row may have. */
const mergeBits = [5, 5, 5, 6];

/** Keys and places between two kernels. */
interface Stored {
  readonly keys: Value;
  readonly places: Value;
}

export function scheduleLongSort(
  fused: FusedFunction,
  s: Sort,
  label: KernelLabel,
): readonly ScheduledKernel[] {
  const shape = [...s.rest, s.count];
  const stored = (): Stored => ({
    keys: makeValue({ dtype: s.type, shape }, 'keys'),
    places: makeValue({ dtype: 'i32', shape }, 'places'),
  });
  const length = constantValue(s.count) ?? Infinity;
  let from = stored();
  const kernels = [sortTiles(fused, s, label, from)];
  let runBits = tileBits;
  mergeBits.forEach((bits, i) => {
    if (2 ** runBits >= length) return;
    const isLast = i === mergeBits.length - 1 || 2 ** (runBits + bits) >= length;
    const to = isLast ? undefined : stored();
    const own = { ...label, name: `${label.name}_merge_${i + 1}` };
    kernels.push(mergeRuns(fused, s, own, runBits, bits, from, to));
    if (to !== undefined) from = to;
    runBits += bits;
  });
  return kernels;
}

/** Sorts each tile of each row. */
function sortTiles(fused: FusedFunction, s: Sort, label: KernelLabel, to: Stored): ScheduledKernel {
  const b = new KernelBuilder(fused, label.dims);
  const tiles = ceildiv(s.count, int(tile));
  const grid = [...s.rest, tiles];
  const nest = (index: readonly Int[]): void => {
    if (index.length < grid.length) {
      b.loop('i', grid[index.length]!, 'grid', (i) => nest([...index, i]));
      return;
    }
    const point = index.slice(0, -1);
    const start = multiply(index.at(-1)!, int(tile));
    const count = b.letInteger('count', min(int(tile), subtract(s.count, start)), int(tile + 1));
    const copies = onChip(b, s.type, tile);
    const barrier = (): void => b.emit({ kind: 'barrier', device: false });
    b.loop('i', count, 'threads', (i) => {
      copies.store(int(0), i, s.key(b, point, add(start, i)), indexScalar(i));
    });
    barrier();
    b.loop('pass', int(tileBits), 'serial', (pass) => {
      const source = b.letInteger('from', mod(pass, int(2)), int(2));
      const target = b.letInteger('to', subtract(int(1), source), int(2));
      b.loop('i', count, 'threads', (i) => {
        mergeElement(b, count, copies, pass, source, target, i);
      });
      barrier();
    });
    b.loop('i', count, 'threads', (i) => {
      const { key, place } = copies.load(int(tileBits % 2), i);
      const at = [...point, add(start, i)];
      b.store(to.keys, at, key);
      b.store(to.places, at, call('add', place, indexScalar(start)));
    });
  };
  nest([]);
  return b.finish({ ...label, grid, threads: defaultThreads, schedule: 'sort' });
}

/** Merges 2^bits runs of 2^runBits elements at a time; without `to`, stores the places as the result. */
function mergeRuns(
  fused: FusedFunction,
  s: Sort,
  label: KernelLabel,
  runBits: number,
  bits: number,
  from: Stored,
  to: Stored | undefined,
): ScheduledKernel {
  const b = new KernelBuilder(fused, label.dims);
  const extents = [...s.rest, s.count];
  const width = int(2 ** runBits);
  const element = (flat: Int): void => {
    const index = delinearize(flat, extents).map((v, i) => b.letInteger('at', v, extents[i]!));
    const point = index.slice(0, -1);
    const i = index.at(-1)!;
    const key = b.let('key', b.load(from.keys, index));
    const runs = ceildiv(s.count, width);
    const run = b.letInteger('run', floordiv(i, width), runs);
    const first = b.letInteger(
      'first',
      multiply(floordiv(run, int(2 ** bits)), int(2 ** bits)),
      runs,
    );
    const joined = b.letInteger(
      'joined',
      min(int(2 ** bits), subtract(runs, first)),
      int(2 ** bits + 1),
    );
    const before = b.accumulator('before', 'i32', i32(0));
    b.loop('j', joined, 'serial', (j) => {
      const other = indexScalar(add(first, j));
      const own = indexScalar(run);
      b.if(call('ne', other, own), () => {
        const start = b.let('start', call('shift_left', other, i32(runBits)));
        const left = call('sub', indexScalar(s.count), start);
        const count = countBefore(b, key, {
          start,
          count: call('min', i32(2 ** runBits), left),
          steps: int(runBits + 1),
          ties: b.let('ties', call('lt', other, own)),
          load: (at) => b.load(from.keys, [...point, b.inPlace(() => b.index(at, s.count))]),
        });
        b.emit({ kind: 'assign', name: before.name, value: call('add', before, count) });
      });
    });
    // what comes before it in its own run, after where the first run starts
    const inMerge = subtract(i, multiply(subtract(run, first), width));
    const target = b.let('target', call('add', indexScalar(inMerge), before));
    const at = b.inPlace(() => b.index(target, s.count));
    const place = b.load(from.places, index);
    if (to === undefined) b.store(s.result, s.at(point, at), place);
    else {
      b.store(to.keys, [...point, at], key);
      b.store(to.places, [...point, at], place);
    }
  };
  const grid = spread(b, product(extents), 1, { around: (body) => body(), element });
  return b.finish({ ...label, grid: [grid], threads: defaultThreads, schedule: 'sort' });
}
