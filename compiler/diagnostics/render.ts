/**
 * A diagnostic as text for a terminal:
 *
 *   error[MLX2003]: expected f32[B, 64], found f32[B, 32]
 *     ┌─ model.mlx:9:12
 *     │
 *   3 │ fn logits(m: Mlp, x: f32[B, 64]) -> f32[B, 10] {
 *     │                      ---------- the parameter
 *     ·
 *   9 │   logits(m, x[:, :32])
 *     │             ^^^^^^^^^ dim 1 is 32 here
 *     = hint: …
 */
import pico from 'picocolors';
import type { Diagnostic } from './diagnostic.ts';
import { displayWidth, layOutLine } from './display-width.ts';
import { indexLines, type LineIndex, lineText, positionAt } from './line-index.ts';
import type { Span } from './span.ts';

export interface RenderOptions {
  readonly color: boolean;
  /** Columns of the terminal; longer source lines are trimmed around the carets. 100 when absent. */
  readonly width?: number;
}

type Colors = ReturnType<typeof pico.createColors>;

interface Mark {
  readonly line: number;
  /** Offsets within the line, end exclusive. */
  readonly from: number;
  readonly to: number;
  readonly text: string;
  readonly isPrimary: boolean;
}

/** The text of one diagnostic, without a line break at its end. `sources` gives the text of a file. */
export function renderDiagnostic(
  diagnostic: Diagnostic,
  sources: (file: string) => string | undefined,
  options: RenderOptions,
): string {
  const colors = pico.createColors(options.color);
  const paint = diagnostic.severity === 'error' ? colors.red : colors.yellow;
  const head = `${paint(colors.bold(`${diagnostic.severity}[${diagnostic.code}]`))}: ${colors.bold(visible(diagnostic.message))}`;
  const frames = frameSpans(diagnostic).map(({ file, spans }) => ({
    file,
    spans,
    text: sources(file),
  }));
  const numbers = frames.flatMap(({ text, spans }) =>
    text === undefined ? [] : spans.map((s) => positionAt(indexLines(text), s.span.end).line),
  );
  const gutter = Math.max(1, `${Math.max(0, ...numbers)}`.length) + 1;
  const lines = [head];
  frames.forEach((frame, i) => {
    lines.push(...renderFrame(frame, i === 0, gutter, options.width ?? 100, colors, paint));
  });
  const bullet = `${' '.repeat(gutter)}${colors.blue('=')}`;
  for (const note of diagnostic.notes ?? []) {
    lines.push(hang(`${bullet} ${colors.bold('note')}: `, gutter + 8, visible(note)));
  }
  if (diagnostic.hint !== undefined) {
    const label = colors.bold(colors.cyan('hint'));
    lines.push(hang(`${bullet} ${label}: `, gutter + 8, visible(diagnostic.hint)));
  }
  return lines.join('\n');
}

/** Further lines of a note stand under its first. */
function hang(start: string, indent: number, text: string): string {
  return start + text.split('\n').join(`\n${' '.repeat(indent)}`);
}

interface FrameSpan {
  readonly span: Span;
  readonly text: string;
  readonly isPrimary: boolean;
}

/** The spans by file, the primary's file first. */
function frameSpans(diagnostic: Diagnostic): { file: string; spans: FrameSpan[] }[] {
  const primary = { span: diagnostic.span, text: diagnostic.label ?? '', isPrimary: true };
  const others = (diagnostic.labels ?? []).map((l) => ({ ...l, isPrimary: false }));
  const byFile = new Map<string, FrameSpan[]>();
  for (const item of [primary, ...others]) {
    const list = byFile.get(item.span.file);
    if (list === undefined) byFile.set(item.span.file, [item]);
    else list.push(item);
  }
  return [...byFile].map(([file, spans]) => ({ file, spans }));
}

function renderFrame(
  frame: { file: string; spans: readonly FrameSpan[]; text: string | undefined },
  isFirst: boolean,
  gutter: number,
  width: number,
  colors: Colors,
  paint: (text: string) => string,
): string[] {
  const margin = ' '.repeat(gutter);
  const corner = colors.blue(isFirst ? '┌─' : '├─');
  if (frame.text === undefined) return [`${margin}${corner} ${visible(frame.file)}`];
  const index = indexLines(frame.text);
  const first = frame.spans[0]!;
  const place = positionAt(index, first.span.start);
  const bar = colors.blue('│');
  const lines = [
    `${margin}${corner} ${visible(frame.file)}:${place.line}:${place.column}`,
    `${margin}${bar}`,
  ];
  const marks = frame.spans.map((s) => markOf(index, s));
  const numbers = [...new Set(marks.map((m) => m.line))].sort((a, b) => a - b);
  numbers.forEach((number, i) => {
    const before = numbers[i - 1];
    if (before !== undefined && number > before + 1) lines.push(`${margin}${colors.blue('·')}`);
    const onLine = marks.filter((m) => m.line === number);
    const shown = layOutLine(
      lineText(index, number),
      onLine.find((m) => m.isPrimary) ?? onLine[0]!,
      Math.max(20, width - gutter - 3),
    );
    const label = colors.blue(`${number}`.padStart(gutter - 1));
    lines.push(`${label} ${bar} ${shown.text}`.trimEnd());
    for (const mark of inReadingOrder(onLine)) {
      const from = shown.columnOf(mark.from);
      const length = Math.max(1, shown.columnOf(mark.to) - from);
      const caret = (mark.isPrimary ? '^' : '-').repeat(length);
      const text = mark.text === '' ? caret : `${caret} ${visible(mark.text)}`;
      const style = mark.isPrimary ? paint : colors.blue;
      lines.push(`${margin}${bar} ${' '.repeat(from)}${style(text)}`);
    }
  });
  return lines;
}

/** The primary first, so that its carets touch the line. */
function inReadingOrder(marks: readonly Mark[]): Mark[] {
  return [...marks].sort((a, b) => Number(b.isPrimary) - Number(a.isPrimary) || b.from - a.from);
}

/** Of a span over several lines the part on its first line is marked. */
function markOf(index: LineIndex, { span, text, isPrimary }: FrameSpan): Mark {
  const start = positionAt(index, span.start);
  const length = lineText(index, start.line).length;
  const from = Math.min(start.column - 1, length);
  const end = positionAt(index, Math.max(span.start, span.end));
  const to = end.line === start.line ? end.column - 1 : Math.max(length, from + 1);
  return { line: start.line, from, to, text, isPrimary };
}

/** Control characters would let a source or file name talk to the terminal. */
function visible(text: string): string {
  let result = '';
  for (const character of text) {
    const isBreak = character === '\n';
    result +=
      isBreak || displayWidth(character) > 0 || character.charCodeAt(0) > 0x9f ? character : '�';
  }
  return result;
}
