/** Signatures as people read them: `f32[B, 64]`, `Mlp`, `(f32, Mlp)`; and the leaves of trees by path. */
import type { PlanLeaf, PlanTree } from '../compiler/plan/plan.ts';

export interface LeafPlace {
  /** `m.hidden.w`, `0.w`. */
  readonly path: string;
  readonly leaf: PlanLeaf;
}

export function leafPlaces(tree: PlanTree, path: string): readonly LeafPlace[] {
  switch (tree.kind) {
    case 'leaf':
      return [{ path, leaf: tree.leaf }];
    case 'struct':
      return tree.fields.flatMap((field) => leafPlaces(field.tree, `${path}.${field.name}`));
    case 'tuple':
    case 'array':
      return tree.items.flatMap((item, i) => leafPlaces(item, `${path}.${i}`));
  }
}

export function showLeaf(leaf: PlanLeaf): string {
  return showType(leaf.dtype, leaf.shape);
}

export function showType(dtype: string, shape: readonly (string | number)[]): string {
  return shape.length === 0 ? dtype : `${dtype}[${shape.join(', ')}]`;
}

export function showTree(tree: PlanTree): string {
  switch (tree.kind) {
    case 'leaf':
      return showLeaf(tree.leaf);
    case 'struct':
      return tree.name;
    case 'tuple':
      return `(${tree.items.map(showTree).join(', ')}${tree.items.length === 1 ? ',' : ''})`;
    case 'array':
      return `[${tree.items[0] === undefined ? '' : showTree(tree.items[0])}; ${tree.items.length}]`;
  }
}
