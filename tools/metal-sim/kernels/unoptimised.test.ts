/** Libraries compiled without optimisation, as random programs are, compute what optimised ones do. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compile } from '../driver/native.ts';
import { bfloatBits, noise } from './numbers.ts';

let before: string | undefined;

beforeAll(() => {
  before = process.env['METAL_SIM_OPTIMIZE'];
  process.env['METAL_SIM_OPTIMIZE'] = '0';
});

afterAll(() => {
  if (before === undefined) delete process.env['METAL_SIM_OPTIMIZE'];
  else process.env['METAL_SIM_OPTIMIZE'] = before;
});

test('a bfloat that a function returns is kept across the branches of a check', () => {
  const library = compile(`#include <metal_stdlib>
using namespace metal;
bfloat rounded(float x) { return bfloat(x); }
kernel void narrow(const device float* x, device bfloat* y, uint i [[thread_position_in_grid]]) {
  threadgroup bfloat t[32];
  const int at = int(i);
  t[at] = rounded(x[at]);
  y[i] = t[i];
}`);
  const x = noise(32);
  const y = new Uint16Array(32);
  const launch = { kernel: 'narrow', buffers: [x, y], grid: [1], threadgroup: [32] } as const;
  expect(library.run(launch)).toEqual([]);
  expect([...y]).toEqual(Array.from(x, bfloatBits));
});
