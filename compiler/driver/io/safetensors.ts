/**
 * The safetensors format: the length of a JSON header (u64), the header (name → dtype, shape, begin and end within
 * the data), then the data. Checked as the reference implementation does: the header at most 100 MB, ranges in order of
 * their beginning without holes or overlaps, each as long as its shape says, together all of the data.
 */
import { type ElementType, elementSize } from '../../tensor-ir/dtype.ts';
import { FileProblem } from '../errors.ts';
import { countElements, fromBytes, type HostTensor, toBytes } from './host-tensor.ts';

const longestHeader = 100_000_000;

const dtypeOfName: Readonly<Record<string, ElementType>> = {
  BOOL: 'bool',
  I8: 'i8',
  I16: 'i16',
  I32: 'i32',
  I64: 'i64',
  U8: 'u8',
  U16: 'u16',
  U32: 'u32',
  U64: 'u64',
  F16: 'f16',
  BF16: 'bf16',
  F32: 'f32',
  F64: 'f64',
  C64: 'c64',
};

function problem(place: string, message: string, hint?: string): FileProblem {
  return new FileProblem('MLX5012', place, message, hint);
}

const saveAgain = 'copy or save the file again';

interface Entry {
  readonly name: string;
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

function isNumberList(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

function readEntry(name: string, value: unknown, place: string): Entry {
  if (typeof value !== 'object' || value === null)
    throw problem(place, `its entry \`${name}\` is damaged`, saveAgain);
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>;
  if (
    typeof dtype !== 'string' ||
    !isNumberList(shape) ||
    !isNumberList(offsets) ||
    offsets.length !== 2
  ) {
    throw problem(place, `its entry \`${name}\` is damaged`, saveAgain);
  }
  const known = Object.hasOwn(dtypeOfName, dtype) ? dtypeOfName[dtype] : undefined;
  if (known === undefined) {
    throw problem(
      place,
      `\`${name}\` has dtype ${dtype}, which the language does not have`,
      `convert it to one of ${Object.keys(dtypeOfName).join(', ')}`,
    );
  }
  const [begin, end] = offsets as [number, number];
  const count = countElements(shape);
  if (count === undefined || end - begin !== count * elementSize(known)) {
    throw problem(
      place,
      `\`${name}\` is (${shape.join(', ')}) of ${dtype}, which is not what its ${end - begin} bytes hold`,
      saveAgain,
    );
  }
  return { name, dtype: known, shape, begin, end };
}

/** The entries of the header, in the order of their data. */
function readHeader(
  bytes: Uint8Array,
  place: string,
): { entries: readonly Entry[]; dataStart: number } {
  if (bytes.length < 8) throw problem(place, 'is not a safetensors file: shorter than 8 bytes');
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  if (length > longestHeader || 8 + length > bytes.length) {
    throw problem(
      place,
      `is cut off or no safetensors file: its header claims ${length} bytes, the file has ${bytes.length - 8}`,
      saveAgain,
    );
  }
  let header: unknown;
  try {
    header = JSON.parse(
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, 8 + length)),
    );
  } catch {
    throw problem(
      place,
      'its header is not JSON, so this is no safetensors file, or a damaged one',
      saveAgain,
    );
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    throw problem(place, 'its header is not a JSON object', saveAgain);
  }
  const entries = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => readEntry(name, value, place))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  let reached = 0;
  for (const entry of entries) {
    if (entry.begin !== reached)
      throw problem(
        place,
        `the data of \`${entry.name}\` does not follow the one before it`,
        saveAgain,
      );
    reached = entry.end;
  }
  const available = bytes.length - 8 - length;
  if (reached !== available) {
    throw problem(
      place,
      `is cut off or too long: its tensors take ${reached} bytes, the file holds ${available}`,
      saveAgain,
    );
  }
  return { entries, dataStart: 8 + length };
}

/** Reads all tensors, as views of `bytes` where alignment allows. Errors: MLX5012. */
export function parseSafetensors(
  bytes: Uint8Array,
  place: string,
): ReadonlyMap<string, HostTensor> {
  const { entries, dataStart } = readHeader(bytes, place);
  return new Map(
    entries.map(({ name, dtype, shape, begin, end }) => {
      const data = fromBytes(dtype, bytes.subarray(dataStart + begin, dataStart + end));
      return [name, { dtype, shape, data }];
    }),
  );
}

/** The bytes of a safetensors file. Wide types come first so that all are aligned; the header is padded to 8 bytes. */
export function formatSafetensors(
  tensors: ReadonlyMap<string, HostTensor>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  const ordered = [...tensors].sort(
    ([a, x], [b, y]) => elementSize(y.dtype) - elementSize(x.dtype) || (a < b ? -1 : a > b ? 1 : 0),
  );
  const entries: [string, unknown][] = metadata === undefined ? [] : [['__metadata__', metadata]];
  let offset = 0;
  for (const [name, { dtype, shape, data }] of ordered) {
    const end = offset + data.byteLength;
    const key = Object.keys(dtypeOfName).find((candidate) => dtypeOfName[candidate] === dtype)!;
    entries.push([name, { dtype: key, shape, data_offsets: [offset, end] }]);
    offset = end;
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const headerLength = Math.ceil(text.length / 8) * 8;
  const out = new Uint8Array(8 + headerLength + offset).fill(0x20, 8, 8 + headerLength);
  new DataView(out.buffer).setBigUint64(0, BigInt(headerLength), true);
  out.set(text, 8);
  let at = 8 + headerLength;
  for (const [, { data }] of ordered) {
    out.set(toBytes(data), at);
    at += data.byteLength;
  }
  return out;
}
