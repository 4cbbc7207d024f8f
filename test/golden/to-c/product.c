DEFINE_MICRO_KERNEL(micro_kernel_f32_4x32, f32, 4, 32)

// kernel product: line 1
// map; moves at least 8*N bytes, N flops
void mlxc_product(void *const *buffers, const int64_t *integers, void *scratch, int64_t begin, int64_t end) {
  const float *const x = buffers[0];
  float *const y = buffers[1];
  for (int64_t task = begin; task < end; task++) {
    float *const a = (float *)scratch;
    float *const b = (float *)((char *)scratch + 256);
    float c[128] __attribute__((aligned(64)));
    #pragma omp simd
    for (int64_t i = 0; i < 64; i++) {
      a[i] = x[i];
    }
    #pragma omp simd
    for (int64_t j = 0; j < 512; j++) {
      b[j] = x[j];
    }
    micro_kernel_f32_4x32(a, 1, 4, b, c, 32, 16, false);
    #pragma omp simd
    for (int64_t k = 0; k < 128; k++) {
      y[k] = c[k];
    }
  }
}
