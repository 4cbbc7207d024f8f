/** What the Metal addon encodes for hand-written plans: barriers, command buffers, pipelines; and what it refuses. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { KernelRequest, MetalCounts, MetalLibrary } from '../../runtime/metal-native.ts';
import { metalAddon, strictMetal } from '../support/metal-device.ts';

const source = `#include <metal_stdlib>
using namespace metal;
constant int factor [[function_constant(0)]];
constant bool negates [[function_constant(1)]];
constant float offset [[function_constant(2)]];
kernel void twice(const device float* x [[buffer(0)]], device float* y [[buffer(1)]], uint i [[thread_position_in_grid]]) {
  y[i] = 2.0f * x[i];
}
kernel void change(const device float* x [[buffer(0)]], device float* y [[buffer(1)]], uint i [[thread_position_in_grid]]) {
  y[i] = (negates ? -1.0f : 1.0f) * factor * x[i] + offset;
}`;
const twice: KernelRequest = { name: 'twice', threads: 32, accesses: 'rw', usesTable: false };
const length = 32;
const bytes = 4 * length;

let library: MetalLibrary;
beforeAll(async () => {
  strictMetal();
  library = await metalAddon().openLibrary(source, '', [twice], true);
});

/** Buffers: a parameter, a result, then `temporaries` of the same size. */
function bufferTable(temporaries: number): Float64Array {
  const places = Array.from({ length: temporaries }, (_, i) => [3, i * bytes, bytes]).flat();
  return Float64Array.of(0, 0, bytes, 1, 0, bytes, ...places);
}

const dispatch = (from: number, to: number, kernel = 0): readonly number[] => [
  ...[1, kernel, 1, 1, 1],
  ...[2, from, to, 0],
];
const copy = (from: number, fromByte: number, to: number, toByte: number): readonly number[] => [
  ...[4, from, fromByte, 0, to, toByte, 0, 16],
];

function run(steps: readonly (readonly number[])[], of: MetalLibrary = library): Float32Array {
  const addon = metalAddon();
  const args = [bufferTable(4), Float64Array.from(steps.flat())] as const;
  const instance = addon.createInstance(of, 'plan', [], 4 * bytes, ...args);
  const x = new Float32Array(addon.allocate(bytes)).fill(3);
  const y = new Float32Array(addon.allocate(bytes)).fill(0);
  const pending = addon.submit(instance, [x], [y], [], []);
  expect(pending === undefined ? '' : addon.wait(pending)).toBe('');
  return y;
}

/** What `work` adds to the counts. */
function counted(work: () => void): MetalCounts {
  const before = metalAddon().counts();
  work();
  const after = metalAddon().counts();
  return {
    commandBuffers: after.commandBuffers - before.commandBuffers,
    commands: after.commands - before.commands,
    barriers: after.barriers - before.barriers,
  };
}

describe('barriers', () => {
  // 0 is the parameter, 1 the result, 2 to 5 are temporaries
  test.each([
    ['one dispatch', [dispatch(0, 1)], 0],
    ['dispatches that read the same', [dispatch(0, 1), dispatch(0, 2), dispatch(0, 3)], 0],
    ['a read after a write', [dispatch(0, 2), dispatch(2, 1)], 1],
    ['a write after a read', [dispatch(0, 2), dispatch(2, 3), dispatch(0, 2)], 2],
    ['a write after a write', [dispatch(0, 1), dispatch(0, 1)], 1],
    ['two that wait for the same', [dispatch(0, 2), dispatch(2, 1), dispatch(2, 3)], 1],
    ['a chain', [dispatch(0, 2), dispatch(2, 3), dispatch(3, 4), dispatch(4, 1)], 3],
    [
      'two chains side by side',
      [dispatch(0, 2), dispatch(0, 3), dispatch(2, 4), dispatch(3, 1)],
      1,
    ],
    ['copies to other parts of a buffer', [copy(0, 0, 1, 0), copy(0, 16, 1, 16)], 0],
    ['copies to the same part of a buffer', [copy(0, 0, 1, 0), copy(0, 16, 1, 8)], 1],
  ])('%s', (_, steps, barriers) => {
    for (const separate of [true, false]) {
      metalAddon().configure({ separate });
      expect(counted(() => run(steps))).toEqual({
        commandBuffers: 1,
        commands: steps.length,
        barriers,
      });
    }
    metalAddon().configure({ separate: true });
  });
});

describe('command buffers', () => {
  const chain = [dispatch(0, 2), dispatch(2, 3), dispatch(3, 4), dispatch(4, 5), dispatch(5, 1)];
  const otherwise = { mostOps: 50, mostBytes: 50 << 20 };

  test.each([
    [{ mostOps: 1 }, 5],
    [{ mostOps: 2 }, 3],
    [{ mostOps: 5 }, 1],
    // each dispatch touches 256 bytes
    [{ mostBytes: 256 }, 5],
    [{ mostBytes: 257 }, 3],
    [{ mostBytes: 1 << 20 }, 1],
  ])('%j', (options, commandBuffers) => {
    metalAddon().configure(options);
    try {
      const found = counted(() => expect([...run(chain)]).toEqual(Array(length).fill(96)));
      expect(found.commandBuffers).toBe(commandBuffers);
    } finally {
      metalAddon().configure(otherwise);
    }
  });
});

describe('function constants', () => {
  const change = (factor: number, negates: boolean, offset: number): KernelRequest => ({
    ...{ ...twice, name: 'change' },
    constants: [
      { index: 0, type: 'i32', value: factor },
      { index: 1, type: 'bool', value: negates },
      { index: 2, type: 'f32', value: offset },
    ],
  });

  test('give kernels of their own, equal ones share a pipeline', async () => {
    const requests = [change(2, false, 0.5), change(2, true, 0.5), change(2, false, 0.5), twice];
    const own = await metalAddon().openLibrary(source, '', requests, false);
    expect(metalAddon().pipelineCount(own)).toBe(3);
    const results = requests.map((_, kernel) => run([dispatch(0, 1, kernel)], own)[31]);
    expect(results).toEqual([6.5, -5.5, 6.5, 6]);
  });

  test('that are missing, or of no known type, are errors', async () => {
    const open = (request: object): Promise<MetalLibrary> =>
      Promise.resolve().then(() =>
        metalAddon().openLibrary(source, '', [request as KernelRequest], false),
      );
    await expect(open({ ...twice, name: 'change' })).rejects.toThrow(/change/);
    const strange = { ...change(1, true, 0), constants: [{ index: 0, type: 'f64', value: 1 }] };
    await expect(open(strange)).rejects.toThrow('a function constant of a type that is not known');
  });
});

describe('what does not fit is refused before memory is touched', () => {
  const instance =
    (steps: readonly number[], table = bufferTable(4), arena = 4 * bytes) =>
    () =>
      metalAddon().createInstance(library, 'plan', [], arena, table, Float64Array.from(steps));

  test.each([
    ['a kernel that is not there', dispatch(0, 1, 1)],
    ['a negative kernel', dispatch(0, 1, -1)],
    ['a buffer that is not there', dispatch(0, 6)],
    ['a negative buffer', dispatch(-2, 1)],
    ['too few buffers', [1, 0, 1, 1, 1, 1, 0, 0]],
    ['too many buffers', [1, 0, 1, 1, 1, 3, 0, 1, 2, 0]],
    ['a count beyond the end', [1, 0, 1, 1, 1, 2 ** 40, 0, 1, 0]],
    ['a negative grid', [1, 0, -1, 1, 1, 2, 0, 1, 0]],
    ['a grid beyond 32 bits', [1, 0, 2 ** 32, 1, 1, 2, 0, 1, 0]],
    ['a grid that is no number', [1, 0, Number.NaN, 1, 1, 2, 0, 1, 0]],
    ['a step that ends early', [1, 0, 1]],
    ['a step of no kind', [9]],
    ['a copy beyond its buffer', copy(0, bytes - 8, 1, 0)],
    ['a copy before its buffer', copy(0, 0, 1, -16)],
    ['a copy that grows out of its buffer', [2, 9, 0, -1, -1, 8, 4, 0, 0, 16, 1, 0, 16, 16]],
    [
      'a copy whose end is beyond any number',
      [2, 2 ** 52, 0, -1, -1, 8, 4, 0, 0, 2 ** 52, 1, 0, 0, 16],
    ],
    ['a loop that counts beyond its index', [2, 2 ** 50, 1, 2, -1, 0]],
    ['a loop whose body is not there', [2, 1, 0, -1, -1, 5]],
    ['a negative loop', [2, -1, 0, -1, -1, 0]],
    ['a branch on no buffer', [3, 77, 0, 0]],
  ])('%s', (_, steps) => {
    expect(instance(steps)).toThrow();
  });

  test.each([
    ['a temporary beyond the arena', Float64Array.of(0, 0, bytes, 1, 0, bytes, 3, 4 * bytes, 16)],
    ['a buffer of no kind', Float64Array.of(7, 0, bytes)],
    ['a constant that is not there', Float64Array.of(2, 0, bytes)],
    ['a buffer of negative size', Float64Array.of(0, 0, -4)],
    ['parameters out of order', Float64Array.of(0, 1, bytes)],
    ['half a buffer', Float64Array.of(0, 0)],
  ])('%s', (_, table) => {
    expect(instance([], table)).toThrow();
  });

  test('arguments of other sizes, and none', () => {
    const made = instance(dispatch(0, 1))();
    const memory = (size: number): Uint8Array => new Uint8Array(metalAddon().allocate(size));
    const submit = (...sizes: readonly (readonly number[])[]) => {
      const [parameters = [], results = []] = sizes.map((list) => list.map(memory));
      return () => metalAddon().submit(made, parameters, results, [], []);
    };
    expect(submit([bytes - 4], [bytes])).toThrow('wrong size');
    expect(submit([bytes], [bytes + 4])).toThrow('wrong size');
    expect(submit([bytes], [])).toThrow('wrong number');
  });

  test.each([
    ['no threads', { threads: 0 }],
    ['a threadgroup without threads', { threadgroup: [32, 0, 1] }],
    ['a threadgroup beyond the pipeline', { threadgroup: [1024, 1024, 1] }],
    ['more buffers than bindings', { accesses: 'r'.repeat(31) }],
    [
      'a table with an entry outside',
      { arguments: { index: 2, size: 24, entries: [{ offset: 8 }] } },
    ],
    [
      'a table of a buffer that is not there',
      { arguments: { index: 2, size: 24, entries: [{ offset: 0, binding: 2 }] } },
    ],
    ['a table at no binding', { arguments: { index: 31, size: 24, entries: [{ offset: 0 }] } }],
    [
      'a table that is too large',
      { arguments: { index: 2, size: 2 ** 30, entries: [{ offset: 0 }] } },
    ],
    ['a library that is not there', { library: '/no/such.metallib' }],
  ])('a request with %s', async (_, change) => {
    const opened = Promise.resolve().then(() =>
      metalAddon().openLibrary(source, '', [{ ...twice, ...change } as KernelRequest], false),
    );
    await expect(opened).rejects.toThrow();
  });
});
