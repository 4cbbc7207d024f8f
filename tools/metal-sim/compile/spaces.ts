/** What address spaces need besides other names: uses of data at program scope, and functions as arguments of templates. */
import type { Structure } from '../../metal-check/structure.ts';
import type { Token } from '../../metal-check/tokens.ts';
import type { Edit } from './edit.ts';

export function statementStart(tokens: readonly Token[], i: number): number {
  let start = i;
  while (start > 0 && ![';', '}', '{', ':'].includes(tokens[start - 1]!.text)) {
    if (tokens[start - 1]!.kind === 'directive') break;
    start--;
  }
  return start;
}

/** Words before a name that is used and not declared. */
const afterWords: ReadonlySet<string> = new Set(['return', 'case', 'else', 'in', 'do']);

/** Words before a parenthesis that is no list of arguments. */
const notCalled: ReadonlySet<string> = new Set([
  'if',
  'while',
  'switch',
  'for',
  'sizeof',
  'return',
]);

/** Tables and structs of program scope, where functions use them, are in the part of global memory that `constant` is. */
export function constantData({ tokens, scopes, typeNames }: Structure): readonly Edit[] {
  const names = new Set<string>();
  const scalars = new Set<string>();
  let depth = 0;
  tokens.forEach((t, i) => {
    if (t.text === '(') depth++;
    if (t.text === ')') depth--;
    if (t.text !== 'constant' || depth > 0) return;
    if (scopes[i]!.some((kind) => kind !== 'namespace')) return;
    let end = i;
    while (end < tokens.length && !['=', ';', '(', '{'].includes(tokens[end]!.text)) end++;
    if (tokens[end]!.text === '(') return;
    const head = tokens.slice(i + 1, end).map((x) => x.text);
    if (head.includes('*') || head.includes('&')) return;
    const bracket = head.indexOf('[');
    const isPlain = head.some((x) => typeNames.has(x) && /^[a-z]/.test(x)) && bracket < 0;
    const name = head[(bracket < 0 ? head.length : bracket) - 1];
    if (name !== undefined) (isPlain ? scalars : names).add(name);
  });
  const uses: number[] = [];
  const hidden = new Set<string>();
  // a name may be a local one in some functions, or one of their parameters
  const functions: number[] = [];
  tokens.forEach((t, i) => {
    const isOutside = scopes[i]!.every((kind) => kind === 'namespace');
    const isEnd = isOutside && (t.text === ';' || t.text === '}');
    functions.push(isEnd ? i : (functions[i - 1] ?? 0));
  });
  tokens.forEach((t, i) => {
    if (t.kind !== 'word') return;
    const isArgument = scalars.has(t.text) && isWholeArgument(tokens, i);
    if (!names.has(t.text) && !isArgument) return;
    const isInFunction = scopes[i]!.some((k) => k === 'function' || k === 'kernel');
    const before = tokens[i - 1]!;
    const isDeclared =
      ['*', '&', '>'].includes(before.text) && ['[', ',', ')'].includes(tokens[i + 1]?.text ?? '');
    if (before.kind === 'word' ? !afterWords.has(before.text) : !isInFunction && isDeclared)
      hidden.add(`${functions[i]} ${t.text}`);
    if (!isInFunction && !isDefaultArgument(tokens, i)) return;
    if (!['.', '->', '::'].includes(before.text)) uses.push(i);
  });
  return uses
    .filter((i) => !hidden.has(`${functions[i]} ${tokens[i]!.text}`))
    .map((i) => ({ from: i, to: i + 1, text: `metal_sim::constant_of(${tokens[i]!.text})` }));
}

/** `f(x, name)`, where a reference to constant memory may be wanted; not where a constant expression is. */
function isWholeArgument(tokens: readonly Token[], i: number): boolean {
  const [before, after] = [tokens[i - 1]?.text ?? '', tokens[i + 1]?.text ?? ''];
  if (!['(', ','].includes(before) || ![')', ','].includes(after)) return false;
  let open = i - 1;
  for (let depth = 0; open > 0; open--) {
    const { text } = tokens[open]!;
    if ([')', ']', '}'].includes(text)) depth++;
    if (['<', ';', '{'].includes(text) && depth === 0) return false;
    if (['(', '[', '{'].includes(text) && depth-- === 0) break;
  }
  const called = tokens[open - 1];
  const isCall = called?.kind === 'word' || called?.text === '>';
  if (tokens[open]!.text !== '(' || !isCall || notCalled.has(called.text)) return false;
  const statement = tokens.slice(statementStart(tokens, i), i);
  return !statement.some((t) => t.text === 'constexpr' || t.text === 'static_assert');
}

/** `constant float* w = table` in a list of parameters. */
function isDefaultArgument(tokens: readonly Token[], i: number): boolean {
  const after = tokens[i + 1]?.text;
  if (tokens[i - 1]?.text !== '=' || (after !== ',' && after !== ')')) return false;
  const start = statementStart(tokens, i);
  return tokens.slice(start, i).some((t) => t.text === '(');
}
