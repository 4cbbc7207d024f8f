/** What `inferType` refuses, in words that a user can act on. */
import { expect, test } from 'vitest';
import { dimVariable, type Int, int } from '../symbolic/integer.ts';
import type { DType } from '../tensor-ir/dtype.ts';
import { ShapeProblem } from '../tensor-ir/primitive.ts';
import type { Attrs, TensorType } from '../tensor-ir/program.ts';
import { primitive } from './registry.ts';

function t(dtype: DType, ...shape: readonly (number | string)[]): TensorType {
  return { dtype, shape: shape.map((s) => (typeof s === 'number' ? int(s) : dimVariable(s))) };
}

function ints(...values: readonly number[]): readonly Int[] {
  return values.map(int);
}

const refused: readonly (readonly [string, readonly TensorType[], Attrs, string])[] = [
  ['add', [t('f32', 2), t('f32', 3)], {}, 'add needs equal shapes, found f32[2] and f32[3]'],
  ['add', [t('f32', 'N'), t('f32', 'M')], {}, 'add needs equal shapes, found f32[N] and f32[M]'],
  ['mul', [t('f32', 2), t('f16', 2)], {}, 'mul needs one dtype, found f32[2] and f16[2]'],
  ['exp', [t('i32', 2)], {}, 'exp takes floats, found i32[2]'],
  ['div', [t('i32'), t('i32')], {}, 'div takes floats, found i32'],
  ['shift_left', [t('bool'), t('bool')], {}, 'shift_left takes integers, found bool'],
  ['and', [t('f32'), t('f32')], {}, 'and takes bools or integers, found f32'],
  ['neg', [t('bool')], {}, 'neg takes numbers, found bool'],
  ['add', [t('f32')], {}, 'add takes 2 operands, found 1'],
  [
    'select',
    [t('i32', 2), t('f32', 2), t('f32', 2)],
    {},
    'select needs a bool condition, found i32[2]',
  ],
  [
    'bitcast',
    [t('f32')],
    { dtype: 'u16' },
    'bitcast needs dtypes of one size (and no bool), found f32 and u16',
  ],
  [
    'broadcast',
    [t('f32', 2)],
    { shape: ints(3, 4), axes: [0] },
    'broadcast of f32[2] along axes (0) does not fit [3, 4]',
  ],
  [
    'reshape',
    [t('f32', 2, 3)],
    { shape: ints(7) },
    'reshape of f32[2, 3] to [7] changes the number of elements',
  ],
  [
    'permute',
    [t('f32', 2, 3)],
    { permutation: [0] },
    'permute needs all axes of f32[2, 3], found (0)',
  ],
  ['permute', [t('f32', 2, 3)], { permutation: [0, 0] }, 'permute: axes (0, 0) repeat'],
  [
    'slice',
    [t('f32', 4)],
    { start: ints(1), stop: ints(5), step: ints(1) },
    'slice from [1] to [5] is outside f32[4] at axis 0',
  ],
  [
    'slice',
    [t('f32', 4)],
    { start: ints(0), stop: ints(4), step: ints(0) },
    'slice needs constant steps of at least 1, found [0]',
  ],
  [
    'pad',
    [t('f32', 4), t('f32', 1)],
    { low: ints(0), high: ints(0), interior: ints(0) },
    'pad needs a scalar to pad with, found f32[1]',
  ],
  [
    'pad',
    [t('f32', 1), t('f32')],
    { low: ints(-1), high: ints(-1), interior: ints(0) },
    'pad of f32[1] gives a negative size: [-1]',
  ],
  [
    'concatenate',
    [t('f32', 2, 3), t('f32', 2, 4)],
    { axis: 0 },
    'concatenate along axis 0 needs the other sizes equal, found f32[2, 3] and f32[2, 4]',
  ],
  ['reverse', [t('f32', 2)], { axes: [1] }, 'reverse: axis 1 is outside a tensor of rank 1'],
  [
    'gather',
    [t('f32', 2), t('f32', 2)],
    { axes: [0] },
    'gather needs integer indices, found f32[2]',
  ],
  [
    'gather',
    [t('f32', 2)],
    { axes: [0] },
    'gather needs an index for each of its axes (0), found 0',
  ],
  [
    'scatter',
    [t('f32', 4), t('f32', 3), t('i32', 2)],
    { axes: [0], mode: 'add' },
    'scatter needs an update of shape [2], found f32[3]',
  ],
  ['reduce_sum', [t('bool', 2)], { axes: [0] }, 'reduce_sum takes numbers, found bool[2]'],
  ['reduce_any', [t('f32', 2)], { axes: [0] }, 'reduce_any takes bools, found f32[2]'],
  [
    'argmax',
    [t('f32', 2, 0)],
    { axis: 1 },
    'argmax needs at least one element along axis 1 of f32[2, 0]',
  ],
  [
    'dot_general',
    [t('f32', 'M', 'K'), t('f32', 'L', 'N')],
    { contracting: [[1], [0]], batch: [[], []] },
    'dot_general needs equal sizes on axes (1) of f32[M, K] and (0) of f32[L, N]',
  ],
  [
    'dynamic_slice',
    [t('f32', 4), t('i64')],
    { sizes: ints(2) },
    'dynamic_slice needs starts of type i32, found i64',
  ],
  [
    'dynamic_slice',
    [t('f32', 4), t('i32')],
    { sizes: ints(5) },
    'dynamic_slice: a block [5] does not fit in f32[4]',
  ],
  ['cond', [t('f32')], {}, 'cond needs 2 regions, found 0'],
];

test.each(refused)('%s', (name, operands, attrs, message) => {
  const infer = (): unknown => primitive(name).inferType(operands, attrs, []);
  expect(infer).toThrow(ShapeProblem);
  expect(infer).toThrow(message);
});

test('sizes that are equal under a guard pass through reshape alone', () => {
  const [type] = primitive('reshape').inferType([t('f32', 'N')], { shape: [dimVariable('M')] }, []);
  expect(type).toEqual(t('f32', 'M'));
});
