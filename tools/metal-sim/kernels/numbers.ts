/** Numbers for the drivers of the kernels: short floats and repeatable data. */

const view = new DataView(new ArrayBuffer(8));

/** The bits of the nearest half, ties to even. */
export function halfBits(x: number): number {
  if (Number.isNaN(x)) return 0x7e00;
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  const a = Math.abs(x);
  if (a >= 65520) return sign | 0x7c00;
  // steps of 2^-24 below 2^-14, else of the exponent's last place
  const step = a < 2 ** -14 ? 2 ** -24 : 2 ** (Math.floor(Math.log2(a)) - 10);
  const rounded = roundEven(a / step) * step;
  if (rounded < 2 ** -14) return sign | (rounded / 2 ** -24);
  const e = Math.floor(Math.log2(rounded));
  return sign | ((e + 15) << 10) | ((rounded / 2 ** e - 1) * 1024);
}

function roundEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  if (rest !== 0.5) return rest < 0.5 ? down : down + 1;
  return down % 2 === 0 ? down : down + 1;
}

export function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const e = (bits >> 10) & 31;
  const m = bits & 1023;
  if (e === 31) return m === 0 ? sign * Infinity : Number.NaN;
  return sign * (e === 0 ? m * 2 ** -24 : (1 + m / 1024) * 2 ** (e - 15));
}

/** The bits of the nearest bfloat, ties to even. */
export function bfloatBits(x: number): number {
  view.setFloat32(0, x);
  const bits = view.getUint32(0);
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

export function bfloatValue(bits: number): number {
  view.setUint32(0, (bits << 16) >>> 0);
  return view.getFloat32(0);
}

/** Numbers in [-1, 1), the same each time. */
export function noise(count: number, seed: number = 1): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 23 - 1;
  });
}

export function floats(count: number, of: (i: number) => number = () => 0): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => of(i));
}

export function uints(count: number, of: (i: number) => number = () => 0): Uint32Array {
  return Uint32Array.from({ length: count }, (_, i) => of(i));
}

export function ints(count: number, of: (i: number) => number = () => 0): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => of(i));
}

export function shorts(count: number, of: (i: number) => number = () => 0): Uint16Array {
  return Uint16Array.from({ length: count }, (_, i) => of(i));
}
