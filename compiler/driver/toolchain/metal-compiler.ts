/**
 * `xcrun metal` and `xcrun metallib`: kernels.metal to kernels.metallib, ahead of time.
 *
 *   xcrun -sdk macosx metal -c kernels.metal -o kernels.air -std=metal3.1 -mmacosx-version-min=14.0 -fno-fast-math
 *   xcrun -sdk macosx metallib kernels.air -o kernels.metallib
 *
 * -fno-fast-math is math mode safe with precise functions, and the one spelling that every toolchain of metal3.1 has. The text
 * means the same as when the device compiles it at run time.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MlxcError } from '../../../runtime/errors.ts';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { type NamedText, parseMessages, toDiagnostics } from './messages.ts';
import { missingMetal } from './missing.ts';
import { type Deployment, languageVersion } from './platforms.ts';
import { findOnPath, runTool, type ToolContext, type ToolResult } from './tool.ts';

export interface MetalOptions extends Deployment {
  /** Line tables and the source inside the library, for Xcode's debugger. */
  readonly debug?: boolean;
}

export function metalArguments(
  source: string,
  output: string,
  { platform, minOs, debug = false }: MetalOptions,
): readonly string[] {
  return [
    '-sdk',
    platform.sdk,
    'metal',
    '-c',
    source,
    '-o',
    output,
    `-std=${languageVersion}`,
    ...platform.deployment(minOs),
    '-fno-fast-math',
    ...(debug ? ['-gline-tables-only', '-frecord-sources'] : []),
  ];
}

export function metallibArguments(
  inputs: readonly string[],
  output: string,
  { platform }: Deployment,
): readonly string[] {
  return ['-sdk', platform.sdk, 'metallib', ...inputs, '-o', output];
}

/** The words are the compiler's own. */
const compilerSays = 'MLX4101';

export type Compiled =
  | { readonly ok: true; readonly bytes: Uint8Array; readonly warnings: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/**
 * Compiles a Metal source to a library. `texts` are the files that lines of it belong to (`#line`). MLX5201 when the
 * tools are missing, with how to get them.
 */
export async function compileMetal(
  source: string,
  texts: readonly NamedText[],
  options: MetalOptions,
  context: ToolContext,
): Promise<Compiled> {
  const xcrun = findXcrun(context);
  const work = mkdtempSync(join(tmpdir(), 'mlxc-metal-'));
  try {
    const paths = { source: join(work, 'kernels.metal'), air: join(work, 'kernels.air') };
    const library = join(work, 'kernels.metallib');
    writeFileSync(paths.source, source);
    const compiled = await runTool(
      xcrun,
      metalArguments(paths.source, paths.air, options),
      context,
    );
    requireToolchain(compiled);
    const own = { printed: 'kernels.metal', file: 'kernels.metal', text: source };
    const whole = { file: own.file, start: 0, end: 0 };
    const messages = parseMessages(compiled.stderr);
    const diagnostics = toDiagnostics(messages, compilerSays, [own, ...texts], whole);
    if (compiled.status !== 0) {
      if (!diagnostics.some((d) => d.severity === 'error')) throw failed('metal', compiled);
      return { ok: false, diagnostics };
    }
    const linked = await runTool(xcrun, metallibArguments([paths.air], library, options), context);
    requireToolchain(linked);
    if (linked.status !== 0) throw failed('metallib', linked);
    return { ok: true, bytes: readLibrary(library), warnings: diagnostics };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** MLX5201 off macOS, and where Xcode is not installed. */
function findXcrun(context: ToolContext): string {
  const xcrun = findOnPath(context.env['XCRUN'] ?? 'xcrun', context.env);
  if (xcrun === undefined) throw missingMetal(context.platform);
  return xcrun;
}

/** xcrun is there without Xcode; what it then says of `metal` is no mistake in a source. */
function requireToolchain({ status, stderr }: ToolResult): void {
  if (status === 0) return;
  if (/missing Metal Toolchain/i.test(stderr)) throw missingMetal('darwin', 'toolchain');
  if (/unable to find utility "metal(lib)?"/.test(stderr)) throw missingMetal('darwin', 'xcode');
}

/** A library begins with the bytes MTLB. */
export function readLibrary(path: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch {
    throw new MlxcError('MLX5202', 'the tool reported success and wrote no library');
  }
  const magic = new TextDecoder('latin1').decode(bytes.subarray(0, 4));
  if (magic !== 'MTLB') throw new MlxcError('MLX5202', 'what the tool wrote is no Metal library');
  return bytes;
}

export function failed(tool: string, { status, stdout, stderr }: ToolResult): MlxcError {
  const output = `${stderr}${stdout}`.trim();
  const shown = output === '' ? '' : `:\n${output.slice(0, 4000)}`;
  return new MlxcError('MLX5202', `${tool} ended with status ${status}${shown}`);
}
