import { expect, test } from 'vitest';
import type { Diagnostic } from './diagnostic.ts';
import { diagnosticToJson } from './json.ts';
import { renderDiagnostic } from './render.ts';

const files: Readonly<Record<string, string>> = {
  'a.mlx': 'fn f(x: f32[B, 64]) -> f32 {\n  let y = x;\n\n\tg(x[:, :32])\n}\n',
  'wide.mlx': '// 漢字 and 🎉\nlet 漢 = "🎉" + x;\n',
  'long.mlx': `let x = ${'a + '.repeat(100)}broken${' + b'.repeat(100)};\n`,
  'odd.mlx': 'a\u001b[31mb\u0007\r\nc',
};
const sources = (file: string): string | undefined => files[file];

function span(file: string, part: string): { file: string; start: number; end: number } {
  const start = files[file]!.indexOf(part);
  return { file, start, end: start + part.length };
}

function problem(more: Partial<Diagnostic> & Pick<Diagnostic, 'span'>): Diagnostic {
  return { code: 'MLX2003', severity: 'error', message: 'expected this, found that', ...more };
}

test('frames the place, labels other lines, ends with notes and hint', () => {
  const text = renderDiagnostic(
    problem({
      span: span('a.mlx', 'x[:, :32]'),
      label: 'dim 1 is 32 here',
      labels: [
        { span: span('a.mlx', 'f32[B, 64]'), text: 'the parameter' },
        { span: span('wide.mlx', '"🎉"'), text: 'another file' },
      ],
      notes: ['first\nsecond line'],
      hint: 'pass all columns',
    }),
    sources,
    { color: false },
  );
  expect(text).toMatchInlineSnapshot(`
    "error[MLX2003]: expected this, found that
      ┌─ a.mlx:4:4
      │
    1 │ fn f(x: f32[B, 64]) -> f32 {
      │         ---------- the parameter
      ·
    4 │     g(x[:, :32])
      │       ^^^^^^^^^ dim 1 is 32 here
      ├─ wide.mlx:2:9
      │
    2 │ let 漢 = "🎉" + x;
      │          ---- another file
      = note: first
              second line
      = hint: pass all columns"
  `);
});

test('puts carets under wide characters and after tabs', () => {
  const render = (part: string, file: string): string =>
    renderDiagnostic(problem({ span: span(file, part) }), sources, { color: false });
  expect(render('x;', 'wide.mlx')).toMatchInlineSnapshot(`
    "error[MLX2003]: expected this, found that
      ┌─ wide.mlx:2:16
      │
    2 │ let 漢 = "🎉" + x;
      │                 ^^"
  `);
  expect(render('🎉"', 'wide.mlx')).toMatchInlineSnapshot(`
    "error[MLX2003]: expected this, found that
      ┌─ wide.mlx:2:10
      │
    2 │ let 漢 = "🎉" + x;
      │           ^^^"
  `);
});

test('trims long lines around the carets', () => {
  const text = renderDiagnostic(problem({ span: span('long.mlx', 'broken') }), sources, {
    color: false,
    width: 60,
  });
  expect(text).toMatchInlineSnapshot(`
    "error[MLX2003]: expected this, found that
      ┌─ long.mlx:1:409
      │
    1 │ … a + a + a + a + broken + b + b + b + b + b + b + b  …
      │                   ^^^^^^"
  `);
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(62);
});

test('lets no control character through, in colour or not', () => {
  for (const color of [false, true]) {
    const text = renderDiagnostic(
      problem({ span: span('odd.mlx', 'b'), message: 'found \u001b]0;title\u0007' }),
      sources,
      { color },
    );
    expect(text).not.toContain('\u0007');
    expect(text).not.toContain('\u001b]');
    expect(text.includes('\u001b[')).toBe(color);
  }
});

test('survives spans outside the text, empty spans, several lines and unknown files', () => {
  const cases = [
    { file: 'a.mlx', start: 1000, end: 2000 },
    { file: 'a.mlx', start: -5, end: -1 },
    { file: 'a.mlx', start: 5, end: 5 },
    { file: 'a.mlx', start: 29, end: 48 },
    { file: 'none.mlx', start: 3, end: 4 },
  ];
  const texts = cases.map((at) =>
    renderDiagnostic(problem({ span: at }), sources, { color: false }),
  );
  expect(texts.join('\n\n')).toMatchInlineSnapshot(`
    "error[MLX2003]: expected this, found that
      ┌─ a.mlx:6:1
      │
    6 │
      │ ^

    error[MLX2003]: expected this, found that
      ┌─ a.mlx:1:1
      │
    1 │ fn f(x: f32[B, 64]) -> f32 {
      │ ^

    error[MLX2003]: expected this, found that
      ┌─ a.mlx:1:6
      │
    1 │ fn f(x: f32[B, 64]) -> f32 {
      │      ^

    error[MLX2003]: expected this, found that
      ┌─ a.mlx:2:1
      │
    2 │   let y = x;
      │ ^^^^^^^^^^^^

    error[MLX2003]: expected this, found that
      ┌─ none.mlx"
  `);
});

test('gives JSON with lines and columns from 1', () => {
  const json = diagnosticToJson(
    problem({
      span: span('a.mlx', 'x[:, :32]'),
      labels: [{ span: span('a.mlx', 'f32[B, 64]'), text: 'the parameter' }],
      hint: 'pass all columns',
    }),
    sources,
  );
  expect(json).toMatchInlineSnapshot(`
    {
      "code": "MLX2003",
      "file": "a.mlx",
      "hint": "pass all columns",
      "labels": [
        {
          "file": "a.mlx",
          "span": {
            "end": {
              "column": 19,
              "line": 1,
              "offset": 18,
            },
            "start": {
              "column": 9,
              "line": 1,
              "offset": 8,
            },
          },
          "text": "the parameter",
        },
      ],
      "message": "expected this, found that",
      "severity": "error",
      "span": {
        "end": {
          "column": 13,
          "line": 4,
          "offset": 55,
        },
        "start": {
          "column": 4,
          "line": 4,
          "offset": 46,
        },
      },
    }
  `);
});
