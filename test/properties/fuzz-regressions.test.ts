/** What `npm run fuzz` found once, made small. Each goes through the whole compiler and agrees with the evaluator. */
import { expect, test } from 'vitest';
import { arrayOf, type NdArray } from '../../compiler/tensor-ir/nd-array.ts';
import { type BatchReport, runBatch } from '../../tools/fuzz/run.ts';

interface Regression {
  readonly source: string;
  readonly dims: Readonly<Record<string, number>>;
  readonly arguments: readonly NdArray[];
}

const none = arrayOf('f32', [0], []);

const regressions: Readonly<Record<string, Regression>> = {
  'a scalar that rides along with a kernel over no elements': {
    source: `export fn f(x: f32[N]) -> (i32, i32[N, 2]) {
  (full((), 2, dtype = i32), i32(x)[:, newaxis] * full((2,), 2, dtype = i32))
}`,
    dims: { N: 0 },
    arguments: [none],
  },
  'a scatter into no rows': {
    source: `export fn f(x: f32[N, 3]) -> f32[N, 3] { x.at[arange(3)].add(eye(3)) }`,
    dims: { N: 0 },
    arguments: [arrayOf('f32', [0, 3], [])],
  },
  'the diagonal of bools': {
    source: `export fn f(x: bool[2, 2]) -> bool[2] { diagonal(x) }`,
    dims: {},
    arguments: [arrayOf('bool', [2, 2], [true, true, true, false])],
  },
  'an element read before a loop that never runs': {
    source: `export fn f(x: bool[5, 1]) -> (f32[1, 0], f32[2, 0]) {
  let y = where(x, 0.5, f32(x))[1:3, :-1];
  (reshape(y, (1, 0)), y)
}`,
    dims: {},
    arguments: [arrayOf('bool', [5, 1], [true, true, true, false, true])],
  },
  'logaddexp in other dtypes': {
    source: `export fn f(x: f16[2], y: f16[2]) -> f16[2] { logaddexp(x, y) }`,
    dims: {},
    arguments: [arrayOf('f16', [2], [1, -2]), arrayOf('f16', [2], [0.5, 3])],
  },
};

test.each(Object.entries(regressions))('%s', async (_, { source, dims, arguments: args }) => {
  const found: BatchReport = await runBatch(
    [{ name: 'f', source, calls: [{ dims, arguments: args }], features: [] }],
    { model: 'avx2', isOptimized: false, metalEvery: 1 },
  );
  expect(found.failures.map((f) => `${f.stage}: ${f.message}`)).toEqual([]);
  expect(found.calls).toBeGreaterThan(0);
});
