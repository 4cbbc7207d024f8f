/**
 * The models of the samples take the first steps of training with the losses that JAX computes for the same keys and
 * data (test/golden/samples/losses.json, written by tools/goldens/samples.py), on the reference evaluator.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { evaluateEntry } from '../../compiler/tensor-ir/evaluate.ts';
import { arrayOf, type NdArray, scalarOf, toNumbers } from '../../compiler/tensor-ir/nd-array.ts';
import type { Entry } from '../../compiler/tensor-ir/program.ts';
import { compileSource } from '../support/run-source.ts';

const path = new URL('../golden/samples/losses.json', import.meta.url);
const goldens = JSON.parse(readFileSync(path, 'utf8')) as Record<string, readonly number[]>;

function entriesOf(sample: string): (name: string) => Entry {
  const url = new URL(`../../samples/${sample}.mlx`, import.meta.url);
  const { entries } = compileSource(readFileSync(url, 'utf8'));
  return (name) => entries.find((e) => e.name === name)!;
}

function count(n: number): readonly number[] {
  return Array.from({ length: n }, (_, i) => i);
}

/** Multiples of 1/16 in [0, 1] that look irregular enough. */
function pattern(size: number): readonly number[] {
  return count(size).map((i) => ((i * 7 + ((i * i) % 13)) % 17) / 16);
}

function integers(n: number, size: number): readonly number[] {
  return count(size).map((i) => (i * 5 + ((i * i) % 11)) % n);
}

/** The losses of a few steps: the state goes in first and comes out first, the loss is the last result. */
function train(
  init: Entry,
  step: Entry,
  seed: number,
  data: readonly NdArray[],
  steps: number,
): number[] {
  let state = evaluateEntry(init, [scalarOf('i32', seed)]);
  return count(steps).map(() => {
    const results = evaluateEntry(step, [...state, ...data]);
    state = results.slice(0, -1);
    return toNumbers(results.at(-1)!)[0]!;
  });
}

function expectLosses(found: readonly number[], golden: string): void {
  const wanted = goldens[golden]!;
  expect(found).toHaveLength(wanted.length);
  wanted.forEach((loss, i) => {
    expect(Math.abs(found[i]! / loss - 1), `step ${i}: ${found[i]}, not ${loss}`).toBeLessThan(
      1e-5,
    );
  });
}

test('the digits classifier', () => {
  const entry = entriesOf('digits/model');
  const data = [
    arrayOf('f32', [8, 64], pattern(512)),
    arrayOf('i32', [8], integers(10, 8)),
    scalarOf('f32', 0.01),
  ];
  expectLosses(train(entry('init'), entry('train_step'), 3, data, 4), 'digits');
});

test('the transformer block', () => {
  const entry = entriesOf('transformer/block');
  const x = pattern(640);
  const y = [...x.slice(320), ...x.slice(0, 320)];
  const data = [arrayOf('f32', [2, 5, 64], x), arrayOf('f32', [2, 5, 64], y)];
  expectLosses(train(entry('init'), entry('train_step'), 5, data, 2), 'block');
});

test('a small GPT', () => {
  const entry = entriesOf('gpt/gpt');
  const tokens = integers(65, 18);
  const targets = [...tokens.slice(0, 9).reverse(), ...tokens.slice(9).reverse()];
  const data = [arrayOf('i32', [2, 9], tokens), arrayOf('i32', [2, 9], targets)];
  expectLosses(train(entry('small_init'), entry('small_train_step'), 11, data, 3), 'gpt');
});
