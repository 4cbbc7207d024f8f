/** Reading and writing at positions known only at run time. Negative positions count from the end. */
import { type Int, one, print, product } from '../../symbolic/integer.ts';
import { byteSize, isInteger, isSigned } from '../../tensor-ir/dtype.ts';
import type { Value } from '../../tensor-ir/program.ts';
import type { Intrinsic } from '../intrinsic.ts';
import { expandDims, moveAxes } from './shapes.ts';
import {
  type Arguments,
  type Emitter,
  intrinsic,
  optional,
  range,
  required,
  showTensor,
} from './support.ts';

/** Negative indices become size + index; the primitives clamp or drop what is still out of range. */
export function countFromEnd(e: Emitter, given: Value, size: Int): Value {
  const index = widened(e, given);
  const { dtype, shape } = index.type;
  if (!isSigned(dtype)) return index;
  const isNegative = e.apply('lt', [index, e.fill(0, dtype, shape)]);
  const shifted = e.apply('add', [index, e.broadcast(e.dim(size, dtype), shape, [])]);
  return e.apply('select', [isNegative, shifted, index]);
}

/** Sizes and places of other axes may be more than a narrow integer holds. */
function widened(e: Emitter, index: Value): Value {
  return byteSize(index.type.dtype) < 4 ? e.convert(index, 'i32') : index;
}

function integers(a: Arguments, name: string): Value {
  const index = a.value(name);
  if (!isInteger(index.type.dtype)) {
    a.fail('MLX2470', `positions must be integers, found ${index.type.dtype}`, {
      span: a.spanOf(name),
      hint: '`i32(x)` converts',
    });
  }
  return index;
}

const take = intrinsic(
  'take',
  [required('x'), required('indices'), optional('axis')],
  'The slices of x at `indices` along an axis (of the flattened x for `none`); the shape of the indices replaces ' +
    'the axis. Out of range, reads clamp.',
  (a) => {
    const given = a.value('x');
    const x = a.isNone('axis') ? a.reshape(given, [product(given.type.shape)]) : given;
    const axis = a.isNone('axis') ? 0 : a.axis('axis', x.type.shape.length);
    const index = countFromEnd(a, integers(a, 'indices'), x.type.shape[axis]!);
    a.requireElements(x.type.shape[axis]!, product(index.type.shape));
    const taken = a.apply('gather', [x, index], { axes: [axis] });
    const places = range(index.type.shape.length);
    return a.tensor(
      moveAxes(
        a,
        taken,
        places,
        places.map((i) => axis + i),
      ),
    );
  },
);

const takeAlongAxis = intrinsic(
  'take_along_axis',
  [required('x'), required('indices'), required('axis')],
  'result[..., i, ...] = x[..., indices[..., i, ...], ...] along the axis; the other axes broadcast.',
  (a) => {
    const given = a.value('x');
    const rank = given.type.shape.length;
    const axis = a.axis('axis', rank);
    const wanted = integers(a, 'indices');
    if (wanted.type.shape.length !== rank) {
      a.fail(
        'MLX2471',
        `indices need as many axes as x: ${showTensor(wanted.type)} for ${showTensor(given.type)}`,
      );
    }
    // broadcast all axes but the one that is indexed
    const hold = (v: Value, size: Int): readonly Int[] =>
      v.type.shape.map((d, i) => (i === axis ? size : d));
    const shared = a.need(
      a.context.broadcastTogether(
        [a.fill(0, 'i32', hold(given, one)), a.fill(0, 'i32', hold(wanted, one))],
        [a.spanOf('x'), a.spanOf('indices')],
      ),
    )[0]!;
    const x = a.broadcast(given, hold(shared, given.type.shape[axis]!), range(rank));
    const index = a.broadcast(wanted, hold(shared, wanted.type.shape[axis]!), range(rank));
    a.requireElements(x.type.shape[axis]!, product(index.type.shape));
    const positions = range(rank).map((i) =>
      i === axis ? countFromEnd(a, index, x.type.shape[axis]!) : a.iota('i32', index.type.shape, i),
    );
    return a.tensor(a.apply('gather', [x, ...positions], { axes: range(rank) }));
  },
);

const putAlongAxis = intrinsic(
  'put_along_axis',
  [required('x'), required('indices'), required('values'), required('axis')],
  'x with result[..., indices[..., i, ...], ...] = values[..., i, ...] along the axis; `indices` has the sizes of x along the others, `values` broadcasts to `indices`. Out of range nothing is written; of equal indices the last counts.',
  (a) => {
    const x = a.value('x');
    const rank = x.type.shape.length;
    const axis = a.axis('axis', rank);
    const given = integers(a, 'indices');
    if (given.type.shape.length !== rank) {
      a.fail(
        'MLX2471',
        `indices need as many axes as x: ${showTensor(given.type)} for ${showTensor(x.type)}`,
      );
    }
    const wanted = range(rank).reduce(
      (v, i) => (i === axis ? v : a.withSize(v, i, x.type.shape[i]!, `axis ${i} of the indices`)),
      given,
    );
    const values = a.convert(a.value('values', x.type.dtype), x.type.dtype);
    const update = a.context.broadcastTo(values, wanted.type.shape);
    const positions = range(rank).map((i) =>
      i === axis
        ? countFromEnd(a, wanted, x.type.shape[axis]!)
        : a.iota('i32', wanted.type.shape, i),
    );
    const attrs = { axes: range(rank), mode: 'set' };
    return a.tensor(a.apply('scatter', [x, update, ...positions], attrs));
  },
);

const oneHot = intrinsic(
  'one_hot',
  [required('x'), optional('num_classes'), optional('dtype')],
  'i32[...S] to T[...S, num_classes]: 1 at the class, 0 elsewhere (all 0 for a class out of range).',
  (a) => {
    const x = widened(a, integers(a, 'x'));
    const expected = a.call.expected?.kind === 'tensor' ? a.call.expected : undefined;
    const classes = a.isNone('num_classes') ? expected?.shape.at(-1) : a.int('num_classes');
    if (classes === undefined) return a.fail('MLX2473', '`one_hot` needs `num_classes` here');
    const dtype = a.isNone('dtype') ? (expected?.dtype ?? 'f32') : a.dtype('dtype');
    const rank = x.type.shape.length;
    const shape = [...x.type.shape, classes];
    const wide = a.broadcast(expandDims(a, x, [rank]), shape, range(rank + 1));
    const isClass = a.apply('eq', [wide, a.iota(x.type.dtype, shape, rank)]);
    return a.tensor(a.convert(isClass, dtype));
  },
);

/** One i32 scalar an axis. */
function starts(a: Arguments, x: Value): readonly Value[] {
  const term = a.term('start');
  const items = term.kind === 'tuple' || term.kind === 'array' ? term.items : [term];
  const rank = x.type.shape.length;
  if (items.length !== rank) {
    a.fail('MLX2472', `expected a start for each of ${rank} axes, found ${items.length}`, {
      span: a.spanOf('start'),
    });
  }
  return items.map((item, i) => {
    const start = a.need(a.context.toTensor(item, a.spanOf('start'), 'i32'));
    return countFromEnd(a, a.convert(start, 'i32'), x.type.shape[i]!);
  });
}

/** Demands that a block of the given sizes lies in x. */
function requireBlock(a: Arguments, x: Value, sizes: readonly Int[]): void {
  x.type.shape.forEach((size, axis) => {
    const block = sizes[axis];
    if (block === size || block === undefined) return;
    if (block === one) return a.requireElements(size, one);
    const message = `a block of ${print(block)} needs ${print(size)} >= ${print(block)}`;
    a.context.guard({ relation: 'at-least', left: size, right: block, message, span: a.span });
  });
}

export const indexing: readonly Intrinsic[] = [
  take,
  takeAlongAxis,
  putAlongAxis,
  oneHot,
  intrinsic(
    'dynamic_slice',
    [required('x'), required('start'), required('sizes')],
    'The part of x of the given sizes from `start`, which may be tensors; a start that is too high is clamped.',
    (a) => {
      const x = a.value('x');
      const sizes = a.shape('sizes');
      requireBlock(a, x, sizes);
      return a.tensor(a.apply('dynamic_slice', [x, ...starts(a, x)], { sizes }));
    },
  ),
  intrinsic(
    'dynamic_update_slice',
    [required('x'), required('update'), required('start')],
    'x with `update` written from `start` on; a start that is too high is clamped.',
    (a) => {
      const [x, update] = a.need(
        a.context.toTensors([a.term('x'), a.term('update')], [a.spanOf('x'), a.spanOf('update')]),
      );
      requireBlock(a, x!, update!.type.shape);
      const operands = [x!, update!, ...starts(a, x!)];
      return a.tensor(a.apply('dynamic_update_slice', operands));
    },
  ),
];
