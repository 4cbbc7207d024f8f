/** Hand-written kernels and plans for the tests of the runtime. */
import type {
  Plan,
  PlanBuffer,
  PlanFunction,
  PlanKernel,
  PlanTree,
  Step,
} from '../../compiler/plan/plan.ts';
import type { DType } from '../../compiler/tensor-ir/dtype.ts';

/** out[i] = a[i] + b[i % M] over N elements, 16 a task; less[0] = x[0] < limit; all in plain C. */
export const kernelSource = `
#include <stdint.h>
// kernel add
void mlxc_add(void *const *buffers, const int64_t *integers, void *scratch, int64_t begin, int64_t end) {
  const float *a = buffers[0], *b = buffers[1];
  float *out = buffers[2];
  const int64_t n = integers[0], m = integers[1];
  for (int64_t i = 16 * begin; i < 16 * end && i < n; i++) out[i] = a[i] + b[i % m];
}
// kernel less
void mlxc_less(void *const *buffers, const int64_t *integers, void *scratch, int64_t begin, int64_t end) {
  *(uint8_t *)buffers[1] = *(const float *)buffers[0] < (float)integers[0];
}
// kernel index
void mlxc_index(void *const *buffers, const int64_t *integers, void *scratch, int64_t begin, int64_t end) {
  *(float *)buffers[1] = (float)*(const int32_t *)buffers[0];
}
`;

type Access = PlanKernel['bindings'][number]['access'];

function kernel(
  name: string,
  bindings: readonly (readonly [DType, Access])[],
  integers: readonly string[],
): PlanKernel {
  return {
    name,
    bindings: bindings.map(([dtype, access], i) => ({ name: `b${i}`, dtype, access })),
    integers,
    scratchBytes: '0',
    threads: 0,
    bindingTable: false,
    schedule: 'map',
    summary: name,
  };
}

export const kernels: readonly PlanKernel[] = [
  kernel(
    'add',
    [
      ['f32', 'read'],
      ['f32', 'read'],
      ['f32', 'write'],
    ],
    ['N', 'M'],
  ),
  kernel(
    'less',
    [
      ['f32', 'read'],
      ['bool', 'write'],
    ],
    ['limit'],
  ),
  kernel(
    'index',
    [
      ['i32', 'read'],
      ['f32', 'write'],
    ],
    [],
  ),
];

/** buffers[2] = buffers[0] + buffers[1], N and M elements. */
export function addStep(buffers: readonly number[], n: string, m: string): Step {
  return {
    kind: 'dispatch',
    kernel: 0,
    buffers,
    integers: [n, m],
    grid: [`floordiv(${n} + 15, 16)`],
    bytes: `12*${n}`,
    flops: n,
  };
}

export function lessStep(value: number, result: number, limit: number): Step {
  return {
    kind: 'dispatch',
    kernel: 1,
    buffers: [value, result],
    integers: [`${limit}`],
    grid: ['1'],
    bytes: '5',
    flops: '1',
  };
}

export function indexStep(index: number, result: number): Step {
  return {
    kind: 'dispatch',
    kernel: 2,
    buffers: [index, result],
    integers: [],
    grid: ['1'],
    bytes: '8',
    flops: '1',
  };
}

export function leafTree(dtype: DType, ...shape: string[]): PlanTree {
  return { kind: 'leaf', leaf: { dtype, shape } };
}

export function buffer(
  kind: PlanBuffer['kind'],
  dtype: DType,
  size: string,
  more: Partial<PlanBuffer> = {},
): PlanBuffer {
  return { kind, name: 'b', dtype, size, ...more };
}

export function planOf(...functions: readonly PlanFunction[]): Plan {
  return { version: 1, target: 'cpu', kernels, functions };
}

/** y = x + w with x f32[N] and w a struct's f32[M]. */
export const addFunction: PlanFunction = {
  name: 'add',
  doc: '',
  parameters: [
    { name: 'x', tree: leafTree('f32', 'B', '2*N') },
    {
      name: 'm',
      tree: { kind: 'struct', name: 'Bias', fields: [{ name: 'w', tree: leafTree('f32', '2*N') }] },
    },
  ],
  result: leafTree('f32', 'B', '2*N'),
  dims: ['B', 'N'],
  guards: [{ relation: 'at-least', left: 'N', right: '2', message: 'needs at least two pairs' }],
  buffers: [
    buffer('parameter', 'f32', '2*B*N'),
    buffer('parameter', 'f32', '2*N'),
    buffer('result', 'f32', '2*B*N', { mayReuse: 0 }),
  ],
  steps: [addStep([0, 1, 2], '2*B*N', '2*N')],
};
