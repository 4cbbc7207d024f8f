/**
 * Identities of element-wise arithmetic. They keep every value to the bit, NaN and infinities included, but for the sign of
 * a zero (marked "zero sign": x + 0 is x also for -0, as in XLA) and `pow` by small whole exponents, whose products
 * round differently from `pow` in the last place.
 */
import { add, div, mul, neg, sub } from '../../primitives/arithmetic.ts';
import { type BroadcastAttrs, broadcast } from '../../primitives/broadcast.ts';
import { eq, ne } from '../../primitives/comparison.ts';
import { rsqrt, sqrt } from '../../primitives/exponential.ts';
import { filledLike } from '../../primitives/values.ts';
import { isFloat, isInteger } from '../../tensor-ir/dtype.ts';
import { roundTo } from '../../tensor-ir/nd-array.ts';
import type { Operation, Value } from '../../tensor-ir/program.ts';
import type { Rewriter, Rule } from '../rewriter.ts';
import { isSplat, makeConstant, splatNumber } from './constants.ts';

type Rewrite = (r: Rewriter, x: Value, y: Value, op: Operation) => Value | undefined;

/** A rule of a binary primitive. */
function binary(name: string, on: string, rewrite: Rewrite): Rule {
  return { name, on: [on], rewrite: (r, op) => rewrite(r, op.operands[0]!, op.operands[1]!, op) };
}

/** A rule of a commutative primitive, tried with the operands both ways round. */
function symmetric(name: string, on: string, rewrite: Rewrite): Rule {
  return binary(name, on, (r, x, y, op) => rewrite(r, x, y, op) ?? rewrite(r, y, x, op));
}

/** The operand of a `neg`. */
function negated(r: Rewriter, x: Value): Value | undefined {
  return r.definedBy(x, 'neg')?.operands[0];
}

/** As `negated`, also when the value is the broadcast of a `neg`. */
function negatedTerm(r: Rewriter, x: Value): Value | undefined {
  const map = r.definedBy(x, 'broadcast');
  if (map === undefined) return negated(r, x);
  const y = negated(r, map.operands[0]!);
  return y && r.apply(broadcast, [y], map.attrs as BroadcastAttrs);
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && Number.isFinite(value) && Number.isInteger(Math.log2(value));
}

const additive: readonly Rule[] = [
  // zero sign
  symmetric('add-zero', 'add', (r, x, y) => (isSplat(r, y, 0) ? x : undefined)),
  symmetric('add-negated', 'add', (r, x, y) => {
    const z = negatedTerm(r, y);
    return z && r.apply(sub, [x, z], {});
  }),
  binary('subtract-zero', 'sub', (r, x, y) => (isSplat(r, y, 0) ? x : undefined)),
  // zero sign
  binary('subtract-from-zero', 'sub', (r, x, y) =>
    isSplat(r, x, 0) ? r.apply(neg, [y], {}) : undefined,
  ),
  binary('subtract-negated', 'sub', (r, x, y) => {
    const z = negatedTerm(r, y);
    return z && r.apply(add, [x, z], {});
  }),
  binary('subtract-itself', 'sub', (r, x, y) =>
    x === y && isInteger(x.type.dtype) ? filledLike(r, x, 0) : undefined,
  ),
  binary('negate-negated', 'neg', (r, x) => negated(r, x)),
  // zero sign
  binary('negate-difference', 'neg', (r, x) => {
    const op = r.definedBy(x, 'sub');
    if (op === undefined || !r.isUsedOnce(x)) return undefined;
    return r.apply(sub, [op.operands[1]!, op.operands[0]!], {});
  }),
  binary('negate-scaled', 'neg', (r, x) => scale(r, x, -1)),
];

/** x * factor when x is y * constant and the product of the constants is exact (factor -1 or a power of two >= 1). */
function scale(r: Rewriter, x: Value, factor: number): Value | undefined {
  const op = r.definedBy(x, 'mul');
  if (op === undefined || !isFloat(x.type.dtype)) return undefined;
  const { dtype } = x.type;
  for (const [y, c] of [op.operands, op.operands.toReversed()]) {
    const number = splatNumber(r, c!);
    if (number === undefined) continue;
    const product = number * factor;
    const isExact = roundTo(product, dtype) === product && Number.isFinite(product);
    // a product of two numbers of one size on the same side of 1 overflows or not as the two steps do
    const keepsRange = factor === -1 || (factor >= 1 && Math.abs(number) >= 1);
    if (isExact && keepsRange) return r.apply(mul, [y!, makeConstant(r, x.type, product)], {});
  }
  return undefined;
}

const multiplicative: readonly Rule[] = [
  symmetric('multiply-by-one', 'mul', (r, x, y) => (isSplat(r, y, 1) ? x : undefined)),
  symmetric('multiply-by-minus-one', 'mul', (r, x, y) =>
    isSplat(r, y, -1) ? r.apply(neg, [x], {}) : undefined,
  ),
  symmetric('multiply-by-zero', 'mul', (r, x, y) =>
    isInteger(x.type.dtype) && isSplat(r, y, 0) ? y : undefined,
  ),
  binary('multiply-negated', 'mul', (r, x, y) => {
    const [a, c] = [negated(r, x), negated(r, y)];
    return a && c && r.apply(mul, [a, c], {});
  }),
  symmetric('multiply-negated-by-constant', 'mul', (r, x, y) => {
    const a = negated(r, x);
    const c = splatNumber(r, y);
    if (a === undefined || c === undefined || !isFloat(x.type.dtype)) return undefined;
    return r.apply(mul, [a, makeConstant(r, y.type, -c)], {});
  }),
  // signs move outward, where an addition takes them up
  symmetric('multiply-by-negated', 'mul', (r, x, y) => {
    const a = negatedTerm(r, y);
    return a && r.apply(neg, [r.apply(mul, [x, a], {})], {});
  }),
  symmetric('merge-factors', 'mul', (r, x, y) => {
    const factor = splatNumber(r, y);
    return factor !== undefined && isPowerOfTwo(factor) ? scale(r, x, factor) : undefined;
  }),
  binary('divide-by-one', 'div', (r, x, y) => (isSplat(r, y, 1) ? x : undefined)),
  binary('divide-by-power-of-two', 'div', (r, x, y) => {
    const divisor = splatNumber(r, y);
    if (divisor === undefined || !isPowerOfTwo(Math.abs(divisor))) return undefined;
    const inverse = 1 / divisor;
    // subnormal reciprocals would be flushed on some devices
    if (roundTo(inverse, y.type.dtype) !== inverse || Math.abs(inverse) < 2 ** -14)
      return undefined;
    return r.apply(mul, [x, makeConstant(r, y.type, inverse)], {});
  }),
  binary('divide-negated-by-constant', 'div', (r, x, y) => {
    const a = negated(r, x);
    const c = splatNumber(r, y);
    return a && c !== undefined ? r.apply(div, [a, makeConstant(r, y.type, -c)], {}) : undefined;
  }),
  binary('divide-negated', 'div', (r, x, y) => {
    const [a, c] = [negatedTerm(r, x), negatedTerm(r, y)];
    if (a === undefined && c === undefined) return undefined;
    const quotient = r.apply(div, [a ?? x, c ?? y], {});
    return a !== undefined && c !== undefined ? quotient : r.apply(neg, [quotient], {});
  }),
  binary('power', 'pow', (r, x, y) => {
    const exponent = splatNumber(r, y);
    return exponent === undefined || !isFloat(x.type.dtype) ? undefined : power(r, x, exponent);
  }),
];

function power(r: Rewriter, x: Value, exponent: number): Value | undefined {
  switch (exponent) {
    case 0:
      return filledLike(r, x, 1);
    case 1:
      return x;
    case 2:
      return r.apply(mul, [x, x], {});
    case 3:
      return r.apply(mul, [r.apply(mul, [x, x], {}), x], {});
    case 4: {
      const square = r.apply(mul, [x, x], {});
      return r.apply(mul, [square, square], {});
    }
    case -1:
      return r.apply(div, [filledLike(r, x, 1), x], {});
    case -2: {
      // the square of the reciprocal: that of x overflows sooner than the power vanishes
      const reciprocal = r.apply(div, [filledLike(r, x, 1), x], {});
      return r.apply(mul, [reciprocal, reciprocal], {});
    }
    // pow(-inf, 0.5) is inf, sqrt(-inf) is NaN: only where x cannot be negative
    case 0.5:
      return isNeverNegative(r, x, 4) ? r.apply(sqrt, [x], {}) : undefined;
    case -0.5:
      return isNeverNegative(r, x, 4) ? r.apply(rsqrt, [x], {}) : undefined;
    default:
      return undefined;
  }
}

/** True when x is proved to be >= 0 or NaN. */
function isNeverNegative(r: Rewriter, x: Value, depth: number): boolean {
  const op = r.definition(x);
  if (op === undefined || depth === 0) return false;
  const [a, c] = op.operands;
  const operandsAre = (): boolean => op.operands.every((v) => isNeverNegative(r, v, depth - 1));
  switch (op.primitive.name) {
    case 'constant':
      return Number(op.attrs['value']) >= 0;
    case 'exp':
    case 'exp2':
    case 'abs':
    case 'sqrt':
    case 'rsqrt':
    case 'logistic':
      return true;
    case 'mul':
      return a === c || operandsAre();
    case 'max':
      return isNeverNegative(r, a!, depth - 1) || isNeverNegative(r, c!, depth - 1);
    case 'add':
    case 'div':
    case 'min':
    case 'reduce_sum':
    case 'reduce_max':
    case 'broadcast':
    case 'reshape':
    case 'permute':
      return operandsAre();
    default:
      return false;
  }
}

const others: readonly Rule[] = [
  binary('maximum-of-itself', 'max', (_, x, y) => (x === y ? x : undefined)),
  binary('minimum-of-itself', 'min', (_, x, y) => (x === y ? x : undefined)),
  binary('absolute-of-absolute', 'abs', (r, x) => (r.definedBy(x, 'abs') ? x : undefined)),
  binary('and-itself', 'and', (_, x, y) => (x === y ? x : undefined)),
  binary('or-itself', 'or', (_, x, y) => (x === y ? x : undefined)),
  symmetric('and-constant', 'and', (r, x, y) => {
    const c = r.splat(y);
    return c === true ? x : c === false ? y : undefined;
  }),
  symmetric('or-constant', 'or', (r, x, y) => {
    const c = r.splat(y);
    return c === false ? x : c === true ? y : undefined;
  }),
  {
    name: 'not-of-comparison',
    on: ['not'],
    rewrite: (r, op) => {
      const inner = r.definition(op.operands[0]!);
      switch (inner?.primitive.name) {
        case 'not':
          return inner.operands[0]!;
        case 'eq':
          return r.apply(ne, inner.operands, {});
        case 'ne':
          return r.apply(eq, inner.operands, {});
        default:
          return undefined;
      }
    },
  },
];

export const arithmeticRules: readonly Rule[] = [...additive, ...multiplicative, ...others];
