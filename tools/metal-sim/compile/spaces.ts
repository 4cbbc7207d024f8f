/** What address spaces need besides other names: the space of `this`, and uses of data at program scope. */
import { closing, type Structure } from '../../metal-check/structure.ts';
import type { Token } from '../../metal-check/tokens.ts';
import type { Edit } from './edit.ts';

const spaces: readonly string[] = ['device', 'constant', 'thread', 'threadgroup'];

/** Member functions without an address space after their parameters are for objects of the thread: clang would take any. */
export function memberFunctions({ tokens, scopes }: Structure): readonly Edit[] {
  const structs = new Set<string>();
  tokens.forEach((t, i) => {
    if (t.text === 'struct' || t.text === 'class') structs.add(tokens[i + 1]?.text ?? '');
  });
  const edits: Edit[] = [];
  tokens.forEach((token, i) => {
    const scope = scopes[i]!;
    if (token.text !== '(' || scope[scope.length - 1] !== 'struct') return;
    const isCall = tokens[i - 1]?.text === ')' && tokens[i - 3]?.text === 'operator';
    const start = statementStart(tokens, i);
    const head = tokens.slice(start, i);
    const isOperator = head.some((t) => t.text === 'operator');
    const name = tokens[i - 1]!;
    if (!isOperator && (name.kind !== 'word' || structs.has(name.text))) return;
    if (tokens[i - 2]?.text === '~') return;
    if (tokens[i - 1]?.text === 'operator' && !isCall) return;
    if (!isOperator && head.some((t) => t.text === '=' || t.text === '(')) {
      if (!head.some((t) => t.text === 'template')) return;
    }
    if (
      head.some((t) => ['static', 'friend', 'typedef', 'using', 'static_assert'].includes(t.text))
    )
      return;
    let last = closing(tokens, i);
    while (tokens[last + 1]?.text === 'const' || tokens[last + 1]?.text === 'volatile') last++;
    const next = tokens[last + 1]?.text ?? '';
    if (spaces.includes(next) || !['{', ';', '-', '->', '='].includes(next)) return;
    edits.push({ from: last, to: last + 1, text: `${tokens[last]!.text} __private` });
  });
  return edits;
}

function statementStart(tokens: readonly Token[], i: number): number {
  let start = i;
  while (start > 0 && ![';', '}', '{', ':'].includes(tokens[start - 1]!.text)) {
    if (tokens[start - 1]!.kind === 'directive') break;
    start--;
  }
  return start;
}

/** Tables and structs of program scope, where functions use them, are in the part of global memory that `constant` is. */
export function constantData({ tokens, scopes, typeNames }: Structure): readonly Edit[] {
  const names = new Set<string>();
  tokens.forEach((t, i) => {
    if (t.text !== 'constant' || scopes[i]!.some((kind) => kind !== 'namespace')) return;
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
  tokens.forEach((t, i) => {
    if (
      t.kind !== 'word' ||
      !names.has(t.text) ||
      !scopes[i]!.some((k) => k === 'function' || k === 'kernel')
    )
      return;
    const before = tokens[i - 1]!;
    if (before.kind === 'word' && !['return', 'case', 'else', 'in'].includes(before.text))
      hidden.add(t.text);
    if (!['.', '->', '::'].includes(before.text)) uses.push(i);
  });
  return uses
    .filter((i) => !hidden.has(tokens[i]!.text))
    .map((i) => ({ from: i, to: i + 1, text: `metal_sim::constant_of(${tokens[i]!.text})` }));
}
