// kernel softmax: line 1
// map; moves at least 8*N bytes, N flops
void mlxc_softmax(void *const *buffers, const int64_t *integers, void *scratch, int64_t begin, int64_t end) {
  const float *const x = buffers[0];
  float *const y = buffers[1];
  const int64_t N = integers[1];
  for (int64_t task = begin; task < end; task++) {
    const int64_t row = task;
    float largest = -INFINITY;
    int32_t largest_order = order_max_f32(largest);
    #pragma omp simd reduction(max:largest_order)
    for (int64_t i = 0; i < N; i++) {
      largest_order = max_i32(largest_order, order_max_f32(x[row * N + i]));
    }
    largest = from_order_f32(largest_order);
    float *const weights = (float *)scratch;
    float sum = 0.0f;
    #pragma omp simd reduction(+:sum)
    for (int64_t j = 0; j < N; j++) {
      const float t1 = exp_f32(x[row * N + j] - largest);
      weights[j] = t1;
      sum += t1;
    }
    #pragma omp simd
    for (int64_t k = 0; k < N; k++) {
      y[row * N + k] = weights[k] / sum;
    }
  }
}
