// Threadgroup memory in every form that a kernel may declare it in, and barriers that order without memory flags.
#include <metal_stdlib>
using namespace metal;

struct Pair { float first[4]; int second; };

// all on one line
kernel void one_line(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) { threadgroup Pair s; if (i < 4) s.first[i] = i; if (i == 4) s.second = 7; threadgroup_barrier(mem_flags::mem_threadgroup); y[i] = s.first[i % 4] + s.second; }

kernel void declarators(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  constexpr uint rows = 16;
  threadgroup Pair pairs[32];
  threadgroup float a[32], total, grid[rows][rows > 8 ? 2 : 1], *p = a;
  threadgroup atomic_uint count;
  if (i == 0) {
    total = 100;
    atomic_store_explicit(&count, 0, memory_order_relaxed);
  }
  pairs[i].second = int(i);
  p[i] = 2 * i;
  grid[i / 2][i % 2] = 0.5f;
  threadgroup_barrier(mem_flags::mem_threadgroup);
  atomic_fetch_add_explicit(&count, 1u, memory_order_relaxed);
  threadgroup_barrier(mem_flags::mem_threadgroup);
  const uint other = 31 - i;
  y[i] = pairs[other].second + a[other] + total + grid[other / 2][other % 2] +
         1000 * atomic_load_explicit(&count, memory_order_relaxed);
}

// of blocks, loops and cases
kernel void blocks(device float *y [[buffer(0)]], constant uint &way [[buffer(1)]], uint i [[thread_index_in_threadgroup]]) {
  float sum = 0;
  for (int round = 0; round < 3; round++) {
    threadgroup float t[32];
    t[i] = round + i;
    threadgroup_barrier(mem_flags::mem_threadgroup);
    sum += t[31 - i];
    threadgroup_barrier(mem_flags::mem_threadgroup);
  }
  switch (way) {
    default:
      break;
    case 1:
      threadgroup int t[32];
      t[i] = 50;
      sum += t[i];
      break;
  }
  y[i] = sum;
}

template <typename T, int N, int M = N / 2>
kernel void sized(device T *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  threadgroup T whole[N][(M > 8) ? 2 : 1], part[M > 8 ? M : 8];
  threadgroup vec<T, (N > 8 ? 4 : 2)> wide[N];
  whole[i][1] = i;
  if (i < M) part[i] = 100;
  wide[i] = 1000;
  threadgroup_barrier(mem_flags::mem_threadgroup);
  y[i] = whole[N - 1 - i][1] + part[i / 2] + wide[N - 1 - i].w;
}
template [[host_name("sized_half")]] [[kernel]] decltype(sized<half, 32>) sized<half, 32>;

// what was read before a barrier may be overwritten after it
kernel void reuse(device float *y [[buffer(0)]], uint i [[thread_index_in_threadgroup]]) {
  threadgroup float t[64];
  t[i] = i;
  threadgroup_barrier(mem_flags::mem_threadgroup);
  const float across = t[63 - i];
  threadgroup_barrier(mem_flags::mem_none);
  t[i] = 2 * across;
  simdgroup_barrier(mem_flags::mem_threadgroup);
  const float beside = t[i ^ 1];
  simdgroup_barrier(mem_flags::mem_none);
  t[i] = beside + 1;
  y[i] = t[i];
}
