/**
 * Metal text, as the compiler prints it, to CUDA text over msl.cuh: only signatures of kernels and pragmas change. Threadgroup
 * arrays become static shared memory, the indices of threads come from CUDA's. Text of users follows that of the compiler from the
 * first `#line` on: see translate-extern.ts.
 */
import type { PlanKernel } from '../../compiler/plan/plan.ts';
import { externKernels, translateExtern } from './translate-extern.ts';

const attribute = /\s*\[\[[^\]]*\]\]/g;
const kernelHead =
  /\[\[kernel, max_total_threads_per_threadgroup\((\d+)\)\]\] void (\w+)\(\n(.*?)\) \{\n/gs;

const builtIns: Readonly<Record<string, (name: string) => string>> = {
  threadgroup_position_in_grid: (name) => `const metal::uint3 ${name} = group_at(msl_first);`,
  thread_index_in_threadgroup: (name) => `const uint ${name} = threadIdx.x;`,
  simdgroup_index_in_threadgroup: (name) => `const uint ${name} = threadIdx.x / 32u;`,
  thread_index_in_simdgroup: (name) => `const uint ${name} = threadIdx.x % 32u;`,
};

/** Errors: a parameter of a kernel that is none of those that the compiler prints; what translate-extern.ts refuses. */
export function translateToCuda(metal: string, kernels: readonly PlanKernel[] = []): string {
  const written = externKernels(kernels);
  const start = /^#line 1 "/m.exec(metal)?.index ?? metal.length;
  const own = translateOwn(metal.slice(0, start));
  return written.length === 0 ? own : `${own}${translateExtern(metal.slice(start), written)}`;
}

function translateOwn(metal: string): string {
  return metal
    .replace('#include <metal_stdlib>', '#include "msl.cuh"')
    .replaceAll('#pragma clang loop unroll(full)', '#pragma unroll')
    .replaceAll(kernelHead, (_, threads: string, name: string, list: string) =>
      signature(threads, name, list.split(',\n')),
    );
}

function signature(threads: string, name: string, lines: readonly string[]): string {
  const parameters: string[] = [];
  const indices: string[] = [];
  for (const line of lines) {
    const kind = /\[\[(\w+)(?:\(\d+\))?\]\]/.exec(line)?.[1] ?? '';
    if (kind === 'buffer') parameters.push(parameter(line));
    else {
      const index = builtIns[kind];
      if (index === undefined) throw notUnderstood(line);
      indices.push(`  ${index(line.replaceAll(attribute, '').split(/\s+/).at(-1)!)}\n`);
    }
  }
  // CUDA's grids are small along y and z: larger ones are launched in parts, of which this is the first threadgroup
  parameters.push('const metal::uint3 msl_first');
  const head = `extern "C" __global__ void __launch_bounds__(${threads}) ${name}`;
  return `${head}(${parameters.join(', ')}) {\n${indices.join('')}`;
}

/** A bound argument: pointers as they are (the plan does not alias what a kernel writes), structs by value. */
function parameter(line: string): string {
  const declaration = line.replaceAll(attribute, '').trim();
  const struct = /^constant (\w+)& (\w+)$/.exec(declaration);
  if (struct !== null) return `const ${struct[1]} ${struct[2]}`;
  const pointer = /^(const )?device (\w+)\* (\w+)$/.exec(declaration);
  if (pointer === null) throw notUnderstood(line);
  return `${pointer[1] ?? ''}${pointer[2]}* __restrict__ ${pointer[3]}`;
}

function notUnderstood(line: string): Error {
  return new Error(`a parameter that is not understood: ${line.trim()}`);
}
