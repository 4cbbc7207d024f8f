/**
 * Mutated sources: whatever the text, the parser ends without an exception, points into the text, and what it
 * accepts the formatter formats idempotently without losing a token or a comment.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Diagnostic, Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import { renderDiagnostic } from '../../compiler/diagnostics/render.ts';
import { format } from '../../compiler/syntax/format.ts';
import { parse } from '../../compiler/syntax/parse.ts';
import { lex } from '../../compiler/syntax/tokens.ts';

const root = new URL('../../', import.meta.url).pathname;

function modulesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.mlx'))
    .sort()
    .map((path) => readFileSync(join(root, folder, path), 'utf8'));
}

const everything = `// A line of everything.
import { a as b, c } from "std/nn";

/// Doc.
export fn f<N, ...S, T: float = f32, P: tree>(x: T[...S, N], axis: int = -1, // why
  g: fn(f32[N], f32) -> f32, bs: [Block<D>; L+1]) -> (T[...S, N], f32, ()) where N % 4 == 0, N >= 2*K {
  let ((a, _), b): f32[2*N, D/H, floordiv(N, 2)] = f<4>(x);
  var n: i32 = 0xff;
  n += 1_000;
  for i in 0..n while c < 3 { n = n + i; }
  while n < 4 && !done { n *= 2; }
  if n == 3 { n = 4; } else if n > 4 { n = 5; } else {}
  let l = |x, (y, z): (f32, f32), _| { let t = x; t * y };
  let m = Mlp { ..m, w: v, b };
  // before
  let r = x.at[i, :, 1:, ::2, ..., newaxis, -1].set(v).sum(axis = 0).0.1.w; // after
  let u = -x ** 2 + a @ b * c >> 2 & 3 | 5 == 6 && true || false |> f |> |x| x + 1e-3;
  einsum("bhqd,\\"\\n", q, (a,), [1., 2.5])
}
struct Linear<I, O, T: float = f32> { w: T[I, O], b: T[O] }
const K: int = 3;
`;

const seeds = [everything, ...modulesUnder('samples'), ...modulesUnder('stdlib')];
const pieces = [
  ..."()[]{}<>|,;:.=+-*/%@!&^#?'\"\\\n\t 0aN_é漢",
  '..', '...', '->', '|>', '||', '&&', '==', '**', '//', '/*', '///', '=>', '>>', '+=', '1e', '0x',
  ' let ', ' fn ', ' if ', ' else ', ' for ', ' in ', ' while ', ' var ', ' where ', ' struct ',
  ' const ', ' import ', ' export ', ' as ', ' return ', ' break; ', ' mut ', '\nfn f() {', '\n}\n',
  '((((', '}}}', '"unclosed', '|x| ', 'Name { a: ', ' // comment\n', '\n// own line\n', '\u0000', '\ud800',
]; // biome-ignore format: a table

/** mulberry32: small, seeded, good enough to mutate with. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** A window of a seed with one to four mutations: delete, insert, swap, repeat, splice another seed. */
function mutate(random: (below: number) => number): string {
  const seed = seeds[random(seeds.length)]!;
  const from = random(3) === 0 ? random(seed.length) : 0;
  let text = seed.slice(from, from + 60 + random(450));
  for (let count = 1 + random(4); count > 0; count--) {
    const at = random(text.length + 1);
    const length = random(4) === 0 ? random(60) : 1 + random(3);
    const rest = text.slice(at + length);
    const piece = pieces[random(pieces.length)]!;
    switch (random(6)) {
      case 0:
        text = text.slice(0, at) + rest;
        break;
      case 1:
        text = text.slice(0, at) + piece + text.slice(at);
        break;
      case 2:
        text = text.slice(0, at) + piece + rest;
        break;
      case 3:
        text = text.slice(0, at) + text.slice(at, at + length).repeat(1 + random(8)) + rest;
        break;
      case 4: {
        const other = seeds[random(seeds.length)]!;
        const start = random(other.length);
        text = text.slice(0, at) + other.slice(start, start + random(80)) + text.slice(at);
        break;
      }
      default:
        text = text.slice(0, at) + rest + text.slice(at, at + length);
    }
  }
  return text;
}

/** Tokens and comments, without the commas that come and go before closing brackets. */
function substance(text: string): { tokens: string[]; comments: string[] } {
  const { tokens, comments } = lex(text);
  const images = tokens.map((t) => t.image);
  return {
    tokens: images.filter((t, i) => t !== ',' || !/^[)\]}>]$/.test(images[i + 1] ?? '')),
    comments: comments.map((c) => c.image.trimEnd()),
  };
}

function checkSpans(text: string, diagnostics: readonly Diagnostic[]): void {
  for (const { span, labels } of diagnostics) {
    for (const { start, end } of [span, ...(labels ?? []).map((l) => l.span)]) {
      expect(start >= 0 && start <= end && end <= text.length).toBe(true);
    }
  }
}

function checkFormat(text: string): void {
  const once = format(text, 'a.mlx');
  if (!('text' in once)) throw new Error('a source without errors was not formatted');
  expect(substance(once.text)).toEqual(substance(text));
  const twice = format(once.text, 'a.mlx');
  expect(twice).toEqual(once);
}

test('seeds parse, and formatting keeps all of them', () => {
  for (const seed of seeds) {
    const sink = new Diagnostics();
    parse({ name: 'a.mlx', text: seed }, sink);
    expect(sink.list.map((d) => renderDiagnostic(d, () => seed, { color: false }))).toEqual([]);
    checkFormat(seed);
  }
});

test('20,000 mutated sources', () => {
  const random = generator(20_240_601);
  let accepted = 0;
  for (let i = 0; i < 20_000; i++) {
    const text = mutate(random);
    try {
      const sink = new Diagnostics();
      const module = parse({ name: 'a.mlx', text }, sink);
      expect(module.span.end).toBe(text.length);
      checkSpans(text, sink.list);
      for (const problem of sink.list.slice(0, 2)) {
        renderDiagnostic(problem, () => text, { color: false });
      }
      if (sink.hasErrors) continue;
      accepted += 1;
      checkFormat(text);
    } catch (error) {
      throw new Error(`source ${i}:\n${text}\n`, { cause: error });
    }
  }
  expect(accepted).toBeGreaterThan(200);
});

test('comments and line breaks between any two tokens survive formatting', () => {
  const random = generator(7);
  const gaps = [
    ' ',
    '\n',
    '\n\n\n',
    ' // here\n',
    '\n// own line\n',
    '\n\n// apart\n\n',
    '\n/// doc\n',
  ];
  for (let i = 0; i < 300; i++) {
    const seed = i % 2 === 0 ? everything : seeds[random(seeds.length)]!;
    const { tokens } = lex(seed);
    const chosen = new Set(Array.from({ length: 1 + random(5) }, () => random(tokens.length)));
    let text = '';
    let end = 0;
    tokens.forEach((token, k) => {
      text += seed.slice(end, token.startOffset);
      if (chosen.has(k)) text += gaps[random(gaps.length)]!;
      text += token.image;
      end = token.startOffset + token.image.length;
    });
    const sink = new Diagnostics();
    parse({ name: 'a.mlx', text }, sink);
    // a gap in `>>` or in `t.0` is a mistake
    if (sink.hasErrors) continue;
    try {
      checkFormat(text);
    } catch (error) {
      throw new Error(`source ${i}:\n${text}\n`, { cause: error });
    }
  }
});
