/** `f({a, b})`: clang takes no list for a parameter that is a vector, so the list becomes a value that turns into what is wanted. */
import type { Token } from '../../metal-check/tokens.ts';
import type { Edit } from './edit.ts';

/** Lists that are arguments of calls inside of functions. */
export function listArguments(
  tokens: readonly Token[],
  isInFunction: (i: number) => boolean,
): readonly Edit[] {
  const edits: Edit[] = [];
  const open: number[] = [];
  tokens.forEach((token, i) => {
    const { text } = token;
    if (text === '{' && isInFunction(i) && isArgument(tokens, i, open[open.length - 1])) {
      const end = closingBrace(tokens, i);
      const after = tokens[end + 1]?.text ?? '';
      if (end > i + 1 && (after === ',' || after === ')')) {
        edits.push({
          from: i,
          to: i + 1,
          text: 'metal_sim::braces([&](auto kind) { return kind.of(',
        });
        edits.push({ from: end, to: end + 1, text: '); })' });
      }
    }
    if (text === '(' || text === '{' || text === '[') open.push(i);
    if (text === ')' || text === '}' || text === ']') open.pop();
  });
  return edits;
}

/** Whether the list at `i` stands alone between commas and the parentheses of a call. */
function isArgument(tokens: readonly Token[], i: number, parenthesis = -1): boolean {
  if (tokens[parenthesis]?.text !== '(') return false;
  const before = tokens[i - 1]?.text;
  const called = tokens[parenthesis - 1];
  const isCall = called?.kind === 'word' || called?.text === '>';
  return isCall && (before === '(' || before === ',');
}

function closingBrace(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let i = open; i < tokens.length; i++) {
    if (tokens[i]!.text === '{') depth++;
    if (tokens[i]!.text === '}' && --depth === 0) return i;
  }
  return open;
}
