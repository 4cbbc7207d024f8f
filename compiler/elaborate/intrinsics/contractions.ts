/** Sums of products: all of them become `dot_general`. */
import { constantValue, type Int, one, print } from '../../symbolic/integer.ts';
import type { Value } from '../../tensor-ir/program.ts';
import type { Intrinsic } from '../intrinsic.ts';
import type { Term } from '../value.ts';
import { einsum } from './einsum.ts';
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
export function dotGeneral(
  e: Emitter,
  x: Value,
  y: Value,
  contracting: AxisPair,
  batch: AxisPair = [[], []],
): Value {
  contracting[0].forEach((axis, i) => {
    const [left, right] = [x.type.shape[axis]!, y.type.shape[contracting[1][i]!]!];
    e.requireEqual(
      left,
      right,
      `the contracted sizes ${print(left)} of ${showTensor(x.type)} and ${print(right)} of ${showTensor(y.type)}`,
    );
  });
  return e.apply('dot_general', [x, y], { contracting, batch });
}

/** `x @ y` as NumPy has it: vectors lose their axis, leading axes broadcast. */
export function matmul(
  e: Emitter,
  x: Value,
  y: Value,
  spans: readonly [Arguments['span'], Arguments['span']],
): Value {
  const [m, n] = [x.type.shape.length, y.type.shape.length];
  if (m === 0 || n === 0) {
    e.fail(
      'MLX2450',
      `matmul needs at least one axis: ${showTensor(x.type)} @ ${showTensor(y.type)}`,
      {
        span: spans[m === 0 ? 0 : 1],
        hint: 'multiply by a scalar with `*`',
      },
    );
  }
  // a matrix on the right, or a vector, is shared by all leading axes of x
  if (n <= 2) return dotGeneral(e, x, y, [[m - 1], [Math.max(0, n - 2)]]);
  if (m === 1) {
    const result = dotGeneral(e, y, x, [[n - 2], [0]]);
    return result;
  }
  const [a, b] = alignBatch(e, x, y);
  const lead = range(a.type.shape.length - 2);
  const rank = a.type.shape.length;
  return dotGeneral(e, a, b, [[rank - 1], [rank - 2]], [lead, lead]);
}

/** Broadcasts all axes but the last two. */
function alignBatch(e: Emitter, x: Value, y: Value): readonly [Value, Value] {
  const lead = (v: Value): readonly Int[] => v.type.shape.slice(0, -2);
  const rank = Math.max(lead(x).length, lead(y).length);
  const padded = (v: Value): readonly Int[] => [
    ...range(rank - lead(v).length).map(() => one),
    ...lead(v),
  ];
  const [left, right] = [padded(x), padded(y)];
  const shared = left.map((dim, i) => {
    const other = right[i]!;
    if (constantValue(dim) === 1) return other;
    if (constantValue(other) !== 1) e.requireEqual(dim, other, 'the leading axes of matmul');
    return dim;
  });
  const widen = (v: Value): Value => {
    const shape = [...shared, ...v.type.shape.slice(-2)];
    const offset = shape.length - v.type.shape.length;
    return e.broadcast(
      v,
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
  if (m === 0 || n === 0) {
    const spans = [a.spanOf('x'), a.spanOf('y')];
    return a.tensor(a.apply('mul', a.need(a.context.broadcastTogether([x, y], spans))));
  }
  return a.tensor(dotGeneral(a, x, y, [[m - 1], [Math.max(0, n - 2)]]));
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
      return a.tensor(matmul(a, x, y, [a.spanOf('x'), a.spanOf('y')]));
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
    'The last axis of x times the last of y.',
    (a) => {
      const [x, y] = pair(a);
      return a.tensor(dotGeneral(a, x, y, [[x.type.shape.length - 1], [y.type.shape.length - 1]]));
    },
  ),
  intrinsic(
    'outer',
    [required('x'), required('y')],
    'T[M] and T[N] to T[M, N]: all products.',
    (a) => {
      const [x, y] = pair(a);
      return a.tensor(dotGeneral(a, x, y, [[], []]));
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
