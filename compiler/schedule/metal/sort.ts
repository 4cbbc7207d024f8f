/**
 * argsort on Metal: a threadgroup sorts a row by merging sorted runs of 1, 2, 4, ... elements. In each pass every element finds its
 * place by itself: its place in its own run, plus the number of elements of the other run that come before it, by binary
 * search. Elements of the left run come before equal ones of the right, so the sort is stable.
 *
 *   for pass                                   until runs are as long as the row
 *     for i                                    threads
 *       n = number of keys of the other run before key[i]
 *       key'[start + i % 2^pass + n] = key[i]
 *
 * Two copies of keys and places take turns: in threadgroup memory for short rows, else in device memory. Very short rows need
 * neither: a thread an element counts the elements that come before its own. Few long rows are sorted by several kernels, see
 * long-sort.ts.
 */
import type { KernelScalar } from '../../kernel-ir/program.ts';
import type { FusedFunction } from '../../passes/fused-group.ts';
import { estimateSize } from '../../passes/materialize.ts';
import { constantValue, type Int, int, mod, product, subtract } from '../../symbolic/integer.ts';
import { makeValue } from '../../tensor-ir/builder.ts';
import { byteSize } from '../../tensor-ir/dtype.ts';
import type { Operation, Value } from '../../tensor-ir/program.ts';
import { delinearize } from '../flatten.ts';
import { KernelBuilder, type ScheduledKernel } from '../kernel-builder.ts';
import type { KernelLabel } from '../schedule.ts';
import { type KeyType, keyTypeOf, sortKey } from '../sort-key.ts';
import { defaultThreads, simdWidth } from './layout.ts';
import { scheduleLongSort } from './long-sort.ts';
import { spread } from './map.ts';
import { type Copies, call, i32, indexScalar, mergeElement, onChip } from './merge-runs.ts';

/** Rows up to this length: every element is compared with every other. */
const countedRow = 16;
/** Rows that a threadgroup each leaves most of the machine idle: long ones are shared by many. */
const fewRows = 256;
/** Of keys and places, twice, in threadgroup memory. */
const threadgroupBytes = 24 * 1024;

export interface Sort {
  readonly x: Value;
  readonly result: Value;
  readonly rest: readonly Int[];
  readonly count: Int;
  readonly type: KeyType;
  readonly at: (point: readonly Int[], i: Int) => readonly Int[];
  readonly key: (b: KernelBuilder, point: readonly Int[], i: Int) => KernelScalar;
}

export function scheduleSort(
  fused: FusedFunction,
  op: Operation,
  label: KernelLabel,
): readonly ScheduledKernel[] {
  const [x] = op.operands as [Value];
  const result = op.results[0]!;
  const axis = op.attrs['axis'] as number;
  const descending = op.attrs['descending'] as boolean;
  const { shape } = result.type;
  const at = (point: readonly Int[], i: Int): readonly Int[] => [
    ...point.slice(0, axis),
    i,
    ...point.slice(axis),
  ];
  const sort: Sort = {
    x,
    result,
    rest: shape.filter((_, i) => i !== axis),
    count: shape[axis]!,
    type: keyTypeOf(x.type.dtype),
    at,
    key: (b, point, i) => sortKey(b.at(x, at(point, i)), descending),
  };
  const length = constantValue(sort.count) ?? Infinity;
  if (length <= countedRow) return [byCounting(fused, sort, label)];
  const isLong = length > chipLength(sort.type);
  if (isLong && estimateSize(product(sort.rest)) < fewRows) {
    return scheduleLongSort(fused, sort, label);
  }
  return [byMerging(fused, sort, label)];
}

/** The longest row of which threadgroup memory holds two copies. */
function chipLength(type: KeyType): number {
  return Math.floor(threadgroupBytes / (2 * (byteSize(type) + byteSize('i32'))));
}

/** The place of an element is the number of those that come before it. */
function byCounting(fused: FusedFunction, s: Sort, label: KernelLabel): ScheduledKernel {
  const b = new KernelBuilder(fused, label.dims);
  const extents = [...s.rest, s.count];
  const element = (flat: Int): void => {
    const index = delinearize(flat, extents).map((v, i) => b.letInteger('at', v, extents[i]!));
    const point = index.slice(0, -1);
    const own = index.at(-1)!;
    const key = b.let('key', s.key(b, point, own));
    const before = b.accumulator('before', 'i32', i32(0));
    b.loop('j', s.count, 'serial', (j) => {
      const other = b.let('other', s.key(b, point, j));
      const isEarlier = call('lt', indexScalar(j), indexScalar(own));
      const isTie = call('and', call('eq', other, key), isEarlier);
      const comes: KernelScalar = {
        kind: 'convert',
        dtype: 'i32',
        value: call('or', call('lt', other, key), isTie),
      };
      b.emit({ kind: 'assign', name: before.name, value: call('add', before, comes) });
    });
    const place = b.inPlace(() => b.index(before, s.count));
    b.store(s.result, s.at(point, place), indexScalar(own));
  };
  const grid = spread(b, product(extents), 1, { around: (body) => body(), element });
  return b.finish({ ...label, grid: [grid], threads: defaultThreads, schedule: 'sort' });
}

function byMerging(fused: FusedFunction, s: Sort, label: KernelLabel): ScheduledKernel {
  const b = new KernelBuilder(fused, label.dims);
  const length = constantValue(s.count);
  const isOnChip = length !== undefined && length <= chipLength(s.type);
  const row = (point: readonly Int[]): void => {
    const copies = isOnChip ? onChip(b, s.type, length) : inDeviceMemory(b, s, point);
    const barrier = (): void => b.emit({ kind: 'barrier', device: !isOnChip });
    b.loop('i', s.count, 'threads', (i) => {
      copies.store(int(0), i, s.key(b, point, i), indexScalar(i));
    });
    barrier();
    const passes = passesFor(b, s.count);
    b.loop('pass', passes, 'serial', (pass) => {
      const from = b.letInteger('from', mod(pass, int(2)), int(2));
      const to = b.letInteger('to', subtract(int(1), from), int(2));
      b.loop('i', s.count, 'threads', (i) => mergeElement(b, s.count, copies, pass, from, to, i));
      barrier();
    });
    const sorted = b.letInteger('sorted', mod(passes, int(2)), int(2));
    b.loop('i', s.count, 'threads', (i) => {
      b.store(s.result, s.at(point, i), copies.load(sorted, i).place);
    });
  };
  const nest = (point: readonly Int[]): void => {
    const extent = s.rest[point.length];
    if (extent === undefined) row(point);
    else b.loop('row', extent, 'grid', (i) => nest([...point, i]));
  };
  nest([]);
  return b.finish({ ...label, grid: s.rest, threads: threadsFor(length), schedule: 'sort' });
}

function threadsFor(length: number | undefined): number {
  if (length === undefined) return defaultThreads;
  return Math.min(defaultThreads, simdWidth * Math.ceil(length / simdWidth));
}

/** How often runs double until they are as long as the row: the bits of count - 1. */
function passesFor(b: KernelBuilder, count: Int): Int {
  const length = constantValue(count);
  if (length !== undefined) return int(length < 2 ? 0 : 32 - Math.clz32(length - 1));
  const last = call('max', call('sub', indexScalar(count), i32(1)), i32(0));
  const bits = call('sub', i32(32), call('clz', last));
  return b.inPlace(() => b.index(b.let('bits', bits), int(33)));
}

function inDeviceMemory(b: KernelBuilder, s: Sort, point: readonly Int[]): Copies {
  const shape = [...s.rest, int(2), s.count];
  const keys = makeValue({ dtype: s.type, shape }, 'keys');
  const places = makeValue({ dtype: 'i32', shape }, 'places');
  const loadKey = (copy: Int, i: Int): KernelScalar => b.load(keys, [...point, copy, i]);
  return {
    loadKey,
    load: (copy, i) => ({ key: loadKey(copy, i), place: b.load(places, [...point, copy, i]) }),
    store: (copy, i, key, place) => {
      b.store(keys, [...point, copy, i], key);
      b.store(places, [...point, copy, i], place);
    },
  };
}
