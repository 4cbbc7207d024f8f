/** Metal types: how elements lie in memory, the type in which a kernel computes, and literals. */
import { InternalError } from '../diagnostics/internal-error.ts';
import { computeType, type DType } from '../tensor-ir/dtype.ts';

const storage: Readonly<Record<DType, string | undefined>> = {
  bool: 'bool',
  i8: 'char',
  i16: 'short',
  i32: 'int',
  i64: 'long',
  u8: 'uchar',
  u16: 'ushort',
  u32: 'uint',
  u64: 'ulong',
  f16: 'half',
  bf16: 'bfloat',
  f32: 'float',
  f64: undefined,
};

/** The type of an element in a buffer. Throws for f64, which Metal lacks: see `unsupportedOnMetal`. */
export function storageType(dtype: DType): string {
  const type = storage[dtype];
  if (type === undefined) throw new InternalError(`Metal has no ${dtype}`);
  return type;
}

/** The type of a value in a register: float for f16 and bf16. */
export function valueType(dtype: DType): string {
  return storageType(computeType(dtype));
}

/** Integers that Metal's C++ computes as int: every result is cast back. */
export function isNarrow(dtype: DType): boolean {
  return dtype === 'i8' || dtype === 'u8' || dtype === 'i16' || dtype === 'u16';
}

/** A literal that Metal reads back exactly. Negative ones start with `-`. */
export function literal(dtype: DType, value: number | bigint | boolean): string {
  switch (computeType(dtype)) {
    case 'bool':
      return Number(value) === 0 ? 'false' : 'true';
    case 'f32':
      return floatLiteral(Math.fround(Number(value)));
    case 'i32':
      return BigInt(value) === -(1n << 31n) ? 'INT_MIN' : `${value}`;
    case 'u32':
      return `${BigInt.asUintN(32, BigInt(value))}u`;
    case 'i64':
      return BigInt(value) === -(1n << 63n) ? 'LONG_MIN' : `${value}l`;
    case 'u64':
      return `${BigInt.asUintN(64, BigInt(value))}ul`;
    default:
      return `${valueType(dtype)}(${value})`;
  }
}

/** The shortest decimal that rounds to this float. */
function floatLiteral(value: number): string {
  if (Number.isNaN(value)) return 'NAN';
  if (value === Infinity) return 'INFINITY';
  if (value === -Infinity) return '-INFINITY';
  if (Object.is(value, -0)) return '-0.0f';
  let text = `${value}`;
  for (let digits = 1; digits <= 9; digits++) {
    const shorter = Number(value.toPrecision(digits));
    if (Math.fround(shorter) === value) {
      text = `${shorter}`;
      break;
    }
  }
  return /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
}
