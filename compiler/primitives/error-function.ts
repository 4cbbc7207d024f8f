/** The error function and its relatives. */
import type { Builder } from '../tensor-ir/builder.ts';
import type { Primitive } from '../tensor-ir/primitive.ts';
import type { Value } from '../tensor-ir/program.ts';
import { mul, neg } from './arithmetic.ts';
import { exp } from './exponential.ts';
import { type NoAttrs, unary } from './families.ts';
import { filledLike } from './values.ts';

/** `scale` * exp(-x^2) */
function gaussian(b: Builder, x: Value, scale: number): Value {
  const density = b.apply(exp, [b.apply(neg, [b.apply(mul, [x, x], {})], {})], {});
  return b.apply(mul, [density, filledLike(b, x, scale)], {});
}

const slopeAtZero = 2 / Math.sqrt(Math.PI);

/** 2/sqrt(pi) exp(-x^2) dx */
export const erf: Primitive<NoAttrs> = unary('erf', (b, t, x) =>
  b.apply(mul, [t, gaussian(b, x, slopeAtZero)], {}),
);

/** -2/sqrt(pi) exp(-x^2) dx */
export const erfc: Primitive<NoAttrs> = unary('erfc', (b, t, x) =>
  b.apply(mul, [t, gaussian(b, x, -slopeAtZero)], {}),
);

/** sqrt(pi)/2 exp(erfinv(x)^2) dx */
export const erfinv: Primitive<NoAttrs> = unary('erfinv', (b, t, _, r) => {
  const growth = b.apply(exp, [b.apply(mul, [r, r], {})], {});
  const slope = b.apply(mul, [growth, filledLike(b, r, 1 / slopeAtZero)], {});
  return b.apply(mul, [t, slope], {});
});
