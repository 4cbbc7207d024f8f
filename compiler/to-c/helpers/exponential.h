#pragma once
#include "bitcast.h"
// exp, exp2, expm1, logistic. Branch-free: x = n ln2 + r, a polynomial in r, then 2^n. Coefficients: tools/fit/fit-polynomials.py.

/** 2^n for n given as the float `shifted` = n + 1.5 * 2^23, in two factors, so that n may leave the range of exponents. */
MLXC_INLINE float scale_f32(float value, float shifted) {
  const int32_t n = (int32_t)bitcast_f32_u32(shifted) - 0x4b400000;
  const int32_t half = n >> 1;
  const float first = bitcast_u32_f32((uint32_t)(half + 127) << 23);
  const float second = bitcast_u32_f32((uint32_t)(n - half + 127) << 23);
  return value * first * second;
}

MLXC_INLINE float exp_f32(float x) {
  // below -104 the result is 0; computing it as a product would cost a microcode assist for the subnormal it passes through
  const bool vanishes = x < -104.0f;
  const float low = vanishes ? 0.0f : x;
  const float clamped = low > 89.0f ? 89.0f : low;
  // adding 1.5 * 2^23 rounds to an integer, which is then in the low bits
  const float shifted = __builtin_fmaf(clamped, 1.44269504f, 12582912.0f);
  const float n = shifted - 12582912.0f;
  const float r = __builtin_fmaf(n, 2.12194440e-4f, __builtin_fmaf(n, -0.693359375f, clamped));
  float p = 0.0013926250831497612f;
  p = __builtin_fmaf(p, r, 0.0083632328836826182f);
  p = __builtin_fmaf(p, r, 0.04166655421298415f);
  p = __builtin_fmaf(p, r, 0.16666576666119928f);
  p = __builtin_fmaf(p, r, 0.5f);
  p = __builtin_fmaf(p, r * r, r) + 1.0f;
  return vanishes ? 0.0f : scale_f32(p, shifted);
}

MLXC_INLINE float exp2_f32(float x) {
  const bool vanishes = x < -150.0f;
  const float low = vanishes ? 0.0f : x;
  const float clamped = low > 129.0f ? 129.0f : low;
  const float shifted = clamped + 12582912.0f;
  const float r = clamped - (shifted - 12582912.0f);
  float p = 1.529741310727295e-5f;
  p = __builtin_fmaf(p, r, 0.00015461560778872135f);
  p = __builtin_fmaf(p, r, 0.0013333502162588131f);
  p = __builtin_fmaf(p, r, 0.0096180563880577744f);
  p = __builtin_fmaf(p, r, 0.05550410884014512f);
  p = __builtin_fmaf(p, r, 0.24022650923651495f);
  p = __builtin_fmaf(p, r, 0.69314718055994531f);
  p = __builtin_fmaf(p, r, 1.0f);
  return vanishes ? 0.0f : scale_f32(p, shifted);
}

MLXC_INLINE float expm1_f32(float x) {
  const float low = x < -20.0f ? -20.0f : x;
  const float clamped = low > 89.0f ? 89.0f : low;
  const float shifted = __builtin_fmaf(clamped, 1.44269504f, 12582912.0f);
  const float n = shifted - 12582912.0f;
  const float r = __builtin_fmaf(n, 2.12194440e-4f, __builtin_fmaf(n, -0.693359375f, clamped));
  float p = 0.0001988277301625576f;
  p = __builtin_fmaf(p, r, 0.0013926250831497612f);
  p = __builtin_fmaf(p, r, 0.0083333208422767082f);
  p = __builtin_fmaf(p, r, 0.04166655421298415f);
  p = __builtin_fmaf(p, r, 0.16666666666666667f);
  p = __builtin_fmaf(p, r, 0.5f);
  p = __builtin_fmaf(p, r * r, r);
  // 2^n p + (2^n - 1), halved so that n = 128 does not overflow early
  const int32_t whole = (int32_t)bitcast_f32_u32(shifted) - 0x4b400000;
  const float half = bitcast_u32_f32((uint32_t)(whole + 126) << 23);
  const float result = 2.0f * __builtin_fmaf(p, half, half - 0.5f);
  return fabsf(x) < 1e-30f ? x : result;
}

MLXC_INLINE float logistic_f32(float x) {
  const float e = exp_f32(-fabsf(x));
  return (x < 0 ? e : 1.0f) / (1.0f + e);
}

MLXC_INLINE double exp_f64(double x) { return exp(x); }
MLXC_INLINE double exp2_f64(double x) { return exp2(x); }
MLXC_INLINE double expm1_f64(double x) { return expm1(x); }
MLXC_INLINE double logistic_f64(double x) {
  const double e = exp(-fabs(x));
  return (x < 0 ? e : 1.0) / (1.0 + e);
}
