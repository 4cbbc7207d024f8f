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
