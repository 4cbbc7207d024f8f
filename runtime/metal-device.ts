/** The Metal device: kernels as Metal source, compiled by the system, run on the GPU by the addon of runtime/metal. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Plan, PlanKernel, Step } from '../compiler/plan/plan.ts';
import { AddonRun, handlesOf } from './addon-run.ts';
import { type Bundle, constantsOf } from './bundle.ts';
import type { Device, Executable, Program, Run, RunContext } from './device.ts';
import { encodePlan, metalLaunch } from './encode-plan.ts';
import { MlxcError } from './errors.ts';
import {
  type KernelRequest,
  type KernelTiming,
  type MetalInfo,
  type MetalInstance,
  type MetalLibrary,
  type MetalMemory,
  type MetalName,
  type MetalNative,
  metalNative,
} from './metal-native.ts';
import { kernelAt } from './metal-source.ts';
import { type Dims, rebuild, Sizes } from './sizes.ts';
import type { TypedArray } from './typed-array.ts';

/** A GPU, with what else it tells. */
export interface MetalDevice extends Device {
  readonly info: MetalInfo;
  memoryStatistics(): MetalMemory;
  /** At most so many bytes of free buffers are kept for later. */
  setCacheLimit(bytes: number): void;
  /** Gives the free buffers back to the system. */
  trimMemory(): void;
  /**
   * What each dispatch of the calls in `work` took on the GPU. Apple GPUs time whole command buffers, so each dispatch gets one of its
   * own: the sum is more than the calls take otherwise.
   */
  profile(work: () => void | Promise<void>): Promise<readonly KernelTiming[]>;
  /**
   * Records the work of the GPU in `work` as a document for Xcode. `path` ends in `.gputrace` and must not exist; the process needs
   * MTL_CAPTURE_ENABLED=1. MLX5125 otherwise.
   */
  capture(path: string, work: () => void | Promise<void>): Promise<void>;
}

/** The GPU of this machine: MLX5118 when there is none. `metal-sim` is the simulator that the tests of mlxc use. */
export function metalDevice(name: MetalName = 'metal'): MetalDevice {
  const addon = metalNative(name);
  // what a piece of work submitted has ended when the last run has: they end in order
  let last: Run | undefined;
  const settle = async (work: () => void | Promise<void>): Promise<void> => {
    await work();
    last?.wait();
  };
  return {
    name,
    target: 'metal',
    info: addon.device()!,
    async open(bundle, plan) {
      const library = await openLibrary(addon, bundle, plan);
      return new MetalProgram(addon, library, plan, bundle, (run) => {
        last = run;
      });
    },
    allocate(bytes) {
      const buffer = addon.allocate(bytes);
      return { buffer, free: () => addon.release(buffer) };
    },
    memoryStatistics: () => addon.memoryStatistics(),
    setCacheLimit: (bytes) => addon.setCacheLimit(bytes),
    trimMemory: () => addon.trimMemory(),
    async profile(work) {
      last?.wait();
      addon.takeTimings();
      addon.setProfiling(true);
      try {
        await settle(work);
      } finally {
        addon.setProfiling(false);
      }
      return addon.takeTimings();
    },
    async capture(path, work) {
      try {
        addon.startCapture(path);
      } catch (error) {
        throw new MlxcError('MLX5125', `the GPU cannot be captured: ${messageOf(error)}`);
      }
      try {
        await settle(work);
      } finally {
        addon.stopCapture();
      }
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function openLibrary(addon: MetalNative, bundle: Bundle, plan: Plan): Promise<MetalLibrary> {
  const { metal = '', metallib = '' } = bundle;
  const copies = plan.functions.some((f) => hasCopies(f.steps));
  try {
    return await withLibraries(plan, bundle, (libraries) => {
      const requests = plan.kernels.map((kernel) => requestOf(kernel, libraries));
      return addon.openLibrary(metal, metallib, requests, copies);
    });
  } catch (error) {
    if (error instanceof MlxcError) throw error;
    throw refused(messageOf(error), bundle);
  }
}

/** The paths of the libraries that kernels of users have; those in memory are files while `work` runs. */
async function withLibraries<T>(
  plan: Plan,
  { libraries }: Bundle,
  work: (paths: ReadonlyMap<string, string>) => Promise<T>,
): Promise<T> {
  const paths = new Map<string, string>();
  let folder: string | undefined;
  try {
    for (const { external } of plan.kernels) {
      const name = external?.library;
      if (name === undefined || paths.has(name)) continue;
      const found = libraries?.get(name);
      if (found === undefined) {
        throw new MlxcError('MLX5102', `the bundle lacks the library ${name}`, rebuild);
      }
      if (typeof found !== 'string') folder ??= mkdtempSync(join(tmpdir(), 'mlxc-library-'));
      const path = typeof found === 'string' ? found : join(folder!, `${paths.size}.metallib`);
      if (typeof found !== 'string') writeFileSync(path, found);
      paths.set(name, path);
    }
    return await work(paths);
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}

function requestOf(kernel: PlanKernel, libraries: ReadonlyMap<string, string>): KernelRequest {
  const letters = { read: 'r', write: 'w', 'read-write': 'x' } as const;
  const { external } = kernel;
  const library = libraries.get(external?.library ?? '');
  return {
    ...(external === undefined ? {} : { threadgroup: external.threadgroup }),
    ...(library === undefined ? {} : { library }),
    ...(external?.arguments === undefined ? {} : { arguments: external.arguments }),
    name: external?.entry ?? kernel.name,
    threads: kernel.threads,
    accesses: kernel.bindings.map(({ access }) => letters[access]).join(''),
    usesTable: kernel.bindingTable,
  };
}

function hasCopies(steps: readonly Step[]): boolean {
  return steps.some((step) => {
    switch (step.kind) {
      case 'dispatch':
        return false;
      case 'copy':
        return true;
      case 'loop':
        return hasCopies(step.body);
      case 'branch':
        return hasCopies(step.then) || hasCopies(step.otherwise);
    }
  });
}

/** What Metal says of the kernels: the files of a bundle that do not belong together, or MLX5123 with the kernels of the lines it names. */
function refused(reason: string, { metal = '', metallib = '' }: Bundle): MlxcError {
  const isUnreadable = metallib !== '' && reason.startsWith(`${metallib}: `);
  if (isUnreadable || reason.startsWith('the library has no kernel')) {
    return new MlxcError('MLX5102', `the bundle is damaged: ${reason}`, rebuild);
  }
  const lines = [...reason.matchAll(/program_source:(\d+)/g)].map((match) => Number(match[1]));
  const kernels = new Set(
    lines.map((line) => kernelAt(metal, line)).filter((k) => k !== undefined),
  );
  const where = kernels.size === 0 ? '' : ` (in ${[...kernels].join(', ')})`;
  return new MlxcError('MLX5123', `Metal refuses the kernels${where}: ${reason}`);
}

class MetalProgram implements Program {
  private readonly sizes = new Sizes();
  private readonly addon: MetalNative;
  private readonly library: MetalLibrary;
  private readonly plan: Plan;
  private readonly bundle: Bundle;
  private readonly started: (run: Run | undefined) => void;
  /** Constants in memory that the GPU sees, by the array they were read into. */
  private readonly constants = new Map<TypedArray, Uint8Array>();

  constructor(
    addon: MetalNative,
    library: MetalLibrary,
    plan: Plan,
    bundle: Bundle,
    started: (run: Run | undefined) => void,
  ) {
    this.addon = addon;
    this.library = library;
    this.plan = plan;
    this.bundle = bundle;
    this.started = started;
  }

  instantiate(index: number, dims: Dims): Executable {
    const { addon, plan } = this;
    const planned = plan.functions[index]!;
    const encoded = encodePlan(planned, plan.kernels, this.sizes, dims, metalLaunch);
    const constants = constantsOf(planned, this.bundle).map((data) => this.upload(data));
    const { arenaBytes, buffers, steps } = encoded;
    try {
      const instance = addon.createInstance(
        this.library,
        planned.name,
        constants,
        arenaBytes,
        buffers,
        steps,
      );
      return new MetalExecutable(addon, instance, this.started);
    } catch (error) {
      throw runError(messageOf(error));
    }
  }

  private upload(data: TypedArray): Uint8Array {
    let memory = this.constants.get(data);
    if (memory === undefined) {
      memory = new Uint8Array(this.addon.allocate(data.byteLength));
      memory.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      this.constants.set(data, memory);
    }
    return memory;
  }
}

class MetalExecutable implements Executable {
  private readonly addon: MetalNative;
  private readonly instance: MetalInstance;
  private readonly started: (run: Run | undefined) => void;

  constructor(
    addon: MetalNative,
    instance: MetalInstance,
    started: (run: Run | undefined) => void,
  ) {
    this.addon = addon;
    this.instance = instance;
    this.started = started;
  }

  run(
    parameters: readonly TypedArray[],
    results: readonly TypedArray[],
    { exposed, after }: RunContext,
  ): Run | undefined {
    const { addon, instance } = this;
    const handles = handlesOf(addon, after);
    try {
      const handle = addon.submit(instance, parameters, results, exposed, handles);
      const run = handle === undefined ? undefined : new AddonRun(addon, handle, runError);
      this.started(run);
      return run;
    } catch (error) {
      throw error instanceof Error ? runError(error.message) : error;
    }
  }
}

/** What went wrong in a run: MLX5115 when memory ran out, else MLX5124. */
function runError(message: string): MlxcError {
  if (message.startsWith('out of memory')) {
    return new MlxcError('MLX5115', message, 'use smaller batches, or dispose tensors');
  }
  return new MlxcError('MLX5124', `a run failed on the GPU: ${message}`);
}
