/** Typed arrays by dtype. f16 and bf16 are their bits in a Uint16Array, bool is one byte holding 0 or 1. */
import type { DType } from '../compiler/tensor-ir/dtype.ts';

export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

interface TypedArrayConstructor {
  new (length: number): TypedArray;
  new (buffer: ArrayBufferLike, offset: number, length: number): TypedArray;
}

const constructors: Readonly<Record<DType, TypedArrayConstructor>> = {
  bool: Uint8Array,
  i8: Int8Array,
  i16: Int16Array,
  i32: Int32Array,
  i64: BigInt64Array,
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
  u64: BigUint64Array,
  f16: Uint16Array,
  bf16: Uint16Array,
  f32: Float32Array,
  f64: Float64Array,
};

/** An array of zeros. */
export function makeTypedArray(dtype: DType, length: number): TypedArray {
  return new constructors[dtype](length);
}

/** `length` elements of a buffer from byte `offset`, without copying; the offset must be a multiple of the element. */
export function viewTypedArray(
  dtype: DType,
  buffer: ArrayBufferLike,
  length: number,
  offset = 0,
): TypedArray {
  return new constructors[dtype](buffer, offset, length);
}

export function isTypedArray(value: unknown): value is TypedArray {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

/** Whether the array is how a tensor of `dtype` is held. */
export function holds(dtype: DType, data: TypedArray): boolean {
  return (
    data instanceof constructors[dtype] ||
    (data instanceof Uint8ClampedArray && (dtype === 'u8' || dtype === 'bool'))
  );
}

/** The dtypes that an array can hold, the natural one first. */
export function dtypesOf(data: TypedArray): readonly DType[] {
  if (data instanceof Float32Array) return ['f32'];
  if (data instanceof Float64Array) return ['f64'];
  if (data instanceof Int8Array) return ['i8'];
  if (data instanceof Int16Array) return ['i16'];
  if (data instanceof Int32Array) return ['i32'];
  if (data instanceof Uint16Array) return ['u16', 'f16', 'bf16'];
  if (data instanceof Uint32Array) return ['u32'];
  if (data instanceof BigInt64Array) return ['i64'];
  if (data instanceof BigUint64Array) return ['u64'];
  return ['u8', 'bool'];
}

const scratchFloat = new Float32Array(1);
const scratchBits = new Uint32Array(scratchFloat.buffer);

function floatOfBits(bits: number): number {
  scratchBits[0] = bits;
  return scratchFloat[0]!;
}

function bitsOfFloat(value: number): number {
  scratchFloat[0] = value;
  return scratchBits[0]!;
}

/** The number that 16 bits of f16 stand for. */
export function f16ToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** The bits of the f16 nearest to a number, ties to even; beyond the range infinity. */
export function numberToF16(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  let exponent = Math.max(-14, Math.floor(Math.log2(size || 1e-30)));
  if (exponent > -14 && size < 2 ** exponent) exponent--; // log2 rounds up just below a power of two
  const unit = 2 ** (exponent - 10);
  const scaled = size / unit;
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  const rounded = rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
  if (rounded < 1024) return sign | rounded;
  return sign | (((exponent + 14) << 10) + rounded);
}

export function bf16ToNumber(bits: number): number {
  return floatOfBits(bits << 16);
}

/** The bits of the bf16 nearest to a number, ties to even. */
export function numberToBf16(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0;
  const bits = bitsOfFloat(value);
  const nearest = Math.fround(value);
  // a number between two floats must not be rounded to a tie first
  const sticky = nearest === value ? 0 : Math.abs(nearest) > Math.abs(value) ? -1 : 1;
  const low = (bits & 0xffff) + (sticky === 0 ? 0 : sticky / 2);
  const high = bits >>> 16;
  return low > 0x8000 || (low === 0x8000 && high % 2 === 1) ? (high + 1) & 0xffff : high;
}

/** Element `index` as JavaScript sees it: number, bigint (64-bit integers) or boolean. */
export function readElement(
  dtype: DType,
  data: TypedArray,
  index: number,
): number | bigint | boolean {
  const value = data[index]!;
  switch (dtype) {
    case 'bool':
      return value !== 0;
    case 'f16':
      return f16ToNumber(Number(value));
    case 'bf16':
      return bf16ToNumber(Number(value));
    default:
      return value;
  }
}

/** Stores a number, bigint or boolean; floats round, integers must fit (RangeError). */
export function writeElement(
  dtype: DType,
  data: TypedArray,
  index: number,
  value: number | bigint | boolean,
): void {
  switch (dtype) {
    case 'bool':
      data[index] = Number(value) === 0 ? 0 : 1;
      return;
    case 'i64':
    case 'u64': {
      const big = typeof value === 'bigint' ? value : BigInt(value);
      const wrapped = dtype === 'i64' ? BigInt.asIntN(64, big) : BigInt.asUintN(64, big);
      if (wrapped !== big) throw new RangeError(`${value} does not fit in ${dtype}`);
      data[index] = big;
      return;
    }
    case 'f16':
      data[index] = numberToF16(Number(value));
      return;
    case 'bf16':
      data[index] = numberToBf16(Number(value));
      return;
    case 'f32':
    case 'f64':
      data[index] = Number(value);
      return;
    default: {
      const number = Number(value);
      data[index] = number;
      if (data[index] !== number) throw new RangeError(`${value} does not fit in ${dtype}`);
    }
  }
}
