/** What a command may touch, handed in so that commands run in tests as they do in a terminal. */
import type { Writable } from 'node:stream';
import picocolors from 'picocolors';

export interface OutputStream {
  write(text: string): void;
  readonly isTerminal: boolean;
  readonly columns: number;
}

export interface Shell {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readStdin(): Promise<string>;
  /** Resolves when the user interrupts a command that would run for ever (`--watch`). */
  untilInterrupted(): Promise<void>;
}

export type Paint = ReturnType<typeof picocolors.createColors>;

/** Colours for a stream: `--color`/`--no-color` decide, else NO_COLOR, else whether it is a terminal. */
export function paintFor(stream: OutputStream, shell: Shell, choice: boolean | undefined): Paint {
  const noColor = shell.env['NO_COLOR'];
  const isOn = choice ?? ((noColor === undefined || noColor === '') && stream.isTerminal);
  return picocolors.createColors(isOn);
}

/** The process as a shell. */
export function processShell(): Shell {
  const wrap = (stream: Writable & { isTTY?: boolean; columns?: number }): OutputStream => ({
    write: (text) => {
      stream.write(text);
    },
    isTerminal: stream.isTTY === true,
    columns: stream.columns ?? 80,
  });
  return {
    cwd: process.cwd(),
    env: process.env,
    stdout: wrap(process.stdout),
    stderr: wrap(process.stderr),
    readStdin: async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString('utf8');
    },
    untilInterrupted: () =>
      new Promise((resolve) => {
        process.once('SIGINT', resolve);
        process.once('SIGTERM', resolve);
      }),
  };
}
