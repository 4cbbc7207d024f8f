#pragma once
#include "bitcast.h"
// log, log2, log1p. Branch-free: x = m * 2^n with m in [sqrt(1/2), sqrt(2)), a polynomial in m - 1. Coefficients: tools/fit/fit-polynomials.py.

/** Splits x > 0 (normal or subnormal) into 2^*n times 1 plus the result. */
MLXC_INLINE float split_f32(float x, float *n) {
  const bool tiny = x < 1.17549435e-38f;
  const uint32_t bits = bitcast_f32_u32(tiny ? x * 8388608.0f : x);
  const int32_t offset = (int32_t)bits - 0x3f3504f3;
  *n = (float)(offset >> 23) - (tiny ? 23.0f : 0.0f);
  return bitcast_u32_f32((uint32_t)((offset & 0x7fffff) + 0x3f3504f3)) - 1.0f;
}

/** The value of a logarithm where the polynomial has none. */
MLXC_INLINE float end_log_f32(float x, float value) {
  const float above = x < INFINITY ? value : x;
  const float special = x == 0 ? -INFINITY : NAN;
  return x > 0 ? above : special;
}

MLXC_INLINE float log_of_split_f32(float f, float n) {
  float p = 0.069716114714511778f;
  p = __builtin_fmaf(p, f, -0.11479733846637636f);
  p = __builtin_fmaf(p, f, 0.11685419923486739f);
  p = __builtin_fmaf(p, f, -0.12425687331451106f);
  p = __builtin_fmaf(p, f, 0.1424905764569748f);
  p = __builtin_fmaf(p, f, -0.16667802319501254f);
  p = __builtin_fmaf(p, f, 0.20000715748892102f);
  p = __builtin_fmaf(p, f, -0.24999996957950882f);
  p = __builtin_fmaf(p, f, 0.33333331180030048f);
  const float square = f * f;
  // small terms first; ln2 in two parts, n times the greater is exact
  const float rest = __builtin_fmaf(square * f, p, __builtin_fmaf(n, -2.12194440e-4f, -0.5f * square));
  return __builtin_fmaf(n, 0.693359375f, f + rest);
}

MLXC_INLINE float log_f32(float x) {
  float n;
  const float f = split_f32(x, &n);
  return end_log_f32(x, log_of_split_f32(f, n));
}

MLXC_INLINE float log2_f32(float x) {
  float n;
  const float f = split_f32(x, &n);
  float p = 0.097656375206601556f;
  p = __builtin_fmaf(p, f, -0.16673641913510336f);
  p = __builtin_fmaf(p, f, 0.17041310234844277f);
  p = __builtin_fmaf(p, f, -0.17919447436654067f);
  p = __builtin_fmaf(p, f, 0.20532894396331415f);
  p = __builtin_fmaf(p, f, -0.24046172645417228f);
  p = __builtin_fmaf(p, f, 0.28855987996723086f);
  p = __builtin_fmaf(p, f, -0.36067391805453077f);
  p = __builtin_fmaf(p, f, 0.48089819490688015f);
  p = __builtin_fmaf(p, f, -0.72134751962930662f);
  // 1/ln2 in two parts
  const float tail = __builtin_fmaf(f, 1.92596299e-8f, f * f * p);
  const float head = f * 1.44269502f;
  const float error = __builtin_fmaf(f, 1.44269502f, -head);
  return end_log_f32(x, n + (head + (tail + error)));
}

MLXC_INLINE float log1p_f32(float x) {
  const float u = 1.0f + x;
  float n;
  const float f = split_f32(u, &n);
  // what 1 + x lost, as a share of u
  const float lost = x > 1.0f ? 1.0f - (u - x) : x - (u - 1.0f);
  const float value = log_of_split_f32(f, n) + lost / u;
  const float small = fabsf(x) < 1e-7f ? x : value;
  const float above = u < INFINITY ? small : u;
  return u > 0 ? above : u == 0 ? -INFINITY : NAN;
}

MLXC_INLINE double log_f64(double x) { return log(x); }
MLXC_INLINE double log2_f64(double x) { return log2(x); }
MLXC_INLINE double log1p_f64(double x) { return log1p(x); }
