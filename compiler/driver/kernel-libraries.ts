/** Kernels of `extern` functions that are compiled before the program: a metallib of the bundle each. */
import type { ExternalKernel, Kernel } from '../kernel-ir/program.ts';
import type { PlannedProgram } from '../plan/make-plan.ts';
import type { PlanArgumentBuffer, PlanKernel } from '../plan/plan.ts';

export interface KernelLibrary {
  /** Its name in the bundle. */
  readonly file: string;
  readonly bytes: Uint8Array;
  /** What its kernel is called in it. */
  readonly entry: string;
  /** Where its resources stand in the argument buffer. */
  readonly resources: readonly ArgumentResource[];
  readonly size: number;
}

/** A resource of the shader by its register: `t` reads, `u` writes, `b` is the struct of dims. */
export interface ArgumentResource {
  readonly offset: number;
  readonly register: 't' | 'u' | 'b';
  readonly slot: number;
}

/** The buffer index at which shader-converter kernels take their arguments (kIRArgumentBufferBindPoint). */
export const argumentBufferIndex = 2;

/** Kernels of one source have libraries of their own: the shader converter makes one entry point at a time. */
export function libraryKey({ source, entry }: Pick<ExternalKernel, 'source' | 'entry'>): string {
  return `${source}\n${entry}`;
}

/** The plan with the kernels that are in libraries of their own. */
export function placeLibraries(
  planned: PlannedProgram,
  kernels: readonly Kernel[],
  libraries: ReadonlyMap<string, KernelLibrary>,
): PlannedProgram {
  if (libraries.size === 0) return planned;
  const placed = planned.plan.kernels.map((kernel, i): PlanKernel => {
    const { external } = kernels[i]!;
    const library = external && libraries.get(libraryKey(external));
    if (library === undefined || kernel.external === undefined) return kernel;
    const reads = kernel.bindings.filter((b) => b.access === 'read').length;
    return {
      ...kernel,
      external: {
        ...kernel.external,
        entry: library.entry,
        library: library.file,
        arguments: argumentBuffer(library, reads),
      },
    };
  });
  return { ...planned, plan: { ...planned.plan, kernels: placed } };
}

/** Arguments are `t0, t1, ...`, results `u0, u1, ...`, dims `b0`. */
function argumentBuffer({ resources, size }: KernelLibrary, reads: number): PlanArgumentBuffer {
  const entries = resources.map(({ offset, register, slot }) =>
    register === 'b' ? { offset } : { offset, binding: register === 't' ? slot : reads + slot },
  );
  return { index: argumentBufferIndex, size, entries };
}
