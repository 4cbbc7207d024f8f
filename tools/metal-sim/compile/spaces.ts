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

/** Tables and structs of program scope, where functions use them, are in the part of global memory that `constant` is. */
export function constantData({ tokens, scopes, typeNames }: Structure): readonly Edit[] {
  const names = new Set<string>();
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
    if (!isPlain && name !== undefined) names.add(name);
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
    if (t.kind !== 'word' || !names.has(t.text)) return;
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

/** `constant float* w = table` in a list of parameters. */
function isDefaultArgument(tokens: readonly Token[], i: number): boolean {
  const after = tokens[i + 1]?.text;
  if (tokens[i - 1]?.text !== '=' || (after !== ',' && after !== ')')) return false;
  const start = statementStart(tokens, i);
  return tokens.slice(start, i).some((t) => t.text === '(');
}
