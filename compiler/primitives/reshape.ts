/** The same elements in row-major order under another shape. */
import { add, floordiv, type Int, mod, multiply, one, product, zero } from '../symbolic/integer.ts';
import { definePrimitive, type Primitive } from '../tensor-ir/primitive.ts';
import {
  isOne,
  isSurelyDifferent,
  require,
  requireCount,
  showShape,
  showType,
  tensorType,
} from './checks.ts';
import { batchAttrs, jointlyLinear } from './families.ts';

export type ReshapeAttrs = { readonly shape: readonly Int[] };

/**
 * Refuses shapes whose element counts surely differ. Counts that may be equal (a condition that the plan guards) pass,
 * so a reshape is also how one size is renamed to another that is equal under a guard.
 */
export const reshape: Primitive<ReshapeAttrs> = definePrimitive<ReshapeAttrs>({
  name: 'reshape',
  inferType: (operands, { shape }) => {
    requireCount('reshape', operands, 1);
    const x = operands[0]!;
    require(!isSurelyDifferent(product(x.shape), product(shape)), () =>
      `reshape of ${showType(x)} to ${showShape(shape)} changes the number of elements`);
    return [tensorType(x.dtype, shape)];
  },
  evaluate: ([x], _, context) => [
    { dtype: x!.dtype, shape: context.resultTypes[0]!.shape.map(context.size), data: x!.data },
  ],
  jvp: jointlyLinear(
    () => reshape,
    () => [0],
  ),
  transpose: (b, op, _, [cotangent]) => [
    cotangent === undefined
      ? undefined
      : b.apply(reshape, [cotangent], { shape: op.operands[0]!.type.shape }),
  ],
  batch: batchAttrs(
    () => reshape,
    ({ shape }, size) => ({ shape: [size, ...shape] }),
  ),
  cost: { flops: 0 },
  lower: {
    kind: 'element',
    isView: true,
    element: (k, op, index) =>
      k.read(0, reshapeIndex(index, op.attrs.shape, op.operands[0]!.type.shape)),
  },
});

/**
 * The index into shape `to` of the element at `index` in shape `from`. Axes are taken in the smallest groups of equal
 * size on both sides, so that [B, H, D] to [B, H*D] divides nothing by B.
 */
export function reshapeIndex(
  index: readonly Int[],
  from: readonly Int[],
  to: readonly Int[],
): readonly Int[] {
  const result: Int[] = [];
  for (const group of groupAxes(from, to)) {
    let linear = zero;
    for (let i = group.fromStart; i < group.fromEnd; i++) {
      linear = add(multiply(linear, from[i]!), index[i]!);
    }
    const part: Int[] = [];
    for (let i = group.toEnd - 1; i >= group.toStart; i--) {
      const size = to[i]!;
      const isFirst = i === group.toStart;
      part.unshift(isOne(size) ? zero : isFirst ? linear : mod(linear, size));
      if (!isFirst) linear = floordiv(linear, size);
    }
    result.push(...part);
  }
  return result;
}

interface AxisGroup {
  readonly fromStart: number;
  readonly fromEnd: number;
  readonly toStart: number;
  readonly toEnd: number;
}

function groupAxes(from: readonly Int[], to: readonly Int[]): readonly AxisGroup[] {
  const groups: AxisGroup[] = [];
  let i = 0;
  let j = 0;
  while (i < from.length || j < to.length) {
    const fromStart = i;
    const toStart = j;
    ({ i, j } = nextGroup(from, to, i, j));
    groups.push({ fromStart, fromEnd: i, toStart, toEnd: j });
  }
  return groups;
}

/** The ends of the first group of axes from (start, start) on whose products are equal; everything if there is none. */
function nextGroup(
  from: readonly Int[],
  to: readonly Int[],
  fromStart: number,
  toStart: number,
): { i: number; j: number } {
  let fromProduct = one;
  for (let i = fromStart; i <= from.length; i++) {
    let toProduct = one;
    for (let j = toStart; j <= to.length; j++) {
      if (fromProduct === toProduct && (i > fromStart || j > toStart)) return { i, j };
      if (j < to.length) toProduct = multiply(toProduct, to[j]!);
    }
    if (i < from.length) fromProduct = multiply(fromProduct, from[i]!);
  }
  return { i: from.length, j: to.length };
}
