/**
 * npm run soak:metal -- [--calls N]
 *
 * Calls functions on the simulated Metal device for a long time: donated state, results that are dropped, results that are disposed,
 * changing sizes. Prints memory at intervals: the process's, and the device's buffers in use and free. Exits with 1 when what is in
 * use or the process grows in the second half: the first fills the caches (free buffers, and what the checks remember of each). METAL_SIM_CHECKS=off leaves out the checks, for longer runs.
 */
import { parseArgs } from 'node:util';
import { compileOrThrow } from '../../index.ts';
import { load, type Tensor, tensor } from '../../runtime/index.ts';
import { metalDevice } from '../../runtime/metal-device.ts';

const { values } = parseArgs({ options: { calls: { type: 'string', default: '100000' } } });
const calls = Number(values.calls);

const source = `
export fn step(x: f32[N], k: f32) -> f32[N] { x * k }
export fn spread(x: f32[N]) -> f32[N] { let y = exp(x - max(x)); y / sum(y) }
export fn climb(x: f32[N]) -> f32[N] {
  var y = x;
  for i in 0..3 { y = y + 1.0; }
  y
}
`;

const device = metalDevice('metal-sim');
const module = await load(compileOrThrow(source, { targets: ['metal'] }), { device });
const step = module.function('step').with({ donate: ['x'] });
const spread = module.function('spread');
const climb = module.function('climb');

interface Reading {
  readonly calls: number;
  readonly rss: number;
  readonly active: number;
  readonly cached: number;
}

function read(done: number): Reading {
  globalThis.gc?.();
  const { active, cached } = device.memoryStatistics();
  const reading = { calls: done, rss: process.memoryUsage().rss, active, cached };
  const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  const { allocations, reuses } = device.memoryStatistics();
  console.log(
    `${String(done).padStart(7)} calls: process ${mebibytes(reading.rss)}, buffers in use ${mebibytes(active)}, free ${mebibytes(cached)}, ` +
      `${allocations} allocated, ${reuses} used again`,
  );
  return reading;
}

const lengths = [64, 100, 31, 512];
let state = tensor(new Float32Array(64).fill(1)) as Tensor;
const readings: Reading[] = [];
const started = performance.now();
const every = Math.max(4, Math.floor(calls / 10));
let nextReading = every;
for (let done = 0; done < calls; ) {
  const data = new Float32Array(lengths[(done / 4) % lengths.length]!).fill(0.5);
  state = step(state, 1) as Tensor;
  (spread(state) as Tensor).dispose();
  // never read, never disposed: the collector's work
  climb(data);
  const seen = spread(data) as Tensor;
  if (Math.abs(Number(seen.data[0]) * data.length - 1) > 1e-4)
    throw new Error(`wrong: ${seen.data[0]}`);
  done += 4;
  if (done >= nextReading) {
    state.wait();
    // finalizers of collected tensors run between turns
    await new Promise((resolve) => setTimeout(resolve, 50));
    readings.push(read(done));
    nextReading += every;
  }
}
if (!state.data.every((x) => x === 1)) throw new Error('the state has changed');
const seconds = (performance.now() - started) / 1000;
const first = readings[Math.ceil(readings.length / 2) - 1];
const last = readings[readings.length - 1];
const grown = (last?.rss ?? 0) - (first?.rss ?? 0);
const more = (last?.active ?? 0) - (first?.active ?? 0);
const mostGrowth = 24 * 2 ** 20;
const isStable = grown < mostGrowth && more < 2 ** 20;
console.log(
  `${calls} calls in ${seconds.toFixed(0)} s: in the second half the process grew by ${(grown / 2 ** 20).toFixed(1)} MiB, buffers in use by ${more} bytes: ` +
    (isStable ? 'stable' : 'not stable'),
);
process.exitCode = isStable ? 0 : 1;
