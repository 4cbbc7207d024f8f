/** `mlxc build`: a source to a bundle, or to the text of one stage. */
import { basename, dirname, join } from 'node:path';
import { diagnosticToJson } from '../../diagnostics/json.ts';
import type { CompileFailure } from '../check-source.ts';
import { compile, compileStages } from '../compile.ts';
import type { CommandContext, ExitCode } from '../context.ts';
import { UsageError } from '../errors.ts';
import type { PlatformName } from '../toolchain/platforms.ts';
import { type BuiltLibraries, buildLibraries } from './build-libraries.ts';
import { type CompileFlags, compileOptions } from './compile-flags.ts';
import { type Emit, emitStage } from './emit.ts';

export interface BuildFlags extends CompileFlags {
  readonly file: string;
  readonly out?: string;
  readonly emit?: Emit;
  readonly watch: boolean;
  readonly timings: boolean;
  readonly platform?: PlatformName;
  readonly minOs?: string;
}

export async function build(context: CommandContext, flags: BuildFlags): Promise<ExitCode> {
  if (flags.emit !== undefined) {
    if (flags.watch || flags.out !== undefined) {
      throw new UsageError('--emit prints to standard output: it takes neither --watch nor --out');
    }
    return emit(context, flags, flags.emit);
  }
  const out = flags.out ?? defaultOut(flags.file);
  if (!flags.watch) return (await buildOnce(context, flags, out)).exitCode;
  const { watch } = await import('../watch.ts');
  await watch(context.shell, async () => {
    const { sources } = await buildOnce(context, flags, out);
    return sources.filter((source) => !source.startsWith('std/'));
  });
  return 0;
}

/** `models/mlp.mlx` to `models/mlp.mlxbundle`. */
function defaultOut(file: string): string {
  return join(dirname(file), `${basename(file).replace(/\.mlx$/, '')}.mlxbundle`);
}

async function buildOnce(
  context: CommandContext,
  flags: BuildFlags,
  out: string,
): Promise<{ exitCode: ExitCode; sources: readonly string[] }> {
  const started = performance.now();
  const name = basename(out).replace(/\.mlxbundle$/, '');
  const options = { ...compileOptions(context, flags), name };
  const compiled = compile({ path: flags.file }, options);
  const result = compiled.ok ? await buildLibraries(context, flags, options, compiled) : compiled;
  const sources = [...result.sources.keys()];
  if (!result.ok) {
    await reportFailure(context, result);
    return { exitCode: 1, sources: sources.length === 0 ? [flags.file] : sources };
  }
  await result.bundle.write(out, result.more);
  await context.report(result.warnings, result.sources);
  const milliseconds = performance.now() - started;
  if (context.isJson) context.printJson(await describe(result, out, milliseconds));
  else {
    const { functions = [], kernels = [] } = Object.values(result.bundle.plan.plans)[0] ?? {};
    const counts = `${functions.length} functions, ${kernels.length} kernels, ${milliseconds.toFixed(0)} ms`;
    context.note(`${context.paintErr.green('wrote')} ${out} (${counts})`);
    if (flags.timings) {
      for (const { stage, milliseconds: ms } of result.timings) {
        context.note(`  ${stage.padEnd(24)} ${ms.toFixed(1).padStart(8)} ms`);
      }
    }
  }
  return { exitCode: 0, sources };
}

async function describe(
  result: BuiltLibraries,
  out: string,
  milliseconds: number,
): Promise<object> {
  const plans = Object.values(result.bundle.plan.plans);
  const lookUp = (name: string): string | undefined => result.sources.get(name);
  return {
    ok: true,
    out,
    milliseconds,
    functions: plans[0]?.functions.map((f) => f.name) ?? [],
    kernels: Object.fromEntries(plans.map((plan) => [plan.target, plan.kernels.length])),
    files: [...(await result.bundle.files()).keys(), ...result.more.keys()],
    timings: result.timings,
    warnings: result.warnings.map((warning) => diagnosticToJson(warning, lookUp)),
  };
}

async function emit(context: CommandContext, flags: BuildFlags, stage: Emit): Promise<ExitCode> {
  const target = stage === 'c' ? 'cpu' : stage === 'metal' ? 'metal' : flags.target;
  const options = compileOptions(context, {
    ...flags,
    ...(target === undefined ? {} : { target }),
  });
  const result = compileStages({ path: flags.file }, options);
  if (!result.ok) {
    await reportFailure(context, result);
    return 1;
  }
  await context.report(result.warnings, result.sources);
  const text = emitStage(result, stage);
  if (context.isJson) context.printJson({ ok: true, stage, text });
  else context.shell.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  return 0;
}

/** Diagnostics of a failed compilation, for people or as the document of --json. */
export async function reportFailure(
  context: CommandContext,
  failure: CompileFailure,
): Promise<void> {
  if (context.isJson) {
    const lookUp = (name: string): string | undefined => failure.sources.get(name);
    const diagnostics = failure.diagnostics.map((d) => diagnosticToJson(d, lookUp));
    context.printJson({ ok: false, diagnostics });
  } else await context.report(failure.diagnostics, failure.sources);
}
