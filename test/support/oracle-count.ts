/** Counts of cases by oracle: tests note them, tools/oracles/reporter.ts adds them up for `npm run test:oracles`. */
import type { TaskMeta } from 'vitest';
import { getCurrentTest } from 'vitest/suite';

/** What one test compares with answers that we did not write. */
export interface OracleCount {
  /** Who gave the answers. */
  readonly oracle: string;
  /** Where the cases ran. */
  readonly device: 'evaluator' | 'CPU' | 'Metal';
  /** The function or operator that the cases are about. */
  readonly function: string;
  readonly cases: number;
}

declare module 'vitest' {
  interface TaskMeta {
    oracle?: OracleCount;
  }
}

/** Notes the cases of the running test: they count as passed if it passes. */
export function countCases(count: OracleCount): void {
  const meta: TaskMeta | undefined = getCurrentTest()?.meta;
  if (meta !== undefined) meta.oracle = count;
}
