/** `mlxc explain`: source, operations and kernels of a program beside each other. */
import { resolve } from 'node:path';
import { compileStages } from '../compile.ts';
import type { CommandContext, ExitCode } from '../context.ts';
import { type Explanation, explainProgram } from '../explain/explanation.ts';
import { explanationToText } from '../explain/to-text.ts';
import type { Target } from '../host.ts';
import { writeAtomically } from '../io/files.ts';
import { reportFailure } from './build.ts';
import { compileOptions } from './compile-flags.ts';

export interface ExplainFlags {
  readonly file: string;
  readonly function?: string;
  readonly target: Target;
  readonly dim?: readonly string[];
  readonly html?: string;
}

export async function explain(context: CommandContext, flags: ExplainFlags): Promise<ExitCode> {
  const { function: name, ...rest } = flags;
  const options = compileOptions(context, {
    ...rest,
    ...(name === undefined ? {} : { entry: [name] }),
  });
  const stages = compileStages({ path: flags.file }, options);
  if (!stages.ok) {
    await reportFailure(context, stages);
    return 1;
  }
  const explanation = explainProgram(stages, stages.programs[0]!);
  if (flags.html !== undefined) await writePage(context, flags.html, explanation);
  else if (context.isJson) context.printJson({ ok: true, ...explanation });
  else context.shell.stdout.write(explanationToText(explanation, context.paintOut));
  return 0;
}

async function writePage(
  context: CommandContext,
  path: string,
  explanation: Explanation,
): Promise<void> {
  const { explanationToHtml } = await import('../explain/to-html.ts');
  const asset = (name: string): string =>
    context.host.readAsset(`compiler/driver/explain/${name}`) ?? '';
  const page = explanationToHtml(explanation, {
    style: asset('page.css'),
    script: asset('page.js'),
  });
  writeAtomically(resolve(context.shell.cwd, path), page);
  if (context.isJson) context.printJson({ ok: true, html: path });
  else context.note(`${context.paintErr.green('wrote')} ${path}`);
}
