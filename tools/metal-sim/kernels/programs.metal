#include <metal_stdlib>
#include <metal_atomic>
using namespace metal;

// A histogram in threadgroup atomics, then in device atomics.
kernel void histogram(device const uchar* x [[buffer(0)]], device atomic_uint* counts [[buffer(1)]], constant uint& n [[buffer(2)]],
                      uint gid [[thread_position_in_grid]], uint lid [[thread_index_in_threadgroup]],
                      uint size [[threads_per_threadgroup]]) {
  threadgroup atomic_uint local[16];
  if (lid < 16) atomic_store_explicit(&local[lid], 0, memory_order_relaxed);
  threadgroup_barrier(mem_flags::mem_threadgroup);
  if (gid < n) atomic_fetch_add_explicit(&local[x[gid] & 15], 1u, memory_order_relaxed);
  threadgroup_barrier(mem_flags::mem_threadgroup);
  if (lid < 16) {
    const uint c = atomic_load_explicit(&local[lid], memory_order_relaxed);
    atomic_fetch_add_explicit(counts + lid, c, memory_order_relaxed);
  }
}

// A float maximum by compare and exchange.
kernel void atomic_max_float(device const float* x [[buffer(0)]], device atomic<float>* most [[buffer(1)]],
                             uint i [[thread_position_in_grid]]) {
  float seen = atomic_load_explicit(most, memory_order_relaxed);
  while (x[i] > seen &&
         !atomic_compare_exchange_weak_explicit(most, &seen, x[i], memory_order_relaxed, memory_order_relaxed)) {
  }
}

// Bitonic sort of one threadgroup's elements.
kernel void bitonic(device int* x [[buffer(0)]], uint i [[thread_position_in_threadgroup]], uint n [[threads_per_threadgroup]]) {
  threadgroup int s[256];
  s[i] = x[i];
  threadgroup_barrier(mem_flags::mem_threadgroup);
  for (uint k = 2; k <= n; k <<= 1) {
    for (uint j = k >> 1; j > 0; j >>= 1) {
      const uint other = i ^ j;
      const int a = s[i], b = s[other];
      threadgroup_barrier(mem_flags::mem_threadgroup);
      const bool up = (i & k) == 0;
      s[i] = (i < other) == up ? min(a, b) : max(a, b);
      threadgroup_barrier(mem_flags::mem_threadgroup);
    }
  }
  x[i] = s[i];
}

// A blur with clamped edges, in threadgroups that are smaller at the edges of the grid.
kernel void blur(device const float* in [[buffer(0)]], device float* out [[buffer(1)]], uint2 p [[thread_position_in_grid]],
                 uint2 size [[threads_per_grid]], uint2 tg [[threads_per_threadgroup]], device uint* seen [[buffer(2)]],
                 uint2 full [[dispatch_threads_per_threadgroup]]) {
  float sum = 0;
  for (int dy = -1; dy <= 1; dy++)
    for (int dx = -1; dx <= 1; dx++) {
      const int2 at = clamp(int2(p) + int2(dx, dy), int2(0), int2(size) - 1);
      sum += in[at.y * size.x + at.x];
    }
  out[p.y * size.x + p.x] = sum / 9.0f;
  seen[p.y * size.x + p.x] = tg.x * tg.y < full.x * full.y;
}

static uint iterations(float2 c, uint limit) {
  float2 z = 0;
  uint n = 0;
  for (; n < limit && length_squared(z) <= 4.0f; n++) z = float2(z.x * z.x - z.y * z.y, 2 * z.x * z.y) + c;
  return n;
}
kernel void mandelbrot(device ushort* out [[buffer(0)]], constant float4& window [[buffer(1)]], uint2 p [[thread_position_in_grid]],
                       uint2 size [[threads_per_grid]]) {
  const float2 c = mix(window.xy, window.zw, float2(p) / float2(size));
  out[p.y * size.x + p.x] = iterations(c, 50);
}

// All pairs, tile by tile.
kernel void nbody(device const float4* bodies [[buffer(0)]], device float3* force [[buffer(1)]], constant uint& n [[buffer(2)]],
                  uint i [[thread_position_in_grid]], uint lid [[thread_index_in_threadgroup]], uint size [[threads_per_threadgroup]]) {
  threadgroup float4 tile[64];
  const float3 at = bodies[i].xyz;
  float3 f = float3(0.0f);
  for (uint base = 0; base < n; base += size) {
    tile[lid] = bodies[base + lid];
    threadgroup_barrier(mem_flags::mem_threadgroup);
    for (uint j = 0; j < size; j++) {
      const float3 d = tile[j].xyz - at;
      const float r = rsqrt(dot(d, d) + 0.01f);
      f += tile[j].w * r * r * r * d;
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
  }
  force[i] = f;
}

// Philox 4x32, ten rounds.
constant uint philox_m[2] = {0xD2511F53, 0xCD9E8D57};
kernel void philox(constant uint2& key [[buffer(0)]], device uint4* out [[buffer(1)]], uint i [[thread_position_in_grid]]) {
  uint4 c = uint4(i, 0, 0, 0);
  uint2 k = key;
  for (int round = 0; round < 10; ++round) {
    const uint2 high = uint2(mulhi(philox_m[0], c.x), mulhi(philox_m[1], c.z));
    const uint2 low = uint2(philox_m[0], philox_m[1]) * c.xz;
    c = uint4(high.y ^ c.y ^ k.x, low.y, high.x ^ c.w ^ k.y, low.x);
    k += uint2(0x9E3779B9, 0xBB67AE85);
  }
  out[i] = c;
}

// Where a word begins in a text; threads that find nothing leave early, and nobody waits.
kernel void find(device const char* text [[buffer(0)]], constant char* word [[buffer(1)]], constant uint2& lengths [[buffer(2)]],
                 device atomic_int& first [[buffer(3)]], uint i [[thread_position_in_grid]]) {
  if (i + lengths.y > lengths.x) return;
  for (uint j = 0; j < lengths.y; j++)
    if (text[i + j] != word[j]) return;
  atomic_fetch_min_explicit(&first, int(i), memory_order_relaxed);
}

// Function constants: an optional argument and a mode.
constant bool has_bias [[function_constant(0)]];
constant int mode [[function_constant(1)]];
constant bool is_relu = is_function_constant_defined(mode) && mode == 1;
kernel void activate(device float* x [[buffer(0)]], device const float* bias [[buffer(1), function_constant(has_bias)]],
                     uint i [[thread_position_in_grid]]) {
  float v = x[i];
  if (has_bias) v += bias[i];
  x[i] = is_relu ? max(v, 0.0f) : v;
}

// Copy between strided arrays, with the table of strides in a struct.
struct Strides {
  int shape[3];
  int from[3];
  int to[3];
};
static int offset(constant int* strides, uint3 at) {
  return int(at.x) * strides[2] + int(at.y) * strides[1] + int(at.z) * strides[0];
}
template <typename T>
kernel void copy_strided(device const T* in [[buffer(0)]], device T* out [[buffer(1)]], constant Strides& s [[buffer(2)]],
                         uint3 p [[thread_position_in_grid]]) {
  out[offset(s.to, p)] = in[offset(s.from, p)];
}
template [[host_name("copy_u8")]] [[kernel]] decltype(copy_strided<uchar>) copy_strided<uchar>;
