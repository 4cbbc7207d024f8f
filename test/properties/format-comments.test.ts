/**
 * Formatting changes nothing but white space and the commas before closing brackets: the tree stays the same, and so do the
 * comments, wherever in the source they stand.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Diagnostics } from '../../compiler/diagnostics/diagnostic.ts';
import { format } from '../../compiler/syntax/format.ts';
import { parse } from '../../compiler/syntax/parse.ts';
import { endOf, lex } from '../../compiler/syntax/tokens.ts';
import { codeBlocks, documents, readDocument } from '../docs/document.ts';

const root = new URL('../../', import.meta.url).pathname;

function modulesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.mlx'))
    .sort()
    .map((path) => readFileSync(join(root, folder, path), 'utf8'));
}

const everything = `import { a as b, c } from "std/nn";
/// Doc.
export fn f<N = 4, ...S, T: float = f32>(x: T[...S, N], axis: int = -1, g: fn(f32[N]) -> f32, bs: [B<D>; L]) -> (T[N], ())
where N % 4 == 0, N >= 2*K {
  let ((p, _), q): f32[2*N, D/H] = f<4>(x);
  var (n, o): (i32, i32) = (0xff, 1_000);
  n += 1;
  for i in 0..n while c < 3 { n = n + i; }
  while n < 4 && !done { n *= 2; }
  if n == 3 { n = 4; } else if n > 4 { n = 5; } else {}
  let l = |x, (y, z): (f32, f32), _| { let t = x; t * y };
  let m = Mlp { ..m, w: v, b };
  let r = x.at[i, :, 1:, ::2, ..., newaxis, -1].set(v).sum(axis = 0).0.1.w;
  let u = -x ** 2 + a @ b * c >> 2 & 3 | 5 == 6 && true |> f |> |x| x + 1e-3;
  einsum("bhqd", q, (a,), [1., 2.5])
}
struct Linear<I, O, T: float = f32> { w: T[I, O], b: T[O] }
const K: int = 3;
`;

/** The tree without places. */
function treeOf(text: string): string {
  const sink = new Diagnostics();
  const module = parse({ name: 'a.mlx', text }, sink);
  expect(sink.list, text).toEqual([]);
  return JSON.stringify(module, (key, value: unknown) =>
    /[sS]pan$/.test(key) ? undefined : value,
  );
}

function commentsOf(text: string): readonly string[] {
  return lex(text)
    .comments.map((c) => c.image.trimEnd())
    .sort();
}

function check(text: string): void {
  const once = format(text, 'a.mlx');
  if (!('text' in once)) throw new Error(`not formatted:\n${text}`);
  expect(treeOf(once.text)).toBe(treeOf(text));
  expect(commentsOf(once.text)).toEqual(commentsOf(text));
  expect(format(once.text, 'a.mlx')).toEqual(once);
}

test('samples, library, golden programs and the examples of the documents', () => {
  const folders = [
    'samples',
    'stdlib',
    'test/golden/programs',
    'test/golden/kernels',
    'test/golden/stdlib',
  ];
  const sources = [
    everything,
    ...folders.flatMap(modulesUnder),
    ...documents.flatMap((name) => codeBlocks(readDocument(name), 'mlx').map((b) => b.text)),
  ];
  expect(sources.length).toBeGreaterThan(50);
  for (const source of sources) check(source);
});

/** A doc comment belongs to what follows it, so only plain ones go everywhere. */
const inserts: readonly (readonly [name: string, text: string])[] = [
  ['a comment at the end of a line', ' // here\n'],
  ['a comment on a line of its own', '\n// here\n'],
  ['two comments and a blank line', '\n// here\n\n// and here\n'],
  ['a line break', '\n'],
  ['tabs and a carriage return', '\t\r\n\t'],
];

test.each(inserts)('%s after every token', (_, insert) => {
  const { tokens } = lex(everything);
  for (const token of tokens) {
    // the two halves of `>>` must touch
    const at = endOf(token);
    if (everything.startsWith('>>', at - 1)) continue;
    check(everything.slice(0, at) + insert + everything.slice(at));
  }
});

test('without any white space that can be left out', () => {
  const { tokens } = lex(everything);
  let text = '';
  let end = 0;
  for (const token of tokens) {
    const isWord = /\w$/.test(text) && /^\w/.test(token.image);
    const touches = token.startOffset === end;
    // `. .`, `> >` and the like would become other tokens, a point after a number part of it
    const joins = /[<>=|&.*+\-/!:\d]$/.test(text) && /^[<>=|&.*+\-/!:]/.test(token.image);
    text += touches || !(isWord || joins) ? token.image : ` ${token.image}`;
    end = endOf(token);
  }
  check(text);
});
