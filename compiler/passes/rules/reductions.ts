/**
 * Reductions of what is constant along the axes, and of reductions. Two sums in a row become one: the IR leaves the
 * order of a sum to the schedule, so this is the same freedom. The sum of n equal elements becomes n times the element,
 * which rounds once instead of n times.
 */
import { mul, neg } from '../../primitives/arithmetic.ts';
import { type BroadcastAttrs, broadcast } from '../../primitives/broadcast.ts';
import { isOne, range, withoutAxes } from '../../primitives/checks.ts';
import { dimValue } from '../../primitives/constant.ts';
import type { PermuteAttrs } from '../../primitives/permute.ts';
import { reduceSum } from '../../primitives/reduce.ts';
import { reshape } from '../../primitives/reshape.ts';
import { broadcastScalar, filledLike, permuteTo } from '../../primitives/values.ts';
import { constantValue, product } from '../../symbolic/integer.ts';
import { byteSize, type DType, isFloat } from '../../tensor-ir/dtype.ts';
import { roundTo } from '../../tensor-ir/nd-array.ts';
import type { Operation } from '../../tensor-ir/program.ts';
import type { Rule } from '../rewriter.ts';
import { isSplat, splatNumber } from './constants.ts';

const reductions = [
  'reduce_sum',
  'reduce_prod',
  'reduce_max',
  'reduce_min',
  'reduce_all',
  'reduce_any',
];

function axesOf(op: Operation): readonly number[] {
  return op.attrs['axes'] as readonly number[];
}

/** True when a count is exact in the dtype: sums accumulate wider than f16 and bf16 are. */
function holds(dtype: DType, count: number): boolean {
  return isFloat(dtype) ? roundTo(count, dtype) === count : byteSize(dtype) >= 4;
}

export const reductionRules: readonly Rule[] = [
  {
    name: 'reduce-nothing',
    on: reductions,
    rewrite: (_, op) => (axesOf(op).length === 0 ? op.operands[0]! : undefined),
  },
  {
    name: 'reduce-unit-axes',
    on: reductions,
    rewrite: (r, op) => {
      const x = op.operands[0]!;
      const { shape } = x.type;
      const units = axesOf(op).filter((axis) => isOne(shape[axis]!));
      if (units.length === 0) return undefined;
      const smaller = r.apply(reshape, [x], { shape: withoutAxes(shape, units) });
      const kept = range(shape.length).filter((axis) => !units.includes(axis));
      const axes = axesOf(op)
        .filter((axis) => !units.includes(axis))
        .map((axis) => kept.indexOf(axis));
      return r.apply(op.primitive, [smaller], { axes });
    },
  },
  {
    name: 'reduce-of-reduce',
    on: reductions,
    rewrite: (r, op) => {
      const inner = r.definedBy(op.operands[0]!, op.primitive.name);
      if (inner === undefined || !r.isUsedOnce(op.operands[0]!)) return undefined;
      const removed = axesOf(inner);
      const kept = range(inner.operands[0]!.type.shape.length).filter((a) => !removed.includes(a));
      const axes = [...removed, ...axesOf(op).map((axis) => kept[axis]!)].sort((a, b) => a - b);
      return r.apply(op.primitive, inner.operands, { axes });
    },
  },
  {
    name: 'reduce-of-permute',
    on: reductions,
    rewrite: (r, op) => {
      const inner = r.definedBy(op.operands[0]!, 'permute');
      if (inner === undefined) return undefined;
      const { permutation } = inner.attrs as PermuteAttrs;
      const axes = axesOf(op)
        .map((axis) => permutation[axis]!)
        .sort((a, b) => a - b);
      const left = permutation.filter((_, i) => !axesOf(op).includes(i));
      const ascending = left.toSorted((a, b) => a - b);
      const reduced = r.apply(op.primitive, inner.operands, { axes });
      return permuteTo(
        r,
        reduced,
        left.map((axis) => ascending.indexOf(axis)),
      );
    },
  },
  {
    name: 'sum-of-negated',
    on: ['reduce_sum'],
    rewrite: (r, op) => {
      const inner = r.definedBy(op.operands[0]!, 'neg');
      return inner && r.apply(neg, [r.apply(reduceSum, inner.operands, { axes: axesOf(op) })], {});
    },
  },
  {
    name: 'sum-of-ones',
    on: ['reduce_sum'],
    rewrite: (r, op) => {
      const x = op.operands[0]!;
      if (!isSplat(r, x, 1)) return undefined;
      const dim = product(axesOf(op).map((axis) => x.type.shape[axis]!));
      const { dtype, shape } = op.results[0]!.type;
      const count = constantValue(dim);
      if (count !== undefined && holds(dtype, count)) return filledLike(r, op.results[0]!, count);
      return broadcastScalar(r, r.apply(dimValue, [], { dim, dtype }), shape);
    },
  },
  {
    name: 'sum-of-zeros',
    on: ['reduce_sum'],
    rewrite: (r, op) =>
      isSplat(r, op.operands[0]!, 0) ? filledLike(r, op.results[0]!, 0) : undefined,
  },
  {
    // an empty sum is 0, and so is 0 times a finite constant
    name: 'sum-of-constant',
    on: ['reduce_sum'],
    rewrite: (r, op) => {
      const x = op.operands[0]!;
      const element = splatNumber(r, x);
      const { dtype, shape } = op.results[0]!.type;
      const isWide = byteSize(dtype) >= 4;
      if (element === undefined || !Number.isFinite(element) || !isWide) return undefined;
      const dim = product(axesOf(op).map((axis) => x.type.shape[axis]!));
      const size = r.apply(dimValue, [], { dim, dtype });
      const total = r.apply(mul, [size, filledLike(r, size, element)], {});
      return broadcastScalar(r, total, shape);
    },
  },
  {
    name: 'reduce-of-broadcast',
    on: ['reduce_sum', 'reduce_max', 'reduce_min', 'reduce_all', 'reduce_any'],
    rewrite: (r, op) => {
      const inner = r.definedBy(op.operands[0]!, 'broadcast');
      if (inner === undefined) return undefined;
      const x = inner.operands[0]!;
      const { shape, axes } = inner.attrs as BroadcastAttrs;
      // Reduced axes along which x repeats. Their sizes must be known: of an empty axis nothing is repeated.
      const repeated = axesOf(op).filter(
        (axis) => !axes.includes(axis) && (constantValue(shape[axis]!) ?? 0) > 0,
      );
      if (repeated.length === 0) return undefined;
      const left = range(shape.length).filter((axis) => !repeated.includes(axis));
      let value = x;
      if (op.primitive.name === 'reduce_sum') {
        const count = constantValue(product(repeated.map((axis) => shape[axis]!)))!;
        if (!holds(x.type.dtype, count)) return undefined;
        value = r.apply(mul, [x, filledLike(r, x, count)], {});
      }
      const smaller = r.apply(broadcast, [value], {
        shape: left.map((axis) => shape[axis]!),
        axes: axes.map((axis) => left.indexOf(axis)),
      });
      const rest = axesOf(op)
        .filter((axis) => !repeated.includes(axis))
        .map((axis) => left.indexOf(axis));
      return r.apply(op.primitive, [smaller], { axes: rest });
    },
  },
];
