/** Threadgroup memory in all the forms that Metal has, and barriers of no memory. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compile, type Launch } from '../driver/native.ts';
import { floats, halfValue, shorts, uints } from './numbers.ts';

const library = compile(readFileSync(new URL('shared.metal', import.meta.url), 'utf8'));

/** In several orders of threads. */
function run(launch: Launch): void {
  for (const seed of [1, 2, 3]) expect(library.run({ ...launch, seed })).toEqual([]);
}

test('a struct in a kernel that is one line', () => {
  const y = floats(32);
  run({ kernel: 'one_line', buffers: [y], grid: [1], threadgroup: [32] });
  expect(y).toEqual(floats(32, (i) => (i % 4) + 7));
});

test('several declarators, pointers among them, structs, atomics and two dimensions', () => {
  const y = floats(32);
  run({ kernel: 'declarators', buffers: [y], grid: [1], threadgroup: [32] });
  expect(y).toEqual(floats(32, (i) => 3 * (31 - i) + 100.5 + 32000));
});

test('declarations inside of loops and cases', () => {
  const y = floats(32);
  run({ kernel: 'blocks', buffers: [y, uints(1, () => 1)], grid: [1], threadgroup: [32] });
  expect(y).toEqual(floats(32, (i) => 3 + 3 * (31 - i) + 50));
});

test('lengths that follow from the arguments of a template', () => {
  const y = shorts(32);
  run({ kernel: 'sized_half', buffers: [y], grid: [1], threadgroup: [32] });
  expect(Array.from(y, halfValue)).toEqual(Array.from({ length: 32 }, (_, i) => 1131 - i));
});

test('a barrier of no memory orders reads before writes', () => {
  const y = floats(64);
  run({ kernel: 'reuse', buffers: [y], grid: [1], threadgroup: [64] });
  expect(y).toEqual(floats(64, (i) => 2 * (63 - (i ^ 1)) + 1));
});
