/** Functions that make tensors. A shape that is left out comes from the type that the surroundings expect. */
import {
  add,
  ceildiv,
  constantValue,
  type Int,
  int,
  max,
  product,
  subtract,
} from '../../symbolic/integer.ts';
import { type DType, isFloat } from '../../tensor-ir/dtype.ts';
import type { TensorType, Value } from '../../tensor-ir/program.ts';
import { fromReal, join } from '../complex-math.ts';
import type { Intrinsic } from '../intrinsic.ts';
import { tensorTerm } from '../terms.ts';
import type { Term, Type } from '../value.ts';
import {
  type Arguments,
  failWithoutMatrix,
  intrinsic,
  intTerm,
  optional,
  required,
} from './support.ts';
import { mapLeaves } from './trees.ts';

/** `shape` and `dtype` as given, else as expected; the dtype falls back to `fallback`. */
export function resultType(a: Arguments, fallback: DType): TensorType {
  const expected = a.call.expected;
  const wanted = expected?.kind === 'tensor' ? expected : undefined;
  const dtype = a.isNone('dtype') ? (wanted?.dtype ?? fallback) : a.dtype('dtype');
  if (!a.isNone('shape')) return { dtype, shape: a.shape('shape') };
  if (wanted !== undefined) return { dtype, shape: wanted.shape };
  // the type that was written could not be read, which has been said
  if (expected?.kind === 'error') a.need(undefined);
  return a.fail('MLX2410', 'the shape is not known here', {
    hint: 'give it, as in `zeros((2, 3))`, or annotate: `let x: f32[2, 3] = zeros();`',
  });
}

/** A term of the given type with every tensor made by `make`: `let m: Mlp = zeros();`. */
function fillType(a: Arguments, type: Type, make: (type: TensorType) => Value): Term {
  switch (type.kind) {
    case 'tensor':
      return a.tensor(make(type));
    case 'complex': {
      const re = make({ dtype: 'f32', shape: type.shape });
      return tensorTerm(join(a.builder, fromReal(a.builder, re)), 'complex');
    }
    case 'tuple':
      return { kind: 'tuple', items: type.items.map((t) => fillType(a, t, make)) };
    case 'array':
      return { kind: 'array', items: type.items.map((t) => fillType(a, t, make)) };
    case 'struct':
      return {
        kind: 'struct',
        type: type.type,
        fields: new Map(type.fields.map((f) => [f.name, fillType(a, f.type, make)])),
      };
    default:
      return a.fail('MLX2411', `cannot make a value of type ${a.context.showType(type)}`);
  }
}

function filled(name: string, value: number, doc: string): Intrinsic {
  return intrinsic(name, [optional('shape'), optional('dtype')], doc, (a) => {
    const expected = a.call.expected;
    const isTree = expected !== undefined && isContainer(expected);
    if (isTree && a.isNone('shape') && a.isNone('dtype')) {
      return fillType(a, expected, (t) => a.fill(value, t.dtype, t.shape));
    }
    const type = resultType(a, 'f32');
    return a.tensor(a.fill(value, type.dtype, type.shape));
  });
}

function isContainer(type: Type): boolean {
  return type.kind === 'struct' || type.kind === 'tuple' || type.kind === 'array';
}

function filledLike(name: string, value: number, doc: string): Intrinsic {
  return intrinsic(name, [required('x'), optional('dtype')], doc, (a) => {
    const dtype = a.isNone('dtype') ? undefined : a.dtype('dtype');
    return mapLeaves(a, a.term('x'), (x) => a.fill(value, dtype ?? x.type.dtype, x.type.shape));
  });
}

/** The number of steps of a range, which must be known to be whole. */
function stepsBetween(a: Arguments, start: Int, stop: Int, step: number): Int {
  if (step === 0) a.fail('MLX2412', 'the step must not be 0', { span: a.spanOf('step') });
  const length = step > 0 ? subtract(stop, start) : subtract(start, stop);
  const steps = ceildiv(length, int(Math.abs(step)));
  const known = constantValue(steps);
  return known !== undefined && known < 0 ? int(0) : steps;
}

/** i * step + start for whole numbers. */
function arithmetic(a: Arguments, dtype: DType, count: Int, start: Int, step: number): Value {
  let x = a.iota(dtype, [count], 0);
  if (step !== 1) x = a.apply('mul', [x, a.fill(step, dtype, [count])]);
  if (constantValue(start) === 0) return x;
  return a.apply('add', [x, a.broadcast(a.dim(start, dtype), [count], [])]);
}

const arange = intrinsic(
  'arange',
  [required('start'), optional('stop'), optional('step', intTerm(1)), optional('dtype')],
  'start, start + step, ... below stop; `arange(n)` counts from 0. i32 unless told otherwise.',
  (a) => {
    const fromZero = a.isNone('stop');
    const first = fromZero ? intTerm(0) : a.term('start');
    const last = a.term(fromZero ? 'start' : 'stop');
    const step = a.term('step');
    const isReal = [first, last, step].some((t) => t.kind === 'float');
    const given = a.isNone('dtype') ? a.expectedDType : a.dtype('dtype');
    const dtype = given ?? (isReal ? 'f32' : 'i32');
    if (isReal) {
      const [from, to, by] = [first, last, step].map((t) => realNumber(a, t));
      const count = int(Math.max(0, Math.ceil((to! - from!) / by!)));
      if (!isFloat(dtype)) a.fail('MLX2413', `a range of real numbers cannot be ${dtype}`);
      const index = a.iota(dtype, [count], 0);
      const scaled = a.apply('mul', [index, a.fill(by!, dtype, [count])]);
      return a.tensor(a.apply('add', [scaled, a.fill(from!, dtype, [count])]));
    }
    const by = a.constantInt('step');
    const from = a.need(a.context.asInt(first, a.spanOf('start')));
    const to = a.need(a.context.asInt(last, a.spanOf(fromZero ? 'start' : 'stop')));
    return a.tensor(arithmetic(a, dtype, stepsBetween(a, from, to, by), from, by));
  },
);

function realNumber(a: Arguments, term: Term): number {
  if (term.kind === 'float') return term.value;
  return a.need(a.context.asConstantInt(term, a.span));
}

const yes = { kind: 'boolean', value: true } as const;

const linspace = intrinsic(
  'linspace',
  [
    required('start'),
    required('stop'),
    optional('num', intTerm(50)),
    optional('endpoint', yes),
    optional('dtype'),
    optional('axis', intTerm(0)),
  ],
  '`num` numbers in equal steps from start to stop, which is the last one, or the first left out without `endpoint`. Of tensors, along a new axis.',
  (a) => {
    const dtype = a.isNone('dtype') ? (a.expectedDType ?? endpointDType(a)) : a.dtype('dtype');
    if (!isFloat(dtype)) a.fail('MLX2413', `\`linspace\` makes floats, not ${dtype}`);
    const count = a.int('num');
    const spans = [a.spanOf('start'), a.spanOf('stop')];
    const ends = ['start', 'stop'].map((n) => a.convert(a.value(n, dtype), dtype));
    const [start, stop] = a.need(a.context.broadcastTogether(ends, spans)) as [Value, Value];
    const axis = a.axis('axis', start.type.shape.length + 1);
    const shape = [...start.type.shape.slice(0, axis), count, ...start.type.shape.slice(axis)];
    const others = shape.flatMap((_, i) => (i === axis ? [] : [i]));
    const steps = a.boolean('endpoint') ? add(count, int(-1)) : count;
    // one number alone is the start
    const gaps = a.broadcast(a.dim(max(steps, int(1)), dtype), shape, []);
    const fraction = a.apply('div', [a.iota(dtype, shape, axis), gaps]);
    const rest = a.apply('sub', [a.fill(1, dtype, shape), fraction]);
    return a.tensor(
      a.apply('add', [
        a.apply('mul', [a.broadcast(start, shape, others), rest]),
        a.apply('mul', [a.broadcast(stop, shape, others), fraction]),
      ]),
    );
  },
);

/** The dtype of a tensor among the ends. */
function endpointDType(a: Arguments): DType {
  const terms = [a.term('start'), a.term('stop')];
  const strong = terms.find((t) => t.kind === 'tensor' && t.isWeak !== true);
  return strong?.kind === 'tensor' ? strong.value.type.dtype : 'f32';
}

const eye = intrinsic(
  'eye',
  [optional('n'), optional('m'), optional('k', intTerm(0)), optional('dtype')],
  'Ones on diagonal k, zeros elsewhere: [n, m], square when m is left out.',
  (a) => {
    const expected = a.call.expected?.kind === 'tensor' ? a.call.expected : undefined;
    const dtype = a.isNone('dtype') ? (expected?.dtype ?? 'f32') : a.dtype('dtype');
    const n = a.isNone('n') ? expected?.shape[0] : a.int('n');
    if (n === undefined) {
      return a.fail('MLX2410', 'the shape is not known here', { hint: 'give it: `eye(3)`' });
    }
    const m = a.isNone('m') ? (a.isNone('n') ? (expected?.shape[1] ?? n) : n) : a.int('m');
    const diagonal = arithmeticRows(a, [n, m], a.int('k'));
    return a.tensor(a.convert(a.apply('eq', [diagonal, a.iota('i32', [n, m], 1)]), dtype));
  },
);

/** The row index plus k over the last two axes of `shape`, as i32. */
function arithmeticRows(a: Arguments, shape: readonly Int[], k: Int): Value {
  const rows = a.iota('i32', shape, shape.length - 2);
  if (constantValue(k) === 0) return rows;
  return a.apply('add', [rows, a.broadcast(a.dim(k, 'i32'), shape, [])]);
}

function triangle(name: string, relation: 'ge' | 'le', doc: string): Intrinsic {
  return intrinsic(name, [required('x'), optional('k', intTerm(0))], doc, (a) => {
    const x = a.value('x');
    const { dtype, shape } = x.type;
    if (shape.length < 2) failWithoutMatrix(a, name);
    const columns = a.iota('i32', shape, shape.length - 1);
    const inside = a.apply(relation, [arithmeticRows(a, shape, a.int('k')), columns]);
    return a.tensor(a.apply('select', [inside, x, a.fill(0, dtype, shape)]));
  });
}

export const creation: readonly Intrinsic[] = [
  filled(
    'zeros',
    0,
    'Zeros of the given or expected shape; of an expected struct, zeros in every field.',
  ),
  filled('ones', 1, 'Ones of the given or expected shape.'),
  intrinsic(
    'full',
    [optional('shape'), optional('fill_value'), optional('dtype')],
    '`fill_value` everywhere. Without a shape, as in `full(fill_value = x)`, the expected one.',
    (a) => {
      if (a.isNone('fill_value')) a.fail('MLX2415', '`full` needs a `fill_value`');
      const type = resultType(a, tensorDType(a) ?? 'f32');
      const value = a.value('fill_value', type.dtype);
      if (value.type.shape.length > 0) {
        a.fail('MLX2415', '`full` needs a scalar', { span: a.spanOf('fill_value') });
      }
      return a.tensor(a.broadcast(a.convert(value, type.dtype), type.shape, []));
    },
  ),
  filledLike('zeros_like', 0, 'Zeros in the shape of x, which may be a tree.'),
  filledLike('ones_like', 1, 'Ones in the shape of x, which may be a tree.'),
  intrinsic(
    'full_like',
    [required('x'), required('fill_value'), optional('dtype')],
    '`fill_value` in the shape of x, which may be a tree.',
    (a) => {
      const dtype = a.isNone('dtype') ? undefined : a.dtype('dtype');
      return mapLeaves(a, a.term('x'), (x) => {
        const wanted = dtype ?? x.type.dtype;
        return a.broadcast(a.convert(a.value('fill_value', wanted), wanted), x.type.shape, []);
      });
    },
  ),
  arange,
  eye,
  intrinsic(
    'iota',
    [optional('shape'), optional('axis', intTerm(0)), optional('dtype')],
    'The index along `axis` at every element of the given or expected shape; i32 unless told otherwise.',
    (a) => {
      const { dtype, shape } = resultType(a, 'i32');
      return a.tensor(a.iota(dtype, shape, a.axis('axis', shape.length)));
    },
  ),
  intrinsic(
    'linear_index',
    [optional('shape'), optional('dtype')],
    'The row-major index of every element of the given or expected shape; i32 unless told otherwise.',
    (a) => {
      const { dtype, shape } = resultType(a, 'i32');
      return a.tensor(a.reshape(a.iota(dtype, [product(shape)], 0), shape));
    },
  ),
  linspace,
  triangle('tril', 'ge', 'x with zeros above diagonal k of its last two axes.'),
  triangle('triu', 'le', 'x with zeros below diagonal k of its last two axes.'),
];

function tensorDType(a: Arguments): DType | undefined {
  const term = a.term('fill_value');
  return term.kind === 'tensor' ? term.value.type.dtype : undefined;
}
