/** The logarithm of the gamma function and its derivatives. */
import type { Primitive } from '../tensor-ir/primitive.ts';
import { add, mul } from './arithmetic.ts';
import { binary, type NoAttrs, unary } from './families.ts';
import { filledLike, zerosOf } from './values.ts';

/** digamma(x) dx */
export const lgamma: Primitive<NoAttrs> = unary('lgamma', (b, t, x) =>
  b.apply(mul, [t, b.apply(digamma, [x], {})], {}),
);

/** polygamma(1, x) dx */
export const digamma: Primitive<NoAttrs> = unary('digamma', (b, t, x) =>
  b.apply(mul, [t, b.apply(polygamma, [filledLike(b, x, 1), x], {})], {}),
);

/** polygamma(n + 1, x) dx; n counts derivatives (it is rounded), so its own tangent is zero. */
export const polygamma: Primitive<NoAttrs> = binary('polygamma', [
  (b, t) => zerosOf(b, t.type),
  (b, t, n, x) => {
    const next = b.apply(add, [n, filledLike(b, n, 1)], {});
    return b.apply(mul, [t, b.apply(polygamma, [next, x], {})], {});
  },
]);
