import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, expect, test } from 'vitest';
import { compileKernels, cpuDevice, native } from './index.ts';
import { addonPath } from './native.ts';
import { kernelSource } from './test/example-plan.ts';

const cache = mkdtempSync(join(tmpdir(), 'mlxc-memory-'));
afterAll(() => rmSync(cache, { recursive: true }));

const megabyte = 1 << 20;

/** The last message of a worker, once it has ended. */
function runWorker(source: string, workerData: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(source, { eval: true, workerData });
    let last: unknown;
    worker.on('message', (message) => {
      last = message;
    });
    worker.on('error', reject);
    worker.on('exit', () => resolve(last));
  });
}

/** How much memory 400 allocations of 4 MB that nobody holds leave in use. */
const loopSource = `
const { parentPort, workerData } = require('node:worker_threads');
const addon = require(workerData.addon);
const before = addon.memoryStatistics().inUse;
let checksum = 0;
for (let i = 0; i < 400; i++) checksum += addon.allocate(4 * 1048576).byteLength;
parentPort.postMessage([checksum, addon.memoryStatistics().inUse - before]);
`;

test('memory that nobody holds comes back in a loop that never yields', async () => {
  // in a worker of its own: how soon V8 collects depends on the heap that other tests left behind
  const [checksum, grown] = (await runWorker(loopSource, { addon: addonPath() })) as number[];
  expect(checksum).toBe(1600 * megabyte);
  expect(grown).toBeLessThan(800 * megabyte);
});

test('memory that is held stays as it is', () => {
  const device = cpuDevice();
  const held = Array.from({ length: 64 }, (_, i) => {
    const data = new Uint8Array(device.allocate(megabyte).buffer);
    return data.fill(i);
  });
  for (let i = 0; i < 200; i++) new Uint8Array(device.allocate(megabyte).buffer).fill(255);
  expect(held.every((data, i) => data.every((byte) => byte === i))).toBe(true);
});

test('released memory is handed out again', () => {
  const device = cpuDevice();
  const first = device.allocate(3 * megabyte);
  const { reuses } = native().memoryStatistics();
  first.free?.();
  first.free?.();
  expect(first.buffer.byteLength).toBe(0);
  const second = device.allocate(3 * megabyte);
  // at least: other threads count here too
  expect(native().memoryStatistics().reuses).toBeGreaterThan(reuses);
  second.free?.();
});

/** Runs `add` over 100,000 elements again and again; posts how many results were right. */
const workerSource = `
const { parentPort, workerData } = require('node:worker_threads');
const addon = require(workerData.addon);
const library = addon.openLibrary(workerData.library);
const n = 100000, bytes = 4 * n;
const buffers = Float64Array.of(0, 0, bytes, 0, 1, bytes, 1, 0, bytes);
const steps = Float64Array.of(1, 0, n / 16, 100, 0, 3, 0, 1, 2, 2, n, n);
const instance = addon.createInstance(library, ['mlxc_add'], [], 0, buffers, steps);
const x = new Float32Array(n).fill(workerData.value), y = new Float32Array(n).fill(1);
let right = 0;
for (let i = 0; i < 300; i++) {
  const out = new Float32Array(addon.allocate(bytes));
  addon.run(instance, [x, y], [out]);
  if (out.every((value) => value === workerData.value + 1)) right++;
}
parentPort.postMessage(right);
`;

test('workers share the thread pool and may come and go', async () => {
  const library = await compileKernels(kernelSource, { cacheFolder: cache });
  for (let round = 0; round < 2; round++) {
    const counts = await Promise.all(
      [1, 2, 3].map((value) => runWorker(workerSource, { addon: addonPath(), library, value })),
    );
    expect(counts).toEqual([300, 300, 300]);
  }
});
