/** Replacements of tokens by text, which leave lines where they are and remember where columns went. */
import type { Token } from '../../metal-check/tokens.ts';

/** The tokens from `from` to before `to` are replaced by a text. */
export interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** Texts of `tokens` after the edits. Of edits that overlap the one that begins first is made, of those the first in the list. */
export function applyEdits(
  source: string,
  tokens: readonly Token[],
  edits: readonly Edit[],
): string {
  let text = '';
  let at = 0;
  let next = 0;
  for (const { from, to, text: replacement } of [...edits].sort((a, b) => a.from - b.from)) {
    if (from < next) continue;
    next = to;
    const start = tokens[from]!.start;
    const last = tokens[to - 1]!;
    const end = last.start + last.text.length;
    const lines = source.slice(start, end).split('\n').length - 1;
    text += source.slice(at, start) + replacement + '\n'.repeat(lines);
    at = end;
  }
  return text + source.slice(at);
}
