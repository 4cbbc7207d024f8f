#include <metal_stdlib>
using namespace metal;

struct Params {
  uint n;
  float a;
};

// Vectors of four and the rest one by one; the parameters are copied out of constant memory.
kernel void saxpy(device const float4* x [[buffer(0)]],
                  device float4* y [[buffer(1)]],
                  constant Params& params [[buffer(2)]],
                  uint gid [[thread_position_in_grid]]) {
  const Params p = params;
  if (gid * 4 + 4 <= p.n) {
    y[gid] = p.a * x[gid] + y[gid];
    return;
  }
  device const float* xs = (device const float*)x;
  device float* ys = (device float*)y;
  for (uint i = gid * 4; i < p.n; i++) ys[i] += p.a * xs[i];
}
