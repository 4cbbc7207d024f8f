/**
 * Cumulative operations as folds: a state of one or two registers, an element as a state, and how two neighbouring stretches
 * combine. Every schedule is an order in which states are combined; the combination is associative.
 *
 *   cumsum                s                   s1 + s2
 *   linear_recurrence     (factor, h)         (f1 f2, f2 h1 + h2)
 *   cumlogsumexp          (greatest m, sum)   both sums rescaled to the greater m
 */
import { combine as combineByMonoid, identityOf } from '../kernel-ir/monoids.ts';
import type { KernelScalar } from '../kernel-ir/program.ts';
import { type Int, one, subtract } from '../symbolic/integer.ts';
import { computeType, type DType } from '../tensor-ir/dtype.ts';
import { isBig } from '../tensor-ir/nd-array.ts';
import type { Operation, Value } from '../tensor-ir/program.ts';
import type { KernelBuilder } from './kernel-builder.ts';

export type FoldState = readonly KernelScalar[];

/** How states take in what comes to their right. */
export interface Absorption {
  /** The state of no elements. */
  readonly identity: FoldState;
  /** The state of two stretches, the left one first. */
  readonly combine: (left: FoldState, right: FoldState) => FoldState;
}

export interface Fold extends Absorption {
  /** The state of one element, from the elements of the operands. */
  readonly lift: (elements: readonly KernelScalar[]) => FoldState;
  /** States of stretches from the start of the row, which may need fewer registers: a recurrence keeps h alone. */
  readonly running: Absorption;
  /** The result at the end of a stretch from the start of the row. */
  readonly result: (running: FoldState) => KernelScalar;
}

/** A cumulative operation by its rows. */
export interface Cumulative {
  readonly fold: Fold;
  readonly operands: readonly Value[];
  readonly result: Value;
  readonly axis: number;
  readonly length: Int;
  /** The axes before and after the one it runs along. */
  readonly outer: readonly Int[];
  readonly inner: readonly Int[];
  /** The index of the element at a place in running order of the row at `point`, an index of outer and inner axes. */
  readonly indexOf: (point: readonly Int[], position: Int) => readonly Int[];
}

/** `sums`: in what type f32 elements are added and multiplied; a device with f64 may keep long sums exact. */
export function cumulativeOf(op: Operation, sums: 'f32' | 'f64' = 'f32'): Cumulative {
  const result = op.results[0]!;
  const { shape, dtype } = result.type;
  const axis = op.attrs['axis'] as number;
  const reverse = op.attrs['reverse'] as boolean;
  const length = shape[axis]!;
  return {
    fold: foldOf(op.primitive.name, computeType(dtype), sums),
    operands: op.operands,
    result,
    axis,
    length,
    outer: shape.slice(0, axis),
    inner: shape.slice(axis + 1),
    indexOf: (point, position) => [
      ...point.slice(0, axis),
      reverse ? subtract(subtract(length, one), position) : position,
      ...point.slice(axis),
    ],
  };
}

/** The state of the element at a position. */
export function elementAt(
  b: KernelBuilder,
  c: Cumulative,
  point: readonly Int[],
  position: Int,
): FoldState {
  const index = c.indexOf(point, position);
  return c.fold.lift(c.operands.map((x) => b.at(x, index)));
}

/** Whether an operation is one of those of this file. */
export function isCumulative(op: Operation): boolean {
  const { name } = op.primitive;
  return name === 'linear_recurrence' || name === 'cumlogsumexp' || name in monoids;
}

const monoids = { cumsum: 'sum', cumprod: 'prod', cummax: 'max', cummin: 'min' } as const;

/** The fold of a primitive over elements of a compute type. */
function foldOf(name: string, dtype: DType, sums: 'f32' | 'f64'): Fold {
  const wide = dtype === 'f32' ? sums : dtype;
  if (name === 'cumlogsumexp') return logSumFold(dtype, wide);
  if (name === 'linear_recurrence') return widened(recurrenceFold(wide), dtype, wide);
  const monoid = monoids[name as keyof typeof monoids];
  const isSum = monoid === 'sum' || monoid === 'prod';
  const type = isSum ? wide : dtype;
  const absorption: Absorption = {
    identity: [identityOf(monoid, type)],
    combine: ([left], [right]) => [combineByMonoid(monoid, left!, right!)],
  };
  const fold: Fold = {
    ...absorption,
    running: absorption,
    lift: (elements) => elements,
    result: ([total]) => total!,
  };
  return widened(fold, dtype, type);
}

/** A fold over `wide` numbers on elements of `dtype`. */
function widened(fold: Fold, dtype: DType, wide: DType): Fold {
  return {
    ...fold,
    lift: (elements) => fold.lift(elements.map((x) => convert(x, wide))),
    result: (running) => convert(fold.result(running), dtype),
  };
}

function recurrenceFold(dtype: DType): Fold {
  const zero = constant(dtype, 0);
  const next = (h: KernelScalar, [f2, h2]: FoldState): KernelScalar => {
    // 0 stays 0 whatever the factor
    const kept = select(call('eq', h, zero), zero, call('mul', f2!, h));
    return call('add', kept, h2!);
  };
  return {
    identity: [constant(dtype, 1), zero],
    combine: ([f1, h1], right) => [call('mul', f1!, right[0]!), next(h1!, right)],
    running: { identity: [zero], combine: ([h], right) => [next(h!, right)] },
    lift: (elements) => elements,
    result: ([h]) => h!,
  };
}

/** The greatest element in `dtype`, the sum in `wide`: factors need no more digits than elements, long sums do. */
function logSumFold(dtype: DType, wide: DType): Fold {
  const one = constant(wide, 1);
  const absorption: Absorption = {
    identity: [constant(dtype, -Infinity), constant(wide, 0)],
    combine: ([m1, s1], [m2, s2]) => {
      const m = call('max', m1!, m2!);
      // equal infinities differ by 0
      const rescaled = (top: KernelScalar, sum: KernelScalar): KernelScalar => {
        const factor = convert(call('exp', call('sub', top, m)), wide);
        return call('mul', sum, select(call('eq', top, m), one, factor));
      };
      return [m, call('add', rescaled(m1!, s1!), rescaled(m2!, s2!))];
    },
  };
  return {
    ...absorption,
    running: absorption,
    lift: ([x]) => [x!, one],
    result: ([m, s]) => call('add', m!, call('log', convert(s!, dtype))),
  };
}

function convert(value: KernelScalar, dtype: DType): KernelScalar {
  return value.dtype === dtype ? value : { kind: 'convert', dtype, value };
}

function constant(dtype: DType, value: number): KernelScalar {
  return { kind: 'constant', dtype, value: isBig(dtype) ? BigInt(value) : value };
}

function call(name: string, x: KernelScalar, y?: KernelScalar): KernelScalar {
  const dtype = name === 'eq' ? 'bool' : x.dtype;
  return { kind: 'call', name, dtype, args: y === undefined ? [x] : [x, y] };
}

function select(
  condition: KernelScalar,
  then: KernelScalar,
  otherwise: KernelScalar,
): KernelScalar {
  return { kind: 'select', dtype: then.dtype, condition, then, otherwise, isGuard: false };
}
