/**
 * Elements that are pairs, random keys and complex numbers, go through functions that only move elements, such as
 * `where(c, k1, k2)` and `stack((z, w))`: the function is applied to the first numbers of the pairs and to the
 * second ones, and the results are put together again. So do linear functions with complex numbers.
 */
import { one, zero } from '../symbolic/integer.ts';
import type { Value } from '../tensor-ir/program.ts';
import { join, partOf, takeApart } from './complex-math.ts';
import type { Elaborator } from './elaborator.ts';
import { isWeak } from './numbers.ts';
import { apply, reshape } from './operations.ts';
import { errorTerm, forEachLeaf, formOf, mapLeaves, tensorTerm } from './terms.ts';
import type { ElementForm, Term } from './value.ts';

type Pair = Exclude<ElementForm, 'plain'>;

/** Functions that move elements, with the positions of the arguments that hold elements. */
const moving: ReadonlyMap<string, readonly number[]> = new Map([
  ['where', [1, 2]],
  ['select', [1, 2]],
  ['pad', [0, 3]],
  ['dynamic_update_slice', [0, 1]],
  ['put_along_axis', [0, 2]],
  ...[
    'reshape',
    'ravel',
    'flatten',
    'unflatten',
    'expand_dims',
    'squeeze',
    'broadcast_to',
    'broadcast_arrays',
    'transpose',
    'permute_dims',
    'swapaxes',
    'moveaxis',
    'merge_axes',
    'flip',
    'diagonal',
    'concatenate',
    'concat',
    'stack',
    'unstack',
    'split',
    'meshgrid',
    'roll',
    'repeat',
    'tile',
    'take',
    'take_along_axis',
    'dynamic_slice',
    'sliding_window_view',
    'array',
  ].map((name): [string, readonly number[]] => [name, [0]]),
]);

/** Where the elements stand among the arguments of a function that only moves them. */
export function movedElements(name: string): readonly number[] | undefined {
  return moving.get(name);
}

export function holdsPair(term: Term, form: Pair): boolean {
  let found = false;
  forEachLeaf(term, (leaf) => {
    found ||= formOf(leaf) === form;
  });
  return found;
}

/**
 * Applies `body` to the first and to the second numbers of all pairs: two results of one structure, joined leaf by leaf.
 * Numbers known when compiling at the positions `elements` are real: 0 in the second call.
 */
export function onParts(
  e: Elaborator,
  form: Pair,
  args: readonly Term[],
  elements: readonly number[],
  body: (args: readonly Term[]) => Term,
): Term {
  const [first, second] = [0, 1].map((part) =>
    body(
      args.map((arg, i) =>
        mapLeaves(arg, (leaf) => {
          if (formOf(leaf) === form) return partOfLeaf(e, leaf, part);
          const isReal = form === 'complex' && elements.includes(i) && isWeak(leaf);
          return isReal && part === 1 ? { kind: 'int', value: zero } : leaf;
        }),
      ),
    ),
  );
  if (first === undefined || second === undefined) return errorTerm;
  if (first.kind === 'error' || second.kind === 'error') return errorTerm;
  const others: Value[] = [];
  forEachLeaf(second, (leaf) => {
    if (leaf.kind === 'tensor') others.push(leaf.value);
  });
  let next = 0;
  return mapLeaves(first, (leaf) =>
    leaf.kind === 'tensor' ? joinParts(e, form, leaf.value, others[next++]!) : leaf,
  );
}

/** One of the two numbers of every pair, as a plain tensor. */
function partOfLeaf(e: Elaborator, leaf: Term, part: number): Term {
  if (leaf.kind !== 'tensor') return leaf;
  if (leaf.form === 'key') return tensorTerm(partOf(e.builder, leaf.value, part));
  const { re, im } = takeApart(e.builder, leaf.value);
  return tensorTerm(part === 0 ? re : im);
}

function joinParts(e: Elaborator, form: Pair, first: Value, second: Value): Term {
  if (form === 'complex') return tensorTerm(join(e.builder, { re: first, im: second }), form);
  const parts = [first, second].map((v) => reshape(e.builder, v, [...v.type.shape, one]));
  const axis = first.type.shape.length;
  return tensorTerm(apply(e.builder, 'concatenate', parts, { axis }), form);
}
