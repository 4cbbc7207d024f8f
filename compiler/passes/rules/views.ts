/** Reshapes and permutes: of each other, and those that change nothing. They only move elements, so all are exact. */
import { type BroadcastAttrs, broadcast } from '../../primitives/broadcast.ts';
import { isOne, isSameShape, range } from '../../primitives/checks.ts';
import { type PadAttrs, pad } from '../../primitives/pad.ts';
import { inversePermutation, type PermuteAttrs } from '../../primitives/permute.ts';
import { reshape } from '../../primitives/reshape.ts';
import { permuteTo } from '../../primitives/values.ts';
import type { Int } from '../../symbolic/integer.ts';
import type { Operation, Value } from '../../tensor-ir/program.ts';
import type { Rewriter, Rule } from '../rewriter.ts';
import { elementwise, makeConstant } from './constants.ts';

const reshapes: readonly Rule[] = [
  {
    name: 'reshape-to-itself',
    on: ['reshape'],
    rewrite: (_, op) =>
      isSameShape(op.operands[0]!.type.shape, op.results[0]!.type.shape)
        ? op.operands[0]!
        : undefined,
  },
  {
    name: 'reshape-of-reshape',
    on: ['reshape'],
    rewrite: (r, op) => {
      const inner = r.definedBy(op.operands[0]!, 'reshape');
      return inner && r.apply(reshape, inner.operands, { shape: op.results[0]!.type.shape });
    },
  },
  {
    name: 'reshape-of-filled',
    on: ['reshape'],
    rewrite: (r, op) => {
      const inner = r.definedBy(op.operands[0]!, 'broadcast');
      if (inner === undefined || inner.operands[0]!.type.shape.length > 0) return undefined;
      return r.apply(broadcast, inner.operands, { shape: op.results[0]!.type.shape, axes: [] });
    },
  },
  { name: 'compute-before-reshape', on: elementwise, rewrite: computeBeforeReshape },
];

/** Elementwise work on reshapes of one shape that only add or drop unit axes is done before them: they then meet and cancel. */
function computeBeforeReshape(r: Rewriter, op: Operation): Value | undefined {
  let source: readonly Int[] | undefined;
  for (const v of op.operands) {
    if (r.splat(v) !== undefined) continue;
    const inner = r.definedBy(v, 'reshape');
    if (inner === undefined) return undefined;
    const { shape } = inner.operands[0]!.type;
    if (source === undefined) source = shape;
    else if (!isSameShape(source, shape)) return undefined;
  }
  const { shape } = op.results[0]!.type;
  if (source === undefined || !isSameShape(withoutUnits(source), withoutUnits(shape))) {
    return undefined;
  }
  const operands = op.operands.map((v) => {
    const splat = r.splat(v);
    return splat === undefined
      ? r.definedBy(v, 'reshape')!.operands[0]!
      : makeConstant(r, { dtype: v.type.dtype, shape: source }, splat);
  });
  return r.apply(reshape, [r.apply(op.primitive, operands, op.attrs)], { shape });
}

function withoutUnits(shape: readonly Int[]): readonly Int[] {
  return shape.filter((size) => !isOne(size));
}

const permutes: readonly Rule[] = [
  {
    name: 'permute-to-itself',
    on: ['permute'],
    rewrite: (_, op) => (isInOrder(permutationOf(op)) ? op.operands[0]! : undefined),
  },
  {
    name: 'permute-of-permute',
    on: ['permute'],
    rewrite: (r, op) => {
      const inner = r.definedBy(op.operands[0]!, 'permute');
      if (inner === undefined) return undefined;
      const first = permutationOf(inner);
      const permutation = permutationOf(op).map((axis) => first[axis]!);
      return permuteTo(r, inner.operands[0]!, permutation);
    },
  },
  {
    name: 'permute-of-broadcast',
    on: ['permute'],
    rewrite: (r, op) => {
      const inner = r.definedBy(op.operands[0]!, 'broadcast');
      if (inner === undefined) return undefined;
      const { axes } = inner.attrs as BroadcastAttrs;
      const places = axes.map((axis) => permutationOf(op).indexOf(axis));
      const order = range(axes.length).sort((i, j) => places[i]! - places[j]!);
      const x = permuteTo(r, inner.operands[0]!, order);
      const shape = op.results[0]!.type.shape;
      return r.apply(broadcast, [x], { shape, axes: order.map((i) => places[i]!) });
    },
  },
  {
    name: 'permute-before-computing',
    on: ['permute'],
    rewrite: permuteBeforeComputing,
  },
];

/** Above all the outer products that reverse mode writes: both operands are broadcasts, which permute for nothing. */
function permuteBeforeComputing(r: Rewriter, op: Operation): Value | undefined {
  const x = op.operands[0]!;
  const inner = r.definition(x);
  if (inner === undefined || !elementwiseNames.has(inner.primitive.name) || !r.isUsedOnce(x)) {
    return undefined;
  }
  const isFree = (v: Value): boolean =>
    r.splat(v) !== undefined || r.definedBy(v, 'broadcast') !== undefined;
  if (!inner.operands.every(isFree)) return undefined;
  const operands = inner.operands.map((v) => permuteTo(r, v, permutationOf(op)));
  return r.apply(inner.primitive, operands, inner.attrs);
}

function permutationOf(op: Operation): readonly number[] {
  return (op.attrs as PermuteAttrs).permutation;
}

const elementwiseNames = new Set(elementwise);

function isInOrder(axes: readonly number[]): boolean {
  return axes.every((axis, i) => axis === i);
}

/** Padding goes before turning: what several products read in different orders is then padded once. */
const pads: readonly Rule[] = [
  {
    name: 'pad-before-permute',
    on: ['pad'],
    rewrite: (r, op) => {
      const inner = r.definedBy(op.operands[0]!, 'permute');
      if (inner === undefined) return undefined;
      const permutation = permutationOf(inner);
      const { low, high, interior } = op.attrs as PadAttrs;
      const back = (list: readonly Int[]): readonly Int[] =>
        inversePermutation(permutation).map((axis) => list[axis]!);
      const padded = r.apply(pad, [inner.operands[0]!, op.operands[1]!], {
        low: back(low),
        high: back(high),
        interior: back(interior),
      });
      return permuteTo(r, padded, permutation);
    },
  },
];

export const viewRules: readonly Rule[] = [...reshapes, ...permutes, ...pads];
