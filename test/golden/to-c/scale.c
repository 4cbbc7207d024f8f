// kernel scale: line 1
// map; moves at least 8*N bytes, N flops
void mlxc_scale(void *const *buffers, const int64_t *integers, void *scratch, int64_t begin, int64_t end) {
  const int64_t *const segment_starts = integers + 1;
  const int64_t *const lengths = integers + 4;
  for (int64_t task = begin; task < end; task++) {
    const int64_t t = task;
    const int64_t segment = locate_segment(segment_starts, 3, t);
    const int64_t local = t - segment_starts[segment];
    const int64_t length = lengths[segment];
    const float *const x = buffers[segment];
    float *const y = buffers[3 + segment];
    #pragma omp simd
    for (int64_t i = 0; i < min_i64(length - 8 * local, 8); i++) {
      y[8 * local + i] = x[8 * local + i] * 3.0f;
    }
  }
}
