import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MlxcError } from './errors.ts';
import { tensor } from './tensor.ts';
import { bf16ToNumber, f16ToNumber, numberToBf16, numberToF16 } from './typed-array.ts';

describe('tensor', () => {
  test('takes nested arrays, scalars and typed arrays', () => {
    expect(
      tensor([
        [1, 2],
        [3, 4],
        [5, 6],
      ]).shape,
    ).toEqual([3, 2]);
    expect(
      tensor([
        [1, 2],
        [3, 4],
      ]).tolist(),
    ).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(tensor(7).shape).toEqual([]);
    expect(tensor(7).item()).toBe(7);
    expect(tensor([true, false]).dtype).toBe('bool');
    expect(tensor([1n, -(2n ** 40n)]).tolist()).toEqual([1n, -(2n ** 40n)]);
    expect(tensor([1.5, 2.25], undefined, 'f16').tolist()).toEqual([1.5, 2.25]);
    expect(tensor([]).shape).toEqual([0]);
    const data = Float32Array.of(1, 2, 3, 4);
    expect(tensor(data, [2, 2]).data).toBe(data);
    expect(tensor(Uint16Array.of(0x3f80), [1], 'bf16').item()).toBe(1);
  });

  test.each([
    [() => tensor([[1, 2], [3]]), 'not equally long'],
    [() => tensor([[1], 2] as never), 'not equally long'],
    [() => tensor([1, [2]] as never), 'not equally deep'],
    [() => tensor(['a'] as never), 'string is not an element'],
    [() => tensor([null] as never), 'null is not an element'],
    [() => tensor([1, 2], [3]), 'shape [3] has 3 elements, the data 2'],
    [() => tensor([1], [Number.NaN]), 'is not a shape'],
    [() => tensor([1], [-1]), 'is not a shape'],
    [() => tensor([300], undefined, 'u8'), '300 does not fit in u8'],
    [() => tensor([1.5], undefined, 'i32'), '1.5 does not fit in i32'],
    [() => tensor([1.5], undefined, 'i64'), 'cannot be converted to a BigInt'],
    [() => tensor(Int32Array.of(1), [1], 'f32'), 'a Int32Array does not hold f32'],
    [() => tensor([1], undefined, 'f128' as never), 'there is no dtype f128'],
  ])('%# is refused: %s', (make, message) => {
    expect(make).toThrow(MlxcError);
    expect(make).toThrow(message);
  });

  test('item needs one element', () => {
    expect(() => tensor([1, 2]).item()).toThrow('item() needs one element, f32[2] has 2');
  });

  test('prints for people', () => {
    expect(`${tensor([[1, 2.5]])}`).toBe('Tensor(f32[1, 2], [[1, 2.5]])');
    expect(`${tensor(new Float32Array(5000))}`).toBe('Tensor(f32[5000], [0, 0, 0, ..., 0, 0, 0])');
  });

  test('disposal frees once and is final', () => {
    const t = tensor([1]);
    t.dispose();
    t[Symbol.dispose]?.();
    expect(t.isDisposed).toBe(true);
    expect(() => t.data).toThrow('MLX5113');
    expect(`${t}`).toBe('Tensor(f32[1], disposed)');
  });
});

describe('half precision', () => {
  test('every f16 survives a round trip', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = f16ToNumber(bits);
      if (Number.isNaN(value)) expect(f16ToNumber(numberToF16(value))).toBeNaN();
      else expect(numberToF16(value)).toBe(bits);
    }
  });

  test('every bf16 survives a round trip', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = bf16ToNumber(bits);
      if (Number.isNaN(value)) expect(bf16ToNumber(numberToBf16(value))).toBeNaN();
      else expect(numberToBf16(value)).toBe(bits);
    }
  });

  test.each([
    ['f16', numberToF16, f16ToNumber, 65504],
    ['bf16', numberToBf16, bf16ToNumber, 3.3895313892515355e38],
  ] as const)('%s rounds to the nearest, ties to even', (_, encode, decode, largest) => {
    fc.assert(
      fc.property(fc.double({ min: -largest, max: largest, noNaN: true }), (value) => {
        const bits = encode(value);
        const error = Math.abs(decode(bits) - value);
        for (const neighbour of [bits - 1, bits + 1]) {
          if ((neighbour & 0x7fff) === 0x7fff || neighbour < 0) continue;
          const other = Math.abs(decode(neighbour) - value);
          if (other < error || (other === error && bits % 2 === 1)) return false;
        }
        return true;
      }),
      { numRuns: 2000 },
    );
  });
});
