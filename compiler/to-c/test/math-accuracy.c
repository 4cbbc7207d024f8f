// Holds the float functions of helpers/*.h against the C library in double precision: prints `name worst-ulp argument` a line.
// Arguments: every `stride`-th bit pattern, and all edge cases. For two arguments, pseudo-random pairs and edge cases.
#include "arithmetic.h"
#include "error-function.h"
#include "exponential.h"
#include "gamma.h"
#include "hyperbolic.h"
#include "logarithm.h"
#include "root.h"
#include "trigonometric.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { block = 1024 };

static double erfinv_reference(double x) { return erfinv_f64(x); }
static double rsqrt_reference(double x) { return 1.0 / sqrt(x); }
static double logistic_reference(double x) { return logistic_f64(x); }

typedef struct {
  double worst;
  float x, y, got;
} Worst;

/** Distance in units of the last place of the float nearest to `wanted`; infinite when one is NaN or infinite and the other is not. */
static double ulps(float got, double wanted) {
  const float nearest = (float)wanted;
  if (nearest != nearest || got != got) return nearest != nearest && got != got ? 0 : INFINITY;
  if (isinf(nearest) || isinf(got)) {
    if (got == nearest) return 0;
    // a value within an ulp of overflow may round either way
    return fabs(wanted) > 3.4028233e38 && fabsf(got) > 3.402823e38f && (got > 0) == (wanted > 0) ? 1 : INFINITY;
  }
  if (got == 0 && nearest == 0) return signbit(got) == signbit(nearest) ? 0 : INFINITY;
  int exponent;
  frexp(wanted, &exponent);
  const double unit = ldexp(1.0, (exponent < -125 ? -125 : exponent) - 24);
  return fabs((double)got - wanted) / unit;
}

static void note(Worst *w, float x, float y, float got, double wanted) {
  const double error = ulps(got, wanted);
  if (error > w->worst) *w = (Worst){error, x, y, got};
}

static const float edges[] = {0.0f, -0.0f, 1.0f, -1.0f, 2.0f, -2.0f, 0.5f, -0.5f, 3.0f, -3.0f, INFINITY, -INFINITY, NAN,
  1.4e-45f, -1.4e-45f, 1.17549435e-38f, -1.17549435e-38f, 3.40282347e38f, -3.40282347e38f, 1e10f, -1e10f, 88.7228f,
  88.7229f, -87.3365f, -103.97f, -104.0f, 0.99999994f, -0.99999994f, 1.0000001f, 1e-8f, -1e-8f, 1e-4f, 0.92f, 0.41421357f,
  2.4142137f, 10.0f, 16777216.0f, 16777215.0f, 8388608.5f, 1.5707964f, 3.1415927f, 5.37e8f, 1e38f};
enum { edge_count = sizeof edges / sizeof edges[0] };

#define TEST_UNARY(name, reference)                                                                           \
  static Worst test_##name(uint64_t stride) {                                                                 \
    Worst w = {-1, 0, 0, 0};                                                                                  \
    float x[block], y[block];                                                                                 \
    for (int e = 0; e < edge_count; e++) note(&w, edges[e], 0, name##_f32(edges[e]), reference((double)edges[e])); \
    for (uint64_t start = 0; start < 0x100000000u; start += block * stride) {                                 \
      for (int i = 0; i < block; i++) {                                                                       \
        const uint32_t bits = (uint32_t)(start + i * stride);                                                 \
        memcpy(x + i, &bits, 4);                                                                              \
      }                                                                                                       \
      _Pragma("omp simd") for (int i = 0; i < block; i++) y[i] = name##_f32(x[i]);                            \
      for (int i = 0; i < block; i++) note(&w, x[i], 0, y[i], reference((double)x[i]));                       \
    }                                                                                                         \
    return w;                                                                                                 \
  }

#define FUNCTIONS(F)                                                                                          \
  F(exp, exp) F(exp2, exp2) F(expm1, expm1) F(log, log) F(log2, log2) F(log1p, log1p) F(logistic, logistic_reference) \
  F(tanh, tanh) F(sinh, sinh) F(cosh, cosh) F(asinh, asinh) F(acosh, acosh) F(atanh, atanh) F(sin, sin) F(cos, cos)   \
  F(tan, tan) F(asin, asin) F(acos, acos) F(atan, atan) F(erf, erf) F(erfc, erfc) F(erfinv, erfinv_reference)         \
  F(cbrt, cbrt) F(rsqrt, rsqrt_reference) F(lgamma, lgamma)
FUNCTIONS(TEST_UNARY)

static uint64_t state = 88172645463325252u;
static uint32_t next_random(void) {
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return (uint32_t)(state >> 16);
}

#define TEST_BINARY(name, reference)                                                                          \
  static Worst test_##name(uint64_t stride) {                                                                 \
    Worst w = {-1, 0, 0, 0};                                                                                  \
    for (int a = 0; a < edge_count; a++)                                                                      \
      for (int b = 0; b < edge_count; b++)                                                                    \
        note(&w, edges[a], edges[b], name##_f32(edges[a], edges[b]), reference((double)edges[a], (double)edges[b])); \
    for (uint64_t n = 0; n < 0x100000000u / stride; n++) {                                                    \
      /* half with exponents near 1, so that powers neither vanish nor overflow */                            \
      uint32_t bits[2] = {next_random(), next_random()};                                                      \
      if (n & 1) for (int k = 0; k < 2; k++) bits[k] = (bits[k] & 0x81ffffff) + 0x3e000000;                   \
      float v[2];                                                                                             \
      memcpy(v, bits, 8);                                                                                     \
      note(&w, v[0], v[1], name##_f32(v[0], v[1]), reference((double)v[0], (double)v[1]));                    \
    }                                                                                                         \
    return w;                                                                                                 \
  }
TEST_BINARY(pow, pow)
TEST_BINARY(atan2, atan2)

int main(int argc, char **argv) {
  const uint64_t stride = argc > 1 ? strtoull(argv[1], NULL, 10) : 4099;
  const char *only = argc > 2 ? argv[2] : NULL;
#define REPORT(name, reference)                                                                               \
  if (only == NULL || strcmp(only, #name) == 0) {                                                             \
    const Worst w = test_##name(stride);                                                                      \
    printf("%s %.3f %.9g %.9g %.9g\n", #name, w.worst, w.x, w.y, w.got);                                      \
  }
  FUNCTIONS(REPORT)
  REPORT(pow, pow)
  REPORT(atan2, atan2)
  return 0;
}
