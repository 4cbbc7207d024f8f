#include <metal_stdlib>
using namespace metal;

// Arguments come first, then results, then the dims of the signature in the order in which they appear.
struct Dims {
  int rows;
  int columns;
};

// The grid is (32, M): the lanes of a simdgroup share a row.
[[kernel, max_total_threads_per_threadgroup(128)]]
void row_lengths(const device float* x [[buffer(0)]],
                 device float* lengths [[buffer(1)]],
                 constant Dims& dims [[buffer(2)]],
                 uint2 position [[thread_position_in_grid]],
                 uint lane [[thread_index_in_simdgroup]]) {
  const device float* row = x + position.y * dims.columns;
  float sum = 0;
  for (int column = lane; column < dims.columns; column += 32) {
    sum += row[column] * row[column];
  }
  sum = simd_sum(sum);
  if (lane == 0) {
    lengths[position.y] = precise::sqrt(sum);
  }
}

namespace rows {

// The grid is (N, M): groups at its edges are smaller, so that no thread is outside.
[[kernel, max_total_threads_per_threadgroup(128)]]
void scale(const device float* x [[buffer(0)]],
           const device float* by [[buffer(1)]],
           device float* y [[buffer(2)]],
           constant Dims& dims [[buffer(3)]],
           uint2 position [[thread_position_in_grid]]) {
  const uint i = position.y * dims.columns + position.x;
  y[i] = x[i] * by[position.y];
}

}  // namespace rows
