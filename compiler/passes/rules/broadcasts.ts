/** Broadcasts: of views, and under element-wise work, which is done before they multiply the elements. All exact. */
import { type BroadcastAttrs, broadcast } from '../../primitives/broadcast.ts';
import { isOne, isSameShape, range } from '../../primitives/checks.ts';
import { reshape } from '../../primitives/reshape.ts';
import type { Operation, Value } from '../../tensor-ir/program.ts';
import type { Rewriter, Rule } from '../rewriter.ts';
import { elementwise, makeConstant } from './constants.ts';

export const broadcastRules: readonly Rule[] = [
  {
    name: 'broadcast-to-itself',
    on: ['broadcast'],
    rewrite: (_, op) =>
      isSameShape(op.operands[0]!.type.shape, op.results[0]!.type.shape)
        ? op.operands[0]!
        : undefined,
  },
  {
    // one way to write unit axes, so that they cancel
    name: 'broadcast-of-units',
    on: ['broadcast'],
    rewrite: (r, op) => {
      const { shape, axes } = op.attrs as BroadcastAttrs;
      const from = op.operands[0]!.type.shape;
      const isReshape = shape.every((size, axis) => {
        const i = axes.indexOf(axis);
        return i < 0 ? isOne(size) : from[i] === size;
      });
      return isReshape ? r.apply(reshape, op.operands, { shape }) : undefined;
    },
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
