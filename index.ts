/**
 * mlxc: compiles tensor programs (.mlx) and runs them.
 *
 *   import { compile, load, tensor } from 'mlxc';
 *
 *   const model = await load('model.mlx');
 *   const y = model.functions.predict(weights, tensor(pixels, [32, 64]));
 *
 * `load` takes a source, a bundle folder or a bundle in memory. `compile` gives diagnostics or a bundle and touches
 * nothing but the host that it is given (by default Node's file system).
 */

import type { CompiledBundle } from './compiler/driver/bundle.ts';
import {
  type CompileResult,
  type CompileOptions as CoreOptions,
  compile as compileWith,
} from './compiler/driver/compile.ts';
import { CompileError } from './compiler/driver/compile-error.ts';
import type { Source } from './compiler/driver/front-end.ts';
import { interpreterDevice } from './compiler/driver/interpreter.ts';
import { nodeHost } from './compiler/driver/node-host.ts';
import type { Bundle } from './runtime/bundle.ts';
import { cpuDevice } from './runtime/cpu-device.ts';
import type { Device } from './runtime/device.ts';
import { MlxcError } from './runtime/errors.ts';
import { load as loadBundle } from './runtime/load.ts';
import { metalDevice } from './runtime/metal-device.ts';
import { hasMetal, type MetalName } from './runtime/metal-native.ts';
import type { AnyFunctions, Module } from './runtime/module.ts';

/** Options of `compile`; `host` defaults to Node's file system below the working directory. */
export type CompileOptions = Partial<CoreOptions>;

/** Options of `load`: those of `compile`, for sources, and where to run. */
export interface LoadOptions extends CompileOptions {
  /**
   * `cpu`, `metal` (the GPU; MLX5118 where there is none), `metal-sim` (the simulator that the tests of mlxc use), `interp` (the reference
   * interpreter; sources and bundles in memory only), or a device. By default `metal` on macOS, for programs that Metal can run, else
   * `cpu`.
   */
  readonly device?: 'cpu' | 'interp' | MetalName | Device;
}

/**
 * Compiles a source: its text, `{ path }`, or `{ name, text }`. Gives `{ ok: true, bundle, warnings }` or
 * `{ ok: false, diagnostics }`; a mistake in the source never throws. `await bundle.write(folder)` writes it to disk.
 */
export function compile(source: Source, options: CompileOptions = {}): CompileResult {
  requireSource(source);
  requireOptions('compile', options);
  return compileWith(source, { ...options, host: options.host ?? nodeHost() });
}

/** The same, but errors in the source are thrown as CompileError, which has the `diagnostics`. */
export function compileOrThrow(source: Source, options: CompileOptions = {}): CompiledBundle {
  const result = compile(source, options);
  if (!result.ok) throw new CompileError(result);
  return result.bundle;
}

/**
 * Loads functions onto a device, from a source (`model.mlx`, compiled first), a bundle folder, or a bundle in memory. Errors:
 * CompileError (mistakes in the source), MLX5101–5106, MLX5117, MLX5118, MLX5122 and MLX5123 (the bundle or the device cannot be
 * used).
 * The functions take and give trees; `load<typeof import('./model.mlxbundle/index.js')>(…)` gives them the types that
 * `mlxc build` wrote.
 */
export async function load<Functions extends object = AnyFunctions>(
  from: string | Bundle | CompiledBundle,
  options: LoadOptions = {},
): Promise<Module<Omit<Functions, 'default'>>> {
  requireOptions('load', options);
  if (typeof from !== 'string' && !(isObject(from) && 'plan' in from)) {
    const cure =
      'a path such as `model.mlx` or `model.mlxbundle`, or what `compile` gave as `bundle`';
    throw new TypeError(`\`load\` takes ${cure}; found ${shown(from)}`);
  }
  const { device, ...compileOptions } = options;
  if (typeof device === 'string' && !isDeviceName(device)) {
    const cure = 'the devices are `cpu`, `interp`, `metal` and `metal-sim`';
    throw new MlxcError('MLX5122', `there is no device \`${String(device)}\``, cure);
  }
  // before a source is compiled for it
  const metal = device === 'metal' || device === 'metal-sim' ? metalDevice(device) : undefined;
  const isSource = typeof from === 'string' && from.endsWith('.mlx');
  const bundle = isSource ? compileFor({ path: from }, device, compileOptions) : from;
  if (device === undefined) return loadBundle<Functions>(bundle);
  if (metal !== undefined) return loadBundle<Functions>(bundle, { device: metal });
  if (device === 'cpu') return loadBundle<Functions>(bundle, { device: cpuDevice() });
  if (device !== 'interp') return loadBundle<Functions>(bundle, { device: device as Device });
  if (typeof bundle === 'string' || !isCompiled(bundle)) {
    throw new MlxcError(
      'MLX5119',
      'the interpreter needs the program: a bundle on disk holds kernels only',
      'load the source, or the bundle that `compile` gave',
    );
  }
  return loadBundle<Functions>(bundle, { device: interpreterDevice(bundle.program) });
}

const deviceNames: readonly string[] = ['cpu', 'interp', 'metal', 'metal-sim'];

function isDeviceName(name: string): boolean {
  return deviceNames.includes(name);
}

/** Compiles a source for a device; for the default one: for Metal if it is there and can run the program, else for the CPU. */
function compileFor(
  source: Source,
  device: LoadOptions['device'],
  options: CompileOptions,
): CompiledBundle {
  const target = typeof device === 'object' ? device.target : device;
  if (target === 'metal' || target === 'metal-sim') {
    return compileOrThrow(source, { targets: ['metal'], ...options });
  }
  if (target === undefined && options.targets === undefined && hasMetal()) {
    const result = compile(source, { ...options, targets: ['metal'] });
    if (result.ok) return result.bundle;
  }
  return compileOrThrow(source, { targets: ['cpu'], ...options });
}

export type { Diagnostic } from './compiler/diagnostics/diagnostic.ts';

/** TypeScript checks this where it is used; JavaScript does not. */
function requireSource(source: unknown): void {
  const isNamed = isObject(source) && typeof source['text'] === 'string';
  const isPath = isObject(source) && typeof source['path'] === 'string';
  if (typeof source === 'string' || isNamed || isPath) return;
  const forms = 'the text of a source, `{ path }` or `{ name, text }`';
  throw new TypeError(`\`compile\` takes ${forms}; found ${shown(source)}`);
}

function requireOptions(callee: string, options: unknown): void {
  if (isObject(options)) return;
  throw new TypeError(`the options of \`${callee}\` are an object; found ${shown(options)}`);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function shown(value: unknown): string {
  return isObject(value) ? (Array.isArray(value) ? 'a list' : 'another object') : String(value);
}

function isCompiled(bundle: Bundle | CompiledBundle): bundle is CompiledBundle {
  return 'program' in bundle;
}

export type { CompiledBundle } from './compiler/driver/bundle.ts';
export type { CompileResult } from './compiler/driver/compile.ts';
export { CompileError } from './compiler/driver/compile-error.ts';
export type { Source } from './compiler/driver/front-end.ts';
export type { CompilerHost } from './compiler/driver/host.ts';
export { readTensors, saveTensors } from './compiler/driver/io/save.ts';
export { nodeHost } from './compiler/driver/node-host.ts';
export type { Argument } from './runtime/arguments.ts';
export type { Bundle } from './runtime/bundle.ts';
export { cpuDevice } from './runtime/cpu-device.ts';
export type { Device } from './runtime/device.ts';
export { MlxcError, type Problem } from './runtime/errors.ts';
export { type MetalDevice, metalDevice } from './runtime/metal-device.ts';
export type {
  AnyFunctions,
  CallOptions,
  CompiledFunction,
  Module,
  Result,
} from './runtime/module.ts';
export { type NestedArray, Tensor, tensor } from './runtime/tensor.ts';
export type { TypedArray } from './runtime/typed-array.ts';
