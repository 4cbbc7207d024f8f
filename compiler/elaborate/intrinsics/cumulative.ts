/** Running combinations along an axis; without one, of all elements in row-major order on one axis, as in NumPy. */
import { product, zero } from '../../symbolic/integer.ts';
import type { Value } from '../../tensor-ir/program.ts';
import type { Intrinsic } from '../intrinsic.ts';
import { requireFloat } from './reductions.ts';
import { type Arguments, intrinsic, optional, required } from './support.ts';

const parameters = [
  required('x'),
  optional('axis'),
  optional('reverse', { kind: 'boolean', value: false }),
];

function cumulative(
  name: string,
  primitive: string,
  doc: string,
  prepare: (a: Arguments, x: Value) => Value = (_, x) => x,
): Intrinsic {
  return intrinsic(name, parameters, doc, (a) => {
    const x = prepare(a, a.value('x'));
    const reverse = a.boolean('reverse');
    if (a.isNone('axis')) {
      const flat = a.reshape(x, [product(x.type.shape)]);
      return a.tensor(a.apply(primitive, [flat], { axis: 0, reverse }));
    }
    const axis = a.axis('axis', x.type.shape.length);
    return a.tensor(a.apply(primitive, [x], { axis, reverse }));
  });
}

/** bools count as i32 */
function numbers(a: Arguments, x: Value): Value {
  return x.type.dtype === 'bool' ? a.convert(x, 'i32') : x;
}

function floats(a: Arguments, x: Value): Value {
  requireFloat(a, x, 'logcumsumexp');
  return x;
}

const logSums =
  'Running log(sum(exp(x))) along an axis (or of all elements) without overflow: element i combines elements 0 to i, or i to the last with `reverse`.';

export const cumulatives: readonly Intrinsic[] = [
  cumulative(
    'cumsum',
    'cumsum',
    'Running sums along an axis (or of all elements): element i is the sum of elements 0 to i, or of i to the last with `reverse`. Integers wrap; bools count as i32.',
    numbers,
  ),
  cumulative(
    'cumprod',
    'cumprod',
    'Running products along an axis (or of all elements): element i is the product of elements 0 to i, or of i to the last with `reverse`.',
    numbers,
  ),
  cumulative(
    'cummax',
    'cummax',
    'Running maxima along an axis (or of all elements), NaN from the first NaN on; equal elements share the gradient.',
  ),
  cumulative(
    'cummin',
    'cummin',
    'Running minima along an axis (or of all elements), NaN from the first NaN on; equal elements share the gradient.',
  ),
  cumulative('cumlogsumexp', 'cumlogsumexp', logSums, floats),
  cumulative('logcumsumexp', 'cumlogsumexp', logSums, floats),
  intrinsic(
    'linear_recurrence',
    [
      required('a'),
      required('b'),
      optional('axis', { kind: 'int', value: zero }),
      optional('reverse', { kind: 'boolean', value: false }),
    ],
    'h[i] = a[i] * h[i - 1] + b[i] along an axis, from h[0] = b[0]; from the last element on with `reverse`.',
    (call) => {
      const [a, b] = call.values('a', 'b') as [Value, Value];
      const axis = call.axis('axis', b.type.shape.length);
      const attrs = { axis, reverse: call.boolean('reverse') };
      return call.tensor(call.apply('linear_recurrence', [a, b], attrs));
    },
  ),
];
