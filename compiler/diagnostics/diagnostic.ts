/**
 * A problem as data: a stable code, one primary place, labels on the other places that matter, a reason in the
 * user's terms and a hint that fixes it. `render.ts` turns it into text; tools read it as JSON.
 *
 * Codes: MLX1xxx syntax, MLX2xxx names, types and shapes, MLX3xxx transformations and limits of the language we
 * know, MLX4xxx targets, plans and kernels, MLX5xxx files, bundles and run time, MLX9xxx bugs of ours.
 */
import type { Span } from './span.ts';

export type Severity = 'error' | 'warning';

export interface Label {
  readonly span: Span;
  readonly text: string;
}

export interface Diagnostic {
  readonly code: `MLX${number}`;
  readonly severity: Severity;
  /** One line, lower case, what was expected and what was found. */
  readonly message: string;
  readonly span: Span;
  /** What to write under the primary caret; empty for none. */
  readonly label?: string;
  readonly labels?: readonly Label[];
  /** Further reasons, a line each. */
  readonly notes?: readonly string[];
  /** How to mend it; only when it is likely right. */
  readonly hint?: string;
}

/** Phases report here and go on where they can. */
export interface DiagnosticSink {
  report(diagnostic: Diagnostic): void;
}

/** Collects diagnostics in order, dropping exact repetitions (one place, one code, one message). */
export class Diagnostics implements DiagnosticSink {
  readonly list: Diagnostic[] = [];
  private readonly seen = new Set<string>();

  report(diagnostic: Diagnostic): void {
    const { code, span, message } = diagnostic;
    const key = `${code}|${span.file}|${span.start}|${span.end}|${message}`;
    if (this.seen.has(key)) return;
    this.seen.add(key);
    this.list.push(diagnostic);
  }

  /** The list as a reader goes through the sources: files in the order in which they came up, each from top to bottom. */
  inReadingOrder(): readonly Diagnostic[] {
    const files = [...new Set(this.list.map((d) => d.span.file))];
    return [...this.list].sort(
      (a, b) =>
        files.indexOf(a.span.file) - files.indexOf(b.span.file) || a.span.start - b.span.start,
    );
  }

  get hasErrors(): boolean {
    return this.list.some((d) => d.severity === 'error');
  }
}
