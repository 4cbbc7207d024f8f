/** + - * / and their relatives, element by element. */
import type { Builder } from '../tensor-ir/builder.ts';
import type { Primitive, TransposeRule } from '../tensor-ir/primitive.ts';
import type { Value } from '../tensor-ir/program.ts';
import { eq, gt, lt } from './comparison.ts';
import { log } from './exponential.ts';
import { binary, type NoAttrs, unary } from './families.ts';
import { select } from './select.ts';
import { filledLike, zerosOf } from './values.ts';

type Elementwise = Primitive<NoAttrs>;

/** The cotangent passed on, changed by `change`, to each linear operand. */
function toEach(
  change: (b: Builder, cotangent: Value, operand: number) => Value,
): TransposeRule<NoAttrs> {
  return (b, _, isLinear, [cotangent]) =>
    isLinear.map((linear, i) =>
      linear && cotangent !== undefined ? change(b, cotangent, i) : undefined,
    );
}

export const neg: Elementwise = unary(
  'neg',
  (b, t) => b.apply(neg, [t], {}),
  toEach((b, c) => b.apply(neg, [c], {})),
);

/** |x|; its derivative at 0 is 0, as that of `sign`. */
export const abs: Elementwise = unary('abs', (b, t, x) =>
  b.apply(mul, [t, b.apply(sign, [x], {})], {}),
);

export const sign: Elementwise = unary('sign', 'zero');

export const add: Elementwise = binary(
  'add',
  [(_, t) => t, (_, t) => t],
  toEach((_, c) => c),
);

export const sub: Elementwise = binary(
  'sub',
  [(_, t) => t, (b, t) => b.apply(neg, [t], {})],
  toEach((b, c, i) => (i === 0 ? c : b.apply(neg, [c], {}))),
);

/** Linear in either operand when the other is known. */
export const mul: Elementwise = binary(
  'mul',
  [(b, t, _, y) => b.apply(mul, [t, y], {}), (b, t, x) => b.apply(mul, [x, t], {})],
  (b, op, isLinear, [cotangent]) => {
    if (cotangent === undefined) return [undefined, undefined];
    return isLinear[0]
      ? [b.apply(mul, [cotangent, op.operands[1]!], {}), undefined]
      : [undefined, b.apply(mul, [op.operands[0]!, cotangent], {})];
  },
);

/** d(x/y) = dx/y - (x/y) dy/y. Linear in x. */
export const div: Elementwise = binary(
  'div',
  [
    (b, t, _, y) => b.apply(div, [t, y], {}),
    // in this order reverse mode divides its cotangent by y once for both operands
    (b, t, _, y, r) => b.apply(neg, [b.apply(div, [b.apply(mul, [t, r], {}), y], {})], {}),
  ],
  (b, op, _, [cotangent]) => [
    cotangent === undefined ? undefined : b.apply(div, [cotangent, op.operands[1]!], {}),
    undefined,
  ],
);

export const floorDiv: Elementwise = binary('floor_div', 'zero');

/** rem(x, y) = x - y*floor_div(x, y), where the quotient is piecewise constant. */
export const rem: Elementwise = binary('rem', [
  (_, t) => t,
  (b, t, x, y) => b.apply(mul, [t, b.apply(neg, [b.apply(floorDiv, [x, y], {})], {})], {}),
]);

/** d(x^y) = y x^(y-1) dx + log(x) x^y dy, with 0 for a zero exponent and log(x) taken as 0 at x = 0. */
export const pow: Elementwise = binary('pow', [
  (b, t, x, y) => {
    const zero = zerosOf(b, y.type);
    const one = filledLike(b, y, 1);
    const isZero = b.apply(eq, [y, zero], {});
    const exponent = b.apply(select, [isZero, one, b.apply(sub, [y, one], {})], {});
    return b.apply(mul, [t, b.apply(mul, [y, b.apply(pow, [x, exponent], {})], {})], {});
  },
  (b, t, x, _, r) => {
    const isZero = b.apply(eq, [x, zerosOf(b, x.type)], {});
    const base = b.apply(select, [isZero, filledLike(b, x, 1), x], {});
    return b.apply(mul, [t, b.apply(mul, [b.apply(log, [base], {}), r], {})], {});
  },
]);

/** The larger; at ties each operand takes half of the derivative. */
export const max: Elementwise = binary('max', [
  (b, t, x, y) => b.apply(mul, [t, winnerShare(b, gt, x, y)], {}),
  (b, t, x, y) => b.apply(mul, [t, winnerShare(b, gt, y, x)], {}),
]);

/** The smaller; at ties each operand takes half of the derivative. */
export const min: Elementwise = binary('min', [
  (b, t, x, y) => b.apply(mul, [t, winnerShare(b, lt, x, y)], {}),
  (b, t, x, y) => b.apply(mul, [t, winnerShare(b, lt, y, x)], {}),
]);

/** 1 where x wins against y, 1/2 where they are equal, else 0. */
function winnerShare(b: Builder, wins: Elementwise, x: Value, y: Value): Value {
  const half = b.apply(
    select,
    [b.apply(eq, [x, y], {}), filledLike(b, x, 0.5), zerosOf(b, x.type)],
    {},
  );
  return b.apply(select, [b.apply(wins, [x, y], {}), filledLike(b, x, 1), half], {});
}
