/** What the stages of a row keep in registers for each other. */
import type { FusedFunction } from '../../passes/fused-group.ts';
import { ReadAnalysis } from '../../passes/index-map.ts';
import { forEachVariable, type Int, substitute } from '../../symbolic/integer.ts';
import type { Value } from '../../tensor-ir/program.ts';
import { stageLeaves } from '../memory-reads.ts';
import { extentOf, nameOf, type StageStep } from '../stage-program.ts';
import { type Kept, planStaging } from '../staging.ts';
import { isAlwaysThere } from './preload.ts';

/** Tensors of which a stage loads its elements first; more would take too many registers. */
const mostLoadedFirst = 3;

/** A tensor, or a value that is computed, of which threads hold elements in registers. */
export interface RowKept extends Kept {
  readonly isLoad: boolean;
}

/** What a stage holds for itself and later ones, and the tensors that it alone reads: it loads some of their elements first. */
export interface StageKept {
  readonly all: readonly RowKept[];
  readonly own: readonly RowKept[];
}

/**
 * What stages keep in registers: dear values, and tensors that several stages load at the same element. Where elements need not be
 * there, also what a stage alone loads, so that its loads come first.
 */
export function planKept(
  fused: FusedFunction,
  steps: readonly StageStep[],
  isInRegisters: (step: StageStep) => boolean,
  isGuarded: (step: StageStep) => boolean,
): ReadonlyMap<number, StageKept> {
  const kept = new Map<number, RowKept[]>();
  for (const [number, list] of planStaging(fused, steps)) {
    if (isInRegisters(steps[number]!)) {
      kept.set(
        number,
        list.map((k) => ({ ...k, isLoad: false })),
      );
    }
  }
  const first = new Map<Value, { number: number; index: readonly Int[]; isKept: boolean }>();
  const chosen = new Set([...kept.values()].flatMap((list) => list.map((k) => k.value)));
  const onChip = new Set(steps.flatMap((s) => s.reduces.map((r) => r.value)));
  const analysis = new ReadAnalysis(fused.definitions, stageLeaves(fused, steps));
  steps.forEach((step, number) => {
    if (!isInRegisters(step)) return;
    const visit = (value: Value, index: readonly Int[], leaf: boolean): boolean => {
      if (!leaf)
        return !chosen.has(value) || kept.get(number)?.some((k) => k.value === value) === true;
      if (onChip.has(value) || !isPlain(value, index, step)) return false;
      const before = first.get(value);
      if (before === undefined) first.set(value, { number, index, isKept: false });
      else if (!before.isKept && isSameElement(steps, before, step, index)) {
        before.isKept = true;
        // loads come before what is computed from them
        const own = { value, index: before.index, isLoad: true };
        kept.set(before.number, [own, ...(kept.get(before.number) ?? [])]);
      }
      return false;
    };
    for (const reduce of step.reduces)
      for (const r of reduce.reads) analysis.walk(r.value, r.index, visit);
    for (const store of step.stores) analysis.walk(store.value, store.index, visit);
  });
  return new Map(
    steps.map((step, number) => {
      const all = kept.get(number) ?? [];
      const single = isGuarded(step)
        ? [...first].filter(([, f]) => f.number === number && !f.isKept && isOfRow(f.index, step))
        : [];
      const room = Math.max(0, mostLoadedFirst - all.length);
      const own = single
        .slice(0, room)
        .map(([value, { index }]) => ({ value, index, isLoad: true }));
      return [number, { all, own }];
    }),
  );
}

/** Whether each row has elements of its own: what all rows share comes from the caches soon enough. */
function isOfRow(index: readonly Int[], step: StageStep): boolean {
  const row = new Set(step.row.map(nameOf));
  let found = false;
  for (const i of index) {
    forEachVariable(i, (v) => {
      found ||= v.extent !== undefined && !row.has(v.name);
    });
  }
  return found;
}

/** An element that is there for every point, with each row variable indexing an axis. */
function isPlain(value: Value, index: readonly Int[], step: StageStep): boolean {
  return step.row.every((v) => index.includes(v)) && isAlwaysThere(value, index);
}

function isSameElement(
  steps: readonly StageStep[],
  before: { readonly number: number; readonly index: readonly Int[] },
  step: StageStep,
  index: readonly Int[],
): boolean {
  const { row } = steps[before.number]!;
  if (steps[before.number] === step || row.length !== step.row.length) return false;
  if (!row.every((v, i) => extentOf(v) === extentOf(step.row[i]!))) return false;
  const current = new Map(row.map((v, i) => [nameOf(v), step.row[i]!]));
  return before.index.every((i, axis) => substitute(i, (v) => current.get(v.name)) === index[axis]);
}
