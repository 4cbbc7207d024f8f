/** What the Metal device promises beside numbers: laziness, donation, memory, errors. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileOrThrow } from '../../index.ts';
import { readBundle } from '../../runtime/bundle.ts';
import {
  type CompiledFunction,
  load,
  type Module,
  type Tensor,
  tensor,
} from '../../runtime/index.ts';
import type { MetalDevice } from '../../runtime/metal-device.ts';
import { addonPath } from '../../runtime/native.ts';
import { leavesOf, metalAddon, strictMetal } from '../support/metal-device.ts';
import { pages } from '../support/pages.ts';

const source = `
/// x + 20, one by one.
export fn climb(x: f32[N]) -> f32[N] {
  var y = x;
  for i in 0..20 { y = y + 1.0; }
  y
}
/// The same, while a value says so.
export fn reach(x: f32[N], top: f32) -> f32[N] {
  var y = x;
  while max(y) < top { y = y + 1.0; }
  y
}
export fn scale(x: f32[N], k: f32) -> f32[N] { x * k }
export fn spread(x: f32[N]) -> f32[N] { let y = exp(x - max(x)); y / sum(y) }
`;
const bundle = compileOrThrow(source, { targets: ['metal'] });

let device: MetalDevice;
let module: Module;

beforeAll(async () => {
  device = strictMetal();
  metalAddon().configure({ separate: false });
  module = await load(bundle, { device });
});
afterAll(() => metalAddon().configure({ separate: true }));

function call(name: string | CompiledFunction, ...args: readonly unknown[]): Tensor {
  const f = typeof name === 'string' ? module.function(name) : name;
  return f(...(args as readonly Tensor[])) as Tensor;
}

function filled(value: number, length = 1000): Tensor {
  return tensor(new Float32Array(length).fill(value));
}

/** Memory that only the runtime knows. */
function unknownElsewhere(value: number, length = 1000): Tensor {
  return call('scale', filled(value, length), 1);
}

/** Until every run so far has ended: runs end in their order. */
function settle(): void {
  const last = unknownElsewhere(0, 1);
  last.wait();
  last.dispose();
}

const isAll = (t: Tensor, value: number): boolean => t.data.every((element) => element === value);
const isPending = (t: Tensor): boolean => t.pendingRun() !== undefined;

describe('laziness', () => {
  test('calls return at once and run in their order', () => {
    const a = call('climb', unknownElsewhere(0));
    const b = call('reach', a, 25);
    const c = call('scale', b, 2);
    expect([b, c].map(isPending)).toEqual([true, true]);
    expect(isAll(c, 50)).toBe(true);
    expect(isAll(a, 20)).toBe(true);
  });

  test('a pending run reads nothing that the program can write to', () => {
    // a small array is copied; a run on a large one takes place before the call returns
    for (const length of [10, 66_000]) {
      const data = new Float32Array(length).fill(1);
      const y = call('scale', data, 2);
      data.fill(100);
      expect(isAll(y, 2)).toBe(true);
      const seen = unknownElsewhere(5, length);
      const elements = seen.data as Float32Array;
      const z = call('scale', seen, 2);
      elements.fill(100);
      expect(isAll(z, 10)).toBe(true);
    }
  });

  test('whole pages of somebody else are used where they are', () => {
    const data = new Float32Array(pages(16));
    data.fill(3);
    const before = device.memoryStatistics().allocations;
    const y = call('scale', data, 2);
    // the result and the scalar, whose page is not whole
    expect(device.memoryStatistics().allocations - before).toBe(2);
    data.fill(100);
    expect(isAll(y, 6)).toBe(true);
  });

  test('views that do not begin where kernels may load are copied', () => {
    const data = Float32Array.from({ length: 9 }, (_, i) => i).subarray(1);
    expect(call('scale', data, 2).tolist()).toEqual([2, 4, 6, 8, 10, 12, 14, 16]);
  });

  test('pending tensors may be disposed, and read by others all the same', () => {
    const x = unknownElsewhere(0);
    const y = call('climb', x);
    x.dispose();
    const z = call('climb', y);
    y.dispose();
    expect(isAll(z, 40)).toBe(true);
    expect(() => y.data).toThrow('MLX5113');
  });

  test('ready lets the thread go on', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const y = call('reach', unknownElsewhere(0), 150);
    await y.ready();
    clearInterval(timer);
    expect(turns).toBeGreaterThan(0);
    expect(isAll(y, 150)).toBe(true);
  });

  test('a worker runs beside this thread and may leave while runs are pending', async () => {
    const script = `
      const { parentPort, workerData } = require('node:worker_threads');
      const addon = require(workerData.addon);
      const requests = [{ name: 'twice', threads: 32, accesses: 'rw', usesTable: false }];
      addon.openLibrary(workerData.source, '', requests, false).then((library) => {
        const buffers = Float64Array.of(0, 0, 128, 1, 0, 128);
        const steps = Float64Array.of(1, 0, 1, 1, 1, 2, 0, 1, 0);
        const instance = addon.createInstance(library, 'twice', [], 0, buffers, steps);
        let x = new Float32Array(addon.allocate(128)).fill(1);
        let run;
        for (let i = 0; i < 10; i++) {
          const y = new Float32Array(addon.allocate(128));
          run = addon.submit(instance, [x], [y], [], run === undefined ? [] : [run]);
          x = y;
        }
        addon.wait(run);
        parentPort.postMessage(x[31]);
        for (let i = 0; i < 10; i++) addon.submit(instance, [x], [new Float32Array(addon.allocate(128))], [], []);
        process.exit(0);
      });`;
    const kernel = `#include <metal_stdlib>
      kernel void twice(const device float* x [[buffer(0)]], device float* y [[buffer(1)]],
                        uint i [[thread_position_in_grid]]) { y[i] = 2.0f * x[i]; }`;
    const addon = addonPath(device.name === 'metal' ? 'mlxc_metal' : 'mlxc_metal_sim');
    const worker = new Worker(script, { eval: true, workerData: { addon, source: kernel } });
    const answer = new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    const left = new Promise((resolve) => worker.once('exit', resolve));
    expect(isAll(call('climb', unknownElsewhere(1)), 21)).toBe(true);
    expect(await answer).toBe(1024);
    await left;
    expect(isAll(call('climb', unknownElsewhere(1)), 21)).toBe(true);
  });
});

describe('donation', () => {
  test('the memory of a donated tensor becomes the result', () => {
    const x = unknownElsewhere(4);
    x.wait();
    const memory = x.lend().data.buffer;
    const y = call(module.function('scale').with({ donate: ['x'] }), x, 2);
    expect(y.lend().data.buffer === memory).toBe(true);
    expect(() => x.data).toThrow('MLX5113');
    expect(isAll(y, 8)).toBe(true);
  });

  test('a donated typed array holds the result when it is there', () => {
    const data = new Float32Array(64).fill(4);
    const y = call(module.function('scale').with({ donate: ['x'] }), data, 2);
    expect(isAll(y, 8)).toBe(true);
    expect(y.data === data).toBe(true);
  });
});

describe('memory', () => {
  test('buffers are recycled, counted and given back', () => {
    device.trimMemory();
    const before = device.memoryStatistics();
    const x = unknownElsewhere(1, 100_000);
    x.wait();
    expect(device.memoryStatistics().active).toBeGreaterThan(before.active + 399_999);
    x.dispose();
    const after = device.memoryStatistics();
    expect(after.active).toBe(before.active);
    expect(after.cached).toBeGreaterThan(399_999);
    expect(after.peak).toBeGreaterThanOrEqual(before.active + after.cached);
    unknownElsewhere(1, 100_000).dispose();
    expect(device.memoryStatistics().reuses).toBeGreaterThan(after.reuses);
    device.trimMemory();
    expect(device.memoryStatistics().cached).toBe(0);
  });

  test('no more is kept than the limit says', () => {
    const { limit } = device.memoryStatistics();
    device.setCacheLimit(8192);
    for (let i = 0; i < 5; i++) {
      const x = unknownElsewhere(1, 100_000);
      x.wait();
      x.dispose();
    }
    expect(device.memoryStatistics().cached).toBeLessThanOrEqual(8192);
    device.setCacheLimit(limit);
  });

  test('thousands of calls leave the memory as it was', () => {
    let x = unknownElsewhere(0, 64);
    const step = module.function('scale').with({ donate: ['x'] });
    const turn = (): void => {
      x = call(step, x, 1);
      call('scale', x, 2).dispose();
    };
    for (let i = 0; i < 50; i++) turn();
    settle();
    const { active } = device.memoryStatistics();
    for (let i = 0; i < 3000; i++) turn();
    settle();
    // less when what earlier tests left was collected
    expect(device.memoryStatistics().active).toBeLessThanOrEqual(active);
    expect(isAll(x, 0)).toBe(true);
  });
});

describe('command buffers', () => {
  test('their number changes nothing', () => {
    const x = unknownElsewhere(2);
    const whole = call('spread', x).tolist();
    metalAddon().configure({ mostOps: 1 });
    expect(call('spread', x).tolist()).toEqual(whole);
    expect(isAll(call('climb', x), 22)).toBe(true);
    metalAddon().configure({ mostOps: 50 });
  });

  test('a profile has the time of each dispatch', async () => {
    const timings = await device.profile(() => {
      call('spread', unknownElsewhere(2));
    });
    expect(timings.map((t) => t.kernel)).toEqual(
      expect.arrayContaining(['scale_mul', expect.stringMatching(/^spread_/)]),
    );
    for (const { seconds } of timings) expect(seconds).toBeGreaterThan(0);
    expect(metalAddon().takeTimings()).toEqual([]);
  });

  test('a capture needs the permission of the environment', async () => {
    await expect(device.capture('/tmp/mlxc.gputrace', () => {})).rejects.toThrow(
      'MLX5125: the GPU cannot be captured: this process may not capture: start it with MTL_CAPTURE_ENABLED=1',
    );
  });
});

describe('errors', () => {
  /** With a change of the first such text in the kernel of `scale`. */
  const withText = (from: string, to: string): Promise<Module> => {
    const { metal } = bundle;
    const at = metal.indexOf(from, metal.indexOf('void scale_mul('));
    expect(at).toBeGreaterThan(0);
    const changed = metal.slice(0, at) + to + metal.slice(at + from.length);
    return load({ ...bundle, metal: changed }, { device });
  };
  const withPlan = (change: (text: string) => string): Promise<Module> =>
    load({ ...bundle, plan: JSON.parse(change(JSON.stringify(bundle.plan))) }, { device });

  test('source that Metal refuses names its kernel and line', async () => {
    const broken = withText('x[i];', 'lost[i];');
    await expect(broken).rejects.toThrow(/^MLX5123: Metal refuses the kernels \(in scale_mul\): /);
    await expect(broken).rejects.toThrow(/program_source:\d+:\d+: error: /);
  });

  test('a kernel that is not there is a damaged bundle', async () => {
    const lost = withText('void scale_mul(', 'void scale_lost(');
    await expect(lost).rejects.toThrow(
      'MLX5102: the bundle is damaged: the library has no kernel scale_mul',
    );
  });

  test('threadgroups beyond the limit of a pipeline are refused when it is built', async () => {
    const wide = withPlan((text) => text.replace('"threads":256', '"threads":512'));
    await expect(wide).rejects.toThrow(
      /MLX5123: .*needs threadgroups of 512 threads, this GPU runs it with at most 256/,
    );
  });

  test('a run that fails names kernel and line; what reads its results fails too, what comes later does not', async () => {
    const wild = await withText('x[i];', 'x[i + 100000000];');
    const x = call(wild.function('scale'), unknownElsewhere(1), 2);
    const y = call('climb', x);
    for (const t of [x, y]) {
      expect(() => t.data).toThrow(
        /^MLX5124: a run failed on the GPU: scale: .*kernel scale_mul, line \d+/,
      );
    }
    await expect(y.ready()).rejects.toThrow('MLX5124');
    expect(isAll(call('climb', unknownElsewhere(1)), 21)).toBe(true);
  });

  test('memory that runs out is an error of the run', async () => {
    const greedy = await withPlan((text) =>
      text.replaceAll(/("kind":"temporary"[^}]*?"size":)"[^"]*"/g, '$1"4398046511104"'),
    );
    const y = call(greedy.function('spread'), unknownElsewhere(1));
    expect(() => y.data).toThrow(/^MLX5115: out of memory for temporaries/);
    expect(() => device.allocate(2 ** 50)).toThrow('out of memory');
  });

  test('empty tensors need no dispatch', () => {
    expect(leavesOf(call('scale', filled(1, 0), 2))[0]?.shape).toEqual([0]);
  });
});

describe.runIf(process.platform !== 'darwin')('kernels.metallib', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mlxc-metallib-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  // libraries of the simulator: a head, then source
  const good = `MTLB metal-sim\n${bundle.metal}`;
  const path = join(folder, 'kernels.metallib');

  /** A bundle with these bytes as its library, read from disk as a build leaves it. */
  const withLibrary = (bytes: string | Uint8Array, metal = 'no Metal at all'): Promise<Module> => {
    writeFileSync(join(folder, 'plan.json'), JSON.stringify(bundle.plan));
    writeFileSync(join(folder, 'kernels.metal'), metal);
    writeFileSync(path, bytes);
    return load(readBundle(folder), { device });
  };

  test('is loaded instead of the source', async () => {
    const compiled = await withLibrary(good);
    expect(isAll(call(compiled.function('scale'), filled(3), 2), 6)).toBe(true);
  });

  test.each([
    ['empty', ''],
    ['corrupted', Uint8Array.from({ length: 4096 }, (_, i) => (i * 151) % 256)],
    ['truncated within its head', good.slice(0, 8)],
    ['truncated within a kernel', good.slice(0, good.indexOf('void scale_mul(') + 40)],
    ['of other kernels', good.replaceAll('scale_mul', 'scale_lost')],
  ])('that is %s is a damaged bundle', async (_, bytes) => {
    await expect(withLibrary(bytes, bundle.metal)).rejects.toThrow(
      /^MLX5102: the bundle is damaged: .*(kernels\.metallib: |the library has no kernel scale_mul)/,
    );
  });
});
