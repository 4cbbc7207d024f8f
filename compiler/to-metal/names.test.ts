import { expect, test } from 'vitest';
import { reservedNames } from '../../tools/metal-check/words.ts';
import { fieldName, KernelNames } from './names.ts';

test('no word that Metal reserves comes out as a name', () => {
  const kept = [...reservedNames].filter((word) => fieldName(word) === word);
  expect(kept).toEqual([]);
});

test('no name begins as Metal reserves it', () => {
  const wanted = ['packed_1', 'atomic_x', 'FLT_x', 'M_x', 'texture_2'];
  expect(wanted.map(fieldName)).toEqual(wanted.map((name) => `v_${name}_v`));
});

test('names are readable, valid and unique', () => {
  const names = new KernelNames();
  expect(['x', 'x', '_', 'half', '3d', 'a b', 'float4', 'w__t'].map((n) => names.fresh(n))).toEqual(
    ['x', 'x_2', 'v', 'half_v', 'v3d', 'a_b', 'float4_v', 'w_t_v'],
  );
});
