/** Sorting as `argsort` and gathers: several tensors in one order, and the k greatest elements. */
import { constantValue, type Int, one, zero } from '../symbolic/integer.ts';
import type { Builder } from '../tensor-ir/builder.ts';
import { makeArray, moveElements, type NdArray, stridesOf } from '../tensor-ir/nd-array.ts';
import { definePrimitive, type OperationView, type Primitive } from '../tensor-ir/primitive.ts';
import type { Value } from '../tensor-ir/program.ts';
import { argsort } from './argsort.ts';
import {
  isSurelyLess,
  range,
  require,
  requireAxes,
  requireCount,
  requireSameShape,
  showType,
  tensorType,
} from './checks.ts';
import { iota } from './constant.ts';
import { notLinear } from './families.ts';
import { gather } from './gather.ts';
import { slice } from './slice.ts';
import { asMapped } from './values.ts';

export type SortAttrs = {
  readonly axis: number;
  /** How many operands, from the first, are keys. */
  readonly keys: number;
  readonly descending: boolean;
};

/** `sort(key_1..., value_1...)`: all in the stable lexicographic order of the keys, the first key first. */
export const sort: Primitive<SortAttrs> = definePrimitive<SortAttrs>({
  name: 'sort',
  inferType: (operands, { axis, keys }) => {
    require(operands.length > 0, () => 'sort takes at least one operand');
    require(Number.isInteger(keys) && keys >= 1 && keys <= operands.length, () =>
      `sort takes 1 to ${operands.length} keys, found ${keys}`);
    for (const operand of operands) requireSameShape('sort', operands[0]!, operand);
    requireAxes('sort', [axis], operands[0]!.shape.length);
    return operands;
  },
  evaluate: (operands, { axis, keys, descending }, context) => {
    let order: NdArray | undefined;
    for (const key of operands.slice(0, keys).reverse()) {
      const current = order === undefined ? key : along(key, order, axis);
      const [next] = argsort.evaluate([current], { axis, descending }, context as never);
      order = order === undefined ? next! : along(order, next!, axis);
    }
    return operands.map((x) => along(x, order!, axis));
  },
  jvp: (b, op, tangents) => {
    if (tangents.every((t) => t === undefined)) return tangents;
    const order = orderOf(b, op);
    return tangents.map((t) => t && takeAlong(b, t, order, op.attrs.axis));
  },
  transpose: notLinear('sort'),
  batch: (b, op, operands, isMapped, size) => {
    const mapped = operands.map((x, i) => asMapped(b, x, isMapped[i]!, size));
    return b.applyAll(sort, mapped, { ...op.attrs, axis: op.attrs.axis + 1 });
  },
  cost: { flops: 20 },
  lower: {
    kind: 'composite',
    expand: (b, op) => {
      const order = orderOf(b, op);
      return op.operands.map((x) => takeAlong(b, x, order, op.attrs.axis));
    },
  },
});

export type TopKAttrs = { readonly axis: number; readonly k: Int };

/** The k greatest elements along an axis in descending order, and their i32 indices; NaN first, of equals the first. */
export const topK: Primitive<TopKAttrs> = definePrimitive<TopKAttrs>({
  name: 'top_k',
  inferType: (operands, { axis, k }) => {
    requireCount('top_k', operands, 1);
    const x = operands[0]!;
    requireAxes('top_k', [axis], x.shape.length);
    require(!isSurelyLess(k, zero) && !isSurelyLess(x.shape[axis]!, k), () =>
      `top_k of ${showType(x)} along axis ${axis} cannot give ${constantValue(k) ?? k.key} elements`);
    const shape = x.shape.map((size, i) => (i === axis ? k : size));
    return [tensorType(x.dtype, shape), tensorType('i32', shape)];
  },
  evaluate: ([x], { axis, k }, context) => {
    const attrs = { axis, descending: true };
    const [order] = argsort.evaluate([x!], attrs, context as never);
    const shape = x!.shape.map((size, i) => (i === axis ? context.size(k) : size));
    const strides = stridesOf(x!.shape);
    const first = moveElements(order!, shape, (index) =>
      index.reduce((offset, at, i) => offset + at * strides[i]!, 0),
    );
    return [along(x!, first, axis), first];
  },
  jvp: (b, op, [dx]) => [dx && takeAlong(b, dx, op.results[1]!, op.attrs.axis), undefined],
  transpose: notLinear('top_k'),
  batch: (b, op, [x]) => b.applyAll(topK, [x!], { ...op.attrs, axis: op.attrs.axis + 1 }),
  cost: { flops: 20 },
  lower: {
    kind: 'composite',
    expand: (b, op) => {
      const { axis, k } = op.attrs;
      const [x] = op.operands as [Value];
      const { shape } = x.type;
      const order = b.apply(argsort, [x], { axis, descending: true });
      const first = b.apply(slice, [order], {
        start: shape.map(() => zero),
        stop: shape.map((size, i) => (i === axis ? k : size)),
        step: shape.map(() => one),
      });
      return [takeAlong(b, x, first, axis), first];
    },
  },
});

/** The order of the first `keys` operands: by the last key, then stably by the one before it, and so on. */
function orderOf(b: Builder, op: OperationView<SortAttrs>): Value {
  const { axis, keys, descending } = op.attrs;
  const [last, ...others] = op.operands.slice(0, keys).reverse() as [Value, ...Value[]];
  return others.reduce(
    (order, key) => {
      const next = b.apply(argsort, [takeAlong(b, key, order, axis)], { axis, descending });
      return takeAlong(b, order, next, axis);
    },
    b.apply(argsort, [last], { axis, descending }),
  );
}

/** result[..., i, ...] = x[..., order[..., i, ...], ...] */
export function takeAlong(b: Builder, x: Value, order: Value, axis: number): Value {
  const { shape } = order.type;
  const indices = range(shape.length).map((i) =>
    i === axis ? order : b.apply(iota, [], { dtype: 'i32', shape, axis: i }),
  );
  return b.apply(gather, [x, ...indices], { axes: range(shape.length) });
}

function along(x: NdArray, order: NdArray, axis: number): NdArray {
  const strides = stridesOf(x.shape);
  const result = makeArray(x.dtype, order.shape);
  const own = stridesOf(order.shape);
  return moveElements(x, result.shape, (index) => {
    const at = index.reduce((offset, i, j) => offset + i * own[j]!, 0);
    return index.reduce(
      (offset, i, j) => offset + (j === axis ? Number(order.data[at]) : i) * strides[j]!,
      0,
    );
  });
}
