/** Elements as unsigned integers in the order in which they sort: one sort of u32 and one of u64 serve every dtype. */
import type { KernelScalar } from '../kernel-ir/program.ts';
import { byteSize, type DType, isFloat, isSigned } from '../tensor-ir/dtype.ts';

export type KeyType = 'u32' | 'u64';

/** The dtype of the keys of a tensor. */
export function keyTypeOf(dtype: DType): KeyType {
  return byteSize(dtype) === 8 ? 'u64' : 'u32';
}

/**
 * The key of an element (a scalar of a compute type): NaN after all numbers, -0 as 0. The complement of each key sorts
 * downwards, and equal elements still keep their order.
 */
export function sortKey(element: KernelScalar, descending: boolean): KernelScalar {
  const key = ascendingKey(element);
  return descending ? call('not', key) : key;
}

function ascendingKey(x: KernelScalar): KernelScalar {
  const type = keyTypeOf(x.dtype);
  const top = unsigned(type, type === 'u64' ? 1n << 63n : 2 ** 31);
  if (isFloat(x.dtype)) return floatKey(x, type, top);
  if (!isSigned(x.dtype)) return convert(x, type);
  // the least integer, with only its sign bit set, comes first
  const wide = convert(x, type === 'u64' ? 'i64' : 'i32');
  return call('xor', { kind: 'bitcast', dtype: type, value: wide }, top);
}

/** Bits of positive floats are in order; those of negative floats in the opposite order. */
function floatKey(x: KernelScalar, type: KeyType, top: KernelScalar): KernelScalar {
  const zero: KernelScalar = { kind: 'constant', dtype: x.dtype, value: 0 };
  const plain = select(call('eq', x, zero), zero, x);
  const bits: KernelScalar = { kind: 'bitcast', dtype: type, value: plain };
  const isNegative = call('ge', bits, top);
  const ordered = select(isNegative, call('not', bits), call('or', bits, top));
  const last = unsigned(type, type === 'u64' ? (1n << 64n) - 1n : 2 ** 32 - 1);
  return select(call('ne', x, x), last, ordered);
}

function convert(value: KernelScalar, dtype: DType): KernelScalar {
  return value.dtype === dtype ? value : { kind: 'convert', dtype, value };
}

function unsigned(dtype: KeyType, value: number | bigint): KernelScalar {
  return { kind: 'constant', dtype, value };
}

function select(
  condition: KernelScalar,
  then: KernelScalar,
  otherwise: KernelScalar,
): KernelScalar {
  return { kind: 'select', dtype: then.dtype, condition, then, otherwise, isGuard: false };
}

function call(name: string, x: KernelScalar, y?: KernelScalar): KernelScalar {
  const dtype = ['eq', 'ne', 'ge'].includes(name) ? 'bool' : x.dtype;
  return { kind: 'call', name, dtype, args: y === undefined ? [x] : [x, y] };
}
