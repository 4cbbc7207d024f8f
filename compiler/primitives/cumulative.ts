/** Running combinations along an axis: element i combines elements 0 to i, or i to the last with `reverse`. */
import { evaluateScalar, scalarFunction } from '../kernel-ir/scalar-functions.ts';
import type { Builder } from '../tensor-ir/builder.ts';
import { isFloat } from '../tensor-ir/dtype.ts';
import { type Element, makeArray, type NdArray, setElement } from '../tensor-ir/nd-array.ts';
import {
  definePrimitive,
  type JvpRule,
  type OperationView,
  type Primitive,
  type TransposeRule,
} from '../tensor-ir/primitive.ts';
import type { Value } from '../tensor-ir/program.ts';
import { div, max, mul, sub } from './arithmetic.ts';
import { require, requireAxes, requireCount, showType } from './checks.ts';
import { eq } from './comparison.ts';
import { exp } from './exponential.ts';
import { batchAttrs, hasTangent, jointlyLinear, notLinear } from './families.ts';
import {
  type CumulativeAttrs,
  forEachRow,
  linearRecurrence,
  shifted,
} from './linear-recurrence.ts';
import { select } from './select.ts';
import { filledLike, maskAs, zerosOf } from './values.ts';

export type { CumulativeAttrs } from './linear-recurrence.ts';

type Tangent = (b: Builder, op: OperationView<CumulativeAttrs>, dx: Value) => Value;

function cumulative(
  name: string,
  rules: {
    /** The running results of a row, in order. */
    readonly run: (x: NdArray, offsets: readonly number[]) => readonly Element[];
    readonly jvp: JvpRule<CumulativeAttrs>;
    readonly transpose?: TransposeRule<CumulativeAttrs>;
    readonly isForFloats?: boolean;
    readonly flops: number;
  },
): Primitive<CumulativeAttrs> {
  const record: Primitive<CumulativeAttrs> = definePrimitive<CumulativeAttrs>({
    name,
    inferType: (operands, { axis }) => {
      requireCount(name, operands, 1);
      const x = operands[0]!;
      requireAxes(name, [axis], x.shape.length);
      const isTaken = rules.isForFloats === true ? isFloat(x.dtype) : x.dtype !== 'bool';
      require(isTaken, () =>
        `${name} takes ${rules.isForFloats === true ? 'floats' : 'numbers'}, found ${showType(x)}`);
      return [x];
    },
    evaluate: ([x], { axis, reverse }) => {
      const result = makeArray(x!.dtype, x!.shape);
      forEachRow(x!.shape, axis, reverse, (offsets) => {
        rules.run(x!, offsets).forEach((value, i) => {
          setElement(result.data, offsets[i]!, value);
        });
      });
      return [result];
    },
    jvp: rules.jvp,
    transpose: rules.transpose ?? notLinear(name),
    batch: batchAttrs(
      () => record,
      ({ axis, reverse }) => ({ axis: axis + 1, reverse }),
    ),
    cost: { flops: rules.flops },
    lower: { kind: 'custom' },
  });
  return record;
}

/** Folds a row with a scalar function, starting with its first element. */
function folded(combine: string): (x: NdArray, offsets: readonly number[]) => readonly Element[] {
  return (x, offsets) => {
    const scalar = scalarFunction(combine);
    let total: Element | undefined;
    return offsets.map((at) => {
      const next = x.data[at]!;
      total = total === undefined ? next : evaluateScalar(scalar, x.dtype, total, next);
      return total;
    });
  };
}

function tangentOf(rule: Tangent): JvpRule<CumulativeAttrs> {
  return (b, op, [dx]) => [
    dx === undefined || !hasTangent(op.results[0]!.type) ? undefined : rule(b, op, dx),
  ];
}

/** Running sums. Linear; its transpose runs the other way. Integers wrap. */
export const cumsum: Primitive<CumulativeAttrs> = cumulative('cumsum', {
  run: folded('add'),
  jvp: jointlyLinear(
    () => cumsum,
    () => [0],
  ),
  transpose: (b, op, _, [cotangent]) => {
    const { axis, reverse } = op.attrs;
    return [cotangent && b.apply(cumsum, [cotangent], { axis, reverse: !reverse })];
  },
  flops: 1,
});

/** Running products. dy[i] = x[i] dy[i - 1] + y[i - 1] dx[i]: no division, so zeros in x are exact to every order. */
export const cumprod: Primitive<CumulativeAttrs> = cumulative('cumprod', {
  run: folded('mul'),
  jvp: tangentOf((b, op, dx) => {
    const { axis, reverse } = op.attrs;
    const before = shifted(b, op.results[0]!, axis, reverse, 1);
    const own = b.apply(mul, [before, dx], {});
    return b.apply(linearRecurrence, [op.operands[0]!, own], op.attrs);
  }),
  flops: 1,
});

/**
 * The elements so far that equal the extremum share the tangent equally: the running mean of their tangents. With c the
 * number of them so far, dy[i] = (c - 1)/c dy[i - 1] + dx[i]/c at such an element; elsewhere dy stays.
 */
const extremumTangent: Tangent = (b, op, dx) => {
  const [x] = op.operands as [Value];
  const y = op.results[0]!;
  const { axis, reverse } = op.attrs;
  const { dtype } = x.type;
  const one = filledLike(b, x, 1);
  const isChosen = b.apply(eq, [x, y], {});
  const isOld = b.apply(eq, [y, shifted(b, y, axis, reverse, 0)], {});
  const operands = [maskAs(b, isOld, dtype), maskAs(b, isChosen, dtype)];
  const count = b.apply(max, [b.apply(linearRecurrence, operands, op.attrs), one], {});
  const kept = b.apply(div, [b.apply(sub, [count, one], {}), count], {});
  const decay = b.apply(select, [isChosen, kept, one], {});
  const share = b.apply(div, [maskAs(b, isChosen, dtype), count], {});
  return b.apply(linearRecurrence, [decay, b.apply(mul, [share, dx], {})], op.attrs);
};

/** Running maxima; NaN from the first NaN on. */
export const cummax: Primitive<CumulativeAttrs> = cumulative('cummax', {
  run: folded('max'),
  jvp: tangentOf(extremumTangent),
  flops: 1,
});

/** Running minima; NaN from the first NaN on. */
export const cummin: Primitive<CumulativeAttrs> = cumulative('cummin', {
  run: folded('min'),
  jvp: tangentOf(extremumTangent),
  flops: 1,
});

/**
 * Running log(sum(exp(x))) without overflow: each step rescales to the greatest element so far.
 * dy[i] = exp(y[i - 1] - y[i]) dy[i - 1] + exp(x[i] - y[i]) dx[i], both factors at most 1; equal infinities differ by 0.
 */
export const cumlogsumexp: Primitive<CumulativeAttrs> = cumulative('cumlogsumexp', {
  isForFloats: true,
  run: (x, offsets) => {
    let top = -Infinity;
    let sum = 0;
    return offsets.map((at) => {
      const next = x.data[at] as number;
      const greater = Math.max(top, next);
      const scale = (from: number): number => (from === greater ? 1 : Math.exp(from - greater));
      sum = sum * scale(top) + scale(next);
      top = greater;
      return top + Math.log(sum);
    });
  },
  jvp: tangentOf((b, op, dx) => {
    const [x] = op.operands as [Value];
    const y = op.results[0]!;
    const { axis, reverse } = op.attrs;
    const share = (of: Value): Value => {
      const isAll = b.apply(eq, [of, y], {});
      const difference = b.apply(sub, [of, y], {});
      return b.apply(exp, [b.apply(select, [isAll, zerosOf(b, x.type), difference], {})], {});
    };
    const decay = share(shifted(b, y, axis, reverse, -Infinity));
    const own = b.apply(mul, [share(x), dx], {});
    return b.apply(linearRecurrence, [decay, own], op.attrs);
  }),
  flops: 20,
});
