/**
 * Long reductions with few results on Metal, in two deterministic stages: a threadgroup reduces a fixed chunk of the row, then
 * one threadgroup a row combines the chunks and goes on with the group's later stages.
 *
 *   kernel 1, threadgroup (i, c):  partial[i, c] = sum of chunk c of row i
 *   kernel 2, threadgroup i:       s = sum of partial[i, :]; stores of the later stages
 */
import type { FusedFunction, FusedGroup } from '../../passes/fused-group.ts';
import {
  add,
  ceildiv,
  type Int,
  indexVariable,
  int,
  multiply,
  one,
  product,
} from '../../symbolic/integer.ts';
import { makeValue } from '../../tensor-ir/builder.ts';
import type { Value } from '../../tensor-ir/program.ts';
import { delinearize } from '../flatten.ts';
import type { ScheduledKernel } from '../kernel-builder.ts';
import type { KernelLabel } from '../schedule.ts';
import { extentOf, nameOf, type ReduceStep, type StageStep, stageSteps } from '../stage-program.ts';
import {
  builderOf,
  defaultThreads,
  gridLoops,
  isMultiple,
  simdWidth,
  whereBelow,
} from './layout.ts';
import { beginReductions, endReductions, updateReductions } from './reduction.ts';
import { runRows } from './row.ts';

/** Elements of a chunk: 64 a thread. */
const chunkElements = 64 * defaultThreads;

/** The results of a reduction's chunks, in memory. */
export interface Partial {
  readonly value: Value;
  /** argmax and argmin: where the value is. */
  readonly position: Value | undefined;
}

/** A value of this shape for the partial results of each reduction. */
export function partialsOf(reduces: readonly ReduceStep[], shape: readonly Int[]): Partial[] {
  return reduces.map((r) => {
    const name = `${r.value.name ?? r.monoid}_partial`;
    const position = r.position === undefined ? undefined : `${name}_index`;
    return {
      value: makeValue({ dtype: r.dtype, shape }, name),
      position: position === undefined ? undefined : makeValue({ dtype: 'i32', shape }, position),
    };
  });
}

export function scheduleFullReduction(
  fused: FusedFunction,
  group: FusedGroup,
  label: KernelLabel,
): readonly ScheduledKernel[] {
  const [first, ...rest] = stageSteps(group) as [StageStep, ...StageStep[]];
  const chunks = ceildiv(product(first.row.map(extentOf)), int(chunkElements));
  const shape = [...group.space.map(extentOf), chunks];
  const partials = partialsOf(first.reduces, shape);
  const part = indexVariable('part', chunks);
  const combined: StageStep = {
    row: [part],
    stores: [],
    reduces: first.reduces.map((r, i) => combineStep(r, partials[i]!, [...group.space, part])),
  };
  return [
    partialKernel(fused, group, first, label, chunks, partials),
    runRows(fused, group, [combined, ...rest], { ...label, name: `${label.name}_combine` }),
  ];
}

/** The reduction of the partial results, which lie at `index`. */
export function combineStep(
  step: ReduceStep,
  { value, position }: Partial,
  index: readonly Int[],
): ReduceStep {
  const at = (renaming: ReadonlyMap<string, Int>): readonly Int[] =>
    index.map((v) => renaming.get(nameOf(v)) ?? v);
  return {
    ...step,
    element: (b, renaming) => b.load(value, at(renaming)),
    position: position === undefined ? undefined : (b, renaming) => b.load(position, at(renaming)),
    reads: [],
  };
}

function partialKernel(
  fused: FusedFunction,
  group: FusedGroup,
  step: StageStep,
  label: KernelLabel,
  chunks: Int,
  partials: readonly Partial[],
): ScheduledKernel {
  const b = builderOf(fused, group, label);
  const renaming = new Map<string, Int>();
  const extents = step.row.map(extentOf);
  const total = product(extents);
  const outer = group.space.map((v) => ({ name: nameOf(v), extent: extentOf(v) }));
  gridLoops(b, outer, renaming, () => {
    b.loop('chunk', chunks, 'grid', (chunk) => {
      const running = beginReductions(b, step.reduces);
      b.loop('v', int(chunkElements), 'threads', (v) => {
        const position = add(multiply(chunk, int(chunkElements)), v);
        whereBelow(b, 'j', position, total, isMultiple(total, chunkElements), (j) => {
          delinearize(j, extents).forEach((index, axis) =>
            renaming.set(nameOf(step.row[axis]!), index),
          );
          updateReductions(b, running, renaming);
        });
      });
      endReductions(b, running, defaultThreads / simdWidth);
      b.loop('first', one, 'threads', () => {
        running.forEach(({ accumulator }, i) => {
          const index = [...group.space.map((v) => renaming.get(nameOf(v))!), chunk];
          const { value, position } = partials[i]!;
          b.store(value, index, accumulator.best ?? accumulator.result);
          if (position !== undefined) b.store(position, index, accumulator.result);
        });
      });
    });
  });
  const grid = [...outer.map((v) => v.extent), chunks];
  return b.finish({ ...label, grid, threads: defaultThreads, schedule: 'partial reduction' });
}
