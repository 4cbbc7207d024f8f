/** Bits of tensors, and random keys: a `Key` is `u32[..., 2]` that only std/random looks into. */
import { constantValue, int } from '../../symbolic/integer.ts';
import { byteSize, type DType } from '../../tensor-ir/dtype.ts';
import type { Value } from '../../tensor-ir/program.ts';
import type { Intrinsic } from '../intrinsic.ts';
import type { Term } from '../value.ts';
import { stackValues } from './joining.ts';
import { type Arguments, intrinsic, intTerm, required, showTensor } from './support.ts';

function keyTerm(value: Value): Term {
  return { kind: 'tensor', value, form: 'key' };
}

function dataOf(a: Arguments): Value {
  const term = a.term('key');
  if (term.kind === 'tensor' && term.form === 'key') return term.value;
  return a.fail('MLX2480', `expected a Key, found ${a.context.showType(a.context.typeOf(term))}`, {
    span: a.spanOf('key'),
    hint: 'make one from a number: `key(0)`',
  });
}

/** Negative numbers are taken modulo 2^32. */
function seedOf(a: Arguments): Value {
  const term = a.term('seed');
  const known = term.kind === 'int' ? constantValue(term.value) : undefined;
  const isNegative = known !== undefined && known < 0 && known >= -(2 ** 31);
  return isNegative ? a.fill(known + 2 ** 32, 'u32') : a.value('seed', 'u32');
}

/** What a dtype can hold, as compile-time numbers. */
function dtypeFact(name: string, doc: string, fact: (dtype: DType) => Term): Intrinsic {
  return intrinsic(name, [required('dtype')], doc, (a) => fact(a.dtype('dtype')));
}

/** Stored bits of the mantissa and the smallest exponent of a normal number (IEEE 754, bfloat16). */
const floatFormats: Readonly<Partial<Record<DType, readonly [number, number]>>> = {
  f16: [10, -14],
  bf16: [7, -126],
  f32: [23, -126],
  f64: [52, -1022],
};

function formatOf(dtype: DType): readonly [number, number] {
  return floatFormats[dtype] ?? [0, 0];
}

export const bits: readonly Intrinsic[] = [
  dtypeFact('bit_width', 'The bits of an element: 32 for f32.', (dtype) =>
    intTerm(8 * byteSize(dtype)),
  ),
  dtypeFact(
    'mantissa_bits',
    'The stored bits of the mantissa of a float dtype: 23 for f32.',
    (dtype) => intTerm(formatOf(dtype)[0]),
  ),
  dtypeFact('epsilon', 'The gap between 1 and the next number of a float dtype.', (dtype) => ({
    kind: 'float',
    value: 2 ** -formatOf(dtype)[0],
  })),
  dtypeFact(
    'smallest_normal',
    'The smallest positive normal number of a float dtype.',
    (dtype) => ({
      kind: 'float',
      value: 2 ** formatOf(dtype)[1],
    }),
  ),
  dtypeFact('largest_finite', 'The greatest finite number of a float dtype.', (dtype) => {
    const [mantissa, exponent] = formatOf(dtype);
    return { kind: 'float', value: (2 - 2 ** -mantissa) * 2 ** (1 - exponent) };
  }),
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
      const seed = seedOf(a);
      if (seed.type.shape.length > 0 || !['i32', 'u32'].includes(seed.type.dtype)) {
        a.fail('MLX2481', `a seed is an i32 or u32 scalar, found ${showTensor(seed.type)}`, {
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
          'MLX2482',
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
