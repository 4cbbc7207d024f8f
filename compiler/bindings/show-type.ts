/** Types of a plan as the language writes them. */
import type { PlanTree } from '../plan/plan.ts';

/** `f32[B, 64]`, `Mlp`, `(f32, Mlp)`. */
export function showType(tree: PlanTree): string {
  switch (tree.kind) {
    case 'leaf': {
      const { dtype, shape, isKey } = tree.leaf;
      if (isKey === true) return shape.length > 1 ? `Key[${shape.slice(0, -1).join(', ')}]` : 'Key';
      return shape.length === 0 ? dtype : `${dtype}[${shape.join(', ')}]`;
    }
    case 'struct':
      return tree.name;
    case 'tuple':
      return `(${tree.items.map(showType).join(', ')}${tree.items.length === 1 ? ',' : ''})`;
    case 'array':
      return `[${tree.items[0] === undefined ? '' : showType(tree.items[0])}; ${tree.items.length}]`;
  }
}
