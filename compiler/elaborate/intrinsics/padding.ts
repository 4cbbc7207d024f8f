/** Tensors made longer: padding, repetition, and what leaves at one end and comes back at the other. */
import {
  add,
  type Int,
  int,
  max,
  mod,
  multiply,
  one,
  product,
  subtract,
  zero,
} from '../../symbolic/integer.ts';
import type { Value } from '../../tensor-ir/program.ts';
import type { Intrinsic } from '../intrinsic.ts';
import type { Term } from '../value.ts';
import { expandDims, moveAxes, sliceAxis } from './shapes.ts';
import {
  type Arguments,
  type Emitter,
  intrinsic,
  intTerm,
  optional,
  range,
  required,
} from './support.ts';

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
  const cut = subtract(size, mod(shift, size));
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
  e.requireElements(size, add(low, high));
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

export const padding: readonly Intrinsic[] = [
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
];
