/** What a benchmark prints. */

export interface BenchResult {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** Who else did the same work in the same run, and how many times faster we were (above 1: faster than the peer). */
  readonly peer?: string;
  readonly ratio?: number;
}

/** A line for people. */
export function showResult({ name, value, unit, peer, ratio }: BenchResult): string {
  const number = value >= 100 ? value.toFixed(0) : value.toPrecision(3);
  const comparison =
    peer === undefined || ratio === undefined ? '' : `   ${ratio.toFixed(2)}x ${peer}`;
  return `${name.padEnd(36)} ${number.padStart(9)} ${unit.padEnd(10)}${comparison}`;
}
