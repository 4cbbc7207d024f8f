import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { afterAll, expect, test } from 'vitest';
import type { PlanFunction } from '../compiler/plan/plan.ts';
import {
  type CompiledFunction,
  compileKernels,
  cpuDevice,
  load,
  native,
  type Tensor,
  tensor,
} from './index.ts';
import { addonPath } from './native.ts';
import { addStep, buffer, kernelSource, leafTree, planOf } from './test/example-plan.ts';

const cache = mkdtempSync(join(tmpdir(), 'mlxc-lazy-'));
afterAll(() => rmSync(cache, { recursive: true }));

/** y = x + K * w, in K steps; `more` changes the declaration. */
function climb(name: string, more: Partial<PlanFunction> = {}): PlanFunction {
  return {
    name,
    doc: '',
    parameters: [
      { name: 'x', tree: leafTree('f32', 'N') },
      { name: 'w', tree: leafTree('f32', 'M') },
    ],
    result: leafTree('f32', 'N'),
    dims: ['N', 'M', 'K'],
    guards: [],
    buffers: [
      buffer('parameter', 'f32', 'N'),
      buffer('parameter', 'f32', 'M'),
      buffer('result', 'f32', 'N', { mayReuse: 0 }),
      buffer('temporary', 'f32', 'N'),
    ],
    steps: [
      { kind: 'copy', from: 0, fromOffset: '0', to: 2, toOffset: '0', size: 'N' },
      {
        kind: 'loop',
        count: 'K',
        reverse: false,
        body: [
          addStep([2, 1, 3], 'N', 'M'),
          { kind: 'copy', from: 3, fromOffset: '0', to: 2, toOffset: '0', size: 'N' },
        ],
      },
    ],
    ...more,
  };
}

/** Needs more memory than there is, which only the run finds out. */
const greedy = climb('greedy', {
  buffers: [
    buffer('parameter', 'f32', 'N'),
    buffer('parameter', 'f32', 'M'),
    buffer('result', 'f32', 'N'),
    buffer('temporary', 'f32', '70368744177664'),
  ],
});

const bundle = {
  plan: planOf(climb('climb'), greedy),
  kernels: kernelSource,
  constants: new Map(),
};
const module = await load(bundle, { device: cpuDevice({ cacheFolder: cache }) });
const library = await compileKernels(kernelSource, { cacheFolder: cache });

/** A function that takes `steps` steps. */
function stepping(steps: number, donate: readonly string[] = []): CompiledFunction {
  return module.function('climb').with({ dims: { K: steps }, donate });
}

function call(f: CompiledFunction, x: unknown, w: unknown): Tensor {
  return f(x as Tensor, w as Tensor) as Tensor;
}

const n = 100_000;
/** So many steps over n numbers take about a tenth of a second. */
const many = 800;
const long = stepping(many);
const short = stepping(1);
const one = tensor([1]);

function filled(value: number, length = n): Tensor {
  return tensor(new Float32Array(length).fill(value));
}

/** Memory that only the runtime knows, so that calls which take it need not wait. */
function unknownElsewhere(value: number): Tensor {
  const x = call(stepping(0), filled(value), one);
  x.wait();
  return x;
}

function isPending(t: Tensor): boolean {
  return t.pendingRun() !== undefined;
}

function isAll(t: Tensor, value: number): boolean {
  return t.data.every((element) => element === value);
}

test('calls return at once and run in their order', () => {
  const x = unknownElsewhere(0);
  const a = call(long, x, one);
  const b = call(long, a, one);
  const c = call(short, b, one);
  // so small that it would not wait for the queue, if the queue were empty
  const tiny = call(short, [5], one);
  expect([a, b, c, tiny].map(isPending)).toEqual([true, true, true, true]);
  expect(c.shape).toEqual([n]);
  expect(c.size).toBe(n);
  expect(isPending(c)).toBe(true);
  expect(tiny.item()).toBe(6);
  expect(isPending(c)).toBe(false);
  expect([isAll(c, 2 * many + 1), isAll(b, 2 * many), isAll(a, many), isAll(x, 0)]).toEqual(
    Array(4).fill(true),
  );
});

test('small work with nothing pending is done on return', () => {
  const y = call(short, [1, 2], one);
  expect(isPending(y)).toBe(false);
  expect(y.tolist()).toEqual([2, 3]);
});

test('what is written after a call does not change its result', () => {
  for (const length of [10, 20_000, 500_000]) {
    const blocker = call(long, unknownElsewhere(0), one);
    const plain = new Float32Array(length).fill(1);
    const wrapped = new Float32Array(length).fill(2);
    const seen = call(short, filled(2, length), one);
    const data = seen.data as Float32Array;
    const results = [
      call(short, plain, one),
      call(short, tensor(wrapped), one),
      call(short, seen, one),
      call(short, filled(4, length), plain),
    ];
    for (const array of [plain, wrapped, data]) array.fill(100);
    expect(results.map((y, i) => isAll(y, [2, 3, 4, 5][i]!))).toEqual(Array(4).fill(true));
    expect(isAll(blocker, many)).toBe(true);
  }
});

test('data waits for the calls that read it', () => {
  const x = unknownElsewhere(1);
  const y = call(long, x, one);
  expect(isPending(y)).toBe(true);
  expect(x.item.bind(x)).toThrow('one element');
  expect(isPending(y)).toBe(true);
  (x.data as Float32Array).fill(50);
  expect(isPending(y)).toBe(false);
  expect(isAll(y, many + 1)).toBe(true);
});

test('errors come out where a result is read, also of what was made from it', async () => {
  const before = call(long, unknownElsewhere(0), one);
  const bad = call(module.function('greedy').with({ dims: { K: 1 } }), before, one);
  const after = call(short, bad, one);
  const donated = call(stepping(1, ['x']), call(short, bad, one), one);
  const other = call(short, before, one);
  expect([bad, after, donated, other].map(isPending)).toEqual([true, true, true, true]);
  await expect(donated.ready()).rejects.toThrow('MLX5115');
  for (const read of [() => bad.data, () => after.tolist(), () => `${after}`, () => bad.wait()]) {
    expect(read).toThrow('MLX5115: out of memory for temporaries');
    expect(read).toThrow('MLX5115');
  }
  expect(() => call(short, bad, one)).toThrow('MLX5115');
  expect([isAll(before, many), isAll(other, many + 1)]).toEqual([true, true]);
  expect(call(short, [1], one).item()).toBe(2);
});

test('memory disposed while pending is recycled afterwards', () => {
  call(stepping(20), unknownElsewhere(0), one).dispose();
  const { inUse } = native().memoryStatistics();
  let y = unknownElsewhere(0);
  for (let i = 0; i < 20; i++) {
    const next = call(stepping(20), y, one);
    const unread = call(short, y, one);
    y.dispose();
    unread.dispose();
    expect(() => unread.data).toThrow('was disposed');
    y = next;
  }
  expect(isAll(y, 400)).toBe(true);
  // a run after those that were never read
  call(short, y, one).wait();
  y.dispose();
  // two results that the collector has not seen yet, and one more may be its spare
  expect(native().memoryStatistics().inUse - inUse).toBeLessThan(4 * 4 * n);
});

test('a thousand steps, each donating the last', () => {
  const step = stepping(1, ['x']);
  let state = filled(0);
  const memory = state.data;
  const side: Tensor[] = [];
  for (let i = 0; i < 1000; i++) {
    const last = state;
    if (i % 100 === 50) side.push(call(short, state, one));
    state = call(step, state, one);
    expect(last.isDisposed).toBe(true);
  }
  expect(side.map((t) => t.data[n - 1])).toEqual(side.map((_, i) => 100 * i + 51));
  expect(isAll(state, 1000)).toBe(true);
  expect(state.data).toBe(memory);
});

test('a hundred thousand tiny calls, with and without work before them', () => {
  for (const first of [unknownElsewhere(0), undefined]) {
    const blocker = first === undefined ? undefined : call(long, first, one);
    let x = call(short, [0], one);
    for (let i = 1; i < 100_000; i++) x = call(short, x, one);
    expect(x.item()).toBe(100_000);
    if (blocker !== undefined) expect(isAll(blocker, many)).toBe(true);
  }
}, 30_000);

test('ready lets the thread go on', async () => {
  const ys = Array.from({ length: 5 }, () => call(long, unknownElsewhere(0), one));
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  await Promise.all(ys.map((y) => y.ready()));
  clearInterval(timer);
  expect(ticks).toBeGreaterThan(2);
  expect(ys.map(isPending)).toEqual(Array(5).fill(false));
  await ys[0]!.ready();
  await tensor([1]).ready();
});

test('the garbage collector takes nothing that a run needs', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let y = unknownElsewhere(0);
  for (let i = 0; i < 60; i++) {
    call(stepping(2), y, one);
    y = call(stepping(5), y, filled(1, 16));
    // whoever gets the memory of something still needed spoils it
    collect();
    new Uint8Array(native().allocate(4 * n)).fill(255);
  }
  expect(isAll(y, 300)).toBe(true);
});

/** A chain of additions over 100,000 numbers on the addon alone, `length` runs long; `end` says what happens then. */
function chainSource(length: number, end: string): string {
  return `
const { parentPort, workerData } = require('node:worker_threads');
const { addon: path, library: kernels } = workerData ?? JSON.parse(process.argv[1]);
const addon = require(path);
const n = 100000, bytes = 4 * n;
const buffers = Float64Array.of(0, 0, bytes, 0, 1, bytes, 1, 0, bytes);
const steps = Float64Array.of(2, 20, 0, -1, -1, 12, 1, 0, n / 16, 1000, 0, 3, 0, 1, 2, 2, n, n);
const instance = addon.createInstance(addon.openLibrary(kernels), ['mlxc_add'], [], 0, buffers, steps);
const ones = new Float32Array(addon.allocate(bytes)).fill(1);
let x = ones, run;
for (let i = 0; i < ${length}; i++) {
  const y = new Float32Array(addon.allocate(bytes));
  run = addon.submit(instance, [x, ones], [y], [], run === undefined ? [] : [run]);
  if (x !== ones) addon.release(x.buffer);
  x = y;
}
${end}`;
}

function runWorker(source: string, stop = false): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(source, {
      eval: true,
      workerData: { addon: addonPath(), library },
    });
    let message: unknown;
    worker.on('message', (value) => {
      message = value;
      if (stop) void worker.terminate();
    });
    worker.on('error', reject);
    worker.on('exit', () => resolve(message));
  });
}

test('workers queue, read and leave while others run', async () => {
  const read = chainSource(
    100,
    `const problem = addon.wait(run); parentPort.postMessage(problem + x.every((v) => v === 101));`,
  );
  const leave = chainSource(25, `parentPort.postMessage('left');`);
  const hang = chainSource(25, `parentPort.postMessage('stopped'); setInterval(() => {}, 1000);`);
  for (let round = 0; round < 3; round++) {
    const mine = call(long, unknownElsewhere(0), one);
    const found = await Promise.all([
      runWorker(read),
      runWorker(leave),
      runWorker(hang, true),
      runWorker(read),
    ]);
    expect(found).toEqual(['true', 'left', 'stopped', 'true']);
    expect(isAll(mine, many)).toBe(true);
  }
}, 30_000);

test.each([
  ['at its end', ''],
  ['by process.exit', 'process.exit(0);'],
  ['with a promise of a result', 'addon.ready(run); process.exit(0);'],
  ['with a worker', "new (require('node:worker_threads').Worker)('', { eval: true });"],
])('a process may end %s while runs are pending', (_, end) => {
  const where = JSON.stringify({ addon: addonPath(), library });
  const { status, signal, stderr } = spawnSync(
    process.execPath,
    ['-e', chainSource(30, end), where],
    { encoding: 'utf8' },
  );
  expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' });
});

test('a promise of a result keeps the process', () => {
  const end = "addon.ready(run).then((problem) => console.log('ready' + problem));";
  const where = JSON.stringify({ addon: addonPath(), library });
  const { stdout } = spawnSync(process.execPath, ['-e', chainSource(10, end), where], {
    encoding: 'utf8',
  });
  expect(stdout).toBe('ready\n');
});
