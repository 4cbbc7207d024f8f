/** A shell for tests: what commands print is kept, files live in a folder of the test's own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../../compiler/driver/cli.ts';
import type { ExitCode } from '../../compiler/driver/context.ts';
import type { OutputStream, Shell } from '../../compiler/driver/shell.ts';

export interface Outcome {
  readonly code: ExitCode;
  readonly out: string;
  readonly err: string;
  /** The document on standard output. */
  json(): unknown;
}

export class TestShell {
  readonly cwd: string = mkdtempSync(join(tmpdir(), 'mlxc-test-'));

  /** Writes a file and gives its name. */
  file(name: string, content: string | Uint8Array): string {
    writeFileSync(join(this.cwd, name), content);
    return name;
  }

  path(name: string): string {
    return join(this.cwd, name);
  }

  async run(...argv: readonly string[]): Promise<Outcome> {
    return this.runWith({}, ...argv);
  }

  async runWith(options: Partial<Shell>, ...argv: readonly string[]): Promise<Outcome> {
    const out: string[] = [];
    const err: string[] = [];
    const streamTo = (lines: string[]): OutputStream => ({
      write: (text) => void lines.push(text),
      isTerminal: false,
      columns: 100,
    });
    const shell: Shell = {
      cwd: this.cwd,
      env: process.env,
      stdout: streamTo(out),
      stderr: streamTo(err),
      readStdin: async () => '',
      untilInterrupted: async () => {},
      ...options,
    };
    const code = await runCommand(argv, shell);
    return { code, out: out.join(''), err: err.join(''), json: () => JSON.parse(out.join('')) };
  }

  remove(): void {
    rmSync(this.cwd, { recursive: true, force: true });
  }
}
