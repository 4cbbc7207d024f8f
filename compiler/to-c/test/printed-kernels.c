// Runs the kernels of print.test.ts, appended to their text.
#include <stdio.h>

static int failures = 0;
static void expect(bool holds, const char *what) {
  if (!holds) failures++, printf("%s\n", what);
}

int main(void) {
  enum { B = 3, N = 1003 };
  static float x[B * N], y[B * N];
  static int32_t at[B];
  for (int i = 0; i < B * N; i++) x[i] = (float)((i * 7919) % 1009) * 0.01f;
  const int64_t dims[] = {B, N};
  static char scratch[1 << 16] __attribute__((aligned(64)));

  mlxc_softmax((void *[]){x, y}, dims, scratch, 0, 2);
  mlxc_softmax((void *[]){x, y}, dims, scratch, 2, 3);
  for (int row = 0; row < B; row++) {
    double sum = 0;
    for (int i = 0; i < N; i++) sum += y[row * N + i];
    expect(fabs(sum - 1) < 1e-5, "a row of softmax does not sum to 1");
  }
  x[N + 5] = NAN;
  mlxc_softmax((void *[]){x, y}, dims, scratch, 0, B);
  expect(y[N] != y[N] && y[0] == y[0], "NaN does not stay in its row");

  // the first of equals; NaN wins, the first one
  for (int i = 0; i < B * N; i++) x[i] = 1;
  x[700] = x[21] = x[1000] = 5;
  x[N + 900] = x[N + 33] = NAN, x[N + 2] = INFINITY;
  mlxc_argmax((void *[]){x, at}, dims, scratch, 0, B);
  expect(at[0] == 21, "argmax is not the first of equals");
  expect(at[1] == 33, "argmax is not the first NaN");
  expect(at[2] == 0, "argmax of equals is not 0");

  float s0[5], s1[17], s2[8], t0[5], t1[17], t2[8];
  float *from[] = {s0, s1, s2}, *to[] = {t0, t1, t2};
  const int64_t segments[] = {5, 0, 1, 4, 5, 17, 8};
  for (int s = 0; s < 3; s++)
    for (int i = 0; i < segments[4 + s]; i++) from[s][i] = (float)(s * 100 + i), to[s][i] = 0;
  mlxc_scale((void *[]){s0, s1, s2, t0, t1, t2}, segments, scratch, 0, 5);
  for (int s = 0; s < 3; s++)
    for (int i = 0; i < segments[4 + s]; i++) expect(to[s][i] == 3 * from[s][i], "a segment is wrong");

  mlxc_product((void *[]){x, y}, dims, scratch, 0, 1);
  for (int r = 0; r < 4; r++)
    for (int n = 0; n < 32; n++) {
      float sum = 0;
      for (int k = 0; k < 16; k++) sum += x[k * 4 + r] * x[k * 32 + n];
      expect(fabsf(sum - y[r * 32 + n]) < 1e-4f, "the product is wrong");
    }

  static f16_t half[N];
  static uint8_t mask[N];
  static bf16_t brain[N];
  for (int i = 0; i < N; i++) half[i] = f32_to_f16((float)i * 0.001f), mask[i] = i % 3 != 0;
  mlxc_masked_gelu((void *[]){half, mask, brain}, dims, scratch, 0, 1);
  for (int i = 0; i < N; i++) {
    const float v = f16_to_f32(half[i]);
    const float before = i < 2 ? -0.5f : f16_to_f32(half[i - 2]);
    const float wanted = mask[i] ? v * (erff(v) + before) : 0.1f;
    expect(fabsf(bf16_to_f32(brain[i]) - wanted) <= fabsf(wanted) * 0.005f, "masked_gelu is wrong");
  }
  if (failures == 0) printf("ok\n");
  return failures != 0;
}
