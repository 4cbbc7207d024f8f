/**
 * What clang and its kin (metal, dxc) print, as data:
 *
 *   rows.metal:12:7: error: use of undeclared identifier 'x'
 *   rows.metal:12: note: declared here
 *   error: cannot open file
 */
import type { Diagnostic, Label } from '../../diagnostics/diagnostic.ts';
import type { Span } from '../../diagnostics/span.ts';

export interface ToolMessage {
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly column: number | undefined;
  readonly severity: 'error' | 'warning' | 'note';
  readonly text: string;
}

const pattern =
  /^(?:(?<file>(?:[A-Za-z]:)?[^:\n]*?):(?<line>\d+):(?:(?<column>\d+):)? )?(?:[\w.+-]+: )?(?<severity>fatal error|error|warning|note): (?<text>.*)$/;

export function parseMessages(output: string): readonly ToolMessage[] {
  return output.split(/\r?\n/).flatMap((row): readonly ToolMessage[] => {
    const groups = pattern.exec(row)?.groups;
    if (groups === undefined) return [];
    const severity = groups['severity'] === 'fatal error' ? 'error' : groups['severity'];
    const number = (name: string): number | undefined =>
      groups[name] === undefined ? undefined : Number(groups[name]);
    return [
      {
        file: groups['file'],
        line: number('line'),
        column: number('column'),
        severity: severity as ToolMessage['severity'],
        text: groups['text']!,
      },
    ];
  });
}

/** A text that messages may name: `printed` is how the tool calls it, `file` how diagnostics do. */
export interface NamedText {
  readonly printed: string;
  readonly file: string;
  readonly text: string;
}

/** Messages as diagnostics; notes become labels of what they follow. `fallback` stands for messages without a place. */
export function toDiagnostics(
  messages: readonly ToolMessage[],
  code: Diagnostic['code'],
  texts: readonly NamedText[],
  fallback: Span,
): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const message of messages) {
    const span = spanOf(message, texts);
    const last = found.at(-1);
    if (message.severity === 'note') {
      if (last !== undefined && span !== undefined) {
        const labels: readonly Label[] = [...(last.labels ?? []), { span, text: message.text }];
        found[found.length - 1] = { ...last, labels };
      }
      continue;
    }
    found.push({
      code,
      severity: message.severity,
      message: message.text,
      span: span ?? fallback,
    });
  }
  return found;
}

function spanOf(
  { file, line, column = 1 }: ToolMessage,
  texts: readonly NamedText[],
): Span | undefined {
  if (file === undefined || line === undefined) return undefined;
  const named = texts.find(({ printed }) => file === printed || file.endsWith(`/${printed}`));
  if (named === undefined) return undefined;
  const rows = named.text.split('\n');
  if (line > rows.length) return undefined;
  const before = rows.slice(0, line - 1).reduce((sum, row) => sum + row.length + 1, 0);
  const row = rows[line - 1]!;
  const start = before + Math.min(column - 1, row.length);
  const word = /^\w+/.exec(named.text.slice(start))?.[0].length ?? 1;
  return { file: named.file, start, end: Math.min(start + word, named.text.length) };
}
