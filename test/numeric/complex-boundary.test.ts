/** Complex numbers at the boundary of a program: tensors, typed arrays, nested arrays, files, messages, declarations. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { declareBundle } from '../../compiler/bindings/declare.ts';
import type { HostTensor } from '../../compiler/driver/io/host-tensor.ts';
import { tensorFromJson, tensorToJson } from '../../compiler/driver/io/json-tensor.ts';
import { formatNpy, parseNpy } from '../../compiler/driver/io/npy.ts';
import { parseNpz } from '../../compiler/driver/io/npz.ts';
import { printTensor } from '../../compiler/driver/io/print-tensor.ts';
import { formatSafetensors, parseSafetensors } from '../../compiler/driver/io/safetensors.ts';
import { compileOrThrow, load, type Module, type Tensor, tensor } from '../../index.ts';
import type { Argument } from '../../runtime/arguments.ts';

const source = `
struct Signal {
  values: c64[N],
}

export fn double(z: c64[N]) -> c64[N] { z * 2.0 }
export fn same(z: c64[N]) -> c64[N] { z }
export fn first(s: Signal<3>) -> c64 { s.values[0] }
export fn turn(s: Signal<3>, z: c64) -> Signal<3> { Signal { values: s.values * z } }
`.replace('struct Signal', 'struct Signal<N>');

const bundle = compileOrThrow({ name: 'signals.mlx', text: source }, { targets: ['cpu'] });
const pairs: HostTensor = { dtype: 'c64', shape: [2], data: Float32Array.of(1, -2, 0.5, 3) };

describe('a program', () => {
  let module: Module;
  beforeAll(async () => {
    module = await load(bundle);
  }, 60_000);
  const call = (name: string, ...args: readonly Argument[]): Tensor =>
    module.function(name)(...args) as Tensor;

  test('takes tensors, arrays of pairs and typed arrays', () => {
    const wanted = [
      [2, -4],
      [1, 6],
    ];
    const nested = [
      [1, -2],
      [0.5, 3],
    ];
    for (const z of [tensor(nested, undefined, 'c64'), nested, Float32Array.of(1, -2, 0.5, 3)]) {
      const result = call('double', z);
      expect(result.describe()).toBe('c64[2]');
      expect(result.size).toBe(2);
      expect(result.tolist()).toEqual(wanted);
    }
  });

  test('gives back what it was given, donated or not', () => {
    const z = tensor(Float32Array.of(1, 2, 3, 4), undefined, 'c64');
    expect(call('same', z).tolist()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    const donating = module.function('double').with({ donate: ['z'] });
    const result = donating(z) as Tensor;
    expect([...result.data]).toEqual([2, 4, 6, 8]);
    expect(z.isDisposed).toBe(true);
  });

  test('takes and gives trees and scalars', () => {
    const values = [
      [1, 2],
      [3, 4],
      [5, 6],
    ];
    expect(call('first', { values }).item()).toEqual([1, 2]);
    const turned = module.function('turn')({ values }, [0, 1]) as unknown as { values: Tensor };
    expect(turned.values.tolist()).toEqual([
      [-2, 1],
      [-4, 3],
      [-6, 5],
    ]);
  });

  test.each([
    [
      'a tensor of another dtype',
      tensor([1, 2]),
      'z has the wrong dtype: expected c64[N], found f32[2]',
    ],
    [
      'half a pair',
      Float32Array.of(1, 2, 3),
      'z has the wrong element type: expected c64[N], found Float32Array(3)',
    ],
    ['numbers', [1, 2, 3], 'z complex numbers are pairs: `[re, im]`: expected c64[N]'],
  ])('refuses %s', (_, value, message) => {
    expect(() => call('double', value)).toThrow(message);
  });

  test('is declared with the types of the language', async () => {
    const functions = bundle.plan.plans.cpu?.functions ?? [];
    const text = await declareBundle(functions);
    expect(text).toContain('@param z c64[N]');
    expect(text).toContain('/** c64[3] */');
    const leaf = functions.find((f) => f.name === 'double')?.result;
    expect(leaf).toEqual({ kind: 'leaf', leaf: { dtype: 'c64', shape: ['N'] } });
  });
});

describe('tensors', () => {
  test('show pairs as NumPy does', () => {
    expect(String(tensor([1.5, -2], undefined, 'c64'))).toBe('Tensor(c64, 1.5-2j)');
    expect(printTensor(pairs)).toBe('c64[2]\n[ 1.-2.j, 0.5+3.j]');
  });

  test('refuse data that are no pairs', () => {
    expect(() => tensor([1, 2, 3], undefined, 'c64')).toThrow('complex numbers are pairs');
    expect(() => tensor(Float32Array.of(1, 2, 3), undefined, 'c64')).toThrow('1.5');
    expect(() => tensor(Float64Array.of(1, 2), undefined, 'c64')).toThrow('does not hold c64');
  });
});

describe('files', () => {
  test('of NumPy, in each order of memory', async () => {
    const file = new URL('../golden/files/complex.npz', import.meta.url);
    const tensors = await parseNpz(readFileSync(file), 'complex.npz');
    const wanted = [0, 10, 1, 11, 2, 12, 3, 13, 4, 14, 5, 15];
    for (const name of ['plain', 'fortran', 'big_endian']) {
      expect(tensors.get(name)).toMatchObject({ dtype: 'c64', shape: [2, 3] });
      expect([...tensors.get(name)!.data], name).toEqual(wanted);
    }
    expect(tensors.get('scalar')).toEqual({
      dtype: 'c64',
      shape: [],
      data: Float32Array.of(1, -2),
    });
  });

  test('survive the round trip', () => {
    expect(parseNpy(formatNpy(pairs), 'z.npy')).toEqual(pairs);
    const named = new Map([['z', pairs]]);
    expect(parseSafetensors(formatSafetensors(named), 'z.safetensors')).toEqual(named);
  });

  test('JSON has a pair for each number', () => {
    const expected = { dtype: 'c64', shape: ['N'] } as const;
    expect(tensorFromJson(tensorToJson(pairs), expected, 'z')).toEqual(pairs);
    expect(tensorFromJson([1, 2], { dtype: 'c64', shape: [] }, 'z').shape).toEqual([]);
    expect(() => tensorFromJson([1, 2, 3], expected, 'z')).toThrow('holds no complex numbers');
    expect(() => tensorFromJson([[[1, 2]]], expected, 'z')).toThrow('expected 1 axes');
  });
});
