/** Dim expressions of the source as symbolic integers. */
import { unreachable } from '../diagnostics/internal-error.ts';
import { unknownDim } from '../diagnostics/problems/names.ts';
import { notDivisible, typeArgumentKind } from '../diagnostics/problems/shapes.ts';
import type { Span } from '../diagnostics/span.ts';
import { suggest } from '../diagnostics/suggest.ts';
import {
  add,
  ceildiv,
  constantValue,
  divideExact,
  floordiv,
  type Int,
  int,
  max,
  min,
  mod,
  multiply,
  negate,
  print,
  subtract,
} from '../symbolic/integer.ts';
import type { DimExpression } from '../syntax/ast.ts';
import { evaluateConst } from './constants.ts';
import type { Elaborator } from './elaborator.ts';
import type { Scope } from './scope.ts';

/** What a name stands for; undefined means: look in the scope. */
export type DimLookup = (name: string) => Int | undefined;

/**
 * The value of a dim expression. Names come from `lookUp` first (dims that a call is about to bind), then from the
 * scope. Exact divisions leave guards behind unless `isTentative`. Undefined after a report.
 */
export function evaluateDim(
  e: Elaborator,
  dim: DimExpression,
  scope: Scope,
  lookUp?: DimLookup,
  isTentative = false,
): Int | undefined {
  switch (dim.kind) {
    case 'number':
      return Number.isSafeInteger(dim.value) ? int(dim.value) : undefined;
    case 'name':
      return lookUp?.(dim.name.text) ?? dimByName(e, dim.name.text, dim.span, scope, isTentative);
    case 'negate': {
      const operand = evaluateDim(e, dim.operand, scope, lookUp, isTentative);
      return operand && negate(operand);
    }
    case 'binary': {
      const left = evaluateDim(e, dim.left, scope, lookUp, isTentative);
      const right = evaluateDim(e, dim.right, scope, lookUp, isTentative);
      if (left === undefined || right === undefined) return undefined;
      return combine(e, dim.operator, left, right, dim.span, isTentative);
    }
    case 'call':
      return callDim(e, dim, scope, lookUp, isTentative);
    case 'error':
      return undefined;
    default:
      return unreachable(dim);
  }
}

function combine(
  e: Elaborator,
  operator: '+' | '-' | '*' | '/' | '%',
  left: Int,
  right: Int,
  span: Span,
  isTentative: boolean,
): Int | undefined {
  switch (operator) {
    case '+':
      return add(left, right);
    case '-':
      return subtract(left, right);
    case '*':
      return multiply(left, right);
    case '/':
    case '%':
      if (constantValue(right) !== undefined && constantValue(right)! <= 0) {
        if (!isTentative) e.error(notDivisible(print(left), print(right), span));
        return undefined;
      }
      if (operator === '%') return mod(left, right);
      // while dims are still unknown the quotient stands as it is: the guard comes when all are bound
      if (isTentative) return divideExact(left, right);
      return e.divide(left, right, span);
    default:
      return unreachable(operator);
  }
}

function callDim(
  e: Elaborator,
  dim: DimExpression & { readonly kind: 'call' },
  scope: Scope,
  lookUp: DimLookup | undefined,
  isTentative: boolean,
): Int | undefined {
  const args = dim.arguments.map((a) => evaluateDim(e, a, scope, lookUp, isTentative));
  const [left, right] = args;
  const rules: Readonly<Record<string, ((a: Int, b: Int) => Int) | undefined>> = {
    floordiv,
    ceildiv,
    min,
    max,
  };
  const name = dim.name.text;
  const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
  if (rule === undefined || dim.arguments.length !== 2) {
    if (!isTentative) {
      e.error(
        typeArgumentKind(name, '`floordiv`, `ceildiv`, `min` or `max` of two dims', dim.span),
      );
    }
    return undefined;
  }
  if (left === undefined || right === undefined) return undefined;
  const isDivision = name === 'floordiv' || name === 'ceildiv';
  const divisor = constantValue(right);
  if (isDivision && divisor !== undefined && divisor <= 0) {
    if (!isTentative) e.error(notDivisible(print(left), print(right), dim.span));
    return undefined;
  }
  return rule(left, right);
}

function dimByName(
  e: Elaborator,
  name: string,
  span: Span,
  scope: Scope,
  isTentative: boolean,
): Int | undefined {
  const binding = scope.find(name);
  if (binding?.kind === 'generic' && binding.argument.kind === 'dim') return binding.argument.dim;
  if (binding?.kind === 'term' && binding.term.kind === 'int') return binding.term.value;
  if (binding?.kind === 'term' && binding.term.kind === 'error') return undefined;
  if (binding?.kind === 'const') {
    const term = evaluateConst(e, binding);
    if (term.kind === 'int') return term.value;
    if (term.kind === 'error') return undefined;
  }
  if (!isTentative) {
    const names = [...scope.allNames()].filter((n) => scope.find(n)?.kind === 'generic');
    e.error(unknownDim(name, span, suggest(name, names)));
  }
  return undefined;
}
