import { alike, type Reference, withAliases } from '../entry.ts';

const ofFloats = '<T: float>(x: T[...S]) -> T[...S]';
const ofNumbers = '<T: number>(x: T[...S]) -> T[...S]';
const twoNumbers = '<T: number>(x: T[...S], y: T[...R]) -> T[...]';
const twoFloats = '<T: float>(x: T[...S], y: T[...R]) -> T[...]';
const bits = '<T: integer>(x: T[...S], y: T[...R]) -> T[...]';
const comparison = '<T: any>(x: T[...S], y: T[...R]) -> bool[...]';

export const elementwise: Reference = withAliases(
  {
    ...alike(ofNumbers, {
      negative: 'negative(array([1, -2]))',
      abs: 'abs(array([-1.5, 2.0]))',
      sign: 'sign(array([-3.0, 0.0, 2.5]))',
      square: 'square(array([3, -4]))',
    }),
    ...alike(ofFloats, {
      floor: 'floor(array([1.7, -1.2]))',
      ceil: 'ceil(array([1.2, -1.7]))',
      trunc: 'trunc(array([1.7, -1.7]))',
      exp: 'exp(array([0.0, 1.0]))',
      exp2: 'exp2(array([3.0, -1.0]))',
      expm1: 'expm1(array([0.0, 1e-5]))',
      log: 'log(array([1.0, e, 0.0]))',
      log2: 'log2(array([8.0, 0.5]))',
      log1p: 'log1p(array([0.0, 1e-5]))',
      log10: 'log10(array([1.0, 100.0]))',
      sqrt: 'sqrt(array([9.0, 2.0]))',
      rsqrt: 'rsqrt(array([4.0, 0.25]))',
      cbrt: 'cbrt(array([8.0, -27.0]))',
      sin: 'sin(array([0.0, pi / 2]))',
      cos: 'cos(array([0.0, pi]))',
      tan: 'tan(array([0.0, 1.0]))',
      asin: 'asin(array([0.0, 1.0]))',
      acos: 'acos(array([1.0, 0.0]))',
      atan: 'atan(array([0.0, 1.0]))',
      sinh: 'sinh(array([0.0, 1.0]))',
      cosh: 'cosh(array([0.0, 1.0]))',
      tanh: 'tanh(array([0.0, 1.0]))',
      asinh: 'asinh(array([0.0, 1.0]))',
      acosh: 'acosh(array([1.0, 2.0]))',
      atanh: 'atanh(array([0.0, 0.5]))',
      logistic: 'logistic(array([0.0, 100.0]))',
      erf: 'erf(array([0.0, 1.0]))',
      erfc: 'erfc(array([0.0, 4.0]))',
      erfinv: 'erfinv(array([0.0, 0.5]))',
      lgamma: 'lgamma(array([1.0, 5.0]))',
      digamma: 'digamma(array([1.0, 2.0]))',
      reciprocal: 'reciprocal(array([4.0, 0.5]))',
    }),
    round: {
      signature: '<T: number>(x: T[...S], decimals: int = 0) -> T[...S]',
      example: 'round(array([0.5, 1.5, 2.567]))',
    },
    ...alike('<T: float>(x: T[...S]) -> bool[...S]', {
      isfinite: 'isfinite(array([1.0, inf, nan]))',
      isnan: 'isnan(array([1.0, inf, nan]))',
      isinf: 'isinf(array([1.0, inf, nan]))',
    }),
    invert: {
      signature: '<T: integer>(x: T[...S]) -> T[...S]',
      example: 'invert(array([0, 5, -1]))',
    },
    ...alike('<T: integer>(x: T[...S]) -> T[...S]', {
      bitwise_count: 'bitwise_count(array([0, 5, 255]))',
      clz: 'clz(array([1, 256]))',
    }),
    ...alike(twoNumbers, {
      add: 'add(array([1, 2]), 10)',
      subtract: 'subtract(array([1, 2]), 10)',
      multiply: 'multiply(array([1, 2]), 10)',
      power: 'power(array([2.0, 3.0]), 3.0)',
      floor_divide: 'floor_divide(array([7, -7]), 2)',
      remainder: 'remainder(array([7, -7]), 3)',
      maximum: 'maximum(array([1.0, nan, 3.0]), 2.0)',
      minimum: 'minimum(array([1.0, nan, 3.0]), 2.0)',
    }),
    ...alike(twoFloats, {
      divide: 'divide(array([1.0, 3.0]), 2.0)',
      atan2: 'atan2(array([1.0, -1.0]), array([1.0, -1.0]))',
    }),
    ...alike(bits, {
      bitwise_and: 'bitwise_and(array([12, 5]), 6)',
      bitwise_or: 'bitwise_or(array([12, 5]), 6)',
      bitwise_xor: 'bitwise_xor(array([12, 5]), 6)',
      left_shift: 'left_shift(array([1, 3]), 2)',
      right_shift: 'right_shift(array([16, -16]), 2)',
    }),
    ...alike(comparison, {
      equal: 'equal(array([1, 2]), 2)',
      not_equal: 'not_equal(array([1, 2]), 2)',
    }),
    ...alike('<T: number>(x: T[...S], y: T[...R]) -> bool[...]', {
      less: 'less(array([1, 2, 3]), 2)',
      less_equal: 'less_equal(array([1, 2, 3]), 2)',
      greater: 'greater(array([1, 2, 3]), 2)',
      greater_equal: 'greater_equal(array([1, 2, 3]), 2)',
    }),
    ...alike('<T: any>(x: T[...S], y: T[...R]) -> bool[...]', {
      logical_and: 'logical_and(array([0, 1]), array([2, 3]))',
      logical_or: 'logical_or(array([0, 1]), array([0, 3]))',
      logical_xor: 'logical_xor(array([0, 1]), array([2, 3]))',
    }),
    logical_not: {
      signature: '<T: any>(x: T[...S]) -> bool[...S]',
      example: 'logical_not(array([0.0, 2.0]))',
    },
    ceildiv: {
      signature: '(x: int, y: int) -> int',
      example: 'array([ceildiv(7, 2), ceildiv(8, 2)])',
    },
    where: {
      signature: '<T: any>(condition: bool[...C], x: T[...S], y: T[...R]) -> T[...]',
      example: 'where(array([true, false]), 1.0, array([5.0, 6.0]))',
    },
    select: {
      signature: '<T: any>(condlist: any, choicelist: any, default: T = 0) -> T[...]',
      example: '{ let x = array([-1.0, 0.5, 7.0]); select((x < 0, x > 1), (-x, 1.0), x) }',
    },
    polygamma: {
      signature: '<T: float>(n: int, x: T[...S]) -> T[...S]',
      example: 'polygamma(1, array([1.0, 2.0]))',
    },
    clamp: {
      signature: '<T: number>(low: T[...R], x: T[...S], high: T[...Q]) -> T[...]',
      example: 'clamp(0.0, array([-1.0, 0.5, 2.0]), 1.0)',
    },
    clip: {
      signature: '<T: number>(x: T[...S], min: T[...R] = none, max: T[...Q] = none) -> T[...]',
      example: 'clip(array([-1.0, 0.5, 2.0]), max = 1.0)',
    },
  },
  {
    absolute: 'abs',
    arcsin: 'asin',
    arccos: 'acos',
    arctan: 'atan',
    arcsinh: 'asinh',
    arccosh: 'acosh',
    arctanh: 'atanh',
    gammaln: 'lgamma',
    bitwise_not: 'invert',
    bitwise_invert: 'invert',
    true_divide: 'divide',
    pow: 'power',
    arctan2: 'atan2',
    floordiv: 'floor_divide',
    mod: 'remainder',
    bitwise_left_shift: 'left_shift',
    bitwise_right_shift: 'right_shift',
  },
);
