/** Naming the entry points: the diagnostics that a source alone does not raise. */
import { expect, test } from 'vitest';
import { checkText } from '../support/check-text.ts';

const source = `
export fn twice<T: float>(x: T[N]) -> T[N] { x * 2 }
export fn half(x: f32[N]) -> f32[N] { x / 2 }
export fn apply(f: fn(f32) -> f32, x: f32) -> f32 { f(x) }
export fn descend<P: tree>(p: P) -> P { p }
`;

function problemsOf(...entries: string[]): readonly string[] {
  const { problems } = checkText(source, 'a.mlx', {}, { entries });
  return problems.map(({ code, message, hint }) => `${code} ${message} (${hint})`);
}

test('a generic function is no entry point when it is named', () => {
  expect(problemsOf('twice', 'apply', 'descend')).toEqual([
    'MLX2013 `twice` cannot be an entry point: it is generic in the dtype `T` (export a function that calls it with concrete types)',
    'MLX2013 `apply` cannot be an entry point: its parameter `f` is a function (export a function that calls it with concrete types)',
    'MLX2013 `descend` cannot be an entry point: it is generic in the tree `P` (export a function that calls it with concrete types)',
  ]);
});

test('an unknown name gets the nearest exported function', () => {
  expect(problemsOf('hlaf')).toEqual([
    'MLX2014 there is no exported function `hlaf` (did you mean `half`?)',
  ]);
});

test('without names the generic functions are left out', () => {
  const { problems, program } = checkText(source);
  expect(problems).toEqual([]);
  expect(program.entries.map((e) => e.name)).toEqual(['half']);
});
