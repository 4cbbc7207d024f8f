/** The CPU device: kernels as C, compiled by the system's compiler, run by the native addon on a thread pool. */
import type { Plan } from '../compiler/plan/plan.ts';
import { AddonRun, handlesOf } from './addon-run.ts';
import { type Bundle, constantsOf } from './bundle.ts';
import { type CompileOptions, compileKernels } from './compile-kernels.ts';
import type { Device, Executable, Program, Run, RunContext } from './device.ts';
import { cpuLaunch, encodePlan } from './encode-plan.ts';
import { MlxcError, runError } from './errors.ts';
import { type Native, type NativeInstance, type NativeLibrary, native } from './native.ts';
import { type Dims, rebuild, Sizes } from './sizes.ts';
import type { TypedArray } from './typed-array.ts';

/** From here on memory comes from the allocator of the addon, which recycles it. */
const recycledBytes = 64 * 1024;

/** A run of less estimated work is not worth the queue: when nothing is pending it takes place before the call returns. */
const queuedNanoseconds = 50_000;

/** The kernel `name` in the library: as `kernelSymbol` of compiler/to-c/names.ts prints it. */
function symbolOf(name: string): string {
  return `mlxc_${name}`;
}

/** The CPU of this machine. `open` throws MLX5104–5106 when a compiler or the addon is missing. */
export function cpuDevice(options: CompileOptions = {}): Device {
  return {
    name: 'cpu',
    target: 'cpu',
    async open(bundle, plan) {
      const addon = native();
      const library =
        plan.kernels.length === 0 ? undefined : await openLibrary(addon, bundle, options);
      return new CpuProgram(addon, library, plan, bundle);
    },
    allocate(bytes) {
      if (bytes < recycledBytes) return { buffer: new ArrayBuffer(bytes), free: undefined };
      const addon = native();
      const buffer = addon.allocate(bytes);
      return { buffer, free: () => addon.release(buffer) };
    },
  };
}

async function openLibrary(
  addon: Native,
  bundle: Bundle,
  options: CompileOptions,
): Promise<NativeLibrary> {
  const path = await compileKernels(bundle.kernels, options);
  try {
    return addon.openLibrary(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new MlxcError('MLX5105', `the compiled kernels do not load: ${reason}`, `delete ${path}`);
  }
}

class CpuProgram implements Program {
  private readonly sizes = new Sizes();
  private readonly symbols: readonly string[];
  private readonly addon: Native;
  private readonly library: NativeLibrary | undefined;
  private readonly plan: Plan;
  private readonly bundle: Bundle;

  constructor(addon: Native, library: NativeLibrary | undefined, plan: Plan, bundle: Bundle) {
    this.addon = addon;
    this.library = library;
    this.plan = plan;
    this.bundle = bundle;
    this.symbols = plan.kernels.map((kernel) => symbolOf(kernel.name));
  }

  instantiate(index: number, dims: Dims): Executable {
    const { addon, plan } = this;
    const planned = plan.functions[index]!;
    const encoded = encodePlan(
      planned,
      plan.kernels,
      this.sizes,
      dims,
      cpuLaunch(addon.threadCount),
    );
    const constants = constantsOf(planned, this.bundle);
    const { arenaBytes, buffers, steps } = encoded;
    const instance = findKernels(() =>
      addon.createInstance(this.library, this.symbols, constants, arenaBytes, buffers, steps),
    );
    return new CpuExecutable(addon, instance, encoded.nanoseconds < queuedNanoseconds);
  }
}

/** A plan may name kernels that kernels.c does not hold: then the files of the bundle do not belong together. */
function findKernels<T>(create: () => T): T {
  try {
    return create();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (!reason.startsWith('the library has no kernel')) throw error;
    throw new MlxcError('MLX5102', `the bundle is damaged: ${reason}`, rebuild);
  }
}

class CpuExecutable implements Executable {
  private readonly addon: Native;
  private readonly instance: NativeInstance;
  private readonly isSmall: boolean;

  constructor(addon: Native, instance: NativeInstance, isSmall: boolean) {
    this.addon = addon;
    this.instance = instance;
    this.isSmall = isSmall;
  }

  run(
    parameters: readonly TypedArray[],
    results: readonly TypedArray[],
    { exposed, after }: RunContext,
  ): Run | undefined {
    const { addon, instance } = this;
    const handles = handlesOf(addon, after);
    try {
      if (this.isSmall && handles.length === 0 && addon.run(instance, parameters, results)) {
        return undefined;
      }
      const handle = addon.submit(instance, parameters, results, exposed, handles);
      return handle === undefined ? undefined : new AddonRun(addon, handle, runError);
    } catch (error) {
      throw error instanceof Error ? runError(error.message) : error;
    }
  }
}
