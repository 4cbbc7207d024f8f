/** Arithmetic on numbers known when compiling gives what the same arithmetic gives on tensors. */
import { expect, test } from 'vitest';
import { runSource } from '../support/run-source.ts';

const pairs: readonly (readonly [number, number])[] = [
  [1, 0.1],
  [5.3, 0.1],
  [-5.3, 2],
  [-5.3, -2.5],
  [7.5, -0.3],
  [1e16, 3.7],
  [-0.5, 3],
  [2.5, 0.5],
  [1.0000001, 1e7],
];

const operations = ['floor_divide(a, b)', 'remainder(a, b)', 'a % b', 'a ** b', 'power(a, b)'];

test.each(operations)('%s', (operation) => {
  const known = pairs.map(([x, y]) => {
    const text = (value: number): string => (Number.isInteger(value) ? `${value}.0` : `${value}`);
    return `f64(${operation.replace(/\ba\b/, `(${text(x)})`).replace(/\bb\b/, `(${text(y)})`)})`;
  });
  const source = `
    export fn known() -> (${pairs.map(() => 'f64').join(', ')}) { (${known.join(', ')}) }
    export fn open(a: f64[N], b: f64[N]) -> f64[N] { ${operation} }`;
  const operand = (at: 0 | 1) => ({
    dtype: 'f64' as const,
    shape: [pairs.length],
    data: pairs.map((pair) => pair[at]),
  });
  const folded = runSource(source, 'known', []).map((t) => t.data[0]);
  const [computed] = runSource(source, 'open', [operand(0), operand(1)]);
  expect(folded).toEqual([...computed!.data]);
});
