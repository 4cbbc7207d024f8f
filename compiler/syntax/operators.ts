/**
 * Binary operators and how tightly they bind. The grammar reads a flat run `a op b op c`; `foldOperators` gives it
 * its shape, so that a new operator is one line here.
 */
import { joinSpans, type Span } from '../diagnostics/span.ts';
import type { BinaryOperator, Expression } from './ast.ts';

/** `**` is missing: it binds tighter than the unary operators and the grammar reads it with its operand. */
export const precedence: Readonly<Record<Exclude<BinaryOperator, '**'> | '|>', number>> = {
  '@': 10,
  '*': 10,
  '/': 10,
  '%': 10,
  '+': 9,
  '-': 9,
  '<<': 8,
  '>>': 8,
  '&': 7,
  '^': 6,
  '|': 5,
  '==': 4,
  '!=': 4,
  '<': 4,
  '<=': 4,
  '>': 4,
  '>=': 4,
  '&&': 3,
  '||': 2,
  '|>': 1,
};

export type InfixOperator = keyof typeof precedence;

export const comparisonPrecedence = 4;

export interface Infix {
  readonly operator: InfixOperator;
  readonly span: Span;
  /** Written as another language has it, which has been reported. */
  readonly isForeign: boolean;
}

/**
 * Builds the tree of `operands[0] operators[0] operands[1] ...`, all of them left-associative. Calls `onChain`
 * for the second comparison of `a < b < c`.
 */
export function foldOperators(
  operands: readonly Expression[],
  operators: readonly Infix[],
  onChain: (second: Infix, first: Infix) => void,
): Expression {
  const values: Expression[] = [operands[0]!];
  const waiting: Infix[] = [];
  const reduce = (): void => {
    const right = values.pop()!;
    const left = values.pop()!;
    values.push(makeBinary(waiting.pop()!, left, right));
  };
  operators.forEach((infix, i) => {
    const level = precedence[infix.operator];
    while (waiting.length > 0 && precedence[waiting.at(-1)!.operator] >= level) {
      const isChain = precedence[waiting.at(-1)!.operator] === level;
      if (isChain && level === comparisonPrecedence) onChain(infix, waiting.at(-1)!);
      reduce();
    }
    waiting.push(infix);
    values.push(operands[i + 1]!);
  });
  while (waiting.length > 0) reduce();
  return values[0]!;
}

function makeBinary(infix: Infix, left: Expression, right: Expression): Expression {
  const span = joinSpans(left.span, right.span);
  return infix.operator === '|>'
    ? { kind: 'pipe', left, right, span }
    : {
        kind: 'binary',
        operator: infix.operator,
        operatorSpan: infix.span,
        ...(infix.isForeign ? { isForeign: true } : {}),
        left,
        right,
        span,
      };
}
