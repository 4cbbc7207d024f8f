/** The library as a whole: every function elaborates by itself, every layer works in every float dtype. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { format } from '../../compiler/syntax/format.ts';
import { libraryFiles, readLibrary } from '../support/prelude.ts';
import { compileSource, runSource, type TestTensor } from '../support/run-source.ts';

test.each(libraryFiles)('%s', (file) => {
  const text = readLibrary(file);
  expect(format(text, file)).toEqual({ text });
  // as a file of a user, of which every function is checked
  expect(() => compileSource(text)).not.toThrow();
});

test('shapes of symbolic dims', () => {
  const text = readFileSync(new URL('../golden/stdlib/symbolic.mlx', import.meta.url), 'utf8');
  const { entries } = compileSource(text);
  const letters = entries.map((e) => e.name);
  expect(letters).toEqual([...'abcdefghijklmnop']);
  const x: TestTensor = { dtype: 'f32', shape: [8, 1], data: [1, 2, 3, 4, 5, 6, 7, 8] };
  expect(runSource(text, 'b', [x])[0]).toEqual({ ...x, shape: [1, 8] });
});

describe('in each dtype', () => {
  const text = readFileSync(new URL('../golden/stdlib/layers.mlx', import.meta.url), 'utf8');
  const scalar = (dtype: 'f32' | 'i32', value: number): TestTensor => ({
    dtype,
    shape: [],
    data: [value],
  });

  function train(dtype: string): { readonly loss: number; readonly count: number } {
    const ids: TestTensor = { dtype: 'i32', shape: [2, 3], data: [1, 2, 3, 4, 5, 9] };
    const results = runSource(text, `step_${dtype}`, [ids, scalar('i32', 4), scalar('f32', 0.01)]);
    // the squares of gradients that Adam keeps underflow in f16, as they do in torch
    const finite = dtype === 'f16' ? results.slice(-3) : results;
    for (const { data } of finite) expect(data.every(Number.isFinite)).toBe(true);
    const [count, loss] = results.slice(-4).map((t) => t.data[0]!);
    return { loss: loss!, count: count! };
  }

  const reference = train('f32');

  test.each(['f64', 'f16', 'bf16'])('a step of training in %s', (dtype) => {
    const { loss, count } = train(dtype);
    expect(count).toBe(3);
    // other random numbers, but the loss hardly depends on them
    expect(Math.abs(loss / reference.loss - 1)).toBeLessThan(0.01);
  });

  test.each(['f64', 'f16', 'bf16'])('random numbers in %s', (dtype) => {
    const [normal, gumbel, exponential, truncated, uniform] = runSource(text, `draw_${dtype}`, [
      scalar('i32', 4),
    ]).map((t) => t.data);
    for (const data of [normal, gumbel]) expect(data!.every(Number.isFinite)).toBe(true);
    expect(exponential!.every((x) => x >= 0 && x < 20)).toBe(true);
    expect(truncated!.every((x) => Math.abs(x) <= 2)).toBe(true);
    expect(uniform!.every((x) => x >= 0 && x < 1)).toBe(true);
    expect(new Set(uniform).size).toBeGreaterThan(12);
  });
});

describe('what narrow floats lose is kept in between', () => {
  const ramp = (dtype: 'f16' | 'bf16', shape: readonly number[], scale: number): TestTensor => ({
    dtype,
    shape,
    data: Array.from({ length: shape[0]! * shape[1]! }, (_, i) => scale * (((7 * i) % 8) - 3.5)),
  });

  test('norms of high order do not overflow', () => {
    const source = 'export fn f(x: f16[N]) { norm(x, ord = 6) }';
    const x: TestTensor = { dtype: 'f16', shape: [3], data: [10, 20, 30] };
    expect(runSource(source, 'f', [x])[0]!.data[0]).toBeCloseTo(30.4375, 2);
  });

  test.each(['f16', 'bf16'] as const)('attention in %s is that in f32, rounded once', (dtype) => {
    const source = `import { attention, causal_attention, scaled_dot_product_attention } from "std/nn";
      fn all<T: float>(q: T[4, 8], k: T[4, 8], v: T[4, 2]) {
        (attention(q, k, v), causal_attention(q, k, v),
         scaled_dot_product_attention(q, k, v, scale = 0.5, mask = q[:, :4], causal = true))
      }
      export fn narrow(q: ${dtype}[4, 8], k: ${dtype}[4, 8], v: ${dtype}[4, 2]) { all(q, k, v) }
      export fn wide(q: ${dtype}[4, 8], k: ${dtype}[4, 8], v: ${dtype}[4, 2]) {
        let (a, b, c) = all(f32(q), f32(k), f32(v));
        (${dtype}(a), ${dtype}(b), ${dtype}(c))
      }`;
    // scores of some tens: a rounding of theirs would be seen in what softmax makes of them
    const args = [ramp(dtype, [4, 8], 1.37), ramp(dtype, [4, 8], 0.71), ramp(dtype, [4, 2], 1)];
    expect(runSource(source, 'narrow', args)).toEqual(runSource(source, 'wide', args));
  });
});

test('the mantissa of frexp has a derivative, as in PyTorch', () => {
  const source = 'export fn f(x: f32[N]) { grad(|x| sum(frexp(x).0))(x) }';
  const x: TestTensor = { dtype: 'f32', shape: [5], data: [1, -3, 0.125, 0, 8] };
  expect(runSource(source, 'f', [x])[0]!.data).toEqual([0.5, 0.25, 4, 1, 0.0625]);
});
