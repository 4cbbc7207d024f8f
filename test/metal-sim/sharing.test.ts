/** Memory that is not the Metal device's own: donated arrays, and tensors of other devices. */
import { beforeAll, describe, expect, test } from 'vitest';
import { interpreterDevice } from '../../compiler/driver/interpreter.ts';
import { compileOrThrow } from '../../index.ts';
import { type Argument, cpuDevice, load, type Module, type Tensor } from '../../runtime/index.ts';
import { metalAddon, strictMetal } from '../support/metal-device.ts';
import { pages } from '../support/pages.ts';

const source = `
/// x, counted up one by one until it is \`top\`: it takes a while.
export fn reach(x: f32[N], top: f32) -> f32[N] {
  var y = x;
  while max(y) < top { y = y + 1.0; }
  y
}
export fn scale(x: f32[N], k: f32) -> f32[N] { x * k }
export fn join(x: f32[N], y: f32[N]) -> f32[N] { x * 2 + y }
`;
const bundle = compileOrThrow(source, { targets: ['metal', 'cpu'] });

let metal: Module;
let cpu: Module;
let interp: Module;

beforeAll(async () => {
  metal = await load(bundle, { device: strictMetal() });
  cpu = await load(bundle, { device: cpuDevice() });
  interp = await load(bundle, { device: interpreterDevice(bundle.program) });
});

function call(
  module: Module,
  name: string,
  args: readonly Argument[],
  donate: readonly string[] = [],
): Tensor {
  return module.function(name).with({ donate })(...args) as Tensor;
}

const large = 100_000;
const isAll = (t: Tensor, value: number): boolean => t.data.every((element) => element === value);
const isPending = (t: Tensor): boolean => t.pendingRun() !== undefined;

describe('donated arrays', () => {
  test.each([
    ['that are copied', () => new Float32Array(1000)],
    ['that are large', () => new Float32Array(large)],
    ['of whole pages', () => new Float32Array(pages(4))],
    ['inside other memory', () => new Float32Array(2000).subarray(3, 1003)],
  ])('%s hold results that can be passed on before they are there', (_, make) => {
    const data = make().fill(1);
    const late = call(metal, 'reach', [new Float32Array(data.length).fill(50), 60]);
    const y = call(metal, 'join', [data, late], ['x']);
    const read = call(metal, 'scale', [y, 2]);
    const used = call(metal, 'scale', [y, 3], ['x']);
    const last = call(metal, 'scale', [used, 1]);
    expect([y.isDisposed, isPending(last)]).toEqual([true, true]);
    expect(isAll(read, 124)).toBe(true);
    expect(isAll(last, 186)).toBe(true);
    expect(used.data === data).toBe(true);
    expect(isAll(used, 186)).toBe(true);
    // from now on the memory says what is in it, whatever was computed there
    data.fill(5);
    expect(isAll(call(metal, 'scale', [used, 2]), 10)).toBe(true);
  });

  test('what reads the results of a failed run in them fails too', () => {
    // more than there is, which only the run finds out
    const greedy = { ...bundle, plan: withTemporaries('4398046511104') };
    return load(greedy, { device: metal.device }).then((module) => {
      const y = call(module, 'reach', [new Float32Array(large), 3], ['x']);
      expect(() => call(metal, 'scale', [y, 2]).data).toThrow('MLX5115');
    });
  });
});

function withTemporaries(size: string): unknown {
  const text = JSON.stringify(bundle.plan);
  return JSON.parse(
    text.replaceAll(/("kind":"temporary"[^}]*?"size":)"[^"]*"/g, `$1"${size}"`),
  ) as unknown;
}

describe('two devices', () => {
  const pairs: readonly (readonly [string, () => readonly [Module, Module]])[] = [
    ['Metal to the CPU', () => [metal, cpu]],
    ['the CPU to Metal', () => [cpu, metal]],
    ['Metal to the evaluator', () => [metal, interp]],
    ['the evaluator to Metal', () => [interp, metal]],
  ];

  test.each(pairs)('%s: pending tensors are waited for', (_, of) => {
    const [from, to] = of();
    for (const length of [10, large]) {
      const x = call(from, 'reach', [new Float32Array(length).fill(50), 60]);
      expect(isAll(call(to, 'scale', [x, 2]), 120)).toBe(true);
      expect(isAll(x, 60)).toBe(true);
    }
  });

  test.each(pairs)('%s: memory that is given back meanwhile is not read', (_, of) => {
    const [from, to] = of();
    for (const length of [1000, 262_144]) {
      const x = call(from, 'scale', [new Float32Array(length).fill(60), 1]);
      x.wait();
      const y = call(to, 'reach', [x, 70]);
      x.dispose();
      const next = call(from, 'scale', [new Float32Array(length).fill(9), 1]);
      expect(isAll(next, 9)).toBe(true);
      expect(isAll(y, 70)).toBe(true);
    }
  });

  test.each(pairs)('%s: donated tensors are used up', (_, of) => {
    const [from, to] = of();
    const x = call(from, 'scale', [new Float32Array(large).fill(60), 1]);
    const y = call(to, 'scale', [x, 2], ['x']);
    expect(x.isDisposed).toBe(true);
    const next = call(from, 'scale', [new Float32Array(large).fill(9), 1]);
    expect(isAll(y, 120)).toBe(true);
    y.dispose();
    expect(isAll(next, 9)).toBe(true);
  });

  test('Metal fails, and the CPU says so', async () => {
    const greedy = await load(
      { ...bundle, plan: withTemporaries('4398046511104') },
      { device: metal.device },
    );
    const x = call(greedy, 'reach', [new Float32Array(10), 3]);
    expect(() => call(cpu, 'scale', [x, 2]).data).toThrow('MLX5115');
  });
});

test('a buffer has one array buffer at a time', () => {
  metalAddon().configure({ separate: false });
  try {
    const x = call(metal, 'scale', [new Float32Array(large).fill(1), 3]);
    const { buffer } = x.data;
    expect(x.data.buffer === buffer).toBe(true);
    x.dispose();
    expect(buffer.byteLength).toBe(0);
    const before = metal.device as ReturnType<typeof strictMetal>;
    const { reuses } = before.memoryStatistics();
    const y = call(metal, 'scale', [new Float32Array(large).fill(1), 4]);
    expect(before.memoryStatistics().reuses).toBeGreaterThan(reuses);
    // the same memory under a new one
    expect(isAll(y, 4)).toBe(true);
    expect(buffer.byteLength).toBe(0);
  } finally {
    metalAddon().configure({ separate: true });
  }
});
