/** Conditions of `?:` are scalars in Metal; clang would choose between vectors component by component. */
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

/** Puts `metal_sim::condition(...)` around each condition inside of functions. */
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
  });
  return edits;
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
