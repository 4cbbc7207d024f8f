/** What the sorts of Metal share: two copies of keys and places that take turns, and the step that merges runs. */
import type { KernelScalar } from '../../kernel-ir/program.ts';
import { add, constantValue, type Int, int, multiply } from '../../symbolic/integer.ts';
import type { KernelBuilder } from '../kernel-builder.ts';
import type { KeyType } from '../sort-key.ts';

/** Two copies of the keys and places of a row. */
export interface Copies {
  readonly load: (
    copy: Int,
    i: Int,
  ) => { readonly key: KernelScalar; readonly place: KernelScalar };
  readonly loadKey: (copy: Int, i: Int) => KernelScalar;
  readonly store: (copy: Int, i: Int, key: KernelScalar, place: KernelScalar) => void;
}

/** In threadgroup memory, of `length` elements each. */
export function onChip(b: KernelBuilder, type: KeyType, length: number): Copies {
  const keys = b.allocate('keys', type, 'threadgroup', int(2 * length));
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

/** How many of the sorted keys from `start` on, of which there are `count`, come before `key`; equal ones do if `ties`. */
export function countBefore(
  b: KernelBuilder,
  key: KernelScalar,
  keys: {
    readonly start: KernelScalar;
    readonly count: KernelScalar;
    /** No more than this many halvings are needed. */
    readonly steps: Int;
    readonly ties: KernelScalar;
    readonly load: (at: KernelScalar) => KernelScalar;
  },
): KernelScalar {
  const low = b.accumulator('low', 'i32', i32(0));
  const high = b.accumulator('high', 'i32', keys.count);
  b.loop('step', keys.steps, 'serial', () => {
    b.if(call('lt', low, high), () => {
      const middle = b.let('middle', call('shift_right', call('add', low, high), i32(1)));
      const probe = b.let('probe', keys.load(b.let('at', call('add', keys.start, middle))));
      const isTie = call('and', keys.ties, call('eq', probe, key));
      b.if(
        call('or', call('lt', probe, key), isTie),
        () => b.emit({ kind: 'assign', name: low.name, value: call('add', middle, i32(1)) }),
        () => b.emit({ kind: 'assign', name: high.name, value: middle }),
      );
    });
  });
  return low;
}

/** Puts element i of sorted runs of 2^pass elements where it belongs in runs of twice that length. */
export function mergeElement(
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
  const low = countBefore(b, key, {
    start: other,
    count: call('min', width, left),
    steps: add(pass, int(1)),
    ties: isRight,
    load: (at) =>
      copies.loadKey(
        from,
        b.inPlace(() => b.index(at, count)),
      ),
  });
  // the pair of runs starts where the left one does
  const pair = call('shift_left', call('shift_right', run, i32(1)), call('add', bits, i32(1)));
  const inRun = call('sub', indexScalar(i), call('shift_left', run, bits));
  const target = call('add', call('add', pair, inRun), low);
  const at = b.inPlace(() => b.index(b.let('target', target), count));
  copies.store(to, at, key, place);
}

export function i32(value: number): KernelScalar {
  return { kind: 'constant', dtype: 'i32', value };
}

export function indexScalar(value: Int): KernelScalar {
  const known = constantValue(value);
  return known === undefined ? { kind: 'index', dtype: 'i32', value } : i32(known);
}

export function call(name: string, x: KernelScalar, y?: KernelScalar): KernelScalar {
  const dtype = ['eq', 'ne', 'lt'].includes(name) ? 'bool' : x.dtype;
  return { kind: 'call', name, dtype, args: y === undefined ? [x] : [x, y] };
}
