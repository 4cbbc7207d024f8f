/**
 * `compile`: source text in; diagnostics, or a bundle, out. Pure: all it knows of the outside is the host handed in.
 */
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { Span } from '../diagnostics/span.ts';
import type { FusedEntry } from '../passes/fused-group.ts';
import { inlineKernels, kernelCalls } from '../passes/inline-kernels.ts';
import { type CpuModel, cpuModels } from '../schedule/device-model.ts';
import type { Operation, Program } from '../tensor-ir/program.ts';
import { type CompiledBundle, makeBundle } from './bundle.ts';
import {
  type CheckedProgram,
  type CheckOptions,
  type CompileFailure,
  checkWith,
  makeRunner,
  type Report,
} from './check-source.ts';
import { PlaceTable, showPlaces } from './explain/places.ts';
import type { Source } from './front-end.ts';
import type { CompilerHost, Target } from './host.ts';
import { type KernelLibrary, libraryKey } from './kernel-libraries.ts';
import type { KernelSource } from './kernel-sources.ts';
import { buildTarget, fuseProgram, simplifyProgram, type TargetProgram } from './pipeline.ts';

export interface CompileOptions extends CheckOptions {
  /** Base name of the bundle; by default that of the source. */
  readonly name?: string;
  /**
   * Kernels of `extern` functions in HLSL and DXIL, compiled before (toolchain/). One that is missing here runs its reference
   * body on Metal.
   */
  readonly libraries?: ReadonlyMap<string, KernelLibrary>;
}

export interface CompileSuccess extends Report {
  readonly ok: true;
  readonly bundle: CompiledBundle;
  readonly warnings: readonly Diagnostic[];
  /** Calls of `extern` functions, and the sources that they name. */
  readonly kernelCalls: readonly Operation[];
  readonly kernels: ReadonlyMap<string, KernelSource>;
}

export type CompileResult = CompileSuccess | CompileFailure;

/** The forms that a program takes on its way; for tools that show them. */
export interface Stages extends CheckedProgram {
  /** After simplification, with the bodies of `extern` functions in place: what the interpreter runs. */
  readonly simple: Program<'plain'>;
  readonly fused: readonly FusedEntry[];
  readonly programs: readonly TargetProgram[];
}

/**
 * Compiles a source to a bundle in memory. The same source and options give the same bytes.
 *
 * Never throws for a mistake in the source: that is `{ ok: false, diagnostics }`. InternalError means a bug of ours.
 */
export function compile(source: Source, options: CompileOptions): CompileResult {
  const stages = compileStages(source, options);
  if (!stages.ok) return stages;
  const { programs, warnings, sources, timings, module, kernels } = stages;
  const name = options.name ?? baseName(module.file);
  const libraries = [...(options.libraries ?? new Map()).values()];
  const bundle = makeBundle(name, stages.simple, programs, libraries, options.host);
  const calls = kernelCalls(stages.plain);
  return { ok: true, bundle, warnings, sources, timings, kernelCalls: calls, kernels };
}

/** All stages of a compilation. */
export function compileStages(source: Source, options: CompileOptions): Stages | CompileFailure {
  const runner = makeRunner(options);
  const checked = checkWith(source, options, runner);
  if (!checked.ok) return checked;
  const { host, targets = ['cpu', 'metal'], libraries = new Map() } = options;
  const places = new PlaceTable(checked.module.file, checked.sources);
  const targetOptions = {
    showPlaces: (spans: readonly Span[]) => showPlaces(places.sorted(spans)),
    cpuModel: cpuModelOf(host),
    helper: (target: Target, name: string) => readHelper(host, target, name),
    sources: checked.kernels,
    libraries,
  };
  const runsKernel = ({ attrs }: Operation): boolean =>
    attrs['language'] === 'metal' ||
    libraries.has(libraryKey({ source: String(attrs['source']), entry: String(attrs['kernel']) }));
  const simple = simplifyProgram(
    inlineKernels(checked.plain, () => false),
    runner,
  );
  const fused = fuseProgram(simple, runner);
  const hasKernels = kernelCalls(checked.plain).some(runsKernel);
  const programs = targets.map((target) => {
    if (target === 'cpu' || !hasKernels) {
      return buildTarget(target, simple, fused, targetOptions, runner);
    }
    // another program from here on: kernels stand between what fuses
    const own = simplifyProgram(inlineKernels(checked.plain, runsKernel), runner);
    return buildTarget(target, own, fuseProgram(own, runner), targetOptions, runner);
  });
  return { ...checked, simple, fused, programs };
}

function readHelper(host: CompilerHost, target: Target, name: string): string {
  const path =
    target === 'cpu' ? `compiler/to-c/helpers/${name}` : `compiler/to-metal/helpers/${name}.metal`;
  const text = host.readAsset(path);
  if (text === undefined) throw new Error(`the package lacks ${path}`);
  return text;
}

function cpuModelOf(host: CompilerHost): CpuModel {
  return cpuModels[host.cpu ?? 'avx2'];
}

function baseName(file: string): string {
  return file.replace(/^.*[\\/]/, '').replace(/\.mlx$/, '');
}
