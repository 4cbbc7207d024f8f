import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Buffer, Kernel, KernelScalar } from '../compiler/kernel-ir/program.ts';
import type { Plan } from '../compiler/plan/plan.ts';
import { dimVariable, indexVariable, int, multiply, zero } from '../compiler/symbolic/integer.ts';
import { printC } from '../compiler/to-c/print.ts';
import { cpuDevice, load, type Module, type Tensor, tensor } from './index.ts';

const N = dimVariable('N');

function helpers(name: string): string {
  return readFileSync(new URL(`../compiler/to-c/helpers/${name}`, import.meta.url), 'utf8');
}

/** y = exp(x) * 2 over N elements. */
function mapKernel(): Kernel {
  const x: Buffer = { name: 'x', dtype: 'f32', space: 'device', size: N };
  const y: Buffer = { name: 'y', dtype: 'f32', space: 'device', size: N };
  const i = indexVariable('i', N);
  const load: KernelScalar = { kind: 'load', dtype: 'f32', buffer: { buffer: x }, index: i };
  const two: KernelScalar = { kind: 'constant', dtype: 'f32', value: 2 };
  const exp: KernelScalar = { kind: 'call', dtype: 'f32', name: 'exp', args: [load] };
  const value: KernelScalar = { kind: 'call', dtype: 'f32', name: 'mul', args: [exp, two] };
  return {
    name: 'twice_exp',
    parameters: [
      { buffer: x, access: 'read', isSegmented: false },
      { buffer: y, access: 'write', isSegmented: false },
    ],
    integers: [{ name: 'N', value: N }],
    grid: [int(1)],
    body: [
      {
        kind: 'loop',
        variable: 'i',
        extent: N,
        placement: 'vector',
        body: [{ kind: 'store', buffer: y, index: i, value }],
      },
    ],
    about: {
      summary: 'twice_exp: line 1',
      bytes: multiply(int(8), N),
      flops: zero,
      schedule: 'map',
    },
  };
}

const plan: Plan = {
  version: 1,
  target: 'cpu',
  kernels: [
    {
      name: 'twice_exp',
      bindings: [
        { name: 'x', dtype: 'f32', access: 'read' },
        { name: 'y', dtype: 'f32', access: 'write' },
      ],
      integers: ['N'],
      scratchBytes: '0',
      threads: 0,
      bindingTable: false,
      schedule: 'map',
      summary: 'twice_exp',
    },
  ],
  functions: [
    {
      name: 'twice_exp',
      doc: '',
      parameters: [{ name: 'x', tree: { kind: 'leaf', leaf: { dtype: 'f32', shape: ['N'] } } }],
      result: { kind: 'leaf', leaf: { dtype: 'f32', shape: ['N'] } },
      dims: ['N'],
      guards: [],
      buffers: [
        { kind: 'parameter', name: 'x', dtype: 'f32', size: 'N' },
        { kind: 'result', name: 'y', dtype: 'f32', size: 'N', mayReuse: 0 },
      ],
      steps: [
        {
          kind: 'dispatch',
          kernel: 0,
          buffers: [0, 1],
          integers: ['N'],
          grid: ['1'],
          bytes: '8*N',
          flops: '8*N',
        },
      ],
    },
  ],
};

const cache = mkdtempSync(join(tmpdir(), 'mlxc-test-'));
afterAll(() => rmSync(cache, { recursive: true }));

describe('one map kernel', () => {
  let module: Module;
  beforeAll(async () => {
    const bundle = { plan, kernels: printC([mapKernel()], helpers), constants: new Map() };
    module = await load(bundle, { device: cpuDevice({ cacheFolder: cache }) });
  });

  test('runs over typed arrays, tensors and nested arrays', () => {
    const { twice_exp: run } = module.functions;
    const expected = [0, 1, 2].map((x) => 2 * Math.exp(x));
    for (const x of [Float32Array.of(0, 1, 2), tensor([0, 1, 2]), [0, 1, 2]]) {
      const y = run!(x) as Tensor;
      expect(y.shape).toEqual([3]);
      for (const [i, value] of expected.entries()) expect(y.data[i]).toBeCloseTo(value, 5);
    }
  });

  test('is called in a few microseconds', () => {
    const run = module.function('twice_exp');
    const x = tensor([0, 1, 2, 3]);
    for (let i = 0; i < 20_000; i++) run(x);
    const start = performance.now();
    for (let i = 0; i < 20_000; i++) run(x);
    const microseconds = ((performance.now() - start) * 1000) / 20_000;
    console.log('us per call', microseconds);
    expect(microseconds).toBeLessThan(50);
  });
});
