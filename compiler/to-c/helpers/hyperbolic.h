#pragma once
#include "exponential.h"
#include "wide.h"
// sinh, cosh, tanh and their inverses. tanh stays in float: it is an activation; the others go through double.

MLXC_INLINE float tanh_f32(float x) {
  const float size = fabsf(x);
  const float t = expm1_f32(2.0f * (size < 10.0f ? size : 10.0f));
  const float value = size < 10.0f ? t / (t + 2.0f) : 1.0f;
  return x != x ? x : __builtin_copysignf(value, x);
}

MLXC_INLINE float sinh_f32(float x) {
  const double wide = x;
  const double e = exp_wide(wide);
  const double square = wide * wide;
  double p = 1.0 / 362880.0;
  p = __builtin_fma(p, square, 1.0 / 5040.0);
  p = __builtin_fma(p, square, 1.0 / 120.0);
  p = __builtin_fma(p, square, 1.0 / 6.0);
  const double series = __builtin_fma(p, square * wide, wide);
  return (float)(fabs(wide) < 0.5 ? series : 0.5 * (e - 1.0 / e));
}

MLXC_INLINE float cosh_f32(float x) {
  const double e = exp_wide(x);
  return (float)(0.5 * (e + 1.0 / e));
}

MLXC_INLINE float asinh_f32(float x) {
  const double size = fabs((double)x);
  const double square = size * size;
  const double series = __builtin_fma(square * size, -1.0 / 6.0, size);
  const double value = size < 1e-4 ? series : log_wide(size + sqrt(square + 1.0));
  return (float)__builtin_copysign(size < INFINITY ? value : size, (double)x);
}

MLXC_INLINE float acosh_f32(float x) {
  const double wide = x;
  const double value = log_wide(wide + sqrt((wide - 1.0) * (wide + 1.0)));
  const double above = wide < INFINITY ? value : wide;
  return (float)(wide >= 1.0 ? above : (double)NAN);
}

MLXC_INLINE float atanh_f32(float x) {
  const double size = fabs((double)x);
  const double square = size * size;
  const double series = __builtin_fma(__builtin_fma(square, 0.2, 1.0 / 3.0), square * size, size);
  const double far = 0.5 * log_wide((1.0 + size) / (1.0 - size));
  const double value = size < 1e-3 ? series : far;
  const double inside = size < 1.0 ? value : (double)INFINITY;
  return (float)(size <= 1.0 ? __builtin_copysign(inside, (double)x) : (double)NAN);
}

MLXC_INLINE double sinh_f64(double x) { return sinh(x); }
MLXC_INLINE double cosh_f64(double x) { return cosh(x); }
MLXC_INLINE double tanh_f64(double x) { return tanh(x); }
MLXC_INLINE double asinh_f64(double x) { return asinh(x); }
MLXC_INLINE double acosh_f64(double x) { return acosh(x); }
MLXC_INLINE double atanh_f64(double x) { return atanh(x); }
