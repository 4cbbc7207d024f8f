import type { FusedFunction, FusedGroup } from '../../passes/fused-group.ts';
import { estimateSize } from '../../passes/materialize.ts';
import { constantValue, product } from '../../symbolic/integer.ts';
import type { ScheduledKernel } from '../kernel-builder.ts';
import { isColumnwise } from '../memory-reads.ts';
import type { KernelLabel } from '../schedule.ts';
import { extentOf, type StageStep, stageSteps } from '../stage-program.ts';
import {
  canBeCut,
  chunkRows,
  inChunks,
  inUnknownChunks,
  leastChunkRows,
  longColumn,
} from './column-chunks.ts';
import { alongRows, byColumns, fewPoints, narrow, simdgroupsFor, wide } from './column-stages.ts';
import { bindPoint, builderOf, defaultThreads } from './layout.ts';
import { spread } from './map.ts';

/** Rows up to this length are not worth a simdgroup. */
const shortRow = 16;
/** From this many points on, one thread a point fills the machine. */
const manyPoints = 1 << 15;

/** Whether the group reduces columns, of which there are enough for the lanes of a simdgroup. */
export function hasColumns(fused: FusedFunction, group: FusedGroup): boolean {
  const columns = group.space.at(-1);
  if (columns === undefined || estimateSize(extentOf(columns)) < shortRow) return false;
  return isColumnwise(fused, group, stageSteps(group));
}

/** The schedule for this group, or undefined when its rows are contiguous and long: then it is row.ts's. */
export function scheduleColumns(
  fused: FusedFunction,
  group: FusedGroup,
  label: KernelLabel,
): readonly ScheduledKernel[] | undefined {
  const steps = stageSteps(group);
  const lengths = steps.map((s) => product(s.row.map(extentOf)));
  const points = estimateSize(product(group.space.map(extentOf)), 1024);
  const isShort = lengths.every((n) => (constantValue(n) ?? shortRow + 1) <= shortRow);
  if (isShort && group.space.length > 0) return [byPoints(fused, group, steps, label)];
  if (!isColumnwise(fused, group, steps)) return undefined;
  // what several stages read is read again: by a threadgroup's columns, from the caches
  const isReadOnce = steps.filter((s) => s.row.length > 0).length === 1;
  const areKnown = constantValue(product(group.space.map(extentOf))) !== undefined;
  const longest = Math.max(...lengths.map((n) => constantValue(n) ?? Infinity));
  const isThin = longest <= leastChunkRows && (!areKnown || points >= fewPoints);
  if (isReadOnce && (isThin || (areKnown && points >= manyPoints && longest < Infinity))) {
    return [byPoints(fused, group, steps, label)];
  }
  if (longest === Infinity || (!areKnown && longest > longColumn)) {
    if (canBeCut(steps)) {
      return readsResults(fused, group)
        ? [byColumns(fused, group, steps, label, narrow)]
        : inUnknownChunks(fused, group, steps, label);
    }
  }
  const rows = chunkRows(points, steps);
  if (rows !== undefined) return inChunks(fused, group, steps, label, rows);
  // with few threadgroups at a time, what they read stays in the caches until they read it again
  const simdgroups = isReadOnce ? simdgroupsFor(points, steps) : 32;
  return [byColumns(fused, group, steps, label, wide(simdgroups))];
}

/** Whether the group reads what other kernels of the function compute. */
function readsResults(fused: FusedFunction, group: FusedGroup): boolean {
  return [...group.reads].some(
    (value) => value.type.shape.length > 0 && fused.definitions.has(value),
  );
}

function byPoints(
  fused: FusedFunction,
  group: FusedGroup,
  steps: readonly StageStep[],
  label: KernelLabel,
): ScheduledKernel {
  const b = builderOf(fused, group, label);
  const blocks = spread(b, product(group.space.map(extentOf)), 1, {
    around: (body) => body(),
    element: (i) => alongRows(b, steps, bindPoint(group, i)),
  });
  return b.finish({ ...label, grid: [blocks], threads: defaultThreads, schedule: 'point' });
}
