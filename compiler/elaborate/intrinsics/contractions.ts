/** Sums of products: all of them become `dot_general`. */
import { constantValue, type Int, one, product } from '../../symbolic/integer.ts';
import type { Value } from '../../tensor-ir/program.ts';
import type { Intrinsic } from '../intrinsic.ts';
import type { Term } from '../value.ts';
import { einsum } from './einsum.ts';
import { moveAxes } from './shapes.ts';
import {
  type Arguments,
  type Emitter,
  intrinsic,
  intTerm,
  optional,
  range,
  required,
  showTensor,
} from './support.ts';

type AxisPair = readonly [readonly number[], readonly number[]];

/** batch axes ++ free axes of x ++ free axes of y. */
function dotGeneral(
  e: Emitter,
  x: Value,
  y: Value,
  contracting: AxisPair,
  batch: AxisPair = [[], []],
): Value {
  const fitted = contracting[1].reduce((value, axis, i) => {
    const size = x.type.shape[contracting[0][i]!]!;
    const what = `contracting ${showTensor(x.type)} with ${showTensor(y.type)}: axis ${axis} of the second`;
    return e.withSize(value, axis, size, what);
  }, y);
  return e.apply('dot_general', [x, fitted], { contracting, batch });
}

/** `x @ y` as NumPy has it: vectors lose their axis, leading axes broadcast. */
function matmul(e: Emitter, x: Value, y: Value): Value {
  const [m, n] = [x.type.shape.length, y.type.shape.length];
  if (m === 0 || n === 0) {
    const shown = `${showTensor(x.type)} @ ${showTensor(y.type)}`;
    e.fail('MLX2450', `matmul needs at least one axis: ${shown}`, {
      hint: 'multiply by a scalar with `*`',
    });
  }
  const contracting: AxisPair = [[m - 1], [Math.max(0, n - 2)]];
  // a matrix on the right, or a vector, is shared by all leading axes of x
  if (n <= 2) return dotGeneral(e, x, y, contracting);
  if (m <= 2) {
    // free axis of x, leading axes of y, columns of y
    const product = dotGeneral(e, x, y, contracting);
    return m === 1 ? product : moveAxes(e, product, [0], [n - 2]);
  }
  const [a, b] = alignLeading(e, x, y);
  const rank = a.type.shape.length;
  const leading = range(rank - 2);
  return dotGeneral(e, a, b, [[rank - 1], [rank - 2]], [leading, leading]);
}

/** Broadcasts all axes but the last two. */
function alignLeading(e: Emitter, x: Value, y: Value): readonly [Value, Value] {
  const rank = Math.max(x.type.shape.length, y.type.shape.length) - 2;
  const leading = (v: Value): readonly Int[] => {
    const own = v.type.shape.slice(0, -2);
    return [...range(rank - own.length).map(() => one), ...own];
  };
  const right = leading(y);
  const shared = leading(x).map((dim, i) => (constantValue(dim) === 1 ? right[i]! : dim));
  const widen = (v: Value): Value => {
    const shape = [...shared, ...v.type.shape.slice(-2)];
    const offset = shape.length - v.type.shape.length;
    const fitted = range(v.type.shape.length - 2).reduce((value, axis) => {
      const isOne = constantValue(value.type.shape[axis]!) === 1;
      const what = 'the leading axes of matmul';
      return isOne ? value : e.withSize(value, axis, shape[axis + offset]!, what);
    }, v);
    return e.broadcast(
      fitted,
      shape,
      range(v.type.shape.length).map((i) => i + offset),
    );
  };
  return [widen(x), widen(y)];
}

function pair(a: Arguments): readonly [Value, Value] {
  const spans = [a.spanOf('x'), a.spanOf('y')];
  const [x, y] = a.need(a.context.toTensors([a.term('x'), a.term('y')], spans));
  return [x!, y!];
}

/** NumPy's `dot`: the last axis of x against the last but one of y. */
function dot(a: Arguments): Term {
  const [x, y] = pair(a);
  const [m, n] = [x.type.shape.length, y.type.shape.length];
  if (m === 0 || n === 0) return a.tensor(multiplyPair(a, x, y));
  return a.tensor(dotGeneral(a, x, y, [[m - 1], [Math.max(0, n - 2)]]));
}

/** Products with a scalar, which has no axis to contract. */
function multiplyPair(a: Arguments, x: Value, y: Value): Value {
  const spans = [a.spanOf('x'), a.spanOf('y')];
  return a.apply('mul', a.need(a.context.broadcastTogether([x, y], spans)));
}

function tensordot(a: Arguments): Term {
  const [x, y] = pair(a);
  const [m, n] = [x.type.shape.length, y.type.shape.length];
  const axes = a.term('axes');
  if (axes.kind !== 'tuple' && axes.kind !== 'array') {
    const count = a.constantInt('axes');
    if (count < 0 || count > Math.min(m, n)) {
      a.fail(
        'MLX2451',
        `cannot contract ${count} axes of ${showTensor(x.type)} and ${showTensor(y.type)}`,
      );
    }
    return a.tensor(dotGeneral(a, x, y, [range(count).map((i) => m - count + i), range(count)]));
  }
  const [left, right] = axes.items;
  const span = a.spanOf('axes');
  const p = a.need(a.context.asAxes(left ?? intTerm(0), m, span));
  const q = a.need(a.context.asAxes(right ?? intTerm(0), n, span));
  if (p.length !== q.length) a.fail('MLX2451', 'both sides must contract as many axes', { span });
  return a.tensor(dotGeneral(a, x, y, [p, q]));
}

export const contractions: readonly Intrinsic[] = [
  intrinsic(
    'matmul',
    [required('x'), required('y')],
    '`x @ y`: T[..., M, K] and T[..., K, N] to T[..., M, N]; leading axes broadcast, sums in f32.',
    (a) => {
      const [x, y] = pair(a);
      return a.tensor(matmul(a, x, y));
    },
  ),
  intrinsic(
    'dot',
    [required('x'), required('y')],
    'The last axis of x times the last but one of y.',
    dot,
  ),
  intrinsic(
    'inner',
    [required('x'), required('y')],
    'The last axis of x times the last of y; with a scalar, the product.',
    (a) => {
      const [x, y] = pair(a);
      const [m, n] = [x.type.shape.length, y.type.shape.length];
      if (m === 0 || n === 0) return a.tensor(multiplyPair(a, x, y));
      return a.tensor(dotGeneral(a, x, y, [[m - 1], [n - 1]]));
    },
  ),
  intrinsic(
    'outer',
    [required('x'), required('y')],
    'T[M] and T[N] to T[M, N]: all products; tensors of other ranks are flattened first.',
    (a) => {
      const [x, y] = pair(a).map((v) => a.reshape(v, [product(v.type.shape)]));
      return a.tensor(dotGeneral(a, x!, y!, [[], []]));
    },
  ),
  intrinsic(
    'tensordot',
    [required('x'), required('y'), optional('axes', intTerm(2))],
    'Sums over the last `axes` axes of x and the first of y, or over the axes named: `axes = ((1,), (0,))`.',
    tensordot,
  ),
  einsum,
];
