/** `mlxc fmt`: formats sources in place, checks them, or works as a filter for editors. */
import { resolve } from 'node:path';
import { format as formatSource } from '../../syntax/format.ts';
import type { CommandContext, ExitCode } from '../context.ts';
import { UsageError } from '../errors.ts';
import { readBytes, writeAtomically } from '../io/files.ts';

export interface FormatFlags {
  readonly files: readonly string[];
  readonly check: boolean;
  readonly stdin: boolean;
}

/** The formatted text, or undefined when the source cannot be parsed; its problems are reported. */
async function formatText(
  context: CommandContext,
  text: string,
  name: string,
): Promise<string | undefined> {
  const formatted = formatSource(text, name);
  if ('text' in formatted) return formatted.text;
  await context.report(formatted.diagnostics, new Map([[name, text]]));
  return undefined;
}

export async function format(context: CommandContext, flags: FormatFlags): Promise<ExitCode> {
  if (flags.stdin) {
    if (flags.files.length > 0 || flags.check)
      throw new UsageError('--stdin takes neither files nor --check');
    const formatted = await formatText(context, await context.shell.readStdin(), '<stdin>');
    if (formatted === undefined) return 1;
    if (context.isJson) context.printJson({ ok: true, text: formatted });
    else context.shell.stdout.write(formatted);
    return 0;
  }
  if (flags.files.length === 0)
    throw new UsageError('no files given', 'name files, or use --stdin');
  return formatFiles(context, flags);
}

async function formatFiles(context: CommandContext, flags: FormatFlags): Promise<ExitCode> {
  const results: { file: string; status: 'unchanged' | 'changed' | 'failed' }[] = [];
  for (const file of flags.files) {
    const path = resolve(context.shell.cwd, file);
    const text = new TextDecoder().decode(readBytes(path, file));
    const formatted = await formatText(context, text, file);
    if (formatted !== undefined && formatted !== text && !flags.check)
      writeAtomically(path, formatted);
    const status =
      formatted === undefined ? 'failed' : formatted === text ? 'unchanged' : 'changed';
    results.push({ file, status });
    if (status === 'changed' && !context.isJson)
      context.print(`${flags.check ? 'would format' : 'formatted'} ${file}`);
  }
  const isFine = results.every(
    ({ status }) => status === 'unchanged' || (status === 'changed' && !flags.check),
  );
  if (context.isJson) context.printJson({ ok: isFine, files: results });
  return isFine ? 0 : 1;
}
