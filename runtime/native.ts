/** The native addon: what it exports, and where it is found. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MlxcError } from './errors.ts';
import type { TypedArray } from './typed-array.ts';

/** Handles of native objects; only the addon looks inside. */
export interface NativeLibrary {
  readonly __library: unique symbol;
}
export interface NativeInstance {
  readonly __instance: unique symbol;
}
export interface NativeRun {
  readonly __run: unique symbol;
}

/** Bytes that the allocator of the CPU device holds, and how often it was asked. */
export interface MemoryStatistics {
  readonly inUse: number;
  readonly cached: number;
  readonly peakInUse: number;
  readonly allocations: number;
  readonly reuses: number;
}

export interface Native {
  openLibrary(path: string): NativeLibrary;
  createInstance(
    library: NativeLibrary | undefined,
    symbols: readonly string[],
    constants: readonly TypedArray[],
    arenaBytes: number,
    buffers: Float64Array,
    steps: Float64Array,
  ): NativeInstance;
  /** False, with nothing done, while runs are pending. */
  run(
    instance: NativeInstance,
    parameters: readonly TypedArray[],
    results: readonly TypedArray[],
  ): boolean;
  /**
   * Queues a run. `exposed` are the positions of parameters that code outside the runtime can reach: they are copied, or, when they
   * are large, the run has ended on return and there is no handle. `after` are runs whose results this one reads.
   */
  submit(
    instance: NativeInstance,
    parameters: readonly TypedArray[],
    results: readonly TypedArray[],
    exposed: readonly number[],
    after: readonly NativeRun[],
  ): NativeRun | undefined;
  hasEnded(run: NativeRun): boolean;
  /** Blocks until the run has ended; its problem, or an empty string. */
  wait(run: NativeRun): string;
  /** The same without blocking. */
  ready(run: NativeRun): Promise<string>;
  allocate(bytes: number): ArrayBuffer;
  /** Detaches a buffer; its memory is free once the runs that are pending now have ended. */
  release(buffer: ArrayBuffer): void;
  memoryStatistics(): MemoryStatistics;
  trimMemory(): void;
  readonly threadCount: number;
}

let loaded: Native | undefined;

/** Loads the addon once. MLX5106 when it has not been built or does not load. */
export function native(): Native {
  loaded ??= loadNative();
  return loaded;
}

function loadNative(): Native {
  const path = addonPath('mlxc_native');
  const cure =
    'build it with `npm run bootstrap` (needs a C++ compiler), or use the device `interp`';
  if (path === undefined) {
    throw new MlxcError('MLX5106', 'the native addon of the CPU device is not built', cure);
  }
  return loadAddon<Native>(path, cure);
}

/** Loads an addon; MLX5106 when it does not load. The caller vouches for its type. */
export function loadAddon<T>(path: string, cure: string): T {
  try {
    return createRequire(import.meta.url)(path) as T;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MlxcError('MLX5106', `the native addon does not load: ${reason}`, cure);
  }
}

/** build/NAME.node of the package this file belongs to, whether it runs from source or from dist. */
export function addonPath(name = 'mlxc_native'): string | undefined {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const candidate = join(folder, 'build', `${name}.node`);
    if (existsSync(candidate)) return candidate;
    const parent = dirname(folder);
    if (parent === folder) return undefined;
    folder = parent;
  }
}
