/**
 * NumPy's .npy format, versions 1 to 3 (numpy.lib.format): a magic string, a version, the length of a header, the
 * header as a Python dict literal, then the elements. All sizes in the file are checked against its length before
 * anything is allocated.
 */
import { makeTypedArray, type TypedArray } from '../../../runtime/typed-array.ts';
import { type ElementType, elementSize, storageOf } from '../../tensor-ir/dtype.ts';
import { FileProblem } from '../errors.ts';
import { countElements, fromBytes, type HostTensor, toBytes } from './host-tensor.ts';

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const longestHeader = 1 << 20;

/** NumPy's descriptor without byte order. bf16 has none. */
const dtypeOfDescriptor: Readonly<Record<string, ElementType>> = {
  b1: 'bool',
  i1: 'i8',
  i2: 'i16',
  i4: 'i32',
  i8: 'i64',
  u1: 'u8',
  u2: 'u16',
  u4: 'u32',
  u8: 'u64',
  f2: 'f16',
  f4: 'f32',
  f8: 'f64',
  c8: 'c64',
};

function problem(place: string, message: string, hint?: string): FileProblem {
  return new FileProblem('MLX5010', place, message, hint);
}

interface Header {
  readonly dtype: ElementType;
  readonly isBigEndian: boolean;
  readonly isFortran: boolean;
  readonly shape: readonly number[];
}

/** Reads the three keys of `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`. */
function parseHeader(text: string, place: string): Header {
  const descriptor = /['"]descr['"]\s*:\s*(?:'([^']*)'|"([^"]*)"|(\[))/.exec(text);
  const order = /['"]fortran_order['"]\s*:\s*(True|False)/.exec(text);
  const dims = /['"]shape['"]\s*:\s*\(([\s\d,L]*)\)/.exec(text);
  if (descriptor === null || order === null || dims === null) {
    throw problem(
      place,
      'the header of this .npy file is damaged',
      'save it again with numpy.save',
    );
  }
  const code = descriptor[1] ?? descriptor[2];
  if (code === undefined) {
    throw problem(
      place,
      'holds records (a structured dtype)',
      'save each field as an array of its own',
    );
  }
  const dtype = dtypeOfDescriptor[code.replace(/^[<>=|]/, '')];
  if (dtype === undefined) {
    const hint = /^[|<>]?[OSU]/.test(code)
      ? 'convert it to numbers first, such as with .astype(numpy.float32)'
      : `convert it with .astype, to one of ${Object.values(dtypeOfDescriptor).join(', ')}`;
    throw problem(place, `has dtype \`${code}\`, which the language does not have`, hint);
  }
  const shape = (dims[1] ?? '')
    .split(',')
    .map((part) => part.trim().replace(/L$/, ''))
    .filter((part) => part !== '')
    .map(Number);
  return { dtype, isBigEndian: code.startsWith('>'), isFortran: order[1] === 'True', shape };
}

/** Swaps the bytes of every element. */
function reverseBytes(bytes: Uint8Array, size: number): Uint8Array {
  const swapped = bytes.slice();
  for (let at = 0; at + size <= swapped.length; at += size)
    swapped.subarray(at, at + size).reverse();
  return swapped;
}

/** Column-major to row-major. */
function fromFortran(data: TypedArray, type: ElementType, shape: readonly number[]): TypedArray {
  const { dtype, width } = storageOf(type);
  const out = makeTypedArray(dtype, data.length);
  const index = shape.map(() => 0);
  const strides: number[] = [];
  let stride = 1;
  for (const dim of shape) {
    strides.push(stride);
    stride *= dim;
  }
  let from = 0;
  for (let to = 0; to < data.length; to += width) {
    for (let part = 0; part < width; part++) out[to + part] = data[width * from + part]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

/**
 * Reads one array. `place` names the file in errors (MLX5010: not .npy, truncated, a dtype the language lacks, a
 * size that does not match the file).
 */
export function parseNpy(bytes: Uint8Array, place: string): HostTensor {
  if (bytes.length < 10 || magic.some((byte, i) => bytes[i] !== byte)) {
    throw problem(place, 'is not a .npy file', 'write it with numpy.save');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6]!;
  if (version < 1 || version > 3) {
    throw problem(place, `is a .npy file of version ${version}; 1 to 3 are known`);
  }
  const start = version === 1 ? 10 : 12;
  const headerLength =
    version === 1 ? view.getUint16(8, true) : bytes.length < 12 ? 0 : view.getUint32(8, true);
  if (headerLength > longestHeader || start + headerLength > bytes.length) {
    throw problem(place, 'is cut off within its header', 'copy or save the file again');
  }
  const text = new TextDecoder(version === 3 ? 'utf-8' : 'latin1').decode(
    bytes.subarray(start, start + headerLength),
  );
  const { dtype, isBigEndian, isFortran, shape } = parseHeader(text, place);
  const count = countElements(shape);
  const available = bytes.length - start - headerLength;
  if (count === undefined || count * elementSize(dtype) > available) {
    const needs =
      count === undefined
        ? 'more bytes than a file can have'
        : `${count * elementSize(dtype)} bytes`;
    throw problem(
      place,
      `is cut off: (${shape.join(', ')}) of ${dtype} takes ${needs}, the file has ${available}`,
      'copy or save the file again',
    );
  }
  if (count * elementSize(dtype) < available) {
    throw problem(
      place,
      `has ${available - count * elementSize(dtype)} bytes after its last element`,
      'save one array per .npy file, or use .npz',
    );
  }
  const raw = bytes.subarray(start + headerLength);
  const data = fromBytes(
    dtype,
    isBigEndian ? reverseBytes(raw, elementSize(dtype) / storageOf(dtype).width) : raw,
  );
  return {
    dtype,
    shape,
    data: isFortran && shape.length > 1 ? fromFortran(data, dtype, shape) : data,
  };
}

/** The bytes of a .npy file (version 1, C order). bf16, which NumPy lacks, is widened to f32. */
export function formatNpy(tensor: HostTensor): Uint8Array {
  const { dtype, data } = widenForNumpy(tensor);
  const kind = Object.keys(dtypeOfDescriptor).find((key) => dtypeOfDescriptor[key] === dtype)!;
  const order = elementSize(dtype) === 1 ? '|' : '<';
  const dims = tensor.shape.length === 1 ? `${tensor.shape[0]},` : tensor.shape.join(', ');
  const header = `{'descr': '${order}${kind}', 'fortran_order': False, 'shape': (${dims}), }`;
  // The elements start at a multiple of 64.
  const padded = `${header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11)}\n`;
  const out = new Uint8Array(10 + padded.length + data.byteLength);
  out.set([...magic, 1, 0, padded.length & 0xff, padded.length >> 8]);
  out.set(new TextEncoder().encode(padded), 10);
  out.set(toBytes(data), 10 + padded.length);
  return out;
}

function widenForNumpy(tensor: HostTensor): HostTensor {
  if (tensor.dtype !== 'bf16') return tensor;
  const words = new Uint32Array(tensor.data.length);
  for (let i = 0; i < words.length; i++) words[i] = Number(tensor.data[i]) << 16;
  return { dtype: 'f32', shape: tensor.shape, data: new Float32Array(words.buffer) };
}
