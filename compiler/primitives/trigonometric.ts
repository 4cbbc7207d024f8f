/** Circular and hyperbolic functions with their inverses. The formula over each record is its tangent. */
import type { Builder } from '../tensor-ir/builder.ts';
import type { Primitive } from '../tensor-ir/primitive.ts';
import type { Value } from '../tensor-ir/program.ts';
import { add, div, mul, neg, sub } from './arithmetic.ts';
import { rsqrt } from './exponential.ts';
import { binary, type NoAttrs, unary } from './families.ts';
import { filledLike } from './values.ts';

type Elementwise = Primitive<NoAttrs>;

function square(b: Builder, x: Value): Value {
  return b.apply(mul, [x, x], {});
}

/** cos(x) dx */
export const sin: Elementwise = unary('sin', (b, t, x) =>
  b.apply(mul, [t, b.apply(cos, [x], {})], {}),
);

/** -sin(x) dx */
export const cos: Elementwise = unary('cos', (b, t, x) =>
  b.apply(mul, [t, b.apply(neg, [b.apply(sin, [x], {})], {})], {}),
);

/** (1 + tan(x)^2) dx */
export const tan: Elementwise = unary('tan', (b, t, x, r) =>
  b.apply(mul, [t, b.apply(add, [filledLike(b, x, 1), square(b, r)], {})], {}),
);

/** 1 - x^2, as (1 - x)(1 + x): no cancellation near the ends. */
function oneMinusSquare(b: Builder, x: Value): Value {
  const one = filledLike(b, x, 1);
  return b.apply(mul, [b.apply(sub, [one, x], {}), b.apply(add, [one, x], {})], {});
}

/** dx / sqrt(1 - x^2) */
export const asin: Elementwise = unary('asin', (b, t, x) =>
  b.apply(mul, [t, b.apply(rsqrt, [oneMinusSquare(b, x)], {})], {}),
);

/** -dx / sqrt(1 - x^2) */
export const acos: Elementwise = unary('acos', (b, t, x) => {
  const slope = b.apply(rsqrt, [oneMinusSquare(b, x)], {});
  return b.apply(mul, [t, b.apply(neg, [slope], {})], {});
});

/** dx / (1 + x^2) */
export const atan: Elementwise = unary('atan', (b, t, x) =>
  b.apply(div, [t, b.apply(add, [filledLike(b, x, 1), square(b, x)], {})], {}),
);

/** atan2(y, x), the angle of the point (x, y): (x dy - y dx) / (x^2 + y^2). */
export const atan2: Elementwise = binary('atan2', [
  (b, t, y, x) => b.apply(mul, [t, b.apply(div, [x, squaredNorm(b, x, y)], {})], {}),
  (b, t, y, x) => {
    const slope = b.apply(div, [b.apply(neg, [y], {}), squaredNorm(b, x, y)], {});
    return b.apply(mul, [t, slope], {});
  },
]);

function squaredNorm(b: Builder, x: Value, y: Value): Value {
  return b.apply(add, [square(b, x), square(b, y)], {});
}

/** cosh(x) dx */
export const sinh: Elementwise = unary('sinh', (b, t, x) =>
  b.apply(mul, [t, b.apply(cosh, [x], {})], {}),
);

/** sinh(x) dx */
export const cosh: Elementwise = unary('cosh', (b, t, x) =>
  b.apply(mul, [t, b.apply(sinh, [x], {})], {}),
);

/** (1 - tanh(x)^2) dx */
export const tanh: Elementwise = unary('tanh', (b, t, _, r) =>
  b.apply(mul, [t, oneMinusSquare(b, r)], {}),
);

/** dx / sqrt(x^2 + 1) */
export const asinh: Elementwise = unary('asinh', (b, t, x) => {
  const sum = b.apply(add, [square(b, x), filledLike(b, x, 1)], {});
  return b.apply(mul, [t, b.apply(rsqrt, [sum], {})], {});
});

/** dx / sqrt((x - 1)(x + 1)) */
export const acosh: Elementwise = unary('acosh', (b, t, x) => {
  const one = filledLike(b, x, 1);
  const product = b.apply(mul, [b.apply(sub, [x, one], {}), b.apply(add, [x, one], {})], {});
  return b.apply(mul, [t, b.apply(rsqrt, [product], {})], {});
});

/** dx / (1 - x^2) */
export const atanh: Elementwise = unary('atanh', (b, t, x) =>
  b.apply(div, [t, oneMinusSquare(b, x)], {}),
);
