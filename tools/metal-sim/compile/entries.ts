/** The generated end of a translated library: for each kernel a function that reads its arguments, and tables about them. */
import type { TranslatedKernel, TranslatedParameter } from './translate.ts';

/** Inputs that are scalars, by the field of `metal_sim_thread` that holds them. */
const scalarInputs: ReadonlyMap<string, string> = new Map([
  ['thread_index_in_threadgroup', 'index_in_threadgroup'],
  ['thread_index_in_simdgroup', 'index_in_simdgroup'],
  ['simdgroup_index_in_threadgroup', 'simdgroup_index'],
  ['simdgroups_per_threadgroup', 'simdgroup_count'],
  ['dispatch_simdgroups_per_threadgroup', 'dispatched_simdgroup_count'],
]);

/** Inputs that are positions or sizes. */
const vectorInputs: ReadonlyMap<string, string> = new Map([
  ['thread_position_in_grid', 'position_in_grid'],
  ['threads_per_grid', 'grid_size'],
  ['grid_size', 'grid_size'],
  ['thread_position_in_threadgroup', 'position_in_threadgroup'],
  ['threads_per_threadgroup', 'threadgroup_size'],
  ['dispatch_threads_per_threadgroup', 'dispatched_threadgroup_size'],
  ['threadgroup_position_in_grid', 'threadgroup_position'],
  ['threadgroups_per_grid', 'threadgroup_count'],
]);

/** Inputs known without asking the thread. */
const fixedInputs: ReadonlyMap<string, string> = new Map([
  ['threads_per_simdgroup', '32u'],
  ['thread_execution_width', '32u'],
  ['quadgroups_per_threadgroup', '(metal_sim_a->thread->simdgroup_count * 8u)'],
  ['thread_index_in_quadgroup', '(metal_sim_a->thread->index_in_threadgroup % 4u)'],
  ['quadgroup_index_in_threadgroup', '(metal_sim_a->thread->index_in_threadgroup / 4u)'],
]);

export function isInput(name: string): boolean {
  return (
    scalarInputs.has(name) ||
    vectorInputs.has(name) ||
    fixedInputs.has(name) ||
    name === 'grid_origin'
  );
}

function argument({ kind, builtin, index }: TranslatedParameter, i: number): string {
  const type = `metal_sim_P::at<${i}>::type`;
  switch (kind) {
    case 'device':
    case 'constant':
      return `metal_sim::argument<${type}>::of(metal_sim_a->buffers[${index}])`;
    case 'threadgroup':
      return `metal_sim::argument<${type}>::of(metal_sim_a->threadgroup[${index}])`;
    case 'builtin': {
      const vector = vectorInputs.get(builtin ?? '');
      if (vector !== undefined)
        return `metal_sim::input<${type}>::of(metal_sim_a->thread->${vector})`;
      if (builtin === 'grid_origin') return `metal_sim::input<${type}>::zero()`;
      const scalar = scalarInputs.get(builtin ?? '');
      const value =
        scalar === undefined ? fixedInputs.get(builtin ?? '') : `metal_sim_a->thread->${scalar}`;
      return `(${type})(${value ?? '0u'})`;
    }
  }
}

/** Places and sizes of the members of an argument buffer. */
function memberNumbers({ members }: TranslatedParameter): readonly string[] {
  return (members?.members ?? []).flatMap(({ name }) => [
    `__builtin_offsetof(${members!.struct}, ${name})`,
    `sizeof(((${members!.struct}*)0)->${name})`,
  ]);
}

/** The end of the translated source. */
export function entryText(kernels: readonly TranslatedKernel[]): string {
  const lines = [
    '#line 1 "metal-sim-entries"',
    '#pragma OPENCL EXTENSION __cl_clang_function_pointers : enable',
  ];
  for (const [k, kernel] of kernels.entries()) {
    const { expression, type, parameters } = kernel;
    const args = parameters.map(argument).join(',\n    ');
    const table = (
      name: string,
      element: string,
      of: (p: TranslatedParameter, i: number) => string,
    ): string =>
      `extern "C" __global const ${element} metal_sim_${name}_${k}[] = {${[...parameters.map(of), '0'].join(', ')}};`;
    const isBuffer = (p: TranslatedParameter): boolean => p.kind !== 'builtin';
    lines.push(
      `typedef metal_sim::parameters<${type}> metal_sim_types_${k};`,
      `extern "C" __attribute__((no_sanitize("kernel-address"))) void metal_sim_run_${k}(const metal_sim_arguments* metal_sim_a) {`,
      `  typedef metal_sim_types_${k} metal_sim_P;`,
      `  ${expression}(\n    ${args});`,
      '}',
      table('sizes', 'ulong', (p, i) =>
        isBuffer(p) ? `metal_sim::argument<metal_sim_types_${k}::at<${i}>::type>::size` : '0',
      ),
      table('references', 'uint', (p, i) =>
        isBuffer(p)
          ? `metal_sim::argument<metal_sim_types_${k}::at<${i}>::type>::is_reference`
          : '0',
      ),
      table('writable', 'uint', (p, i) =>
        isBuffer(p)
          ? `metal_sim::argument<metal_sim_types_${k}::at<${i}>::type>::is_writable`
          : '0',
      ),
      table('absent', 'uint', ({ guard }) => (guard === undefined ? '0' : `!(${guard})`)),
      // as the type that the kernel has, for there may be others of its name
      `extern "C" void* metal_sim_body_${k}() { return (void*)(metal_sim::pointer<${type}>)(${expression}); }`,
      ...parameters.map(
        (p, i) =>
          `extern "C" __global const ulong metal_sim_members_${k}_${i}[] = {${[...memberNumbers(p), '0'].join(', ')}};`,
      ),
    );
  }
  return `${lines.join('\n')}\n`;
}

const kinds: Readonly<Record<TranslatedParameter['kind'], string>> = {
  device: 'metal_sim_device_buffer',
  constant: 'metal_sim_constant_buffer',
  threadgroup: 'metal_sim_threadgroup_buffer',
  builtin: 'metal_sim_builtin',
};

/** A second file, in C, since strings have no address that a table of C++ for OpenCL could hold. */
export function tableText(kernels: readonly TranslatedKernel[]): string {
  const lines = ['#include "metal_sim_abi.h"'];
  lines.push(
    'extern const struct metal_sim_declared __start_metal_sim_declared[] __attribute__((weak, visibility("hidden")));',
    'extern const struct metal_sim_declared __stop_metal_sim_declared[] __attribute__((weak, visibility("hidden")));',
  );
  for (const [k, { parameters }] of kernels.entries()) {
    lines.push(
      `void metal_sim_run_${k}(const struct metal_sim_arguments *);`,
      `void *metal_sim_body_${k}(void);`,
      ...parameters.flatMap(({ members }, i) =>
        members === undefined
          ? []
          : [
              `extern const unsigned long metal_sim_members_${k}_${i}[];`,
              `static struct metal_sim_member members_${k}_${i}[] = {${members.members
                .map((m) => `{${m.index}, ${Number(m.isPointer)}, 0, 0, 1}`)
                .join(', ')}};`,
            ],
      ),
      `extern const unsigned long metal_sim_sizes_${k}[];`,
      `extern const unsigned metal_sim_references_${k}[], metal_sim_writable_${k}[], metal_sim_absent_${k}[];`,
      `static struct metal_sim_parameter parameters_${k}[] = {${[
        ...parameters.map(
          (p, i) =>
            `{${JSON.stringify(p.name)}, ${kinds[p.kind]}, ${p.index}, 0, 0, 0, 0, ${
              p.members === undefined ? '0, 0' : `members_${k}_${i}, ${p.members.members.length}`
            }}`,
        ),
        '{0}',
      ].join(', ')}};`,
    );
  }
  lines.push('static struct metal_sim_kernel kernels[] = {');
  for (const [k, kernel] of kernels.entries()) {
    const { hostName, parameters, maxThreads, hasBarriers } = kernel;
    lines.push(
      `  {${JSON.stringify(hostName)}, metal_sim_run_${k}, parameters_${k}, ${parameters.length}, ${maxThreads}, ${Number(hasBarriers)}, 0},`,
    );
  }
  lines.push(
    '  {0}};',
    'extern const struct metal_sim_library metal_sim_library;',
    '__attribute__((constructor)) static void fill(void) {',
    '  metal_sim_loaded(&metal_sim_library);',
    ...kernels.flatMap((kernel, k) =>
      kernel.parameters.length === 0
        ? []
        : [
            `  for (int i = 0; i < ${kernel.parameters.length}; i++) {`,
            `    parameters_${k}[i].size = metal_sim_sizes_${k}[i];`,
            `    parameters_${k}[i].is_reference = metal_sim_references_${k}[i];`,
            `    parameters_${k}[i].is_writable = metal_sim_writable_${k}[i];`,
            `    parameters_${k}[i].is_absent = metal_sim_absent_${k}[i];`,
            '  }',
          ],
    ),
    ...kernels.flatMap(({ parameters }, k) => [
      `  kernels[${k}].static_local = metal_sim_static_local(__start_metal_sim_declared, __stop_metal_sim_declared, metal_sim_run_${k}, metal_sim_body_${k}());`,
      ...parameters.flatMap(({ members }, i) =>
        members === undefined
          ? []
          : [
              `  for (int i = 0; i < ${members.members.length}; i++) {`,
              `    struct metal_sim_member *member = &members_${k}_${i}[i];`,
              `    member->offset = metal_sim_members_${k}_${i}[2 * i];`,
              `    member->size = metal_sim_members_${k}_${i}[2 * i + 1];`,
              '    if (member->is_pointer) member->count = (unsigned)(member->size / sizeof(void *));',
              '  }',
            ],
      ),
    ]),
    '}',
    `__attribute__((visibility("default"))) const struct metal_sim_library metal_sim_library = {kernels, ${kernels.length}};`,
  );
  return `${lines.join('\n')}\n`;
}
