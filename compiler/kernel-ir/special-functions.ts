/**
 * erf, erfc and erfinv in double precision, to about 1e-15 relative: the meaning against which kernels are held.
 * Formulas: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.6 (series) and 7.1.14 (continued fraction).
 */

/** The error function: 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x. */
export function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  const a = Math.abs(x);
  const magnitude = a < 1 ? erfSeries(a) : 1 - erfcFraction(a);
  return x < 0 || Object.is(x, -0) ? -magnitude : magnitude;
}

/** 1 - erf(x), without cancellation for large x. */
export function erfc(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x < -1) return 2 - erfcFraction(-x);
  return x < 1 ? 1 - erf(x) : erfcFraction(x);
}

/** 2/sqrt(pi) * exp(-x^2) * sum of 2^n x^(2n+1) / (2n+1)!!: all terms positive, so no cancellation. */
function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; term > sum * 1e-18 && n < 100; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return 2 * Math.sqrt(1 / Math.PI) * Math.exp(-x * x) * sum;
}

/** erfc for x >= 1: exp(-x^2) / sqrt(pi) over the continued fraction x + (1/2)/(x + 1/(x + (3/2)/(x + ...))). */
function erfcFraction(x: number): number {
  if (x > 28) return 0;
  const terms = Math.ceil(30 + 220 / (x * x));
  let fraction = x;
  for (let n = terms; n >= 1; n--) fraction = x + n / 2 / fraction;
  return expOfMinusSquare(x) / (Math.sqrt(Math.PI) * fraction);
}

/** exp(-x^2) with x^2 split in an exact part and a small rest: rounding x^2 would cost a factor of x^2 in accuracy. */
function expOfMinusSquare(x: number): number {
  const head = Math.fround(x);
  return Math.exp(-head * head) * Math.exp((head - x) * (head + x));
}

/** The inverse of erf on [-1, 1]; infinite at the ends, NaN outside. */
export function erfinv(y: number): number {
  const a = Math.abs(y);
  if (Number.isNaN(y) || a > 1) return NaN;
  if (a === 1) return y * Infinity;
  if (y === 0) return y;
  // Winitzki's approximation (2e-3), then Halley steps; 1 - a is exact for a > 1/2, so erfc keeps the tail accurate
  const log = Math.log1p(-a * a);
  const c = 2 / (Math.PI * 0.147) + log / 2;
  let x = Math.sqrt(Math.sqrt(c * c - log / 0.147) - c);
  for (let step = 0; step < 3; step++) {
    const error = a > 0.5 ? 1 - a - erfc(x) : erf(x) - a;
    const newton = (error * Math.sqrt(Math.PI)) / 2 / expOfMinusSquare(x);
    x -= newton / (1 + x * newton);
  }
  return y < 0 ? -x : x;
}
