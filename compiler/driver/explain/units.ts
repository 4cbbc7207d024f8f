/** Amounts for people. */
import { type Amount, intensity } from './explanation.ts';

const prefixes = ['', 'k', 'M', 'G', 'T', 'P'] as const;

function scale(value: number, unit: string): string {
  let scaled = value;
  let prefix = 0;
  while (scaled >= 1000 && prefix < prefixes.length - 1) {
    scaled /= 1000;
    prefix++;
  }
  const digits = prefix === 0 ? String(scaled) : scaled.toPrecision(3);
  return `${digits} ${prefixes[prefix]}${unit}`;
}

/** `1.05 MB`, or the polynomial where dims are open. */
export function showBytes({ text, value }: Amount): string {
  return value === undefined ? `${text} B` : scale(value, 'B');
}

export function showFlops({ text, value }: Amount): string {
  return value === undefined ? `${text} flop` : scale(value, 'flop');
}

/** `10.7 flop/B`; empty where dims are open. */
export function showIntensity(bytes: Amount, flops: Amount): string {
  const ratio = intensity(bytes, flops);
  return ratio === undefined ? '' : `${ratio.toPrecision(3)} flop/B`;
}
