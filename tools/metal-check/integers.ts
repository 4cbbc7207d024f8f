/** Integers that attributes are given as expressions: `function_constant(700 + 4)`, mostly where macros are gone. */
import type { Token } from './tokens.ts';

const levels: readonly ReadonlyMap<string, (a: number, b: number) => number>[] = [
  new Map([['|', (a, b) => a | b]]),
  new Map([['<<', (a, b) => a << b]]),
  new Map([
    ['+', (a, b) => a + b],
    ['-', (a, b) => a - b],
  ]),
  new Map([
    ['*', (a, b) => a * b],
    ['/', (a, b) => Math.trunc(a / b)],
    ['%', (a, b) => a % b],
  ]),
];

/** The value of an expression of literals; NaN when it has anything else. */
export function integerValue(tokens: readonly Token[]): number {
  let at = 0;
  const part = (level: number): number => {
    const operators = levels[level];
    if (operators === undefined) return operand();
    let value = part(level + 1);
    for (;;) {
      const operator = operators.get(tokens[at]?.text ?? '');
      if (operator === undefined) return value;
      at++;
      value = operator(value, part(level + 1));
    }
  };
  const operand = (): number => {
    const token = tokens[at++];
    if (token?.text === '(') {
      const value = part(0);
      return tokens[at++]?.text === ')' ? value : Number.NaN;
    }
    return token?.kind === 'number' ? Number(token.text.replace(/[uUlL]+$/, '')) : Number.NaN;
  };
  const value = part(0);
  return at === tokens.length ? value : Number.NaN;
}
