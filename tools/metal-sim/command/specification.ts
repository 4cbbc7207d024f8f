/**
 * What the command line says of a kernel's arguments:
 *
 *   --buffer in=f32:4x256:iota    a type, a shape, what it holds at first
 *   --buffer in=@weights.npy      what a file holds
 *   --bytes n=u32:1024            values side by side, as in a struct: n=u32:1024,f32:0.5
 *   --constant 0=bool:true        a function constant, by index or by name
 *
 * Types are those of the language, f32 i8 ..., or Metal's, float uchar4 ...
 */
import { readBytes } from '../../../compiler/driver/io/files.ts';
import {
  countElements,
  type HostTensor,
  toBytes,
} from '../../../compiler/driver/io/host-tensor.ts';
import { parseNpy } from '../../../compiler/driver/io/npy.ts';
import { byteSize, type DType, isDType, isFloat } from '../../../compiler/tensor-ir/dtype.ts';
import { makeTypedArray, writeElement } from '../../../runtime/typed-array.ts';

/** The command line is wrong: told in a sentence. */
export class WrongUsage extends Error {
  override readonly name: string = 'WrongUsage';
}

/** `name=value`; the name may be a number, or left out. */
export function splitName(text: string): {
  readonly name: string | undefined;
  readonly value: string;
} {
  const at = text.indexOf('=');
  return at < 0
    ? { name: undefined, value: text }
    : { name: text.slice(0, at), value: text.slice(at + 1) };
}

const metalNames: Readonly<Record<string, DType>> = {
  bool: 'bool',
  char: 'i8',
  uchar: 'u8',
  short: 'i16',
  ushort: 'u16',
  int: 'i32',
  uint: 'u32',
  long: 'i64',
  ulong: 'u64',
  half: 'f16',
  bfloat: 'bf16',
  float: 'f32',
};

/** A type and, of vectors, how many of it there are; a vector of three takes the place of four in memory. */
function typeOf(text: string): { readonly dtype: DType; readonly width: number } {
  const match = /^([a-z]+\d*?)([234])?$/.exec(text);
  const name = match?.[1] ?? '';
  if (isDType(text) && text !== 'f64') return { dtype: text, width: 1 };
  const dtype = metalNames[name];
  if (dtype === undefined) {
    const known = `${Object.values(metalNames).join(' ')}, or ${Object.keys(metalNames).join(' ')}`;
    throw new WrongUsage(`\`${text}\` is no type: ${known}, and vectors such as float4`);
  }
  const width = Number(match?.[2] ?? 1);
  return { dtype, width: width === 3 ? 4 : width };
}

/** `1024`, `4x256` or `4,256`. */
export function parseShape(text: string): readonly number[] {
  const shape = text.split(/[x,]/).map((part) => (/^\d+$/.test(part) ? Number(part) : Number.NaN));
  if (countElements(shape) === undefined)
    throw new WrongUsage(`\`${text}\` is no shape: write 1024 or 4x256`);
  return shape;
}

/** Three sizes, the rest 1. */
export function parseSize(text: string): readonly [number, number, number] {
  const [x = 0, y = 1, z = 1, ...more] = parseShape(text);
  if (more.length > 0) throw new WrongUsage(`\`${text}\`: a grid has at most 3 dimensions`);
  return [x, y, z];
}

/** Numbers between 0 and 1 of a seed: the mulberry32 generator. */
function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function fitting(dtype: DType, value: number): number | bigint {
  if (isFloat(dtype)) return value;
  if (dtype === 'bool') return value === 0 ? 0 : 1;
  const bits = byteSize(dtype) * 8;
  const whole = BigInt(Math.trunc(value));
  const wrapped = dtype.startsWith('u') ? BigInt.asUintN(bits, whole) : BigInt.asIntN(bits, whole);
  return bits === 64 ? wrapped : Number(wrapped);
}

/** The element at each index, by the word that asks for it. */
function contents(text: string, dtype: DType, seed: number): (index: number) => number {
  const random = uniform(seed);
  switch (text) {
    case 'zeros':
      return () => 0;
    case 'ones':
      return () => 1;
    case 'iota':
      return (index) => index;
    case 'random':
      return () =>
        isFloat(dtype) ? random() : Math.floor(random() * (dtype === 'bool' ? 2 : 100));
    case 'normal':
      // Box and Muller
      return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    case 'nan':
      return () => Number.NaN;
    default: {
      const list = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
      if (list.some(Number.isNaN)) {
        throw new WrongUsage(
          `\`${text}\`: a buffer holds zeros, ones, iota, random, normal, nan, or numbers such as 3.5 or 1,2,3`,
        );
      }
      return (index) => list[index % list.length]!;
    }
  }
}

/** The tensor that `f32:4x256:iota` or `@file.npy` describes. */
export function parseBuffer(text: string, seed: number): HostTensor {
  if (text.startsWith('@')) return readNpy(text.slice(1));
  const [type = '', dims, holds = 'zeros', ...more] = text.split(':');
  if (dims === undefined || more.length > 0) {
    throw new WrongUsage(
      `\`${text}\` is no buffer: write TYPE:SHAPE:CONTENTS, such as f32:1024:iota`,
    );
  }
  const { dtype, width } = typeOf(type);
  const shape = width === 1 ? parseShape(dims) : [...parseShape(dims), width];
  const count = countElements(shape)!;
  if (count === 0) throw new WrongUsage(`\`${text}\`: a buffer holds one element at least`);
  const data = makeTypedArray(dtype, count);
  const at = contents(holds, dtype, seed);
  for (let i = 0; i < count; i++) writeElement(dtype, data, i, fitting(dtype, at(i)));
  return { dtype, shape, data };
}

export function readNpy(path: string): HostTensor {
  return parseNpy(readBytes(path, path), path);
}

/** Bytes of `u32:1024,2,f32:0.5`: each value where C puts it in a struct, a type holds until the next. */
export function parseBytes(text: string): Uint8Array {
  const parts: Uint8Array[] = [];
  let end = 0;
  let largest = 1;
  let type: ReturnType<typeof typeOf> | undefined;
  let lanes = 0;
  const pad = (step: number): void => {
    const gap = (step - (end % step)) % step;
    if (gap > 0) parts.push(new Uint8Array(gap));
    end += gap;
  };
  for (const part of text.split(',')) {
    const [first, second] = part.split(':');
    if (second !== undefined) type = typeOf(first!);
    if (type === undefined) throw new WrongUsage(`\`${text}\`: say the type, such as u32:1024`);
    const value = Number(second ?? first);
    if ((second ?? first)!.trim() === '' || Number.isNaN(value)) {
      throw new WrongUsage(`\`${part}\` is no number`);
    }
    const alignment = byteSize(type.dtype) * type.width;
    if (lanes === 0) pad(alignment);
    lanes = (lanes + 1) % type.width;
    largest = Math.max(largest, alignment);
    const data = makeTypedArray(type.dtype, 1);
    writeElement(type.dtype, data, 0, fitting(type.dtype, value));
    const bytes = toBytes(data);
    parts.push(bytes);
    end += bytes.length;
  }
  pad(largest);
  const all = new Uint8Array(end);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** `bool:true`, `float:0.5`, `int:-3`: C++ text of the value. */
export function parseConstant(text: string): string {
  const [type = '', value = ''] = text.split(':');
  const { dtype } = typeOf(type);
  if (dtype === 'bool') {
    if (!/^(true|false|0|1)$/.test(value))
      throw new WrongUsage(`\`${text}\`: a bool is true or false`);
    return value === 'true' || value === '1' ? 'true' : 'false';
  }
  if (value.trim() === '' || Number.isNaN(Number(value))) {
    throw new WrongUsage(`\`${text}\` is no constant: write bool:true, int:3 or float:0.5`);
  }
  if (isFloat(dtype))
    return Number.isInteger(Number(value)) ? `${Number(value)}.0f` : `${Number(value)}f`;
  return String(Math.trunc(Number(value)));
}
