/** How many terminal columns text takes, and a source line cut to fit. */

const wide: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1faff],
  [0x20000, 0x3fffd],
];

/** Columns of one character: 2 for East Asian wide ones and emoji, 0 for control and combining ones. */
export function displayWidth(character: string): number {
  const point = character.codePointAt(0) ?? 0;
  if (point < 0x20 || (point >= 0x7f && point < 0xa0)) return 0;
  if (point < 0x300) return 1;
  if (/^[\p{Mark}\p{Cf}]/u.test(character)) return 0;
  return wide.some(([from, to]) => point >= from && point <= to) ? 2 : 1;
}

const tabWidth = 4;

export interface LineLayout {
  readonly text: string;
  /** The column, from 0, at which a character of the source line stands. */
  columnOf(offset: number): number;
}

/** A line with tabs as blanks, cut to `width` columns so that `focus` is visible; `…` stands for what is cut. */
export function layOutLine(
  line: string,
  focus: { readonly from: number; readonly to: number },
  width: number,
): LineLayout {
  const starts: number[] = [];
  const pieces: { readonly text: string; readonly column: number; readonly width: number }[] = [];
  let column = 0;
  for (const character of line) {
    const shown = character === '\t' ? ' '.repeat(tabWidth - (column % tabWidth)) : character;
    const isControl = character !== '\t' && /^\p{Cc}|^\p{Cs}/u.test(character);
    const text = isControl ? '�' : shown;
    const size = character === '\t' ? shown.length : isControl ? 1 : displayWidth(character);
    pieces.push({ text, column, width: size });
    for (let i = 0; i < character.length; i++) starts.push(column);
    column += size;
  }
  const columnAt = (offset: number): number =>
    starts[offset] ?? column + Math.max(0, offset - starts.length);
  if (column <= width) return { text: pieces.map((p) => p.text).join(''), columnOf: columnAt };
  const first = Math.max(0, Math.min(columnAt(focus.from) - Math.floor(width / 3), column - width));
  const last = first + width;
  const lead = first > 0 ? '… ' : '';
  const tail = last < column ? ' …' : '';
  const from = first + lead.length;
  const to = last - tail.length;
  const inside = pieces.filter((p) => p.column >= from && p.column + p.width <= to);
  const shift = (inside[0]?.column ?? from) - lead.length;
  return {
    text: lead + inside.map((p) => p.text).join('') + tail,
    columnOf: (offset) => Math.min(Math.max(columnAt(offset) - shift, 0), width),
  };
}
