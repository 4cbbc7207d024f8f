/**
 * The scalar functions of kernel IR in Metal: an operator, a function of Metal's library, or one of ours in namespace
 * `mlxc` (helpers/NAME.metal). Names and meanings are those of primitives/README.md.
 */
import { InternalError } from '../diagnostics/internal-error.ts';
import { type DType, isFloat, isSigned } from '../tensor-ir/dtype.ts';
import { atom, call, infix, level, type Text, within } from '../to-c/precedence.ts';
import { isNarrow, valueType } from './types.ts';

const operators: Readonly<Record<string, readonly [string, number]>> = {
  add: ['+', level.sum],
  sub: ['-', level.sum],
  mul: ['*', level.product],
  div: ['/', level.product],
  and: ['&', level.and],
  or: ['|', level.or],
  xor: ['^', level.xor],
  eq: ['==', level.equality],
  ne: ['!=', level.equality],
  lt: ['<', level.relation],
  le: ['<=', level.relation],
  gt: ['>', level.relation],
  ge: ['>=', level.relation],
};

const comparisons: ReadonlySet<string> = new Set(['eq', 'ne', 'lt', 'le', 'gt', 'ge']);
const wrapping: ReadonlySet<string> = new Set(['add', 'sub', 'mul']);

/** Bits that are bool: the logical operators. `&&` binds looser than `|`, `||` looser still. */
const boolOperators: Readonly<Record<string, readonly [string, number]>> = {
  and: ['&&', level.or - 1],
  or: ['||', level.or - 2],
  xor: ['!=', level.equality],
};

/** Functions of floats that Metal's library has with our meaning. */
const library: Readonly<Record<string, string>> = {
  abs: 'fabs',
  floor: 'floor',
  ceil: 'ceil',
  round: 'rint',
  trunc: 'trunc',
  exp: 'exp',
  exp2: 'exp2',
  log: 'log',
  log2: 'log2',
  sqrt: 'sqrt',
  rsqrt: 'rsqrt',
  sin: 'sin',
  cos: 'cos',
  tan: 'tan',
  asin: 'asin',
  acos: 'acos',
  atan: 'atan',
  sinh: 'sinh',
  cosh: 'cosh',
  // the fast variant gives NaN for large x whatever the math mode of the library
  tanh: 'precise::tanh',
  asinh: 'asinh',
  acosh: 'acosh',
  atanh: 'atanh',
  pow: 'pow',
  atan2: 'atan2',
  is_finite: 'isfinite',
  fma: 'fma',
};

const integerLibrary: ReadonlySet<string> = new Set(['max', 'min', 'popcount', 'clz']);

const floatHelpers: ReadonlySet<string> = new Set([
  ...['sign', 'expm1', 'log1p', 'cbrt', 'logistic', 'erf', 'erfc', 'erfinv'],
  ...['lgamma', 'digamma', 'polygamma'],
  ...['floor_div', 'rem', 'max', 'min'],
]);

const integerHelpers: ReadonlySet<string> = new Set([
  ...['sign', 'floor_div', 'rem', 'pow', 'shift_left', 'shift_right'],
]);

/** `name(args)` for arguments of `dtype` (a compute type); `need` is told each helper in use. */
export function emitCall(
  name: string,
  dtype: DType,
  args: readonly Text[],
  need: (helper: string) => void,
): Text {
  const [x, y] = args;
  if (x === undefined) throw new InternalError(`function ${name} without arguments`);
  if (y !== undefined && args.length === 2) {
    const operator = emitOperator(name, dtype, x, y);
    if (operator !== undefined) return operator;
  }
  if (name === 'neg') return negate(dtype, x);
  if (name === 'not') {
    return dtype === 'bool' ? unary('!', x) : narrow(dtype, unary('~', x));
  }
  if (isFloat(dtype)) {
    const known = library[name];
    if (known !== undefined) return call(`metal::${known}`, args);
  } else {
    if (name === 'abs') return isSigned(dtype) ? cast(dtype, call('metal::abs', args)) : x;
    if (name === 'is_finite') return atom('true');
    if (library[name] !== undefined && ['floor', 'ceil', 'round', 'trunc'].includes(name)) return x;
    if (integerLibrary.has(name)) return call(`metal::${name}`, args);
  }
  if ((isFloat(dtype) ? floatHelpers : integerHelpers).has(name)) {
    need(name);
    return call(`mlxc::${name}`, args);
  }
  throw new InternalError(`no Metal for the scalar function ${name} of ${dtype}`);
}

function emitOperator(name: string, dtype: DType, x: Text, y: Text): Text | undefined {
  if (dtype === 'bool' && boolOperators[name] !== undefined) {
    const [symbol, precedence] = boolOperators[name];
    // a chain of one operator stands bare; `&&` within `||` does not
    const isChain = precedence !== level.equality && x.precedence === precedence;
    const left = isChain ? x.text : within(x, level.shift);
    return { text: `${left} ${symbol} ${within(y, level.shift)}`, precedence };
  }
  const operator = operators[name];
  if (operator === undefined) return undefined;
  const [symbol, precedence] = operator;
  if (comparisons.has(name) || isFloat(dtype)) return infix(x, symbol, y, precedence);
  // signed overflow is undefined in Metal: wrap in the unsigned type
  if (wrapping.has(name) && needsUnsigned(name, dtype)) {
    const unsigned = isNarrow(dtype) ? 'uint' : `u${valueType(dtype)}`;
    return cast(dtype, infix(asUnsigned(unsigned, x), symbol, asUnsigned(unsigned, y), precedence));
  }
  return narrow(dtype, infix(x, symbol, y, precedence));
}

function needsUnsigned(name: string, dtype: DType): boolean {
  return dtype === 'i32' || dtype === 'i64' || (dtype === 'u16' && name === 'mul');
}

function asUnsigned(type: string, value: Text): Text {
  // int(uint(a) + uint(b)) as an operand of uint(...) is uint(a) + uint(b) again
  const inner = new RegExp(`^${type.slice(1)}\\((${type}\\(.*)\\)$`).exec(value.text)?.[1];
  if (inner !== undefined && isBalanced(inner)) return { text: inner, precedence: level.sum };
  const digits = /^(\d+)l?$/.exec(value.text)?.[1];
  if (digits !== undefined) return atom(`${digits}${type === 'ulong' ? 'ul' : 'u'}`);
  return atom(`${type}(${value.text})`);
}

function isBalanced(text: string): boolean {
  let depth = 0;
  for (const c of text) {
    if (c === '(') depth++;
    if (c === ')' && --depth < 0) return false;
  }
  return depth === 0;
}

function negate(dtype: DType, x: Text): Text {
  if (dtype === 'i32' || dtype === 'i64') {
    const unsigned = `u${valueType(dtype)}`;
    return cast(dtype, infix(atom('0u'), '-', asUnsigned(unsigned, x), level.sum));
  }
  return narrow(dtype, unary('-', x));
}

function unary(operator: string, x: Text): Text {
  return { text: `${operator}${within(x, level.atom)}`, precedence: level.unary };
}

/** Metal computes narrow integers as int: cast back so that they wrap and keep their type. */
export function narrow(dtype: DType, value: Text): Text {
  return isNarrow(dtype) ? cast(dtype, value) : value;
}

export function cast(dtype: DType, value: Text): Text {
  return atom(`${valueType(dtype)}(${value.text})`);
}
