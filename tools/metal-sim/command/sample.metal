// What command.test.ts runs.
#include <metal_stdlib>
using namespace metal;

constant bool has_bias [[function_constant(0)]];
constant float bias [[function_constant(3)]];

struct Sizes {
  uint count;
  float factor;
};

kernel void scale(const device float* x [[buffer(0)]], device float* y [[buffer(1)]],
                  constant Sizes& sizes [[buffer(2)]], uint i [[thread_position_in_grid]]) {
  if (i < sizes.count) y[i] = sizes.factor * x[i];
}

kernel void shift(device half4* y [[buffer(0)]], threadgroup float* shared [[threadgroup(0)]],
                  uint i [[thread_position_in_threadgroup]]) {
  shared[i] = has_bias ? bias : 0.0f;
  y[i] = half4(half(shared[i]));
}

[[kernel, max_total_threads_per_threadgroup(64)]] void halve(device int* y [[buffer(0)]],
                                                           uint i [[thread_position_in_grid]]) {
  y[i / 2] = y[i];
}
