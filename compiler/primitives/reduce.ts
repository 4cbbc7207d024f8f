/** Reductions: the elements along some axes combined to one. */
import type { Monoid } from '../kernel-ir/program.ts';
import { evaluateScalar, scalarFunction } from '../kernel-ir/scalar-functions.ts';
import { type DType, integerRange, isFloat } from '../tensor-ir/dtype.ts';
import {
  type Element,
  forEachIndex,
  isBig,
  makeArray,
  type NdArray,
  offsetOf,
  setElement,
  stridesOf,
} from '../tensor-ir/nd-array.ts';
import {
  type Absent,
  definePrimitive,
  type JvpRule,
  type Primitive,
  type TransposeRule,
} from '../tensor-ir/primitive.ts';
import { div, mul } from './arithmetic.ts';
import { and } from './bitwise.ts';
import {
  otherAxes,
  require,
  requireAxes,
  requireCount,
  showType,
  tensorType,
  withoutAxes,
} from './checks.ts';
import { eq } from './comparison.ts';
import { batchAttrs, jointlyLinear, notLinear, zeroTangents } from './families.ts';
import { select } from './select.ts';
import { broadcastBack, filledLike, maskAs, zerosOf } from './values.ts';

export type ReduceAttrs = { readonly axes: readonly number[] };

interface Reduction {
  readonly name: string;
  readonly monoid: Monoid;
  /** The scalar function that combines two elements. */
  readonly combine: string;
  readonly initial: (dtype: DType) => Element;
  readonly isOnBools?: boolean;
  readonly jvp: JvpRule<ReduceAttrs>;
  readonly transpose?: TransposeRule<ReduceAttrs>;
}

function reduction(rules: Reduction): Primitive<ReduceAttrs> {
  const { name, monoid, combine, initial } = rules;
  const absent: Absent = notLinear(name);
  const record: Primitive<ReduceAttrs> = definePrimitive<ReduceAttrs>({
    name,
    inferType: (operands, { axes }) => {
      requireCount(name, operands, 1);
      const x = operands[0]!;
      requireAxes(name, axes, x.shape.length);
      require((x.dtype === 'bool') === (rules.isOnBools ?? false), () =>
        `${name} takes ${rules.isOnBools ? 'bools' : 'numbers'}, found ${showType(x)}`);
      return [tensorType(x.dtype, withoutAxes(x.shape, axes))];
    },
    evaluate: ([x], { axes }) => [reduceArray(x!, axes, combine, initial(x!.dtype))],
    jvp: rules.jvp,
    transpose: rules.transpose ?? absent,
    batch: batchAttrs(
      () => record,
      ({ axes }) => ({ axes: axes.map((a) => a + 1) }),
    ),
    cost: { flops: 1 },
    lower: { kind: 'reduce', monoid, axes: (op) => op.attrs.axes },
  });
  return record;
}

/** Combines in row-major order, in double precision for floats: the caller rounds the results. */
function reduceArray(
  x: NdArray,
  axes: readonly number[],
  combine: string,
  initial: Element,
): NdArray {
  const kept = otherAxes(x.shape.length, axes);
  const shape = kept.map((axis) => x.shape[axis]!);
  const result = makeArray(x.dtype, shape);
  for (let i = 0; i < result.data.length; i++) setElement(result.data, i, initial);
  const target = new Array<number>(x.shape.length).fill(0);
  stridesOf(shape).forEach((stride, i) => {
    target[kept[i]!] = stride;
  });
  const scalar = scalarFunction(combine);
  forEachIndex(x.shape, (index, offset) => {
    const to = offsetOf(index, target);
    const total = evaluateScalar(scalar, x.dtype, result.data[to]!, x.data[offset]!);
    setElement(result.data, to, total);
  });
  return result;
}

/** 0 for an empty sum. Linear. */
export const reduceSum: Primitive<ReduceAttrs> = reduction({
  name: 'reduce_sum',
  monoid: 'sum',
  combine: 'add',
  initial: (dtype) => (isBig(dtype) ? 0n : 0),
  jvp: jointlyLinear(
    () => reduceSum,
    () => [0],
  ),
  transpose: (b, op, _, [cotangent]) => [
    cotangent === undefined
      ? undefined
      : broadcastBack(b, cotangent, op.operands[0]!.type.shape, op.attrs.axes),
  ],
});

/**
 * 1 for an empty product. The tangent is the sum of dx times the product of the other elements, from the product of
 * the non-zero elements and the number of zeros, so that zeros are exact to first order.
 */
export const reduceProd: Primitive<ReduceAttrs> = reduction({
  name: 'reduce_prod',
  monoid: 'prod',
  combine: 'mul',
  initial: (dtype) => (isBig(dtype) ? 1n : 1),
  jvp: (b, op, [tangent]) => {
    if (tangent === undefined) return [undefined];
    const x = op.operands[0]!;
    const { shape } = x.type;
    const { axes } = op.attrs;
    const zero = zerosOf(b, x.type);
    const isZero = b.apply(eq, [x, zero], {});
    const nonZero = b.apply(select, [isZero, filledLike(b, x, 1), x], {});
    const product = broadcastBack(b, b.apply(reduceProd, [nonZero], { axes }), shape, axes);
    const count = b.apply(reduceSum, [maskAs(b, isZero, x.type.dtype)], { axes });
    const zeros = broadcastBack(b, count, shape, axes);
    const hasNone = b.apply(eq, [zeros, zero], {});
    const isTheOne = b.apply(and, [isZero, b.apply(eq, [zeros, filledLike(b, x, 1)], {})], {});
    const others = b.apply(
      select,
      [
        hasNone,
        b.apply(div, [product, nonZero], {}),
        b.apply(select, [isTheOne, product, zero], {}),
      ],
      {},
    );
    return [b.apply(reduceSum, [b.apply(mul, [tangent, others], {})], { axes })];
  },
});

/** The elements equal to the result share the tangent equally. */
function extremumTangent(): JvpRule<ReduceAttrs> {
  return (b, op, [tangent]) => {
    if (tangent === undefined) return [undefined];
    const x = op.operands[0]!;
    const { axes } = op.attrs;
    const extremum = broadcastBack(b, op.results[0]!, x.type.shape, axes);
    const mask = maskAs(b, b.apply(eq, [x, extremum], {}), x.type.dtype);
    const count = b.apply(reduceSum, [mask], { axes });
    const total = b.apply(reduceSum, [b.apply(mul, [tangent, mask], {})], { axes });
    return [b.apply(div, [total, count], {})];
  };
}

/** Minus infinity, or the least integer, for an empty maximum; NaN if there is one. */
export const reduceMax: Primitive<ReduceAttrs> = reduction({
  name: 'reduce_max',
  monoid: 'max',
  combine: 'max',
  initial: (dtype) => (isFloat(dtype) ? -Infinity : limit(dtype, 'min')),
  jvp: extremumTangent(),
});

/** Infinity, or the greatest integer, for an empty minimum; NaN if there is one. */
export const reduceMin: Primitive<ReduceAttrs> = reduction({
  name: 'reduce_min',
  monoid: 'min',
  combine: 'min',
  initial: (dtype) => (isFloat(dtype) ? Infinity : limit(dtype, 'max')),
  jvp: extremumTangent(),
});

function limit(dtype: DType, end: 'min' | 'max'): Element {
  const value = integerRange(dtype)[end];
  return isBig(dtype) ? value : Number(value);
}

export const reduceAll: Primitive<ReduceAttrs> = reduction({
  name: 'reduce_all',
  monoid: 'all',
  combine: 'and',
  isOnBools: true,
  initial: () => 1,
  jvp: zeroTangents(),
});

export const reduceAny: Primitive<ReduceAttrs> = reduction({
  name: 'reduce_any',
  monoid: 'any',
  combine: 'or',
  isOnBools: true,
  initial: () => 0,
  jvp: zeroTangents(),
});
