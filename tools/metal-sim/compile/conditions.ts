/**
 * `?:`. Conditions are scalars in Metal; clang would choose between vectors component by component. Structs of different address spaces
 * have no common type in clang, so they are chosen between as values.
 */
import { closing } from '../../metal-check/structure.ts';
import type { Token } from '../../metal-check/tokens.ts';
import type { Edit } from './edit.ts';

const ends: readonly string[] = ['(', '[', '{', ';', ',', '?', ':', 'return', 'case'];
const assignments: readonly string[] = [
  '=',
  '+=',
  '-=',
  '*=',
  '/=',
  '%=',
  '&=',
  '|=',
  '^=',
  '<<=',
  '>>=',
];

/** Puts `metal_sim::condition(...)` around each condition inside of functions, and `metal_sim::value(), ` before what may be structs. */
export function conditions(
  tokens: readonly Token[],
  isInFunction: (i: number) => boolean,
): readonly Edit[] {
  const edits: Edit[] = [];
  tokens.forEach((token, i) => {
    if (token.text !== '?' || !isInFunction(i)) return;
    const start = conditionStart(tokens, i);
    if (start === undefined || start === i) return;
    edits.push({ from: start, to: start, text: 'metal_sim::condition(' });
    edits.push({ from: i, to: i, text: ')' });
    edits.push(...choices(tokens, start, i));
  });
  return edits;
}

/** `c ? a : b` where both may be structs: the comma is an operator of `metal_sim::value` for those, and else gives `a` as it is. */
function choices(tokens: readonly Token[], start: number, question: number): readonly Edit[] {
  const colon = operandEnd(tokens, question + 1);
  if (colon === undefined || tokens[colon]!.text !== ':') return [];
  const end = operandEnd(tokens, colon + 1);
  if (end === undefined) return [];
  const operands = [tokens.slice(question + 1, colon), tokens.slice(colon + 1, end)];
  if (!operands.every(mayBeStruct) || isReference(tokens, start)) return [];
  return [question, colon].flatMap((before, n) => [
    { from: before + 1, to: before + 1, text: '(metal_sim::value(), ' },
    { from: n === 0 ? colon : end, to: n === 0 ? colon : end, text: ')' },
  ]);
}

/** Names, members, elements and results of calls; no arithmetic. */
function mayBeStruct(operand: readonly Token[]): boolean {
  const first = operand[0];
  if (first === undefined || !(first.kind === 'word' || first.text === '*')) return false;
  for (let i = 0; i < operand.length; i++) {
    const { kind, text } = operand[i]!;
    if (text === '(' || text === '[') i = closing(operand, i);
    else if (text === '<' && argumentsEnd(operand, i) !== undefined) i = argumentsEnd(operand, i)!;
    else if (i > 0 && kind !== 'word' && !['.', '->', '::'].includes(text)) return false;
    if (['true', 'false', 'sizeof'].includes(text)) return false;
  }
  return true;
}

/** The `>` that ends the arguments of a template that is then called; undefined for a comparison. */
export function argumentsEnd(tokens: readonly Token[], open: number): number | undefined {
  let depth = 0;
  for (let i = open; i < tokens.length; i++) {
    const { text } = tokens[i]!;
    if (text === '(') i = closing(tokens, i);
    else if (text === '<') depth++;
    else if (text === '>' && --depth === 0)
      return ['(', '::', '{'].includes(tokens[i + 1]?.text ?? '') ? i : undefined;
    else if ([';', '{', '}', ')', ']', '&&', '||', '?'].includes(text)) return undefined;
  }
  return undefined;
}

/** Where an operand that begins at `from` ends. */
function operandEnd(tokens: readonly Token[], from: number): number | undefined {
  let nested = 0;
  for (let at = from; at < tokens.length; at++) {
    const { text, kind } = tokens[at]!;
    if (kind === 'directive') return undefined;
    if (text === '(' || text === '[' || text === '{') at = closing(tokens, at);
    else if (text === '<') at = argumentsEnd(tokens, at) ?? at;
    else if (text === '?') nested++;
    else if (text === ':' && nested-- === 0) return at;
    else if ([',', ';', ')', ']', '}'].includes(text)) return at;
  }
  return undefined;
}

/** `T& x = c ? a : b` wants no copy. */
function isReference(tokens: readonly Token[], start: number): boolean {
  if (tokens[start - 1]?.text !== '=') return false;
  for (let at = start - 2; at > 0; at--) {
    const { text } = tokens[at]!;
    if (text === '&') return true;
    if ([';', '{', '}', '(', ','].includes(text)) return false;
  }
  return false;
}

/** Undefined where `<` or `>` could be brackets of a template that the condition does not hold whole. */
export function conditionStart(tokens: readonly Token[], question: number): number | undefined {
  let depth = 0;
  let angle = 0;
  for (let at = question - 1; at >= 0; at--) {
    const { text, kind } = tokens[at]!;
    if (kind === 'directive') return undefined;
    if (text === ')' || text === ']' || text === '}') depth++;
    if (depth === 0) {
      if (text === '>') angle++;
      if (text === '<' && angle > 0) angle--;
      else if (text === '<' && tokens[at - 1]?.kind === 'word' && isTemplate(tokens[at - 1]!.text))
        return undefined;
      if (ends.includes(text) || assignments.includes(text)) return at + 1;
    } else if (text === '(' || text === '[' || text === '{') depth--;
  }
  return undefined;
}

function isTemplate(name: string): boolean {
  return /^(?:vec|array|template|enable_if(?:_t)?|conditional(?:_t)?|\w+_cast|as_type|integral_constant|bool_constant|simdgroup_matrix)$/.test(
    name,
  );
}
