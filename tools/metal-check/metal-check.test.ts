import { expect, test } from 'vitest';
import { checkMetal, checkMetalBatch, MissingClang } from './metal-check.ts';

const header = '#include <metal_stdlib>\n';

/** A kernel around a body. */
const kernel = (
  body: string,
  parameters = 'device float* x [[buffer(0)]]',
  threads = 256,
): string =>
  `${header}[[max_total_threads_per_threadgroup(${threads})]]\nkernel void k(\n    ${parameters},\n    uint3 group [[threadgroup_position_in_grid]],\n    uint lane [[thread_index_in_simdgroup]]) {\n  ${body}\n}\n`.replace(
    'uint3 group',
    'metal::uint3 group',
  );

const good: readonly (readonly [string, string])[] = [
  ['a map', kernel('x[group.x] = metal::exp(x[group.x]);')],
  [
    'every address space, structs and arrays',
    `${header}
struct k_Params { int n; int starts[4]; };
struct k_Buffers { const device float* x[4]; device bfloat* y; };
constant float table[2] = {1.0f, 2.0f};
inline float scale(const device float* p, thread int& n) { return p[n] * table[1]; }
[[max_total_threads_per_threadgroup(32)]]
kernel void k(
    constant k_Buffers& buffers [[buffer(0)]],
    constant k_Params& params [[buffer(1)]],
    metal::uint3 group [[threadgroup_position_in_grid]]) {
  threadgroup float tile[32 * 4];
  threadgroup bfloat small[8];
  int local = int(group.x);
  tile[local] = scale(buffers.x[params.starts[1]], local);
  metal::threadgroup_barrier(metal::mem_flags::mem_threadgroup);
  small[0] = bfloat(tile[0]);
  buffers.y[local] = small[0];
}`,
  ],
  [
    'half and bfloat through float',
    kernel(
      'h[0] = half(float(h[1]) + 1.0f); b[0] = bfloat(float(b[1]) * x[0]);',
      'device float* x [[buffer(0)]], device half* h [[buffer(1)]], device bfloat* b [[buffer(2)]]',
    ),
  ],
  ['simdgroup sums', kernel('x[lane] = metal::simd_sum(x[lane]);')],
  [
    'simdgroup matrices',
    kernel(`metal::simdgroup_float8x8 c = metal::make_filled_simdgroup_matrix<float, 8, 8>(0.0f);
  threadgroup half tile[64];
  metal::simdgroup_half8x8 a;
  metal::simdgroup_load(a, tile, 8, metal::ulong2(0, 0), true);
  metal::simdgroup_multiply_accumulate(c, a, a, c);
  metal::simdgroup_store(c, x, 8);`),
  ],
  ['bits', kernel('x[0] = as_type<float>(as_type<uint>(x[1]) & 0x7fffffffu);')],
  [
    'attribute syntax of the kernel',
    `${header}[[kernel, max_total_threads_per_threadgroup(64)]] void k(device float* x [[buffer(0)]]) { x[0] = 1.0f; }`,
  ],
  [
    'a member named as a type',
    `${header}struct k_Params { int I; int J; };
template <typename I> inline void reset(thread I& index) { index = 0; }
[[kernel, max_total_threads_per_threadgroup(64)]] void k(device float* x [[buffer(0)]], constant k_Params& params [[buffer(1)]]) {
  x[params.I * params.J] = 1.0f;
}`,
  ],
];

const two = 'device float* x [[buffer(0)]], ';

/** Each: a name, a source, and words that the reason must have. */
const bad: readonly (readonly [string, string, RegExp])[] = [
  ['static local', kernel('static int n = 0; x[n] = 0.0f;'), /cannot be declared static/],
  ['goto', kernel('again: if (x[0] > 0.0f) goto again;'), /no goto/],
  ['double', kernel('double d = 1.0; x[0] = float(d);'), /no double/],
  ['long long', kernel('long long d = 1; x[d] = 0.0f;'), /no long long/],
  ['lambda', kernel('auto f = [](float y) { return y; }; x[0] = f(1.0f);'), /lambda/],
  [
    'pointer without address space',
    `${header}inline float f(float* p) { return p[0]; }\n`,
    /address space/,
  ],
  [
    'reference without address space',
    `${header}inline float f(float& p) { return p; }\n`,
    /address space/,
  ],
  [
    'cast that drops device',
    kernel('thread float* p = (thread float*)x; x[0] = p[0];'),
    /address space/,
  ],
  [
    'device pointer where threadgroup is wanted',
    `${header}inline float f(threadgroup float* p) { return p[0]; }\n${kernel('x[0] = f(x);').slice(header.length)}`,
    /no matching function/,
  ],
  [
    'threadgroup memory outside a kernel',
    `${header}inline float f(float v) { threadgroup float t[4]; t[0] = v; return t[0]; }\n`,
    /local/,
  ],
  [
    'threadgroup memory in a nested block',
    kernel('if (lane == 0) { threadgroup float t[4]; t[0] = 1.0f; x[0] = t[0]; }'),
    /local|outermost/,
  ],
  [
    'more than 32 KiB of threadgroup memory',
    kernel('threadgroup float t[128 * 65]; t[lane] = x[0]; x[1] = t[lane];'),
    /32768/,
  ],
  [
    'threadgroup array sized by a variable',
    kernel('const int n = 4; threadgroup float t[n]; t[0] = x[0]; x[1] = t[0];'),
    /not a literal/,
  ],
  [
    'signed position',
    kernel('x[i] = 0.0f;', `${two}int i [[thread_index_in_threadgroup]]`),
    /must be of type uint/,
  ],
  [
    'positions of two widths',
    kernel('x[i] = 0.0f;', `${two}uint i [[thread_position_in_grid]]`),
    /one vector width/,
  ],
  ['unknown input', kernel('x[i] = 0.0f;', `${two}uint i [[lane_id]]`), /unknown kernel input/],
  ['buffer index 31', kernel('x[0] = 0.0f;', 'device float* x [[buffer(31)]]'), /between 0 and 30/],
  [
    'buffer index twice',
    kernel('x[0] = y[0];', `${two}const device float* y [[buffer(0)]]`),
    /used twice/,
  ],
  ['buffer without index', kernel('x[0] = 0.0f;', 'device float* x'), /explicit/],
  ['data by value', kernel('x[n] = 0.0f;', `${two}int n`), /invalid type 'int'/],
  ['size_t argument', kernel('x[n] = 0.0f;', `${two}constant size_t& n [[buffer(1)]]`), /size_t/],
  [
    'store through const',
    kernel('y[0] = x[0];', `${two}const device float* y [[buffer(1)]]`),
    /read-only/,
  ],
  [
    'bool in params',
    `${header}struct k_Params { bool b; };\n${kernel('if (p.b) x[0] = 0.0f;', `${two}constant k_Params& p [[buffer(1)]]`).slice(header.length)}`,
    /params struct/,
  ],
  [
    'params above 4096 bytes',
    `${header}struct k_Params { int b[1025]; };\n${kernel('x[p.b[0]] = 0.0f;', `${two}constant k_Params& p [[buffer(1)]]`).slice(header.length)}`,
    /4096/,
  ],
  ['reserved word as a local', kernel('int quad = 1; x[quad] = 0.0f;'), /reserved word/],
  [
    'reserved word as a parameter',
    kernel('x[0] = 0.0f;', 'device float* array [[buffer(0)]]'),
    /reserved/,
  ],
  ['type name as a variable', kernel('int float2 = 1; x[float2] = 0.0f;'), /reserved/],
  ['using namespace', `using namespace metal;\n${kernel('x[0] = exp(x[0]);')}`, /using namespace/],
  ['unqualified library function', kernel('x[0] = exp(x[0]);'), /undeclared identifier 'exp'/],
  ['erf, which Metal lacks', kernel('x[0] = metal::erf(x[0]);'), /no member named 'erf'/],
  ['expm1, which Metal lacks', kernel('x[0] = metal::expm1(x[0]);'), /no member named 'expm1'/],
  ['std::', kernel('x[0] = std::exp(x[0]);'), /standard library/],
  ['mutable global', `${header}float total = 0.0f;\n`, /constant address space/],
  ['simd_sum of bool', kernel('x[0] = float(metal::simd_sum(x[0] > 0.0f));'), /deleted/],
  ['simd_sum of long', kernel('x[0] = float(metal::simd_sum(1l));'), /deleted/],
  [
    'float to bfloat without cast',
    kernel('b[0] = x[0];', `${two}device bfloat* b [[buffer(1)]]`),
    /incompatible type/,
  ],
  [
    'half with bfloat',
    kernel(
      'x[0] = float(b[0] + h[0]);',
      `${two}device bfloat* b [[buffer(1)]], device half* h [[buffer(2)]]`,
    ),
    /invalid operands/,
  ],
  [
    'vector of another length',
    kernel('metal::float2 v = metal::float3(0.0f); x[0] = v.x;'),
    /cannot initialize|cannot convert|different/,
  ],
  [
    'int simdgroup matrix',
    kernel('metal::simdgroup_matrix<int, 8, 8> m; x[0] = 0.0f;'),
    /no type|type/,
  ],
  [
    'barrier after return',
    kernel('if (lane > 3) return; metal::threadgroup_barrier(metal::mem_flags::mem_none);'),
    /return before/,
  ],
  [
    'no thread limit',
    `${header}kernel void k(device float* x [[buffer(0)]]) { x[0] = 1.0f; }`,
    /missing/,
  ],
  ['100 threads', kernel('x[0] = 1.0f;', 'device float* x [[buffer(0)]]', 100), /multiple of 32/],
  [
    'overloaded kernels',
    `${kernel('x[0] = 1.0f;')}${kernel('x[0] = 1.0f;', 'device int* x [[buffer(0)]]').slice(header.length)}`,
    /overloaded/,
  ],
  [
    'kernel that returns',
    `${header}[[max_total_threads_per_threadgroup(32)]] kernel int k(device float* x [[buffer(0)]]) { x[0] = 1.0f; return 1; }`,
    /return void/,
  ],
  ['unused variable', kernel('int n = 3; x[0] = 0.0f;'), /unused/],
  ['syntax', kernel('x[0] = ;'), /expected/],
];

test('accepts what Metal accepts', async () => {
  const results = await checkMetalBatch(good.map(([, source]) => source));
  const failures = results.flatMap((r, i) =>
    r.ok ? [] : [`${good[i]![0]}: ${r.errors.join('; ')}`],
  );
  expect(failures).toEqual([]);
});

test('refuses what Metal refuses, for the right reason', async () => {
  const results = await checkMetalBatch(bad.map(([, source]) => source));
  const wrong = results.flatMap((r, i) => {
    const [name, , reason] = bad[i]!;
    return r.errors.some((e) => reason.test(e))
      ? []
      : [`${name}: ${r.errors.join('; ') || 'accepted'}`];
  });
  expect(wrong).toEqual([]);
});

test('an error names the line of its own source', async () => {
  const results = await checkMetalBatch([
    good[0]![1],
    kernel('\n\n  x[0] = nothing;'),
    good[3]![1],
  ]);
  expect(results.map((r) => r.ok)).toEqual([true, false, true]);
  expect(results[1]!.errors[0]).toMatch(/^9: use of undeclared identifier 'nothing'/);
});

test("behind a `#line` are kernels of users: Metal's rules hold there, our own do not", async () => {
  const theirs = (body: string): string =>
    `${good[0]![1]}\n#line 1 "rows.metal"\nusing namespace metal;\nkernel void own(device float* y [[buffer(0)]]) { ${body} }\n`;
  const results = await checkMetalBatch([
    theirs('y[0] = exp(1.0f);'),
    theirs('y[0] = nothing;'),
    theirs('static float x; y[0] = x;'),
  ]);
  const line =
    theirs('')
      .split('\n')
      .findIndex((l) => l.includes('void own')) + 1;
  expect(results[0]!.errors).toEqual([]);
  expect(results[1]!.errors[0]).toMatch(new RegExp(`^${line}: use of undeclared identifier`));
  expect(results[2]!.errors[0]).toMatch(new RegExp(`^${line}: .*static`));
});

test('without clang the check fails loudly and says what to install', async () => {
  const check = checkMetalBatch([good[0]![1]], 'clang-that-is-not-there');
  await expect(check).rejects.toThrow(MissingClang);
  await expect(check).rejects.toThrow(/apt-get install clang-19/);
  expect((await checkMetal(good[0]![1])).ok).toBe(true);
});
