/** The operations that a group computes: what it stores and reduces, and all that is inlined into them. */
import type { FusedFunction, FusedGroup, Group } from '../../passes/fused-group.ts';
import type { Operation, Value } from '../../tensor-ir/program.ts';

/** In the order of the function. */
export function operationsOf(fused: FusedFunction, group: Group): readonly Operation[] {
  const found = new Set<Operation>();
  const visit = (value: Value, isRoot: boolean): void => {
    const op = fused.definitions.get(value);
    if (op === undefined || found.has(op) || (!isRoot && fused.inMemory.has(value))) return;
    found.add(op);
    for (const operand of op.operands) visit(operand, false);
  };
  for (const root of rootsOf(group)) visit(root, true);
  const order = new Map([...new Set(fused.definitions.values())].map((op, i) => [op, i]));
  return [...found].sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
}

function rootsOf(group: Group): readonly Value[] {
  switch (group.kind) {
    case 'operation':
      return group.op.results;
    case 'horizontal':
      return group.members.flatMap(rootsOfFused);
    case 'fused':
      return rootsOfFused(group);
  }
}

function rootsOfFused(group: FusedGroup): readonly Value[] {
  const lead = group.contraction?.results ?? [];
  const staged = group.stages.flatMap((stage) => [
    ...stage.reduces.map((reduce) => reduce.value),
    ...stage.stores.map((store) => store.value),
  ]);
  return [...lead, ...staged];
}
