/**
 * A tensor outside the language: what files hold and what `run` takes and gives. Row-major. f16 and bf16 are their
 * bits in a Uint16Array; bool is one byte a value, 0 or 1; c64 is a Float32Array of real and imaginary parts in turn.
 */
import { readElement, type TypedArray, viewTypedArray } from '../../../runtime/typed-array.ts';
import { type DType, type ElementType, elementSize, storageOf } from '../../tensor-ir/dtype.ts';

export interface HostTensor {
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
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

/** The elements in little-endian `bytes`: a view where alignment allows, else a copy. All hosts of ours are little-endian. */
export function fromBytes(type: ElementType, bytes: Uint8Array): TypedArray {
  const { dtype, width } = storageOf(type);
  const size = elementSize(type) / width;
  const length = Math.floor(bytes.byteLength / size);
  const isAligned = bytes.byteOffset % size === 0;
  const aligned = isAligned ? bytes : bytes.slice();
  return viewTypedArray(dtype, aligned.buffer, length, aligned.byteOffset);
}

/** The bytes of an array, without copying. */
export function toBytes(data: TypedArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** The numbers that the tensor holds: of c64 the parts along a last axis. */
export function asNumbers(tensor: HostTensor): HostTensor & { readonly dtype: DType } {
  const { dtype, width } = storageOf(tensor.dtype);
  const shape = width === 1 ? tensor.shape : [...tensor.shape, width];
  return { dtype, shape, data: tensor.data };
}

/** One number as a JavaScript value: number, bigint (64-bit integers) or boolean. */
export function elementAt(
  tensor: HostTensor & { readonly dtype: DType },
  index: number,
): number | bigint | boolean {
  return readElement(tensor.dtype, tensor.data, index);
}
