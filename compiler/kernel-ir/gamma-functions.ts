/**
 * lgamma, digamma and polygamma in double precision, to about 1e-15 of max(1, |result|): the meaning against which kernels
 * are held; to-c/helpers/gamma.h and to-metal/helpers have the same steps.
 *
 * Between 1.5 and 2.5 the power series around 2 (Abramowitz and Stegun, Handbook of Mathematical Functions, 6.1.33 and 6.3.14 with
 * the slowest part taken out), above it recurrence (6.1.15, 6.3.5), then Stirling's series (6.1.41, 6.3.18); below 0 reflection
 * (6.1.17, 6.3.7). polygamma is n! times Hurwitz' zeta function by Euler and Maclaurin's summation (6.4.10, 23.1.30).
 */

/** zeta(k) - 1 for k = 2, 3, ... */
const zetaMinusOne: readonly number[] = [
  0.6449340668482264, 0.2020569031595943, 0.08232323371113819, 0.03692775514336993,
  0.01734306198444914, 0.008349277381922827, 0.00407735619794434, 0.0020083928260822143,
  0.0009945751278180853, 0.0004941886041194645, 0.0002460865533080483, 0.00012271334757848915,
  6.124813505870483e-5, 3.058823630702049e-5, 1.528225940865187e-5, 7.637197637899763e-6,
  3.81729326499984e-6, 1.908212716553939e-6, 9.539620338727962e-7, 4.769329867878064e-7,
  2.38450502727733e-7, 1.1921992596531106e-7, 5.960818905125948e-8, 2.980350351465228e-8,
  1.490155482836504e-8, 7.45071178983543e-9,
];

/** 1 - Euler's constant: digamma(2). */
const slopeAtTwo = 0.42278433509846713;
const halfLogTwoPi = 0.9189385332046728;

/** log |gamma(2 + s)| for |s| <= 1/2. */
function logGammaNearTwo(s: number): number {
  let sum = 0;
  for (let i = zetaMinusOne.length - 1; i >= 0; i--) {
    const term = zetaMinusOne[i]! / (i + 2);
    sum = sum * s + (i % 2 === 0 ? term : -term);
  }
  return s * (slopeAtTwo + s * sum);
}

/** digamma(2 + s) for |s| <= 1/2. */
function digammaNearTwo(s: number): number {
  let sum = 0;
  for (let i = zetaMinusOne.length - 1; i >= 0; i--) {
    sum = sum * s + (i % 2 === 0 ? zetaMinusOne[i]! : -zetaMinusOne[i]!);
  }
  return slopeAtTwo + s * sum;
}

/** Where digamma is 0, in two doubles, and its derivatives there over k! for k = 1, 2, ... */
const root: readonly [number, number] = [1.4616321449683622, 9.549995429965697e-17];
const aroundRoot: readonly number[] = [
  0.9676722454476212, -0.4427631689835921, 0.258499760955651, -0.16394270544240652,
  0.10782405069126237, -0.07219956125645471, 0.04880428816414311, -0.03316112647484736,
  0.022597648232218104, -0.01542476590494896, 0.010538791616612175, -0.007204534386356869,
];

/** log |gamma(x)|; infinite at 0, -1, -2, ... and at both infinities. */
export function lgamma(x: number): number {
  if (x < 0.5) {
    if (x === Math.floor(x)) return Infinity;
    if (x > 0) return logGammaNearTwo(x) - Math.log1p(x) - Math.log(x);
    const distance = Math.abs(x - Math.round(x));
    return Math.log(Math.PI / Math.sin(Math.PI * distance)) - lgamma(1 - x);
  }
  if (x < 1.5) return logGammaNearTwo(x - 1) - Math.log1p(x - 1);
  if (x < 10) {
    let product = 1;
    let y = x;
    while (y >= 2.5) product *= --y;
    return logGammaNearTwo(y - 2) + Math.log(product);
  }
  if (x === Infinity) return x;
  const r = 1 / (x * x);
  const series =
    1 / 12 -
    r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680 - r * (1 / 1188 - r * (691 / 360360 - r / 156)))));
  return (x - 0.5) * (Math.log(x) - 1) + (halfLogTwoPi - 0.5) + series / x;
}

/** The derivative of lgamma: infinite at 0 (against its sign), NaN at -1, -2, ... and minus infinity. */
export function digamma(x: number): number {
  if (x === 0) return -1 / x;
  if (x < 0) {
    if (x === Math.floor(x)) return NaN;
    return digamma(1 - x) - Math.PI / Math.tan(Math.PI * (x - Math.round(x)));
  }
  const d = x - root[0] - root[1];
  if (Math.abs(d) < 0.06) return d * aroundRoot.reduceRight((sum, term) => sum * d + term, 0);
  if (x < 0.5) return digammaNearTwo(x) - 1 / (1 + x) - 1 / x;
  if (x < 1.5) return digammaNearTwo(x - 1) - 1 / x;
  if (x < 10) {
    let sum = 0;
    let y = x;
    while (y >= 2.5) sum += 1 / --y;
    return digammaNearTwo(y - 2) + sum;
  }
  const r = 1 / (x * x);
  const series =
    1 / 12 -
    r * (1 / 120 - r * (1 / 252 - r * (1 / 240 - r * (1 / 132 - r * (691 / 32760 - r / 12)))));
  return Math.log(x) - 0.5 / x - series * r;
}

/** B(2k) / (2k)! for k = 1, 2, ... */
const bernoulli: readonly number[] = [
  0.08333333333333333, -0.001388888888888889, 3.306878306878307e-5, -8.267195767195768e-7,
  2.08767569878681e-8, -5.284190138687493e-10, 1.3382536530684679e-11, -3.3896802963225827e-13,
  8.586062056277845e-15, -2.174868698558062e-16, 5.5090028283602295e-18, -1.3954464685812522e-19,
];

const negligible = 1e-18;
const mostTerms = 200;

/** gamma(s) * zeta(s, x), the sum of (s - 1)! / (x + k)^s over k = 0, 1, ..., for whole s >= 2 and x >= 0. */
function scaledZeta(s: number, x: number): number {
  // terms relative to the first, 1 / x^s, which may be out of range when gamma(s) brings the product back
  const far = 10 + s / 2;
  let [sum, last, a] = [1, 1, x];
  // of a large s few terms count
  for (let k = 0; a < far && last > negligible && k < mostTerms; k++) {
    a += 1;
    last = (x / a) ** s;
    sum += last;
  }
  if (a >= far && last > negligible) {
    sum += last * (a / (s - 1) - 0.5);
    let factor = s / a;
    for (let k = 0; k < bernoulli.length; k++) {
      sum += last * factor * bernoulli[k]!;
      factor *= ((s + 2 * k + 1) / a) * ((s + 2 * k + 2) / a);
    }
  }
  return sum * firstTerm(s, x);
}

/** (s - 1)! / x^s */
function firstTerm(s: number, x: number): number {
  if (s > 128) return Math.exp(lgamma(s) - s * Math.log(x));
  let product = 1 / x;
  for (let k = 1; k < s; k++) product *= k / x;
  return product;
}

/**
 * Derivative `n` of digamma at x; n is rounded to a whole number, NaN below 0. At 0, -1, -2, ... it is infinite.
 */
export function polygamma(n: number, x: number): number {
  const order = Math.round(n);
  if (!(order >= 0) || Number.isNaN(x)) return NaN;
  if (order === 0) return digamma(x);
  const sign = order % 2 === 0 ? -1 : 1;
  if (order === Infinity) return NaN;
  if (x === Infinity) return sign * 0;
  if (x > 0) return sign * scaledZeta(order + 1, x);
  const below = Math.floor(x);
  if (x === below) return sign * Infinity;
  // the terms with x + k < 0, with their sign, are a finite sum over k + 1 - x mod 1
  const s = order + 1;
  const both = sign * scaledZeta(s, x - below) + scaledZeta(s, Math.ceil(x) - x);
  return both - scaledZeta(s, 1 - x);
}
