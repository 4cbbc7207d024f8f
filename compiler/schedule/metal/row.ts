/**
 * Metal schedule of groups that reduce over rows.
 *
 * A row belongs to a simdgroup when it is short (several rows a threadgroup, no barrier), else to a threadgroup:
 *
 *   for row                                    grid
 *     for t                                    threads
 *       for e unrolled: j = 256*e + t
 *         v[e] = x[row, j]; m = max(m, v[e])
 *     m = max over the simdgroup, then over the threadgroup
 *     ... the next stages, from v[e]
 *
 * Rows of known length up to `registerRow` stay in registers between the stages: one read, one write. Longer rows are read
 * again. A kernel for rows of unknown length has all of this, and chooses when it runs:
 *
 *   if N <= 128, else if N <= 1024, or only if N <= 512: a simdgroup a row, in registers; eight rows a threadgroup
 *   else if N <= 4096: a threadgroup a row, in registers
 *   else: a threadgroup a row, which is read again
 *
 * Threads past the end of a row load 0 and go on, but reduce and store nothing: without branches around what is computed of each
 * element, all of a thread's loads are under way before anything waits for one.
 */
import type { FusedFunction, FusedGroup } from '../../passes/fused-group.ts';
import {
  add,
  ceildiv,
  constantValue,
  type Int,
  int,
  multiply,
  one,
  product,
} from '../../symbolic/integer.ts';
import type { KernelBuilder, ScheduledKernel } from '../kernel-builder.ts';
import type { KernelLabel } from '../schedule.ts';
import { extentOf, nameOf, type StageStep, stageSteps } from '../stage-program.ts';
import { bindPoint, builderOf, gridLoops, isMultiple, simdWidth, whereBelow } from './layout.ts';
import { RowStages, registerRow, simdRow } from './row-stages.ts';
import { unknownRows } from './row-variants.ts';

export function scheduleRows(
  fused: FusedFunction,
  group: FusedGroup,
  label: KernelLabel,
): ScheduledKernel {
  return runRows(fused, group, stageSteps(group), label);
}

/** Runs stages over rows; `steps` need not be those of the group (the second stage of a split reduction). */
export function runRows(
  fused: FusedFunction,
  group: FusedGroup,
  steps: readonly StageStep[],
  label: KernelLabel,
): ScheduledKernel {
  const rows = product(group.space.map(extentOf));
  const length = longestRow(steps);
  if (length === undefined) return unknownRows(fused, group, steps, label, rows);
  const b = builderOf(fused, group, label);
  if (length <= simdRow && rows !== one) {
    return simdgroupRows(fused, group, steps, label, b, rows);
  }
  const renaming = new Map<string, Int>();
  const variables = group.space.map((v) => ({ name: nameOf(v), extent: extentOf(v) }));
  const threads = threadsForRow(length);
  const stages = new RowStages(fused, b, steps, renaming, threads, 'threads', undefined);
  gridLoops(b, variables, renaming, () => stages.run());
  const grid = variables.length === 0 ? [one] : variables.map((v) => v.extent);
  return b.finish({ ...label, grid, threads, schedule: 'row' });
}

/** The greatest length of a row, when all are known. */
function longestRow(steps: readonly StageStep[]): number | undefined {
  let longest = 0;
  for (const step of steps) {
    const length = constantValue(product(step.row.map(extentOf)));
    if (length === undefined) return undefined;
    longest = Math.max(longest, length);
  }
  return longest;
}

/** Four elements a thread and more for long rows. */
function threadsForRow(length: number): number {
  const wanted = Math.ceil(length / 4 / simdWidth) * simdWidth;
  if (length > registerRow) return 1024;
  return Math.min(Math.max(wanted, simdWidth), 512);
}

function simdgroupRows(
  fused: FusedFunction,
  group: FusedGroup,
  steps: readonly StageStep[],
  label: KernelLabel,
  b: KernelBuilder,
  rows: Int,
): ScheduledKernel {
  const perGroup = Math.min(8, constantValue(rows) ?? 8);
  const blocks = ceildiv(rows, int(perGroup));
  b.loop('block', blocks, 'grid', (block) => {
    b.loop('s', int(perGroup), 'simdgroups', (s) => {
      const position = add(multiply(block, int(perGroup)), s);
      whereBelow(b, 'row', position, rows, isMultiple(rows, perGroup), (row) => {
        const renaming = bindPoint(group, row);
        new RowStages(fused, b, steps, renaming, simdWidth, 'lanes', undefined).run();
      });
    });
  });
  const threads = perGroup * simdWidth;
  return b.finish({ ...label, grid: [blocks], threads, schedule: 'row' });
}
