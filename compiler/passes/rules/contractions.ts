/** `dot_general` without needless permutes, and those that are plain products. Exact: the order of the sum stays. */
import { mul } from '../../primitives/arithmetic.ts';
import { broadcast } from '../../primitives/broadcast.ts';
import { isOne, range } from '../../primitives/checks.ts';
import { type DotGeneralAttrs, dotGeneral, freeAxes } from '../../primitives/dot-general.ts';
import type { PermuteAttrs } from '../../primitives/permute.ts';
import { reshape } from '../../primitives/reshape.ts';
import { permuteTo } from '../../primitives/values.ts';
import type { Int } from '../../symbolic/integer.ts';
import type { Operation, Value } from '../../tensor-ir/program.ts';
import type { Rewriter, Rule } from '../rewriter.ts';

function attrsOf(op: Operation): DotGeneralAttrs {
  return op.attrs as DotGeneralAttrs;
}

/** The pair with one side replaced. */
function withSide<T>(pair: readonly [T, T], side: number, value: T): [T, T] {
  return side === 0 ? [value, pair[1]] : [pair[0], value];
}

export const contractionRules: readonly Rule[] = [
  {
    name: 'contraction-of-permute',
    on: ['dot_general'],
    rewrite: (r, op) => foldPermute(r, op, 0) ?? foldPermute(r, op, 1),
  },
  { name: 'permute-of-contraction', on: ['permute'], rewrite: permuteOperands },
  {
    name: 'outer-product',
    on: ['dot_general'],
    rewrite: (r, op) => {
      const attrs = attrsOf(op);
      const [x, y] = op.operands as [Value, Value];
      if (!attrs.contracting[0].every((axis) => isOne(x.type.shape[axis]!))) return undefined;
      const [freeX, freeY] = freeAxes(x.type.shape.length, y.type.shape.length, attrs);
      const { shape } = op.results[0]!.type;
      const count = attrs.batch[0].length;
      const left = [...range(count), ...freeX.map((_, i) => count + i)];
      const right = [...range(count), ...freeY.map((_, i) => count + freeX.length + i)];
      return r.apply(
        mul,
        [
          align(r, x, [...attrs.batch[0], ...freeX], attrs.contracting[0], shape, left),
          align(r, y, [...attrs.batch[1], ...freeY], attrs.contracting[1], shape, right),
        ],
        {},
      );
    },
  },
];

/** The operand read through its permute, when its free axes keep their order. */
function foldPermute(r: Rewriter, op: Operation, side: number): Value | undefined {
  const inner = r.definedBy(op.operands[side]!, 'permute');
  if (inner === undefined) return undefined;
  const attrs = attrsOf(op);
  const { permutation } = inner.attrs as PermuteAttrs;
  const rank = permutation.length;
  const free = freeAxes(rank, rank, attrs)[side]!.map((axis) => permutation[axis]!);
  if (free.some((axis, i) => i > 0 && axis < free[i - 1]!)) return undefined;
  const through = (axes: readonly number[]) => axes.map((axis) => permutation[axis]!);
  const operands = op.operands.map((v, i) => (i === side ? inner.operands[0]! : v));
  return r.apply(dotGeneral, operands, {
    contracting: withSide(attrs.contracting, side, through(attrs.contracting[side]!)),
    batch: withSide(attrs.batch, side, through(attrs.batch[side]!)),
  });
}

/** The operand with `order` of its axes at `places` of `shape`; `dropped` axes have size 1. */
function align(
  r: Rewriter,
  x: Value,
  order: readonly number[],
  dropped: readonly number[],
  shape: readonly Int[],
  places: readonly number[],
): Value {
  const permuted = permuteTo(r, x, [...order, ...dropped]);
  const kept = r.apply(reshape, [permuted], { shape: order.map((axis) => x.type.shape[axis]!) });
  return r.apply(broadcast, [kept], { shape, axes: places });
}

/** The free axes of either operand in another order, or those of y before those of x: the operands permuted, or swapped. */
function permuteOperands(r: Rewriter, op: Operation): Value | undefined {
  const product = op.operands[0]!;
  const inner = r.definedBy(product, 'dot_general');
  if (inner === undefined || !r.isUsedOnce(product)) return undefined;
  const { contracting, batch } = attrsOf(inner);
  const [x, y] = inner.operands as [Value, Value];
  const [freeX, freeY] = freeAxes(x.type.shape.length, y.type.shape.length, attrsOf(inner));
  const count = batch[0].length;
  const { permutation } = op.attrs as PermuteAttrs;
  if (permutation.slice(0, count).some((axis, i) => axis !== i)) return undefined;
  const places = permutation.slice(count).map((axis) => axis - count);
  const ofX = places.filter((place) => place < freeX.length);
  const ofY = places.filter((place) => place >= freeX.length);
  const isKept = places.every((place, i) => place === [...ofX, ...ofY][i]);
  const isSwapped = places.every((place, i) => place === [...ofY, ...ofX][i]);
  if (!isKept && !isSwapped) return undefined;
  // each operand as batch, free, contracted
  const left = permuteTo(r, x, [...batch[0], ...ofX.map((i) => freeX[i]!), ...contracting[0]]);
  const right = permuteTo(r, y, [
    ...batch[1],
    ...ofY.map((i) => freeY[i - freeX.length]!),
    ...contracting[1],
  ]);
  const sides = isKept ? [left, right] : [right, left];
  const frees = isKept ? [ofX.length, ofY.length] : [ofY.length, ofX.length];
  const summed = range(contracting[0].length);
  const behind = (free: number): readonly number[] => summed.map((i) => count + free + i);
  return r.apply(dotGeneral, sides, {
    contracting: [behind(frees[0]!), behind(frees[1]!)],
    batch: [range(count), range(count)],
  });
}
