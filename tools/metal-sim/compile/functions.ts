/** Functions as arguments of templates, and arrays as parameters of functions. */
import { closing, type Structure } from '../../metal-check/structure.ts';
import type { Token } from '../../metal-check/tokens.ts';
import type { Edit } from './edit.ts';

/**
 * In a list of template parameters clang's OpenCL mode takes no pointers to functions, but references, `void (&f)(int)`, which find
 * their overload as pointers do. Aliases of such types, `using op = float (*)(float);`, become references too.
 */
export function functionArguments(tokens: readonly Token[]): readonly Edit[] {
  const edits: Edit[] = [];
  tokens.forEach((token, i) => {
    if (token.text !== '(' || tokens[i + 1]?.text !== '*') return;
    const close = tokens[i + 2]?.kind === 'word' ? i + 3 : i + 2;
    if (tokens[close]?.text !== ')' || tokens[close + 1]?.text !== '(') return;
    for (let at = i - 1; at >= 0; at--) {
      const { text } = tokens[at]!;
      if (text === ';' || text === '{' || text === '}') return;
      if (!['template', 'typedef', 'using'].includes(text)) continue;
      edits.push({ from: i + 1, to: i + 2, text: '&' });
      return;
    }
  });
  return edits;
}

/** `T f(T values[4])`: an array without an address space is one of the thread, and its pointer has to say so where T is deduced. */
export function arrayParameters({ tokens, scopes }: Structure): readonly Edit[] {
  const edits: Edit[] = [];
  tokens.forEach((token, i) => {
    if (token.text !== '[' || tokens[i + 1]?.text === '[' || tokens[i - 1]?.kind !== 'word') return;
    if (scopes[i]!.some((kind) => kind === 'function' || kind === 'kernel')) return;
    let end = i;
    while (tokens[end]?.text === '[' && tokens[end + 1]?.text !== '[')
      end = closing(tokens, end) + 1;
    if (tokens[end]?.text !== ',' && tokens[end]?.text !== ')') return;
    let start = i - 2;
    if (tokens[start]?.kind !== 'word') return;
    while (tokens[start - 1]?.text === 'const') start--;
    if (tokens[start - 1]?.text !== '(' && tokens[start - 1]?.text !== ',') return;
    edits.push({ from: start, to: start, text: '__private ' });
  });
  return edits;
}
