/** `can_cast` for every pair of dtypes, against NumPy's casting "safe"; bfloat16 by what it holds exactly. */
import { expect, test } from 'vitest';
import { dtypes } from '../../compiler/tensor-ir/dtype.ts';
import { runSource } from '../support/run-source.ts';

const safe: Readonly<Record<string, string>> = {
  i8: 'i16 i32 i64 f16 bf16 f32 f64',
  i16: 'i32 i64 f32 f64',
  i32: 'i64 f64',
  i64: 'f64',
  u8: 'i16 i32 i64 u16 u32 u64 f16 bf16 f32 f64',
  u16: 'i32 i64 u32 u64 f32 f64',
  u32: 'i64 u64 f64',
  u64: 'f64',
  f16: 'f32 f64',
  bf16: 'f32 f64',
  f32: 'f64',
  f64: '',
};

test('can_cast', () => {
  const pairs = dtypes.flatMap((from) => dtypes.map((to) => [from, to] as const));
  const calls = pairs.map(([from, to]) => `can_cast(${from}, ${to})`);
  const source = `export fn test() { array([${calls.join(', ')}]) }`;
  const wanted = pairs.map(([from, to]) => {
    const isSafe = from === to || from === 'bool' || safe[from]!.split(' ').includes(to);
    return [from, to, isSafe ? 1 : 0];
  });
  const found = runSource(source, 'test', [])[0]!.data;
  expect(pairs.map(([from, to], i) => [from, to, found[i]])).toEqual(wanted);
});

test('isdtype decides an `if`', () => {
  const source = `
fn half<T: number>(x: T[N]) { if isdtype(T, "integral") { floor_divide(x, 2) } else { x / 2 } }
export fn test() { (half(array([3, 4])), half(array([3.0, 4.0]))) }`;
  expect(runSource(source, 'test', []).map((t) => t.data)).toEqual([
    [1, 2],
    [1.5, 2],
  ]);
});
