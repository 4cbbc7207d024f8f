/** Functions that rearrange elements, under their NumPy names. None of them computes: they become index maps. */
import {
  add,
  constantValue,
  divideExact,
  type Int,
  int,
  max,
  min,
  one,
  print,
  product,
  subtract,
  zero,
} from '../../symbolic/integer.ts';
import type { Value } from '../../tensor-ir/program.ts';
import type { Intrinsic } from '../intrinsic.ts';
import {
  type Arguments,
  type Emitter,
  failWithoutMatrix,
  intrinsic,
  intTerm,
  optional,
  range,
  required,
  showTensor,
} from './support.ts';

/** Inserts axes of size 1; `axes` are positions in the result, increasing. */
export function expandDims(e: Emitter, x: Value, axes: readonly number[]): Value {
  const rank = x.type.shape.length + axes.length;
  const kept = range(rank).filter((i) => !axes.includes(i));
  const shape: Int[] = range(rank).map(() => one);
  kept.forEach((axis, i) => {
    shape[axis] = x.type.shape[i]!;
  });
  return e.broadcast(x, shape, kept);
}

/** Elements start, start + step, ... below stop along one axis. */
export function sliceAxis(
  e: Emitter,
  x: Value,
  axis: number,
  start: Int,
  stop: Int,
  step: Int = one,
): Value {
  const { shape } = x.type;
  if (start === zero && stop === shape[axis] && step === one) return x;
  return e.apply('slice', [x], {
    start: shape.map((_, i) => (i === axis ? start : zero)),
    stop: shape.map((dim, i) => (i === axis ? stop : dim)),
    step: shape.map((_, i) => (i === axis ? step : one)),
  });
}

/** The axis moved from one place to another. */
export function moveAxes(
  e: Emitter,
  x: Value,
  from: readonly number[],
  to: readonly number[],
): Value {
  const rank = x.type.shape.length;
  const permutation: (number | undefined)[] = range(rank).map(() => undefined);
  to.forEach((place, i) => {
    permutation[place] = from[i]!;
  });
  const others = range(rank).filter((axis) => !from.includes(axis));
  return e.permute(
    x,
    permutation.map((axis) => axis ?? others.shift()!),
  );
}

/** The shape asked for, with -1 worked out from the number of elements. */
function targetShape(a: Arguments, x: Value): readonly Int[] {
  return splitSizes(a, product(x.type.shape), showTensor(x.type));
}

/** The argument `shape` for `total` elements, which `what` has. */
function splitSizes(a: Arguments, total: Int, what = 'the axis'): readonly Int[] {
  const shape = a.shape('shape');
  const open = shape.flatMap((dim, i) => (constantValue(dim) === -1 ? [i] : []));
  if (open.length > 1) a.fail('MLX2430', 'only one size can be -1', { span: a.spanOf('shape') });
  if (open.length === 0) {
    a.requireEqual(product(shape), total, 'the number of elements', a.spanOf('shape'));
    return shape;
  }
  const others = product(shape.filter((_, i) => i !== open[0]));
  const size = divideExact(total, others);
  if (size === undefined || !isWhole(size)) {
    const reason = `${what} has ${print(total)} elements, which ${print(others)} does not divide`;
    a.fail('MLX2431', reason, { span: a.spanOf('shape') });
  }
  a.context.guard({
    relation: 'divisible',
    left: total,
    right: others,
    message: `reshape needs ${print(total)} to be a multiple of ${print(others)}`,
    span: a.spanOf('shape'),
  });
  return shape.map((dim, i) => (i === open[0] ? size : dim));
}

/** False for a constant fraction; a quotient of dims is guarded instead. */
export function isWhole(size: Int): boolean {
  return size.terms.every((t) => t.denominator === 1 || t.powers.length > 0);
}

const reshaping: readonly Intrinsic[] = [
  intrinsic(
    'reshape',
    [required('x'), required('shape')],
    'The same elements in row-major order in another shape; one size may be -1.',
    (a) => {
      const x = a.value('x');
      return a.tensor(a.reshape(x, targetShape(a, x)));
    },
  ),
  intrinsic('ravel', [required('x')], 'All elements in row-major order on one axis.', (a) => {
    const x = a.value('x');
    return a.tensor(a.reshape(x, [product(x.type.shape)]));
  }),
  intrinsic(
    'flatten',
    [required('x'), optional('start_axis', intTerm(0)), optional('end_axis', intTerm(-1))],
    'x with the axes from `start_axis` to `end_axis`, both included, made one; all of them unless told otherwise. A scalar becomes a vector.',
    (a) => {
      const x = a.value('x');
      const { shape } = x.type;
      if (shape.length === 0) return a.tensor(a.reshape(x, [one]));
      const [first, last] = [a.axis('start_axis', shape.length), a.axis('end_axis', shape.length)];
      if (first > last) {
        a.fail('MLX2428', `the first axis, ${first}, comes after the last, ${last}`, {
          span: a.spanOf('end_axis'),
        });
      }
      const merged = product(shape.slice(first, last + 1));
      return a.tensor(a.reshape(x, [...shape.slice(0, first), merged, ...shape.slice(last + 1)]));
    },
  ),
  intrinsic(
    'unflatten',
    [required('x'), required('axis'), required('shape')],
    'x with one axis split into several of the given sizes, one of which may be -1.',
    (a) => {
      const x = a.value('x');
      const axis = a.axis('axis', x.type.shape.length);
      const sizes = splitSizes(a, x.type.shape[axis]!);
      const { shape } = x.type;
      return a.tensor(a.reshape(x, [...shape.slice(0, axis), ...sizes, ...shape.slice(axis + 1)]));
    },
  ),
  intrinsic(
    'expand_dims',
    [required('x'), required('axis')],
    'New axes of size 1 at the given places of the result.',
    (a) => {
      const x = a.value('x');
      const term = a.term('axis');
      const count = term.kind === 'tuple' || term.kind === 'array' ? term.items.length : 1;
      const axes = a.axes('axis', x.type.shape.length + count);
      return a.tensor(
        expandDims(
          a,
          x,
          [...axes].sort((p, q) => p - q),
        ),
      );
    },
  ),
  intrinsic(
    'squeeze',
    [required('x'), optional('axis')],
    'x without the given axes, whose size must be 1; without all such axes for `none`.',
    (a) => {
      const x = a.value('x');
      const { shape } = x.type;
      const axes = a.isNone('axis')
        ? range(shape.length).filter((i) => shape[i] === one)
        : a.axes('axis', shape.length);
      for (const axis of axes) {
        a.requireEqual(shape[axis]!, one, `axis ${axis}, which squeeze removes`);
      }
      return a.tensor(
        a.reshape(
          x,
          shape.filter((_, i) => !axes.includes(i)),
        ),
      );
    },
  ),
  intrinsic(
    'broadcast_to',
    [required('x'), required('shape')],
    'x repeated to a shape by the rules of broadcasting.',
    (a) => a.tensor(a.context.broadcastTo(a.value('x'), a.shape('shape'))),
  ),
];

const permuting: readonly Intrinsic[] = [
  ...['transpose', 'permute_dims'].map((name) =>
    intrinsic(
      name,
      [required('x'), optional('axes')],
      'Axis i of the result is axis `axes[i]` of x; without `axes` they are reversed.',
      (a) => {
        const x = a.value('x');
        const rank = x.type.shape.length;
        const axes = a.isNone('axes') ? [...range(rank)].reverse() : a.axes('axes', rank);
        if (axes.length !== rank) {
          a.fail('MLX2432', `\`${name}\` needs every axis: ${rank}, found ${axes.length}`, {
            span: a.spanOf('axes'),
          });
        }
        return a.tensor(a.permute(x, axes));
      },
    ),
  ),
  intrinsic(
    'swapaxes',
    [required('x'), required('axis1'), required('axis2')],
    'x with two axes exchanged.',
    (a) => {
      const x = a.value('x');
      const rank = x.type.shape.length;
      const [p, q] = [a.axis('axis1', rank), a.axis('axis2', rank)];
      return a.tensor(
        a.permute(
          x,
          range(rank).map((i) => (i === p ? q : i === q ? p : i)),
        ),
      );
    },
  ),
  intrinsic(
    'moveaxis',
    [required('x'), required('source'), required('destination')],
    'x with axes moved to other places; the others keep their order.',
    (a) => {
      const x = a.value('x');
      const rank = x.type.shape.length;
      const [from, to] = [a.axes('source', rank), a.axes('destination', rank)];
      if (from.length !== to.length) {
        a.fail('MLX2433', `${from.length} axes cannot move to ${to.length} places`);
      }
      return a.tensor(moveAxes(a, x, from, to));
    },
  ),
  intrinsic(
    'flip',
    [required('x'), optional('axis')],
    'x with the order along the axes turned round.',
    (a) => {
      const x = a.value('x');
      const rank = x.type.shape.length;
      const axes = a.isNone('axis') ? range(rank) : a.axes('axis', rank);
      return a.tensor(axes.length === 0 ? x : a.apply('reverse', [x], { axes }));
    },
  ),
];

const diagonals: readonly Intrinsic[] = [
  intrinsic(
    'diagonal',
    [
      required('x'),
      optional('offset', intTerm(0)),
      optional('axis1', intTerm(0)),
      optional('axis2', intTerm(1)),
    ],
    'The elements whose index along `axis2` is that along `axis1` plus `offset`, as a last axis in place of both.',
    (a) => {
      const x = a.value('x');
      const rank = x.type.shape.length;
      if (rank < 2) failWithoutMatrix(a, 'diagonal');
      const [row, column] = [a.axis('axis1', rank), a.axis('axis2', rank)];
      if (row === column) {
        a.fail('MLX2429', 'a diagonal runs along two different axes', { span: a.spanOf('axis2') });
      }
      const offset = a.int('offset');
      const known = constantValue(offset);
      if (known === undefined) {
        return a.fail('MLX2429', 'the offset of a diagonal must be a number', {
          span: a.spanOf('offset'),
        });
      }
      const [height, width] = [x.type.shape[row]!, x.type.shape[column]!];
      const down = min(int(Math.max(0, -known)), height);
      const right = min(int(Math.max(0, known)), width);
      const size = max(zero, min(subtract(height, down), subtract(width, right)));
      const rows = sliceAxis(a, x, row, down, add(down, size));
      const square = sliceAxis(a, rows, column, right, add(right, size));
      const taken = takeDiagonal(a, square, row, column);
      const axis = column < row ? row - 1 : row;
      return a.tensor(moveAxes(a, taken, [axis], [rank - 2]));
    },
  ),
];

/** x where the two axes have equal indices; the second axis is removed. */
export function takeDiagonal(e: Emitter, given: Value, keep: number, drop: number): Value {
  const what = `axes ${keep} and ${drop}, whose diagonal is taken`;
  const x = e.withSize(given, drop, given.type.shape[keep]!, what);
  const { dtype, shape } = x.type;
  const onDiagonal = e.apply('eq', [e.iota('i32', shape, keep), e.iota('i32', shape, drop)]);
  const taken = e.apply('select', [onDiagonal, x, e.fill(0, dtype, shape)]);
  const reduction = dtype === 'bool' ? 'reduce_any' : 'reduce_sum';
  return e.apply(reduction, [taken], { axes: [drop] });
}

/** Reading sizes: all of it at compile time. */
const sizes: readonly Intrinsic[] = [
  intrinsic('shape', [required('x')], 'The sizes of x as a tuple of ints.', (a) => ({
    kind: 'tuple',
    items: a.value('x').type.shape.map((dim) => intTerm(dim)),
  })),
  intrinsic('ndim', [required('x')], 'The number of axes of x.', (a) =>
    intTerm(a.value('x').type.shape.length),
  ),
  intrinsic(
    'size',
    [required('x'), optional('axis')],
    'The number of elements of x, or its size along an axis (or several).',
    (a) => {
      const { shape } = a.value('x').type;
      const axes = a.isNone('axis') ? range(shape.length) : a.axes('axis', shape.length);
      return intTerm(product(axes.map((axis) => shape[axis]!)));
    },
  ),
  intrinsic(
    'len',
    [required('x')],
    'The length of an array or tuple, or of the first axis.',
    (a) => {
      const term = a.term('x');
      if (term.kind === 'array' || term.kind === 'tuple') return intTerm(term.items.length);
      const size = a.value('x').type.shape[0];
      return size === undefined
        ? a.fail('MLX2439', 'a scalar has no length', { span: a.spanOf('x') })
        : intTerm(size);
    },
  ),
  intrinsic('dtype', [required('x')], 'The dtype of x.', (a) => ({
    kind: 'dtype',
    dtype: a.value('x').type.dtype,
  })),
];

export const shapes: readonly Intrinsic[] = [...reshaping, ...permuting, ...diagonals, ...sizes];
