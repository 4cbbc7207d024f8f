/**
 * Decides what the stages of a row keep for each other. An element-wise value that a later stage needs at the same element again
 * is kept on chip when computing it twice costs more than a load:
 *
 *   stage 1: s = sum exp(x[j] - m)         keeps e[j] = exp(x[j] - m)
 *   stage 2: y[j] = exp(x[j] - m) / s      reads e[j]
 */
import { scalarFunctions } from '../kernel-ir/scalar-functions.ts';
import type { FusedFunction } from '../passes/fused-group.ts';
import { ReadAnalysis } from '../passes/index-map.ts';
import { isTransparent } from '../passes/materialize.ts';
import { type Int, isInRange } from '../symbolic/integer.ts';
import type { Value } from '../tensor-ir/program.ts';
import { stageLeaves } from './memory-reads.ts';
import type { StageStep } from './stage-program.ts';

export interface Kept {
  readonly value: Value;
  /** Over the group's variables: space, and the row of the stage that computes it. */
  readonly index: readonly Int[];
}

/** Cheaper than this (or reading a single tensor) and a value is computed again. */
const worthKeeping = 6;

/** True when the element exists at every point: a value that is read under a guard alone must not be computed outside it. */
function isInside(value: Value, index: readonly Int[]): boolean {
  return index.every((i, axis) => isInRange(i, value.type.shape[axis]!));
}

/** For each stage, the values it keeps for later ones. */
export function planStaging(
  fused: FusedFunction,
  steps: readonly StageStep[],
): ReadonlyMap<number, readonly Kept[]> {
  const isLeaf = stageLeaves(fused, steps);
  const analysis = new ReadAnalysis(fused.definitions, isLeaf);
  const work = new Map<Value, number>();
  const workOf = (value: Value): number => {
    const known = work.get(value);
    if (known !== undefined) return known;
    const op = fused.definitions.get(value);
    let total = isLeaf(value) ? 3 : 0;
    if (op !== undefined && !isLeaf(value)) {
      total = isTransparent(op) ? 0 : (scalarFunctions.get(op.primitive.name)?.flops ?? 1);
      for (const operand of new Set(op.operands))
        if (operand.type.shape.length > 0) total += workOf(operand);
    }
    work.set(value, total);
    return total;
  };

  const computed = new Map<Value, { stage: number; index: readonly Int[] }>();
  const kept = new Map<number, Kept[]>();
  const chosen = new Set<Value>();
  steps.forEach((step, number) => {
    if (step.row.length === 0) return;
    const here: Kept[] = [];
    const enter = (value: Value, index: readonly Int[], isALeaf: boolean): boolean => {
      if (isALeaf) return false;
      if (!step.row.every((v) => index.includes(v)) || !isInside(value, index)) return true;
      const before = computed.get(value);
      if (before !== undefined && workOf(value) > worthKeeping && isSameElement(before, index)) {
        if (!chosen.has(value)) {
          chosen.add(value);
          const list = kept.get(before.stage);
          if (list === undefined) kept.set(before.stage, [{ value, index: before.index }]);
          else list.push({ value, index: before.index });
        }
        return false;
      }
      here.push({ value, index });
      return true;
    };
    const isSameElement = (
      before: { stage: number; index: readonly Int[] },
      index: readonly Int[],
    ): boolean => {
      const row = steps[before.stage]!.row;
      return (
        row.length === step.row.length &&
        before.index.every(
          (v, i) =>
            v === index[i] || (row.includes(v) && row.indexOf(v) === step.row.indexOf(index[i]!)),
        )
      );
    };
    for (const reduce of step.reduces)
      for (const r of reduce.reads) analysis.walk(r.value, r.index, enter);
    for (const store of step.stores) analysis.walk(store.value, store.index, enter);
    for (const { value, index } of here) {
      if (!computed.has(value)) computed.set(value, { stage: number, index });
    }
  });
  return kept;
}
