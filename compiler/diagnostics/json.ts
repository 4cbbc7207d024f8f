/** The JSON form of a diagnostic, for `--json` and editors. The keys are stable. */
import type { Diagnostic, Severity } from './diagnostic.ts';
import { indexLines, type Position, positionAt } from './line-index.ts';
import type { Span } from './span.ts';

export interface JsonSpan {
  readonly start: Position;
  readonly end: Position;
}

export interface JsonDiagnostic {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly hint?: string;
  readonly notes?: readonly string[];
  readonly file: string;
  /** Lines and columns from 1, offsets from 0; the end is exclusive. */
  readonly span: JsonSpan;
  readonly labels: readonly {
    readonly text: string;
    readonly file: string;
    readonly span: JsonSpan;
  }[];
}

/** `sources` gives the text of a file; without it lines and columns are 1. */
export function diagnosticToJson(
  diagnostic: Diagnostic,
  sources: (file: string) => string | undefined,
): JsonDiagnostic {
  const { code, severity, message, hint, notes, span } = diagnostic;
  return {
    code,
    severity,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(notes === undefined || notes.length === 0 ? {} : { notes }),
    file: span.file,
    span: spanToJson(span, sources),
    labels: (diagnostic.labels ?? []).map((label) => ({
      text: label.text,
      file: label.span.file,
      span: spanToJson(label.span, sources),
    })),
  };
}

function spanToJson(span: Span, sources: (file: string) => string | undefined): JsonSpan {
  const text = sources(span.file);
  if (text === undefined) {
    return {
      start: { line: 1, column: 1, offset: span.start },
      end: { line: 1, column: 1, offset: span.end },
    };
  }
  const index = indexLines(text);
  return { start: positionAt(index, span.start), end: positionAt(index, span.end) };
}
