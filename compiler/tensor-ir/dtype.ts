/** The element types, and what the rest of the compiler asks about them. */

export const dtypes = [
  'bool',
  'i8',
  'i16',
  'i32',
  'i64',
  'u8',
  'u16',
  'u32',
  'u64',
  'f16',
  'bf16',
  'f32',
  'f64',
] as const;

export type DType = (typeof dtypes)[number];

/**
 * The dtypes of the language and of tensors outside: those of the tensor IR, and complex numbers, which are pairs of f32
 * along a last axis underneath.
 */
export type ElementType = DType | 'c64';

export function isElementType(name: string): name is ElementType {
  return name === 'c64' || isDType(name);
}

/** What an element is held as: one number, or several of a dtype. */
export function storageOf(type: ElementType): { readonly dtype: DType; readonly width: number } {
  return type === 'c64' ? { dtype: 'f32', width: 2 } : { dtype: type, width: 1 };
}

/** Bytes per element, of complex numbers too. */
export function elementSize(type: ElementType): number {
  const { dtype, width } = storageOf(type);
  return byteSize(dtype) * width;
}

/** Constraints a generic dtype can carry: `<T: float>`, `<T: integer>`, `<T: number>`, `<T: any>`. */
export type DTypeClass = 'float' | 'integer' | 'number' | 'any';

const byteSizes: Readonly<Record<DType, number>> = {
  bool: 1,
  i8: 1,
  u8: 1,
  i16: 2,
  u16: 2,
  f16: 2,
  bf16: 2,
  i32: 4,
  u32: 4,
  f32: 4,
  i64: 8,
  u64: 8,
  f64: 8,
};

/** Bytes per element in memory; bool is one byte holding 0 or 1. */
export function byteSize(dtype: DType): number {
  return byteSizes[dtype];
}

export function isFloat(dtype: DType): boolean {
  return dtype === 'f32' || dtype === 'f16' || dtype === 'bf16' || dtype === 'f64';
}

export function isSigned(dtype: DType): boolean {
  return dtype[0] === 'i' || isFloat(dtype);
}

export function isInteger(dtype: DType): boolean {
  return dtype !== 'bool' && !isFloat(dtype);
}

export function isDType(name: string): name is DType {
  return (dtypes as readonly string[]).includes(name);
}

export function isInClass(dtype: DType, constraint: DTypeClass): boolean {
  switch (constraint) {
    case 'float':
      return isFloat(dtype);
    case 'integer':
      return isInteger(dtype);
    case 'number':
      return dtype !== 'bool';
    case 'any':
      return true;
  }
}

/** The type in which kernels compute: f16 and bf16 live in memory only and are f32 in registers. */
export function computeType(dtype: DType): DType {
  return dtype === 'f16' || dtype === 'bf16' ? 'f32' : dtype;
}

/** The closed range of an integer dtype. i64 and u64 as bigint. */
export function integerRange(dtype: DType): { readonly min: bigint; readonly max: bigint } {
  const bits = BigInt(8 * byteSize(dtype));
  return isSigned(dtype)
    ? { min: -(1n << (bits - 1n)), max: (1n << (bits - 1n)) - 1n }
    : { min: 0n, max: (1n << bits) - 1n };
}
