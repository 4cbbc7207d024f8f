/** Ordinary hand-written Metal runs and gives what TypeScript gives. */
import { readFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import type { CompileOptions } from '../compile/compile.ts';
import { accessCount, compile, type Launch, type Library } from '../driver/native.ts';
import {
  bfloatBits,
  bfloatValue,
  floats,
  halfBits,
  halfValue,
  ints,
  noise,
  shorts,
  uints,
} from './numbers.ts';

const f = Math.fround;
const ran = new Set<string>();

function library(file: string, options?: CompileOptions): Library {
  return compile(readFileSync(new URL(`${file}.metal`, import.meta.url), 'utf8'), options);
}

/** Runs a kernel in two orders of its threads; both must find nothing and give the same. */
function run(on: Library, launch: Launch): void {
  const before = launch.buffers.map((b) => b?.slice());
  const first = on.run({ ...launch, seed: 1 });
  expect(first).toEqual([]);
  const after = launch.buffers.map((b) => b?.slice());
  launch.buffers.forEach((b, i) => {
    (b as Uint8Array | null)?.set(before[i] as Uint8Array);
  });
  expect(on.run({ ...launch, seed: 2 })).toEqual([]);
  expect(launch.buffers.map((b) => b?.slice())).toEqual(after);
  ran.add(launch.kernel);
}

function near(actual: ArrayLike<number>, expected: ArrayLike<number>, relative: number): void {
  expect(actual.length).toBe(expected.length);
  const scale = Math.max(...Array.from(expected, Math.abs), 1e-30);
  for (let i = 0; i < actual.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    if (!(difference <= relative * scale)) {
      expect.fail(`element ${i} is ${actual[i]}, not ${expected[i]}`);
    }
  }
}

afterAll(() => {
  process.stderr.write(`metal-sim: ${ran.size} kernels ran, ${accessCount()} accesses checked\n`);
});

// -----------------------------------------------------------------------------------------------------------
// element-wise

test('vectors of a device buffer, and parameters copied out of constant memory', () => {
  const x = noise(1003);
  const y = noise(1003, 2);
  const expected = floats(1003, (i) => f(f(2.5 * x[i]!) + y[i]!));
  const params = new Uint32Array(new Uint8Array(new Float32Array([0, 2.5]).buffer).buffer);
  params[0] = 1003;
  run(library('saxpy'), { kernel: 'saxpy', buffers: [x, y, params], grid: [8], threadgroup: [32] });
  expect(y).toEqual(expected);
});

test('functors and instantiations', () => {
  const on = library('elementwise');
  const a = noise(64);
  const b = noise(64, 5);
  const out = floats(64);
  run(on, { kernel: 'add_f32', buffers: [a, b, out], grid: [2], threadgroup: [32] });
  expect(out).toEqual(a.map((v, i) => v + b[i]!));
  const halves = shorts(64);
  run(on, {
    kernel: 'add_f16',
    buffers: [shorts(64, (i) => halfBits(a[i]!)), shorts(64, (i) => halfBits(b[i]!)), halves],
    grid: [64],
    threadgroup: [1],
  });
  expect(halves).toEqual(
    shorts(64, (i) => halfBits(halfValue(halfBits(a[i]!)) + halfValue(halfBits(b[i]!)) + 0)),
  );
  const long = new BigInt64Array(4);
  run(on, {
    kernel: 'add_i64',
    buffers: [
      BigInt64Array.from([1n, -1n, 2n ** 62n, 5n]),
      BigInt64Array.from([2n ** 40n, 1n, 2n ** 62n - 1n, -7n]),
      long,
    ],
    grid: [4],
    threadgroup: [1],
  });
  expect([...long]).toEqual([2n ** 40n + 1n, 0n, 2n ** 63n - 1n, -2n]);
  run(on, {
    kernel: 'pow_f32',
    buffers: [floats(8, (i) => i + 1), floats(8, (i) => i / 2), out],
    grid: [8],
    threadgroup: [1],
  });
  near(
    out.subarray(0, 8),
    floats(8, (i) => (i + 1) ** (i / 2)),
    1e-6,
  );
});

test('conversions to integers truncate, saturate and make 0 of NaN', () => {
  const x = Float32Array.of(1.9, -1.9, 3e9, -3e9, Number.NaN, Infinity, 255.5, -0.5);
  const y = ints(8);
  const z = new Uint8Array(8);
  run(library('elementwise'), {
    kernel: 'to_int',
    buffers: [x, y, z],
    grid: [8],
    threadgroup: [1],
  });
  expect([...y]).toEqual([1, -1, 2147483647, -2147483648, 0, 2147483647, 255, 0]);
  expect([...z]).toEqual([1, 0, 255, 0, 0, 255, 255, 0]);
});

test('values in parentheses may be choices and shifts', () => {
  const x = Int16Array.of(7, -100, 50, 200, -7, 1, 1, 9, -3, -3);
  const y = new Int16Array(40);
  run(library('elementwise'), {
    kernel: 'choices',
    buffers: [new Uint8Array(x.buffer), new Uint8Array(y.buffer)],
    grid: [10],
    threadgroup: [1],
  });
  const expected = [...x].flatMap((v, i) => [
    i >= 8 ? (v < 0 ? -1 : 0) : v >> i,
    v < 8 ? 2 * v : v >= 100 ? 5 : -2,
    v << 2,
    v < 8 ? 1 : 0,
  ]);
  expect([...y]).toEqual(expected);
});

test('bfloat and half are rounded after each operation', () => {
  const x = noise(200).map((v) => v * 4);
  const bits = shorts(200);
  const sums = floats(200);
  const on = library('elementwise');
  run(on, { kernel: 'bfloats', buffers: [x, bits, sums], grid: [10], threadgroup: [20] });
  const expected = shorts(200, (i) => {
    const a = bfloatValue(bfloatBits(x[i]!));
    return bfloatBits(bfloatValue(bfloatBits(f(a * a))) + 1);
  });
  expect(bits).toEqual(expected);
  expect(sums).toEqual(floats(200, (i) => bfloatValue(expected[i]!) + 0.5));
  const h = shorts(200, (i) => halfBits(x[i]!));
  run(on, { kernel: 'halfs', buffers: [h, bits], grid: [10], threadgroup: [20] });
  const square = (v: number): number => halfValue(halfBits(v * v));
  expect(bits).toEqual(shorts(200, (i) => halfBits(square(halfValue(h[i]!)) + 1)));
});

test('subnormal floats are flushed on demand, and halfs never', () => {
  for (const flush of [false, true]) {
    const x = Float32Array.of(2 ** -140, 2 ** -126);
    const sum = floats(2);
    const moved = uints(2);
    const halves = Uint16Array.of(3, 0x0400);
    run(library('elementwise'), {
      kernel: 'tiny',
      buffers: [x, sum, moved, halves],
      grid: [2],
      threadgroup: [1],
      flush,
    });
    expect([...sum]).toEqual([flush ? 0 : 2 ** -139, 2 ** -125]);
    expect([...moved]).toEqual([1 << 9, 1 << 23]);
    expect([...halves]).toEqual([6, 0x0800]);
  }
});

test('structs have the layout of C with packed vectors in them', () => {
  // kind at 0, position at 4, spin at 16, id at 20; 24 bytes
  const data = new DataView(new ArrayBuffer(48));
  for (const i of [0, 1]) {
    data.setUint8(24 * i, 7 + i);
    for (const c of [0, 1, 2]) data.setFloat32(24 * i + 4 + 4 * c, 10 * i + c, true);
    data.setUint16(24 * i + 16, halfBits(0.5), true);
    data.setUint16(24 * i + 18, halfBits(-2), true);
    data.setInt32(24 * i + 20, 40 + i, true);
  }
  run(library('elementwise'), {
    kernel: 'particles',
    buffers: [new Uint8Array(data.buffer), Float32Array.of(2)],
    grid: [2],
    threadgroup: [1],
  });
  for (const i of [0, 1]) {
    expect(data.getFloat32(24 * i + 4, true)).toBe(7 + i);
    expect(data.getFloat32(24 * i + 8, true)).toBe(10 * i + 1 + 1);
    expect(data.getFloat32(24 * i + 12, true)).toBe(10 * i + 2 - 4);
    expect(data.getInt32(24 * i + 20, true)).toBe(-40 - i);
  }
});

test('functions of integers', () => {
  const x = uints(32, (i) => Math.imul(i, 0x9e3779b9) >>> (i % 7));
  const y = uints(256);
  run(library('elementwise'), { kernel: 'bits', buffers: [x, y], grid: [1], threadgroup: [32] });
  const reversed = (v: number): number =>
    Number.parseInt(v.toString(2).padStart(32, '0').split('').reverse().join(''), 2);
  const expected = [...x].flatMap((v) => [
    v.toString(2).replaceAll('0', '').length,
    Math.clz32(v) + 100 * (v === 0 ? 32 : 31 - Math.clz32(v & -v)),
    reversed(v),
    (((v << 7) | (v >>> 25)) >>> 0) >>> 0,
    Number((BigInt(v) * 0x9e3779b9n) >> 32n),
    (v >>> 5) & 511,
    ((v & ~0x30) | 0x30) >>> 0,
    Number(
      ((BigInt(v) & 255n) << 24n) |
        (((BigInt(v) >> 8n) & 255n) << 16n) |
        (((BigInt(v) >> 16n) & 255n) << 8n) |
        (BigInt(v) >> 24n),
    ),
  ]);
  expect([...y]).toEqual(expected);
});

test('vectors: constructors, swizzles, comparisons, select, conversions', () => {
  const x = noise(40).map((v, i) => (i === 13 ? 200 : v * 5));
  const y = floats(40);
  const z = ints(40);
  run(library('elementwise'), {
    kernel: 'vectors',
    buffers: [x, y, z],
    grid: [10],
    threadgroup: [1],
  });
  const expectedY: number[] = [];
  const expectedZ: number[] = [];
  for (let i = 0; i < 10; i++) {
    const v = [...x.subarray(4 * i, 4 * i + 4)] as [number, number, number, number];
    const length = Math.hypot(v[0], v[1], v[2]);
    const n = v.slice(0, 3).map((c) => c / length);
    let w = [n[2]!, n[1]!, v[3], v[3]];
    w = [w[3]!, w[1]!, w[2]!, w[0]!];
    w = w.map((c) => (c < -0.5 ? 1 : c));
    const large = v.some((c) => c > 100) ? 1000 : 0;
    expectedY.push(...w.map((c, k) => c + (v[k]! > 0 ? 10 : 0) + large));
    expectedZ.push(
      ...v.map(
        (c, k) =>
          Math.trunc(halfValue(halfBits(c))) + Math.trunc(c) * 100 + (v[0] < v[1] ? k + 1 : 0),
      ),
    );
  }
  near(y, expectedY, 1e-6);
  expect([...z]).toEqual(expectedZ);
});

test('matrices', () => {
  const x = Float32Array.of(2, 1, 0, 1, 3, 1, 0, 1, 4);
  const y = floats(6);
  run(library('elementwise'), { kernel: 'matrices', buffers: [x, y], grid: [1], threadgroup: [1] });
  // m is symmetric: p = m m
  const m = [
    [2, 1, 0],
    [1, 3, 1],
    [0, 1, 4],
  ];
  const apply = (v: readonly number[]): number[] =>
    m.map((row) => row.reduce((s, e, i) => s + e * v[i]!, 0));
  const v = apply(apply([1, 2, 3])).map((e, i) => e + m[i]![0]!);
  expect([...y]).toEqual([...v, 18, 6, 15]);
});

test('fast functions have the hazards of fast functions', () => {
  const y = floats(12);
  run(library('elementwise'), {
    kernel: 'hazards',
    buffers: [Float32Array.of(0.5, 100, -3), y],
    grid: [3],
    threadgroup: [1],
  });
  near(y.subarray(0, 4), [Math.tanh(0.5), Math.tanh(0.5), 0.25, 0.25], 1e-6);
  expect([...y.subarray(4, 8)]).toEqual([Number.NaN, 1, expect.closeTo(10000, 1), 10000]);
  expect(y[10]).toBeNaN();
  expect(y[11]).toBe(9);
});

// -----------------------------------------------------------------------------------------------------------
// reductions

test('sums by simdgroups, of three types', () => {
  const on = library('reduce');
  const n = 5000;
  const x = noise(n);
  const exact = x.reduce((s, v) => s + v, 0);
  const total = (p: ArrayLike<number>): number => Array.from(p).reduce((s, v) => s + v, 0);
  const launch = { grid: [3], threadgroup: [160] } as const;
  const partial = floats(3);
  run(on, { kernel: 'sum_f32', buffers: [x, partial, uints(1, () => n)], ...launch });
  near([total(partial)], [exact], 1e-4);
  const h = shorts(n, (i) => halfBits(x[i]!));
  run(on, { kernel: 'sum_f16', buffers: [h, partial, uints(1, () => n)], ...launch });
  near([total(partial)], [h.reduce((s, v) => s + halfValue(v), 0)], 1e-4);
  const bytes = Uint8Array.from({ length: n }, (_, i) => (i * 37) % 251);
  const counts = uints(3);
  run(on, { kernel: 'sum_u8', buffers: [bytes, counts, uints(1, () => n)], ...launch });
  expect(total(counts)).toBe(total(bytes));
});

test('a tree in threadgroup memory of the host', () => {
  const x = ints(512, (i) => ((i * 7919) % 1000) - 500);
  const y = ints(4);
  run(library('reduce'), {
    kernel: 'tree_max',
    buffers: [x, y],
    threadgroupLengths: [512],
    grid: [4],
    threadgroup: [128],
  });
  expect([...y]).toEqual([0, 1, 2, 3].map((g) => Math.max(...x.subarray(128 * g, 128 * g + 128))));
});

test('softmax of rows', () => {
  const x = noise(3 * 300, 3).map((v) => v * 20);
  const y = floats(900);
  run(library('reduce'), {
    kernel: 'softmax',
    buffers: [x, y, ints(1, () => 300)],
    grid: [3],
    threadgroup: [96],
  });
  const expected = [0, 1, 2].flatMap((r) => {
    const row = [...x.subarray(300 * r, 300 * r + 300)];
    const top = Math.max(...row);
    const e = row.map((v) => Math.exp(v - top));
    const sum = e.reduce((s, v) => s + v, 0);
    return e.map((v) => v / sum);
  });
  near(y, expected, 1e-5);
});

test('layer norm with bfloat weights', () => {
  const [rows, n] = [3, 77];
  const x = noise(rows * n);
  const weight = shorts(n, (i) => bfloatBits(1 + i / 64));
  const bias = shorts(n, (i) => bfloatBits(-i / 32));
  const y = floats(rows * n);
  run(library('reduce'), {
    kernel: 'layer_norm',
    buffers: [x, weight, bias, y, Float32Array.of(1e-5), uints(1, () => n)],
    grid: [1, rows],
    threadgroup: [32],
  });
  const expected = [0, 1, 2].flatMap((r) => {
    const row = [...x.subarray(r * n, r * n + n)];
    const mean = row.reduce((s, v) => s + v, 0) / n;
    const variance = row.reduce((s, v) => s + (v - mean) ** 2, 0) / n;
    return row.map(
      (v, i) =>
        ((v - mean) / Math.sqrt(variance + 1e-5)) * bfloatValue(weight[i]!) + bfloatValue(bias[i]!),
    );
  });
  near(y, expected, 1e-5);
});

test('a scan', () => {
  const x = uints(128, (i) => (i * 31) % 17);
  const y = uints(128);
  run(library('reduce'), { kernel: 'scan', buffers: [x, y], grid: [1], threadgroup: [128] });
  let sum = 0;
  expect([...y]).toEqual([...x].map((v) => (sum += v)));
});

// -----------------------------------------------------------------------------------------------------------
// tiles

test('transposition through a padded tile', () => {
  const [w, h] = [37, 21];
  const x = noise(w * h);
  const y = floats(w * h);
  run(library('tiles'), {
    kernel: 'transpose2d',
    buffers: [x, y, ints(2, (i) => [w, h][i]!)],
    grid: [3, 2],
    threadgroup: [16, 16],
  });
  expect(y).toEqual(floats(w * h, (i) => x[(i % h) * w + Math.floor(i / h)]!));
});

function product(
  a: (r: number, k: number) => number,
  b: (k: number, c: number) => number,
  [m, n, k]: readonly [number, number, number],
): Float32Array {
  return floats(m * n, (i) => {
    let s = 0;
    for (let t = 0; t < k; t++) s += a(Math.floor(i / n), t) * b(t, i % n);
    return s;
  });
}

test('a tiled product with ragged edges', () => {
  const [m, n, k] = [19, 13, 30] as const;
  const a = noise(m * k);
  const b = noise(k * n, 9);
  const c = floats(m * n);
  run(library('tiles'), {
    kernel: 'matmul_8',
    buffers: [a, b, c, uints(3, (i) => [m, n, k][i]!)],
    grid: [2, 3],
    threadgroup: [8, 8],
  });
  near(
    c,
    product(
      (r, t) => a[r * k + t]!,
      (t, j) => b[t * n + j]!,
      [m, n, k],
    ),
    1e-5,
  );
});

test('a product of simdgroup matrices, half inputs and float sums', () => {
  const [m, n, k] = [64, 32, 48] as const;
  const a = shorts(m * k, (i) => halfBits(Math.sin(i)));
  const b = shorts(k * n, (i) => halfBits(Math.cos(3 * i)));
  const c = floats(m * n);
  run(library('tiles'), {
    kernel: 'gemm',
    buffers: [a, b, c, ints(1, () => n), ints(1, () => k)],
    grid: [1, 2],
    threadgroup: [128],
  });
  const expected = product(
    (r, t) => halfValue(a[r * k + t]!) / 2,
    (t, j) => halfValue(b[t * n + j]!),
    [m, n, k],
  );
  near(c, expected, 1e-5);
});

test('attention of one simdgroup per query', () => {
  const [queries, keys, d] = [3, 11, 64];
  const q = noise(queries * d);
  const k = noise(keys * d, 4);
  const v = noise(keys * d, 8);
  const o = floats(queries * d);
  run(library('tiles'), {
    kernel: 'attention_64',
    buffers: [q, k, v, o, ints(1, () => keys), Float32Array.of(0.125)],
    grid: [queries],
    threadgroup: [32],
  });
  const expected = floats(queries * d);
  for (let i = 0; i < queries; i++) {
    const scores = Array.from({ length: keys }, (_, t) => {
      let s = 0;
      for (let c = 0; c < d; c++) s += q[i * d + c]! * k[t * d + c]!;
      return Math.exp(s / 8);
    });
    const sum = scores.reduce((s, e) => s + e, 0);
    for (let c = 0; c < d; c++) {
      expected[i * d + c] = scores.reduce((s, e, t) => s + (e / sum) * v[t * d + c]!, 0);
    }
  }
  near(o, expected, 1e-5);
});

// -----------------------------------------------------------------------------------------------------------
// programs

test('a histogram in two levels of atomics', () => {
  const x = Uint8Array.from({ length: 1000 }, (_, i) => (i * i) % 256);
  const counts = uints(16);
  run(library('programs'), {
    kernel: 'histogram',
    buffers: [x, counts, uints(1, () => 1000)],
    grid: [8],
    threadgroup: [128],
  });
  expect(counts).toEqual(uints(16, (b) => x.filter((v) => v % 16 === b).length));
});

test('a maximum by compare and exchange', () => {
  const x = noise(256, 11);
  const most = Float32Array.of(-5);
  run(library('programs'), {
    kernel: 'atomic_max_float',
    buffers: [x, most],
    grid: [4],
    threadgroup: [64],
  });
  expect(most[0]).toBe(Math.max(...x));
});

test('bitonic sort', () => {
  const x = ints(256, (i) => (i * 7919) % 1009);
  const sorted = x.slice().sort();
  run(library('programs'), { kernel: 'bitonic', buffers: [x], grid: [1], threadgroup: [256] });
  expect(x).toEqual(sorted);
});

test('a stencil over threadgroups that are smaller at the edges', () => {
  const [w, h] = [21, 10];
  const x = noise(w * h);
  const y = floats(w * h);
  const edge = uints(w * h);
  run(library('programs'), {
    kernel: 'blur',
    buffers: [x, y, edge],
    grid: [w, h],
    threadgroup: [8, 4],
    nonuniform: true,
  });
  const clamped = (v: number, n: number): number => Math.min(Math.max(v, 0), n - 1);
  const expected = floats(w * h, (i) => {
    let s = 0;
    for (const dy of [-1, 0, 1]) {
      for (const dx of [-1, 0, 1]) {
        s += x[clamped(Math.floor(i / w) + dy, h) * w + clamped((i % w) + dx, w)]!;
      }
    }
    return s / 9;
  });
  near(y, expected, 1e-6);
  expect(edge).toEqual(uints(w * h, (i) => Number(i % w >= 16 || Math.floor(i / w) >= 8)));
});

test('mandelbrot', () => {
  const out = shorts(24 * 16);
  run(library('programs'), {
    kernel: 'mandelbrot',
    buffers: [out, Float32Array.of(-2, -1, 1, 1)],
    grid: [24, 16],
    threadgroup: [8, 8],
    nonuniform: true,
  });
  expect(out).toEqual(
    shorts(24 * 16, (i) => {
      const c = [
        f(-2 + f(3 * f((i % 24) / 24))),
        f(-1 + f(2 * f(Math.floor(i / 24) / 16))),
      ] as const;
      let [x, y, n] = [0, 0, 0];
      for (; n < 50 && f(f(x * x) + f(y * y)) <= 4; n++) {
        [x, y] = [f(f(f(x * x) - f(y * y)) + c[0]), f(f(f(2 * x) * y) + c[1])];
      }
      return n;
    }),
  );
});

test('bodies that attract each other', () => {
  const bodies = noise(4 * 128, 21);
  const force = floats(4 * 128);
  run(library('programs'), {
    kernel: 'nbody',
    buffers: [bodies, force, uints(1, () => 128)],
    grid: [2],
    threadgroup: [64],
  });
  const at = (i: number): readonly number[] => [...bodies.subarray(4 * i, 4 * i + 3)];
  const expected = floats(4 * 128, (i) => {
    if (i % 4 === 3) return 0;
    let s = 0;
    for (let j = 0; j < 128; j++) {
      const d = at(j).map((v, c) => v - at(i >> 2)[c]!);
      const r2 = d.reduce((t, v) => t + v * v, 0.01);
      s += (bodies[4 * j + 3]! * d[i % 4]!) / r2 ** 1.5;
    }
    return s;
  });
  // a float3 is as large as a float4; its last four bytes are nobody's
  const three = (a: Float32Array): Float32Array => a.filter((_, i) => i % 4 < 3);
  near(three(force), three(expected), 1e-4);
});

test('philox', () => {
  const out = uints(4 * 40);
  run(library('programs'), {
    kernel: 'philox',
    buffers: [uints(2, (i) => [0xdeadbeef, 42][i]!), out],
    grid: [2],
    threadgroup: [20],
  });
  const expected = Array.from({ length: 40 }, (_, i) => {
    let c = [BigInt(i), 0n, 0n, 0n] as [bigint, bigint, bigint, bigint];
    let [k0, k1] = [0xdeadbeefn, 42n];
    for (let round = 0; round < 10; round++) {
      const [p, q] = [0xd2511f53n * c[0], 0xcd9e8d57n * c[2]];
      const low = 0xffffffffn;
      c = [(q >> 32n) ^ c[1] ^ k0, q & low, (p >> 32n) ^ c[3] ^ k1, p & low];
      [k0, k1] = [(k0 + 0x9e3779b9n) & low, (k1 + 0xbb67ae85n) & low];
    }
    return c.map(Number);
  });
  expect([...out]).toEqual(expected.flat());
});

test('a word in a text', () => {
  const text = new TextEncoder().encode(`${'the cat sat on the mat; '.repeat(9)}dog, cat and dog`);
  const word = new TextEncoder().encode('dog');
  const first = ints(1, () => 1e9);
  run(library('programs'), {
    kernel: 'find',
    buffers: [text, word, uints(2, (i) => [text.length, word.length][i]!), first],
    grid: [text.length],
    threadgroup: [64],
    nonuniform: true,
  });
  expect(first[0]).toBe(216);
});

test('function constants: modes and optional arguments', () => {
  const x = (): Float32Array => Float32Array.of(-2, -1, 1, 2);
  const bias = Float32Array.of(1.5, 0, 0, -4);
  const launch = { kernel: 'activate', grid: [4], threadgroup: [1] } as const;
  const plain = x();
  run(library('programs', { constants: new Map([[0, 'false']]) }), {
    ...launch,
    buffers: [plain, null],
  });
  expect([...plain]).toEqual([-2, -1, 1, 2]);
  const both = x();
  const constants = new Map([
    [0, 'true'],
    [1, '1'],
  ]);
  run(library('programs', { constants }), { ...launch, buffers: [both, bias] });
  expect([...both]).toEqual([0, 0, 1, 0]);
});

test('copies between strided arrays', () => {
  const shape = [4, 5, 6];
  const from = Uint8Array.from({ length: 120 }, (_, i) => i);
  const to = new Uint8Array(120);
  run(library('programs'), {
    kernel: 'copy_u8',
    buffers: [from, to, Int32Array.of(...shape, 30, 6, 1, 1, 4, 20)],
    grid: [6, 5, 4],
    threadgroup: [4, 1, 3],
    nonuniform: true,
  });
  expect([...to]).toEqual(
    Array.from(
      { length: 120 },
      (_, i) => (i % 4) * 30 + (Math.floor(i / 4) % 5) * 6 + Math.floor(i / 20),
    ),
  );
});

test('members of objects that have names and of temporaries', () => {
  const x = noise(32);
  const y = floats(128);
  run(library('members'), { kernel: 'members', buffers: [x, y], grid: [1], threadgroup: [32] });
  expect(y).toEqual(
    floats(128, (i) => {
      const v = x[i >> 2]!;
      const sum = f(f(f(3 + v) + 1) + v);
      return [f(f(f(v + 4) + 3) + 3), sum, f(f(v + 3) / 2), 14][i % 4]!;
    }),
  );
});

test('idioms of libraries: functions as template arguments, names made by macros, unions, quantised blocks', () => {
  const on = library('idioms');
  expect(on.kernels).toEqual([
    'kernel_multiply',
    'row_reduce_f32',
    'row_reduce_i32',
    'row_reduce_u8',
    'misc',
  ]);
  const x = ints(3 * 100, (i) => ((i * 7919) % 1000) - 500);
  const y = ints(3);
  run(on, {
    kernel: 'row_reduce_i32',
    buffers: [x, y, BigInt64Array.of(100n), ints(1)],
    grid: [1, 3],
    threadgroup: [32],
  });
  expect([...y]).toEqual([0, 1, 2].map((r) => Math.max(...x.subarray(100 * r, 100 * r + 100))));
});

// -----------------------------------------------------------------------------------------------------------
// lanes

test('shuffles', () => {
  const out = uints(32 * 12);
  run(library('lanes'), { kernel: 'shuffles', buffers: [out], grid: [1], threadgroup: [32] });
  const expected = Array.from({ length: 32 }, (_, l) => [
    (31 - l) * 10,
    (l < 3 ? l : l - 3) * 10,
    (l > 28 ? l : l + 3) * 10,
    ((l + 29) % 32) * 10,
    ((l + 3) % 32) * 10,
    (l ^ 5) * 10,
    70,
    l < 30 ? (l + 2) * 10 : l - 30 + 1000,
    l % 8 >= 2 ? (l - 2) * 10 : Math.floor(l / 8) * 8 + 6 + (l % 8) + 1000,
    Math.abs(l * (l - 1)) / 2,
    12 + 64,
    -7 >>> 0,
  ]);
  expect([...out]).toEqual(expected.flat());
});

test('quads', () => {
  const out = floats(4 * 40);
  run(library('lanes'), { kernel: 'quads', buffers: [out], grid: [1], threadgroup: [40] });
  const square = (i: number): number => i * i;
  const expected = Array.from({ length: 40 }, (_, i) => {
    const q = i - (i % 4);
    const four = [0, 1, 2, 3].map((k) => square(q + k));
    const sum = (n: number): number => four.slice(0, n).reduce((s, v) => s + v, 0);
    return [sum(4), four[2]!, four[(i % 4) ^ 1]!, sum((i % 4) + 1) + (i % 4) / 4];
  });
  expect([...out]).toEqual(expected.flat());
});

test('ballots compact a stream', () => {
  const x = ints(96, (i) => ((i * 5) % 7) - 3);
  const out = ints(96);
  const kept = uints(3);
  run(library('lanes'), {
    kernel: 'compact',
    buffers: [x, out, kept],
    grid: [3],
    threadgroup: [32],
  });
  for (const g of [0, 1, 2]) {
    const positive = [...x.subarray(32 * g, 32 * g + 32)].filter((v) => v > 0);
    expect(kept[g]).toBe(positive.length);
    expect([...out.subarray(32 * g, 32 * g + positive.length)]).toEqual(positive);
  }
});

test('a simdgroup that is not full', () => {
  const out = floats(20);
  run(library('lanes'), {
    kernel: 'partial',
    buffers: [floats(10, (i) => i), out],
    grid: [1],
    threadgroup: [10],
  });
  expect([...out]).toEqual(Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? 45 : 10)));
});

test('fragments of matrices lie in lanes as on Apple GPUs', () => {
  const x = floats(64, (i) => i);
  const out = floats(128);
  run(library('lanes'), { kernel: 'fragments', buffers: [x, out], grid: [1], threadgroup: [32] });
  const expected = Array.from({ length: 32 }, (_, lane) => {
    const q = Math.floor(lane / 4);
    const row = (q & 4) + (Math.floor(lane / 2) % 4);
    const column = (q & 2) * 2 + (lane % 2) * 2;
    return [column * 8 + row, (column + 1) * 8 + row];
  });
  expect([...out.subarray(0, 64)]).toEqual(expected.flat());
  expect(out.subarray(64)).toEqual(floats(64, (i) => (i % 8) * 8 + Math.floor(i / 8)));
});

// -----------------------------------------------------------------------------------------------------------
// libraries

test('structs that live in every address space, and choices between them', () => {
  const input = noise(16);
  const plain = new Uint32Array(floats(16, (i) => i / 2).buffer.slice(0));
  const wholes = ints(16, (i) => 3 * i);
  for (let i = 1; i < 16; i += 2) plain[i] = new Uint32Array(wholes.buffer)[i]!;
  const out = floats(16);
  run(library('libraries'), {
    kernel: 'choose_pairs',
    buffers: [input, out, plain, uints(1, () => 5)],
    grid: [1],
    threadgroup: [8],
  });
  const expected = floats(16, (k) => {
    const i = Math.floor(k / 2);
    const [a, b] = [input[2 * i]!, input[2 * i + 1]!];
    const [p, q] = i % 2 === 0 ? [i, 6 * i + 3] : [0, 0];
    const [x, y] = i < 5 ? [a, b] : [0, 0];
    return k % 2 === 0 ? x + p : y + q + (a + b) + (x + y);
  });
  near(out, expected, 1e-6);
});

test('lists and temporaries as arguments, vectors that templates deduce', () => {
  const out = floats(24);
  run(library('libraries'), {
    kernel: 'arguments',
    buffers: [out, ints(3, (i) => [4, 3, 2][i]!)],
    grid: [4, 3, 2],
    threadgroup: [2, 3, 1],
    nonuniform: true,
  });
  expect([...out]).toEqual(
    Array.from({ length: 24 }, (_, i) => 2 * (3 + i + 1) + (i + 2) + Number(i < 4) + 3 * i),
  );
});

test('bfloats beside integers, through float, and by functions of a library', () => {
  const out = shorts(32);
  const wide = floats(32);
  run(library('libraries'), {
    kernel: 'bfloats',
    buffers: [shorts(1, () => bfloatBits(1.5)), out, wide],
    grid: [1],
    threadgroup: [32],
  });
  const rounded = (v: number): number => bfloatValue(bfloatBits(v));
  const x = floats(32, (i) => rounded(1.5 + rounded(i * i)));
  expect([...out].map(bfloatValue)).toEqual([...x].map((_, i) => rounded(x[i ^ 1]! + 2)));
  near(
    wide,
    x.map((v) => v + Math.max(v, 1.5) + f(v * v + v)),
    1e-6,
  );
});

test('templates of kernels with one name, and arguments that follow from parameters', () => {
  const on = library('libraries');
  const out = floats(16);
  expect(on.describe('fill_4').maxThreads).toBe(32);
  run(on, { kernel: 'fill_4', buffers: [out], grid: [1], threadgroup: [16] });
  expect([...out]).toEqual(Array.from({ length: 16 }, (_, i) => i % 4));
  const halves = shorts(16, (i) => halfBits(i / 4));
  run(on, { kernel: 'fill_from_half', buffers: [out, halves], grid: [1], threadgroup: [16] });
  expect([...out]).toEqual(Array.from({ length: 16 }, (_, i) => i / 4));
  run(on, {
    kernel: 'fill_twice',
    buffers: [out, uints(16, (i) => i)],
    grid: [1],
    threadgroup: [16],
  });
  expect([...out]).toEqual(Array.from({ length: 16 }, (_, i) => 2 * i));
  const x = floats(16, (i) => i);
  run(on, { kernel: 'copy_float', buffers: [x, out], grid: [1], threadgroup: [16] });
  expect([...out]).toEqual([...x].map((v) => v + 2));
  const copied = shorts(16);
  run(on, { kernel: 'copy_half', buffers: [halves, copied], grid: [1], threadgroup: [16] });
  expect([...copied].map(halfValue)).toEqual(Array.from({ length: 16 }, (_, i) => i / 4 + 3));
});

test('what nobody wrote may be read where nobody uses it', () => {
  const x = noise(96);
  const out = floats(96);
  run(library('libraries'), { kernel: 'offsets', buffers: [x, out], grid: [1], threadgroup: [96] });
  const sums = x.map((_, i) => x.subarray(0, i).reduce((sum, v) => sum + v, 0));
  near(out, sums, 1e-6);
});

test('threadgroups may write the same over the same', () => {
  const x = noise(50);
  const out = floats(50);
  run(library('libraries'), {
    kernel: 'whole_blocks',
    buffers: [x, out, floats(4), uints(1, () => 50)],
    grid: [2],
    threadgroup: [32],
  });
  expect(out).toEqual(x.map((v) => 2 * v));
});

test('lambdas, fences and logs from version 3.2 on, and macros that the host gives', () => {
  const source = `#include <metal_stdlib>
#include <metal_logging>
using namespace metal;
constant os_log logger("mlxc", "test");
kernel void scaled(volatile coherent(device) device float* x [[buffer(0)]], uint i [[thread_position_in_grid]]) {
  const auto scale = [&](float by) { return by * x[i]; };
  x[i] = scale(FACTOR);
  logger.log_debug("%d", i);
  atomic_thread_fence(mem_flags::mem_device, memory_order_seq_cst, thread_scope_device);
}`;
  const macros = new Map([['FACTOR', '3.0f']]);
  const x = floats(8, (i) => i);
  run(compile(source, { language: 320, macros }), {
    kernel: 'scaled',
    buffers: [x],
    grid: [1],
    threadgroup: [8],
  });
  expect([...x]).toEqual([0, 3, 6, 9, 12, 15, 18, 21]);
  expect(() => compile(source, { macros })).toThrow(/before 3.2|os_log/);
});

test('products of 64 bits, their high halves and their ends', () => {
  const ends = [0n, 1n, -1n, 7n, -12345678901n, 2n ** 62n, 2n ** 63n - 1n, -(2n ** 63n), 3n ** 30n];
  const triples = ends.flatMap((a) => ends.flatMap((b) => ends.map((c) => [a, b, c] as const)));
  const out = new BigInt64Array(2 * triples.length);
  const unsigned = new BigInt64Array(2 * triples.length);
  run(library('libraries'), {
    kernel: 'long_products',
    buffers: [BigInt64Array.from(triples.flat()), out, unsigned],
    grid: [triples.length],
    threadgroup: [1],
  });
  const word = (x: bigint): bigint => BigInt.asIntN(64, x);
  const natural = (x: bigint): bigint => BigInt.asUintN(64, x);
  const between = (x: bigint, low: bigint, high: bigint): bigint =>
    x < low ? low : x > high ? high : x;
  expect([...out]).toEqual(
    triples.flatMap(([a, b, c]) => [
      word(((a * b) >> 64n) + c),
      between(a * b + c, -(2n ** 63n), 2n ** 63n - 1n),
    ]),
  );
  expect([...unsigned].map(natural)).toEqual(
    triples
      .map((t) => t.map(natural))
      .flatMap(([a, b, c]) => [
        natural(((a! * b!) >> 64n) + c!),
        between(a! * b! + c!, 0n, 2n ** 64n - 1n),
      ]),
  );
});

test('bits put into vectors, colours and flags', () => {
  const out = uints(16);
  const colours = floats(64);
  const winners = uints(1);
  run(library('libraries'), {
    kernel: 'bits_and_flags',
    buffers: [out, colours, new Uint8Array(4), winners],
    grid: [2],
    threadgroup: [8],
  });
  const exponent = (i: number): number => 127 + Math.floor(Math.log2(i + 1));
  expect([...out]).toEqual([...uints(16, (i) => ((0xfffff00f | (i << 4)) >>> 0) - exponent(i))]);
  near(
    colours,
    floats(64, (i) => Math.floor(i / 4) / 15),
    5e-3,
  );
  expect(winners[0]).toBe(1);
});

// -----------------------------------------------------------------------------------------------------------
// dialects

test('arrays with an index for each address space, beside functions of the graphics pipeline', () => {
  const rows = floats(24, (i) => i + 1);
  const expected = floats(24, (i) => {
    const [row, k] = [Math.floor(i / 3), i % 3];
    return ((7 - row) * 3 + k + 1) * 2 ** k;
  });
  run(library('dialects'), {
    kernel: 'fixed_arrays',
    buffers: [rows],
    grid: [1],
    threadgroup: [8],
  });
  expect(rows).toEqual(expected);
});

test('scalars become elements of narrower vectors; lists leave components out', () => {
  const h = shorts(32, (i) => halfBits(i / 4));
  const s = shorts(16, (i) => 250 + i);
  const out = floats(32);
  run(library('dialects'), {
    kernel: 'narrow_vectors',
    buffers: [h, s, out, floats(1, () => 3), ints(1, () => 2)],
    grid: [1],
    threadgroup: [8],
  });
  const step = (i: number): number => (i / 4) * 3 + 0.5 - 3;
  expect(Array.from(h, halfValue)).toEqual(
    Array.from(h, (_, i) => (Math.floor(i / 4) % 2 === 0 ? step(i) : 0)),
  );
  expect(s).toEqual(shorts(16, (i) => ((252 + i) & 0xff) << 1));
  expect(out).toEqual(floats(32, (i) => 0.25 + [4, 0, 2, Math.floor(i / 4)][i % 4]!));
});

test('the short floats are cast to each other', () => {
  const h = shorts(32, (i) => halfBits(1 + i / 4));
  const b = shorts(32);
  const back = shorts(32);
  run(library('dialects'), {
    kernel: 'short_casts',
    buffers: [h, b, back],
    grid: [1],
    threadgroup: [32],
  });
  expect(Array.from(b, bfloatValue)).toEqual(Array.from(h, (_, i) => 1 + i / 4));
  expect(Array.from(back, halfValue)).toEqual(Array.from(h, (_, i) => -1 - i / 4));
});

test('kernels named after functions, functions found by the type of a template parameter, names of types as variables', () => {
  const on = library('dialects');
  const a = noise(32);
  const b = noise(32, 4);
  const out = floats(32);
  run(on, { kernel: 'fmax_f32', buffers: [a, b, out], grid: [1], threadgroup: [32] });
  near(
    out,
    a.map((v, i) => Math.max(v, b[i]!) / 2 + 3),
    1e-6,
  );
  const packed = Uint8Array.from({ length: 64 }, (_, i) => i * 5);
  const value = (i: number): number => packed[2 * i]! + 256 * ((packed[2 * i + 1]! << 24) >> 24);
  for (const kernel of ['unpack_f32', 'unpack_i32']) {
    run(on, { kernel, buffers: [packed, out], grid: [1], threadgroup: [32] });
    expect(out).toEqual(floats(32, value));
  }
  const words = uints(32, (i) => 100 * i);
  const sums = uints(8);
  run(on, { kernel: 'plain_names', buffers: [words, sums], grid: [1], threadgroup: [8] });
  expect(sums).toEqual(uints(8, (i) => 303 * i));
});

test('a choice between an object and a value', () => {
  const z = Float32Array.from([1, 2, -1, 2, 3, -1]);
  run(library('dialects'), { kernel: 'turns', buffers: [z], grid: [1], threadgroup: [3] });
  expect(Array.from(z)).toEqual([-3, 4, -1, 2, 8, -6]);
});

test('function constants are numbered by expressions', () => {
  const constants = new Map([
    [40, '3'],
    [41, '7'],
  ]);
  const out = ints(8);
  run(library('dialects', { constants }), {
    kernel: 'counted_constants',
    buffers: [out],
    grid: [1],
    threadgroup: [8],
  });
  expect(out).toEqual(ints(8, (i) => 3 * i + 7));
});

test('what looks like wrong Metal and is none is accepted', () => {
  const on = compile(`#include <metal_stdlib>
using namespace metal;
enum BufferIndex { kIn = 0, kOut = 3 };
constant constexpr int kMore = 4;
kernel void a(device float* x [[buffer(kIn)]], device float* y [[buffer(kOut)]], device float* z [[buffer(kMore + 1)]],
    unsigned int i [[thread_position_in_grid]]) {
  float mean = x[i], std = sqrt(mean), vertices = 2;
  y[i] = mean / std + vertices;
  z[i] = y[i];
}
namespace first { kernel void k(device float* x [[buffer(0)]]) { x[0] = 1; } }
namespace second { kernel void k(device float* x [[buffer(0)]]) { x[0] = 2; } }
`);
  expect(on.kernels).toEqual(['a', 'first::k', 'second::k']);
  const [y, z] = [floats(1), floats(1)];
  run(on, {
    kernel: 'a',
    buffers: [Float32Array.of(4), null, null, y, null, z],
    grid: [1],
    threadgroup: [1],
  });
  expect([y[0], z[0]]).toEqual([4, 4]);
});
