/** Reads constants.safetensors: the length of a JSON header, the header, then the data. */
import { byteSize, type DType } from '../compiler/tensor-ir/dtype.ts';
import type { ConstantTensor } from './bundle.ts';
import { MlxcError } from './errors.ts';
import { rebuild } from './sizes.ts';
import { viewTypedArray } from './typed-array.ts';

const dtypeOfName: ReadonlyMap<string, DType> = new Map<string, DType>([
  ['BOOL', 'bool'],
  ['I8', 'i8'],
  ['I16', 'i16'],
  ['I32', 'i32'],
  ['I64', 'i64'],
  ['U8', 'u8'],
  ['U16', 'u16'],
  ['U32', 'u32'],
  ['U64', 'u64'],
  ['F16', 'f16'],
  ['BF16', 'bf16'],
  ['F32', 'f32'],
  ['F64', 'f64'],
]);

/** Throws MLX5102 on anything that is not a well-formed file. Data is copied, so it is aligned. */
export function parseConstants(bytes: Uint8Array): ReadonlyMap<string, ConstantTensor> {
  if (bytes.length < 8) throw damaged('it is too short');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = view.getBigUint64(0, true);
  if (headerLength > BigInt(bytes.length - 8)) throw damaged('its header is cut off');
  const start = 8 + Number(headerLength);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, start)));
  } catch {
    throw damaged('its header is not JSON');
  }
  if (typeof header !== 'object' || header === null) throw damaged('its header is no object');
  const constants = new Map<string, ConstantTensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name !== '__metadata__') constants.set(name, readEntry(name, entry, bytes.subarray(start)));
  }
  return constants;
}

function readEntry(name: string, entry: unknown, data: Uint8Array): ConstantTensor {
  if (typeof entry !== 'object' || entry === null) throw damaged(`\`${name}\` is no object`);
  const { dtype: dtypeName, shape, data_offsets: range } = entry as Record<string, unknown>;
  const dtype = typeof dtypeName === 'string' ? dtypeOfName.get(dtypeName) : undefined;
  if (dtype === undefined || !isCounts(shape) || !isCounts(range) || range.length !== 2) {
    throw damaged(`the entry \`${name}\` is malformed`);
  }
  const [begin, end] = range as [number, number];
  const elements = shape.reduce((a, b) => a * b, 1);
  if (end > data.length || begin > end || end - begin !== elements * byteSize(dtype)) {
    throw damaged(`the range of \`${name}\` does not fit its shape or the file`);
  }
  const copy = data.slice(begin, end);
  return { dtype, shape, data: viewTypedArray(dtype, copy.buffer, elements) };
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function damaged(reason: string): MlxcError {
  return new MlxcError('MLX5102', `constants.safetensors is damaged: ${reason}`, rebuild);
}
