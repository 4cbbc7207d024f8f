/** What a kernel reads from memory behind the element-wise operations and views that it inlines, and how that lies there. */
import type { FusedFunction, FusedGroup } from '../passes/fused-group.ts';
import { ReadAnalysis } from '../passes/index-map.ts';
import { estimateSize, isInlined } from '../passes/materialize.ts';
import { type Int, linearIn, one, product } from '../symbolic/integer.ts';
import type { Value } from '../tensor-ir/program.ts';
import { linearIndex } from './kernel-builder.ts';
import { nameOf, type StageStep } from './stage-program.ts';

/** Reads down to the tensors in memory. */
export function memoryReads(fused: FusedFunction): ReadAnalysis {
  return new ReadAnalysis(fused.definitions, (value) => {
    const op = fused.definitions.get(value);
    return fused.inMemory.has(value) || op === undefined || !isInlined(op);
  });
}

/** Whether a stage of a row reads a value: from memory or the chip, where what it stores itself is computed. */
export function stageLeaves(
  fused: FusedFunction,
  steps: readonly StageStep[],
): (value: Value) => boolean {
  const onChip = new Set(steps.flatMap((s) => s.reduces.map((r) => r.value)));
  const own = new Set(steps.flatMap((s) => s.stores.map((t) => t.value)));
  return (value) => {
    const op = fused.definitions.get(value);
    if (op === undefined || onChip.has(value) || !isInlined(op)) return true;
    return fused.inMemory.has(value) && !own.has(value);
  };
}

/** Leaves of the reductions with their addresses. */
function reductionReads(
  fused: FusedFunction,
  steps: readonly StageStep[],
): readonly { address: Int; size: number }[] {
  const analysis = memoryReads(fused);
  return steps.flatMap((step) =>
    step.reduces.flatMap((reduce) =>
      reduce.reads.flatMap(({ value, index }) =>
        analysis.readsAt(value, index).map((read) => ({
          address: linearIndex(read.index, read.value.type.shape),
          size: estimateSize(product(read.value.type.shape)),
        })),
      ),
    ),
  );
}

/** Weighs by size whether the last row axis or the last space axis is the contiguous one. */
export function isColumnwise(
  fused: FusedFunction,
  group: FusedGroup,
  steps: readonly StageStep[],
): boolean {
  const last = group.space[group.space.length - 1];
  const row = steps.find((s) => s.row.length > 0)?.row;
  if (last === undefined || row === undefined) return false;
  if (steps.some((s) => s.reduces.some((r) => r.position !== undefined))) return false;
  const inner = row[row.length - 1]!;
  let alongRow = 0;
  let alongSpace = 0;
  for (const { address, size } of reductionReads(fused, steps)) {
    if (linearIn(address, nameOf(inner))?.coefficient === one) alongRow += size;
    if (linearIn(address, nameOf(last))?.coefficient === one) alongSpace += size;
  }
  return alongSpace > alongRow;
}
