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
 * neither: a thread an element counts the elements that come before its own.
 */
import type { KernelScalar } from '../../kernel-ir/program.ts';
import type { FusedFunction } from '../../passes/fused-group.ts';
import {
  add,
  constantValue,
  type Int,
  int,
  mod,
  multiply,
  product,
  subtract,
} from '../../symbolic/integer.ts';
import { makeValue } from '../../tensor-ir/builder.ts';
import { byteSize } from '../../tensor-ir/dtype.ts';
import type { Operation, Value } from '../../tensor-ir/program.ts';
import { delinearize } from '../flatten.ts';
import { KernelBuilder, type ScheduledKernel } from '../kernel-builder.ts';
import type { KernelLabel } from '../schedule.ts';
import { type KeyType, keyTypeOf, sortKey } from '../sort-key.ts';
import { defaultThreads, simdWidth } from './layout.ts';
import { spread } from './map.ts';

/** Rows up to this length: every element is compared with every other. */
const countedRow = 16;
/** Of keys and places, twice, in threadgroup memory. */
const threadgroupBytes = 24 * 1024;

interface Sort {
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
): ScheduledKernel {
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
  const length = constantValue(sort.count);
  return length !== undefined && length <= countedRow
    ? byCounting(fused, sort, label)
    : byMerging(fused, sort, label);
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

/** Two copies of the keys and places of a row. */
interface Copies {
  readonly load: (
    copy: Int,
    i: Int,
  ) => { readonly key: KernelScalar; readonly place: KernelScalar };
  readonly loadKey: (copy: Int, i: Int) => KernelScalar;
  readonly store: (copy: Int, i: Int, key: KernelScalar, place: KernelScalar) => void;
}

function byMerging(fused: FusedFunction, s: Sort, label: KernelLabel): ScheduledKernel {
  const b = new KernelBuilder(fused, label.dims);
  const length = constantValue(s.count);
  const bytes = 2 * (length ?? Infinity) * (byteSize(s.type) + byteSize('i32'));
  const isOnChip = bytes <= threadgroupBytes;
  const row = (point: readonly Int[]): void => {
    const copies = isOnChip ? onChip(b, s, length!) : inDeviceMemory(b, s, point);
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

function onChip(b: KernelBuilder, s: Sort, length: number): Copies {
  const keys = b.allocate('keys', s.type, 'threadgroup', int(2 * length));
  const places = b.allocate('places', 'i32', 'threadgroup', int(2 * length));
  const at = (copy: Int, i: Int): Int => add(multiply(copy, int(length)), i);
  const loadKey = (copy: Int, i: Int): KernelScalar => b.loadFrom(keys, at(copy, i));
  return {
    loadKey,
    load: (copy, i) => ({ key: loadKey(copy, i), place: b.loadFrom(places, at(copy, i)) }),
    store: (copy, i, key, place) => {
      b.emit({ kind: 'store', buffer: keys, index: at(copy, i), value: key });
      b.emit({ kind: 'store', buffer: places, index: at(copy, i), value: place });
    },
  };
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

/** Puts element i of sorted runs of 2^pass elements where it belongs in runs of twice that length. */
function mergeElement(
  b: KernelBuilder,
  count: Int,
  copies: Copies,
  pass: Int,
  from: Int,
  to: Int,
  i: Int,
): void {
  const bits = indexScalar(pass);
  const own = copies.load(from, i);
  const key = b.let('key', own.key);
  const place = b.let('place', own.place);
  const run = b.let('run', call('shift_right', indexScalar(i), bits));
  const isRight = b.let('is_right', call('ne', call('and', run, i32(1)), i32(0)));
  // where the other run starts
  const other = b.let('other', call('shift_left', call('xor', run, i32(1)), bits));
  const width = call('shift_left', i32(1), bits);
  const left = call('max', call('sub', indexScalar(count), other), i32(0));
  const low = b.accumulator('low', 'i32', i32(0));
  const high = b.accumulator('high', 'i32', call('min', width, left));
  b.loop('step', add(pass, int(1)), 'serial', () => {
    b.if(call('lt', low, high), () => {
      const middle = b.let('middle', call('shift_right', call('add', low, high), i32(1)));
      const at = b.inPlace(() => b.index(b.let('at', call('add', other, middle)), count));
      const probe = b.let('probe', copies.loadKey(from, at));
      const isTie = call('and', isRight, call('eq', probe, key));
      b.if(
        call('or', call('lt', probe, key), isTie),
        () => b.emit({ kind: 'assign', name: low.name, value: call('add', middle, i32(1)) }),
        () => b.emit({ kind: 'assign', name: high.name, value: middle }),
      );
    });
  });
  // the pair of runs starts where the left one does
  const pair = call('shift_left', call('shift_right', run, i32(1)), call('add', bits, i32(1)));
  const inRun = call('sub', indexScalar(i), call('shift_left', run, bits));
  const target = call('add', call('add', pair, inRun), low);
  const at = b.inPlace(() => b.index(b.let('target', target), count));
  copies.store(to, at, key, place);
}

function i32(value: number): KernelScalar {
  return { kind: 'constant', dtype: 'i32', value };
}

function indexScalar(value: Int): KernelScalar {
  const known = constantValue(value);
  return known === undefined ? { kind: 'index', dtype: 'i32', value } : i32(known);
}

function call(name: string, x: KernelScalar, y?: KernelScalar): KernelScalar {
  const dtype = ['eq', 'ne', 'lt'].includes(name) ? 'bool' : x.dtype;
  return { kind: 'call', name, dtype, args: y === undefined ? [x] : [x, y] };
}
