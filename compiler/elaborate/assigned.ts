/** The `var`s that a block assigns to: what loops carry and conditionals give back. */
import type { Block, Expression } from '../syntax/ast.ts';
import type { Scope } from './scope.ts';

const memo = new WeakMap<object, ReadonlySet<string>>();

function assignedNames(node: Block | Expression): ReadonlySet<string> {
  let names = memo.get(node);
  if (names === undefined) {
    const found = new Set<string>();
    const open: unknown[] = [node];
    while (open.length > 0) {
      const next = open.pop();
      if (typeof next !== 'object' || next === null) continue;
      if (Array.isArray(next)) {
        for (const item of next) open.push(item);
        continue;
      }
      if ('kind' in next && next.kind === 'assign' && 'name' in next) {
        found.add((next as { readonly name: { readonly text: string } }).name.text);
      }
      for (const value of Object.values(next)) open.push(value);
    }
    names = found;
    memo.set(node, names);
  }
  return names;
}

/** Names of variables of the surrounding function that the blocks assign to, in order of name. */
export function assignedVariables(
  blocks: readonly (Block | undefined)[],
  scope: Scope,
): readonly string[] {
  const names = new Set<string>();
  for (const block of blocks) {
    if (block === undefined) continue;
    for (const name of assignedNames(block)) {
      const binding = scope.find(name);
      if (binding?.kind === 'term' && binding.isVar && !scope.isBeyondLambda(name)) names.add(name);
    }
  }
  return [...names].sort();
}
