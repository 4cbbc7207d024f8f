/** Replacements of tokens by text, which leave lines where they are and remember where columns went. */
import type { Token } from '../../metal-check/tokens.ts';

/** The tokens from `from` to before `to` are replaced by a text; when there are none it goes before `from`. */
export interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

interface Shift {
  /** Columns of the edited line where the replacement begins and ends. */
  readonly start: number;
  readonly end: number;
  /** Column of the source where what was replaced begins. */
  readonly source: number;
  /** How much further right everything after it is. */
  readonly by: number;
}

/** The edited text, and the way back from its columns. */
export interface EditedText {
  readonly text: string;
  /** By line, from left to right. */
  readonly shifts: ReadonlyMap<number, readonly Shift[]>;
}

/** Of edits that overlap the one that begins first is made, of those the first in the list; insertions come before. */
export function applyEdits(
  source: string,
  tokens: readonly Token[],
  edits: readonly Edit[],
): EditedText {
  const shifts = new Map<number, Shift[]>();
  let text = '';
  let at = 0;
  let next = 0;
  const order = (e: Edit): number => e.from + (e.from === e.to ? 0 : 0.5);
  for (const { from, to, text: replacement } of [...edits].sort((a, b) => order(a) - order(b))) {
    if (from < next) continue;
    next = to;
    const first = tokens[from]!;
    const last = tokens[to - 1]!;
    const end = from === to ? first.start : last.start + last.text.length;
    const lines = source.slice(first.start, end).split('\n').length - 1;
    text += source.slice(at, first.start) + replacement + '\n'.repeat(lines);
    at = end;
    const line = shifts.get(first.line) ?? [];
    shifts.set(first.line, line);
    const before = line[line.length - 1]?.by ?? 0;
    const start = first.column + before;
    line.push({
      start,
      end: start + replacement.length,
      source: first.column,
      by: before + replacement.length - (end - first.start),
    });
  }
  return { text: text + source.slice(at), shifts };
}

/** The column of the source for one of the edited text. */
export function sourceColumn({ shifts }: EditedText, line: number, column: number): number {
  let found = column;
  for (const shift of shifts.get(line) ?? []) {
    if (column < shift.start) break;
    found = column < shift.end ? shift.source : column - shift.by;
  }
  return found;
}

/** Strings, and ranges of tokens as edits leave them. */
export type EditsText = readonly (string | { readonly from: number; readonly to: number })[];

/** On one line; edits that do not lie in a range wholly are left out of it. */
export function editedText(
  tokens: readonly Token[],
  edits: readonly Edit[],
  text: EditsText,
): string {
  return text.map((part) => (typeof part === 'string' ? part : range(part.from, part.to))).join('');

  function range(from: number, to: number): string {
    const texts: string[] = [];
    let next = from;
    const inside = edits.filter((e) => e.from >= from && e.to <= to && e.from < to);
    for (let i = from; i < to; i++) {
      const here = inside.filter((e) => e.from === i);
      if (i < next) continue;
      texts.push(...here.filter((e) => e.to === i).map((e) => e.text));
      const replaced = here.find((e) => e.to > i);
      texts.push(replaced?.text ?? tokens[i]!.text);
      next = replaced?.to ?? i + 1;
    }
    return texts.join(' ');
  }
}
