/** Views of views, and views that change nothing. They only move elements, so all are exact. */
import { type BroadcastAttrs, broadcast } from '../../primitives/broadcast.ts';
import { isOne, isSameShape, range } from '../../primitives/checks.ts';
import type { PermuteAttrs } from '../../primitives/permute.ts';
import { reshape } from '../../primitives/reshape.ts';
import { type SliceAttrs, slice } from '../../primitives/slice.ts';
import { permuteTo } from '../../primitives/values.ts';
import { add, constantValue, type Int, one, zero } from '../../symbolic/integer.ts';
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
];

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

const broadcasts: readonly Rule[] = [
  {
    name: 'broadcast-to-itself',
    on: ['broadcast'],
    rewrite: (_, op) =>
      isSameShape(op.operands[0]!.type.shape, op.results[0]!.type.shape)
        ? op.operands[0]!
        : undefined,
  },
  {
    name: 'broadcast-of-broadcast',
    on: ['broadcast'],
    rewrite: (r, op) => {
      const inner = r.definedBy(op.operands[0]!, 'broadcast');
      if (inner === undefined) return undefined;
      const { shape, axes } = op.attrs as BroadcastAttrs;
      const innerAxes = (inner.attrs as BroadcastAttrs).axes;
      return r.apply(broadcast, inner.operands, { shape, axes: innerAxes.map((a) => axes[a]!) });
    },
  },
  {
    // y -> reshape to [B, 1] -> broadcast to [B, N] reads y as it is
    name: 'broadcast-of-unit-axes',
    on: ['broadcast'],
    rewrite: (r, op) => {
      const inner = r.definedBy(op.operands[0]!, 'reshape');
      if (inner === undefined) return undefined;
      const { shape, axes } = op.attrs as BroadcastAttrs;
      const middle = op.operands[0]!.type.shape;
      const kept = range(middle.length).filter((i) => !isOne(middle[i]!));
      const source = inner.operands[0]!;
      const isOnlyUnits = isSameShape(
        source.type.shape,
        kept.map((i) => middle[i]!),
      );
      if (!isOnlyUnits) return undefined;
      return r.apply(broadcast, [source], { shape, axes: kept.map((i) => axes[i]!) });
    },
  },
  {
    // f(broadcast(x), broadcast(y)) with the same map is broadcast(f(x, y)): fewer elements, later
    name: 'compute-before-broadcast',
    on: elementwise,
    rewrite: computeBeforeBroadcast,
  },
];

function computeBeforeBroadcast(r: Rewriter, op: Operation): Value | undefined {
  let map: Operation | undefined;
  for (const v of op.operands) {
    if (r.splat(v) !== undefined) continue;
    const inner = r.definedBy(v, 'broadcast');
    if (inner === undefined) return undefined;
    if (map === undefined) map = inner;
    else if (!isSameMap(map, inner)) return undefined;
  }
  if (map === undefined) return undefined;
  const { shape } = map.operands[0]!.type;
  const operands = op.operands.map((v) => {
    const splat = r.splat(v);
    return splat === undefined
      ? r.definedBy(v, 'broadcast')!.operands[0]!
      : makeConstant(r, { dtype: v.type.dtype, shape }, splat);
  });
  const small = r.apply(op.primitive, operands, op.attrs);
  return r.apply(broadcast, [small], map.attrs as BroadcastAttrs);
}

function isSameMap(a: Operation, b: Operation): boolean {
  const left = (a.attrs as BroadcastAttrs).axes;
  const right = (b.attrs as BroadcastAttrs).axes;
  return (
    isSameShape(a.operands[0]!.type.shape, b.operands[0]!.type.shape) &&
    left.every((axis, i) => axis === right[i])
  );
}

const parts: readonly Rule[] = [
  {
    name: 'slice-of-everything',
    on: ['slice'],
    rewrite: (_, op) => {
      const { start, step } = op.attrs as SliceAttrs;
      const isWhole =
        isSameShape(op.operands[0]!.type.shape, op.results[0]!.type.shape) &&
        start.every((s) => s === zero) &&
        step.every((s) => s === one);
      return isWhole ? op.operands[0]! : undefined;
    },
  },
  {
    name: 'slice-of-slice',
    on: ['slice'],
    rewrite: (r, op) => {
      const inner = r.definedBy(op.operands[0]!, 'slice');
      if (inner === undefined) return undefined;
      const outer = op.attrs as SliceAttrs;
      const first = inner.attrs as SliceAttrs;
      // with steps the last element taken may lie before the stop: only plain ranges compose without rounding
      if (!first.step.every((s) => s === one)) return undefined;
      const start = outer.start.map((s, i) => add(first.start[i]!, s));
      const stop = outer.stop.map((s, i) => add(first.start[i]!, s));
      return r.apply(slice, inner.operands, { start, stop, step: outer.step });
    },
  },
  {
    name: 'pad-by-nothing',
    on: ['pad'],
    rewrite: (_, op) => {
      const { low, high, interior } = op.attrs as {
        readonly low: readonly Int[];
        readonly high: readonly Int[];
        readonly interior: readonly Int[];
      };
      const isNothing = [...low, ...high, ...interior].every((p) => p === zero);
      return isNothing ? op.operands[0]! : undefined;
    },
  },
  {
    name: 'concatenate-without-empty',
    on: ['concatenate'],
    rewrite: (r, op) => {
      const axis = op.attrs['axis'] as number;
      const filled = op.operands.filter((v) => constantValue(v.type.shape[axis]!) !== 0);
      if (filled.length === 1) return filled[0]!;
      if (filled.length === op.operands.length || filled.length === 0) return undefined;
      return r.apply(op.primitive, filled, op.attrs);
    },
  },
  {
    name: 'reverse-nothing',
    on: ['reverse'],
    rewrite: (r, op) => {
      const x = op.operands[0]!;
      const axes = op.attrs['axes'] as readonly number[];
      if (axes.every((axis) => isOne(x.type.shape[axis]!))) return x;
      const inner = r.definedBy(x, 'reverse');
      if (inner === undefined) return undefined;
      const before = inner.attrs['axes'] as readonly number[];
      const left = range(x.type.shape.length).filter(
        (a) => axes.includes(a) !== before.includes(a),
      );
      return r.apply(op.primitive, inner.operands, { axes: left });
    },
  },
];

export const viewRules: readonly Rule[] = [...reshapes, ...permutes, ...broadcasts, ...parts];
