/** `mlxc check`: all problems of some sources. */
import { diagnosticToJson } from '../../diagnostics/json.ts';
import { checkSource } from '../check-source.ts';
import type { CommandContext, ExitCode } from '../context.ts';
import { type CompileFlags, compileOptions } from './compile-flags.ts';

export interface CheckFlags extends CompileFlags {
  readonly files: readonly string[];
}

export async function check(context: CommandContext, flags: CheckFlags): Promise<ExitCode> {
  const files = [];
  for (const file of flags.files) {
    const result = checkSource({ path: file }, compileOptions(context, flags));
    const diagnostics = result.ok ? result.warnings : result.diagnostics;
    const lookUp = (name: string): string | undefined => result.sources.get(name);
    files.push({
      file,
      ok: result.ok,
      functions: result.ok ? result.traced.entries.map((entry) => entry.name) : [],
      diagnostics: diagnostics.map((diagnostic) => diagnosticToJson(diagnostic, lookUp)),
    });
    if (!context.isJson) await context.report(diagnostics, result.sources);
  }
  const ok = files.every((file) => file.ok);
  if (context.isJson) context.printJson({ ok, files });
  else if (ok) context.note(`${context.paintErr.green('ok')} ${flags.files.join(' ')}`);
  return ok ? 0 : 1;
}
