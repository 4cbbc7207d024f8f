/** Counts of what ran on the Metal device: tests note them, tools/metal-sim/reporter.ts adds them up for `npm run test:metal`. */
import type { TaskMeta } from 'vitest';
import { getCurrentTest } from 'vitest/suite';

/** What one test compared. */
export interface MetalCount {
  readonly what: string;
  readonly functions: number;
  readonly calls: number;
  /** In the libraries that were compiled for them. */
  readonly kernels?: number;
}

declare module 'vitest' {
  interface TaskMeta {
    metal?: MetalCount;
  }
}

/** Notes what the running test compares: it counts as passed if the test passes. */
export function countMetal(count: MetalCount): void {
  const meta: TaskMeta | undefined = getCurrentTest()?.meta;
  if (meta !== undefined) meta.metal = count;
}
