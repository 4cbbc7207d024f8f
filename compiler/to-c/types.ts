/** C types: how elements lie in memory, and the type in which a kernel computes. */
import { computeType, type DType } from '../tensor-ir/dtype.ts';

const storage: Readonly<Record<DType, string>> = {
  bool: 'uint8_t',
  i8: 'int8_t',
  i16: 'int16_t',
  i32: 'int32_t',
  i64: 'int64_t',
  u8: 'uint8_t',
  u16: 'uint16_t',
  u32: 'uint32_t',
  u64: 'uint64_t',
  f16: 'f16_t',
  bf16: 'bf16_t',
  f32: 'float',
  f64: 'double',
};

/** The type of an element in a buffer. */
export function storageType(dtype: DType): string {
  return storage[dtype];
}

/** The type of a value in a register: `bool` for bools, float for f16 and bf16. */
export function valueType(dtype: DType): string {
  return dtype === 'bool' ? 'bool' : storage[computeType(dtype)];
}

/** A constant as C reads it back exactly. */
export function emitConstant(dtype: DType, value: number | bigint | boolean): string {
  switch (computeType(dtype)) {
    case 'bool':
      return value === true || value === 1 || value === 1n ? 'true' : 'false';
    case 'f32':
      return emitFloat(Math.fround(Number(value)), Math.fround, 9, 'f', 'F');
    case 'f64':
      return emitFloat(Number(value), (x) => x, 17, '', '');
    default:
      return emitWhole(dtype, BigInt.asIntN(128, BigInt(value)));
  }
}

function emitFloat(
  value: number,
  round: (x: number) => number,
  digits: number,
  suffix: string,
  infinitySuffix: string,
): string {
  if (Number.isNaN(value)) return infinitySuffix === '' ? '(double)NAN' : 'NAN';
  if (value === Infinity) return infinitySuffix === '' ? '(double)INFINITY' : 'INFINITY';
  if (value === -Infinity) return infinitySuffix === '' ? '-(double)INFINITY' : '-INFINITY';
  if (Object.is(value, -0)) return `-0.0${suffix}`;
  let text = `${value}`;
  for (let p = 1; p <= digits; p++) {
    const shorter = value.toPrecision(p);
    if (round(Number(shorter)) === value) {
      // toPrecision writes 1e+2 for 100: the plain form reads better when it is as exact
      text = round(Number(`${Number(shorter)}`)) === value ? `${Number(shorter)}` : shorter;
      break;
    }
  }
  if (!/[.e]/.test(text)) text += '.0';
  return `${text}${suffix}`;
}

function emitWhole(dtype: DType, value: bigint): string {
  switch (dtype) {
    case 'i64':
      return value === -(1n << 63n) ? 'INT64_MIN' : `INT64_C(${value})`;
    case 'u64':
      return `UINT64_C(${value})`;
    case 'u32':
      return `${value}u`;
    case 'i32':
      return value === -(1n << 31n) ? 'INT32_MIN' : `${value}`;
    default:
      return `${value}`;
  }
}
