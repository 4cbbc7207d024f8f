/** What `build` leaves to other compilers: kernels.metallib, and kernels of `extern` functions in HLSL and DXIL. */
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { CompileFailure } from '../check-source.ts';
import { type CompileOptions, type CompileSuccess, compile } from '../compile.ts';
import type { CommandContext } from '../context.ts';
import { UsageError } from '../errors.ts';
import type { KernelSource } from '../kernel-sources.ts';
import { compileExterns } from '../toolchain/extern-libraries.ts';
import type { NamedText } from '../toolchain/messages.ts';
import { compileMetal } from '../toolchain/metal-compiler.ts';
import { deploymentOf } from '../toolchain/platforms.ts';
import type { ToolContext } from '../toolchain/tool.ts';
import type { BuildFlags } from './build.ts';

export interface BuiltLibraries extends CompileSuccess {
  /** Files of the bundle besides its own. */
  readonly more: ReadonlyMap<string, Uint8Array>;
}

/** The compilation with its libraries. MLX5201 when `--target metallib` lacks a tool. */
export async function buildLibraries(
  context: CommandContext,
  flags: BuildFlags,
  options: CompileOptions,
  compiled: CompileSuccess,
): Promise<BuiltLibraries | CompileFailure> {
  const isAhead = flags.target === 'metallib';
  if (flags.target === 'cpu') {
    if (flags.platform !== undefined || flags.minOs !== undefined) {
      throw new UsageError('--platform and --min-os are for Metal', 'such as --target metallib');
    }
    return { ...compiled, more: new Map() };
  }
  const deployment = deploymentOf(flags.platform, flags.minOs);
  const tools: ToolContext = { env: context.shell.env, platform: process.platform };
  const externs = await compileExterns(
    compiled.kernelCalls,
    compiled.kernels,
    { ...deployment, cwd: context.shell.cwd, mustCompile: isAhead },
    tools,
  );
  const fail = (diagnostics: readonly Diagnostic[]): CompileFailure => ({
    ok: false,
    diagnostics: [...compiled.warnings, ...diagnostics],
    sources: new Map([...compiled.sources, ['kernels.metal', compiled.bundle.metal]]),
    timings: compiled.timings,
  });
  if (externs.diagnostics.some((d) => d.severity === 'error')) return fail(externs.diagnostics);
  const { libraries } = externs;
  const result =
    libraries.size === 0 ? compiled : compile({ path: flags.file }, { ...options, libraries });
  if (!result.ok) return result;
  const more = new Map<string, Uint8Array>();
  const warnings = [...result.warnings, ...externs.diagnostics];
  if (isAhead) {
    const made = await compileMetal(
      result.bundle.metal,
      textsOf(compiled.kernels),
      deployment,
      tools,
    );
    if (!made.ok) return fail(made.diagnostics);
    more.set('kernels.metallib', made.bytes);
    warnings.push(...made.warnings);
  }
  return { ...result, warnings, more };
}

/** Lines of kernels.metal that a user wrote belong to their own files. */
function textsOf(kernels: ReadonlyMap<string, KernelSource>): readonly NamedText[] {
  return [...kernels.values()].flatMap(({ language, path, text }): readonly NamedText[] => {
    if (language !== 'metal' || path === undefined || text === undefined) return [];
    return [{ printed: path.replace(/^.*[\\/]/, ''), file: path, text }];
  });
}
