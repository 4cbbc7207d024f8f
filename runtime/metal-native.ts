/** The addon of the Metal device: what it exports, and where it is found. */
import type { PlanArgumentBuffer } from '../compiler/plan/plan.ts';
import { MlxcError } from './errors.ts';
import { addonPath, loadAddon } from './native.ts';
import { noMetal } from './no-metal.ts';
import type { TypedArray } from './typed-array.ts';

/** Handles of native objects; only the addon looks inside. */
export interface MetalLibrary {
  readonly __metalLibrary: unique symbol;
}
export interface MetalInstance {
  readonly __metalInstance: unique symbol;
}
export interface MetalRunHandle {
  readonly __metalRun: unique symbol;
}

/** What there is to know about a GPU. */
export interface MetalInfo {
  readonly name: string;
  /** `applegpu_g13s`: generation and size. */
  readonly architecture: string;
  readonly families: readonly string[];
  readonly hasUnifiedMemory: boolean;
  /** In bytes, as those that follow. */
  readonly maxBufferLength: number;
  readonly recommendedMaxWorkingSetSize: number;
  readonly maxThreadgroupMemoryLength: number;
  readonly maxThreadsPerThreadgroup: number;
}

/** Bytes in buffers: in use, the most there were, free for the next request, and how much may be free; and how often one was asked for. */
export interface MetalMemory {
  readonly active: number;
  readonly peak: number;
  readonly cached: number;
  readonly limit: number;
  readonly allocations: number;
  readonly reuses: number;
}

/** What has been encoded since the process began; `commands` are kernels and copies. */
export interface MetalCounts {
  readonly commandBuffers: number;
  readonly commands: number;
  readonly barriers: number;
}

/** What one dispatch took on the GPU. */
export interface KernelTiming {
  readonly kernel: string;
  readonly seconds: number;
}

/** A value for a function constant of a kernel. */
export interface FunctionConstant {
  readonly index: number;
  readonly type: 'bool' | 'i32' | 'u32' | 'f32';
  readonly value: number | boolean;
}

export interface KernelRequest {
  readonly name: string;
  /** Threads a threadgroup. */
  readonly threads: number;
  /** A letter for each buffer: r read, w written, x both. */
  readonly accesses: string;
  /** Whether its buffers travel as one table of addresses in binding 0. */
  readonly usesTable: boolean;
  readonly constants?: readonly FunctionConstant[];
  /** Threads of a threadgroup along x, y, z; launches then count threads. */
  readonly threadgroup?: readonly [number, number, number];
  /** The .metallib that has it, when that is one of its own. */
  readonly library?: string;
  /** The table that it takes for its buffers and integers. */
  readonly arguments?: PlanArgumentBuffer;
}

export interface MetalNative {
  /** Undefined where there is no GPU. */
  device(): MetalInfo | undefined;
  /** Compiles `source`, or loads the .metallib at `path` unless that is empty, and builds all pipelines, on a thread of its own. */
  openLibrary(
    source: string,
    path: string,
    kernels: readonly KernelRequest[],
    copies: boolean,
  ): Promise<MetalLibrary>;
  createInstance(
    library: MetalLibrary,
    name: string,
    constants: readonly TypedArray[],
    arenaBytes: number,
    buffers: Float64Array,
    steps: Float64Array,
  ): MetalInstance;
  /** As that of the CPU device: see `Native.submit`. */
  submit(
    instance: MetalInstance,
    parameters: readonly TypedArray[],
    results: readonly TypedArray[],
    exposed: readonly number[],
    after: readonly MetalRunHandle[],
  ): MetalRunHandle | undefined;
  hasEnded(run: MetalRunHandle): boolean;
  /** Blocks until the run has ended; its problem, or an empty string. */
  wait(run: MetalRunHandle): string;
  /** The same without blocking. */
  ready(run: MetalRunHandle): Promise<string>;
  allocate(bytes: number): ArrayBuffer;
  /** Detaches a buffer; its memory is free once the runs that use it have ended. */
  release(buffer: ArrayBuffer): void;
  memoryStatistics(): MetalMemory;
  counts(): MetalCounts;
  /** How many pipelines a library has: kernels of the same function with the same constants share one. */
  pipelineCount(library: MetalLibrary): number;
  setCacheLimit(bytes: number): void;
  trimMemory(): void;
  /**
   * Overrides MLXC_METAL_SEPARATE (every temporary in a buffer of its own, exactly as long as it is), MLXC_METAL_OPS and MLXC_METAL_MB
   * (commands and bytes in a command buffer); for tests and debugging.
   */
  configure(options: {
    readonly separate?: boolean;
    readonly mostOps?: number;
    readonly mostBytes?: number;
  }): void;
  setProfiling(isOn: boolean): void;
  takeTimings(): readonly KernelTiming[];
  startCapture(path: string): void;
  stopCapture(): void;
}

const addons = { metal: 'mlxc_metal', 'metal-sim': 'mlxc_metal_sim' } as const;

export type MetalName = keyof typeof addons;

const loaded = new Map<MetalName, MetalNative>();

/** Loads an addon once. MLX5118 when there is none or no GPU, MLX5106 when it does not load. */
export function metalNative(name: MetalName): MetalNative {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const path =
    name === 'metal' && process.platform !== 'darwin' ? undefined : addonPath(addons[name]);
  if (path === undefined) throw name === 'metal' ? noMetal() : noSimulator();
  const addon = loadAddon<MetalNative>(path, 'build it again with `npm run bootstrap`');
  if (addon.device() === undefined) {
    throw new MlxcError('MLX5118', 'this machine has no GPU for Metal', 'use the device cpu');
  }
  loaded.set(name, addon);
  return addon;
}

/** Whether `metal` can be used here. */
export function hasMetal(): boolean {
  if (process.platform !== 'darwin') return false;
  try {
    metalNative('metal');
    return true;
  } catch {
    return false;
  }
}

function noSimulator(): MlxcError {
  return new MlxcError(
    'MLX5118',
    'the simulator of Metal is not built',
    'build it with `node tools/build-addon.mjs --tests` in a clone of the repository, or use the device cpu',
  );
}
