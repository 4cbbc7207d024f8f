/**
 * `void f(const thread float& x)` called as `f(a + b)`: clang has temporaries in no space that has a name, so in a source that does so
 * these parameters are references to any memory, or values where a template deduces their type.
 */
import { closing, type Structure } from '../../metal-check/structure.ts';
import { angleEnd, templateHead } from './deduction.ts';
import type { Edit } from './edit.ts';
import { statementStart } from './spaces.ts';

/** What clang says of it, in an error or in a note about a candidate. */
export const temporaryMessage: RegExp =
  /cannot bind to a temporary object because of address space mismatch|cannot bind reference in default address space/;

export function temporaries({ tokens, scopes }: Structure): readonly Edit[] {
  const edits: Edit[] = [];
  tokens.forEach((token, open) => {
    if (token.text !== '(') return;
    if (scopes[open]!.some((kind) => kind !== 'namespace' && kind !== 'struct')) return;
    const { names } = templateHead(tokens, statementStart(tokens, open));
    const end = closing(tokens, open);
    for (let from = open + 1; from < end; ) {
      let to = from;
      for (; to < end && tokens[to]!.text !== ','; to++) {
        if ('([{'.includes(tokens[to]!.text)) to = closing(tokens, to);
        if (tokens[to]!.text === '<') to = angleEnd(tokens, to);
      }
      edits.push(...parameter(from, to, names));
      from = to + 1;
    }
  });
  return edits;

  function parameter(from: number, to: number, names: ReadonlySet<string>): readonly Edit[] {
    const texts = tokens.slice(from, to).map((t) => t.text);
    const reference = texts.indexOf('&');
    const space = texts.indexOf('thread');
    if (reference < 0 || space < 0 || space > reference || !texts.includes('const')) return [];
    if (texts.includes('*') || texts.includes('(')) return [];
    const isDeduced = texts.slice(0, reference).some((t) => names.has(t));
    const found = { from: from + space, to: from + space + 1, text: '' };
    return isDeduced
      ? [found, { from: from + reference, to: from + reference + 1, text: '' }]
      : [found];
  }
}
