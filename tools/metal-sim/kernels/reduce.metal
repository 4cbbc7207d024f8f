#include <metal_stdlib>
#include <metal_simdgroup>
using namespace metal;

// Sum of an array: grid-strided loads, then simdgroups, then one simdgroup.
template <typename T, typename A>
kernel void sum(device const T* x [[buffer(0)]],
                device A* partial [[buffer(1)]],
                constant uint& n [[buffer(2)]],
                uint lid [[thread_position_in_threadgroup]],
                uint size [[threads_per_threadgroup]],
                uint group [[threadgroup_position_in_grid]],
                uint groups [[threadgroups_per_grid]],
                uint lane [[thread_index_in_simdgroup]],
                uint simd [[simdgroup_index_in_threadgroup]],
                uint simds [[simdgroups_per_threadgroup]]) {
  threadgroup A shared[32];
  A total = 0;
  for (uint i = group * size + lid; i < n; i += size * groups) total += A(x[i]);
  total = simd_sum(total);
  if (lane == 0) shared[simd] = total;
  threadgroup_barrier(mem_flags::mem_threadgroup);
  if (simd == 0) {
    A v = lane < simds ? shared[lane] : A(0);
    v = simd_sum(v);
    if (lane == 0) partial[group] = v;
  }
}
template [[host_name("sum_f32")]] kernel void sum<float, float>(device const float*, device float*, constant uint&, uint, uint, uint, uint, uint, uint, uint);
template [[host_name("sum_f16")]] kernel void sum<half, float>(device const half*, device float*, constant uint&, uint, uint, uint, uint, uint, uint, uint);
template [[host_name("sum_u8")]] [[kernel]] decltype(sum<uchar, uint>) sum<uchar, uint>;

// The classic tree in threadgroup memory.
kernel void tree_max(device const int* x [[buffer(0)]], device int* y [[buffer(1)]], threadgroup int* scratch [[threadgroup(0)]],
                     uint lid [[thread_index_in_threadgroup]], uint gid [[thread_position_in_grid]],
                     uint group [[threadgroup_position_in_grid]], uint size [[threads_per_threadgroup]]) {
  scratch[lid] = x[gid];
  for (uint stride = size / 2; stride > 0; stride >>= 1) {
    threadgroup_barrier(mem_flags::mem_threadgroup);
    if (lid < stride) scratch[lid] = max(scratch[lid], scratch[lid + stride]);
  }
  if (lid == 0) y[group] = scratch[0];
}

struct MaxSum {
  float max;
  float sum;
};

// Online softmax of rows, one threadgroup per row.
kernel void softmax(device const float* x [[buffer(0)]], device float* y [[buffer(1)]], constant int& columns [[buffer(2)]],
                    uint row [[threadgroup_position_in_grid]], uint lid [[thread_position_in_threadgroup]],
                    uint size [[threads_per_threadgroup]], uint lane [[thread_index_in_simdgroup]],
                    uint simd [[simdgroup_index_in_threadgroup]]) {
  threadgroup MaxSum parts[32];
  x += row * columns;
  y += row * columns;
  MaxSum mine = {-INFINITY, 0.0f};
  for (int i = lid; i < columns; i += size) {
    const float next = max(mine.max, x[i]);
    mine.sum = mine.sum * exp(mine.max - next) + exp(x[i] - next);
    mine.max = next;
  }
  const float top = simd_max(mine.max);
  const float part = simd_sum(mine.max == -INFINITY ? 0.0f : mine.sum * exp(mine.max - top));
  if (lane == 0) parts[simd] = MaxSum{top, part};
  threadgroup_barrier(mem_flags::mem_threadgroup);
  float all = -INFINITY;
  const uint simds = (size + 31) / 32;
  for (uint s = 0; s < simds; s++) all = max(all, parts[s].max);
  float total = 0.0f;
  for (uint s = 0; s < simds; s++) total += parts[s].sum * exp(parts[s].max - all);
  for (int i = lid; i < columns; i += size) y[i] = exp(x[i] - all) / total;
}

// Layer norm with the weights in bfloat.
kernel void layer_norm(device const float* x [[buffer(0)]], device const bfloat* weight [[buffer(1)]],
                       device const bfloat* bias [[buffer(2)]], device float* y [[buffer(3)]], constant float& eps [[buffer(4)]],
                       constant uint& n [[buffer(5)]], uint2 group [[threadgroup_position_in_grid]],
                       ushort2 lid [[thread_position_in_threadgroup]], ushort2 size [[threads_per_threadgroup]]) {
  threadgroup float scratch[2];
  device const float* row = x + group.y * n;
  float s = 0.0f, q = 0.0f;
  for (uint i = lid.x; i < n; i += size.x) s += row[i];
  s = simd_sum(s) / float(n);
  for (uint i = lid.x; i < n; i += size.x) {
    const float d = row[i] - s;
    q = fma(d, d, q);
  }
  q = simd_sum(q);
  if (lid.x == 0) {
    scratch[0] = s;
    scratch[1] = precise::rsqrt(q / n + eps);
  }
  threadgroup_barrier(mem_flags::mem_threadgroup);
  for (uint i = lid.x; i < n; i += size.x) y[group.y * n + i] = (row[i] - scratch[0]) * scratch[1] * weight[i] + bias[i];
}

// Inclusive scan: inside simdgroups, then their totals.
kernel void scan(device const uint* x [[buffer(0)]], device uint* y [[buffer(1)]], uint i [[thread_position_in_threadgroup]],
                 uint lane [[thread_index_in_simdgroup]], uint simd [[simdgroup_index_in_threadgroup]]) {
  threadgroup uint totals[32];
  const uint v = x[i];
  const uint inside = simd_prefix_inclusive_sum(v);
  if (lane == 31) totals[simd] = inside;
  threadgroup_barrier(mem_flags::mem_threadgroup);
  uint before = 0;
  for (uint s = 0; s < simd; s++) before += totals[s];
  y[i] = before + inside;
}
