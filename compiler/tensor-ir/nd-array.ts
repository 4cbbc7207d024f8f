/**
 * A concrete tensor of the reference evaluator: row-major data with a known shape. Floats of every width are held
 * in a Float64Array and rounded to their dtype after each operation (see `roundTo`), 64-bit integers as bigint arrays,
 * other integers and bools in a Float64Array of whole numbers.
 */
import { InternalError } from '../diagnostics/internal-error.ts';
import { byteSize, type DType, isFloat, isSigned } from './dtype.ts';
import type { ConstantData } from './program.ts';

export interface NdArray {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: NdData;
}

export type NdData = Float64Array | BigInt64Array | BigUint64Array;

/** One element: a bigint for 64-bit integers, 0 or 1 for bool, else a number. */
export type Element = number | bigint;

export function isBig(dtype: DType): boolean {
  return dtype === 'i64' || dtype === 'u64';
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((n, size) => n * size, 1);
}

/** Elements between neighbours along each axis of a row-major array. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** An array of zeros. */
export function makeArray(dtype: DType, shape: readonly number[]): NdArray {
  const count = elementCount(shape);
  return { dtype, shape, data: makeData(dtype, count) };
}

function makeData(dtype: DType, count: number): NdData {
  if (dtype === 'i64') return new BigInt64Array(count);
  return dtype === 'u64' ? new BigUint64Array(count) : new Float64Array(count);
}

/** Stores one element: 64-bit integers wrap, all else is stored as it is. */
export function setElement(data: NdData, index: number, value: Element): void {
  data[index] = (data instanceof Float64Array ? Number(value) : BigInt(value)) as never;
}

/** An array of the given elements, rounded (floats), wrapped (integers) or tested (bool) to the dtype. */
export function arrayOf(
  dtype: DType,
  shape: readonly number[],
  values: ArrayLike<number | bigint | boolean>,
): NdArray {
  if (values.length !== elementCount(shape)) {
    throw new InternalError(`${values.length} values for shape [${shape.join(', ')}]`);
  }
  const data = makeData(dtype, values.length);
  for (let i = 0; i < values.length; i++) setElement(data, i, fitElement(values[i]!, dtype));
  return { dtype, shape, data };
}

/** A scalar. */
export function scalarOf(dtype: DType, value: number | bigint | boolean): NdArray {
  return arrayOf(dtype, [], [value]);
}

function fitElement(value: number | bigint | boolean, dtype: DType): Element {
  if (dtype === 'bool') return Number(value) !== 0 ? 1 : 0;
  if (isFloat(dtype)) return roundTo(Number(value), dtype);
  return isBig(dtype) ? BigInt(value) : wrapInteger(Number(value), dtype);
}

/** Data of a `literal` as an array. */
export function fromConstantData(
  dtype: DType,
  shape: readonly number[],
  data: ConstantData,
): NdArray {
  return arrayOf(dtype, shape, data as ArrayLike<number | bigint>);
}

/** The elements as `ConstantData` of the dtype, for a `literal`. */
export function toConstantData(x: NdArray): ConstantData {
  switch (x.dtype) {
    case 'f16':
    case 'bf16':
    case 'f32':
      return Float32Array.from(x.data as Float64Array);
    case 'f64':
      return Float64Array.from(x.data as Float64Array);
    case 'i8':
      return Int8Array.from(x.data as Float64Array);
    case 'i16':
      return Int16Array.from(x.data as Float64Array);
    case 'i32':
      return Int32Array.from(x.data as Float64Array);
    case 'bool':
    case 'u8':
      return Uint8Array.from(x.data as Float64Array);
    case 'u16':
      return Uint16Array.from(x.data as Float64Array);
    case 'u32':
      return Uint32Array.from(x.data as Float64Array);
    case 'i64':
      return BigInt64Array.from(x.data as BigInt64Array);
    case 'u64':
      return BigUint64Array.from(x.data as BigUint64Array);
  }
}

/** The elements as plain numbers (64-bit integers lose what a double cannot hold). */
export function toNumbers(x: NdArray): number[] {
  return Array.from(x.data as ArrayLike<Element>, Number);
}

/** `value` modulo 2^bits, for dtypes of at most 32 bits; exact for whole numbers below 2^53. */
export function wrapInteger(value: number, dtype: DType): number {
  switch (dtype) {
    case 'i8':
      return (value << 24) >> 24;
    case 'i16':
      return (value << 16) >> 16;
    case 'i32':
      return value | 0;
    case 'u8':
      return value & 0xff;
    case 'u16':
      return value & 0xffff;
    default:
      return value >>> 0;
  }
}

/** `value` wrapped into an integer dtype of any width, as the element that an NdArray holds. */
export function wrapBigint(value: bigint, dtype: DType): Element {
  const bits = 8 * byteSize(dtype);
  const wrapped = isSigned(dtype) ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
  return isBig(dtype) ? wrapped : Number(wrapped);
}

// ---------------------------------------------------------------------------------------------------------
// Rounding

/** The nearest float of a dtype, ties to even, with subnormals, overflow to infinity and the sign of zero. */
export function roundTo(value: number, dtype: DType): number {
  switch (dtype) {
    case 'f32':
      return Math.fround(value);
    case 'f16':
      return roundToFormat(value, 10, -14, 15);
    case 'bf16':
      return roundToFormat(value, 7, -126, 127);
    default:
      return value;
  }
}

const bits = new DataView(new ArrayBuffer(8));

/** The exponent e with 2^e <= |value| < 2^(e+1), for normal values; -1023 for zero and subnormals. */
function exponentOf(value: number): number {
  bits.setFloat64(0, value);
  return ((bits.getUint16(0) >> 4) & 0x7ff) - 1023;
}

function roundToFormat(
  value: number,
  fractionBits: number,
  minExponent: number,
  maxExponent: number,
): number {
  if (!Number.isFinite(value) || value === 0) return value;
  const quantum = 2 ** (Math.max(exponentOf(value), minExponent) - fractionBits);
  const rounded = roundHalfEven(value / quantum) * quantum;
  if (Math.abs(rounded) >= 2 ** (maxExponent + 1)) return value > 0 ? Infinity : -Infinity;
  return rounded;
}

/** The nearest whole number, ties to even, keeping the sign of zero. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest < 0.5) return floor === 0 && value < 0 ? -0 : floor;
  const up = rest > 0.5 || floor % 2 !== 0 ? floor + 1 : floor;
  return up === 0 && value < 0 ? -0 : up;
}

/** Rounds every element of a float array to its dtype; other arrays are returned as they are. */
export function roundArray(x: NdArray): NdArray {
  if (!isFloat(x.dtype) || x.dtype === 'f64') return x;
  const from = x.data as Float64Array;
  const data = new Float64Array(from.length);
  for (let i = 0; i < from.length; i++) data[i] = roundTo(from[i]!, x.dtype);
  return { dtype: x.dtype, shape: x.shape, data };
}

// ---------------------------------------------------------------------------------------------------------
// Moving elements

/** Calls `visit` for each index of a shape in row-major order. The index array is reused. */
export function forEachIndex(
  shape: readonly number[],
  visit: (index: readonly number[], offset: number) => void,
): void {
  const count = elementCount(shape);
  const index = new Array<number>(shape.length).fill(0);
  for (let offset = 0; offset < count; offset++) {
    visit(index, offset);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
  }
}

/** An array whose element at each index is the element of `x` at the offset that `source` gives. */
export function moveElements(
  x: NdArray,
  shape: readonly number[],
  source: (index: readonly number[]) => number,
): NdArray {
  const result = makeArray(x.dtype, shape);
  const from = x.data;
  const to = result.data;
  forEachIndex(shape, (index, offset) => {
    to[offset] = from[source(index)]! as never;
  });
  return result;
}

/** The offset of an index under given strides. */
export function offsetOf(index: readonly number[], strides: readonly number[]): number {
  let offset = 0;
  for (let axis = 0; axis < strides.length; axis++) offset += index[axis]! * strides[axis]!;
  return offset;
}
