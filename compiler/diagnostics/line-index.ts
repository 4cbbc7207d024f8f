/** Lines and columns of offsets: diagnostics carry offsets, people and tools read lines. */

export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units, as editors count. */
  readonly column: number;
  readonly offset: number;
}

export interface LineIndex {
  readonly text: string;
  /** The offset at which each line starts. */
  readonly starts: readonly number[];
}

let latest: LineIndex | undefined;

/** Finds the lines of a text; the latest index is kept, because problems of one file come together. */
export function indexLines(text: string): LineIndex {
  if (latest?.text === text) return latest;
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  latest = { text, starts };
  return latest;
}

/** The position of an offset; offsets outside the text become its nearest end. */
export function positionAt(index: LineIndex, offset: number): Position {
  const clamped = Math.min(Math.max(0, offset), index.text.length);
  let low = 0;
  let high = index.starts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (index.starts[middle]! <= clamped) low = middle;
    else high = middle;
  }
  return { line: low + 1, column: clamped - index.starts[low]! + 1, offset: clamped };
}

/** A line's text without its line break; `line` counts from 1. */
export function lineText(index: LineIndex, line: number): string {
  const start = index.starts[line - 1] ?? index.text.length;
  const next = index.starts[line];
  const text = index.text.slice(start, next === undefined ? undefined : next - 1);
  return text.endsWith('\r') ? text.slice(0, -1) : text;
}
