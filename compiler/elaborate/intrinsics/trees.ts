/** Trees of tensors: walking several of one structure side by side, and the functions over them in the prelude. */
import type { Span } from '../../diagnostics/span.ts';
import { computeType } from '../../tensor-ir/dtype.ts';
import type { Value } from '../../tensor-ir/program.ts';
import type { Intrinsic } from '../intrinsic.ts';
import { forEachLeaf, formOf, isUnit, tensorTerm } from '../terms.ts';
import type { Term } from '../value.ts';
import { type Emitter, intrinsic, optional, required, rest } from './support.ts';

/** The subtrees of a container, or undefined for a leaf. */
function childrenOf(term: Term): readonly Term[] | undefined {
  if (term.kind === 'tuple' || term.kind === 'array') return term.items;
  return term.kind === 'struct' ? [...term.fields.values()] : undefined;
}

/** The same container around other subtrees. */
function withChildren(term: Term, children: readonly Term[]): Term {
  if (term.kind === 'tuple' || term.kind === 'array') return { kind: term.kind, items: children };
  if (term.kind !== 'struct') return term;
  const fields = new Map([...term.fields.keys()].map((name, i) => [name, children[i]!]));
  return { kind: 'struct', type: term.type, fields };
}

function describe(term: Term): string {
  switch (term.kind) {
    case 'struct':
      return `a ${term.type.declaration.name.text}`;
    case 'tuple':
      return `a tuple of ${term.items.length}`;
    case 'array':
      return `an array of ${term.items.length}`;
    case 'tensor':
      return 'a tensor';
    default:
      return `a ${term.kind}`;
  }
}

/**
 * Replaces every leaf of the first tree by `change` of the leaves at its place. Where a tree holds `()`, what the
 * first has stays: gradients have `()` for integer leaves.
 */
export function zipTrees(
  e: Emitter,
  trees: readonly Term[],
  span: Span,
  change: (leaves: readonly Term[]) => Term,
): Term {
  const first = trees[0]!;
  if (first.kind === 'error' || isUnit(first)) return first;
  const children = childrenOf(first);
  if (children === undefined) return trees.slice(1).some(isUnit) ? first : change(trees);
  const others = trees.map((tree) => {
    const parts = childrenOf(tree);
    if (parts?.length === children.length && tree.kind === first.kind) return parts;
    return e.fail(
      'MLX2420',
      `trees of different structure: ${describe(first)} and ${describe(tree)}`,
      {
        span,
      },
    );
  });
  return withChildren(
    first,
    children.map((_, i) =>
      zipTrees(
        e,
        others.map((parts) => parts[i]!),
        span,
        change,
      ),
    ),
  );
}

export function mapLeaves(e: Emitter, tree: Term, change: (leaf: Value) => Value): Term {
  return zipTrees(e, [tree], e.span, ([leaf]) => {
    const value = change(e.need(e.context.toTensor(leaf!, e.span)));
    return tensorTerm(value, formOf(leaf!));
  });
}

/** The leaves of a tree as terms, in order. */
export function leafTerms(term: Term): readonly Term[] {
  const leaves: Term[] = [];
  forEachLeaf(term, (leaf) => leaves.push(leaf));
  return leaves;
}

const map = ['map', 'tree_map'].map((name) =>
  intrinsic(
    name,
    [required('f'), required('tree'), rest('others')],
    'f of the leaves of one or several trees of one structure, as a tree. Where a later tree holds `()` (a gradient ' +
      'of an integer), the leaf of the first stays as it is.',
    (a) => {
      const f = a.func('f');
      const trees = [a.term('tree'), ...a.restOf('others')];
      return zipTrees(a, trees, a.span, (leaves) => a.context.call(f, leaves, undefined, a.span));
    },
  ),
);

export const trees: readonly Intrinsic[] = [
  ...map,
  intrinsic(
    'tree_reduce',
    [required('f'), required('tree'), optional('init')],
    '`f(... f(f(init, leaf 0), leaf 1) ..., last leaf)`; without `init` it starts at leaf 0.',
    (a) => {
      const f = a.func('f');
      const leaves = leafTerms(a.term('tree'));
      const [first, ...rest] = a.isNone('init') ? leaves : [a.term('init'), ...leaves];
      if (first === undefined)
        return a.fail('MLX2421', 'a tree without leaves needs `init`', {
          span: a.spanOf('tree'),
        });
      return rest.reduce(
        (total, leaf) => a.context.call(f, [total, leaf], undefined, a.span),
        first,
      );
    },
  ),
  intrinsic(
    'tree_leaves',
    [required('tree')],
    'The leaves of a tree as a tuple, in order.',
    (a) => ({
      kind: 'tuple',
      items: leafTerms(a.term('tree')),
    }),
  ),
  intrinsic(
    'stop_gradient',
    [required('x')],
    'x, taken for a constant by every derivative. x may be a tree.',
    (a) => mapLeaves(a, a.term('x'), (x) => a.apply('stop_gradient', [x])),
  ),
  intrinsic(
    'optimization_barrier',
    [required('x')],
    'x, opaque to simplification and fusion. x may be a tree.',
    (a) => {
      const leaves = a.need(a.context.leaves(a.term('x'), a.span));
      if (leaves.length === 0) return a.term('x');
      return a.context.rebuild(a.term('x'), a.applyAll('optimization_barrier', leaves, {}));
    },
  ),
  intrinsic(
    'widen',
    [required('x')],
    'f16 and bf16 as f32, everything else as it is: for intermediate results. x may be a tree.',
    (a) => mapLeaves(a, a.term('x'), (x) => a.convert(x, computeType(x.type.dtype))),
  ),
  intrinsic(
    'astype',
    [required('x'), required('dtype')],
    'x converted to a dtype: floats to integers truncate and saturate, to bool is `!= 0`. Of a tree, every leaf.',
    (a) => {
      const dtype = a.dtype('dtype');
      return zipTrees(a, [a.term('x')], a.spanOf('x'), ([leaf]) => {
        const isWeak = leaf!.kind !== 'tensor';
        const value = a.context.toTensor(leaf!, a.spanOf('x'), isWeak ? dtype : undefined);
        return a.tensor(a.convert(a.need(value), dtype));
      });
    },
  ),
];
