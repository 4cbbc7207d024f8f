/**
 * What run.py is handed: plans with numbers for sizes, and CUDA text. Without a GPU the text is compiled as C++ over host/, where a
 * thread of the system stands for each of CUDA's, and the steps of the plan are run.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import type { DType } from '../../compiler/tensor-ir/dtype.ts';
import { type InputSpec, makeInput } from './inputs.ts';
import { exportSingle } from './single.ts';
import { translateToCuda } from './translate.ts';
import { translateExtern } from './translate-extern.ts';

interface ExportedPlan {
  readonly kernels: readonly { readonly name: string; readonly threads: number }[];
  readonly buffers: readonly {
    readonly kind: string;
    readonly dtype: DType;
    readonly size: number;
  }[];
  readonly steps: readonly {
    readonly kind: string;
    readonly kernel: number;
    readonly buffers: readonly number[];
    readonly integers: readonly number[];
    readonly grid: readonly number[];
    readonly bytes: number;
  }[];
  readonly inputs: readonly (InputSpec & {
    readonly shape: readonly number[];
    readonly offset?: number;
  })[];
}

const here = fileURLToPath(new URL('.', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'gpu-check-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

async function exported(name: string, dims: readonly string[], inputs: readonly string[] = []) {
  const folder = join(scratch, name);
  const path = join(here, `../../test/golden/kernels/${name}.mlx`);
  await exportSingle({ path, function: name, inputs, dims }, folder);
  const plan = JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8')) as ExportedPlan;
  return { folder, plan };
}

/** A program that runs the steps on buffers f32, read from stdin and written to stdout one after another. */
function hostProgram({ kernels, buffers, steps }: ExportedPlan): string {
  const calls = steps.map(({ kernel, buffers: bound, integers, grid }) => {
    const { name, threads } = kernels[kernel]!;
    const [x = 1, y = 1, ...rest] = [...grid].reverse();
    const z = rest.reduce((a, b) => a * b, 1);
    const args = bound.map((i) => `Any{b${i}.data()}`);
    if (integers.length > 0) args.push(`{${integers.join(', ')}}`);
    args.push('uint3{0, 0, 0}');
    return `  launch({${x}, ${y}, ${z}}, ${threads}, [&] { ${name}(${args.join(', ')}); });`;
  });
  return `#include "kernels.cu"
#include <cstdio>
struct Any { void* at; template <typename T> operator T*() const { return (T*)at; } };
int main() {
${buffers.map(({ size }, i) => `  std::vector<float> b${i}(${size}); fread(b${i}.data(), 4, ${size}, stdin);`).join('\n')}
${calls.join('\n')}
${buffers.map(({ size }, i) => `  fwrite(b${i}.data(), 4, ${size}, stdout);`).join('\n')}
}
`;
}

/** The results, in their order, that the CUDA text computes on this machine. */
function runOnHost(folder: string, plan: ExportedPlan): readonly number[] {
  const [source, program] = [join(folder, 'main.cc'), join(folder, 'main')];
  writeFileSync(source, hostProgram(plan));
  execFileSync('clang++-19', [
    ...['-std=c++20', '-O1', '-w', '-pthread', '-ffp-contract=off'],
    ...[`-I${join(here, 'host')}`, `-I${here}`, '-o', program, source],
  ]);
  const given = plan.inputs.map((spec) => makeInput(spec, spec.shape) as Float32Array);
  const parameters = plan.buffers.filter((b) => b.kind === 'parameter').length;
  expect(parameters).toBe(given.length);
  const memory = plan.buffers.map((b, i) => given[i] ?? new Float32Array(b.size).fill(Number.NaN));
  const input = Buffer.concat(memory.map((m) => Buffer.from(m.buffer)));
  const output = new Uint8Array(execFileSync(program, { input, maxBuffer: 1 << 26 }));
  const all = new Float32Array(output.buffer);
  let start = 0;
  return plan.buffers.flatMap(({ kind, size }) => {
    start += size;
    return kind === 'result' ? [...all.subarray(start - size, start)] : [];
  });
}

function expectedOf(folder: string): readonly number[] {
  const bytes = new Uint8Array(readFileSync(join(folder, 'expected.bin')));
  return [...new Float64Array(bytes.buffer)];
}

test.each([
  ['softmax', ['M=5', 'N=70']],
  ['layer_norm_backward', ['M=9', 'N=40']],
  ['linear_gelu', ['M=20', 'K=11', 'N=18']],
  ['mse', ['N=3000']],
])(
  'the CUDA text of %s gives what the interpreter gives',
  async (name, dims) => {
    const { folder, plan } = await exported(name, dims);
    const expected = expectedOf(folder);
    const results = runOnHost(folder, plan);
    expect(results.length).toBe(expected.length);
    results.forEach((value, i) => {
      expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-4 * (1 + Math.abs(expected[i]!)));
    });
  },
  120_000,
);

test('sizes are numbers, and inputs that are given travel', async () => {
  const { folder, plan } = await exported('softmax', [], ['x=[[1, 2, 3], [1, 1, 1]]']);
  expect(plan.inputs).toMatchObject([{ shape: [2, 3], offset: 0 }]);
  expect(plan.buffers.map((b) => b.size)).toEqual([6, 6]);
  expect(plan.steps).toMatchObject([{ grid: [1], integers: [2, 3], bytes: 48 }]);
  const given = new Uint8Array(readFileSync(join(folder, 'inputs.bin')));
  expect([...new Float32Array(given.buffer, 0, 6)]).toEqual([1, 2, 3, 1, 1, 1]);
  expect(expectedOf(folder).slice(3)).toEqual([1, 1, 1].map((x) => expect.closeTo(x / 3, 6)));
});

test('signatures of kernels become CUDA’s', () => {
  const metal = `#include <metal_stdlib>
[[kernel, max_total_threads_per_threadgroup(64)]] void f(
    const device float* x [[buffer(0)]],
    device half* y [[buffer(1)]],
    constant f_Params& params [[buffer(2)]],
    metal::uint3 group [[threadgroup_position_in_grid]],
    uint lane [[thread_index_in_simdgroup]]) {
  #pragma clang loop unroll(full)
}
`;
  expect(translateToCuda(metal)).toBe(`#include "msl.cuh"
extern "C" __global__ void __launch_bounds__(64) f(const float* __restrict__ x, half* __restrict__ y, const f_Params params, const metal::uint3 msl_first) {
  const metal::uint3 group = group_at(msl_first);
  const uint lane = threadIdx.x % 32u;
  #pragma unroll
}
`);
});

test('a parameter that the compiler does not print is refused', () => {
  const metal = `[[kernel, max_total_threads_per_threadgroup(64)]] void f(
    sampler s [[sampler(0)]]) {
`;
  expect(() => translateToCuda(metal)).toThrow('a parameter that is not understood: sampler s');
});

/** The CUDA text of a user's kernel `f` with one buffer and one integer, without the wrapper around it. */
function translated(metal: string, entry = 'f'): string {
  const kernel = { name: 'own', entry, buffers: 1, integers: 1, threads: 32 };
  return translateExtern(metal, [kernel]);
}

test('a kernel that somebody wrote gets one of CUDA around it', () => {
  const text = translated(
    `#include <metal_stdlib>
using namespace metal;
namespace rows {
kernel void f(device half4* x, constant int& n [[buffer(1)]], uint2 at [[thread_position_in_grid]]) {
  threadgroup float tile[8];
  threadgroup float* first = tile;
  x[at.x].xy = metal::min(x[at.x].zw, 1.0h) + first[n];
}
}`,
    'rows::f',
  );
  expect(text).toBe(
    `#include "msl-library.cuh"
namespace msl {


namespace rows {
 void f( half4* x, const int& n ,uint2 at ) {
  __shared__ float tile[8];
   float* first = tile;
  x[at.x].template place<0, 1>() = msl::min(x[at.x].template pick<2, 3>(), half(1.0f)) + first[n];
}
}
extern "C" __global__ void __launch_bounds__(32) own(void* b0, Integers<1> integers, Launch at) {
  rows::f(BoundPointer{b0}, BoundReference{(void*)&integers}, at.position());
}
}  // namespace msl
`.replace(',uint2 at', ', uint2 at'),
  );
});

test('instances of templates are found by the names that the host knows', () => {
  const text =
    translated(`template <typename T> kernel void scale(device T* x, constant int& n, uint i [[thread_index_in_simdgroup]]) {}
template [[host_name("f")]] [[kernel]] decltype(scale<half>) scale<half>;`);
  expect(text).toContain(
    'scale<half>(BoundPointer{b0}, BoundReference{(void*)&integers}, at.linear() % 32u);',
  );
  expect(text).not.toContain('decltype');
});

test.each([
  ['texture2d<float> t [[texture(0)]]', 'texture2d'],
  ['threadgroup float* t [[threadgroup(0)]]', 'the attribute `threadgroup`'],
  ['device float* x [[buffer(4)]]', 'f asks for buffer 4'],
])('a parameter without a counterpart is refused: %s', (parameter, problem) => {
  expect(() => translated(`kernel void f(${parameter}) {}`)).toThrow(problem);
});

test.each([
  ['constant bool b [[function_constant(0)]];', 'function_constant'],
  ['#include "own.h"', 'only Metal’s own headers'],
  ['#define MAKE(n) kernel void n() {}\nMAKE(g)', 'f is not found'],
])('text without a counterpart is refused: %s', (metal, problem) => {
  expect(() => translated(metal)).toThrow(problem);
});
