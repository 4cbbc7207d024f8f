/** What address spaces need besides other names: the space of `this`, and uses of data at program scope. */
import { closing, type Structure } from '../../metal-check/structure.ts';
import type { Token } from '../../metal-check/tokens.ts';
import type { Edit } from './edit.ts';

const spaces: readonly string[] = ['device', 'constant', 'thread', 'threadgroup'];

/**
 * Member functions without an address space after their parameters are for objects of the thread; clang would take any. Operators are
 * left to it.
 */
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
    if (isOperator) {
      // often called on temporaries, which are in no space of clang's
      if (next === 'thread') edits.push({ from: last + 1, to: last + 2, text: '' });
      return;
    }
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
  // a name may be a local one in some functions
  const functions: number[] = [];
  tokens.forEach((_, i) => {
    const isOutside = scopes[i]!.every((kind) => kind === 'namespace');
    functions.push(isOutside ? i : (functions[i - 1] ?? 0));
  });
  tokens.forEach((t, i) => {
    if (t.kind !== 'word' || !names.has(t.text)) return;
    const isInFunction = scopes[i]!.some((k) => k === 'function' || k === 'kernel');
    if (!isInFunction && !isDefaultArgument(tokens, i)) return;
    const before = tokens[i - 1]!;
    if (before.kind === 'word' && !['return', 'case', 'else', 'in'].includes(before.text))
      hidden.add(`${functions[i]} ${t.text}`);
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

/** Functions as arguments of templates: `void (*f)(int)` in a list after `template` is `auto f`, for clang takes no pointers there. */
export function functionArguments(tokens: readonly Token[]): readonly Edit[] {
  const edits: Edit[] = [];
  tokens.forEach((token, i) => {
    const name = tokens[i + 2];
    if (token.text !== '(' || !['*', '&'].includes(tokens[i + 1]?.text ?? '')) return;
    if (name?.kind !== 'word' || tokens[i + 3]?.text !== ')' || tokens[i + 4]?.text !== '(') return;
    let start = i;
    while (start > 0 && !['<', ','].includes(tokens[start - 1]!.text)) start--;
    for (let at = start - 1; at > 0; at--) {
      const { text } = tokens[at]!;
      if (text === ';' || text === '{' || text === '}') return;
      if (text !== 'template') continue;
      edits.push({ from: start, to: closing(tokens, i + 4) + 1, text: `auto ${name.text}` });
      return;
    }
  });
  return edits;
}
