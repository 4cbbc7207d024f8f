/**
 * Mutated sources go through the elaborator without an exception: whatever the text means, the answer is a program or
 * diagnostics that point into it. Tokens are dropped, doubled, swapped and replaced by others of the same corpus.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { verifyProgram } from '../../compiler/tensor-ir/verify.ts';
import { checkText } from '../support/check-text.ts';

const golden = new URL('../golden/types/', import.meta.url);

const everything = `
import { relu, Linear, linear } from "std/nn";
struct P { a: f32, b: f32[2] }
struct Net<I, O, L, T: float = f32> { layers: [Linear<I, I, T>; L], out: Linear<I, O, T>, key: Key }
const K: int = 3;
fn tail<T: float>(x: T[...S, N], n: int = 1) -> T[...S, N-n] { x[..., n:] }
fn halves(x: f32[2*N]) -> f32[N] where N >= 1 { x[:N] + x[N:] }
fn split_it(x: f32[N, D], h: int) -> f32[h, N, D/h] { permute_dims(reshape(x, (N, h, D / h)), (1, 0, 2)) }
fn loss(m: Net<4, 2, 2>, x: f32[B, 4]) -> f32 {
  var h = x;
  for l in m.layers { h = relu(linear(h, l)); }
  mean(linear(h, m.out) ** 2)
}
export fn step(m: Net<4, 2, 2>, x: f32[B, 4], lr: f32 = 1e-3) -> (Net<4, 2, 2>, f32) {
  let (l, g) = value_and_grad(loss)(m, x);
  (map(|p, d| p, m, g), l)
}
export fn control(x: f32[N], n: i32, ps: P[3]) -> (f32, i32) {
  var t = 0.0;
  var k = 1;
  for i in 0..N while t < 10.0 { t += x[i] * 2; }
  while k < n { k *= 2; }
  for p in ps { t = t + p.a * sum(p.b); }
  if t > 1.0 { k = k + 1; } else if n == 2 { t = -t; }
  let y = if k > 3 { t } else { 1.0 };
  (y, k)
}
export fn index(x: f32[4, N], j: i32[2], v: f32[2]) -> f32 where N % 2 == 0, N >= 4 {
  let a = x[j, 1:3].sum(axis = 0) + x[-1, ::2][0] + x.at[0, :2].add(v)[1, 0];
  let b = vmap(|r, s| r * s, axes = (0, none))(x, v[0]);
  let f = |u, (w, _)| u @ w;
  sum(a) + b[0, N - 1] + f(x[0], (x[1], 2)) + x.T[0, 0] + sum(tail(x)) + sum(halves(v)) / N
}
`;

const corpus = [
  everything,
  ...readdirSync(golden)
    .filter((f) => f.endsWith('.mlx'))
    .map((f) => readFileSync(new URL(f, golden), 'utf8')),
];

const pieces = [
  ...'()[]{}<>|,;:.=+-*/%@!&^0aNx_',
  ...[
    '..',
    '...',
    '->',
    '|>',
    '||',
    '&&',
    '==',
    '**',
    '>>',
    '+=',
    '-1',
    '1.5',
    '300',
    '1e400',
    'f16',
    'i32',
  ],
  ...[
    'Key',
    'int',
    'none',
    'true',
    'let',
    'fn',
    'if',
    'else',
    'for',
    'in',
    'while',
    'var',
    'where',
    'newaxis',
  ],
  ...[
    'sum',
    'grad',
    'vmap',
    'scan',
    'map',
    'x',
    'N',
    '(x, x)',
    '[x; 2]',
    '|x| x',
    'x[0]',
    'x.at[0].set(1)',
    '()',
  ],
];

/** mulberry32 */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

function mutate(text: string, random: (below: number) => number): string {
  const tokens = text.match(/\w+|\s+|[^\w\s]/g) ?? [];
  const count = 1 + random(3);
  for (let i = 0; i < count; i++) {
    const at = random(tokens.length);
    const other = random(tokens.length);
    switch (random(5)) {
      case 0:
        tokens.splice(at, 1);
        break;
      case 1:
        tokens.splice(at, 0, tokens[at]!);
        break;
      case 2:
        tokens[at] = tokens[other]!;
        break;
      case 3:
        [tokens[at], tokens[other]] = [tokens[other]!, tokens[at]!];
        break;
      default:
        tokens[at] = pieces[random(pieces.length)]!;
    }
  }
  return tokens.join('');
}

const rounds = Number(process.env['MLXC_FUZZ'] ?? 300);
const firstSeed = Number(process.env['MLXC_FUZZ_SEED'] ?? 1);

test('the unmutated sources', () => {
  expect(checkText(everything).problems).toEqual([]);
});

test(`${rounds} mutated sources`, () => {
  for (let seed = firstSeed; seed < firstSeed + rounds; seed++) {
    const random = generator(seed);
    const text = mutate(corpus[random(2) === 0 ? 0 : random(corpus.length)]!, random);
    try {
      const { program, problems, sources } = checkText(text);
      for (const { span, message } of problems) {
        expect(message).not.toMatch(/\?\w|undefined|\[object/);
        const file = sources.get(span.file);
        expect(span.start).toBeGreaterThanOrEqual(0);
        expect(span.end).toBeLessThanOrEqual(file?.length ?? Number.POSITIVE_INFINITY);
      }
      if (problems.length === 0) verifyProgram(program);
    } catch (problem) {
      throw new Error(`seed ${seed}:\n${text}`, { cause: problem });
    }
  }
});
