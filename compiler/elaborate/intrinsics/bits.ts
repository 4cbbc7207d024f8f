/** Bits of tensors, and random keys: a `Key` is `u32[..., 2]` that only std/random looks into. */
import { int } from '../../symbolic/integer.ts';
import type { Value } from '../../tensor-ir/program.ts';
import type { Intrinsic } from '../intrinsic.ts';
import type { Term } from '../value.ts';
import { stackValues } from './shapes.ts';
import { type Arguments, intrinsic, required, showTensor } from './support.ts';

function keyTerm(value: Value): Term {
  return { kind: 'tensor', value, isKey: true };
}

function dataOf(a: Arguments): Value {
  const term = a.term('key');
  if (term.kind === 'tensor' && term.isKey) return term.value;
  return a.fail('MLX2380', `expected a Key, found ${a.context.showType(a.context.typeOf(term))}`, {
    span: a.spanOf('key'),
    hint: 'make one from a number: `key(0)`',
  });
}

export const bits: readonly Intrinsic[] = [
  ...['bitcast', 'view'].map((name) =>
    intrinsic(
      name,
      [required('x'), required('dtype')],
      'The same bits read as another dtype of the same size.',
      (a) => a.tensor(a.apply('bitcast', [a.value('x')], { dtype: a.dtype('dtype') })),
    ),
  ),
  intrinsic(
    'key',
    [required('seed')],
    'The random key of a seed: the same numbers as `jax.random.key(seed)`.',
    (a) => {
      const seed = a.value('seed', 'u32');
      if (seed.type.shape.length > 0 || !['i32', 'u32'].includes(seed.type.dtype)) {
        a.fail('MLX2381', `a seed is an i32 or u32 scalar, found ${showTensor(seed.type)}`, {
          span: a.spanOf('seed'),
        });
      }
      const low = seed.type.dtype === 'i32' ? a.apply('bitcast', [seed], { dtype: 'u32' }) : seed;
      return keyTerm(stackValues(a, [a.fill(0, 'u32'), low], 0));
    },
  ),
  intrinsic(
    'key_data',
    [required('key')],
    'The two u32 numbers of a key: Key[...S] to u32[...S, 2].',
    (a) => a.tensor(dataOf(a)),
  ),
  intrinsic(
    'wrap_key_data',
    [required('data')],
    'The key made of two u32 numbers: u32[...S, 2] to Key[...S].',
    (a) => {
      const data = a.value('data');
      const last = data.type.shape.at(-1);
      if (data.type.dtype !== 'u32' || last === undefined) {
        return a.fail(
          'MLX2382',
          `the data of keys is u32[..., 2], found ${showTensor(data.type)}`,
          {
            span: a.spanOf('data'),
          },
        );
      }
      a.requireEqual(last, int(2), 'the last axis of the data of keys');
      return keyTerm(data);
    },
  ),
];
