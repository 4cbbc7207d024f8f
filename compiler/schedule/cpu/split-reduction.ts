/**
 * Long reductions with few results, in two deterministic stages on any device that runs tasks: partial results of fixed chunks,
 * then their combination in order, with whatever the group goes on to compute.
 *
 *   kernel 1, task (i, c):  partial[i, c] = sum of chunk c of row i
 *   kernel 2, task i:       s = sum of partial[i, :]; stores of the later stages
 */
import type { KernelScalar } from '../../kernel-ir/program.ts';
import type { FusedFunction, FusedGroup } from '../../passes/fused-group.ts';
import {
  add,
  asVariable,
  ceildiv,
  type Int,
  indexVariable,
  int,
  min,
  multiply,
  product,
  subtract,
} from '../../symbolic/integer.ts';
import { makeValue } from '../../tensor-ir/builder.ts';
import type { DType } from '../../tensor-ir/dtype.ts';
import type { Value } from '../../tensor-ir/program.ts';
import { delinearize, dividesVariable } from '../flatten.ts';
import { KernelBuilder, type ScheduledKernel } from '../kernel-builder.ts';
import type { KernelLabel } from '../schedule.ts';
import {
  type Accumulator,
  declareAccumulator,
  extentOf,
  nameOf,
  type ReduceStep,
  type StageStep,
  stageSteps,
} from '../stage-program.ts';
import { runRows } from './row.ts';

const chunkElements = 16384;

export function scheduleSplitReduction(
  fused: FusedFunction,
  group: FusedGroup,
  label: KernelLabel,
): readonly ScheduledKernel[] {
  const [first, ...rest] = stageSteps(group) as [StageStep, ...StageStep[]];
  const chunks = chunksOf(fused, group, first, label);
  const shape = [...group.space.map(extentOf), chunks.count];
  const partials = first.reduces.map((r) => ({
    value: makeValue({ dtype: r.dtype, shape }, `${r.value.name ?? r.monoid}_partial`),
    position:
      r.position === undefined
        ? undefined
        : makeValue({ dtype: 'i32', shape }, `${r.value.name ?? r.monoid}_partial_index`),
  }));
  const partial = partialKernel(fused, group, first, label, chunks, partials);
  const combined: StageStep = {
    row: [indexVariable('part', chunks.count)],
    stores: [],
    reduces: first.reduces.map(
      (r, i): ReduceStep => combineStep(group, r, partials[i]!, chunks.count),
    ),
  };
  const second: KernelLabel = { ...label, name: `${label.name}_combine` };
  return [partial, runRows(fused, group, [combined, ...rest], second)];
}

interface Partial {
  readonly value: Value;
  readonly position: Value | undefined;
}

function combineStep(
  group: FusedGroup,
  step: ReduceStep,
  partial: Partial,
  count: Int,
): ReduceStep {
  const at = (renaming: ReadonlyMap<string, Int>): readonly Int[] =>
    [...group.space, indexVariable('part', count)].map((v) => renaming.get(nameOf(v)) ?? v);
  return {
    ...step,
    element: (b, renaming) => b.load(partial.value, at(renaming)),
    position:
      partial.position === undefined
        ? undefined
        : (b, renaming) => b.load(partial.position!, at(renaming)),
    reads: [],
  };
}

interface Chunks {
  readonly count: Int;
  /** Binds the row variables inside a chunk and runs the body. */
  readonly run: (
    b: KernelBuilder,
    chunk: Int,
    renaming: Map<string, Int>,
    accumulators: readonly Accumulator[],
    body: () => void,
  ) => void;
}

/** Chunks of the flattened row where it is contiguous; else of its outermost axis. */
function chunksOf(
  fused: FusedFunction,
  group: FusedGroup,
  step: StageStep,
  label: KernelLabel,
): Chunks {
  const extents = step.row.map(extentOf);
  const flat: Chunks = {
    count: ceildiv(product(extents), int(chunkElements)),
    run: (b, chunk, renaming, accumulators, body) => {
      const start = multiply(chunk, int(chunkElements));
      const extent = min(int(chunkElements), subtract(product(extents), start));
      innerLoop(b, extent, accumulators, (j) => {
        delinearize(add(start, j), extents).forEach((index, i) =>
          renaming.set(nameOf(step.row[i]!), index),
        );
        body();
      });
    },
  };
  if (step.row.length === 1) return flat;
  const trial = partialKernel(
    fused,
    group,
    step,
    label,
    flat,
    step.reduces.map((r) => trialPartial(r, group, flat.count)),
  );
  const vector = trial.kernel.body.length > 0 && dividesVariable(trial.kernel.body, 'j');
  if (!vector) return flat;
  const outer = extents[0]!;
  const rowsPerChunk = 32;
  return {
    count: ceildiv(outer, int(rowsPerChunk)),
    run: (b, chunk, renaming, accumulators, body) => {
      const start = multiply(chunk, int(rowsPerChunk));
      b.loop('r', min(int(rowsPerChunk), subtract(outer, start)), 'serial', (r) => {
        renaming.set(nameOf(step.row[0]!), add(start, r));
        const nest = (axis: number): void => {
          const bind = (j: Int): void => {
            renaming.set(nameOf(step.row[axis]!), j);
            if (axis === step.row.length - 1) body();
            else nest(axis + 1);
          };
          if (axis === step.row.length - 1) innerLoop(b, extents[axis]!, accumulators, bind);
          else b.loop('j', extents[axis]!, 'serial', bind);
        };
        nest(1);
      });
    },
  };
}

function trialPartial(r: ReduceStep, group: FusedGroup, count: Int): Partial {
  const shape = [...group.space.map(extentOf), count];
  const make = (dtype: DType): Value => makeValue({ dtype, shape });
  return { value: make(r.dtype), position: r.position === undefined ? undefined : make('i32') };
}

function innerLoop(
  b: KernelBuilder,
  extent: Int,
  accumulators: readonly Accumulator[],
  body: (j: Int) => void,
): void {
  const isOrdered = accumulators.some((a) => a.clause === undefined);
  const clauses = accumulators.flatMap((a) => (a.clause === undefined ? [] : [a.clause]));
  if (isOrdered) b.loop('j', extent, 'serial', body);
  else b.loop('j', extent, 'vector', body, clauses);
}

function partialKernel(
  fused: FusedFunction,
  group: FusedGroup,
  step: StageStep,
  label: KernelLabel,
  chunks: Chunks,
  partials: readonly Partial[],
): ScheduledKernel {
  const b = new KernelBuilder(fused, label.dims);
  const renaming = new Map<string, Int>();
  const body = (chunk: Int): void => {
    const accumulators = step.reduces.map((r) => declareAccumulator(b, r));
    chunks.run(b, chunk, renaming, accumulators, () => {
      step.reduces.forEach((r, i) => {
        const position: KernelScalar | undefined = r.position?.(b, renaming);
        accumulators[i]!.update(r.element(b, renaming), position);
      });
    });
    step.reduces.forEach((_, i) => {
      const index = [...group.space.map((v) => renaming.get(nameOf(v))!), chunk];
      const { value, position } = partials[i]!;
      b.store(value, index, accumulators[i]!.best ?? accumulators[i]!.result);
      if (position !== undefined) b.store(position, index, accumulators[i]!.result);
    });
  };
  const nest = (axis: number): void => {
    if (axis === group.space.length) b.loop('chunk', chunks.count, 'grid', body);
    else {
      b.loop('i', extentOf(group.space[axis]!), 'grid', (i) => {
        renaming.set(asVariable(group.space[axis]!)!.name, i);
        nest(axis + 1);
      });
    }
  };
  nest(0);
  return b.finish({
    ...label,
    grid: [...group.space.map(extentOf), chunks.count],
    schedule: 'partial reduction',
  });
}
