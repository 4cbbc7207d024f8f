/**
 * Element-wise functions under their NumPy names. Arguments broadcast; on compile-time numbers they give compile-time
 * numbers, so that `x * sqrt(0.5)` keeps the dtype of x.
 */
import { evaluateNumbers } from '../../primitives/families.ts';
import {
  ceildiv,
  constantValue,
  floordiv,
  type Int,
  max,
  min,
  mod,
  zero,
} from '../../symbolic/integer.ts';
import { type DType, isFloat } from '../../tensor-ir/dtype.ts';
import type { Value } from '../../tensor-ir/program.ts';
import type { Intrinsic } from '../intrinsic.ts';
import { isWeak } from '../numbers.ts';
import type { Term } from '../value.ts';
import { type Arguments, intrinsic, optional, required } from './support.ts';

type Fold = (...numbers: number[]) => number;

/** `names[0]` is the NumPy name that is documented, the others are aliases of Python's array standard. */
function unary(names: readonly string[], primitive: string, doc: string, fold?: Fold): Intrinsic[] {
  return names.map((name) =>
    intrinsic(name, [required('x')], doc, (a) => {
      const known = fold && foldNumbers(a, ['x'], fold);
      if (known !== undefined) return known;
      return weakened(a, ['x'], a.apply(primitive, [realValue(a)]));
    }),
  );
}

function binary(
  names: readonly string[],
  primitive: string,
  doc: string,
  fold?: Fold,
): Intrinsic[] {
  return names.map((name) =>
    intrinsic(name, [required('x'), required('y')], doc, (a) => {
      const known = fold && foldNumbers(a, ['x', 'y'], fold);
      if (known !== undefined) return known;
      return weakened(a, ['x', 'y'], a.apply(primitive, a.values('x', 'y')));
    }),
  );
}

/** The result when all arguments are compile-time numbers with known values: a real number. */
function foldNumbers(a: Arguments, names: readonly string[], fold: Fold): Term | undefined {
  const numbers = names.map((name) => numberOf(a.term(name)));
  if (numbers.some((n) => n === undefined)) return undefined;
  return { kind: 'float', value: fold(...(numbers as number[])) };
}

/** A function of dims alone, such as `sqrt(D)`, takes the dtype of what it meets, as literals do. */
function weakened(a: Arguments, names: readonly string[], value: Value): Term {
  const term = a.tensor(value);
  const isKnown = names.every((name) => isWeak(a.term(name)));
  return isKnown && term.kind === 'tensor' ? { ...term, isWeak: true } : term;
}

/** The dtype for a literal: what is expected of the result, unless that is a truth. */
function numberDType(a: Arguments): DType | undefined {
  return a.expectedDType === 'bool' ? undefined : a.expectedDType;
}

/** x as a tensor; dims become real numbers, for there is no integer function among those that do not fold. */
function realValue(a: Arguments): Value {
  const isDim = a.term('x').kind === 'int';
  return a.value('x', numberDType(a) ?? (isDim ? 'f32' : undefined));
}

function numberOf(term: Term): number | undefined {
  if (term.kind === 'float') return term.value;
  return term.kind === 'int' ? constantValue(term.value) : undefined;
}

/** Like `binary`, and on two whole compile-time numbers (dims too) the exact `whole`. */
function wholeBinary(
  names: readonly string[],
  primitive: string,
  doc: string,
  whole: (x: Int, y: Int) => Int,
  fold: Fold,
): Intrinsic[] {
  return binary(names, primitive, doc, fold).map((inner) => ({
    ...inner,
    apply: (context, args, call) => {
      const [x, y] = args;
      if (x?.kind === 'int' && y?.kind === 'int' && constantValue(y.value) !== 0) {
        return { kind: 'int', value: whole(x.value, y.value) };
      }
      return inner.apply(context, args, call);
    },
  }));
}

function composite(name: string, doc: string, build: (a: Arguments, x: Value) => Value): Intrinsic {
  return intrinsic(name, [required('x')], doc, (a) =>
    a.tensor(build(a, a.value('x', numberDType(a)))),
  );
}

const zeroTerm: Term = { kind: 'int', value: zero };

const signOf: Fold = (x) => Math.sign(x!);
const half: Fold = (x) => {
  const floor = Math.floor(x!);
  const gap = x! - floor;
  return gap < 0.5 || (gap === 0.5 && floor % 2 === 0) ? floor : floor + 1;
};

const round = intrinsic(
  'round',
  [required('x'), optional('decimals', zeroTerm)],
  'The nearest integer, halves to even; with `decimals` the nearest multiple of 10 ** -decimals.',
  (a) => {
    const decimals = a.constantInt('decimals');
    const power = 10 ** Math.abs(decimals);
    const scale = (x: number): number => (decimals < 0 ? x / power : x * power);
    const back = (x: number): number => (decimals < 0 ? x * power : x / power);
    const known = foldNumbers(a, ['x'], (x) => back(half(scale(x!))));
    if (known !== undefined) return known;
    const x = realValue(a);
    const { dtype, shape } = x.type;
    if (decimals === 0) return weakened(a, ['x'], a.apply('round', [x]));
    if (!isFloat(dtype)) {
      return a.fail('MLX2405', `\`decimals\` rounds floats, found ${dtype}`, {
        span: a.spanOf('decimals'),
        hint: 'convert first: `round(f32(x), decimals = -1)`',
      });
    }
    const factor = a.fill(power, dtype, shape);
    const [before, after] = decimals < 0 ? ['div', 'mul'] : ['mul', 'div'];
    const scaled = a.apply(before!, [x, factor]);
    return a.tensor(a.apply(after!, [a.apply('round', [scaled]), factor]));
  },
);

const unaries: readonly Intrinsic[] = [
  ...unary(['negative'], 'neg', '-x.', (x) => -x!),
  ...unary(['abs', 'absolute'], 'abs', '|x|; its derivative at 0 is 0.', Math.abs),
  ...unary(['sign'], 'sign', '-1, 0 or 1.', signOf),
  ...unary(['floor'], 'floor', 'The greatest integer that is <= x.', Math.floor),
  ...unary(['ceil'], 'ceil', 'The least integer that is >= x.', Math.ceil),
  round,
  ...unary(['trunc'], 'trunc', 'x without its fraction.', Math.trunc),
  ...unary(['exp'], 'exp', 'e ** x.', Math.exp),
  ...unary(['exp2'], 'exp2', '2 ** x.', (x) => 2 ** x!),
  ...unary(['expm1'], 'expm1', 'exp(x) - 1, exact near 0.', Math.expm1),
  ...unary(['log'], 'log', 'The natural logarithm.', Math.log),
  ...unary(['log2'], 'log2', 'The logarithm to base 2.', Math.log2),
  ...unary(['log1p'], 'log1p', 'log(1 + x), exact near 0.', Math.log1p),
  ...unary(['sqrt'], 'sqrt', 'The square root; NaN below 0.', Math.sqrt),
  ...unary(['rsqrt'], 'rsqrt', '1 / sqrt(x).', (x) => 1 / Math.sqrt(x!)),
  ...unary(['cbrt'], 'cbrt', 'The cube root.', Math.cbrt),
  ...unary(['sin'], 'sin', 'The sine; x in radians.', Math.sin),
  ...unary(['cos'], 'cos', 'The cosine; x in radians.', Math.cos),
  ...unary(['tan'], 'tan', 'The tangent; x in radians.', Math.tan),
  ...unary(['asin', 'arcsin'], 'asin', 'The inverse sine, in radians.', Math.asin),
  ...unary(['acos', 'arccos'], 'acos', 'The inverse cosine, in radians.', Math.acos),
  ...unary(['atan', 'arctan'], 'atan', 'The inverse tangent, in radians.', Math.atan),
  ...unary(['sinh'], 'sinh', 'The hyperbolic sine.', Math.sinh),
  ...unary(['cosh'], 'cosh', 'The hyperbolic cosine.', Math.cosh),
  ...unary(['tanh'], 'tanh', 'The hyperbolic tangent.', Math.tanh),
  ...unary(['asinh', 'arcsinh'], 'asinh', 'The inverse hyperbolic sine.', Math.asinh),
  ...unary(['acosh', 'arccosh'], 'acosh', 'The inverse hyperbolic cosine.', Math.acosh),
  ...unary(['atanh', 'arctanh'], 'atanh', 'The inverse hyperbolic tangent.', Math.atanh),
  ...unary(['logistic'], 'logistic', '1 / (1 + exp(-x)).', (x) => 1 / (1 + Math.exp(-x!))),
  ...unary(['erf'], 'erf', 'The error function.'),
  ...unary(['erfc'], 'erfc', '1 - erf(x), exact for large x.'),
  ...unary(['erfinv'], 'erfinv', 'The inverse of erf on (-1, 1).'),
  ...unary(['lgamma', 'gammaln'], 'lgamma', 'log(|gamma(x)|); infinite at 0, -1, -2, ...'),
  ...unary(['digamma'], 'digamma', 'The derivative of `lgamma`.'),
  ...unary(['isfinite'], 'is_finite', 'True where x is neither infinite nor NaN.'),
  ...unary(['invert', 'bitwise_not', 'bitwise_invert'], 'not', 'Every bit turned round.'),
  ...unary(['bitwise_count'], 'popcount', 'How many bits are 1.'),
  ...unary(['clz'], 'clz', 'How many leading bits are 0.'),
  composite('log10', 'The logarithm to base 10.', (a, x) =>
    a.apply('mul', [a.apply('log', [x]), a.fill(Math.LOG10E, x.type.dtype, x.type.shape)]),
  ),
  composite('isnan', 'True where x is NaN.', (a, x) => a.apply('ne', [x, x])),
  composite('isinf', 'True where x is infinite.', (a, x) =>
    a.apply('eq', [
      a.apply('abs', [x]),
      a.fill(Number.POSITIVE_INFINITY, x.type.dtype, x.type.shape),
    ]),
  ),
  composite('reciprocal', '1 / x.', (a, x) =>
    a.apply('div', [a.fill(1, x.type.dtype, x.type.shape), x]),
  ),
  intrinsic('square', [required('x')], 'x * x.', (a) => {
    const known = foldNumbers(a, ['x'], (x) => x! * x!);
    if (known !== undefined) return known;
    const x = a.value('x', numberDType(a));
    return a.tensor(a.apply('mul', [x, x]));
  }),
];

const binaries: readonly Intrinsic[] = [
  ...binary(['add'], 'add', 'x + y.', (x, y) => x! + y!),
  ...binary(['subtract'], 'sub', 'x - y.', (x, y) => x! - y!),
  ...binary(['multiply'], 'mul', 'x * y.', (x, y) => x! * y!),
  ...binary(['divide', 'true_divide'], 'div', 'x / y, for floats.', (x, y) => x! / y!),
  ...binary(['power', 'pow'], 'pow', 'x ** y.', (x, y) => evaluateNumbers('pow', x!, y!)),
  ...binary(['atan2', 'arctan2'], 'atan2', 'The angle of the point (y, x) in radians.', (x, y) =>
    Math.atan2(x!, y!),
  ),
  ...wholeBinary(
    ['floor_divide', 'floordiv'],
    'floor_div',
    'floor(x / y); for dims too.',
    floordiv,
    (x, y) => evaluateNumbers('floor_div', x!, y!),
  ),
  ...wholeBinary(
    ['remainder', 'mod'],
    'rem',
    'x - y * floor(x / y): it has the sign of y.',
    mod,
    (x, y) => evaluateNumbers('rem', x!, y!),
  ),
  ...wholeBinary(
    ['maximum'],
    'max',
    'The greater of the two, NaN if either is; at a tie each gets half of the gradient.',
    max,
    Math.max,
  ),
  ...wholeBinary(
    ['minimum'],
    'min',
    'The smaller of the two, NaN if either is; at a tie each gets half of the gradient.',
    min,
    Math.min,
  ),
  ...binary(['bitwise_and'], 'and', 'x & y, bit by bit.'),
  ...binary(['bitwise_or'], 'or', 'x | y, bit by bit.'),
  ...binary(['bitwise_xor'], 'xor', 'x ^ y, bit by bit.'),
  ...binary(['left_shift', 'bitwise_left_shift'], 'shift_left', 'x << y; 0 from the width on.'),
  ...binary(
    ['right_shift', 'bitwise_right_shift'],
    'shift_right',
    'x >> y: copies the sign of signed integers.',
  ),
  ...binary(['equal'], 'eq', 'x == y.'),
  ...binary(['not_equal'], 'ne', 'x != y.'),
  ...binary(['less'], 'lt', 'x < y.'),
  ...binary(['less_equal'], 'le', 'x <= y.'),
  ...binary(['greater'], 'gt', 'x > y.'),
  ...binary(['greater_equal'], 'ge', 'x >= y.'),
];

function itemsOf(a: Arguments, name: string): readonly Term[] {
  const term = a.term(name);
  if (term.kind === 'tuple' || term.kind === 'array') return term.items;
  return a.fail('MLX2404', '`select` needs tuples or arrays of tensors', { span: a.spanOf(name) });
}

function requireCondition(a: Arguments, condition: Value, name: string): Value {
  if (condition.type.dtype === 'bool') return condition;
  const callee = name === 'condlist' ? 'select' : 'where';
  return a.fail('MLX2401', `\`${callee}\` needs a bool condition, found ${condition.type.dtype}`, {
    span: a.spanOf(name),
    hint: 'write a comparison, such as `x != 0`',
  });
}

/** NumPy's logical functions take anything and look at `!= 0`. */
function logical(name: string, primitive: string, doc: string): Intrinsic {
  return intrinsic(name, [required('x'), required('y')], doc, (a) => {
    const spans = [a.spanOf('x'), a.spanOf('y')];
    const truths = ['x', 'y'].map((n) => a.convert(a.value(n), 'bool'));
    return a.tensor(a.apply(primitive, a.need(a.context.broadcastTogether(truths, spans))));
  });
}

const others: readonly Intrinsic[] = [
  logical('logical_and', 'and', 'True where both are not 0.'),
  logical('logical_or', 'or', 'True where one is not 0.'),
  logical('logical_xor', 'xor', 'True where exactly one is not 0.'),
  intrinsic('logical_not', [required('x')], 'True where x is 0.', (a) =>
    a.tensor(a.apply('not', [a.convert(a.value('x'), 'bool')])),
  ),
  intrinsic(
    'ceildiv',
    [required('x'), required('y')],
    'ceil(x / y) of dims and other compile-time whole numbers.',
    (a) => ({ kind: 'int', value: ceildiv(a.int('x'), a.int('y')) }),
  ),
  intrinsic(
    'where',
    [required('condition'), required('x'), required('y')],
    'x where the condition is true, y elsewhere; all three broadcast.',
    (a) => {
      const condition = requireCondition(a, a.value('condition'), 'condition');
      const spans = [a.spanOf('x'), a.spanOf('y')];
      const sides = a.need(a.context.toTensors([a.term('x'), a.term('y')], spans));
      const all = a.context.broadcastTogether(
        [condition, ...sides],
        [a.spanOf('condition'), ...spans],
      );
      return a.tensor(a.apply('select', a.need(all)));
    },
  ),
  intrinsic(
    'select',
    [required('condlist'), required('choicelist'), optional('default', zeroTerm)],
    'By element the tensor of `choicelist` at the place of the first true tensor of `condlist`, `default` where none is; all broadcast.',
    (a) => {
      const conditions = itemsOf(a, 'condlist').map((term) =>
        requireCondition(a, a.need(a.context.toTensor(term, a.spanOf('condlist'))), 'condlist'),
      );
      const choices = itemsOf(a, 'choicelist');
      if (conditions.length !== choices.length || choices.length === 0) {
        const counts = `${conditions.length} conditions and ${choices.length} choices`;
        a.fail('MLX2404', `\`select\` needs as many choices as conditions: found ${counts}`);
      }
      const terms = [...choices, a.term('default')];
      const spans = terms.map(() => a.spanOf('choicelist'));
      const values = a.need(a.context.toTensors(terms, spans));
      const together = a.need(
        a.context.broadcastTogether(
          [...conditions, ...values],
          [...conditions.map(() => a.spanOf('condlist')), ...spans],
        ),
      );
      const count = conditions.length;
      let result = together.at(-1)!;
      for (let i = count - 1; i >= 0; i--) {
        result = a.apply('select', [together[i]!, together[count + i]!, result]);
      }
      return a.tensor(result);
    },
  ),
  intrinsic(
    'polygamma',
    [required('n'), required('x')],
    'Derivative n of `digamma` at x, for whole numbers n >= 0.',
    (a) => {
      const x = a.value('x', numberDType(a) ?? (a.term('x').kind === 'int' ? 'f32' : undefined));
      const n = a.convert(a.value('n', x.type.dtype), x.type.dtype);
      const both = a.need(a.context.broadcastTogether([n, x], [a.spanOf('n'), a.spanOf('x')]));
      return a.tensor(a.apply('polygamma', both));
    },
  ),
  intrinsic(
    'clamp',
    [required('low'), required('x'), required('high')],
    'min(max(x, low), high); the gradient at a bound is that of x.',
    (a) => {
      const names = ['low', 'x', 'high'];
      const spans = names.map((name) => a.spanOf(name));
      const terms = names.map((name) => a.term(name));
      const all = a.need(a.context.toTensors(terms, spans));
      return a.tensor(a.apply('clamp', a.need(a.context.broadcastTogether(all, spans))));
    },
  ),
  intrinsic(
    'clip',
    [required('x'), optional('min'), optional('max')],
    'x held between min and max; either may be `none`.',
    (a) => {
      let x = a.term('x');
      for (const [bound, primitive] of [
        ['min', 'max'],
        ['max', 'min'],
      ] as const) {
        if (a.isNone(bound)) continue;
        const spans = [a.spanOf('x'), a.spanOf(bound)];
        const pair = a.need(a.context.toTensors([x, a.term(bound)], spans));
        x = a.tensor(a.apply(primitive, a.need(a.context.broadcastTogether(pair, spans))));
      }
      return x;
    },
  ),
];

export const elementwise: readonly Intrinsic[] = [...unaries, ...binaries, ...others];
