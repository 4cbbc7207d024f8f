// kernel argmax: line 1
// map; moves at least 8*N bytes, N flops
void mlxc_argmax(void *const *buffers, const int64_t *integers, void *scratch, int64_t begin, int64_t end) {
  const float *const x = buffers[0];
  int32_t *const y = buffers[1];
  const int64_t N = integers[1];
  for (int64_t task = begin; task < end; task++) {
    const int64_t row = task;
    float best = -INFINITY;
    int32_t at = 0;
    {
      float best_lanes[16] __attribute__((aligned(64)));
      int32_t at_lanes[16] __attribute__((aligned(64)));
      for (int lane = 0; lane < 16; lane++) best_lanes[lane] = best, at_lanes[lane] = at;
      for (int64_t i_block = 0; i_block < N; i_block += 16) {
        #pragma omp simd
        for (int64_t lane = 0; lane < min_i64(16, N - i_block); lane++) {
          const int64_t i = i_block + lane;
          float best = best_lanes[lane];
          int32_t at = at_lanes[lane];
          const float t1 = x[row * N + i];
          const bool better = (t1 > best) | ((t1 != t1) & (best == best));
          best = better ? t1 : best;
          at = better ? (int32_t)i : at;
          best_lanes[lane] = best;
          at_lanes[lane] = at;
        }
      }
      for (int lane = 0; lane < 16; lane++) {
        if (best_lanes[lane] > best || (best_lanes[lane] != best_lanes[lane] && best == best) || ((best_lanes[lane] == best || (best_lanes[lane] != best_lanes[lane] && best != best)) && at_lanes[lane] < at)) best = best_lanes[lane], at = at_lanes[lane];
      }
    }
    y[row] = at;
  }
}
