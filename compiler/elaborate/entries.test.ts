/** Entries, modules, guards and names: what a program looks like from outside. */
import { describe, expect, test } from 'vitest';
import { checkText } from '../../test/support/check-text.ts';
import { print } from '../symbolic/integer.ts';
import { printFunction } from '../tensor-ir/print.ts';
import { verifyProgram } from '../tensor-ir/verify.ts';

function program(text: string, options: Parameters<typeof checkText>[3] = {}) {
  const checked = checkText(text, 'test.mlx', {}, options);
  expect(checked.problems).toEqual([]);
  verifyProgram(checked.program);
  return checked.program;
}

function messages(text: string, files: Readonly<Record<string, string>> = {}): readonly string[] {
  return checkText(text, 'test.mlx', files).problems.map((d) => `${d.code} ${d.message}`);
}

describe('entries', () => {
  test('are the exported functions whose types are concrete but for dims', () => {
    const { entries } = program(`
fn hidden(x: f32) -> f32 { x }
/// First line.
export fn plain(x: f32[B, 4], y: f32[N]) -> f32[N, B] { zeros() }
export fn generic<T: float>(x: T[N]) -> T[N] { x }
export fn shaped(x: f32[...S]) -> f32[...S] { x }
export fn apply(f: fn(f32) -> f32, x: f32) -> f32 { f(x) }
export fn axis(x: f32[N], axis: int) -> f32 { sum(x, axis = axis) }
export fn fixed(x: f32[N], axis: int = 0) -> f32 { sum(x, axis = axis) }
struct Many<L> { xs: [f32; L] }
export fn many(m: Many<L>) -> f32 { m.xs[0] }`);
    expect(entries.map((e) => e.name)).toEqual(['plain', 'fixed']);
    expect(entries[0]).toMatchObject({ doc: 'First line.', dims: ['B', 'N'] });
    expect(entries[1]!.parameters.map((p) => p.name)).toEqual(['x']);
  });

  test('that are named must be there, and concrete', () => {
    const text = 'export fn f<T: float>(x: T) -> T { x }\nexport fn good(x: f32) -> f32 { f(x) }';
    const { problems, program: made } = checkText(text, 'test.mlx', {}, { entries: ['f', 'god'] });
    expect(problems.map((d) => `${d.message} (${d.hint})`)).toEqual([
      'there is no exported function `god` (did you mean `good`?)',
      '`f` cannot be an entry point: it is generic in the dtype `T` (export a function that calls it with concrete types)',
    ]);
    expect(made.entries).toEqual([]);
  });

  test('dims can be set from outside, also those of array lengths', () => {
    const text = `
struct Many<L> { xs: [f32[N4]; L] }
export fn f(m: Many<L>, x: f32[B, 2*B]) -> f32[B] { m.xs[0] + sum(x, axis = 1) }`.replace(
      'N4',
      '4',
    );
    const { entries } = program(text, { dims: new Map([['L', 3], ['B', 4]]) }); // biome-ignore format: short
    expect(entries[0]!.func.parameters.map((p) => p.type.shape.map(print))).toEqual([
      ['4'],
      ['4'],
      ['4'],
      ['4', '8'],
    ]);
    expect(entries[0]!.dims).toEqual([]);
  });

  test('values carry the names of the source', () => {
    const { entries } = program(`
struct Linear { w: f32[2, 3], b: f32[3] }
export fn f(m: Linear, x: f32[2]) -> f32[3] { let scores = x @ m.w; let y = scores + m.b; y }`);
    expect(printFunction(entries[0]!.func)).toMatchInlineSnapshot(`
      "func f(%0.m_w: f32[2, 3], %1.m_b: f32[3], %2.x: f32[2]) {
        %3.scores = dot_general %2.x, %0.m_w {contracting = ((0), (0)), batch = ([], [])} : f32[3]
        %4.y = add %3.scores, %1.m_b : f32[3]
        return %4.y
      }
      "
    `);
  });

  test('a function called at equal types is elaborated once and copied', () => {
    const { entries } = program(`
fn layer<T: float>(x: T[N]) -> T[N] { let y = x * 2; y + 1 }
export fn f(x: f32[N]) -> f32[N] { x |> layer |> layer |> layer }`);
    const { body } = entries[0]!.func;
    expect(body).toHaveLength(12);
    // copies share what they need not own
    expect(body[4]!.attrs).toBe(body[0]!.attrs);
  });
});

describe('guards', () => {
  const guards = (text: string): readonly string[] =>
    program(text).entries[0]!.guards.map((g) => g.message);

  test('stand for what nothing proves', () => {
    expect(guards('export fn f(x: f32[N]) -> f32 { x[3] }')).toEqual(['the index needs N >= 4']);
    expect(guards('export fn f(x: f32[N, D]) -> f32[N, D/8] { zeros() }')).toEqual([
      'D must be divisible by 8',
    ]);
    expect(guards('export fn f(x: f32[N]) -> f32[2 * floordiv(N, 2)] { x }')).toEqual([
      'dim 0: N must equal 2*floordiv(N, 2)',
    ]);
  });

  test('where clauses are guards of the entry and facts inside', () => {
    const text = `
fn g(x: f32[N, D], h: int) -> f32[N, h, D/h] where D % h == 0 { reshape(x, (N, h, D / h)) }
export fn f(x: f32[N, D]) -> f32[N, 4, D/4] where D % 8 == 0, N >= 3 { g(x, 4) + x[0, 0] + x[2, 0] }`;
    expect(guards(text.replace('where D % h == 0 ', ''))).toEqual([
      'D % 8 == 0',
      'N >= 3',
      'the index needs D >= 1',
    ]);
  });

  test('a comparison of dims is a fact on its side', () => {
    const text = 'export fn f(x: f32[N]) -> f32 { if N > 3 { x[3] } else { 0.0 } }';
    expect(guards(text)).toEqual([]);
    expect(guards(text.replace('> 3', '> 2'))).toEqual(['the index needs N >= 4']);
  });

  test('equal dims become one', () => {
    const { entries } = program(
      'export fn f(x: f32[M], y: f32[2*N]) -> f32[M] where M == 2*N { x + y }',
    );
    expect(entries[0]).toMatchObject({ dims: ['N'], guards: [] });
  });

  test('unprovable conditions of a callee reach the caller', () => {
    const text = `
fn g(x: f32[N], y: f32[M]) -> f32 where N > M { sum(x) + sum(y) }
export fn f(x: f32[A], y: f32[B]) -> f32 { g(x, y) }`;
    expect(guards(text)).toEqual(['N > M']);
  });
});

describe('modules', () => {
  test('imports, private names, shadowing', () => {
    const files = {
      './a.mlx': 'fn helper(x: f32) -> f32 { x }\nexport fn twice(x: f32) -> f32 { helper(x) * 2 }',
    };
    expect(messages('import { twice as double } from "./a.mlx";\nexport fn f(x: f32) -> f32 { double(x) }', files)).toEqual([]);
    expect(messages('import { helper } from "./a.mlx";\nexport fn f(x: f32) -> f32 { helper(x) }', files)).toEqual([
      'MLX2007 "./a.mlx" does not export `helper`',
    ]);
    // a parameter shadows an import, a function shadows the prelude
    expect(messages('import { twice } from "./a.mlx";\nfn sum(x: f32) -> f32 { x }\nexport fn f(twice: f32) -> f32 { sum(twice) }', files)).toEqual([]);
  }); // biome-ignore format: lines of source

  test('problems of an imported file are reported in it', () => {
    const files = { './a.mlx': 'export fn g(x: f32[N]) -> f32 { x }' };
    const { problems } = checkText(
      'import { g } from "./a.mlx";\nexport fn f(x: f32[3]) -> f32 { g(x) }',
      'test.mlx',
      files,
    );
    expect(problems.map((d) => [d.code, d.span.file])).toEqual([['MLX2101', './a.mlx']]);
  });

  test('circles end in one error', () => {
    const files = {
      './a.mlx': 'import { b } from "./b.mlx";\nexport fn a(x: f32) -> f32 { b(x) }',
      './b.mlx': 'import { a } from "./a.mlx";\nexport fn b(x: f32) -> f32 { a(x) }',
    };
    expect(
      messages('import { a } from "./a.mlx";\nexport fn f(x: f32) -> f32 { a(x) }', files),
    ).toEqual(['MLX2006 modules import each other in a circle: ./a.mlx -> ./b.mlx -> ./a.mlx']);
  });
});

describe('problems', () => {
  test('inside the library the call is at fault', () => {
    const text =
      'import { softmax } from "std/nn";\nfn f(x: f32[3]) -> f32[3] { softmax(x, axis = 1) }';
    const [problem] = checkText(text).problems;
    expect(text.slice(problem!.span.start, problem!.span.end)).toBe('softmax(x, axis = 1)');
    expect(problem!.labels?.[0]).toMatchObject({ text: 'in `softmax` of "std/nn"' });
  });

  test('one mistake in a function is one error, however often it is called', () => {
    const text = `
fn g<T: float>(x: T[N]) -> T[N] { x + missing }
export fn a(x: f32[3]) -> f32[3] { g(x) + g(x) }
export fn b(x: f16[4]) -> f16[4] { g(g(x)) }`;
    expect(messages(text)).toEqual(['MLX2001 unknown name `missing`']);
  });
});

describe('calls in problems', () => {
  const labels = (text: string): readonly string[] =>
    checkText(text, 'test.mlx').problems.flatMap((d) => d.labels?.map((l) => l.text) ?? []);

  test('a body that its declaration shows to be wrong points at no call', () => {
    const text =
      'fn f(x: f32) -> f32 { x @ x }\nexport fn g(x: f32) -> f32 { f(x) + vmap(f)(ones(2))[0] }';
    expect(labels(text)).toEqual([]);
  });

  test('nor does an unknown name in a body that is elaborated for each call', () => {
    const text =
      'fn f(h: fn(f32) -> f32, x: f32) -> f32 { h(x) + z }\nexport fn g(x: f32) -> f32 { f(|y| y, x) }';
    expect(labels(text)).toEqual([]);
  });

  test('what only some instances get wrong points at the call', () => {
    const text = `fn f(x: f32[N]) -> f32[3] { x[:3] }
export fn good(x: f32[3]) -> f32[3] { f(x) }
export fn bad(x: f32[2]) -> f32[3] { f(x) }`;
    expect(labels(text)).toEqual(['in this call of `f`']);
  });
});
