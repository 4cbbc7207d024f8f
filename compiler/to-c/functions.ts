/**
 * The scalar functions of kernel IR in C: an operator where C has one with the right meaning, otherwise a function
 * `NAME_DTYPE` of a header in `helpers/`. Names and meanings are those of primitives/README.md; `fma` is x*y + z rounded once.
 */
import { InternalError } from '../diagnostics/internal-error.ts';
import { type DType, isFloat, isInteger } from '../tensor-ir/dtype.ts';
import { call, cast, infix, level, type Text, within } from './precedence.ts';
import { valueType } from './types.ts';

/** The header that defines a helper, by function name. `types.h` is always there. */
const headers: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'arithmetic.h': 'max min sign rem floor_div is_finite fma',
    'integer.h': 'shift_left shift_right popcount clz',
    'exponential.h': 'exp exp2 expm1 logistic',
    'hyperbolic.h': 'sinh cosh tanh asinh acosh atanh',
    'logarithm.h': 'log log2 log1p',
    'root.h': 'rsqrt cbrt pow',
    'trigonometric.h': 'sin cos tan asin acos atan atan2',
    'error-function.h': 'erf erfc erfinv',
    'gamma.h': 'lgamma digamma polygamma',
  }).flatMap(([file, names]) => names.split(' ').map((name): [string, string] => [name, file])),
);

/** Functions of the C library that every compiler turns into instructions. */
const builtins: Readonly<Record<string, string>> = {
  floor: 'floor',
  ceil: 'ceil',
  trunc: 'trunc',
  round: 'rint',
  sqrt: 'sqrt',
};

const operators: Readonly<Record<string, readonly [string, number]>> = {
  add: ['+', level.sum],
  sub: ['-', level.sum],
  mul: ['*', level.product],
  eq: ['==', level.equality],
  ne: ['!=', level.equality],
  lt: ['<', level.relation],
  le: ['<=', level.relation],
  gt: ['>', level.relation],
  ge: ['>=', level.relation],
  and: ['&', level.and],
  or: ['|', level.or],
  xor: ['^', level.xor],
};

const comparisons: ReadonlySet<string> = new Set(['eq', 'ne', 'lt', 'le', 'gt', 'ge']);

/** `name(args)` where the arguments have type `dtype`; `need` is told each header in use. */
export function emitCall(
  name: string,
  dtype: DType,
  args: readonly Text[],
  need: (header: string) => void,
): Text {
  const [x, y] = args;
  if (x === undefined) throw new InternalError(`function ${name} without arguments`);
  const operator = operators[name];
  if (operator !== undefined && y !== undefined) {
    const [symbol, precedence] = operator;
    const result = infix(x, symbol, y, precedence);
    return comparisons.has(name) ? result : narrow(dtype, result);
  }
  if (name === 'div' && y !== undefined && isFloat(dtype)) return infix(x, '/', y, level.product);
  const unary = emitUnary(name, dtype, x);
  if (unary !== undefined) return unary;
  const header = headers.get(name);
  if (header === undefined) throw new InternalError(`no C for the scalar function ${name}`);
  need(header);
  return call(`${name}_${dtype}`, args);
}

function emitUnary(name: string, dtype: DType, x: Text): Text | undefined {
  switch (name) {
    case 'neg':
      return narrow(dtype, {
        text: `-${within(x, level.unary + 1)}`,
        precedence: level.unary,
      });
    case 'not':
      return dtype === 'bool'
        ? { text: `!${within(x, level.unary)}`, precedence: level.unary }
        : narrow(dtype, { text: `~${within(x, level.unary)}`, precedence: level.unary });
    case 'abs':
      if (dtype === 'f32') return call('fabsf', [x]);
      if (dtype === 'f64') return call('fabs', [x]);
      if (dtype[0] === 'u') return x;
      return narrow(dtype, call(dtype === 'i64' ? 'llabs' : 'abs', [x]));
    case 'is_finite':
      return isInteger(dtype) ? { text: 'true', precedence: level.atom } : undefined;
    default: {
      const builtin = builtins[name];
      if (builtin === undefined) return undefined;
      if (isInteger(dtype)) return x;
      return call(dtype === 'f32' ? `${builtin}f` : builtin, [x]);
    }
  }
}

/** C computes narrow integers as int: cast back so that they wrap. */
function narrow(dtype: DType, value: Text): Text {
  return /^[iu](8|16)$/.test(dtype) ? cast(valueType(dtype), value) : value;
}
