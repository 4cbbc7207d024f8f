import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Diagnostics } from '../diagnostics/diagnostic.ts';
import { renderDiagnostic } from '../diagnostics/render.ts';
import type { Module } from './ast.ts';
import { validateGrammar } from './grammar.ts';
import { parse } from './parse.ts';

const golden = new URL('../../test/golden/syntax/', import.meta.url);

function problemsOf(text: string, name = 'a.mlx'): string[] {
  const sink = new Diagnostics();
  parse({ name, text }, sink);
  return sink.list.map((d) => renderDiagnostic(d, () => text, { color: false }));
}

function codesOf(text: string): string[] {
  const sink = new Diagnostics();
  parse({ name: 'a.mlx', text }, sink);
  return sink.list.map((d) => d.code);
}

function parsed(text: string): Module {
  const sink = new Diagnostics();
  const module = parse({ name: 'a.mlx', text }, sink);
  expect(sink.list).toEqual([]);
  return module;
}

/** An expression as text with all its brackets, to see how operators group. */
function shapeOf(expression: string): string {
  const [declaration] = parsed(`const x = ${expression};`).declarations;
  return declaration?.kind === 'const' ? show(declaration.value) : '';
}

function show(node: unknown): string {
  const e = node as Record<string, unknown> & { kind: string };
  const list = (items: unknown): string => (items as unknown[]).map(show).join(', ');
  switch (e.kind) {
    case 'number':
      return e['text'] as string;
    case 'name':
      return (e['name'] as { text: string }).text;
    case 'unary':
      return `(${e['operator']}${show(e['operand'])})`;
    case 'binary':
      return `(${show(e['left'])} ${e['operator']} ${show(e['right'])})`;
    case 'pipe':
      return `(${show(e['left'])} |> ${show(e['right'])})`;
    case 'call': {
      const types = e['typeArguments'] as unknown[];
      const values = (e['arguments'] as { value: unknown }[]).map((a) => a.value);
      return `${show(e['callee'])}${types.length > 0 ? `<${types.length}>` : ''}(${list(values)})`;
    }
    case 'field':
      return `${show(e['object'])}.${(e['name'] as { text: string }).text}`;
    case 'tuple-field':
      return `${show(e['object'])}.${e['index']}`;
    case 'tuple':
      return `tuple(${list(e['items'])})`;
    case 'lambda':
      return `λ(${show(e['body'])})`;
    default:
      return e.kind;
  }
}

test('the grammar passes the checks of chevrotain', () => {
  expect(() => validateGrammar()).not.toThrow();
});

describe('operators', () => {
  test.each([
    ['-x ** 2', '(-(x ** 2))'],
    ['2 ** -x ** y', '(2 ** (-(x ** y)))'],
    ['a + b * c @ d - e', '((a + ((b * c) @ d)) - e)'],
    ['a >> 2 + b & c ^ d | e', '((((a >> (2 + b)) & c) ^ d) | e)'],
    ['a | b == c && d || e |> f', '(((((a | b) == c) && d) || e) |> f)'],
    ['!a && -b < c', '((!a) && ((-b) < c))'],
    ['x |> f(a) |> |y| y + 1 |> g', '((x |> f(a)) |> λ(((y + 1) |> g)))'],
    ['f<4>(x)', 'f<1>(x)'],
    ['f<A<B<4>>, N>(x)', 'f<2>(x)'],
    ['f(a < b, c > (d))', 'f((a < b), (c > d))'],
    ['f(a<b, c>(d))', 'f(a<2>(d))'],
    ['a < b', '(a < b)'],
    ['t.0.1.w', 't.0.1.w'],
    ['x.at[i].set(v)', 'index.set(v)'],
    ['((a), (b,))', 'tuple(a, tuple(b))'],
    ['1_000 + 0xff + 1. + 1e-3', '(((1000 + 0xff) + 1.) + 1e-3)'],
  ])('%s', (source, expected) => {
    expect(shapeOf(source)).toBe(expected);
  });
});

test('documentation goes to declarations and fields', () => {
  const { declarations } = parsed(
    '/// One\n/// two\nexport fn f() {}\n// no\nstruct S {\n  /// a field\n  a: f32, b: f32 }\n',
  );
  expect(declarations[0]?.doc).toBe('One\ntwo');
  const struct = declarations[1];
  expect(struct?.kind === 'struct' && struct.fields.map((f) => f.doc)).toEqual(['a field', '']);
});

test('contextual words stay names', () => {
  parsed(
    'fn f(var: f32, from: f32) -> f32 where N == 2 { var v = var; let where = where(a, b, c); var(from) }',
  );
});

describe('golden problems', () => {
  for (const file of readdirSync(golden).filter((name) => name.endsWith('.mlx'))) {
    test(file, async () => {
      const text = readFileSync(new URL(file, golden), 'utf8');
      const problems = `${problemsOf(text, file).join('\n\n')}\n`;
      const path = new URL(file.replace('.mlx', '.problems'), golden).pathname;
      await expect(problems).toMatchFileSnapshot(path);
    });
  }
});

describe('one typo, one problem', () => {
  const body = 'let a = f(x, 1);\n  for i in 0..n { s += a[i]; }\n  if c { a } else { b }';
  test.each([
    ['a missing comma', body.replace('x, 1', 'x 1')],
    ['a missing bracket', body.replace('1);', '1;')],
    ['a bracket too many', body.replace('1);', '1));')],
    ['a missing semicolon', body.replace('1);', '1)')],
    ['a missing operand', body.replace('x, 1', 'x + , 1')],
    ['a missing `in`', body.replace(' in ', ' ')],
    ['a doubled operator', body.replace('+=', '+= *')],
    ['a strange character', body.replace('x, 1', 'x $ 1')],
    ['a brace too many', `${body} }`],
    ['a misspelled keyword', body.replace('for', 'fro')],
  ])('%s', (_, statements) => {
    const text = `fn f() {\n  ${statements}\n}\n\nfn g() { 1 }\n`;
    expect(problemsOf(text).length, problemsOf(text).join('\n')).toBe(1);
  });
});

describe('hostile sources', () => {
  const n = 100_000;
  const inBody = (expression: string): string => `fn f() { let x = ${expression}; }`;
  test.each([
    ['parentheses', inBody(`${'('.repeat(n)}x${')'.repeat(n)}`), 'MLX1008'],
    ['braces', `fn f() ${'{'.repeat(n)}`, 'MLX1008'],
    ['unary operators', inBody(`${'-'.repeat(n)}x`), 'MLX1008'],
    ['powers', inBody(`x${'**x'.repeat(n)}`), 'MLX1008'],
    ['lambdas', inBody(`${'|a, b| '.repeat(n)}x`), 'MLX1008'],
    ['else if', `fn f() { if a {} ${'else if a {} '.repeat(n)} }`, 'MLX1008'],
    ['if in conditions', inBody('if '.repeat(n)), 'MLX1008'],
    ['type arguments', `fn f(x: ${'A<'.repeat(n)}) {}`, 'MLX1008'],
    ['function types', `fn f(x: ${'fn()->'.repeat(n)} T) {}`, 'MLX1008'],
    ['a long sum', inBody(`x${' + x'.repeat(n)}`), 'MLX1009'],
    ['a long chain of calls', inBody(`f${'()'.repeat(n)}`), 'MLX1009'],
  ])('%s', (_, text, code) => {
    expect(codesOf(text)).toEqual([code]);
  });

  test('brackets within the limit are fine', () => {
    parsed(inBody(`${'('.repeat(190)}x${')'.repeat(190)}`));
    parsed(`fn f() {\n${'if a { b(); } else { c(); }\nfor i in 0..n { x += 1; }\n'.repeat(2000)}}`);
  });

  test('a megabyte of random bytes', () => {
    let state = 1;
    const bytes = Array.from({ length: 1 << 20 }, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      return String.fromCharCode((state >> 16) & 255);
    }).join('');
    const codes = codesOf(bytes);
    expect(codes.length).toBeGreaterThan(0);
    expect(codes.length).toBeLessThan(50);
  });
});
