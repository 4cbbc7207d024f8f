/**
 * `dft`: the discrete Fourier transform along the last axis, which std/fft is made of.
 *
 * A length with a divisor is split, N = N1 * N2, into transforms of length N1, twiddle factors and transforms of length
 * N2 (Cooley and Tukey, 1965). Lengths up to 64 are products with the matrix of the transform: what devices do best. A
 * length without small divisors is a convolution with a chirp, of a length that is a power of two (Bluestein, 1970). Of a
 * symbolic length it is a product with the whole matrix. Tables of a known length are computed in doubles.
 */
import { constantValue, type Int, int, one } from '../../symbolic/integer.ts';
import type { Value } from '../../tensor-ir/program.ts';
import { isComplex } from '../complex.ts';
import { type Complex, fromReal, join, multiplyComplex, takeApart } from '../complex-math.ts';
import type { Intrinsic } from '../intrinsic.ts';
import { tensorTerm } from '../terms.ts';
import { type Emitter, intrinsic, optional, range, required } from './support.ts';

/** -1 forwards, 1 backwards: the sign of the exponent. */
type Sign = -1 | 1;

/** The longest transform that is one product where it could be split, and where it could not. */
const denseLength = 64;
const longestDense = 256;
/** The longest table that is kept as numbers; longer ones are computed on the device. */
const longestTable = 1 << 16;
/** Products of indices up to here fit u32. */
const longestSymbolic = 1 << 16;

/** The numbers exp(sign * 2 pi i * index / n) of exact whole indices, in doubles. */
function roots(sign: Sign, n: number, indices: readonly number[]): { re: number[]; im: number[] } {
  const re: number[] = [];
  const im: number[] = [];
  for (const index of indices) {
    // within an eighth of a turn on either side of a quarter, so that quarters are exact
    const four = 4 * (index % n);
    const quarter = Math.round(four / n);
    const angle = ((four - quarter * n) * Math.PI) / (2 * n);
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    const [x, y] = [
      [c, s],
      [-s, c],
      [-c, -s],
      [s, -c],
    ][quarter % 4] as [number, number];
    re.push(x);
    im.push(sign * y);
  }
  return { re, im };
}

function table(
  e: Emitter,
  shape: readonly number[],
  numbers: { re: number[]; im: number[] },
): Complex {
  const literal = (data: number[]): Value =>
    e.apply('literal', [], { dtype: 'f32', shape: shape.map(int), data: Float32Array.from(data) });
  return { re: literal(numbers.re), im: literal(numbers.im) };
}

/**
 * The same on the device, of an i32 tensor of indices from 0 to n - 1. The angle is cut to an eighth of a turn on either side of a
 * quarter in whole numbers, so that it is rounded once.
 */
function rootsOnDevice(e: Emitter, sign: Sign, n: Int, index: Value): Complex {
  const { shape } = index.type;
  const whole = (value: number): Value => e.fill(value, 'i32', shape);
  const size = e.broadcast(e.dim(n, 'i32'), shape, []);
  const twice = e.apply('mul', [index, whole(8)]);
  const quarter = e.apply('floor_div', [
    e.apply('add', [twice, size]),
    e.apply('mul', [size, whole(2)]),
  ]);
  const rest = e.apply('sub', [e.apply('mul', [index, whole(4)]), e.apply('mul', [quarter, size])]);
  const unit = e.apply('div', [e.fill(Math.PI / 2, 'f32', shape), e.convert(size, 'f32')]);
  const angle = e.apply('mul', [e.convert(rest, 'f32'), unit]);
  const [cos, sin] = [e.apply('cos', [angle]), e.apply('sin', [angle])];
  const turn = e.apply('rem', [quarter, whole(4)]);
  const is = (k: number): Value => e.apply('eq', [turn, whole(k)]);
  const pick = (values: readonly Value[]): Value =>
    [2, 1, 0].reduce((rest, k) => e.apply('select', [is(k), values[k]!, rest]), values[3]!);
  const minus = (v: Value): Value => e.apply('neg', [v]);
  const re = pick([cos, minus(sin), minus(cos), sin]);
  const im = pick([sin, cos, minus(sin), minus(cos)]);
  return { re, im: sign === 1 ? im : minus(im) };
}

/** x[..., N] times the matrix [N, N]: the axis contracted goes, and the new one comes last. */
function contract(e: Emitter, z: Complex | Value, axis: number, matrix: Complex): Complex {
  const product = (x: Value, m: Value): Value =>
    e.apply('dot_general', [x, m], { contracting: [[axis], [0]], batch: [[], []] });
  if (!('re' in z)) return { re: product(z, matrix.re), im: product(z, matrix.im) };
  return {
    re: e.apply('sub', [product(z.re, matrix.re), product(z.im, matrix.im)]),
    im: e.apply('add', [product(z.re, matrix.im), product(z.im, matrix.re)]),
  };
}

/** exp(sign * 2 pi i * j * k / n) by j and k. */
function fourierMatrix(e: Emitter, sign: Sign, n: number): Complex {
  const indices = range(n).flatMap((j) => range(n).map((k) => j * k));
  return table(e, [n, n], roots(sign, n, indices));
}

/** Of a symbolic length: indices wrap in u32, which holds the products of lengths up to 65,536. */
function symbolicMatrix(e: Emitter, sign: Sign, n: Int): Complex {
  const shape = [n, n];
  const product = e.apply('mul', [e.iota('u32', shape, 0), e.iota('u32', shape, 1)]);
  const index = e.apply('rem', [product, e.broadcast(e.dim(n, 'u32'), shape, [])]);
  return rootsOnDevice(e, sign, n, e.convert(index, 'i32'));
}

/** exp(sign * 2 pi i * j * k / (rows * columns)) for j < rows, k < columns. */
function twiddles(e: Emitter, sign: Sign, rows: number, columns: number): Complex {
  const n = rows * columns;
  if (n <= longestTable) {
    const indices = range(rows).flatMap((j) => range(columns).map((k) => j * k));
    return table(e, [rows, columns], roots(sign, n, indices));
  }
  const shape = [int(rows), int(columns)];
  const index = e.apply('mul', [e.iota('i32', shape, 0), e.iota('i32', shape, 1)]);
  return rootsOnDevice(e, sign, int(n), index);
}

const both = (z: Complex, change: (part: Value) => Value): Complex => ({
  re: change(z.re),
  im: change(z.im),
});

/** A table along the last axes of all rows of z. */
function timesTable(e: Emitter, z: Complex, factors: Complex): Complex {
  const { shape } = z.re.type;
  const count = factors.re.type.shape.length;
  const axes = range(count).map((i) => shape.length - count + i);
  return multiplyComplex(
    e.builder,
    z,
    both(factors, (v) => e.broadcast(v, shape, axes)),
  );
}

/** The divisor to split off, or undefined: of those up to 64 the one nearest to an equal share, else one up to 256. */
function splitOf(n: number): number | undefined {
  const levels = Math.ceil(Math.log(n) / Math.log(denseLength));
  const share = n ** (1 / Math.max(2, levels));
  const near = (d: number): number => Math.abs(Math.log(d / share));
  const divisors = range(Math.min(longestDense, n - 1) + 1).filter((d) => d > 1 && n % d === 0);
  const small = divisors.filter((d) => d <= denseLength).sort((a, b) => near(a) - near(b));
  return small[0] ?? divisors[0];
}

/** Along the last axis, of a length known when compiling. A real z has no imaginary part to transform. */
function transform(e: Emitter, z: Complex | Value, sign: Sign, n: number): Complex {
  const { shape } = ('re' in z ? z.re : z).type;
  const last = shape.length - 1;
  if (n === 1) return 're' in z ? z : fromReal(e.builder, z);
  const rows = n <= denseLength ? undefined : splitOf(n);
  if (rows === undefined) {
    if (n <= longestDense) return contract(e, z, last, fourierMatrix(e, sign, n));
    return bluestein(e, 're' in z ? z : fromReal(e.builder, z), sign, n);
  }
  const columns = n / rows;
  const leading = shape.slice(0, -1);
  const split = (x: Value): Value => e.reshape(x, [...leading, int(rows), int(columns)]);
  // [..., rows, columns] to [..., columns, rows]
  const first = contract(
    e,
    're' in z ? both(z, split) : split(z),
    last,
    fourierMatrix(e, sign, rows),
  );
  const turned = timesTable(e, first, twiddles(e, sign, columns, rows));
  const swap = [...range(last), last + 1, last];
  const swapped = (x: Value): Value => e.permute(x, swap);
  const second = transform(e, both(turned, swapped), sign, columns);
  return both(second, (x) => e.reshape(swapped(x), shape));
}

/**
 * j k = (j^2 + k^2 - (k - j)^2) / 2: the transform is a product with a chirp, a convolution with its conjugate, and a product
 * again. The convolution is cyclic, of a power of two of at least 2n - 1.
 */
function bluestein(e: Emitter, z: Complex, sign: Sign, n: number): Complex {
  let m = 1;
  while (m < 2 * n - 1) m *= 2;
  // k^2 grows beyond 2^53 only for lengths that no table has
  const chirp = roots(
    sign,
    2 * n,
    range(n).map((k) => (k * k) % (2 * n)),
  );
  const factors = table(e, [n], chirp);
  const { shape } = z.re.type;
  const last = shape.length - 1;
  const pad = (x: Value): Value =>
    e.apply('pad', [x, e.fill(0, 'f32')], {
      low: shape.map(() => int(0)),
      high: shape.map((_, i) => int(i === last ? m - n : 0)),
      interior: shape.map(() => int(0)),
    });
  const spectrum = transform(e, both(timesTable(e, z, factors), pad), -1, m);
  const filtered = timesTable(e, spectrum, table(e, [m], chirpSpectrum(chirp, m)));
  const back = transform(e, filtered, 1, m);
  const cut = (x: Value): Value =>
    e.apply('slice', [x], {
      start: shape.map(() => int(0)),
      stop: shape.map((size, i) => (i === last ? int(n) : size)),
      step: shape.map(() => one),
    });
  return timesTable(e, both(back, cut), factors);
}

/** The transform of the conjugate chirp around 0, divided by the length m, in doubles. */
function chirpSpectrum(
  chirp: { re: number[]; im: number[] },
  m: number,
): { re: number[]; im: number[] } {
  const re = new Array<number>(m).fill(0);
  const im = new Array<number>(m).fill(0);
  chirp.re.forEach((x, k) => {
    for (const place of [k, (m - k) % m]) {
      re[place] = x / m;
      im[place] = -chirp.im[k]! / m;
    }
  });
  return powerOfTwo(re, im);
}

/** The forward transform of a power of two, in doubles: even and odd places, then butterflies. */
function powerOfTwo(re: readonly number[], im: readonly number[]): { re: number[]; im: number[] } {
  const n = re.length;
  if (n === 1) return { re: [...re], im: [...im] };
  const isEven = (_: number, i: number): boolean => i % 2 === 0;
  const isOdd = (_: number, i: number): boolean => i % 2 === 1;
  const even = powerOfTwo(re.filter(isEven), im.filter(isEven));
  const odd = powerOfTwo(re.filter(isOdd), im.filter(isOdd));
  const result = { re: new Array<number>(n), im: new Array<number>(n) };
  for (let k = 0; k < n / 2; k++) {
    const angle = (-2 * Math.PI * k) / n;
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    const [x, y] = [odd.re[k]! * c - odd.im[k]! * s, odd.re[k]! * s + odd.im[k]! * c];
    result.re[k] = even.re[k]! + x;
    result.im[k] = even.im[k]! + y;
    result.re[k + n / 2] = even.re[k]! - x;
    result.im[k + n / 2] = even.im[k]! - y;
  }
  return result;
}

export const fourier: readonly Intrinsic[] = [
  intrinsic(
    'dft',
    [required('x'), optional('inverse', { kind: 'boolean', value: false })],
    'The discrete Fourier transform along the last axis of a c64 or f32 tensor, not divided by the length; with `inverse` the exponent is positive. std/fft has the transforms of NumPy.',
    (a) => {
      const term = a.term('x');
      const z = isComplex(term) ? takeApart(a.builder, term.value) : a.value('x', 'f32');
      const { dtype, shape } = ('re' in z ? z.re : z).type;
      const span = a.spanOf('x');
      if (dtype !== 'f32') {
        a.fail('MLX2488', `\`dft\` needs c64 or f32, found ${dtype}`, {
          span,
          hint: '`f32(x)` converts a real tensor',
        });
      }
      const size = shape.at(-1);
      if (size === undefined || constantValue(size) === 0) {
        return a.fail('MLX2489', '`dft` needs an axis with at least one element', { span });
      }
      const sign: Sign = a.boolean('inverse') ? 1 : -1;
      const n = constantValue(size);
      if (n === undefined) {
        const message = `a transform of a length known only at run time has at most ${longestSymbolic} elements`;
        const limit = int(longestSymbolic);
        a.context.guard({ relation: 'at-least', left: limit, right: size, message, span: a.span });
      }
      const result =
        n === undefined
          ? contract(a, z, shape.length - 1, symbolicMatrix(a, sign, size))
          : transform(a, z, sign, n);
      return tensorTerm(join(a.builder, result), 'complex');
    },
  ),
];
