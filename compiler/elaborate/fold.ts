/** Arithmetic on what is known when compiling: whole numbers and dims, reals, bools, strings, dtypes. */
import { badLiteral, notCompileTime, unresolvedConstant } from '../diagnostics/problems/types.ts';
import type { Span } from '../diagnostics/span.ts';
import { evaluateNumbers } from '../primitives/families.ts';
import {
  add,
  constantValue,
  type Int,
  int,
  mod,
  multiply,
  negate,
  one,
  print,
  subtract,
} from '../symbolic/integer.ts';
import type { BinaryOperator } from '../syntax/ast.ts';
import { showNumber } from './describe.ts';
import type { Elaborator } from './elaborator.ts';
import { errorTerm } from './terms.ts';
import type { Term } from './value.ts';

/** The result when both sides are known; undefined when the operation is one on tensors. */
export function foldBinary(
  e: Elaborator,
  operator: BinaryOperator,
  left: Term,
  right: Term,
  span: Span,
): Term | undefined {
  if (left.kind === 'int' && right.kind === 'int') {
    return foldInts(e, operator, left.value, right.value, span);
  }
  const a = known(left);
  const b = known(right);
  if (a !== undefined && b !== undefined) return foldReals(operator, a, b);
  if (operator === '&&' || operator === '||') return foldLogic(operator, left, right);
  if (left.kind === 'boolean' && right.kind === 'boolean') {
    return foldBooleans(operator, left.value, right.value);
  }
  return foldEquality(operator, left, right);
}

export function foldUnary(operator: '-' | '!', operand: Term): Term | undefined {
  if (operator === '!') {
    return operand.kind === 'boolean' ? { kind: 'boolean', value: !operand.value } : undefined;
  }
  if (operand.kind === 'int') return { kind: 'int', value: negate(operand.value) };
  if (operand.kind === 'float') return { kind: 'float', value: -operand.value };
  return undefined;
}

/** The number as a real, if all of it is known. */
function known(term: Term): number | undefined {
  if (term.kind === 'float') return term.value;
  return term.kind === 'int' ? constantValue(term.value) : undefined;
}

function foldInts(
  e: Elaborator,
  operator: BinaryOperator,
  a: Int,
  b: Int,
  span: Span,
): Term | undefined {
  const whole = (value: Int): Term => {
    const number = constantValue(value);
    if (number !== undefined && !Number.isSafeInteger(number)) {
      return e.error(badLiteral(`${number}`, span));
    }
    return { kind: 'int', value };
  };
  const x = constantValue(a);
  const y = constantValue(b);
  switch (operator) {
    case '+':
      return whole(add(a, b));
    case '-':
      return whole(subtract(a, b));
    case '*':
      return whole(multiply(a, b));
    case '/': {
      if (x !== undefined && y !== undefined && (y === 0 || x % y !== 0)) {
        const reason = `${x} / ${y} is not a whole number; write \`${showNumber(x)} / ${showNumber(y)}\` for the quotient as a real`;
        return e.error(unresolvedConstant(reason, span));
      }
      // 1 / N can only be meant as a real number
      if (x !== undefined && y === undefined) {
        const reason = `${x} / ${print(b)} is not a whole number; write \`${showNumber(x)} / ${print(b)}\` for the quotient as a real`;
        return e.error(unresolvedConstant(reason, span));
      }
      const quotient = e.divide(a, b, span);
      return quotient === undefined ? errorTerm : { kind: 'int', value: quotient };
    }
    case '%':
      if (y !== undefined && y <= 0) {
        return e.error(
          unresolvedConstant(`\`%\` of known numbers needs a positive divisor, found ${y}`, span),
        );
      }
      return { kind: 'int', value: mod(a, b) };
    case '**':
      return foldPower(e, a, b, span);
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return compareInts(e, operator, a, b);
    case '<<':
    case '>>':
    case '&':
    case '|':
    case '^':
      return foldBits(e, operator, x, y, span);
    default:
      return undefined;
  }
}

function foldPower(e: Elaborator, a: Int, b: Int, span: Span): Term | undefined {
  const exponent = constantValue(b);
  const base = constantValue(a);
  if (exponent === undefined || exponent > 64) {
    if (base !== undefined && exponent !== undefined)
      return { kind: 'float', value: base ** exponent };
    return e.error(
      notCompileTime('an exponent', `the dim ${print(b)}`, span, 'convert first: `f32(N)`'),
    );
  }
  if (exponent < 0)
    return base === undefined ? undefined : { kind: 'float', value: base ** exponent };
  let value = one;
  for (let i = 0; i < exponent; i++) {
    value = multiply(value, a);
    const number = constantValue(value);
    if (number !== undefined && !Number.isSafeInteger(number))
      return { kind: 'float', value: base! ** exponent };
    if (value.terms.length > 64) return e.error(badLiteral(`(${print(a)}) ** ${exponent}`, span));
  }
  return { kind: 'int', value };
}

function foldBits(
  e: Elaborator,
  operator: '<<' | '>>' | '&' | '|' | '^',
  x: number | undefined,
  y: number | undefined,
  span: Span,
): Term {
  if (x === undefined || y === undefined) {
    return e.error(notCompileTime('numbers', 'a dim', span, 'convert first: `i32(N)`'));
  }
  const a = BigInt(x);
  const b = BigInt(y);
  if ((operator === '<<' || operator === '>>') && (b < 0n || b > 64n)) {
    return e.error(unresolvedConstant(`cannot shift by ${y}`, span));
  }
  const bits = {
    '<<': () => a << b,
    '>>': () => a >> b,
    '&': () => a & b,
    '|': () => a | b,
    '^': () => a ^ b,
  };
  const value = Number(bits[operator]());
  if (!Number.isSafeInteger(value)) return e.error(badLiteral(`${value}`, span));
  return { kind: 'int', value: int(value) };
}

/** Decided where the dims allow it; otherwise undefined: the comparison happens at run time. */
function compareInts(
  e: Elaborator,
  operator: '==' | '!=' | '<' | '<=' | '>' | '>=',
  a: Int,
  b: Int,
): Term | undefined {
  const { conditions } = e;
  const atLeast = (left: Int, right: Int): boolean | undefined => {
    const verdict = conditions.judge({ relation: 'at-least', left, right });
    return verdict === 'open' ? undefined : verdict === 'proved';
  };
  const not = (value: boolean | undefined): boolean | undefined =>
    value === undefined ? undefined : !value;
  const decide = (): boolean | undefined => {
    switch (operator) {
      case '>=':
        return atLeast(a, b);
      case '<=':
        return atLeast(b, a);
      case '<':
        return not(atLeast(a, b));
      case '>':
        return not(atLeast(b, a));
      default: {
        const difference = constantValue(subtract(a, b));
        const isEqual =
          difference !== undefined
            ? difference === 0
            : atLeast(a, add(b, one)) === true || atLeast(b, add(a, one)) === true
              ? false
              : undefined;
        return operator === '==' ? isEqual : not(isEqual);
      }
    }
  };
  const value = decide();
  return value === undefined ? undefined : { kind: 'boolean', value };
}

function foldReals(operator: BinaryOperator, a: number, b: number): Term | undefined {
  const real = (value: number): Term => ({ kind: 'float', value });
  const truth = (value: boolean): Term => ({ kind: 'boolean', value });
  switch (operator) {
    case '+':
      return real(a + b);
    case '-':
      return real(a - b);
    case '*':
      return real(a * b);
    case '/':
      return real(a / b);
    case '%':
      return real(evaluateNumbers('rem', a, b));
    case '**':
      return real(evaluateNumbers('pow', a, b));
    case '==':
      return truth(a === b);
    case '!=':
      return truth(a !== b);
    case '<':
      return truth(a < b);
    case '<=':
      return truth(a <= b);
    case '>':
      return truth(a > b);
    case '>=':
      return truth(a >= b);
    default:
      return undefined;
  }
}

/** One known side may decide `&&` and `||`. */
function foldLogic(operator: '&&' | '||', left: Term, right: Term): Term | undefined {
  const absorbing = operator === '||';
  if (left.kind === 'boolean') return left.value === absorbing ? left : right;
  if (right.kind === 'boolean') return right.value === absorbing ? right : left;
  return undefined;
}

function foldBooleans(operator: BinaryOperator, a: boolean, b: boolean): Term | undefined {
  switch (operator) {
    case '&':
      return { kind: 'boolean', value: a && b };
    case '|':
      return { kind: 'boolean', value: a || b };
    case '^':
    case '!=':
      return { kind: 'boolean', value: a !== b };
    case '==':
      return { kind: 'boolean', value: a === b };
    default:
      return undefined;
  }
}

/** `axis == none`, `mode == "same"`, `T == f32`: such values equal their own kind at most. */
function foldEquality(operator: BinaryOperator, left: Term, right: Term): Term | undefined {
  if (operator !== '==' && operator !== '!=') return undefined;
  const isPlain = (t: Term): boolean =>
    t.kind === 'string' || t.kind === 'none' || t.kind === 'dtype';
  if (!isPlain(left) && !isPlain(right)) return undefined;
  const isEqual =
    (left.kind === 'none' && right.kind === 'none') ||
    (left.kind === 'string' && right.kind === 'string' && left.value === right.value) ||
    (left.kind === 'dtype' && right.kind === 'dtype' && left.dtype === right.dtype);
  return { kind: 'boolean', value: isEqual === (operator === '==') };
}
