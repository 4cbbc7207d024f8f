/** Several tensors brought to one shape, and tensors of indices whose sizes follow from numbers known when compiling. */
import {
  constantValue,
  type Int,
  int,
  multiply,
  one,
  print,
  product,
} from '../../symbolic/integer.ts';
import { isInteger } from '../../tensor-ir/dtype.ts';
import type { Value } from '../../tensor-ir/program.ts';
import type { Intrinsic } from '../intrinsic.ts';
import type { Term } from '../value.ts';
import { expandDims, sliceAxis } from './shapes.ts';
import {
  type Arguments,
  intrinsic,
  intTerm,
  optional,
  range,
  required,
  rest,
  showTensor,
} from './support.ts';

const no = { kind: 'boolean', value: false } as const;

function tuple(a: Arguments, values: readonly Value[]): Term {
  return { kind: 'tuple', items: values.map((v) => a.tensor(v)) };
}

/** The tensors of a rest parameter, each of its own dtype. */
function tensorsOf(a: Arguments, name: string): readonly Value[] {
  return a.restOf(name).map((term) => a.need(a.context.toTensor(term, a.spanOf(name))));
}

/** Literals take the dtype of the tensors, when those have one. */
function numbersOf(a: Arguments, name: string): readonly Value[] {
  const values = tensorsOf(a, name);
  const terms = a.restOf(name);
  const dtypes = new Set(
    values.filter((_, i) => terms[i]!.kind === 'tensor').map((v) => v.type.dtype),
  );
  if (dtypes.size !== 1) return values;
  const [dtype] = [...dtypes];
  return terms.map((term) => a.need(a.context.toTensor(term, a.spanOf(name), dtype)));
}

function vectorsOf(a: Arguments, name: string): readonly Value[] {
  return tensorsOf(a, name).map((x) => {
    if (x.type.shape.length === 1) return x;
    return a.fail('MLX2416', `expected a vector, found ${showTensor(x.type)}`, {
      span: a.spanOf(name),
    });
  });
}

const meshgrid = intrinsic(
  'meshgrid',
  [rest('xi'), optional('sparse', no), optional('indexing', { kind: 'string', value: 'xy' })],
  'A tuple with one tensor for each vector: its numbers along an axis of its own, repeated along the others. `indexing = "xy"` puts the second vector first among the axes, `"ij"` keeps the order; with `sparse` the other axes have size 1.',
  (a) => {
    const vectors = vectorsOf(a, 'xi');
    const indexing = a.string('indexing');
    if (indexing !== 'xy' && indexing !== 'ij') {
      a.fail('MLX2417', '`indexing` is "xy" or "ij"', { span: a.spanOf('indexing') });
    }
    const axes = range(vectors.length).map((i) =>
      indexing === 'xy' && i < 2 && vectors.length > 1 ? 1 - i : i,
    );
    const shape: Int[] = vectors.map(() => one);
    vectors.forEach((v, i) => {
      shape[axes[i]!] = v.type.shape[0]!;
    });
    const isSparse = a.boolean('sparse');
    return tuple(
      a,
      vectors.map((v, i) => {
        const own = isSparse ? shape.map((size, axis) => (axis === axes[i] ? size : one)) : shape;
        return a.broadcast(v, own, [axes[i]!]);
      }),
    );
  },
);

const broadcastShapes = intrinsic(
  'broadcast_shapes',
  [rest('shapes')],
  'The shape that tensors of the given shapes broadcast to, as a tuple of ints.',
  (a) => {
    const span = a.spanOf('shapes');
    const examples = a
      .restOf('shapes')
      .map((term) => a.fill(0, 'bool', a.need(a.context.asShape(term, span))));
    if (examples.length === 0) return { kind: 'tuple', items: [] };
    const together = a.need(
      a.context.broadcastTogether(
        examples,
        examples.map(() => span),
      ),
    );
    return { kind: 'tuple', items: together[0]!.type.shape.map((size) => intTerm(size)) };
  },
);

const unstack = intrinsic(
  'unstack',
  [required('x'), optional('axis', intTerm(0))],
  'A tuple of the slices of x along an axis, without that axis; its size must be known.',
  (a) => {
    const x = a.value('x');
    const axis = a.axis('axis', x.type.shape.length);
    const count = constantValue(x.type.shape[axis]!);
    if (count === undefined) {
      const size = print(x.type.shape[axis]!);
      return a.fail('MLX2418', `\`unstack\` needs a known size: axis ${axis} is ${size}`, {
        hint: '`for row in x` loops over an axis of any size',
      });
    }
    const shape = x.type.shape.filter((_, i) => i !== axis);
    return tuple(
      a,
      range(count).map((i) => a.reshape(sliceAxis(a, x, axis, int(i), int(i + 1)), shape)),
    );
  },
);

/** Rows and columns of a triangle of an n by m matrix, row by row: as many as `isInside` says. */
function triangleIndices(
  name: string,
  doc: string,
  isInside: (row: number, column: number, k: number) => boolean,
): Intrinsic {
  const parameters = [required('n'), optional('k', intTerm(0)), optional('m')];
  return intrinsic(name, parameters, doc, (a) => {
    const n = a.constantInt('n');
    const k = a.constantInt('k');
    const m = a.isNone('m') ? n : a.constantInt('m');
    const places = range(n).flatMap((row) =>
      range(m).flatMap((column) => (isInside(row, column, k) ? [[row, column] as const] : [])),
    );
    const literal = (data: readonly number[]): Value =>
      a.apply('literal', [], {
        dtype: 'i32',
        shape: [int(data.length)],
        data: Int32Array.from(data),
      });
    return tuple(a, [
      literal(places.map(([row]) => row)),
      literal(places.map(([, column]) => column)),
    ]);
  });
}

function integersOf(a: Arguments, value: Value, name: string): Value {
  if (isInteger(value.type.dtype)) return value;
  return a.fail('MLX2419', `indices must be integers, found ${value.type.dtype}`, {
    span: a.spanOf(name),
  });
}

/** The row-major strides of a shape. */
function strides(shape: readonly Int[]): readonly Int[] {
  return shape.map((_, i) => product(shape.slice(i + 1)));
}

const unravelIndex = intrinsic(
  'unravel_index',
  [required('indices'), required('shape')],
  'For row-major positions in a tensor of a shape, a tuple of the index along each axis. Positions beyond the last clamp to it, negative ones count from the end.',
  (a) => {
    const index = integersOf(a, a.value('indices'), 'indices');
    const shape = a.shape('shape');
    const { dtype } = index.type;
    const own = index.type.shape;
    const whole = (size: Int): Value => a.broadcast(a.dim(size, dtype), own, []);
    const total = whole(product(shape));
    const isNegative = a.apply('lt', [index, a.fill(0, dtype, own)]);
    const counted = a.apply('select', [isNegative, a.apply('add', [index, total]), index]);
    const last = a.apply('sub', [total, a.fill(1, dtype, own)]);
    const held = a.apply('max', [a.fill(0, dtype, own), a.apply('min', [counted, last])]);
    return tuple(
      a,
      strides(shape).map((stride, axis) => {
        const rows = a.apply('floor_div', [held, whole(stride)]);
        return a.apply('rem', [rows, whole(shape[axis]!)]);
      }),
    );
  },
);

const ravelMultiIndex = intrinsic(
  'ravel_multi_index',
  [required('multi_index'), required('dims')],
  'The row-major position in a tensor of a shape for a tuple with the index along each axis. Out of range is not checked.',
  (a) => {
    const dims = a.shape('dims');
    const term = a.term('multi_index');
    const items = term.kind === 'tuple' || term.kind === 'array' ? term.items : [term];
    const spans = items.map(() => a.spanOf('multi_index'));
    if (items.length !== dims.length) {
      const counts = `expected an index for each of ${dims.length} axes, found ${items.length}`;
      a.fail('MLX2419', counts, { span: a.spanOf('multi_index') });
    }
    const values = a.need(a.context.toTensors(items, spans));
    const together = a.need(a.context.broadcastTogether(values, spans));
    const scaled = together.map((value, axis) => {
      const { dtype, shape } = integersOf(a, value, 'multi_index').type;
      const stride = a.broadcast(a.dim(strides(dims)[axis]!, dtype), shape, []);
      return a.apply('mul', [value, stride]);
    });
    return a.tensor(scaled.reduce((sum, part) => a.apply('add', [sum, part])));
  },
);

const indices = intrinsic(
  'indices',
  [required('dimensions')],
  'i32[R, ...dimensions] for a shape of R axes: the index along each axis at every element.',
  (a) => {
    const shape = a.shape('dimensions');
    if (shape.length === 0) a.fail('MLX2416', '`indices` needs at least one axis');
    const axes = shape.map((_, axis) => expandDims(a, a.iota('i32', shape, axis), [0]));
    return a.tensor(axes.length === 1 ? axes[0]! : a.apply('concatenate', axes, { axis: 0 }));
  },
);

const kron = intrinsic(
  'kron',
  [required('x'), required('y')],
  'The Kronecker product: every element of x times all of y, in blocks; of each axis the sizes multiply. A missing leading axis counts as 1.',
  (a) => {
    const spans = [a.spanOf('x'), a.spanOf('y')];
    const sides = a.need(a.context.toTensors([a.term('x'), a.term('y')], spans));
    const rank = Math.max(...sides.map((v) => v.type.shape.length));
    const [x, y] = sides.map((v) => {
      const missing = range(rank - v.type.shape.length).map(() => one);
      return a.reshape(v, [...missing, ...v.type.shape]);
    });
    const p = x!.type.shape;
    const q = y!.type.shape;
    const blocks = range(rank).flatMap((i) => [p[i]!, q[i]!]);
    const spread = [
      a.broadcast(
        x!,
        blocks,
        range(rank).map((i) => 2 * i),
      ),
      a.broadcast(
        y!,
        blocks,
        range(rank).map((i) => 2 * i + 1),
      ),
    ];
    return a.tensor(
      a.reshape(
        a.apply('mul', spread),
        range(rank).map((i) => multiply(p[i]!, q[i]!)),
      ),
    );
  },
);

export const grids: readonly Intrinsic[] = [
  meshgrid,
  intrinsic(
    'broadcast_arrays',
    [rest('args')],
    'A tuple of the tensors, broadcast to one shape; each keeps its dtype, a number takes that of the tensors.',
    (a) => {
      const values = numbersOf(a, 'args');
      return tuple(
        a,
        a.need(
          a.context.broadcastTogether(
            values,
            values.map(() => a.spanOf('args')),
          ),
        ),
      );
    },
  ),
  broadcastShapes,
  unstack,
  indices,
  triangleIndices(
    'tril_indices',
    'Rows and columns, i32 each, of the elements on and below diagonal k of an n by m matrix (square without m): `x[i, j]` reads the triangle.',
    (row, column, k) => column <= row + k,
  ),
  triangleIndices(
    'triu_indices',
    'Rows and columns, i32 each, of the elements on and above diagonal k of an n by m matrix (square without m): `x[i, j]` reads the triangle.',
    (row, column, k) => column >= row + k,
  ),
  unravelIndex,
  ravelMultiIndex,
  kron,
];
