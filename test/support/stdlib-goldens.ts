/** The goldens of the standard library: test/golden/stdlib/*.json. */
import { readFileSync } from 'node:fs';
import type { TestTensor } from './run-source.ts';

export interface Golden {
  readonly inputs: readonly TestTensor[];
  readonly outputs: readonly TestTensor[];
}

export interface Suite {
  /** The file of goldens. */
  readonly file: string;
  readonly imports: string;
  readonly cases: Readonly<Record<string, string>>;
  /** Relative to the greatest element; 0 asks for the same bits. */
  readonly tolerance: number;
  /** The tolerance is relative to each element above 1. */
  readonly byElement?: boolean;
}

export function readGoldens(file: string): Readonly<Record<string, Golden>> {
  const path = new URL(`../golden/stdlib/${file}.json`, import.meta.url);
  return JSON.parse(readFileSync(path, 'utf8'), withSpecialNumbers) as Record<string, Golden>;
}

const specialNumbers: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
};

/** JSON has no NaN and no infinities: goldens write them as strings. */
function withSpecialNumbers(_: string, value: unknown): unknown {
  return typeof value === 'string' ? (specialNumbers[value] ?? value) : value;
}
