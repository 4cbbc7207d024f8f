/**
 * A first-order linear recurrence along an axis: h[i] = a[i] * h[i - 1] + b[i], from h[-1] = 0. Running sums and products are
 * special cases, and the tangents of all cumulative operations are recurrences: exact to every order, without divisions.
 * 0 times any a is 0 here, so that an infinite factor spoils only what it multiplies.
 */
import { evaluateScalar, scalarFunction } from '../kernel-ir/scalar-functions.ts';
import { int, zero } from '../symbolic/integer.ts';
import type { Builder } from '../tensor-ir/builder.ts';
import {
  type Element,
  forEachIndex,
  isBig,
  makeArray,
  offsetOf,
  setElement,
  stridesOf,
} from '../tensor-ir/nd-array.ts';
import { definePrimitive, type Primitive } from '../tensor-ir/primitive.ts';
import type { Value } from '../tensor-ir/program.ts';
import { mul } from './arithmetic.ts';
import { otherAxes, require, requireAxes, requireCount, requireSameType } from './checks.ts';
import { hasTangent } from './families.ts';
import { pad } from './pad.ts';
import { addTangents, asMapped, filled } from './values.ts';

export type CumulativeAttrs = { readonly axis: number; readonly reverse: boolean };

/** `linear_recurrence(a, b)`; with `reverse` h[i] = a[i] * h[i + 1] + b[i]. Linear in b. */
export const linearRecurrence: Primitive<CumulativeAttrs> = definePrimitive<CumulativeAttrs>({
  name: 'linear_recurrence',
  inferType: (operands, { axis }) => {
    requireCount('linear_recurrence', operands, 2);
    const [a, b] = operands;
    requireSameType('linear_recurrence', a!, b!);
    requireAxes('linear_recurrence', [axis], a!.shape.length);
    require(a!.dtype !== 'bool', () => 'linear_recurrence takes numbers');
    return [b!];
  },
  evaluate: ([a, b], { axis, reverse }) => {
    const { dtype, shape } = b!;
    const result = makeArray(dtype, shape);
    const [times, plus] = [scalarFunction('mul'), scalarFunction('add')];
    forEachRow(shape, axis, reverse, (offsets) => {
      let h: Element = isBig(dtype) ? 0n : 0;
      for (const at of offsets) {
        // 0 stays 0 whatever the factor, as a sum of no terms
        const kept = Number(h) === 0 ? h : evaluateScalar(times, dtype, a!.data[at]!, h);
        h = evaluateScalar(plus, dtype, kept, b!.data[at]!);
        setElement(result.data, at, h);
      }
    });
    return [result];
  },
  // dh[i] = a[i] dh[i - 1] + (da[i] h[i - 1] + db[i])
  jvp: (b, op, [da, db]) => {
    const [a, x] = op.operands as [Value, Value];
    const { axis, reverse } = op.attrs;
    if (!hasTangent(x.type)) return [undefined];
    const before = da && shifted(b, op.results[0]!, axis, reverse, 0);
    const fromA = before && b.apply(mul, [da, before], {});
    const inner = addTangents(b, fromA, db);
    return [inner && b.apply(linearRecurrence, [a, inner], op.attrs)];
  },
  // the cotangent g of b runs the other way: g[i] = a[i + 1] g[i + 1] + c[i]
  transpose: (b, op, _, [cotangent]) => {
    if (cotangent === undefined) return [undefined, undefined];
    const { axis, reverse } = op.attrs;
    const next = shifted(b, op.operands[0]!, axis, !reverse, 0);
    const attrs = { axis, reverse: !reverse };
    return [undefined, b.apply(linearRecurrence, [next, cotangent], attrs)];
  },
  batch: (b, op, operands, isMapped, size) => [
    b.apply(
      linearRecurrence,
      operands.map((x, i) => asMapped(b, x, isMapped[i]!, size)),
      { ...op.attrs, axis: op.attrs.axis + 1 },
    ),
  ],
  cost: { flops: 2 },
  lower: { kind: 'custom' },
});

/** The element before each, in the order in which the operation runs along the axis; `first` before the first. */
export function shifted(
  b: Builder,
  x: Value,
  axis: number,
  reverse: boolean,
  first: number,
): Value {
  const { dtype, shape } = x.type;
  const only = (value: number) => shape.map((_, i) => (i === axis ? int(value) : zero));
  const [low, high] = reverse ? [only(-1), only(1)] : [only(1), only(-1)];
  const value = filled(b, { dtype, shape: [] }, first);
  return b.apply(pad, [x, value], { low, high, interior: only(0) });
}

/** Calls `visit` with the offsets of each row along `axis`, in the order in which a cumulative operation takes them. */
export function forEachRow(
  shape: readonly number[],
  axis: number,
  reverse: boolean,
  visit: (offsets: readonly number[]) => void,
): void {
  const strides = stridesOf(shape);
  const others = otherAxes(shape.length, [axis]);
  const otherStrides = others.map((i) => strides[i]!);
  const length = shape[axis]!;
  forEachIndex(
    others.map((i) => shape[i]!),
    (index) => {
      const start = offsetOf(index, otherStrides);
      const row = Array.from({ length }, (_, i) => start + i * strides[axis]!);
      visit(reverse ? row.reverse() : row);
    },
  );
}
