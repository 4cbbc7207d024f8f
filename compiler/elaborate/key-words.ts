/**
 * Arrays of random keys go through functions that only move elements, such as `where(c, k1, k2)` and `stack((k1, k2))`:
 * a key is two words, so the function is applied to the first words and to the second words, and the results are
 * put together again.
 */
import { int, one, zero } from '../symbolic/integer.ts';
import type { Value } from '../tensor-ir/program.ts';
import type { Elaborator } from './elaborator.ts';
import { apply, reshape, slice } from './operations.ts';
import { errorTerm, forEachLeaf, mapLeaves, tensorTerm } from './terms.ts';
import type { Term } from './value.ts';

const moving: ReadonlySet<string> = new Set([
  'where',
  'reshape',
  'ravel',
  'flatten',
  'expand_dims',
  'squeeze',
  'broadcast_to',
  'transpose',
  'permute_dims',
  'swapaxes',
  'moveaxis',
  'flip',
  'concatenate',
  'stack',
  'split',
  'roll',
  'repeat',
  'tile',
  'take',
]);

/** Whether the function is one that moves elements, called with keys among its arguments. */
export function movesKeys(name: string, args: readonly Term[]): boolean {
  return moving.has(name) && args.some(holdsKey);
}

function holdsKey(term: Term): boolean {
  let found = false;
  forEachLeaf(term, (leaf) => {
    found ||= leaf.kind === 'tensor' && leaf.isKey;
  });
  return found;
}

/** Applies `body` to the words of the keys: two results of one structure, joined leaf by leaf. */
export function onKeyWords(
  e: Elaborator,
  args: readonly Term[],
  body: (args: readonly Term[]) => Term,
): Term {
  const [first, second] = [0, 1].map((word) =>
    body(args.map((arg) => mapLeaves(arg, (leaf) => wordOf(e, leaf, word)))),
  );
  if (first === undefined || second === undefined) return errorTerm;
  if (first.kind === 'error' || second.kind === 'error') return errorTerm;
  const words: Value[] = [];
  forEachLeaf(second, (leaf) => {
    if (leaf.kind === 'tensor') words.push(leaf.value);
  });
  let next = 0;
  return mapLeaves(first, (leaf) => {
    if (leaf.kind !== 'tensor') return leaf;
    const parts = [leaf.value, words[next++]!].map((value) =>
      reshape(e.builder, value, [...value.type.shape, one]),
    );
    return tensorTerm(
      apply(e.builder, 'concatenate', parts, { axis: parts[0]!.type.shape.length - 1 }),
      true,
    );
  });
}

/** One of the two words of a key, as a u32 tensor; any other leaf as it is. */
function wordOf(e: Elaborator, leaf: Term, word: number): Term {
  if (leaf.kind !== 'tensor' || !leaf.isKey) return leaf;
  const { shape } = leaf.value.type;
  const axes = shape.slice(0, -1);
  const start = [...axes.map(() => zero), int(word)];
  const stop = [...axes, int(word + 1)];
  const part = slice(
    e.builder,
    leaf.value,
    start,
    stop,
    shape.map(() => 1),
  );
  return tensorTerm(reshape(e.builder, part, axes));
}
