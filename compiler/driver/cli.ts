/** Runs one command: parses the command line, prints errors, and answers with the exit code. */
import { InternalError } from '../diagnostics/internal-error.ts';
import { describeCommandLine } from './command-line.ts';
import { type CommonFlags, type ExitCode, makeContext } from './context.ts';
import { FileProblem, UsageError } from './errors.ts';
import { nodeHost } from './node-host.ts';
import { paintFor, type Shell } from './shell.ts';

/** The whole command, without touching the process: what `mlxc argv…` prints goes to `shell`. */
export async function runCommand(argv: readonly string[], shell: Shell): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const flags: CommonFlags = {
    json: argv.includes('--json'),
    color: argv.includes('--no-color') ? false : argv.includes('--color') ? true : undefined,
  };
  try {
    if (argv.length === 1 && argv[0] === '--version') {
      shell.stdout.write(`${packageVersion()}\n`);
      return 0;
    }
    const parser = describeCommandLine(async (_given, work) => {
      exitCode = await work(makeContext(shell, flags));
    });
    // With a callback yargs hands over its text (help, completion) instead of printing it, and never exits.
    let output = '';
    await parser.parseAsync([...argv], {}, (_error, _parsed, text) => {
      output += text;
    });
    if (output !== '') shell.stdout.write(`${output}\n`);
    return exitCode;
  } catch (error) {
    return explainFailure(error, argv, flags, shell);
  }
}

/** The version in package.json. */
export function packageVersion(): string {
  const text = nodeHost().readAsset('package.json');
  return (JSON.parse(text ?? '{}') as { version?: string }).version ?? 'unknown';
}

function explainFailure(
  error: unknown,
  argv: readonly string[],
  flags: CommonFlags,
  shell: Shell,
): ExitCode {
  const paint = paintFor(shell.stderr, shell, flags.color);
  const say = (line: string): void => shell.stderr.write(`${line}\n`);
  const sayJson = (document: object): void => {
    if (flags.json) shell.stdout.write(`${JSON.stringify({ ok: false, ...document }, null, 2)}\n`);
  };
  if (isUsageError(error)) {
    const hint = error instanceof UsageError ? error.hint : undefined;
    sayJson({ error: { message: error.message, ...(hint === undefined ? {} : { hint }) } });
    say(`${paint.red('usage')}: ${error.message}`);
    if (hint !== undefined) say(`${paint.cyan('hint')}: ${hint}`);
    const command = argv.find((word) => !word.startsWith('-'));
    say(`see mlxc ${command === undefined ? '' : `${command} `}--help`);
    return 2;
  }
  if (error instanceof FileProblem || isCodedError(error)) {
    const { code, message, hint } = error;
    sayJson({ error: { code, message, ...(hint === undefined ? {} : { hint }) } });
    say(`${paint.red(`error[${code}]`)}: ${message}`);
    if (hint !== undefined) say(`${paint.cyan('hint')}: ${hint}`);
    return 1;
  }
  const internal = error instanceof Error ? error : new Error(String(error));
  sayJson({ error: { code: 'MLX9000', message: internal.message } });
  say(`${paint.red('internal error[MLX9000]')}: ${internal.message}`);
  if (internal instanceof InternalError && internal.details !== '') say(internal.details);
  say(paint.dim(internal.stack ?? ''));
  say(
    'This is a bug of mlxc, not of your program. Please report it with the source and the output of `mlxc doctor`.',
  );
  return 70;
}

function isUsageError(error: unknown): error is Error {
  return error instanceof UsageError || (error instanceof Error && error.name === 'YError');
}

/** Errors of the runtime: a code of the user's range, a message, perhaps a hint. */
function isCodedError(error: unknown): error is Error & { code: string; hint?: string } {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string')
    return false;
  return /^MLX[1-5]\d{3}$/.test(error.code);
}
