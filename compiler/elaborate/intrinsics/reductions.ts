/** Reductions over axes: `axis` is an int, a tuple of ints, or `none` for all; `keepdims` keeps them with size 1. */
import {
  constantValue,
  type Int,
  max,
  min,
  one,
  product,
  subtract,
  zero,
} from '../../symbolic/integer.ts';
import { isFloat } from '../../tensor-ir/dtype.ts';
import type { Value } from '../../tensor-ir/program.ts';
import type { Intrinsic } from '../intrinsic.ts';
import { type Arguments, type Emitter, intrinsic, optional, range, required } from './support.ts';

const no = { kind: 'boolean', value: false } as const;
const overAxes = [required('x'), optional('axis'), optional('keepdims', no)];

/** The axes given by `axis`, all of them for `none`. */
export function axesOf(a: Arguments, x: Value): readonly number[] {
  const rank = x.type.shape.length;
  return a.isNone('axis') ? range(rank) : a.axes('axis', rank);
}

/** Puts the reduced axes back with size 1. */
export function restoreAxes(
  e: Emitter,
  reduced: Value,
  original: Value,
  axes: readonly number[],
): Value {
  const shape = original.type.shape.map((dim, i) => (axes.includes(i) ? one : dim));
  const kept = range(shape.length).filter((i) => !axes.includes(i));
  return e.broadcast(reduced, shape, kept);
}

export function reduce(e: Emitter, primitive: string, x: Value, axes: readonly number[]): Value {
  return axes.length === 0 ? x : e.apply(primitive, [x], { axes });
}

/** How many elements are combined into one. */
function countOf(x: Value, axes: readonly number[]): Int {
  return product(axes.map((axis) => x.type.shape[axis]!));
}

function reduction(
  names: readonly string[],
  doc: string,
  build: (a: Arguments, x: Value, axes: readonly number[]) => Value,
): Intrinsic[] {
  return names.map((name) =>
    intrinsic(name, overAxes, doc, (a) => {
      const x = a.value('x');
      const axes = axesOf(a, x);
      const reduced = build(a, x, axes);
      return a.tensor(a.boolean('keepdims') ? restoreAxes(a, reduced, x, axes) : reduced);
    }),
  );
}

/** `max(M, N)` of two compile-time whole numbers is the greater of them, else it reduces. */
function extremum(
  name: string,
  primitive: string,
  doc: string,
  whole: (x: Int, y: Int) => Int,
): Intrinsic[] {
  return reduction([name], doc, (a, x, axes) => {
    for (const axis of axes) {
      if (constantValue(x.type.shape[axis]!) === 0) {
        a.fail('MLX2402', `\`${name}\` of no elements has no value: axis ${axis} has size 0`);
      }
    }
    return reduce(a, primitive, x, axes);
  }).map((inner) => ({
    ...inner,
    apply: (context, args, call) => {
      const [x, y] = args;
      if (x?.kind === 'int' && y?.kind === 'int') {
        return { kind: 'int', value: whole(x.value, y.value) };
      }
      return inner.apply(context, args, call);
    },
  }));
}

export function requireFloat(a: Arguments, x: Value, name: string): void {
  if (isFloat(x.type.dtype)) return;
  a.fail('MLX2403', `\`${name}\` needs floats, found ${x.type.dtype}`, {
    span: a.spanOf('x'),
    hint: `convert first: \`${name}(f32(x))\``,
  });
}

function meanOf(e: Emitter, x: Value, axes: readonly number[], count: Int): Value {
  const total = reduce(e, 'reduce_sum', x, axes);
  const divisor = e.broadcast(e.dim(count, x.type.dtype), total.type.shape, []);
  return e.apply('div', [total, divisor]);
}

function indexOf(name: string, primitive: string, doc: string): Intrinsic {
  return intrinsic(name, overAxes, doc, (a) => {
    const x = a.value('x');
    if (a.isNone('axis')) {
      const flat = a.reshape(x, [product(x.type.shape)]);
      return a.tensor(a.apply(primitive, [flat], { axis: 0 }));
    }
    const axis = a.axis('axis', x.type.shape.length);
    const index = a.apply(primitive, [x], { axis });
    return a.tensor(a.boolean('keepdims') ? restoreAxes(a, index, x, [axis]) : index);
  });
}

const zeroDegrees = { kind: 'int', value: zero } as const;

/** Averages (x - mean)^2; `ddof` is taken from the count: 0 for the population, 1 for a sample. */
function variance(name: string, doc: string, finish: (a: Arguments, v: Value) => Value): Intrinsic {
  const [x, axis, keepdims] = overAxes;
  const parameters = [x!, axis!, optional('ddof', zeroDegrees), keepdims!];
  return intrinsic(name, parameters, doc, (a) => {
    const x = a.value('x');
    requireFloat(a, x, name);
    const axes = axesOf(a, x);
    const count = countOf(x, axes);
    const mean = restoreAxes(a, meanOf(a, x, axes, count), x, axes);
    const centred = a.apply('sub', [
      x,
      a.broadcast(mean, x.type.shape, range(x.type.shape.length)),
    ]);
    const squares = a.apply('mul', [centred, centred]);
    const result = finish(a, meanOf(a, squares, axes, subtract(count, a.int('ddof'))));
    return a.tensor(a.boolean('keepdims') ? restoreAxes(a, result, x, axes) : result);
  });
}

export const reductions: readonly Intrinsic[] = [
  ...reduction(['sum'], 'The sum over the axes; of bools, how many are true (i32).', (a, x, axes) =>
    reduce(a, 'reduce_sum', x.type.dtype === 'bool' ? a.convert(x, 'i32') : x, axes),
  ),
  ...reduction(['prod'], 'The product over the axes.', (a, x, axes) =>
    reduce(a, 'reduce_prod', x.type.dtype === 'bool' ? a.convert(x, 'i32') : x, axes),
  ),
  ...reduction(['mean'], 'The sum over the axes divided by the count.', (a, x, axes) => {
    requireFloat(a, x, 'mean');
    return meanOf(a, x, axes, countOf(x, axes));
  }),
  ...reduction(['all'], 'True where every element is not 0.', (a, x, axes) =>
    reduce(a, 'reduce_all', a.convert(x, 'bool'), axes),
  ),
  ...reduction(['any'], 'True where some element is not 0.', (a, x, axes) =>
    reduce(a, 'reduce_any', a.convert(x, 'bool'), axes),
  ),
  ...extremum(
    'max',
    'reduce_max',
    'The greatest element over the axes, NaN if there is one; ties share the gradient.',
    max,
  ),
  ...extremum(
    'min',
    'reduce_min',
    'The smallest element over the axes, NaN if there is one; ties share the gradient.',
    min,
  ),
  variance('var', 'The variance over the axes, divided by count - ddof.', (_, v) => v),
  variance(
    'std',
    'The square root of the variance; its derivative is 0 where all elements are equal.',
    (a, v) => {
      // sqrt has no derivative at 0: there a constant stands in its place
      const { dtype, shape } = v.type;
      const zeros = a.fill(0, dtype, shape);
      const isZero = a.apply('eq', [v, zeros]);
      const safe = a.apply('select', [isZero, a.fill(1, dtype, shape), v]);
      return a.apply('select', [isZero, zeros, a.apply('sqrt', [safe])]);
    },
  ),
  intrinsic(
    'merge_axes',
    [required('x'), optional('axis')],
    'x with the given axes (all for `none`) moved to the end and made one: what a function of the last axis needs to work over several.',
    (a) => {
      const x = a.value('x');
      const axes = axesOf(a, x);
      const { shape } = x.type;
      const kept = range(shape.length).filter((i) => !axes.includes(i));
      const moved = a.permute(x, [...kept, ...axes]);
      return a.tensor(a.reshape(moved, [...kept.map((i) => shape[i]!), countOf(x, axes)]));
    },
  ),
  ...reduction(
    ['logsumexp'],
    'log(sum(exp(x))) over the axes without overflow: the maximum is taken out first.',
    (a, x, axes) => {
      requireFloat(a, x, 'logsumexp');
      const { dtype, shape } = x.type;
      const top = reduce(a, 'reduce_max', x, axes);
      // an infinite maximum stays in: inf - inf would be NaN
      const finite = a.apply('is_finite', [top]);
      const safe = a.apply('select', [finite, top, a.fill(0, dtype, top.type.shape)]);
      const shift = a.apply('stop_gradient', [safe]);
      const kept = range(shape.length).filter((i) => !axes.includes(i));
      const terms = a.apply('exp', [a.apply('sub', [x, a.broadcast(shift, shape, kept)])]);
      return a.apply('add', [a.apply('log', [reduce(a, 'reduce_sum', terms, axes)]), shift]);
    },
  ),
  indexOf(
    'argmax',
    'argmax',
    'The i32 index of the greatest element along the axis, the first of several.',
  ),
  indexOf(
    'argmin',
    'argmin',
    'The i32 index of the smallest element along the axis, the first of several.',
  ),
];
