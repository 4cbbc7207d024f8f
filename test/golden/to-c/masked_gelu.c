// kernel masked_gelu: line 1
// map; moves at least 8*N bytes, N flops
void mlxc_masked_gelu(void *const *buffers, const int64_t *integers, void *scratch, int64_t begin, int64_t end) {
  const f16_t *const x = buffers[0];
  const uint8_t *const mask = buffers[1];
  bf16_t *const y = buffers[2];
  const int64_t N = integers[1];
  for (int64_t task = begin; task < end; task++) {
    const int64_t block = task;
    #pragma omp simd
    for (int64_t i = 0; i < min_i64(N - 4096 * block, 4096); i++) {
      const float t1 = f16_to_f32(x[4096 * block + i]);
      y[4096 * block + i] = f32_to_bf16(mask[4096 * block + i] != 0 ? t1 * (erf_f32(t1) + (0 <= 4096 * block + i - 2 ? f16_to_f32(x[4096 * block + i - 2]) : -0.5f)) : 0.1f);
    }
  }
}
