/**
 * CPU schedules of groups that reduce over rows.
 *
 * Rows: the reduced axis is contiguous. One task a row; each stage is a vector loop over the row. What several stages compute at
 * the same element (the exponential of softmax) is kept in a scratch row.
 *
 *   for task i                                grid
 *     m = -inf; for j vector: m = max(m, x[i, j])
 *     s = 0;    for j vector: e[j] = exp(x[i, j] - m); s += e[j]
 *               for j vector: y[i, j] = e[j] / s
 *
 * Columns: an axis of the space is contiguous instead. One task a block of columns, with an array of accumulators:
 *
 *   for task c                                grid
 *     acc[0..256] = 0; for i serial: for v vector: acc[v] += x[i, 256*c + v]
 *     for v vector: y[256*c + v] = acc[v]
 */
import { combine, identityOf } from '../../kernel-ir/monoids.ts';
import type { FusedFunction, FusedGroup } from '../../passes/fused-group.ts';
import {
  add,
  ceildiv,
  constantValue,
  type Int,
  int,
  min,
  multiply,
  one,
  product,
  subtract,
  zero,
} from '../../symbolic/integer.ts';
import { computeType } from '../../tensor-ir/dtype.ts';
import { KernelBuilder, linearIndex, type ScheduledKernel } from '../kernel-builder.ts';
import { isColumnwise } from '../memory-reads.ts';
import type { KernelLabel } from '../schedule.ts';
import {
  declareAccumulator,
  extentOf,
  nameOf,
  type ReduceStep,
  rename,
  type StageStep,
  stageSteps,
} from '../stage-program.ts';
import { planStaging } from '../staging.ts';

/** Columns of one task: long runs of memory, accumulators that stay in the first-level cache, a few tasks at least. */
const fewestColumns = 64;
const mostColumns = 1024;
const wantedTasks = 4;

function columnsOfTask(total: Int): number {
  const constant = constantValue(total);
  if (constant === undefined) return 256;
  const share = Math.ceil(constant / wantedTasks / fewestColumns) * fewestColumns;
  return Math.min(constant, Math.max(fewestColumns, Math.min(share, mostColumns)));
}

export function scheduleRows(
  fused: FusedFunction,
  group: FusedGroup,
  label: KernelLabel,
): ScheduledKernel {
  const steps = stageSteps(group);
  return isColumnwise(fused, group, steps)
    ? columns(fused, group, steps, label)
    : runRows(fused, group, steps, label);
}

function prepare(fused: FusedFunction, group: FusedGroup, label: KernelLabel): KernelBuilder {
  const b = new KernelBuilder(fused, label.dims);
  for (const stage of group.stages) {
    for (const store of stage.stores) {
      if (!isAnchor(fused, group, store.value)) b.computeHere(store.value);
    }
  }
  return b;
}

function isAnchor(
  fused: FusedFunction,
  group: FusedGroup,
  value: StageStep['stores'][number]['value'],
): boolean {
  const op = fused.definitions.get(value);
  return op === group.contraction || op?.primitive.lower.kind === 'reduce';
}

/** Runs stages over rows; `steps` need not be those of the group (the second stage of a split reduction). */
export function runRows(
  fused: FusedFunction,
  group: FusedGroup,
  steps: readonly StageStep[],
  label: KernelLabel,
): ScheduledKernel {
  const b = prepare(fused, group, label);
  const renaming = new Map<string, Int>();
  const staged = planStaging(fused, steps);
  const grid = group.space.map(extentOf);

  const runStage = (step: StageStep, number: number): void => {
    const accumulators = step.reduces.map((r) => declareAccumulator(b, r));
    const size = product(step.row.map(extentOf));
    const kept = (staged.get(number) ?? []).map(({ value, index }) => ({
      value,
      index,
      buffer: b.allocate(value.name ?? 'kept', computeType(value.type.dtype), 'scratch', size),
    }));
    const body = (): void => {
      for (const { value, index, buffer } of kept) {
        const here = rename(index, renaming);
        const scalar = b.let(value.name ?? 'kept', b.at(value, here));
        const position = linearIndex(
          step.row.map((v) => renaming.get(nameOf(v))!),
          step.row.map(extentOf),
        );
        b.emit({ kind: 'store', buffer, index: position, value: scalar });
        const home = here.map((i) => i.key).join();
        const outside = rename(index, spaceOnly(group, renaming));
        b.setOnChip(value, (wanted) => {
          if (wanted.map((i) => i.key).join() === home) return scalar;
          const at = positionInRow(outside, step.row, wanted);
          return at === undefined ? undefined : b.loadFrom(buffer, at);
        });
      }
      step.reduces.forEach((reduce, i) => {
        accumulators[i]!.update(reduce.element(b, renaming), reduce.position?.(b, renaming));
      });
      for (const store of step.stores) {
        const index = rename(store.index, renaming);
        b.store(store.value, index, b.at(store.value, index));
      }
    };
    const isOrdered = accumulators.some((a) => a.clause === undefined);
    const nest = (axis: number): void => {
      if (axis === step.row.length) {
        body();
        return;
      }
      const isLast = axis === step.row.length - 1;
      const clauses = accumulators.flatMap((a) => (a.clause === undefined ? [] : [a.clause]));
      b.loop(
        'j',
        extentOf(step.row[axis]!),
        isLast && !isOrdered ? 'vector' : 'serial',
        (j) => {
          renaming.set(nameOf(step.row[axis]!), j);
          nest(axis + 1);
        },
        isLast && !isOrdered ? clauses : undefined,
      );
    };
    nest(0);
    step.reduces.forEach((reduce, i) => {
      b.setOnChip(reduce.value, () => accumulators[i]!.result);
    });
  };
  nestGrid(b, group, renaming, 0, group.space.length, () => steps.forEach(runStage));
  return b.finish({ ...label, grid: grid.length === 0 ? [one] : grid, schedule: 'row' });
}

function spaceOnly(
  group: FusedGroup,
  renaming: ReadonlyMap<string, Int>,
): ReadonlyMap<string, Int> {
  return new Map(group.space.map((v) => [nameOf(v), renaming.get(nameOf(v))!]));
}

/** Where in its row an element lies: matches the wanted index against the kept value's, row variable by row variable. */
function positionInRow(
  kept: readonly Int[],
  row: readonly Int[],
  wanted: readonly Int[],
): Int | undefined {
  const found = new Map<string, Int>();
  for (let i = 0; i < kept.length; i++) {
    const variable = row.find((v) => v === kept[i]);
    if (variable !== undefined) found.set(nameOf(variable), wanted[i]!);
    else if (kept[i] !== wanted[i]) return undefined;
  }
  if (found.size !== row.length) return undefined;
  return linearIndex(
    row.map((v) => found.get(nameOf(v))!),
    row.map(extentOf),
  );
}

function nestGrid(
  b: KernelBuilder,
  group: FusedGroup,
  renaming: Map<string, Int>,
  axis: number,
  end: number,
  body: () => void,
): void {
  if (axis === end) {
    body();
    return;
  }
  b.loop('i', extentOf(group.space[axis]!), 'grid', (i) => {
    renaming.set(nameOf(group.space[axis]!), i);
    nestGrid(b, group, renaming, axis + 1, end, body);
  });
}

function columns(
  fused: FusedFunction,
  group: FusedGroup,
  steps: readonly StageStep[],
  label: KernelLabel,
): ScheduledKernel {
  const b = prepare(fused, group, label);
  const renaming = new Map<string, Int>();
  const column = group.space[group.space.length - 1]!;
  const total = extentOf(column);
  const width = columnsOfTask(total);
  const blocks = ceildiv(total, int(width));
  const outer = group.space.slice(0, -1);

  const runStage = (step: StageStep, base: Int, extent: Int): void => {
    const accumulators = step.reduces.map((r) => {
      const buffer = b.allocate(r.value.name ?? r.monoid, r.dtype, 'thread', int(width));
      b.loop('v', int(width), 'vector', (v) => {
        b.emit({ kind: 'store', buffer, index: v, value: identityOf(r.monoid, r.dtype) });
      });
      return buffer;
    });
    const inside = (): void => {
      b.loop('v', extent, 'vector', (v) => {
        renaming.set(nameOf(column), add(base, v));
        step.reduces.forEach((reduce, i) => updateColumn(b, reduce, accumulators[i]!, v, renaming));
        for (const store of step.stores) {
          const index = rename(store.index, renaming);
          b.store(store.value, index, b.at(store.value, index));
        }
      });
    };
    const nest = (axis: number): void => {
      if (axis === step.row.length) inside();
      else {
        b.loop('j', extentOf(step.row[axis]!), 'serial', (j) => {
          renaming.set(nameOf(step.row[axis]!), j);
          nest(axis + 1);
        });
      }
    };
    nest(0);
    step.reduces.forEach((reduce, i) => {
      b.setOnChip(reduce.value, () =>
        b.loadFrom(accumulators[i]!, subtract(renaming.get(nameOf(column))!, base)),
      );
    });
  };
  const grid = [...outer.map(extentOf), ...(blocks === one ? [] : [blocks])];
  nestGrid(b, group, renaming, 0, outer.length, () => {
    if (blocks === one) steps.forEach((s) => runStage(s, zero, total));
    else {
      b.loop('c', blocks, 'grid', (c) => {
        const base = multiply(c, int(width));
        const extent = min(int(width), subtract(total, base));
        steps.forEach((s) => runStage(s, base, extent));
      });
    }
  });
  return b.finish({ ...label, grid: grid.length === 0 ? [one] : grid, schedule: 'column' });
}

function updateColumn(
  b: KernelBuilder,
  reduce: ReduceStep,
  buffer: ReturnType<KernelBuilder['allocate']>,
  v: Int,
  renaming: ReadonlyMap<string, Int>,
): void {
  const { monoid } = reduce;
  if (monoid === 'argmax' || monoid === 'argmin') return;
  const total = b.loadFrom(buffer, v);
  b.emit({
    kind: 'store',
    buffer,
    index: v,
    value: combine(monoid, total, reduce.element(b, renaming)),
  });
}
