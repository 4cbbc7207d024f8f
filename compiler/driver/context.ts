/** What every command gets: the shell, a host, and how to print. */
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { CompilerHost } from './host.ts';
import { nodeHost } from './node-host.ts';
import { type Paint, paintFor, type Shell } from './shell.ts';

/** 0: fine; 1: a mistake in the user's program or data; 2: a wrong command line; 70: a bug of ours. */
export type ExitCode = 0 | 1 | 2 | 70;

export interface CommonFlags {
  readonly json: boolean;
  readonly color: boolean | undefined;
}

export interface CommandContext {
  readonly shell: Shell;
  readonly host: CompilerHost;
  /** One JSON document goes to stdout, all else to stderr. */
  readonly isJson: boolean;
  readonly paintOut: Paint;
  readonly paintErr: Paint;
  /** A line on stdout. */
  print(line: string): void;
  /** The document of `--json`. */
  printJson(value: unknown): void;
  /** A line on stderr: progress, notes. */
  note(line: string): void;
  /** Renders diagnostics for people on stderr. */
  report(diagnostics: readonly Diagnostic[], sources: ReadonlyMap<string, string>): Promise<void>;
}

export function makeContext(shell: Shell, flags: CommonFlags): CommandContext {
  const paintErr = paintFor(shell.stderr, shell, flags.color);
  return {
    shell,
    host: {
      ...nodeHost(shell.cwd),
      dump: (stage, text) => shell.stderr.write(`--- ${stage}\n${text.trimEnd()}\n`),
    },
    isJson: flags.json,
    paintOut: paintFor(shell.stdout, shell, flags.color),
    paintErr,
    print: (line) => shell.stdout.write(`${line}\n`),
    printJson: (value) => shell.stdout.write(`${JSON.stringify(value, jsonValue, 2)}\n`),
    note: (line) => shell.stderr.write(`${line}\n`),
    report: async (diagnostics, sources) => {
      const { renderDiagnostics } = await import('./report.ts');
      shell.stderr.write(
        renderDiagnostics(diagnostics, sources, paintErr.isColorSupported, shell.stderr.columns),
      );
    },
  };
}

/** JSON has neither bigint nor NaN and infinities: the former as a number where exact, else text; the latter as text. */
function jsonValue(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') {
    return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER
      ? Number(value)
      : String(value);
  }
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return value;
}
