/**
 * What all schedules share about a fused group: its reductions and stores as things to emit at a point, with the group's
 * variables renamed to those of the loops at hand. A contraction without a tiled schedule is here a sum of products.
 */
import { combine, identityOf, replacesBest } from '../kernel-ir/monoids.ts';
import type { KernelScalar, LoopReduction, Monoid } from '../kernel-ir/program.ts';
import type { FusedGroup, Stage } from '../passes/fused-group.ts';
import { estimateSize } from '../passes/materialize.ts';
import {
  asVariable,
  type Int,
  indexVariable,
  one,
  product,
  substitute,
  zero,
} from '../symbolic/integer.ts';
import { computeType, type DType } from '../tensor-ir/dtype.ts';
import type { Operation, Value } from '../tensor-ir/program.ts';
import type { KernelBuilder } from './kernel-builder.ts';

/** Group variable name -> expression over loop variables. */
export type Renaming = ReadonlyMap<string, Int>;

export function rename(index: readonly Int[], renaming: Renaming): readonly Int[] {
  return index.map((i) => substitute(i, (v) => renaming.get(v.name)));
}

export interface ReduceStep {
  readonly value: Value;
  readonly monoid: Monoid;
  /** Of the accumulator. */
  readonly dtype: DType;
  readonly element: (b: KernelBuilder, renaming: Renaming) => KernelScalar;
  /** argmax and argmin: the position along the reduced axis. */
  readonly position: ((b: KernelBuilder, renaming: Renaming) => KernelScalar) | undefined;
  /** The value and index that are read for one element: what strides are judged by. */
  readonly reads: readonly { readonly value: Value; readonly index: readonly Int[] }[];
}

export interface StoreStep {
  readonly value: Value;
  readonly index: readonly Int[];
}

export interface StageStep {
  readonly row: readonly Int[];
  readonly reduces: readonly ReduceStep[];
  readonly stores: readonly StoreStep[];
}

export function nameOf(variable: Int): string {
  return asVariable(variable)!.name;
}

/** The extent of an index variable; 1 for the constant index 0. */
export function extentOf(variable: Int): Int {
  return asVariable(variable)?.extent ?? one;
}

function reduceStep(stage: Stage, i: number): ReduceStep {
  const { op, value, operandIndex } = stage.reduces[i]!;
  const { lower } = op.primitive;
  const monoid = lower.kind === 'reduce' ? lower.monoid : 'sum';
  const operand = op.operands[0]!;
  const isPair = monoid === 'argmax' || monoid === 'argmin';
  const axis = lower.kind === 'reduce' ? lower.axes(op)[0]! : 0;
  return {
    value,
    monoid,
    dtype: computeType(operand.type.dtype),
    element: (b, renaming) => b.at(operand, rename(operandIndex, renaming)),
    position: isPair
      ? (_, renaming) => ({
          kind: 'index',
          dtype: 'i32',
          value: rename([operandIndex[axis]!], renaming)[0]!,
        })
      : undefined,
    reads: [{ value: operand, index: operandIndex }],
  };
}

/** The axes of a dot_general by role, as index variables. */
export interface ContractionAxes {
  readonly op: Operation;
  readonly batch: readonly Int[];
  readonly rows: readonly Int[];
  readonly columns: readonly Int[];
  readonly depth: readonly Int[];
  /** Index of each operand over these variables. */
  readonly left: readonly Int[];
  readonly right: readonly Int[];
  /** Index of the result. */
  readonly result: readonly Int[];
}

interface DotAttrs {
  readonly contracting: readonly [readonly number[], readonly number[]];
  readonly batch: readonly [readonly number[], readonly number[]];
}

/** Names the axes of the contraction that leads a group; the space gives batch, rows and columns. */
export function contractionAxes(group: FusedGroup): ContractionAxes {
  const op = group.contraction!;
  const attrs = op.attrs as unknown as DotAttrs;
  const [x, y] = op.operands as [Value, Value];
  const shape = op.results[0]!.type.shape;
  let next = 0;
  const result = shape.map((extent) => (extent === one ? zero : group.space[next++]!));
  const batchCount = attrs.batch[0].length;
  const freeOf = (rank: number, side: 0 | 1): number[] =>
    [...Array(rank).keys()].filter(
      (axis) => !attrs.contracting[side].includes(axis) && !attrs.batch[side].includes(axis),
    );
  const leftFree = freeOf(x.type.shape.length, 0);
  const rightFree = freeOf(y.type.shape.length, 1);
  const batch = result.slice(0, batchCount);
  const rows = result.slice(batchCount, batchCount + leftFree.length);
  const columns = result.slice(batchCount + leftFree.length);
  const depth = attrs.contracting[0].map((axis, i) => {
    const extent = x.type.shape[axis]!;
    return extent === one ? zero : indexVariable(`k${i}`, extent);
  });
  const indexOf = (
    rank: number,
    side: 0 | 1,
    free: readonly number[],
    freeIndex: readonly Int[],
  ): Int[] =>
    [...Array(rank).keys()].map((axis) => {
      const b = attrs.batch[side].indexOf(axis);
      if (b >= 0) return batch[b]!;
      const c = attrs.contracting[side].indexOf(axis);
      return c >= 0 ? depth[c]! : freeIndex[free.indexOf(axis)]!;
    });
  return {
    op,
    batch,
    rows,
    columns,
    depth,
    left: indexOf(x.type.shape.length, 0, leftFree, rows),
    right: indexOf(y.type.shape.length, 1, rightFree, columns),
    result,
  };
}

/** Whether a group is a product accumulated in f32 whose rows, columns and depth are `least` or more: worth tiles. */
export function isProductOfAtLeast(least: number, group: FusedGroup): boolean {
  const { op, rows, columns, depth } = contractionAxes(group);
  if (computeType(op.results[0]!.type.dtype) !== 'f32') return false;
  return [rows, columns, depth].every((axes) => estimateSize(product(axes.map(extentOf))) >= least);
}

/** The stages of a group; a contraction becomes a first stage that sums products over its depth. */
export function stageSteps(group: FusedGroup): readonly StageStep[] {
  const steps: StageStep[] = group.stages.map((stage) => ({
    row: stage.row,
    reduces: stage.reduces.map((_, i) => reduceStep(stage, i)),
    stores: stage.stores,
  }));
  if (group.contraction !== undefined) {
    const axes = contractionAxes(group);
    const [x, y] = axes.op.operands as [Value, Value];
    const dtype = computeType(x.type.dtype);
    const sumOfProducts: ReduceStep = {
      value: axes.op.results[0]!,
      monoid: 'sum',
      dtype,
      element: (b, renaming) => ({
        kind: 'call',
        name: 'mul',
        dtype,
        args: [b.at(x, rename(axes.left, renaming)), b.at(y, rename(axes.right, renaming))],
      }),
      position: undefined,
      reads: [
        { value: x, index: axes.left },
        { value: y, index: axes.right },
      ],
    };
    steps.unshift({
      row: axes.depth.filter((v) => v !== zero),
      reduces: [sumOfProducts],
      stores: [],
    });
  }
  return steps;
}

/** Accumulators of one reduction, declared in the current block. */
export interface Accumulator {
  readonly result: KernelScalar;
  /** What a vector loop must combine, or undefined when the loop must run in order. */
  readonly clause: LoopReduction | undefined;
  /** Emits the update with one element. */
  readonly update: (element: KernelScalar, position: KernelScalar | undefined) => void;
  /** argmax and argmin: the best value. */
  readonly best: KernelScalar | undefined;
}

export function declareAccumulator(b: KernelBuilder, step: ReduceStep): Accumulator {
  const base = step.value.name ?? step.monoid;
  if (step.monoid === 'argmax' || step.monoid === 'argmin') {
    const { monoid } = step;
    const best = b.accumulator(`${base}_best`, step.dtype, identityOf(monoid, step.dtype));
    const position = b.accumulator(base, 'i32', { kind: 'constant', dtype: 'i32', value: 0 });
    return {
      result: position,
      best,
      clause: { name: best.name, monoid, index: position.name },
      update: (element, at) => {
        const x = b.let('candidate', element);
        const isBetter = b.let('is_better', replacesBest(monoid, x, best));
        const pick = (then: KernelScalar, otherwise: KernelScalar): KernelScalar => ({
          kind: 'select',
          dtype: then.dtype,
          condition: isBetter,
          then,
          otherwise,
          isGuard: false,
        });
        b.emit({ kind: 'assign', name: best.name, value: pick(x, best) });
        b.emit({ kind: 'assign', name: position.name, value: pick(at!, position) });
      },
    };
  }
  const { monoid } = step;
  const total = b.accumulator(base, step.dtype, identityOf(monoid, step.dtype));
  return {
    result: total,
    best: undefined,
    clause: { name: total.name, monoid },
    update: (element) =>
      b.emit({ kind: 'assign', name: total.name, value: combine(monoid, total, element) }),
  };
}

/** Emits the scalars that ride on a map, guarded so that the first of all tasks alone stores them. */
export function emitRiders(
  b: KernelBuilder,
  riders: readonly StoreStep[],
  tasks: readonly Int[],
): void {
  if (riders.length === 0) return;
  for (const rider of riders) b.computeHere(rider.value);
  const store = (): void => {
    for (const { value, index } of riders) b.store(value, index, b.at(value, index));
  };
  const conditions = tasks.map((value) => ({ value, extent: one }));
  if (conditions.length === 0) store();
  else b.if({ kind: 'in-range', dtype: 'bool', conditions }, store);
}
