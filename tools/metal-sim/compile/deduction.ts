/**
 * `vec<T, N>` where templates deduce T or N from it: in the parameters of a function, in the arguments of a specialisation, and in
 * aliases, which may stand there. It goes by the name of clang's own vectors, which are all of them but those of bool.
 */
import { closing, type Structure } from '../../metal-check/structure.ts';
import type { Token } from '../../metal-check/tokens.ts';
import type { Edit } from './edit.ts';
import { statementStart } from './spaces.ts';

export function deducedVectors({ tokens, scopes }: Structure): readonly Edit[] {
  const edits: Edit[] = [];
  tokens.forEach((token, i) => {
    if (token.text !== 'vec' || tokens[i + 1]?.text !== '<') return;
    if (scopes[i]!.some((kind) => kind !== 'namespace' && kind !== 'struct')) return;
    const start = statementStart(tokens, i);
    const { names, end } = templateHead(tokens, start);
    if (end >= i) return;
    const between = tokens.slice(end, i);
    const isParameter = depthOf(between) > 0;
    const isOther = between.some((t) => ['struct', 'class', 'using'].includes(t.text));
    if (!isParameter && !isOther) return;
    const list = tokens.slice(i + 2, angleEnd(tokens, i + 1));
    if (list.some((t) => names.has(t.text)))
      edits.push({ from: i, to: i + 1, text: 'metal_sim_ext' });
  });
  return edits;
}

/** The parameters of `template <...>` at `start`, and where the declaration itself begins. */
export function templateHead(
  tokens: readonly Token[],
  start: number,
): { readonly names: ReadonlySet<string>; readonly end: number } {
  const names = new Set<string>();
  let end = start;
  while (tokens[end]?.text === 'template' && tokens[end + 1]?.text === '<') {
    const close = angleEnd(tokens, end + 1);
    for (let at = end + 2; at <= close; at++) {
      const isNamed = [',', '=', '>'].includes(tokens[at]!.text) && tokens[at - 1]!.kind === 'word';
      if (isNamed) names.add(tokens[at - 1]!.text);
    }
    end = close + 1;
  }
  return { names, end };
}

function depthOf(tokens: readonly Token[]): number {
  return tokens.reduce((depth, { text }) => depth + Number(text === '(') - Number(text === ')'), 0);
}

export function angleEnd(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let i = open; i < tokens.length; i++) {
    const { text } = tokens[i]!;
    if (text === '(') i = closing(tokens, i);
    if (text === '<') depth++;
    if (text === '>' && --depth === 0) return i;
    if (text === ';') break;
  }
  return tokens.length - 1;
}
