/** Changes of dtype: by value (`convert`) and by bits (`bitcast`). */
import {
  byteSize,
  computeType,
  type DType,
  integerRange,
  isFloat,
  isSigned,
} from '../tensor-ir/dtype.ts';
import { type Element, isBig, makeArray, setElement, wrapBigint } from '../tensor-ir/nd-array.ts';
import { definePrimitive, type Primitive } from '../tensor-ir/primitive.ts';
import { require, requireCount, showType, tensorType } from './checks.ts';
import { notLinear } from './families.ts';

export type ConvertAttrs = { readonly dtype: DType };

/**
 * The value in another dtype. Floats to integers truncate and saturate, NaN gives 0; integers to integers wrap; to
 * bool is `!= 0`. Linear between floats, and constant almost everywhere otherwise.
 */
export const convert: Primitive<ConvertAttrs> = definePrimitive<ConvertAttrs>({
  name: 'convert',
  inferType: (operands, { dtype }) => {
    requireCount('convert', operands, 1);
    return [tensorType(dtype, operands[0]!.shape)];
  },
  evaluate: ([x], { dtype }) => {
    const result = makeArray(dtype, x!.shape);
    for (let i = 0; i < x!.data.length; i++) {
      setElement(result.data, i, convertElement(x!.data[i]!, x!.dtype, dtype));
    }
    return [result];
  },
  jvp: (b, { attrs }, [tangent]) =>
    tangent === undefined || !isFloat(attrs.dtype)
      ? [undefined]
      : [b.apply(convert, [tangent], attrs)],
  transpose: (b, op, _, [cotangent]) => [
    cotangent === undefined
      ? undefined
      : b.apply(convert, [cotangent], { dtype: op.operands[0]!.type.dtype }),
  ],
  batch: (b, op, [x]) => [b.apply(convert, [x!], op.attrs)],
  cost: { flops: 1 },
  lower: {
    kind: 'element',
    isView: false,
    // f16 and bf16 are f32 in registers: what does not fit them is rounded here, not only where it is stored
    element: (k, op, index) => {
      const from = op.operands[0]!.type.dtype;
      const to = op.attrs.dtype;
      const x = k.read(0, index);
      const isExact = computeType(to) === to || from === to || byteSize(from) === 1;
      return k.convert(isExact ? x : k.convert(x, to), computeType(to));
    },
  },
});

/** One element converted; floats are left for the caller to round. */
export function convertElement(value: Element, from: DType, to: DType): Element {
  if (to === 'bool') return Number(value) !== 0 ? 1 : 0;
  if (isFloat(to)) return typeof value === 'bigint' ? bigToNumber(value, to) : value;
  if (isFloat(from)) return saturate(value as number, to);
  return wrapBigint(BigInt(value), to);
}

function saturate(value: number, to: DType): Element {
  if (Number.isNaN(value)) return isBig(to) ? 0n : 0;
  const { min, max } = integerRange(to);
  const clamped =
    value <= Number(min) ? min : value >= Number(max) ? max : BigInt(Math.trunc(value));
  return isBig(to) ? clamped : Number(clamped);
}

/** A bigint as a double; for narrower floats to odd, so that rounding once more is rounding once. */
function bigToNumber(value: bigint, to: DType): number {
  if (to === 'f64' || (value > -(2n ** 53n) && value < 2n ** 53n)) return Number(value);
  const kept = value >> 12n;
  const sticky = kept << 12n === value ? kept : kept | 1n;
  return Number(sticky) * 4096;
}

/** The same bits read as another dtype of the same size; no derivative passes through. */
export const bitcast: Primitive<ConvertAttrs> = definePrimitive<ConvertAttrs>({
  name: 'bitcast',
  inferType: (operands, { dtype }) => {
    requireCount('bitcast', operands, 1);
    const x = operands[0]!;
    require(byteSize(x.dtype) === byteSize(dtype) &&
      (x.dtype === 'bool') === (dtype === 'bool'), () =>
      `bitcast needs dtypes of one size (and no bool), found ${showType(x)} and ${dtype}`);
    return [tensorType(dtype, x.shape)];
  },
  evaluate: ([x], { dtype }) => {
    const result = makeArray(dtype, x!.shape);
    for (let i = 0; i < x!.data.length; i++) {
      setElement(result.data, i, bitcastElement(x!.data[i]!, x!.dtype, dtype));
    }
    return [result];
  },
  jvp: () => [undefined],
  transpose: notLinear('bitcast'),
  batch: (b, op, [x]) => [b.apply(bitcast, [x!], op.attrs)],
  cost: { flops: 0 },
  lower: {
    kind: 'element',
    isView: false,
    // f16 and bf16 are f32 in registers: their bits exist only after narrowing
    element: (k, op, index) => {
      const from = op.operands[0]!.type.dtype;
      const to = op.attrs.dtype;
      const value = k.read(0, index);
      const bits = k.bitcast(computeType(from) === from ? value : k.convert(value, from), to);
      return computeType(to) === to ? bits : k.convert(bits, computeType(to));
    },
  },
});

/** The element whose bits in dtype `to` are those of `value` in dtype `from`, of the same size. */
export function bitcastElement(value: Element, from: DType, to: DType): Element {
  const memory = new DataView(new ArrayBuffer(8));
  writeBits(memory, value, from);
  return readBits(memory, to);
}

function writeBits(memory: DataView, value: Element, dtype: DType): void {
  if (typeof value === 'bigint') memory.setBigUint64(0, BigInt.asUintN(64, value), true);
  else if (dtype === 'f64') memory.setFloat64(0, value, true);
  else if (dtype === 'f32') memory.setFloat32(0, value, true);
  else if (dtype === 'f16') memory.setUint16(0, f16Bits(value), true);
  else if (dtype === 'bf16') {
    memory.setFloat32(0, value, true);
    memory.setUint16(0, memory.getUint16(2, true), true);
  } else memory.setInt32(0, value, true);
}

function readBits(memory: DataView, dtype: DType): Element {
  switch (dtype) {
    case 'f64':
      return memory.getFloat64(0, true);
    case 'f32':
      return memory.getFloat32(0, true);
    case 'f16':
      return f16FromBits(memory.getUint16(0, true));
    case 'bf16':
      memory.setUint32(0, memory.getUint16(0, true) << 16, true);
      return memory.getFloat32(0, true);
    case 'bool':
      return memory.getUint8(0);
    default: {
      const size = 8 * byteSize(dtype);
      const whole = memory.getBigUint64(0, true);
      const value = isSigned(dtype) ? BigInt.asIntN(size, whole) : BigInt.asUintN(size, whole);
      return isBig(dtype) ? value : Number(value);
    }
  }
}

/** The bits of a number that f16 holds exactly. */
function f16Bits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (size === Infinity) return sign | 0x7c00;
  if (size < 2 ** -14) return sign | Math.round(size * 2 ** 24);
  const exponent = Math.floor(Math.log2(size));
  return sign | ((exponent + 15) << 10) | Math.round((size / 2 ** exponent - 1) * 1024);
}

/** The number that 16 bits hold as f16. */
function f16FromBits(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
