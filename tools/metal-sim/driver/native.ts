/** Compiles Metal source and runs its kernels on the engine, without Metal's host API: for tests of the simulator. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { TypedArray } from '../../../runtime/typed-array.ts';
import { type CompileOptions, compileMetal, type MetalError } from '../compile/compile.ts';

interface Native {
  run(
    library: string,
    kernel: string,
    buffers: readonly (Uint8Array | null)[],
    grid: readonly number[],
    threadgroup: readonly number[],
    options: Readonly<Record<string, unknown>>,
  ): readonly (readonly [string, string])[];
  kernels(library: string): readonly string[];
  describe(library: string, kernel: string): string;
  accesses(): number;
}

export interface Launch {
  readonly kernel: string;
  /** By index; kernels write into them. */
  readonly buffers: readonly (TypedArray | null)[];
  /** Threadgroups, or threads with `nonuniform`. */
  readonly grid: readonly [number, number?, number?];
  readonly threadgroup: readonly [number, number?, number?];
  readonly nonuniform?: boolean;
  /** Bytes of `[[threadgroup(n)]]`. */
  readonly threadgroupLengths?: readonly number[];
  readonly seed?: number;
  /** Whether subnormal floats are flushed to zero. */
  readonly flush?: boolean;
  /** How often the dispatch is repeated without a barrier between. */
  readonly again?: number;
  /** Whether the buffers are released before they are used. */
  readonly released?: boolean;
}

/** What a kernel takes. */
export interface KernelParameter {
  readonly name: string;
  readonly kind: 'device' | 'constant' | 'threadgroup' | 'builtin';
  readonly index: number;
  /** Bytes behind a reference, or of one element behind a pointer. */
  readonly size: number;
  readonly isReference: boolean;
  readonly isWritable: boolean;
  /** Its guard, a function constant, is false. */
  readonly isAbsent: boolean;
}

export interface KernelDescription {
  /** Of `[[max_total_threads_per_threadgroup(n)]]`; 0 without one. */
  readonly maxThreads: number;
  /** Bytes that its body declares. */
  readonly threadgroupMemory: number;
  readonly parameters: readonly KernelParameter[];
}

export interface Finding {
  readonly kind: string;
  readonly message: string;
  /** Of the source; 0 when unknown. */
  readonly line: number;
}

export class RefusedMetal extends Error {
  override readonly name: string = 'RefusedMetal';
  readonly errors: readonly MetalError[];

  constructor(errors: readonly MetalError[]) {
    super(errors.map((e) => `${e.line}:${e.column}: ${e.message}`).join('\n'));
    this.errors = errors;
  }
}

/** Of buffers, and of threadgroup memory. */
export const slots = 31;

const root = new URL('../../../', import.meta.url);
let loaded: Native | undefined;

function native(): Native {
  if (loaded !== undefined) return loaded;
  // what it builds it says on the standard error, for that takes a while
  const script = fileURLToPath(new URL('tools/metal-sim/build.mjs', root));
  const { status } = spawnSync(process.execPath, [script, '--engine'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) throw new Error('the simulator is not built: see above');
  loaded = createRequire(import.meta.url)(
    fileURLToPath(new URL('build/metal_sim_run.node', root)),
  ) as Native;
  return loaded;
}

/** Builds and loads the engine, unless that is done. */
export function prepareEngine(): void {
  native();
}

/** A compiled source. */
export class Library {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Host names of its kernels. */
  get kernels(): readonly string[] {
    return native().kernels(this.path);
  }

  describe(kernel: string): KernelDescription {
    return JSON.parse(native().describe(this.path, kernel)) as KernelDescription;
  }

  /** Runs one dispatch: what was found, nothing when all is well. */
  run(launch: Launch): readonly Finding[] {
    const bytes = launch.buffers.map((b) =>
      b === null ? null : new Uint8Array(b.buffer, b.byteOffset, b.byteLength),
    );
    const three = ([x, y = 1, z = 1]: readonly [number, number?, number?]): readonly number[] => [
      x,
      y,
      z,
    ];
    const found = native().run(
      this.path,
      launch.kernel,
      bytes,
      three(launch.grid),
      three(launch.threadgroup),
      {
        nonuniform: Number(launch.nonuniform ?? false),
        threadgroupLengths: Array.from(
          { length: slots },
          (_, i) => launch.threadgroupLengths?.[i] ?? 0,
        ),
        seed: launch.seed ?? 0,
        again: launch.again ?? 0,
        flush: Number(launch.flush ?? false),
        released: Number(launch.released ?? false),
      },
    );
    return found.map(([kind, message]) => ({
      kind,
      message,
      line: Number(/, line (\d+)/.exec(message)?.[1] ?? 0),
    }));
  }
}

/** Compiles, through the cache. Throws RefusedMetal. */
export function compile(source: string, options: CompileOptions = {}): Library {
  native();
  const { errors, library } = compileMetal(source, options);
  if (library === undefined) throw new RefusedMetal(errors);
  return new Library(library);
}

/** Accesses to memory that the engine has seen so far. */
export function accessCount(): number {
  return native().accesses();
}
