/** `dft` of every kind of length against its definition in doubles: the evaluator rounds nothing but the tables. */
import { describe, expect, test } from 'vitest';
import { checkSource } from '../../compiler/driver/check-source.ts';
import { nodeHost } from '../../compiler/driver/node-host.ts';
import { evaluateEntry } from '../../compiler/tensor-ir/evaluate.ts';
import { arrayOf, toNumbers } from '../../compiler/tensor-ir/nd-array.ts';

const lengths = [
  ...Array.from({ length: 17 }, (_, i) => i + 1),
  32,
  64,
  65,
  97,
  100,
  128,
  257,
  263,
  289,
  1000,
];
const host = nodeHost();

/** Numbers between -1 and 1. */
const numbers = (count: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => Math.fround(Math.sin(1 + 7 * i * i)));

function transformed(z: readonly number[], sign: number): readonly number[] {
  const n = z.length / 2;
  return Array.from({ length: n }).flatMap((_, k) => {
    let [re, im] = [0, 0];
    for (let j = 0; j < n; j++) {
      const angle = (sign * 2 * Math.PI * ((j * k) % n)) / n;
      const [c, s] = [Math.cos(angle), Math.sin(angle)];
      re += z[2 * j]! * c - z[2 * j + 1]! * s;
      im += z[2 * j]! * s + z[2 * j + 1]! * c;
    }
    return [re, im];
  });
}

function entryOf(size: string) {
  const text = `export fn f(z: c64[${size}]) -> (c64[${size}], c64[${size}]) { (dft(z), dft(z, inverse = true)) }`;
  const result = checkSource({ name: 'dft.mlx', text }, { host, targets: ['cpu'] });
  if (!result.ok) throw new Error(result.diagnostics.map((d) => d.message).join('\n'));
  return result.plain.entries[0]!;
}

function expectTransforms(entry: ReturnType<typeof entryOf>, n: number): void {
  const z = numbers(2 * n);
  const found = evaluateEntry(entry, [arrayOf('f32', [n, 2], [...z])], {}, new Map([['N', n]]));
  for (const [i, sign] of [-1, 1].entries()) {
    const wanted = transformed(z, sign);
    const size = Math.max(...wanted.map(Math.abs));
    const gap = Math.max(...toNumbers(found[i]!).map((x, k) => Math.abs(x - wanted[k]!)));
    expect(gap / size).toBeLessThan(1e-6);
  }
}

describe('dft', () => {
  test.each(lengths)('of length %i', (n) => {
    expectTransforms(entryOf(`${n}`), n);
  });

  test('of a length known only at run time', () => {
    const entry = entryOf('N');
    for (const n of [1, 2, 3, 8, 30, 101]) expectTransforms(entry, n);
  });
});
