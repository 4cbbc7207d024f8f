/** `extern` functions on Metal (the simulator elsewhere than on macOS, all checks on), held against their bodies. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { interpreterDevice } from '../../compiler/driver/interpreter.ts';
import { type KernelLibrary, libraryKey } from '../../compiler/driver/kernel-libraries.ts';
import { compileOrThrow } from '../../index.ts';
import { load, type Result, type Tensor, tensor } from '../../runtime/index.ts';
import type { MetalDevice } from '../../runtime/metal-device.ts';
import { Both, leavesOf, numbers, strictMetal } from '../support/metal-device.ts';

let device: MetalDevice;

beforeAll(() => {
  device = strictMetal();
});

const random = (shape: readonly number[], seed = 1): Tensor =>
  tensor(
    numbers(
      shape.reduce((a, b) => a * b, 1),
      seed,
    ),
    shape,
  );
const sample = { path: new URL('../../samples/extern/model.mlx', import.meta.url).pathname };

describe('the sample', () => {
  // sizes that divide by the threadgroups, that do not, and none
  test.each([
    [8, 128],
    [5, 70],
    [1, 1],
    [3, 1000],
    [0, 4],
    [4, 0],
  ])('normalizes f32[%i, %i]', async (m, n) => {
    const both = await Both.of(sample, device);
    both.call('normalize', [random([m, n])], { tolerance: 1e-6 });
  });

  test('differentiates through the kernel', async () => {
    const both = await Both.of(sample, device);
    both.call('energy', [random([6, 33]), random([6], 2)], { tolerance: 1e-5 });
  });

  test('runs the kernels that somebody wrote', async () => {
    const module = await load(compileOrThrow(sample, { targets: ['metal'] }), { device });
    const timings = await device.profile(() => {
      leavesOf(module.function('normalize')(random([4, 8])))[0]!.data;
    });
    const names = timings.map((timing) => timing.kernel);
    expect(names).toContain('row_lengths');
    expect(names).toContain('rows::scale');
  });
});

test('trees of several types, several results, constants, loops and an entry of its own', async () => {
  const split = `#include <metal_stdlib>
struct Dims { int N; };
[[kernel, max_total_threads_per_threadgroup(32)]]
void split(device const half* w [[buffer(0)]], device const bool* keep [[buffer(1)]], device const int* k [[buffer(2)]],
           device half* low [[buffer(3)]], device bool* isLow [[buffer(4)]], constant Dims& dims [[buffer(5)]],
           uint i [[thread_position_in_grid]]) {
  const bool below = w[i] < half(k[0]);
  low[i] = keep[i] && below ? w[i] : half(dims.N);
  isLow[i] = below;
}`;
  const halve = 'kernel void halve(device const float* x, device float* y) { y[0] = x[0] / 2; }';
  const text = `struct Weights<N> { w: f16[N], keep: bool[N] }
export extern fn split(m: Weights<N>, k: i32) -> (f16[N], bool[N])
  metal ${JSON.stringify(split)} grid(N) threads(32) {
  (where(m.keep & (m.w < f16(k)), m.w, f16(N)), m.w < f16(k))
}
extern fn halve(x: f32) -> f32 metal ${JSON.stringify(halve)} grid(1) threads(1) { x / 2 }
export fn constant(m: Weights<4>) -> (f16[4], bool[4]) { split(m, 0) }
export fn halves(x: f32, n: i32) -> f32 {
  var y = x;
  var i = 0;
  while i < n { y = halve(y); i += 1; }
  y
}`;
  const both = await Both.of(text, device);
  const keep = tensor(Uint8Array.from([1, 1, 0, 1]), [4], 'bool');
  const w = tensor([1, -2, -3, 0.5], [4], 'f16');
  both.call('split', [{ w, keep }, tensor(1, [], 'i32')]);
  both.call('constant', [{ w, keep }]);
  both.call('halves', [tensor(40), tensor(3, [], 'i32')]);
});

test('a kernel that is wrong shows beside its body, and the simulator names it', async () => {
  const text = `extern fn double(x: f32[N]) -> f32[N]
  metal "#include <metal_stdlib>\\nkernel void double_it(const device float* x, device float* y, uint i [[thread_position_in_grid]]) { y[i + 1] = 2 * x[i]; }" kernel "double_it" grid(N) threads(32) {
  2 * x
}
export fn f(x: f32[N]) -> f32[N] { double(x) }`;
  const both = await Both.of(text, device);
  expect(() => both.call('f', [random([64])])).toThrow(/double_it/);
});

describe('a kernel of a user that is wrong', () => {
  const signature =
    'kernel void own(const device float* x, device float* y, uint i [[thread_position_in_grid]])';
  const calling = (declaration: string): string =>
    `extern fn own(x: f32[N]) -> f32[N] metal ${declaration} kernel "own" grid(N) threads(32) { 2 * x }
export fn f(x: f32[N]) -> f32[N] { own(x) }`;
  const inline = (...body: readonly string[]): string =>
    calling(JSON.stringify(['#include <metal_stdlib>', `${signature} {`, ...body, '}'].join('\n')));

  test('in the program: the error names program, function, line and column of the text', async () => {
    const source = {
      name: '/programs/model.mlx',
      text: inline('float z = x[i];', '  y[i] = lost;'),
    };
    const bundle = compileOrThrow(source, { targets: ['metal'] });
    await expect(load(bundle, { device })).rejects.toThrow(
      /^MLX5123: Metal refuses the kernels: model\.mlx#own:4:10: error: .*'lost'/,
    );
  });

  test('in a file: the error names the file and its line', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mlxc-extern-'));
    try {
      writeFileSync(
        join(folder, 'own.metal'),
        `#include <metal_stdlib>\n\n${signature} {\n  y[i] = lost;\n}\n`,
      );
      const path = join(folder, 'model.mlx');
      writeFileSync(path, calling('"./own.metal"'));
      const bundle = compileOrThrow({ path }, { targets: ['metal'] });
      await expect(load(bundle, { device })).rejects.toThrow(
        /^MLX5123: Metal refuses the kernels: own\.metal:4:10: error: .*'lost'/,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test.each([
    ['a page fault', '  y[i] = x[i + 1000000000u];', /own, line 3: .*(reads|outside)/],
    ['a loop without end', '  while (true) y[i] = y[i] + x[i];', /timeout: kernel own, line 3: /],
  ])(
    '%s is the error of its run, and the device goes on',
    async (_, body, message) => {
      const module = await load(compileOrThrow(inline(body), { targets: ['metal'] }), { device });
      const failed = leavesOf(module.function('f')(random([32])))[0]!;
      await expect(failed.ready()).rejects.toThrow(/^MLX5124: a run failed on the GPU: f: /);
      expect(() => failed.data).toThrow(message);
      const next = await Both.of(sample, device);
      next.call('normalize', [random([4, 8])], { tolerance: 1e-6 });
    },
    60_000,
  );
});

/** A kernel as metal-shaderconverter makes them: it finds its buffers in the table at index 2. */
const converted = `MTLB metal-sim
#include <metal_stdlib>
using namespace metal;
struct Entry { ulong address; ulong view; ulong metadata; };
struct Dims { int M; int N; };
kernel void shifted(constant Entry* table [[buffer(2)]], uint2 at [[thread_position_in_grid]]) {
  device float* y = reinterpret_cast<device float*>(table[0].address);
  const device float* x = reinterpret_cast<const device float*>(table[1].address);
  const device float* by = reinterpret_cast<const device float*>(table[3].address);
  const device Dims* dims = reinterpret_cast<const device Dims*>(table[2].address);
  if (uint(table[1].metadata) != uint(dims->M * dims->N) * 4) return;
  const uint i = at.y * dims->N + at.x;
  y[i] = x[i] + by[at.y];
}
`;
const shifting = (path: string): string => `extern fn shifted(x: f32[M, N], by: f32[M]) -> f32[M, N]
  dxil "${path}" kernel "shifted" grid(N, M) threads(16, 4) { x + by[:, newaxis] }
export fn f(x: f32[M, N], by: f32[M]) -> f32[M, N] { shifted(x * 2, by) }`;

test.runIf(process.platform !== 'darwin')(
  'an argument buffer holds what the reflection says',
  async () => {
    // any file stands for the DXIL: its library is given
    const path = new URL('../../package.json', import.meta.url).pathname;
    const source = {
      name: new URL('model.mlx', import.meta.url).pathname,
      text: shifting(`.${'/..'.repeat(2)}/package.json`),
    };
    const library: KernelLibrary = {
      file: 'extern-1-shifted.metallib',
      bytes: new TextEncoder().encode(converted),
      entry: 'shifted',
      size: 96,
      resources: [
        { offset: 0, register: 'u', slot: 0 },
        { offset: 24, register: 't', slot: 0 },
        { offset: 48, register: 'b', slot: 0 },
        { offset: 72, register: 't', slot: 1 },
      ],
    };
    const libraries = new Map([[libraryKey({ source: path, entry: 'shifted' }), library]]);
    const bundle = compileOrThrow(source, { targets: ['metal'], libraries });
    expect(bundle.libraries.size).toBe(1);
    const [metal, body] = await Promise.all([
      load(bundle, { device }),
      load(bundle, { device: interpreterDevice(bundle.program) }),
    ]);
    for (const [m, n] of [
      [5, 33],
      [4, 16],
      [1, 1],
    ] as const) {
      const args = [random([m, n]), random([m], 2)];
      const data = (result: Result): number[] => [...(leavesOf(result)[0]!.data as Float32Array)];
      expect(data(metal.function('f')(...args))).toEqual(data(body.function('f')(...args)));
    }
    const lost = { ...bundle, libraries: new Map() };
    await expect(load(lost, { device })).rejects.toThrow(/MLX5102.*extern-1-shifted/);
  },
);

test('the sample has the kernels that its file shows', () => {
  const { metal } = compileOrThrow(sample, { targets: ['metal'] });
  const own = readFileSync(new URL('../../samples/extern/rows.metal', import.meta.url), 'utf8');
  // once, and last
  expect(metal.endsWith(`#line 1 "rows.metal"\n${own}`)).toBe(true);
  expect(metal.split('void row_lengths(').length).toBe(2);
});
