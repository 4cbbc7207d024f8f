/** Functions that rearrange elements, under their NumPy names. None of them computes: they become index maps. */
import {
  add,
  constantValue,
  divideExact,
  type Int,
  int,
  max,
  min,
  mod,
  multiply,
  one,
  print,
  product,
  subtract,
  zero,
} from '../../symbolic/integer.ts';
import type { Value } from '../../tensor-ir/program.ts';
import type { Intrinsic } from '../intrinsic.ts';
import { tensorTerm } from '../terms.ts';
import type { Term } from '../value.ts';
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
function isWhole(size: Int): boolean {
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

/** The tensors of a tuple or array, brought to one dtype; of one tensor, its rows. */
function tensorsOf(a: Arguments, name: string): readonly Value[] {
  const term = a.term(name);
  if (term.kind !== 'tuple' && term.kind !== 'array') {
    a.fail('MLX2434', 'expected a tuple or an array of tensors', {
      span: a.spanOf(name),
      hint: 'put them in one: `concatenate((a, b), axis = 0)`',
    });
  }
  if (term.items.length === 0)
    a.fail('MLX2435', 'needs at least one tensor', { span: a.spanOf(name) });
  return a.need(
    a.context.toTensors(
      term.items,
      term.items.map(() => a.spanOf(name)),
    ),
  );
}

/** True when the items are random keys: their words are no axis of the language. */
function areKeys(a: Arguments, name: string): boolean {
  const term = a.term(name);
  const items = term.kind === 'tuple' || term.kind === 'array' ? term.items : [];
  return items.every((item) => item.kind === 'tensor' && item.isKey);
}

/** The tensors with all sizes but that of `axis` (of every axis for stack) as in the first. */
function alike(a: Arguments, values: readonly Value[], axis: number | undefined): readonly Value[] {
  const first = values[0]!.type;
  return values.map((value) => {
    if (value.type.shape.length !== first.shape.length) {
      const shown = `${showTensor(first)} and ${showTensor(value.type)}`;
      a.fail('MLX2436', `tensors of different rank: ${shown}`);
    }
    return first.shape.reduce(
      (v, dim, i) => (i === axis ? v : a.withSize(v, i, dim, `axis ${i} of the tensors`)),
      value,
    );
  });
}

/** Tensors of one shape along a new axis. */
export function stackValues(e: Emitter, values: readonly Value[], axis: number): Value {
  const rows = values.map((v) => expandDims(e, v, [axis]));
  return rows.length === 1 ? rows[0]! : e.apply('concatenate', rows, { axis });
}

/** Whole-number pieces: `split(x, 3)` in equal parts, `split(x, (2, 5))` at indices. */
function pieces(a: Arguments, size: Int): readonly (readonly [Int, Int])[] {
  const term = a.term('indices_or_sections');
  if (term.kind === 'tuple' || term.kind === 'array') {
    const cuts = [zero, ...a.shape('indices_or_sections'), size];
    return cuts.slice(1).map((stop, i) => [cuts[i]!, stop] as const);
  }
  const count = a.constantInt('indices_or_sections');
  if (count < 1)
    a.fail('MLX2437', 'needs at least one part', { span: a.spanOf('indices_or_sections') });
  const part = divideExact(size, int(count));
  if (part === undefined || !isWhole(part)) {
    a.fail('MLX2437', `${print(size)} cannot be split into ${count} equal parts`);
  }
  a.context.guard({
    relation: 'divisible',
    left: size,
    right: int(count),
    message: `split needs ${print(size)} to be a multiple of ${count}`,
    span: a.span,
  });
  return range(count).map((i) => [multiply(int(i), part), multiply(int(i + 1), part)] as const);
}

/** ((low, high), ...) an axis, (low, high) for all axes, or one width for all ends. */
function padWidths(a: Arguments, rank: number): readonly (readonly [Int, Int])[] {
  const span = a.spanOf('pad_width');
  const whole = (term: Term): Int => a.need(a.context.asInt(term, span));
  const pair = (term: Term): readonly [Int, Int] => {
    if (term.kind !== 'tuple' && term.kind !== 'array') return [whole(term), whole(term)];
    if (term.items.length === 1) return [whole(term.items[0]!), whole(term.items[0]!)];
    if (term.items.length === 2) return [whole(term.items[0]!), whole(term.items[1]!)];
    return a.fail('MLX2438', 'the width of an axis is (before, after)', { span });
  };
  const term = a.term('pad_width');
  const nested =
    (term.kind === 'tuple' || term.kind === 'array') &&
    term.items.some((t) => t.kind === 'tuple' || t.kind === 'array');
  if (!nested) return range(rank).map(() => pair(term));
  const items = term.items;
  if (items.length === 1) return range(rank).map(() => pair(items[0]!));
  if (items.length !== rank) {
    a.fail('MLX2438', `expected widths for ${rank} axes, found ${items.length}`, { span });
  }
  return items.map(pair);
}

function rollAxis(e: Emitter, x: Value, axis: number, shift: Int): Value {
  const size = x.type.shape[axis]!;
  // nothing can be divided by a size of 0
  const cut = subtract(size, mod(shift, max(one, size)));
  const parts = [sliceAxis(e, x, axis, cut, size), sliceAxis(e, x, axis, zero, cut)];
  return e.reshape(e.apply('concatenate', parts, { axis }), x.type.shape);
}

const padModes = ['constant', 'edge', 'reflect', 'symmetric', 'wrap'] as const;
type PadMode = (typeof padModes)[number];

function padMode(a: Arguments): PadMode {
  const text = a.string('mode');
  const mode = padModes.find((m) => m === text);
  if (mode !== undefined) return mode;
  const known = padModes.map((m) => `"${m}"`).join(', ');
  return a.fail('MLX2426', `no padding is called "${text}"`, {
    span: a.spanOf('mode'),
    hint: `one of ${known}`,
  });
}

/** Reads x along an axis at -low, ..., size + high - 1, where what lies outside is taken from inside. */
function padAxis(
  e: Emitter,
  x: Value,
  axis: number,
  [low, high]: readonly [Int, Int],
  mode: Exclude<PadMode, 'constant'>,
): Value {
  if (low === zero && high === zero) return x;
  const size = x.type.shape[axis]!;
  const length = add(size, add(low, high));
  const whole = (value: Int): Value => e.broadcast(e.dim(value, 'i32'), [length], []);
  const place = e.apply('sub', [e.iota('i32', [length], 0), whole(low)]);
  const last = whole(subtract(size, one));
  const index = ((): Value => {
    switch (mode) {
      case 'edge':
        return e.apply('min', [e.apply('max', [place, whole(zero)]), last]);
      case 'wrap':
        return e.apply('rem', [place, whole(size)]);
      case 'reflect': {
        // up and down with a period of 2 (size - 1), of at least 1
        const period = whole(max(one, multiply(int(2), subtract(size, one))));
        const phase = e.apply('rem', [place, period]);
        return e.apply('min', [phase, e.apply('sub', [period, phase])]);
      }
      case 'symmetric': {
        const period = whole(multiply(int(2), size));
        const phase = e.apply('rem', [place, period]);
        const back = e.apply('sub', [whole(subtract(multiply(int(2), size), one)), phase]);
        return e.apply('min', [phase, back]);
      }
    }
  })();
  return moveAxes(e, e.apply('gather', [x, index], { axes: [axis] }), [0], [axis]);
}

const joining: readonly Intrinsic[] = [
  ...['concatenate', 'concat'].map((name) =>
    intrinsic(
      name,
      [required('tensors'), optional('axis', intTerm(0))],
      'Tensors one after another along an axis they have; flattened first with `axis = none`.',
      (a) => {
        const given = tensorsOf(a, 'tensors');
        const isKey = areKeys(a, 'tensors');
        const isFlat = a.isNone('axis');
        const values = isFlat ? given.map((x) => a.reshape(x, [product(x.type.shape)])) : given;
        const axis = isFlat ? 0 : a.axis('axis', values[0]!.type.shape.length - (isKey ? 1 : 0));
        const parts = alike(a, values, axis);
        const joined = parts.length === 1 ? parts[0]! : a.apply('concatenate', parts, { axis });
        return tensorTerm(joined, isKey);
      },
    ),
  ),
  intrinsic(
    'stack',
    [required('tensors'), optional('axis', intTerm(0))],
    'Tensors of one shape along a new axis.',
    (a) => {
      const values = tensorsOf(a, 'tensors');
      const isKey = areKeys(a, 'tensors');
      const axis = a.axis('axis', values[0]!.type.shape.length + (isKey ? 0 : 1));
      return tensorTerm(stackValues(a, alike(a, values, undefined), axis), isKey);
    },
  ),
  intrinsic(
    'split',
    [required('x'), required('indices_or_sections'), optional('axis', intTerm(0))],
    'A tuple of parts of x along an axis: equal parts for a number, cut at the indices for a tuple.',
    (a) => {
      const x = a.value('x');
      const axis = a.axis('axis', x.type.shape.length);
      const parts = pieces(a, x.type.shape[axis]!);
      const items = parts.map(([start, stop]) => a.tensor(sliceAxis(a, x, axis, start, stop)));
      return { kind: 'tuple', items };
    },
  ),
  intrinsic(
    'pad',
    [
      required('x'),
      required('pad_width'),
      optional('mode', { kind: 'string', value: 'constant' }),
      optional('constant_values', intTerm(0)),
    ],
    '`constant_values` around x: `pad(x, 1)`, `pad(x, (1, 2))` on every axis, `pad(x, ((1, 2), (0, 0)))` by axis. By mode, instead: "edge" repeats the last element, "reflect" mirrors without it, "symmetric" with it, "wrap" goes on at the other end.',
    (a) => {
      const x = a.value('x');
      const widths = padWidths(a, x.type.shape.length);
      const mode = padMode(a);
      if (mode !== 'constant') {
        return a.tensor(widths.reduce((v, width, axis) => padAxis(a, v, axis, width, mode), x));
      }
      const { dtype } = x.type;
      const given = a.value('constant_values', dtype === 'bool' ? undefined : dtype);
      const value = a.convert(given, dtype);
      const attrs = {
        low: widths.map(([low]) => low),
        high: widths.map(([, high]) => high),
        interior: widths.map(() => zero),
      };
      return a.tensor(a.apply('pad', [x, value], attrs));
    },
  ),
  intrinsic(
    'roll',
    [required('x'), required('shift'), optional('axis')],
    'x moved by `shift` places along an axis, what leaves at the end coming back at the start; several shifts and axes as tuples, the flattened x without an axis.',
    (a) => {
      const x = a.value('x');
      if (a.isNone('axis')) {
        const flat = a.reshape(x, [product(x.type.shape)]);
        return a.tensor(a.reshape(rollAxis(a, flat, 0, a.int('shift')), x.type.shape));
      }
      const term = a.term('axis');
      const axes = term.kind === 'tuple' || term.kind === 'array' ? term.items : [term];
      const shifts = a.shape('shift');
      if (shifts.length !== 1 && shifts.length !== axes.length) {
        a.fail('MLX2427', `${shifts.length} shifts for ${axes.length} axes`, {
          span: a.spanOf('shift'),
        });
      }
      const places = axes.map((axis) =>
        a.need(a.context.asAxis(axis, x.type.shape.length, a.spanOf('axis'))),
      );
      return a.tensor(
        places.reduce((v, axis, i) => rollAxis(a, v, axis, shifts[i] ?? shifts[0]!), x),
      );
    },
  ),
  intrinsic(
    'repeat',
    [required('x'), required('repeats'), optional('axis')],
    'Every element `repeats` times in a row along the axis; of the flattened x without one.',
    (a) => {
      const given = a.value('x');
      const x = a.isNone('axis') ? a.reshape(given, [product(given.type.shape)]) : given;
      const axis = a.isNone('axis') ? 0 : a.axis('axis', x.type.shape.length);
      const times = a.int('repeats');
      const wide = expandDims(a, x, [axis + 1]);
      const shape = wide.type.shape.map((dim, i) => (i === axis + 1 ? times : dim));
      const repeated = a.broadcast(wide, shape, range(shape.length));
      const result = x.type.shape.map((dim, i) => (i === axis ? multiply(dim, times) : dim));
      return a.tensor(a.reshape(repeated, result));
    },
  ),
  intrinsic(
    'tile',
    [required('x'), required('reps')],
    'x side by side `reps[i]` times along axis i, counted from the last.',
    (a) => {
      const x = a.value('x');
      const reps = a.shape('reps');
      const rank = Math.max(x.type.shape.length, reps.length);
      const sizes = [...range(rank - x.type.shape.length).map(() => one), ...x.type.shape];
      const times = [...range(rank - reps.length).map(() => one), ...reps];
      const shape = sizes.flatMap((size, i) => [times[i]!, size]);
      const axes = range(rank).map((i) => 2 * i + 1);
      const repeated = a.broadcast(a.reshape(x, sizes), shape, axes);
      return a.tensor(
        a.reshape(
          repeated,
          sizes.map((size, i) => multiply(size, times[i]!)),
        ),
      );
    },
  ),
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

export const shapes: readonly Intrinsic[] = [...reshaping, ...permuting, ...joining, ...sizes];
