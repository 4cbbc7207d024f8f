/** Exponentials, logarithms, roots and the logistic function. */
import type { Primitive } from '../tensor-ir/primitive.ts';
import { add, div, mul, sub } from './arithmetic.ts';
import { type NoAttrs, unary } from './families.ts';
import { filledLike } from './values.ts';

type Elementwise = Primitive<NoAttrs>;

/** e^x dx */
export const exp: Elementwise = unary('exp', (b, t, _, r) => b.apply(mul, [t, r], {}));

/** 2^x ln 2 dx */
export const exp2: Elementwise = unary('exp2', (b, t, x, r) =>
  b.apply(mul, [t, b.apply(mul, [r, filledLike(b, x, Math.LN2)], {})], {}),
);

/** (expm1(x) + 1) dx */
export const expm1: Elementwise = unary('expm1', (b, t, x, r) =>
  b.apply(mul, [t, b.apply(add, [r, filledLike(b, x, 1)], {})], {}),
);

/** dx / x */
export const log: Elementwise = unary('log', (b, t, x) => b.apply(div, [t, x], {}));

/** dx / (x ln 2) */
export const log2: Elementwise = unary('log2', (b, t, x) =>
  b.apply(div, [t, b.apply(mul, [x, filledLike(b, x, Math.LN2)], {})], {}),
);

/** dx / (1 + x) */
export const log1p: Elementwise = unary('log1p', (b, t, x) =>
  b.apply(div, [t, b.apply(add, [x, filledLike(b, x, 1)], {})], {}),
);

/** dx / (2 sqrt(x)) */
export const sqrt: Elementwise = unary('sqrt', (b, t, x, r) =>
  b.apply(mul, [t, b.apply(div, [filledLike(b, x, 0.5), r], {})], {}),
);

/** -1/2 x^(-3/2) dx */
export const rsqrt: Elementwise = unary('rsqrt', (b, t, x, r) => {
  const slope = b.apply(mul, [b.apply(div, [r, x], {}), filledLike(b, x, -0.5)], {});
  return b.apply(mul, [t, slope], {});
});

/** dx / (3 cbrt(x)^2) */
export const cbrt: Elementwise = unary('cbrt', (b, t, x, r) => {
  const square = b.apply(mul, [r, r], {});
  return b.apply(mul, [t, b.apply(div, [filledLike(b, x, 1 / 3), square], {})], {});
});

/** s(x) (1 - s(x)) dx */
export const logistic: Elementwise = unary('logistic', (b, t, x, r) => {
  const rest = b.apply(sub, [filledLike(b, x, 1), r], {});
  return b.apply(mul, [t, b.apply(mul, [r, rest], {})], {});
});
