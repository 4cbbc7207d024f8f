/** The handwritten digits (see DATA.md), split and shuffled the same way in every run. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { type Tensor, tensor } from 'mlxc';

export interface Digits {
  /** f32[count, 64], each pixel 0 to 1. */
  readonly pixels: Float32Array;
  /** i32[count], 0 to 9. */
  readonly labels: Int32Array;
  readonly count: number;
}

export interface Batch {
  /** f32[B, 64]. */
  readonly x: Tensor;
  /** i32[B]. */
  readonly y: Tensor;
}

/** Numbers in [0, 1) that repeat for the same seed (Park and Miller, 1988). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return (state - 1) / 2147483646;
  };
}

/** The indices below `count` in random order (Fisher and Yates). */
function shuffled(count: number, next: () => number): readonly number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

function pick(digits: Digits, indices: readonly number[]): Digits {
  const pixels = new Float32Array(indices.length * 64);
  indices.forEach((index, i) => {
    pixels.set(digits.pixels.subarray(index * 64, index * 64 + 64), i * 64);
  });
  return {
    pixels,
    labels: Int32Array.from(indices, (i) => digits.labels[i]!),
    count: indices.length,
  };
}

/** All images, 80 % to learn from and 20 % held out. */
export function readDigits(): { readonly training: Digits; readonly heldOut: Digits } {
  const file = readFileSync(new URL('digits.csv.gz', import.meta.url));
  const rows = gunzipSync(file)
    .toString('utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(',').map(Number));
  const all = {
    pixels: Float32Array.from(rows.flatMap((row) => row.slice(0, 64).map((pixel) => pixel / 16))),
    labels: Int32Array.from(rows, (row) => row[64]!),
    count: rows.length,
  };
  const order = shuffled(all.count, random(1));
  const cut = Math.round(0.8 * all.count);
  return { training: pick(all, order.slice(0, cut)), heldOut: pick(all, order.slice(cut)) };
}

export function asBatch({ pixels, labels, count }: Digits): Batch {
  return { x: tensor(pixels, [count, 64]), y: tensor(labels, [count]) };
}

/** Batches of `size` in random order; what remains at the end is a smaller batch. */
export function* batches(digits: Digits, size: number, next: () => number): Generator<Batch> {
  const order = shuffled(digits.count, next);
  for (let start = 0; start < digits.count; start += size) {
    yield asBatch(pick(digits, order.slice(start, start + size)));
  }
}
