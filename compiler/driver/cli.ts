/** Runs one command: parses the command line, prints errors, and answers with the exit code. */

import { MlxcError } from '../../runtime/errors.ts';
import { InternalError } from '../diagnostics/internal-error.ts';
import { commandNames, describeCommandLine } from './command-line.ts';
import { type CommonFlags, type ExitCode, makeContext } from './context.ts';
import { UsageError } from './errors.ts';
import { packageVersion } from './node-host.ts';
import { paintFor, type Shell } from './shell.ts';

/** The whole command, without touching the process: what `mlxc argv…` prints goes to `shell`. */
export async function runCommand(argv: readonly string[], shell: Shell): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const flags: CommonFlags = {
    json: argv.includes('--json'),
    color: argv.includes('--no-color') ? false : argv.includes('--color') ? true : undefined,
  };
  try {
    if (argv.includes('--version') && argv.every((word) => word.startsWith('--'))) {
      const version = packageVersion();
      shell.stdout.write(flags.json ? `${JSON.stringify({ version }, null, 2)}\n` : `${version}\n`);
      return 0;
    }
    checkThreads(shell);
    const parser = describeCommandLine(async (work) => {
      exitCode = await work(makeContext(shell, flags));
    }, shell.stdout.columns);
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

/** The device would take a number that is none for the default, in silence. */
function checkThreads({ env }: Shell): void {
  const threads = env['MLXC_THREADS'];
  if (threads === undefined || threads === '' || /^[1-9]\d{0,3}$/.test(threads)) return;
  throw new UsageError(
    `MLXC_THREADS is \`${threads}\``,
    'it is a number of threads from 1 to 9999',
  );
}

function explainFailure(
  error: unknown,
  argv: readonly string[],
  flags: CommonFlags,
  shell: Shell,
): ExitCode {
  const paint = paintFor(shell.stderr, shell, flags.color);
  const say = (line: string): void => shell.stderr.write(`${line}\n`);
  const sayHint = (hint: string): void => {
    if (hint !== '') say(`${paint.cyan('hint')}: ${hint}`);
  };
  const sayJson = (failure: Failure): void => {
    const shown = Object.fromEntries(Object.entries(failure).filter(([, value]) => value !== ''));
    if (flags.json) shell.stdout.write(`${JSON.stringify({ ok: false, error: shown }, null, 2)}\n`);
  };
  if (isUsageError(error)) {
    const hint = error instanceof UsageError ? error.hint : '';
    sayJson({ message: error.message, hint });
    say(`${paint.red('usage')}: ${error.message}`);
    sayHint(hint);
    const command = argv.find((word) => !word.startsWith('-'));
    const isKnown = commandNames.some((name) => name === command);
    say(`see mlxc ${isKnown ? `${command} ` : ''}--help`);
    return 2;
  }
  if (error instanceof MlxcError && !error.code.startsWith('MLX9')) {
    const { code, cure, problems } = error;
    const message = plainMessage(error);
    sayJson({ code, message, hint: cure, ...(problems.length === 0 ? {} : { problems }) });
    say(`${paint.red(`error[${code}]`)}: ${message}`);
    sayHint(cure);
    return 1;
  }
  const internal = error instanceof Error ? error : new Error(String(error));
  sayJson({ code: 'MLX9000', message: internal.message });
  say(`${paint.red('internal error[MLX9000]')}: ${internal.message}`);
  if (internal instanceof InternalError && internal.details !== '') say(internal.details);
  say(paint.dim(internal.stack ?? ''));
  say('This is a bug of mlxc, not of your program.');
  say('Please report it with the source and the output of `mlxc doctor`.');
  return 70;
}

interface Failure {
  readonly code?: string;
  readonly message: string;
  readonly hint?: string;
  readonly problems?: readonly unknown[];
}

/** The message without the code and cure that MlxcError puts around it. */
function plainMessage(error: MlxcError): string {
  const start = error.message.startsWith(`${error.code}: `) ? error.code.length + 2 : 0;
  const end = error.cure === '' ? undefined : -`\n  ${error.cure}`.length;
  return error.message.slice(start, end);
}

function isUsageError(error: unknown): error is Error {
  return error instanceof UsageError || (error instanceof Error && error.name === 'YError');
}
