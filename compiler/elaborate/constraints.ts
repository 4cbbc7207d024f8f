/** `where` clauses: conditions on dims, checked at calls and taken as facts in the body. */
import { conditionRefuted } from '../diagnostics/problems/shapes.ts';
import type { Span } from '../diagnostics/span.ts';
import { add, type Int, multiply, one, print, subtract } from '../symbolic/integer.ts';
import type { Constraint, DimExpression } from '../syntax/ast.ts';
import type { Guard } from '../tensor-ir/program.ts';
import { evaluateDim } from './dims.ts';
import type { Elaborator } from './elaborator.ts';
import type { Scope } from './scope.ts';
import { showDim } from './show.ts';

/** The condition of a `where` clause under the dims of a scope; undefined after a report. */
export function conditionOf(
  e: Elaborator,
  constraint: Constraint,
  scope: Scope,
): Guard | undefined {
  const { left: leftDim, relation, right: rightDim, span } = constraint;
  const message = `${showDim(leftDim)} ${relation} ${showDim(rightDim)}`;
  // D % H == 0 is a statement of its own: it makes D/H exact
  if (
    relation === '==' &&
    leftDim.kind === 'binary' &&
    leftDim.operator === '%' &&
    isZero(rightDim)
  ) {
    const left = evaluateDim(e, leftDim.left, scope);
    const right = evaluateDim(e, leftDim.right, scope);
    if (left === undefined || right === undefined) return undefined;
    return { relation: 'divisible', left, right, message, span };
  }
  const left = evaluateDim(e, leftDim, scope);
  const right = evaluateDim(e, rightDim, scope);
  if (left === undefined || right === undefined) return undefined;
  const atLeast = (a: Int, b: Int): Guard => ({
    relation: 'at-least',
    left: a,
    right: b,
    message,
    span,
  });
  switch (relation) {
    case '==':
      return { relation: 'equal', left, right, message, span };
    case '>=':
      return atLeast(left, right);
    case '<=':
      return atLeast(right, left);
    case '>':
      return atLeast(left, add(right, one));
    case '<':
      return atLeast(right, add(left, one));
    case '!=': {
      // a whole number differs from 0 when its square is at least 1
      const difference = subtract(left, right);
      return atLeast(multiply(difference, difference), one);
    }
  }
}

function isZero(dim: DimExpression): boolean {
  return dim.kind === 'number' && dim.value === 0;
}

/** Checks a constraint of a callee at a call: proved, kept as a guard, or refuted. */
export function requireConstraint(
  e: Elaborator,
  constraint: Constraint,
  scope: Scope,
  callee: string,
  span: Span,
): boolean {
  const condition = conditionOf(e, constraint, scope);
  if (condition === undefined) return false;
  const verdict = e.conditions.judge(condition);
  if (verdict === 'refuted') {
    const values = showValues(e, constraint, scope);
    const labels = [{ span: constraint.span, text: `\`${callee}\` states it here` }];
    e.error(conditionRefuted(condition.message, values, span, labels));
    return false;
  }
  if (verdict === 'open') e.conditions.record({ ...condition, span });
  return true;
}

/** `D is 12, H is 5` */
export function showValues(e: Elaborator, { left, right }: Constraint, scope: Scope): string {
  const names = new Set([...namesInDim(left), ...namesInDim(right)]);
  const shown = [...names].map((text) => {
    const span = left.span;
    const dim = evaluateDim(
      e,
      { kind: 'name', name: { text, span }, span },
      scope,
      undefined,
      true,
    );
    return `${text} is ${dim === undefined ? 'unknown' : print(dim)}`;
  });
  return shown.length === 0 ? 'it is false' : shown.join(', ');
}

/** The names in a dim expression. */
export function namesInDim(dim: DimExpression): readonly string[] {
  switch (dim.kind) {
    case 'name':
      return [dim.name.text];
    case 'binary':
      return [...namesInDim(dim.left), ...namesInDim(dim.right)];
    case 'negate':
      return namesInDim(dim.operand);
    case 'call':
      return dim.arguments.flatMap(namesInDim);
    default:
      return [];
  }
}
