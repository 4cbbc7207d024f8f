/**
 * What the printer for Metal and the host that launches its kernels must agree on.
 *
 * Buffers take the bindings 0, 1, ... in the order of the parameters (a segmented one takes a binding a segment), and one struct
 * with the integers (int each, in order) follows. When that is more than Metal's 31, or with segments, the buffers travel as one
 * table of 8-byte addresses in binding 0, and the integers in binding 1. Without integers there is no struct.
 */
import type { Kernel } from './program.ts';

/** Metal's argument slots for buffers. */
export const maxBindings: number = 31;

/** How many buffers the host binds, the struct of integers not counted. */
export function bindingCount(kernel: Kernel): number {
  return kernel.parameters.reduce((n, p) => n + (p.isSegmented ? (kernel.segments ?? 1) : 1), 0);
}

/** True when the buffers travel as a table of addresses in binding 0. */
export function usesBindingTable(kernel: Kernel): boolean {
  const structs = kernel.integers.length > 0 ? 1 : 0;
  return (
    bindingCount(kernel) + structs > maxBindings || kernel.parameters.some((p) => p.isSegmented)
  );
}

/** Words that a function in a Metal library may not be called. */
const reserved: ReadonlySet<string> = new Set(
  `main kernel vertex fragment mesh object device constant thread threadgroup metal vec matrix atomic sampler array
  tensor bool char uchar short ushort int uint long ulong half bfloat float void quad complex imaginary assert bias level
  and or xor not auto for if while switch new delete this template class struct union enum operator private public
  mlxc`.split(/\s+/),
);

/** The name with which a kernel is found in a Metal library. */
export function metalKernelName(name: string): string {
  return reserved.has(name) ? `${name}_kernel` : name;
}
