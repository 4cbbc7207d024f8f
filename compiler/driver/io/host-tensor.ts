/**
 * A tensor outside the language: what files hold and what `run` takes and gives. Row-major. f16 and bf16 are their
 * bits in a Uint16Array; bool is one byte a value, 0 or 1.
 */
import { byteSize, type DType } from '../../tensor-ir/dtype.ts';

export type HostData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

export interface HostTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: HostData;
}

/** The most elements a shape may have here: beyond it neither typed arrays nor indices are safe. */
const mostElements = 2 ** 40;

/** Elements of a shape; undefined when a dim is not a whole number ≥ 0 or the product is beyond reason. */
export function countElements(shape: readonly number[]): number | undefined {
  if (!shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0)) return undefined;
  if (shape.includes(0)) return 0;
  let count = 1;
  for (const dim of shape) {
    count *= dim;
    if (count > mostElements) return undefined;
  }
  return count;
}

/** A typed array of `dtype` over `bytes`, which must be aligned and of the right length. */
function viewOf(dtype: DType, buffer: ArrayBufferLike, offset: number, length: number): HostData {
  switch (dtype) {
    case 'bool':
    case 'u8':
      return new Uint8Array(buffer, offset, length);
    case 'i8':
      return new Int8Array(buffer, offset, length);
    case 'i16':
      return new Int16Array(buffer, offset, length);
    case 'u16':
    case 'f16':
    case 'bf16':
      return new Uint16Array(buffer, offset, length);
    case 'i32':
      return new Int32Array(buffer, offset, length);
    case 'u32':
      return new Uint32Array(buffer, offset, length);
    case 'i64':
      return new BigInt64Array(buffer, offset, length);
    case 'u64':
      return new BigUint64Array(buffer, offset, length);
    case 'f32':
      return new Float32Array(buffer, offset, length);
    case 'f64':
      return new Float64Array(buffer, offset, length);
  }
}

/** A fresh zero-filled array for `length` elements of `dtype`. */
export function allocate(dtype: DType, length: number): HostData {
  return viewOf(dtype, new ArrayBuffer(length * byteSize(dtype)), 0, length);
}

/** The elements in little-endian `bytes`: a view where alignment allows, else a copy. Typed arrays are little-endian on every host of ours. */
export function fromBytes(dtype: DType, bytes: Uint8Array): HostData {
  const size = byteSize(dtype);
  const length = Math.floor(bytes.byteLength / size);
  if (bytes.byteOffset % size === 0) return viewOf(dtype, bytes.buffer, bytes.byteOffset, length);
  return viewOf(dtype, bytes.slice().buffer, 0, length);
}

/** The bytes of an array, without copying. */
export function toBytes(data: HostData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

const floatBits = new Float32Array(1);
const wordBits = new Uint32Array(floatBits.buffer);

/** bfloat16 bits as a number: they are the upper half of a float32. */
export function fromBfloat16(bits: number): number {
  wordBits[0] = bits << 16;
  return floatBits[0]!;
}

/** Half-precision bits as a number. */
export function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** The nearest bfloat16, ties to even. */
export function toBfloat16(value: number): number {
  floatBits[0] = value;
  const word = wordBits[0]!;
  if (Number.isNaN(value)) return ((word >>> 16) | 0x40) & 0xffff;
  return ((word + 0x7fff + ((word >>> 16) & 1)) >>> 16) & 0xffff;
}

/** The nearest half-precision number, ties to even, from the exact double. */
export function toFloat16(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (magnitude >= 65520) return sign | 0x7c00;
  if (magnitude < 2 ** -14) return sign | roundHalfEven(magnitude * 2 ** 24);
  const exponent = Math.floor(Math.log2(magnitude));
  // log2 may round up just below a power of two.
  const power = magnitude < 2 ** exponent ? exponent - 1 : exponent;
  const fraction = roundHalfEven(magnitude * 2 ** (10 - power)) - 1024;
  return sign | (((power + 15) << 10) + fraction);
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

/** One element as a JavaScript value: number, bigint (64-bit integers) or boolean. */
export function elementAt(tensor: HostTensor, index: number): number | bigint | boolean {
  const value = tensor.data[index]!;
  if (tensor.dtype === 'bool') return value !== 0;
  if (tensor.dtype === 'f16') return fromFloat16(value as number);
  if (tensor.dtype === 'bf16') return fromBfloat16(value as number);
  return value;
}
