/**
 * Scalars that ride along. A group that only computes a scalar (the step counter of an optimiser, the scaled sum of a loss) costs a
 * dispatch of its own; an element-wise group that runs between its producers and its readers can store it on the side.
 *
 *   step' = step + 1; p_k' = p_k - lr * g_k        one kernel: its first task also stores step'
 */
import { constantValue } from '../symbolic/integer.ts';
import type { Value } from '../tensor-ir/program.ts';
import type { FusedGroup, Group, GroupStore } from './fused-group.ts';
import { isPlainMap, segmentSize, valuesReadBy } from './horizontal.ts';

export function attachRiders(groups: readonly Group[]): readonly Group[] {
  if (!groups.some(isScalar) || groups.length < 2) return groups;
  const reads = groups.map((g) => new Set(valuesReadBy(g)));
  const writer = new Map<Value, number>();
  groups.forEach((g, i) => {
    for (const value of valuesWrittenBy(g)) writer.set(value, i);
  });
  const riders = new Map<number, GroupStore[]>();
  const gone = new Set<number>();
  groups.forEach((group, i) => {
    if (!isScalar(group)) return;
    const stores = group.stages[0]!.stores;
    const earliest = Math.max(-1, ...[...reads[i]!].map((v) => writer.get(v) ?? -1));
    const readers = reads.flatMap((set, j) => (stores.some((s) => set.has(s.value)) ? [j] : []));
    const latest = Math.min(groups.length, ...readers);
    for (let host = earliest + 1; host < latest; host++) {
      if (host === i || gone.has(host) || !canCarry(groups[host]!)) continue;
      const list = riders.get(host);
      if (list === undefined) riders.set(host, [...stores]);
      else list.push(...stores);
      gone.add(i);
      // the host writes it now
      for (const store of stores) writer.set(store.value, host);
      for (const value of reads[i]!) reads[host]!.add(value);
      return;
    }
  });
  return groups.flatMap((group, i): readonly Group[] => {
    if (gone.has(i)) return [];
    const carried = riders.get(i);
    if (carried === undefined || group.kind === 'operation') return [group];
    return [{ ...group, riders: carried }];
  });
}

function isScalar(group: Group): group is FusedGroup {
  return group.kind === 'fused' && group.space.length === 0 && isPlainMap(group);
}

/** Hosts have an element whatever the dims are: a kernel over none would not run, nor store what rides along. */
function canCarry(group: Group): boolean {
  if (group.kind === 'horizontal') return group.members.some(hasElements);
  return (
    group.kind === 'fused' && group.space.length > 0 && isPlainMap(group) && hasElements(group)
  );
}

function hasElements(group: FusedGroup): boolean {
  return (constantValue(segmentSize(group)) ?? 0) > 0;
}

function valuesWrittenBy(group: Group): readonly Value[] {
  switch (group.kind) {
    case 'fused':
      return group.stages.flatMap((s) => s.stores.map((t) => t.value));
    case 'horizontal':
      return group.members.flatMap(valuesWrittenBy);
    case 'operation':
      return group.op.results;
  }
}
