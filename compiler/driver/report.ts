/** Diagnostics for people: each with its frame, then a line that counts them. */
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { renderDiagnostic } from '../diagnostics/render.ts';

/** `sources` gives the text of each file that a span names. */
export function renderDiagnostics(
  diagnostics: readonly Diagnostic[],
  sources: ReadonlyMap<string, string>,
  color: boolean,
  width: number,
): string {
  if (diagnostics.length === 0) return '';
  const parts = diagnostics.map((diagnostic) =>
    renderDiagnostic(diagnostic, (file) => sources.get(file), { color, width }),
  );
  return `${parts.join('\n\n')}\n\n${countDiagnostics(diagnostics)}\n`;
}

/** `2 errors, 1 warning`. */
export function countDiagnostics(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter((d) => d.severity === 'error').length;
  const warnings = diagnostics.length - errors;
  const count = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`;
  if (warnings === 0) return count(errors, 'error');
  return errors === 0
    ? count(warnings, 'warning')
    : `${count(errors, 'error')}, ${count(warnings, 'warning')}`;
}
