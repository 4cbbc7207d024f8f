/** Arithmetic, comparisons, selection and conversions, element by element. */
import { isFloat, isInteger } from '../../../compiler/tensor-ir/dtype.ts';
import { type Expression, typed } from '../expression.ts';
import type { Rule, TypedRule } from '../generator.ts';
import { knownFunctions } from '../known.ts';

/** Float functions by how their argument is kept where they are defined and gentle. */
const floatUnary: readonly (readonly [name: string, argument: (x: Expression) => Expression])[] = [
  ...['sin', 'cos', 'tanh', 'atan', 'asinh', 'erf', 'erfc', 'logistic', 'cbrt', 'negative'].map(
    (name) => [name, (x: Expression) => x] as const,
  ),
  ...['floor', 'ceil', 'round', 'trunc', 'abs', 'sign', 'square', 'softplus', 'radians'].map(
    (name) => [name, (x: Expression) => x] as const,
  ),
  ...['exp', 'exp2', 'expm1', 'sinh', 'cosh', 'tan', 'erfinv', 'atanh', 'asin', 'acos'].map(
    (name) => [name, (x: Expression) => typed(x.type)`(tanh(${x}) * 0.875)`] as const,
  ),
  ...['log', 'log2', 'log10', 'rsqrt', 'reciprocal', 'lgamma', 'digamma'].map(
    (name) => [name, (x: Expression) => typed(x.type)`(abs(${x}) + 0.5)`] as const,
  ),
  ...['sqrt', 'log1p'].map(
    (name) => [name, (x: Expression) => typed(x.type)`(abs(${x}) + 0.125)`] as const,
  ),
  ['acosh', (x) => typed(x.type)`(abs(${x}) + 1.25)`],
];

const integerUnary = ['negative', 'abs', 'sign', 'invert', 'bitwise_count', 'clz', 'square'];

function unary(name: string, x: Expression): Expression {
  return typed(x.type)`${name}(${x})`;
}

export const elementwiseRules: readonly Rule[] = [
  {
    name: 'broadcast',
    weight: 4,
    make: (g, scope, depth) => {
      const x = g.ranked(scope, depth - 1);
      const type = x.type!;
      // an operand without the first axes, or with a size of 1
      const shape = type.shape.slice(g.random.between(1, type.shape.length));
      const y = g.like({ dtype: type.dtype, shape }, scope, depth - 1);
      if (type.dtype === 'bool') return typed(type)`(${x} ${g.random.pick(['&', '|', '^'])} ${y})`;
      return typed(type)`(${x} ${g.random.pick(['+', '-', '*'])} ${y})`;
    },
  },
  {
    name: 'outer sum',
    weight: 2,
    make: (g, scope, depth) => {
      const x = g.any(scope, depth - 1, (t) => t.shape.length === 1 && t.dtype !== 'bool');
      const y = g.any(scope, depth - 1, (t) => t.shape.length === 1 && t.dtype !== 'bool');
      const [dim] = x.type!.shape;
      const fit = g.coerce(y, { dtype: x.type!.dtype, shape: y.type!.shape }, scope);
      const shape = [dim!, ...fit.type!.shape];
      return typed({
        dtype: x.type!.dtype,
        shape,
      })`(${x}[:, newaxis] ${g.random.pick(['+', '*'])} ${fit})`;
    },
  },
  {
    name: 'bitcast',
    weight: 1,
    make: (g, scope, depth) => {
      const x = g.any(scope, depth - 1, (t) => isInteger(t.dtype));
      const { dtype, shape } = x.type!;
      const other = (
        dtype[0] === 'u' ? `i${dtype.slice(1)}` : `u${dtype.slice(1)}`
      ) as typeof dtype;
      return typed({ dtype: other, shape })`bitcast(${x}, ${other})`;
    },
  },
];

export const typedElementwiseRules: readonly TypedRule[] = [
  {
    name: 'unary',
    weight: 5,
    make: (g, type, scope, depth) => {
      const x = g.like(type, scope, depth - 1);
      if (type.dtype === 'bool') return typed(type)`!${x}`;
      if (isInteger(type.dtype)) return unary(g.random.pick(integerUnary), x);
      const [name, argument] = g.random.pick(
        floatUnary.filter(([known]) => knownFunctions.has(known)),
      );
      return unary(name, argument(x));
    },
  },
  {
    name: 'operator',
    weight: 8,
    make: (g, type, scope, depth) => {
      const x = g.like(type, scope, depth - 1);
      const y = g.random.chance(0.2)
        ? g.constant({ dtype: type.dtype, shape: [] })
        : g.like(type, scope, depth - 1);
      const make = typed(type);
      if (type.dtype === 'bool') return make`(${x} ${g.random.pick(['&', '|', '^', '=='])} ${y})`;
      if (isInteger(type.dtype)) {
        const operator = g.random.pick(['+', '-', '*', '%', '&', '|', '^', '<<', '>>', 'f', 'm']);
        if (operator === 'f') return make`floor_divide(${x}, ${y})`;
        if (operator === 'm') return make`${g.random.pick(['maximum', 'minimum'])}(${x}, ${y})`;
        return make`(${x} ${operator} ${y})`;
      }
      switch (g.random.below(10)) {
        case 0:
          return make`(${x} / (abs(${y}) + 0.5))`;
        case 1:
          return make`((abs(${x}) + 0.5) ** tanh(${y}))`;
        case 2:
          return make`${g.random.pick(['hypot', 'logaddexp'])}(${x}, ${y})`;
        case 3:
          return make`arctan2(${x}, abs(${y}) + 0.5)`;
        case 4:
          return make`${g.random.pick(['%', 'floor_divide']) === '%' ? 'remainder' : 'floor_divide'}(${x}, abs(${y}) + 0.75)`;
        case 5:
        case 6:
          return make`${g.random.pick(['maximum', 'minimum'])}(${x}, ${y})`;
        default:
          return make`(${x} ${g.random.pick(['+', '-', '*'])} ${y})`;
      }
    },
  },
  {
    name: 'with a literal',
    weight: 4,
    make: (g, type, scope, depth) => {
      const x = g.like(type, scope, depth - 1);
      if (type.dtype === 'bool') return undefined;
      const literal = g.literal(type.dtype).replace(/^-(.*)/, '(-$1)');
      const operator = g.random.pick(['+', '-', '*']);
      if (isFloat(type.dtype) && g.random.chance(0.2)) {
        return typed(
          type,
        )`(${x} ${g.random.pick(['/ 2.0', '/ 4', '/ 0.3', '** 2', '** 3', '** 1'])})`;
      }
      return g.random.chance(0.5)
        ? typed(type)`(${x} ${operator} ${literal})`
        : typed(type)`(${literal} ${operator} ${x})`;
    },
  },
  {
    name: 'comparison',
    weight: 4,
    make: (g, type, scope, depth) => {
      if (type.dtype !== 'bool') return undefined;
      const of = { dtype: g.someDType(), shape: type.shape };
      const x = g.like(of, scope, depth - 1);
      if (of.dtype === 'bool')
        return typed(type)`logical_xor(${x}, ${g.like(of, scope, depth - 1)})`;
      if (isFloat(of.dtype) && g.random.chance(0.2)) {
        return typed(type)`${g.random.pick(['isnan', 'isfinite', 'isinf'])}(${x})`;
      }
      const y = g.random.chance(0.5)
        ? g.constant({ ...of, shape: [] })
        : g.like(of, scope, depth - 1);
      return typed(type)`(${x} ${g.random.pick(['<', '<=', '>', '>=', '==', '!='])} ${y})`;
    },
  },
  {
    name: 'where',
    weight: 4,
    make: (g, type, scope, depth) => {
      const condition = g.like({ dtype: 'bool', shape: type.shape }, scope, depth - 1);
      const x = g.like(type, scope, depth - 1);
      return typed(type)`where(${condition}, ${x}, ${g.like(type, scope, depth - 1)})`;
    },
  },
  {
    name: 'clip',
    weight: 1,
    make: (g, type, scope, depth) => {
      if (type.dtype === 'bool') return undefined;
      const x = g.like(type, scope, depth - 1);
      return isFloat(type.dtype)
        ? typed(type)`clip(${x}, -0.75, 1.25)`
        : typed(type)`clip(${x}, 1, 5)`;
    },
  },
  {
    name: 'convert',
    weight: 2,
    make: (g, type, scope, depth) => {
      const from = { dtype: g.someDType(), shape: type.shape };
      if (from.dtype === type.dtype) return undefined;
      const x = g.like(from, scope, depth - 1);
      return typed(type)`astype(${x}, ${type.dtype})`;
    },
  },
  {
    name: 'clamp',
    weight: 1,
    make: (g, type, scope, depth) => {
      if (type.dtype === 'bool') return undefined;
      return typed(type)`clamp(0, ${g.like(type, scope, depth - 1)}, 1)`;
    },
  },
  {
    name: 'polygamma',
    weight: 0.5,
    make: (g, type, scope, depth) => {
      if (!isFloat(type.dtype)) return undefined;
      const x = g.like(type, scope, depth - 1);
      return g.tame(typed(type)`polygamma(${g.random.between(1, 2)}, abs(${x}) + 0.5)`);
    },
  },
  {
    name: 'constant',
    weight: 1,
    make: (g, type) => g.constant(type),
  },
];
