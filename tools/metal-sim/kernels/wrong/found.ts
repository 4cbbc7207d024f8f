/** Metal that compiles and is wrong: what the engine says, and of which line. */
import type { Launch } from '../../driver/native.ts';

export interface Found {
  readonly name: string;
  readonly source: string;
  readonly kind: string;
  /** One of these: which depends on the order of threads. */
  readonly lines: readonly number[];
  readonly message?: RegExp;
  readonly launch?: Partial<Launch>;
  /** Bytes of each buffer; 256 and 256 when not given. */
  readonly bytes?: readonly number[];
}

/** A kernel `k` with two buffers of 64 floats, whose body begins at line 5. */
const body = (text: string, first: string = 'device float* x [[buffer(0)]]'): string =>
  `#include <metal_stdlib>\nusing namespace metal;\nkernel void k(${first}, device float* y [[buffer(1)]], uint i [[thread_position_in_grid]],\n    uint lid [[thread_position_in_threadgroup]], uint lane [[thread_index_in_simdgroup]], uint group [[threadgroup_position_in_grid]]) {\n${text}\n}\n`;

export const found: readonly Found[] = [
  // bounds
  {
    name: 'a read past the end',
    source: body('  y[i] = x[i + 1];'),
    kind: 'out-of-bounds',
    lines: [5],
    message: /reads 4 bytes at byte 256 of buffer\(0\), which has 256/,
  },
  {
    name: 'a write past the end',
    source: body('  x[i * 2] = 1;'),
    kind: 'out-of-bounds',
    lines: [5],
    message: /writes/,
  },
  {
    name: 'a read before the start',
    source: body('  y[i] = x[int(i) - 1];'),
    kind: 'out-of-bounds',
    lines: [5],
    message: /byte -4 of buffer\(0\)/,
  },
  {
    name: 'an off by one of a loop',
    source: body('  float s = 0;\n  for (uint j = 0; j <= 64; j++) s += x[j];\n  y[i] = s;'),
    kind: 'out-of-bounds',
    lines: [6],
  },
  {
    name: 'a guard forgotten where the grid is larger than the data',
    source: body('  x[i] = 2;'),
    kind: 'out-of-bounds',
    lines: [5],
    launch: { grid: [3] },
  },
  {
    name: 'a float4 where a float3 array was meant',
    source: body('  device float4* v = (device float4*)x;\n  y[i] = v[i].x;'),
    kind: 'out-of-bounds',
    lines: [6],
  },
  {
    name: 'a threadgroup array overrun',
    source: body(
      '  threadgroup float t[32];\n  t[lid] = 1;\n  threadgroup_barrier(mem_flags::mem_threadgroup);\n  y[i] = t[lid + 1];',
    ),
    kind: 'out-of-bounds',
    lines: [8],
  },
  {
    name: 'a threadgroup array overrun through a pointer',
    source: body(
      '  threadgroup float t[32];\n  threadgroup float* p = t;\n  p[lid + 16] = 1;\n  y[i] = 0;',
    ),
    kind: 'out-of-bounds',
    lines: [7],
  },
  {
    name: 'threadgroup memory of the host, too short',
    source: `#include <metal_stdlib>\nusing namespace metal;\nkernel void k(threadgroup float* t [[threadgroup(0)]], uint lid [[thread_position_in_threadgroup]]) {\n  t[lid] = 1;\n}\n`,
    kind: 'out-of-bounds',
    lines: [4],
    launch: { threadgroupLengths: [64] },
  },
  {
    name: 'a local array overrun',
    source: body('  float t[4] = {1, 2, 3, 4};\n  y[i] = t[i % 5];'),
    kind: 'out-of-bounds',
    lines: [6],
  },
  {
    name: 'a table of program scope overrun',
    source: `#include <metal_stdlib>\nusing namespace metal;\nconstant float table[4] = {1, 2, 3, 4};\nkernel void k(device float* x [[buffer(0)]], uint i [[thread_position_in_grid]]) {\n  x[i] = table[i];\n}\n`,
    kind: 'out-of-bounds',
    lines: [5],
  },
  {
    name: 'an overrun in a function that a kernel calls',
    source: `#include <metal_stdlib>\nusing namespace metal;\nstatic float pair(const device float* p, uint i) {\n  return p[i] + p[i + 32];\n}\nkernel void k(device float* x [[buffer(0)]], device float* y [[buffer(1)]], uint i [[thread_position_in_grid]]) {\n  y[i] = pair(x, i);\n}\n`,
    kind: 'out-of-bounds',
    lines: [4],
  },
  {
    name: 'a simdgroup matrix stored over the edge',
    source: body('  simdgroup_float8x8 m(1.0f);\n  simdgroup_store(m, x + 1, 8);'),
    kind: 'out-of-bounds',
    lines: [6],
    launch: { grid: [1] },
  },
  {
    name: 'an atomic outside of its array',
    source: body(
      '  atomic_fetch_add_explicit(&x[i + 32], 1u, memory_order_relaxed);',
      'device atomic_uint* x [[buffer(0)]]',
    ),
    kind: 'out-of-bounds',
    lines: [5],
  },
  {
    name: 'a constant buffer that is too short',
    source: `#include <metal_stdlib>\nusing namespace metal;\nstruct P { uint a, b; };\nkernel void k(constant P& p [[buffer(0)]], device float* y [[buffer(1)]], uint i [[thread_position_in_grid]]) {\n  y[i] = p.b;\n}\n`,
    kind: 'out-of-bounds',
    lines: [5],
    bytes: [4, 256],
  },
  {
    name: 'a buffer that was released',
    source: body('  y[i] = x[i];'),
    kind: 'use-after-release',
    lines: [5],
    launch: { released: true },
  },
  {
    name: 'a misaligned vector',
    source: body('  device float4* v = (device float4*)(x + 1);\n  v[0] = float4(1);'),
    kind: 'misaligned',
    lines: [6],
    launch: { grid: [1], threadgroup: [1] },
  },
  // races
  {
    name: 'a neighbour read without a barrier',
    source: body(
      '  threadgroup float t[32];\n  t[lid] = 0;\n  threadgroup_barrier(mem_flags::mem_threadgroup);\n  t[lid] = x[i];\n  y[i] = t[31 - lid];',
    ),
    kind: 'race',
    lines: [8, 9],
  },
  {
    name: 'a read after a write and a barrier of no memory',
    source: body(
      '  threadgroup float t[32];\n  t[lid] = i;\n  threadgroup_barrier(mem_flags::mem_none);\n  y[i] = t[31 - lid];',
    ),
    kind: 'race',
    lines: [8],
  },
  {
    name: 'a write after a write and a barrier of no memory',
    source: body(
      '  threadgroup float t[32];\n  t[lid] = i;\n  threadgroup_barrier(mem_flags::mem_none);\n  t[31 - lid] = i + 1;\n  y[i] = 0;',
    ),
    kind: 'race',
    lines: [8],
  },
  {
    name: 'a write after a read of another simdgroup and a barrier of one',
    source: body(
      '  threadgroup float t[64];\n  t[lid] = i;\n  threadgroup_barrier(mem_flags::mem_threadgroup);\n  float v = t[63 - lid];\n  simdgroup_barrier(mem_flags::mem_none);\n  t[lid] = v + 1;\n  y[i] = 0;',
    ),
    kind: 'race',
    lines: [8, 10],
    launch: { grid: [1], threadgroup: [64] },
  },
  {
    name: 'a barrier for the wrong memory',
    source: body(
      '  threadgroup float t[32];\n  t[lid] = x[i];\n  threadgroup_barrier(mem_flags::mem_device);\n  y[i] = t[31 - lid];',
    ),
    kind: 'race',
    lines: [8],
  },
  {
    name: 'a barrier for threadgroup memory, data in device memory',
    source: body(
      '  x[i] = i;\n  threadgroup_barrier(mem_flags::mem_threadgroup);\n  y[i] = x[i ^ 1];',
    ),
    kind: 'race',
    lines: [7],
  },
  {
    name: 'the second barrier of a loop forgotten',
    source: body(
      '  threadgroup float t[32];\n  float s = 0;\n  for (int k = 0; k < 4; k++) {\n    t[lid] = x[i] + k;\n    threadgroup_barrier(mem_flags::mem_threadgroup);\n    s += t[31 - lid];\n  }\n  y[i] = s;',
    ),
    kind: 'race',
    lines: [8, 10],
  },
  {
    name: 'a barrier of the simdgroup where the threadgroup has two',
    source: body(
      '  threadgroup float t[64];\n  t[lid] = x[lid];\n  simdgroup_barrier(mem_flags::mem_threadgroup);\n  y[lid] = t[63 - lid];',
    ),
    kind: 'race',
    lines: [8],
    launch: { grid: [1], threadgroup: [64] },
  },
  {
    name: 'two threadgroups that write one place',
    source: body('  x[lid] = group;'),
    kind: 'race',
    lines: [5],
    message: /threadgroup/,
  },
  {
    name: 'a threadgroup that reads what another writes',
    source: body('  x[i] = i;\n  y[i] = x[(i + 32) % 64];'),
    kind: 'race',
    lines: [5, 6],
  },
  { name: 'a sum without atomics', source: body('  y[0] += x[i];'), kind: 'race', lines: [5] },
  {
    name: 'a plain read of what others change atomically',
    source: `#include <metal_stdlib>\nusing namespace metal;\nkernel void k(device atomic_uint* a [[buffer(0)]], device uint* y [[buffer(1)]], uint i [[thread_position_in_grid]]) {\n  atomic_fetch_add_explicit(a, 1u, memory_order_relaxed);\n  y[i] = *(device uint*)a;\n}\n`,
    kind: 'race',
    lines: [4, 5],
  },
  {
    name: 'a second dispatch without a barrier between',
    source: body('  y[i] = x[i] + y[63 - i];\n  x[i] = 1;'),
    kind: 'missing-barrier',
    lines: [5],
    launch: { again: 1, grid: [1], threadgroup: [1] },
  },
  // convergence
  {
    name: 'a barrier in a branch',
    source: body(
      '  threadgroup float t[32];\n  t[lid] = 1;\n  if (lid < 16) {\n    threadgroup_barrier(mem_flags::mem_threadgroup);\n  }\n  y[i] = t[lid];',
    ),
    kind: 'divergent-barrier',
    lines: [8],
  },
  {
    name: 'a return before a barrier',
    source: body(
      '  threadgroup float t[32];\n  if (i >= 60) return;\n  t[lid] = x[i];\n  threadgroup_barrier(mem_flags::mem_threadgroup);\n  y[i] = t[lid];',
    ),
    kind: 'divergent-barrier',
    lines: [8],
  },
  {
    name: 'a barrier in a loop of different lengths',
    source: body(
      '  for (uint k = 0; k < lid; k++)\n    threadgroup_barrier(mem_flags::mem_none);\n  y[i] = 0;',
    ),
    kind: 'divergent-barrier',
    lines: [6],
  },
  {
    name: 'the greatest of more simdgroups than there are',
    source: body(
      '  threadgroup float most[32];\n  const float m = simd_max(x[i]);\n  if (lane == 0) most[lid / 32] = m;\n  threadgroup_barrier(mem_flags::mem_threadgroup);\n  y[i] = simd_max(most[lane]);',
    ),
    kind: 'uninitialised',
    lines: [9],
    launch: { grid: [1], threadgroup: [64] },
  },
  {
    name: 'an index that nobody wrote',
    source: body(
      '  threadgroup uint at[64];\n  if (lid > 0) at[lid - 1] = lid;\n  threadgroup_barrier(mem_flags::mem_threadgroup);\n  y[i] = x[at[lid]];',
    ),
    kind: 'uninitialised',
    lines: [8],
    launch: { grid: [1], threadgroup: [64] },
  },
  {
    name: 'values that differ, written to one place',
    source: body('  if (lane < 2) y[group] = x[i] + float(lane);'),
    kind: 'race',
    lines: [5],
  },
  {
    name: 'simd_sum in a branch',
    source: body('  float s = 0;\n  if (lane < 5) s = simd_sum(x[i]);\n  y[i] = s;'),
    kind: 'divergent-collective',
    lines: [6],
  },
  {
    name: 'a shuffle in a loop that some lanes leave',
    source: body(
      '  float s = x[i];\n  for (uint k = 0; k < lane % 3; k++)\n    s += simd_shuffle_xor(s, 1);\n  y[i] = s;',
    ),
    kind: 'divergent-collective',
    lines: [7],
  },
  // threadgroup memory
  {
    name: 'threadgroup memory read before it is written',
    source: body('  threadgroup float t[32];\n  y[i] = t[lid];'),
    kind: 'uninitialised',
    lines: [6],
  },
  {
    name: 'a threadgroup counter that nobody sets to zero',
    source: body(
      '  threadgroup atomic_uint n;\n  atomic_fetch_add_explicit(&n, 1u, memory_order_relaxed);\n  y[i] = 0;',
    ),
    kind: 'uninitialised',
    lines: [6],
  },
  {
    name: 'only half of a tile loaded',
    source: body(
      '  threadgroup float t[64];\n  t[lid] = x[i];\n  threadgroup_barrier(mem_flags::mem_threadgroup);\n  y[i] = t[lid] + t[lid + 32];',
    ),
    kind: 'uninitialised',
    lines: [8],
  },
  {
    name: 'more than 32 KiB of threadgroup memory',
    source: body('  threadgroup float t[64 * 130];\n  t[lid] = 1;\n  y[i] = 0;'),
    kind: 'limit',
    lines: [5],
  },
  // arithmetic
  {
    name: 'an integer divided by zero',
    source: body('  y[i] = 100 / int(i);'),
    kind: 'division',
    lines: [5],
  },
  {
    name: 'a recursion without end',
    source: `#include <metal_stdlib>\nusing namespace metal;\nstatic float f(int n) { return n == 0 ? 0.0f : f(n + 1) + n; }\nkernel void k(device float* x [[buffer(0)]], uint i [[thread_position_in_grid]]) {\n  x[i] = f(int(i) + 1);\n}\n`,
    kind: 'stack-overflow',
    lines: [0],
    message: /runs out of its stack/,
  },
];
