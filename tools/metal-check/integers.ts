/** Numbers that attributes are given by name or expression: enumerators, constants of program scope, sums and products of them. */
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

/** The values of enumerators and of integer constants. */
export function integerConstants(tokens: readonly Token[]): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  tokens.forEach((t, i) => {
    if (t.text === 'enum') enumerators(tokens, i, values);
    const isConstant = t.text === 'constant' || t.text === 'constexpr';
    if (!isConstant) return;
    // constant constexpr int name = value;
    let at = i + 1;
    while (tokens[at]?.kind === 'word') at++;
    if (tokens[at]?.text !== '=') return;
    let end = at;
    while (end < tokens.length && tokens[end]!.text !== ';') end++;
    const value = integerValue(tokens.slice(at + 1, end), values);
    if (value !== undefined) values.set(tokens[at - 1]!.text, value);
  });
  return values;
}

function enumerators(tokens: readonly Token[], at: number, values: Map<string, number>): void {
  let open = at;
  while (open < tokens.length && !['{', ';'].includes(tokens[open]!.text)) open++;
  if (tokens[open]?.text !== '{') return;
  let next = 0;
  for (let i = open + 1; i < tokens.length && tokens[i]!.text !== '}'; i++) {
    const name = tokens[i]!;
    let end = i + 1;
    while (end < tokens.length && ![',', '}'].includes(tokens[end]!.text)) end++;
    if (tokens[i + 1]?.text === '=') {
      const value = integerValue(tokens.slice(i + 2, end), values);
      if (value === undefined) return;
      next = value;
    }
    values.set(name.text, next++);
    if (tokens[end]?.text === '}') return;
    i = end;
  }
}

/** The value of an expression; undefined when it is none of literals and `values`. */
export function integerValue(
  tokens: readonly Token[],
  values: ReadonlyMap<string, number> = new Map(),
): number | undefined {
  let at = 0;
  const next = (): string => tokens[at]?.text ?? '';
  const part = (level: number): number => {
    const operators = levels[level];
    if (operators === undefined) return operand();
    let value = part(level + 1);
    for (;;) {
      const operator = operators.get(next());
      if (operator === undefined) return value;
      at++;
      value = operator(value, part(level + 1));
    }
  };
  const operand = (): number => {
    const text = next();
    at++;
    if (text === '-') return -operand();
    if (text === '(') {
      const inside = part(0);
      const isClosed = next() === ')';
      at++;
      return isClosed ? inside : Number.NaN;
    }
    if (/^(?:0x[\da-f]+|\d+)u?l?$/i.test(text)) return Number(text.replace(/[ul]+$/i, ''));
    // the last name of ns::name
    let name = text;
    while (next() === '::') {
      name = tokens[at + 1]?.text ?? '';
      at += 2;
    }
    return values.get(name) ?? Number.NaN;
  };
  const value = part(0);
  return at === tokens.length && Number.isInteger(value) ? value : undefined;
}
