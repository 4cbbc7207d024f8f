/** Runs many programs: seeds in order, in batches, on several processes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpuModels } from '../../compiler/schedule/device-model.ts';
import { emptyReport, mergeReports, Worker } from './pool.ts';
import type { BatchOptions, BatchReport, FuzzDevice } from './run.ts';

export interface FuzzOptions {
  readonly seed: number;
  readonly programs: number;
  /** No new batch starts after this; for no limit, Infinity. */
  readonly milliseconds?: number;
  readonly processes?: number;
  readonly device?: FuzzDevice;
  /** Hears of all that was done so far, after each batch. */
  readonly progress?: (report: BatchReport) => void;
}

/** Programs compiled together: one call of the C compiler. */
const perBatch = 40;

/** One program in so many also runs through the schedules for Metal. */
const metalEvery = 3;

/** The same program is compiled in the same way whatever else runs. */
export function optionsOf(seed: number, device: FuzzDevice = 'cpu'): BatchOptions {
  const batch = Math.floor(seed / perBatch);
  const models = Object.keys(cpuModels) as (keyof typeof cpuModels)[];
  return {
    model: models[batch % models.length]!,
    isOptimized: batch % 5 === 0,
    metalEvery,
    device,
  };
}

export async function fuzz(options: FuzzOptions): Promise<BatchReport> {
  const { seed, programs, milliseconds = Infinity, processes = 2, device, progress } = options;
  const end = performance.now() + milliseconds;
  // what is drawn at random is compiled once and runs on a few numbers
  const cache = mkdtempSync(join(tmpdir(), 'mlxc-fuzz-'));
  const environment = { METAL_SIM_CACHE: cache, METAL_SIM_OPTIMIZE: '0', MLXC_METAL_SEPARATE: '1' };
  const last = seed + programs;
  let next = seed;
  let total = emptyReport;
  const work = async (): Promise<void> => {
    const worker = new Worker({ environment });
    while (next < last && performance.now() < end) {
      const start = next;
      // batches end where their options change
      next = Math.min(last, (Math.floor(start / perBatch) + 1) * perBatch);
      const seeds = Array.from({ length: next - start }, (_, i) => start + i);
      const report = await worker.run({ seeds, options: optionsOf(start, device) });
      total = mergeReports([total, report]);
      progress?.(total);
    }
    worker.stop();
  };
  try {
    await Promise.all(Array.from({ length: processes }, work));
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
  return total;
}
