import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { FileProblem } from '../errors.ts';
import type { HostTensor } from './host-tensor.ts';
import { tensorToJson } from './json-tensor.ts';
import { formatNpy, parseNpy } from './npy.ts';
import { formatNpz, parseNpz } from './npz.ts';
import { printTensor } from './print-tensor.ts';
import { formatSafetensors, parseSafetensors } from './safetensors.ts';

const matrix: HostTensor = { dtype: 'f32', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
const all: ReadonlyMap<string, HostTensor> = new Map<string, HostTensor>([
  ['b', { dtype: 'bool', shape: [3], data: Uint8Array.of(1, 0, 1) }],
  ['i8', { dtype: 'i8', shape: [2], data: Int8Array.of(-1, 2) }],
  ['hidden.w', matrix],
  ['i64', { dtype: 'i64', shape: [1, 1], data: BigInt64Array.of(-(2n ** 60n)) }],
  ['f16', { dtype: 'f16', shape: [2], data: Uint16Array.of(0x3c00, 0x7bff) }],
  ['f64', { dtype: 'f64', shape: [], data: Float64Array.of(Math.PI) }],
  ['empty', { dtype: 'u32', shape: [0, 5], data: new Uint32Array(0) }],
]);

function header(text: string, version = 1, body = new Uint8Array(0)): Uint8Array {
  const head = new TextEncoder().encode(text);
  const length =
    version === 1
      ? [head.length & 255, head.length >> 8]
      : [head.length & 255, head.length >> 8, 0, 0];
  return Uint8Array.from([
    0x93,
    0x4e,
    0x55,
    0x4d,
    0x50,
    0x59,
    version,
    0,
    ...length,
    ...head,
    ...body,
  ]);
}

describe('.npy', () => {
  test.each([...all])('%s survives the round trip', (_name, tensor) => {
    expect(parseNpy(formatNpy(tensor), 'x.npy')).toEqual(tensor);
  });

  test('elements start at a multiple of 64', () => {
    expect((formatNpy(matrix).length - 24) % 64).toBe(0);
  });

  test('bf16 is widened to f32', () => {
    const bf16: HostTensor = { dtype: 'bf16', shape: [2], data: Uint16Array.of(0x3f80, 0xc000) };
    expect(parseNpy(formatNpy(bf16), 'x')).toEqual({
      dtype: 'f32',
      shape: [2],
      data: Float32Array.of(1, -2),
    });
  });

  test('Fortran order becomes C order', () => {
    const body = new Uint8Array(Int32Array.of(1, 4, 2, 5, 3, 6).buffer);
    const file = header("{'descr': '<i4', 'fortran_order': True, 'shape': (2, 3), }\n", 1, body);
    expect([...parseNpy(file, 'x').data]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('big-endian, versions 2 and 3, a header of odd length', () => {
    for (const version of [2, 3]) {
      const file = header(
        "{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }",
        version,
        Uint8Array.of(0x3f, 0x80, 0, 0),
      );
      expect([...parseNpy(file, 'x').data]).toEqual([1]);
    }
  });

  const bad: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ['empty', new Uint8Array(0), /not a \.npy file/],
    ['text', new TextEncoder().encode('hello, world'), /not a \.npy file/],
    ['cut off in the data', formatNpy(matrix).subarray(0, -1), /cut off/],
    ['cut off in the header', formatNpy(matrix).subarray(0, 40), /header/],
    ['trailing bytes', Uint8Array.from([...formatNpy(matrix), 0]), /after its last element/],
    ['version 9', header('', 9), /version 9/],
    ['object dtype', header("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"), /dtype/],
    [
      'records',
      header("{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (1,), }"),
      /records/,
    ],
    [
      'huge shape',
      header("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99999999999), }"),
      /cut off/,
    ],
    [
      'negative dim',
      header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }"),
      /damaged/,
    ],
    [
      'long header',
      Uint8Array.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 2, 0, 255, 255, 255, 255]),
      /header/,
    ],
  ];
  test.each(bad)('%s is refused', (_name, bytes, message) => {
    expect(() => parseNpy(bytes, 'x.npy')).toThrow(FileProblem);
    expect(() => parseNpy(bytes, 'x.npy')).toThrow(message);
  });
});

describe('.npz', () => {
  test('survives the round trip', async () => {
    expect(await parseNpz(await formatNpz(all), 'x.npz')).toEqual(all);
  });

  test('is a function of the arrays alone', async () => {
    expect(await formatNpz(all)).toEqual(await formatNpz(all));
  });

  test('deflated members are read', async () => {
    const bytes = zipSync({
      'w.npy': formatNpy({ dtype: 'f32', shape: [5000], data: new Float32Array(5000) }),
    });
    expect((await parseNpz(bytes, 'x.npz')).get('w')?.shape).toEqual([5000]);
  });

  test('damaged archives are refused', async () => {
    const whole = await formatNpz(all);
    await expect(parseNpz(new Uint8Array(10), 'x.npz')).rejects.toThrow(/not a \.npz/);
    await expect(parseNpz(whole.subarray(0, whole.length - 30), 'x.npz')).rejects.toThrow(
      FileProblem,
    );
    await expect(parseNpz(zipSync({ 'a.npy': Uint8Array.of(1, 2) }), 'x.npz')).rejects.toThrow(
      /not a \.npy/,
    );
  });
});

describe('files that NumPy wrote', () => {
  const read = (name: string): Uint8Array =>
    readFileSync(new URL(`../../../test/golden/files/${name}`, import.meta.url));

  test.each(['stored.npz', 'deflated.npz'])('%s', async (name) => {
    const tensors = await parseNpz(read(name), name);
    const matrix = [0, 1, 2, 3, 4, 5];
    expect([...tensors.keys()].sort()).toEqual([
      'big_endian',
      'empty',
      'flags',
      'fortran',
      'half',
      'matrix',
      'scalar',
    ]);
    for (const key of ['matrix', 'fortran', 'big_endian']) {
      expect(tensors.get(key)).toMatchObject({ dtype: 'f32', shape: [2, 3] });
      expect([...tensors.get(key)!.data]).toEqual(matrix);
    }
    expect(tensorToJson(tensors.get('half')!)).toEqual([1, -2.5, Infinity, 2 ** -24]);
    expect(tensorToJson(tensors.get('flags')!)).toEqual([true, false]);
    expect(tensors.get('scalar')).toEqual({ dtype: 'i64', shape: [], data: BigInt64Array.of(7n) });
    expect(tensors.get('empty')).toMatchObject({ dtype: 'u8', shape: [0, 4] });
  });

  test('.npy in Fortran order, and with records', () => {
    expect([...parseNpy(read('fortran.npy'), 'x').data]).toEqual([0, 1, 2, 3, 4, 5]);
    expect(() => parseNpy(read('records.npy'), 'x')).toThrow(/records/);
  });
});

describe('safetensors', () => {
  test('survives the round trip, bf16 as it is', () => {
    const tensors = new Map(all).set('bf16', {
      dtype: 'bf16',
      shape: [1],
      data: Uint16Array.of(0x3f80),
    });
    expect(new Map([...parseSafetensors(formatSafetensors(tensors), 'x')].sort())).toEqual(
      new Map([...tensors].sort()),
    );
  });

  function file(headerText: string, data = 0): Uint8Array {
    const head = new TextEncoder().encode(headerText);
    const bytes = new Uint8Array(8 + head.length + data);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(head.length), true);
    bytes.set(head, 8);
    return bytes;
  }
  const entry = (begin: number, end: number, shape = '[1]', dtype = 'F32'): string =>
    `{"dtype":"${dtype}","shape":${shape},"data_offsets":[${begin},${end}]}`;
  const bad: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ['empty', new Uint8Array(0), /shorter than 8/],
    ['header beyond the file', Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 1), /cut off/],
    ['not JSON', file('{'), /not JSON/],
    ['a list', file('[]'), /not a JSON object/],
    ['null entry', file('{"a":null}'), /damaged/],
    ['unknown dtype', file(`{"a":${entry(0, 4, '[1]', 'F8_E4M3')}}`, 4), /F8_E4M3/],
    [
      'dtype of Object.prototype',
      file(`{"a":${entry(0, 4, '[1]', 'constructor')}}`, 4),
      /constructor/,
    ],
    ['hole', file(`{"a":${entry(0, 4)},"b":${entry(8, 12)}}`, 12), /does not follow/],
    ['overlap', file(`{"a":${entry(0, 4)},"b":${entry(0, 4)}}`, 4), /does not follow/],
    ['truncated', file(`{"a":${entry(0, 4)}}`, 3), /cut off/],
    ['trailing', file(`{"a":${entry(0, 4)}}`, 5), /too long/],
    ['size against shape', file(`{"a":${entry(0, 4, '[2]')}}`, 4), /not what its 4 bytes/],
    ['negative', file(`{"a":${entry(0, 4, '[-1]')}}`, 4), /damaged/],
    ['huge', file(`{"a":${entry(0, 4, '[4294967296,4294967296,4294967296]')}}`, 4), /not what/],
  ];
  test.each(bad)('%s is refused', (_name, bytes, message) => {
    expect(() => parseSafetensors(bytes, 'x')).toThrow(message);
    expect(() => parseSafetensors(bytes, 'x')).toThrow(FileProblem);
  });
});

test('damaged files never do worse than a clear error', async () => {
  const wholes = [formatNpy(matrix), await formatNpz(all), formatSafetensors(all)];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(0, 1, 2),
      fc.array(fc.tuple(fc.nat(2000), fc.nat(255)), { minLength: 1, maxLength: 6 }),
      fc.nat(2000),
      async (which, changes, keep) => {
        const bytes = Uint8Array.from(wholes[which]!);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        const cut = bytes.subarray(0, bytes.length - (keep % 3 === 0 ? keep % bytes.length : 0));
        try {
          if (which === 0) parseNpy(cut, 'x');
          else if (which === 1) await parseNpz(cut, 'x');
          else parseSafetensors(cut, 'x');
        } catch (error) {
          expect(error).toBeInstanceOf(FileProblem);
        }
      },
    ),
    { numRuns: 3000 },
  );
});

test('tensors print as NumPy prints them', () => {
  expect(printTensor(matrix)).toBe('f32[2, 3]\n[[1., 2., 3.],\n [4., 5., 6.]]');
  expect(printTensor({ dtype: 'f32', shape: [], data: Float32Array.of(0.1) })).toBe('0.1  f32');
  expect(printTensor({ dtype: 'i32', shape: [2], data: Int32Array.of(-10, 2) })).toBe(
    'i32[2]\n[-10,   2]',
  );
  expect(printTensor({ dtype: 'f32', shape: [0], data: new Float32Array(0) })).toBe('f32[0]\n[]');
  expect(printTensor({ dtype: 'f32', shape: [2000], data: new Float32Array(2000) })).toContain(
    '...',
  );
});
