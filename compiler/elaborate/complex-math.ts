/**
 * Arithmetic and functions of complex numbers on real tensors. A c64 tensor is f32[..., 2] in the tensor IR; here it is
 * taken apart into its real and imaginary parts, which are tensors like any other: transformations and fusion
 * see nothing new. Formulas are those of C99 Annex G and Kahan, "Branch cuts for complex elementary functions"; where
 * one holds on one side only, what the other side divides by is made harmless first, so that derivatives are no NaN.
 */
import { int, one, zero } from '../symbolic/integer.ts';
import type { Builder } from '../tensor-ir/builder.ts';
import type { Value } from '../tensor-ir/program.ts';
import { apply, constant, reshape, slice } from './operations.ts';

/** Real and imaginary parts, of one shape. */
export interface Complex {
  readonly re: Value;
  readonly im: Value;
}

/** What was joined is taken apart again at once: most c64 values are. */
const joined = new WeakMap<Value, Complex>();

/** f32[...S, 2] from f32[...S] and f32[...S]. */
export function join(b: Builder, z: Complex): Value {
  const parts = [z.re, z.im].map((part) => reshape(b, part, [...part.type.shape, one]));
  const value = apply(b, 'concatenate', parts, { axis: z.re.type.shape.length });
  joined.set(value, z);
  return value;
}

export function takeApart(b: Builder, value: Value): Complex {
  return joined.get(value) ?? { re: partOf(b, value, 0), im: partOf(b, value, 1) };
}

/** One number of every pair along the last axis. */
export function partOf(b: Builder, value: Value, part: number): Value {
  const { shape } = value.type;
  const axes = shape.slice(0, -1);
  const start = [...axes.map(() => zero), int(part)];
  const stop = [...axes, int(part + 1)];
  const steps = shape.map(() => 1);
  return reshape(b, slice(b, value, start, stop, steps), axes);
}

function filled(b: Builder, like: Value, value: number): Value {
  return constant(b, like.type.dtype, like.type.shape, value);
}

const add = (b: Builder, x: Value, y: Value): Value => apply(b, 'add', [x, y]);
const sub = (b: Builder, x: Value, y: Value): Value => apply(b, 'sub', [x, y]);
const mul = (b: Builder, x: Value, y: Value): Value => apply(b, 'mul', [x, y]);
const div = (b: Builder, x: Value, y: Value): Value => apply(b, 'div', [x, y]);
const neg = (b: Builder, x: Value): Value => apply(b, 'neg', [x]);
const select = (b: Builder, c: Value, x: Value, y: Value): Value => apply(b, 'select', [c, x, y]);
const scaled = (b: Builder, x: Value, factor: number): Value => mul(b, x, filled(b, x, factor));

export function fromReal(b: Builder, re: Value): Complex {
  return { re, im: filled(b, re, 0) };
}

/** The truth `relation` of a part and a number. */
function compare(b: Builder, relation: 'ge' | 'eq', x: Value, value: number): Value {
  return apply(b, relation, [x, filled(b, x, value)]);
}

/** |x| with the derivative 1 at 0: what a formula for x >= 0 needs at its edge. */
function magnitude(b: Builder, x: Value): Value {
  return select(b, compare(b, 'ge', x, 0), x, neg(b, x));
}

/** y with the sign of x. */
function withSign(b: Builder, x: Value, y: Value): Value {
  return select(b, compare(b, 'ge', x, 0), y, neg(b, y));
}

export function addComplex(b: Builder, z: Complex, w: Complex): Complex {
  return { re: add(b, z.re, w.re), im: add(b, z.im, w.im) };
}

export function subtractComplex(b: Builder, z: Complex, w: Complex): Complex {
  return { re: sub(b, z.re, w.re), im: sub(b, z.im, w.im) };
}

export function negate(b: Builder, z: Complex): Complex {
  return { re: neg(b, z.re), im: neg(b, z.im) };
}

export function conjugate(b: Builder, z: Complex): Complex {
  return { re: z.re, im: neg(b, z.im) };
}

/** i z */
function timesI(b: Builder, z: Complex): Complex {
  return { re: neg(b, z.im), im: z.re };
}

/** A real factor scales both parts. */
export function scale(b: Builder, z: Complex, factor: Value): Complex {
  return { re: mul(b, z.re, factor), im: mul(b, z.im, factor) };
}

export function multiplyComplex(b: Builder, z: Complex, w: Complex): Complex {
  return {
    re: sub(b, mul(b, z.re, w.re), mul(b, z.im, w.im)),
    im: add(b, mul(b, z.re, w.im), mul(b, z.im, w.re)),
  };
}

/** R. L. Smith's quotient: the greater part of the divisor is divided by, so nothing overflows before the result does. */
export function divideComplex(b: Builder, z: Complex, w: Complex): Complex {
  const [c, d] = [w.re, w.im];
  const isWide = apply(b, 'ge', [apply(b, 'abs', [c]), apply(b, 'abs', [d])]);
  const ratio = div(b, select(b, isWide, d, c), select(b, isWide, c, d));
  const divisor = add(b, select(b, isWide, c, d), mul(b, select(b, isWide, d, c), ratio));
  const first = select(b, isWide, z.re, z.im);
  const second = select(b, isWide, z.im, z.re);
  const im = sub(b, second, mul(b, first, ratio));
  return {
    re: div(b, add(b, first, mul(b, second, ratio)), divisor),
    im: div(b, select(b, isWide, im, neg(b, im)), divisor),
  };
}

export function reciprocal(b: Builder, z: Complex): Complex {
  return divideComplex(b, fromReal(b, filled(b, z.re, 1)), z);
}

export function equal(b: Builder, z: Complex, w: Complex): Value {
  const parts = [apply(b, 'eq', [z.re, w.re]), apply(b, 'eq', [z.im, w.im])];
  return apply(b, 'and', parts);
}

/** |z| = scale * root: the scale is the greater part, so that squares neither overflow nor vanish. */
function polar(b: Builder, z: Complex): { readonly scale: Value; readonly square: Value } {
  const greater = apply(b, 'max', [apply(b, 'abs', [z.re]), apply(b, 'abs', [z.im])]);
  const isPlain = apply(b, 'and', [
    apply(b, 'is_finite', [greater]),
    apply(b, 'gt', [greater, filled(b, greater, 0)]),
  ]);
  // a scale is no more than a unit: derivatives pass it by
  const size = apply(b, 'stop_gradient', [select(b, isPlain, greater, filled(b, greater, 1))]);
  const [x, y] = [div(b, z.re, size), div(b, z.im, size)];
  return { scale: size, square: add(b, mul(b, x, x), mul(b, y, y)) };
}

/** |z|; its derivative at 0 is 0. */
export function absolute(b: Builder, z: Complex): Value {
  const { scale: size, square } = polar(b, z);
  const isZero = compare(b, 'eq', square, 0);
  const root = apply(b, 'sqrt', [select(b, isZero, filled(b, square, 1), square)]);
  return select(b, isZero, filled(b, square, 0), mul(b, size, root));
}

/** The angle of z in (-pi, pi]. Its derivative at 0, which it has not, is taken for 0. */
export function angle(b: Builder, z: Complex): Value {
  const nothing = filled(b, z.re, 0);
  const isZero = equal(b, z, fromReal(b, nothing));
  const safe = select(b, isZero, filled(b, z.re, 1), z.re);
  return select(b, isZero, nothing, apply(b, 'atan2', [z.im, safe]));
}

export function exp(b: Builder, z: Complex): Complex {
  const size = apply(b, 'exp', [z.re]);
  return {
    re: mul(b, size, apply(b, 'cos', [z.im])),
    im: mul(b, size, apply(b, 'sin', [z.im])),
  };
}

/** log |z| + i angle(z); -inf at 0. */
export function log(b: Builder, z: Complex): Complex {
  const { scale: size, square } = polar(b, z);
  const re = add(b, apply(b, 'log', [size]), scaled(b, apply(b, 'log', [square]), 0.5));
  return { re, im: angle(b, z) };
}

/** The root with a real part >= 0: sqrt((|z| + |re|) / 2) is one part, im over twice that the other. */
export function sqrt(b: Builder, z: Complex): Complex {
  const half = add(b, scaled(b, absolute(b, z), 0.5), scaled(b, magnitude(b, z.re), 0.5));
  const isZero = compare(b, 'eq', half, 0);
  const root = apply(b, 'sqrt', [select(b, isZero, filled(b, half, 1), half)]);
  const long = select(b, isZero, filled(b, half, 0), root);
  const short = scaled(b, div(b, z.im, root), 0.5);
  const isRight = compare(b, 'ge', z.re, 0);
  return {
    re: select(b, isRight, long, withSign(b, z.im, short)),
    im: select(b, isRight, short, withSign(b, z.im, long)),
  };
}

export function sinh(b: Builder, z: Complex): Complex {
  return {
    re: mul(b, apply(b, 'sinh', [z.re]), apply(b, 'cos', [z.im])),
    im: mul(b, apply(b, 'cosh', [z.re]), apply(b, 'sin', [z.im])),
  };
}

export function cosh(b: Builder, z: Complex): Complex {
  return {
    re: mul(b, apply(b, 'cosh', [z.re]), apply(b, 'cos', [z.im])),
    im: mul(b, apply(b, 'sinh', [z.re]), apply(b, 'sin', [z.im])),
  };
}

/** Both terms of the fraction are divided by exp(2 |re|), which alone would overflow. */
export function tanh(b: Builder, z: Complex): Complex {
  const size = magnitude(b, z.re);
  const small = apply(b, 'exp', [scaled(b, size, -2)]);
  const [cos, sin] = [apply(b, 'cos', [z.im]), apply(b, 'sin', [z.im])];
  const gap = apply(b, 'expm1', [scaled(b, size, -2)]);
  const four = scaled(b, small, 4);
  const divisor = add(b, mul(b, gap, gap), mul(b, four, mul(b, cos, cos)));
  const rise = neg(b, apply(b, 'expm1', [scaled(b, size, -4)]));
  return {
    re: div(b, withSign(b, z.re, rise), divisor),
    im: div(b, mul(b, four, mul(b, sin, cos)), divisor),
  };
}

/** f(i z) / i, which makes circular functions of hyperbolic ones. */
function turned(f: (b: Builder, z: Complex) => Complex): (b: Builder, z: Complex) => Complex {
  return (b, z) => {
    const w = f(b, timesI(b, z));
    return { re: w.im, im: neg(b, w.re) };
  };
}

export const sin: (b: Builder, z: Complex) => Complex = turned(sinh);
export const tan: (b: Builder, z: Complex) => Complex = turned(tanh);

export function cos(b: Builder, z: Complex): Complex {
  return cosh(b, timesI(b, z));
}

/** z ** n by squaring, for a whole number n. */
export function wholePower(b: Builder, z: Complex, power: number): Complex {
  if (power < 0) return reciprocal(b, wholePower(b, z, -power));
  let result: Complex | undefined;
  let square = z;
  for (let rest = power; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = result === undefined ? square : multiplyComplex(b, result, square);
    if (rest > 1) square = multiplyComplex(b, square, square);
  }
  return result ?? fromReal(b, filled(b, z.re, 1));
}

/** exp(w log z); 0 ** w is 0, and 1 for w = 0. */
export function power(b: Builder, z: Complex, w: Complex): Complex {
  const nothing = fromReal(b, filled(b, z.re, 0));
  const isZero = equal(b, z, nothing);
  const safe = { re: select(b, isZero, filled(b, z.re, 1), z.re), im: z.im };
  const value = exp(b, multiplyComplex(b, w, log(b, safe)));
  const atZero = apply(b, 'convert', [equal(b, w, nothing)], { dtype: 'f32' });
  return {
    re: select(b, isZero, atZero, value.re),
    im: select(b, isZero, nothing.im, value.im),
  };
}
