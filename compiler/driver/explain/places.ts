/** Lines of sources that operations come from. */
import { indexLines, lineText, positionAt } from '../../diagnostics/line-index.ts';
import type { Span } from '../../diagnostics/span.ts';

export interface Place {
  readonly file: string;
  readonly line: number;
}

export interface SourceLine extends Place {
  readonly text: string;
}

export class PlaceTable {
  private readonly root: string;
  private readonly sources: ReadonlyMap<string, string>;

  constructor(root: string, sources: ReadonlyMap<string, string>) {
    this.root = root;
    this.sources = sources;
  }

  /** The line on which a span starts. */
  of(span: Span | undefined): Place | undefined {
    const text = span === undefined ? undefined : this.sources.get(span.file);
    if (span === undefined || text === undefined) return undefined;
    return { file: span.file, line: positionAt(indexLines(text), span.start).line };
  }

  /** The places of spans, each once: the root source first, then by file and line. */
  sorted(spans: readonly (Span | undefined)[]): readonly Place[] {
    const byKey = new Map<string, Place>();
    // indexLines remembers one file only, so spans go file by file
    const known = spans.filter((span) => span !== undefined);
    known.sort((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : 0));
    for (const span of known) {
      const place = this.of(span);
      if (place !== undefined) byKey.set(`${place.file}:${place.line}`, place);
    }
    return [...byKey.values()].sort((a, b) => this.order(a, b));
  }

  /** The lines of a whole function and of the operations that it runs. */
  lines(whole: Span | undefined, spans: readonly (Span | undefined)[]): readonly SourceLine[] {
    const own = whole === undefined ? [] : this.linesOf(whole);
    const seen = new Set(own.map(({ file, line }) => `${file}:${line}`));
    const others = this.sorted(spans).filter(({ file, line }) => !seen.has(`${file}:${line}`));
    return [...own, ...others]
      .sort((a, b) => this.order(a, b))
      .map(({ file, line }) => ({
        file,
        line,
        text: lineText(indexLines(this.sources.get(file)!), line),
      }));
  }

  private linesOf(span: Span): readonly Place[] {
    const text = this.sources.get(span.file);
    if (text === undefined) return [];
    const index = indexLines(text);
    const first = positionAt(index, span.start).line;
    const last = positionAt(index, Math.max(span.start, span.end - 1)).line;
    return Array.from({ length: last - first + 1 }, (_, i) => ({
      file: span.file,
      line: first + i,
    }));
  }

  private order(a: Place, b: Place): number {
    if (a.file === b.file) return a.line - b.line;
    if (a.file === this.root) return -1;
    if (b.file === this.root) return 1;
    return a.file < b.file ? -1 : 1;
  }
}

/** `model.mlx:3-5, 9 and std/nn:57`. */
export function showPlaces(places: readonly Place[]): string {
  const files = new Map<string, number[]>();
  for (const { file, line } of places) files.set(file, [...(files.get(file) ?? []), line]);
  const parts = [...files].map(
    ([file, lines]) =>
      `${file.replace(/^.*\//, (path) => (path.startsWith('std/') ? path : ''))}:${showLines(lines)}`,
  );
  return parts.join(' and ');
}

/** Sorted numbers with runs joined: `3-5, 9`. */
function showLines(lines: readonly number[]): string {
  const runs: { first: number; last: number }[] = [];
  for (const line of lines) {
    const run = runs.at(-1);
    if (run !== undefined && run.last + 1 === line) run.last = line;
    else runs.push({ first: line, last: line });
  }
  return runs
    .map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`))
    .join(', ');
}
