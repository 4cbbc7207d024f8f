/**
 * Vectors whose values stand in braces: `float4 a = {0};`, `float2 b{x, y};`, `float4 c[2] = {{1}, {2}};`, `uint2{1, 2}`. In clang's
 * OpenCL mode a list names every component; in Metal the rest is zero. They become calls of `metal_sim::list`.
 */
import { closing, type Structure } from '../../metal-check/structure.ts';
import type { Token } from '../../metal-check/tokens.ts';
import { vectorName } from './constructors.ts';
import type { Edit } from './edit.ts';

/** Also those that the source gives to vectors. */
function vectorNames(tokens: readonly Token[]): (name: string) => boolean {
  const aliases = new Set<string>();
  tokens.forEach((token, i) => {
    const [name, type] =
      token.text === 'using' && tokens[i + 2]?.text === '='
        ? [tokens[i + 1], tokens[i + 3]]
        : token.text === 'typedef'
          ? [tokens[i + 2], tokens[i + 1]]
          : [];
    const end = token.text === 'using' ? i + 4 : i + 3;
    if (name === undefined || type === undefined || tokens[end]?.text !== ';') return;
    if (vectorName.test(type.text)) aliases.add(name.text);
  });
  return (name) => vectorName.test(name) || aliases.has(name);
}

export function vectorLists({ tokens }: Structure): readonly Edit[] {
  const isVector = vectorNames(tokens);
  const edits: Edit[] = [];
  tokens.forEach((token, i) => {
    if (token.kind !== 'word' || !isVector(token.text)) return;
    let at = i + 1;
    if (tokens[at]?.text === '{') {
      // a value in an expression; after `->` or `operator` it is a type before a body
      const before = tokens[i - 1]?.text ?? '';
      if (before !== 'operator' && before !== '->') list(token.text, at, true);
      return;
    }
    // the declarators of a declaration
    while (tokens[at]?.kind === 'word') {
      at++;
      let dimensions = 0;
      for (; tokens[at]?.text === '['; dimensions++) at = closing(tokens, at) + 1;
      const isAssigned = tokens[at]?.text === '=';
      const open = isAssigned ? at + 1 : at;
      if (tokens[open]?.text === '{') {
        at = closing(tokens, open) + 1;
        if (dimensions > 0) nested(token.text, open, at - 1, dimensions);
        else {
          if (!isAssigned) edits.push({ from: open, to: open, text: '= ' });
          list(token.text, open, false);
        }
      } else if (isAssigned) {
        while (at < tokens.length && ![',', ';'].includes(tokens[at]!.text)) {
          at = ['(', '[', '{'].includes(tokens[at]!.text) ? closing(tokens, at) + 1 : at + 1;
        }
      }
      if (tokens[at]?.text !== ',') return;
      at++;
    }
  });
  return edits;

  function list(type: string, open: number, isTemporary: boolean): void {
    const close = closing(tokens, open);
    if (close === open + 1) return;
    const head = `metal_sim::list<${type}>(`;
    edits.push(
      isTemporary
        ? { from: open - 1, to: open + 1, text: head }
        : { from: open, to: open + 1, text: head },
      { from: close, to: close + 1, text: ')' },
    );
  }

  /** The lists of single vectors in that of an array. */
  function nested(type: string, open: number, close: number, dimensions: number): void {
    for (let at = open + 1; at < close; at++) {
      const { text } = tokens[at]!;
      if (text === '(' || text === '[') at = closing(tokens, at);
      if (text !== '{' || ![',', '{', '='].includes(tokens[at - 1]!.text)) continue;
      const end = closing(tokens, at);
      if (dimensions > 1) nested(type, at, end, dimensions - 1);
      else list(type, at, false);
      at = end;
    }
  }
}
