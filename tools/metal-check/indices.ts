/** Numbers that attributes are given by name or expression: enumerators, constants of program scope, sums and products of them. */
import type { Token } from './tokens.ts';

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

/** The value of an expression; undefined when it is none of integers that are known. */
export function integerValue(
  expression: readonly { readonly text: string }[],
  values: ReadonlyMap<string, number>,
): number | undefined {
  let at = 0;
  const next = (): string => expression[at]?.text ?? '';
  const primary = (): number | undefined => {
    const text = next();
    at++;
    if (text === '(') {
      const inside = sum();
      if (next() !== ')') return undefined;
      at++;
      return inside;
    }
    if (text === '-') {
      const value = primary();
      return value === undefined ? undefined : -value;
    }
    if (/^(?:0x[\da-f]+|\d+)u?l?$/i.test(text)) return Number(text.replace(/[ul]+$/i, ''));
    // the last name of ns::name
    let name = text;
    while (next() === '::') {
      name = expression[at + 1]?.text ?? '';
      at += 2;
    }
    return values.get(name);
  };
  const product = (): number | undefined => {
    let value = primary();
    while (value !== undefined && ['*', '/', '%'].includes(next())) {
      const operator = next();
      at++;
      const right = primary();
      if (right === undefined || (operator !== '*' && right === 0)) return undefined;
      value =
        operator === '*'
          ? value * right
          : operator === '/'
            ? Math.trunc(value / right)
            : value % right;
    }
    return value;
  };
  const sum = (): number | undefined => {
    let value = product();
    while (value !== undefined && ['+', '-'].includes(next())) {
      const sign = next() === '+' ? 1 : -1;
      at++;
      const right = product();
      if (right === undefined) return undefined;
      value += sign * right;
    }
    return value;
  };
  const value = sum();
  return at === expression.length ? value : undefined;
}
