/** Trees of tensors outside the language: plain objects for structs, arrays for tuples and arrays, leaves anything else. */
import type { PlanLeaf, PlanTree } from '../../plan/plan.ts';

/** One leaf of a signature and where it sits: `hidden.w`, `0.w`; the empty path is the tree itself. */
export interface LeafPlace {
  readonly path: readonly string[];
  readonly leaf: PlanLeaf;
}

/** Named children of a tree, none for a leaf. */
function children(tree: PlanTree): readonly (readonly [string, PlanTree])[] {
  switch (tree.kind) {
    case 'leaf':
      return [];
    case 'struct':
      return tree.fields.map((field) => [field.name, field.tree] as const);
    case 'tuple':
    case 'array':
      return tree.items.map((item, i) => [String(i), item] as const);
  }
}

/** All leaves in order. */
export function leafPlaces(tree: PlanTree, path: readonly string[] = []): readonly LeafPlace[] {
  if (tree.kind === 'leaf') return [{ path, leaf: tree.leaf }];
  return children(tree).flatMap(([name, child]) => leafPlaces(child, [...path, name]));
}

/** The tree as plain objects and arrays, with `leaves` taken in order. */
export function buildTree<Leaf>(tree: PlanTree, leaves: Iterator<Leaf>): unknown {
  switch (tree.kind) {
    case 'leaf': {
      const next = leaves.next();
      if (next.done === true) throw new RangeError('fewer leaves than the tree has');
      return next.value;
    }
    case 'struct':
      return Object.fromEntries(
        tree.fields.map((field) => [field.name, buildTree(field.tree, leaves)]),
      );
    case 'tuple':
    case 'array':
      return tree.items.map((item) => buildTree(item, leaves));
  }
}

/** The keys under which a result is saved: `result` for one tensor, else dotted paths. */
export function resultKeys(tree: PlanTree): readonly string[] {
  return leafPlaces(tree).map(({ path }) => (path.length === 0 ? 'result' : path.join('.')));
}
