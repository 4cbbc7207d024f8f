/**
 * The scalar functions that kernels call: name, arity, the dtypes they take, what they give, what they cost and what
 * they mean. Names are those of the element-wise primitives. Arguments share one dtype. A printer has one line of C or
 * Metal for each; `evaluateScalar` is the meaning it is held against.
 *
 * Floats are computed in double precision and rounded by the caller. Integers wrap.
 */
import { InternalError } from '../diagnostics/internal-error.ts';
import { byteSize, type DType, isFloat, isInteger, isSigned } from '../tensor-ir/dtype.ts';
import {
  type Element,
  isBig,
  roundHalfEven,
  wrapBigint,
  wrapInteger,
} from '../tensor-ir/nd-array.ts';
import { digamma, lgamma, polygamma } from './gamma-functions.ts';
import { erf, erfc, erfinv } from './special-functions.ts';

/** `bits` is bool or integer; `number` is integer or float. */
export type OperandClass = 'float' | 'integer' | 'number' | 'bits' | 'any';

export interface ScalarFunction {
  readonly name: string;
  readonly arity: 1 | 2;
  readonly operands: OperandClass;
  /** The dtype of the result: that of the arguments, or bool. */
  readonly result: 'same' | 'bool';
  /** Floating-point operations, as the cost model counts them: 1 for what the hardware does in one instruction. */
  readonly flops: number;
  readonly meaning: ScalarMeaning;
}

/** One function for each kind of dtype that the operand class admits. Bools are 0 and 1 and go to `integer`. */
export interface ScalarMeaning {
  readonly float?: (x: number, y: number) => number;
  /** For at most 32 bits; a whole number below 2^53 in size, wrapped afterwards. */
  readonly integer?: (x: number, y: number, dtype: DType) => number;
  readonly big?: (x: bigint, y: bigint, dtype: DType) => bigint;
}

export function isInOperandClass(dtype: DType, operands: OperandClass): boolean {
  switch (operands) {
    case 'float':
      return isFloat(dtype);
    case 'integer':
      return isInteger(dtype);
    case 'number':
      return dtype !== 'bool';
    case 'bits':
      return !isFloat(dtype);
    case 'any':
      return true;
  }
}

// ---------------------------------------------------------------------------------------------------------
// Meanings that take more than a line

/** x - y*floor(x/y) with the sign of y, exact as fmod is; rem(x, inf) is x or inf, rem(x, 0) is NaN. */
function floatRem(x: number, y: number): number {
  const rest = x % y;
  if (rest === 0) return y < 0 ? -0 : 0;
  return rest < 0 !== y < 0 ? rest + y : rest;
}

/** The whole quotient that belongs to `floatRem` (NumPy's floor_divide): 1 / 0.1 gives 9, as 1 - 9*0.1 < 0.1. */
function floatFloorDiv(x: number, y: number): number {
  if (y === 0 || Number.isNaN(x) || Number.isNaN(y) || !Number.isFinite(x)) {
    return y === 0 ? x / y : NaN;
  }
  const quotient = (x - floatRem(x, y)) / y;
  if (!Number.isFinite(y)) return x !== 0 && x < 0 !== y < 0 ? -1 : x / y;
  if (quotient === 0) return x / y < 0 || Object.is(x / y, -0) ? -0 : 0;
  return Math.round(quotient);
}

/** As C's pow where JavaScript's differs: 1 to any power and -1 to an infinite power are 1. */
function floatPow(x: number, y: number): number {
  return x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y;
}

function integerRem(x: number, y: number): number {
  return y === 0 ? 0 : x - y * Math.floor(x / y);
}

function bigRem(x: bigint, y: bigint): bigint {
  if (y === 0n) return 0n;
  const rest = x % y;
  return rest !== 0n && rest < 0n !== y < 0n ? rest + y : rest;
}

function bigFloorDiv(x: bigint, y: bigint): bigint {
  return y === 0n ? 0n : (x - bigRem(x, y)) / y;
}

/** Powers by squaring, modulo 2^64; a negative power is 1/x^|y| truncated: 0 but for x = 1 and -1 (and 0 for x = 0). */
function bigPow(x: bigint, y: bigint): bigint {
  if (y < 0n) {
    if (x === 1n) return 1n;
    if (x === -1n) return y % 2n === 0n ? 1n : -1n;
    return 0n;
  }
  let result = 1n;
  let base = x;
  for (let rest = y; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = BigInt.asIntN(64, result * base);
    base = BigInt.asIntN(64, base * base);
  }
  return result;
}

function integerPow(x: number, y: number): number {
  return Number(BigInt.asIntN(32, bigPow(BigInt(x), BigInt(y))));
}

function widthOf(dtype: DType): number {
  return 8 * byteSize(dtype);
}

/** A shift by the width or more (or by a negative number) moves every bit out. */
function isTooFar(y: number, dtype: DType): boolean {
  return y < 0 || y >= widthOf(dtype);
}

function shiftRight(x: number, y: number, dtype: DType): number {
  const isTotal = isTooFar(y, dtype);
  if (!isSigned(dtype)) return isTotal ? 0 : x >>> y;
  return x >> (isTotal ? 31 : y);
}

function bigShiftRight(x: bigint, y: bigint, dtype: DType): bigint {
  const isTotal = isTooFar(Number(y), dtype);
  if (isTotal) return isSigned(dtype) && x < 0n ? -1n : 0n;
  return x >> y;
}

function popcount(x: number): number {
  let count = 0;
  for (let rest = x >>> 0; rest !== 0; rest &= rest - 1) count++;
  return count;
}

const bigMask = (1n << 64n) - 1n;

/** The high and low 32 bits. */
function halves(x: bigint): [number, number] {
  const unsigned = x & bigMask;
  return [Number(unsigned >> 32n), Number(unsigned & 0xffffffffn)];
}

function bigPopcount(x: bigint): bigint {
  const [high, low] = halves(x);
  return BigInt(popcount(high) + popcount(low));
}

function bigClz(x: bigint): bigint {
  const [high, low] = halves(x);
  return BigInt(high !== 0 ? Math.clz32(high) : 32 + Math.clz32(low));
}

function clz(x: number, _: number, dtype: DType): number {
  const width = widthOf(dtype);
  return Math.clz32(width === 32 ? x : x & (2 ** width - 1)) - (32 - width);
}

/** 1 / (1 + exp(-x)) without overflow. */
function logistic(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

// ---------------------------------------------------------------------------------------------------------
// The table

const table = new Map<string, ScalarFunction>();

function add(
  name: string,
  arity: 1 | 2,
  operands: OperandClass,
  flops: number,
  meaning: ScalarMeaning,
  result: 'same' | 'bool' = 'same',
): void {
  table.set(name, { name, arity, operands, result, flops, meaning });
}

function addFloat(name: string, flops: number, float: (x: number) => number): void {
  add(name, 1, 'float', flops, { float });
}

function addComparison(name: string, compare: (x: Element, y: Element) => boolean): void {
  const meaning: ScalarMeaning = {
    float: (x, y) => Number(compare(x, y)),
    integer: (x, y) => Number(compare(x, y)),
    big: (x, y) => BigInt(compare(x, y)),
  };
  add(name, 2, 'any', 1, meaning, 'bool');
}

add('neg', 1, 'number', 1, { float: (x) => -x, integer: (x) => -x, big: (x) => -x });
add('abs', 1, 'number', 1, { float: Math.abs, integer: Math.abs, big: (x) => (x < 0n ? -x : x) });
add('sign', 1, 'number', 1, {
  float: Math.sign,
  integer: Math.sign,
  big: (x) => (x < 0n ? -1n : x > 0n ? 1n : 0n),
});
addFloat('floor', 1, Math.floor);
addFloat('ceil', 1, Math.ceil);
addFloat('round', 1, roundHalfEven);
addFloat('trunc', 1, Math.trunc);
addFloat('exp', 8, Math.exp);
addFloat('exp2', 8, (x) => 2 ** x);
addFloat('expm1', 10, Math.expm1);
addFloat('log', 8, Math.log);
addFloat('log2', 8, Math.log2);
addFloat('log1p', 10, Math.log1p);
addFloat('sqrt', 2, Math.sqrt);
addFloat('rsqrt', 2, (x) => 1 / Math.sqrt(x));
addFloat('cbrt', 12, Math.cbrt);
addFloat('sin', 12, Math.sin);
addFloat('cos', 12, Math.cos);
addFloat('tan', 16, Math.tan);
addFloat('asin', 12, Math.asin);
addFloat('acos', 12, Math.acos);
addFloat('atan', 12, Math.atan);
addFloat('sinh', 16, Math.sinh);
addFloat('cosh', 16, Math.cosh);
addFloat('tanh', 12, Math.tanh);
addFloat('asinh', 16, Math.asinh);
addFloat('acosh', 16, Math.acosh);
addFloat('atanh', 16, Math.atanh);
addFloat('logistic', 10, logistic);
addFloat('erf', 16, erf);
addFloat('erfc', 20, erfc);
addFloat('erfinv', 24, erfinv);
addFloat('lgamma', 40, lgamma);
addFloat('digamma', 40, digamma);
add('is_finite', 1, 'float', 1, { float: (x) => Number(Number.isFinite(x)) }, 'bool');

add('not', 1, 'bits', 1, {
  integer: (x, _, dtype) => (dtype === 'bool' ? 1 - x : ~x),
  big: (x) => ~x,
});
add('popcount', 1, 'integer', 1, {
  integer: (x, _, dtype) => popcount(widthOf(dtype) === 32 ? x : x & (2 ** widthOf(dtype) - 1)),
  big: bigPopcount,
});
add('clz', 1, 'integer', 1, { integer: clz, big: bigClz });

add('add', 2, 'number', 1, {
  float: (x, y) => x + y,
  integer: (x, y) => x + y,
  big: (x, y) => x + y,
});
add('sub', 2, 'number', 1, {
  float: (x, y) => x - y,
  integer: (x, y) => x - y,
  big: (x, y) => x - y,
});
add('mul', 2, 'number', 1, {
  float: (x, y) => x * y,
  integer: Math.imul,
  big: (x, y) => x * y,
});
add('div', 2, 'float', 2, { float: (x, y) => x / y });
add('floor_div', 2, 'number', 4, {
  float: floatFloorDiv,
  integer: (x, y) => (y === 0 ? 0 : Math.floor(x / y)),
  big: bigFloorDiv,
});
add('rem', 2, 'number', 4, { float: floatRem, integer: integerRem, big: bigRem });
add('pow', 2, 'number', 20, { float: floatPow, integer: integerPow, big: bigPow });
add('atan2', 2, 'float', 20, { float: Math.atan2 });
add('polygamma', 2, 'float', 300, { float: polygamma });
// Math.max and Math.min give NaN when either argument is NaN
add('max', 2, 'number', 1, {
  float: Math.max,
  integer: (x, y) => (x > y ? x : y),
  big: (x, y) => (x > y ? x : y),
});
add('min', 2, 'number', 1, {
  float: Math.min,
  integer: (x, y) => (x < y ? x : y),
  big: (x, y) => (x < y ? x : y),
});

add('and', 2, 'bits', 1, { integer: (x, y) => x & y, big: (x, y) => x & y });
add('or', 2, 'bits', 1, { integer: (x, y) => x | y, big: (x, y) => x | y });
add('xor', 2, 'bits', 1, { integer: (x, y) => x ^ y, big: (x, y) => x ^ y });
add('shift_left', 2, 'integer', 1, {
  integer: (x, y, dtype) => (isTooFar(y, dtype) ? 0 : x << y),
  big: (x, y, dtype) => (isTooFar(Number(y), dtype) ? 0n : x << y),
});
add('shift_right', 2, 'integer', 1, { integer: shiftRight, big: bigShiftRight });

addComparison('eq', (x, y) => x === y);
addComparison('ne', (x, y) => x !== y);
addComparison('lt', (x, y) => x < y);
addComparison('le', (x, y) => x <= y);
addComparison('gt', (x, y) => x > y);
addComparison('ge', (x, y) => x >= y);

/** Every scalar function by name. */
export const scalarFunctions: ReadonlyMap<string, ScalarFunction> = table;

/** The function of this name; InternalError when there is none. */
export function scalarFunction(name: string): ScalarFunction {
  const found = table.get(name);
  if (found === undefined) throw new InternalError(`no scalar function ${name}`);
  return found;
}

/** The dtype that a function gives for arguments of `dtype`. */
export function scalarResult(name: string, dtype: DType): DType {
  return scalarFunction(name).result === 'bool' ? 'bool' : dtype;
}

/**
 * Applies a function to elements of `dtype`. Integers are wrapped; floats are in double precision, for the caller to
 * round. Throws InternalError when the function does not take the dtype.
 */
export function evaluateScalar(
  scalar: ScalarFunction,
  dtype: DType,
  x: Element,
  y: Element,
): Element {
  const { float, integer, big } = scalar.meaning;
  if (isFloat(dtype)) {
    if (float !== undefined) return float(x as number, y as number);
  } else if (isBig(dtype)) {
    if (big !== undefined) {
      const result = big(x as bigint, y as bigint, dtype);
      return scalar.result === 'bool' ? Number(result) : wrapBigint(result, dtype);
    }
  } else if (integer !== undefined) {
    const result = integer(x as number, y as number, dtype);
    return scalar.result === 'bool' || dtype === 'bool' ? result : wrapInteger(result, dtype);
  }
  throw new InternalError(`${scalar.name} is not defined on ${dtype}`);
}
