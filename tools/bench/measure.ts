/** Time per call, by the median of several samples. */

/** Mean seconds per call over at least `seconds`. */
export function sampleCalls(work: () => void, seconds: number): number {
  const started = performance.now();
  let calls = 0;
  let elapsed = 0;
  do {
    work();
    calls++;
    elapsed = performance.now() - started;
  } while (elapsed < seconds * 1000);
  return elapsed / 1000 / calls;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
