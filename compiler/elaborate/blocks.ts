/** Blocks and their statements. */
import { unreachable } from '../diagnostics/internal-error.ts';
import { assignmentInLambda, notAssignable, unknownName } from '../diagnostics/problems/names.ts';
import { unusedValue } from '../diagnostics/problems/types.ts';
import { suggest } from '../diagnostics/suggest.ts';
import type { BinaryOperator, Block, Expression, Statement } from '../syntax/ast.ts';
import { coerce } from './coerce.ts';
import { elaborateIf } from './conditionals.ts';
import { describe } from './describe.ts';
import type { Elaborator } from './elaborator.ts';
import { elaborateExpression } from './expressions.ts';
import { elaborateFor, elaborateWhile } from './loops.ts';
import { isWeak } from './numbers.ts';
import { binaryOperation } from './operators.ts';
import { bindPattern, nameValues } from './patterns.ts';
import { Scope } from './scope.ts';
import { containsError, errorTerm, isUnit, scalarType, typeOf, unit } from './terms.ts';
import { evaluateType } from './types.ts';
import { isUpdate } from './update.ts';
import type { Term, Type } from './value.ts';

/** The value of the block, `()` when it ends in a statement. `isStatement`: nobody takes its value. */
export function elaborateBlock(
  e: Elaborator,
  block: Block,
  scope: Scope,
  expected: Type | undefined,
  isStatement = false,
): Term {
  const inner = new Scope(scope);
  // without its `;` the last value would be that of the block: said where the block is found to lack one
  const last = isStatement || block.result !== undefined ? undefined : block.statements.at(-1);
  for (const statement of block.statements) {
    elaborateStatement(e, statement, inner, statement === last);
  }
  const value =
    block.result === undefined ? unit : elaborateExpression(e, block.result, inner, expected);
  scope.end(inner);
  if (isStatement && block.result !== undefined) requireUnit(e, value, block.result);
  return value;
}

function elaborateStatement(
  e: Elaborator,
  statement: Statement,
  scope: Scope,
  isLast: boolean,
): void {
  switch (statement.kind) {
    case 'let': {
      const type = statement.type && evaluateType(e, statement.type, scope);
      let value = elaborateExpression(e, statement.value, scope, type);
      if (type !== undefined) {
        const labels = [{ span: statement.type!.span, text: 'the annotation' }];
        value = coerce(e, value, type, {
          span: statement.value.span,
          labels,
          written: statement.value,
        });
      }
      bindPattern(e, statement.pattern, value, scope, statement.isVar);
      break;
    }
    case 'var': {
      const type = statement.type && evaluateType(e, statement.type, scope);
      let value = elaborateExpression(e, statement.value, scope, type);
      if (type !== undefined) value = coerce(e, value, type, { span: statement.value.span });
      const { text, span } = statement.name;
      nameValues(value, text);
      scope.define(text, { kind: 'term', term: value, span, isVar: true });
      break;
    }
    case 'assign':
      assign(e, statement, scope);
      break;
    case 'for':
      elaborateFor(e, statement, scope);
      break;
    case 'while':
      elaborateWhile(e, statement, scope);
      break;
    case 'expression': {
      const { expression } = statement;
      if (expression.kind === 'if') elaborateIf(e, expression, scope, undefined, true);
      else {
        const value = elaborateExpression(e, expression, scope, undefined);
        if (!isLast) requireUnit(e, value, expression);
      }
      break;
    }
    default:
      unreachable(statement);
  }
}

/** A value that nobody takes is a mistake: expressions have no effects. */
function requireUnit(e: Elaborator, value: Term, expression: Expression): void {
  if (isUnit(value) || containsError(value)) return;
  e.error(unusedValue(describe(value), expression.span, useOf(expression)));
}

function useOf(expression: Expression): string {
  const isUpdated = expression.kind === 'call' && isUpdate(expression);
  return isUpdated
    ? 'bind the new tensor: `let y = x.at[…].set(…);`'
    : 'bind it with `let`, or leave it out';
}

const operators: Readonly<Record<string, BinaryOperator>> = {
  '+=': '+',
  '-=': '-',
  '*=': '*',
  '/=': '/',
};

function assign(
  e: Elaborator,
  statement: Statement & { readonly kind: 'assign' },
  scope: Scope,
): void {
  const { text, span } = statement.name;
  const binding = scope.find(text);
  if (binding === undefined) {
    const isNew = e.isNewUnknown(text, span);
    const near = suggest(text, scope.allNames());
    const hint = `bind it with \`let ${text} = ...\`, or \`var\` when it changes later`;
    const cure = near === undefined ? { hint } : {};
    if (isNew) e.error({ ...unknownName(text, span, near), ...cure });
    elaborateExpression(e, statement.value, scope, undefined);
    // one mistake, one error: what follows takes the name for bound
    scope.define(text, { kind: 'term', term: errorTerm, isVar: true, span });
    return;
  }
  if (binding.kind !== 'term' || !binding.isVar) {
    const defined = binding.kind === 'term' ? binding.span : undefined;
    e.error(notAssignable(text, span, defined));
    scope.define(text, { kind: 'term', term: errorTerm, isVar: true, span });
    return;
  }
  if (scope.isBeyondLambda(text)) {
    e.error(assignmentInLambda(text, span, binding.span));
    return;
  }
  const before = binding.term;
  const expected = before.kind === 'error' ? undefined : typeOf(before);
  let value = elaborateExpression(e, statement.value, scope, expected);
  const operator = operators[statement.operator];
  if (operator !== undefined) {
    value = binaryOperation(e, operator, before, value, {
      span: statement.span,
      left: span,
      right: statement.value.span,
    });
  }
  if (before.kind === 'tensor' && before.isWeak !== true && isWeak(value)) {
    // a literal keeps the dtype that the variable has
    value = coerce(
      e,
      value,
      { ...scalarType(before.value.type.dtype) },
      { span: statement.value.span },
    );
  }
  nameValues(value, text);
  scope.reassign(text, { ...binding, term: value });
}
