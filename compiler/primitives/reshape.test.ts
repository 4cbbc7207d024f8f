import { describe, expect, test } from 'vitest';
import {
  dimVariable,
  evaluate,
  type Int,
  indexVariable,
  int,
  multiply,
  print,
} from '../symbolic/integer.ts';
import { reshapeIndex } from './reshape.ts';

const [B, H, D] = ['B', 'H', 'D'].map(dimVariable) as [Int, Int, Int];

function indices(shape: readonly Int[]): readonly Int[] {
  return shape.map((size, axis) => indexVariable(`i${axis}`, size));
}

function mapIndex(from: readonly Int[], to: readonly Int[]): readonly string[] {
  return reshapeIndex(indices(from), from, to).map(print);
}

describe('reshapeIndex', () => {
  test('merges axes without a division', () => {
    expect(mapIndex([B, H, D], [B, multiply(H, D)])).toEqual(['i0', 'i1*D + i2']);
  });

  test('splits an axis without touching the others', () => {
    expect(mapIndex([B, multiply(H, D)], [B, H, D])).toEqual([
      'i0',
      'floordiv(i1, D)',
      'mod(i1, D)',
    ]);
  });

  test('drops and inserts axes of size 1', () => {
    expect(mapIndex([B, int(1), D], [B, D])).toEqual(['i0', 'i2']);
    expect(mapIndex([B, D], [int(1), B, D, int(1)])).toEqual(['0', 'i0', 'i1', '0']);
  });

  test('undoes itself', () => {
    const from = [B, multiply(H, D)];
    const to = [B, H, D];
    expect(reshapeIndex(reshapeIndex(indices(from), from, to), to, from).map(print)).toEqual([
      'i0',
      'i1',
    ]);
  });

  test('goes through the linear index where groups do not match', () => {
    const from = [int(4), int(6)];
    const to = [int(3), int(8)];
    const mapped = reshapeIndex(indices(from), from, to);
    for (let i = 0; i < 24; i++) {
      const place = new Map([
        ['i0', Math.floor(i / 6)],
        ['i1', i % 6],
      ]);
      const found = mapped.map((index) => evaluate(index, (name) => place.get(name)));
      expect(found).toEqual([Math.floor(i / 8), i % 8]);
    }
  });
});
