#pragma once
#include "reduction-table.h"
#include "wide.h"
// sin, cos, tan and their inverses, through double, exact for every float: no argument is too large.

typedef struct {
  double sine, cosine;
} mlxc_sine_cosine;

/** sin and cos of a finite x; Cody and Waite's reduction, large x through 2^e modulo 2 pi. */
MLXC_INLINE mlxc_sine_cosine sine_cosine_f32(float x) {
  const uint32_t bits = bitcast_f32_u32(x);
  const int32_t exponent = (int32_t)(bits >> 23 & 255) - 155; // x = mantissa * 2^(exponent + 5)
  const bool large = exponent >= 0;
  const int32_t row = large ? (exponent < 99 ? exponent : 99) : 0;
  const int32_t mantissa = (int32_t)((bits & 0x7fffff) | 0x800000);
  const double factor = (double)((int32_t)bits < 0 ? -mantissa : mantissa);
  const double head = large ? factor * mlxc_reduction_table[0][row] : (double)x;
  const double middle = large ? factor * mlxc_reduction_table[1][row] : 0.0;
  const double tail = large ? factor * mlxc_reduction_table[2][row] : 0.0;
  const double shifted = __builtin_fma(head + middle, 0.63661977236758138, 6755399441055744.0);
  const double q = shifted - 6755399441055744.0;
  const double r = __builtin_fma(q, -1.5707963267948966, head) + middle + __builtin_fma(q, -6.123233995736766e-17, tail);
  const double t = r * r;
  double s = -2.480557670215151e-8;
  s = __builtin_fma(s, t, 2.7555990286696079e-6);
  s = __builtin_fma(s, t, -0.00019841266914861013);
  s = __builtin_fma(s, t, 0.0083333333310770378);
  s = __builtin_fma(s, t, -0.16666666666663883);
  s = __builtin_fma(s * t, r, r);
  double c = 2.0700557904260488e-9;
  c = __builtin_fma(c, t, -2.7556369235837936e-7);
  c = __builtin_fma(c, t, 2.4801585209470926e-5);
  c = __builtin_fma(c, t, -0.001388888888727578);
  c = __builtin_fma(c, t, 0.041666666666664676);
  c = __builtin_fma(c * t, t, __builtin_fma(t, -0.5, 1.0));
  const uint64_t quadrant = bitcast_f64_u64(shifted);
  const bool swap = (quadrant & 1) != 0;
  const uint64_t sine_sign = (quadrant & 2) << 62;
  const uint64_t cosine_sign = ((quadrant + 1) & 2) << 62;
  mlxc_sine_cosine result;
  result.sine = bitcast_u64_f64(bitcast_f64_u64(swap ? c : s) ^ sine_sign);
  result.cosine = bitcast_u64_f64(bitcast_f64_u64(swap ? s : c) ^ cosine_sign);
  return result;
}

MLXC_INLINE float sin_f32(float x) {
  const float value = x == 0 ? x : (float)sine_cosine_f32(x).sine;
  return fabsf(x) < INFINITY ? value : NAN;
}
MLXC_INLINE float cos_f32(float x) {
  const float value = (float)sine_cosine_f32(x).cosine;
  return fabsf(x) < INFINITY ? value : NAN;
}
MLXC_INLINE float tan_f32(float x) {
  const mlxc_sine_cosine both = sine_cosine_f32(x);
  const float value = x == 0 ? x : (float)(both.sine / both.cosine);
  return fabsf(x) < INFINITY ? value : NAN;
}

MLXC_INLINE float atan_f32(float x) {
  const double value = atan_wide(fabs((double)x));
  return x != x ? x : (float)__builtin_copysign(value, (double)x);
}
MLXC_INLINE float asin_f32(float x) {
  const double size = fabs((double)x);
  const double value = atan_wide(size / sqrt((1.0 - size) * (1.0 + size)));
  return size <= 1.0 ? (float)__builtin_copysign(value, (double)x) : NAN;
}
MLXC_INLINE float acos_f32(float x) {
  const double wide = x;
  const double value = 2.0 * atan_wide(sqrt((1.0 - wide) / (1.0 + wide)));
  return fabs(wide) <= 1.0 ? (float)value : NAN;
}
MLXC_INLINE float atan2_f32(float y, float x) {
  const double height = fabs((double)y), width = fabs((double)x);
  const bool steep = height > width;
  const double least = steep ? width : height, most = steep ? height : width;
  const double ratio = most == 0 ? 0.0 : least == most ? 1.0 : least / most;
  const double flat = atan_wide(ratio);
  const double first = steep ? 1.5707963267948966 - flat : flat;
  const double value = (int32_t)bitcast_f32_u32(x) < 0 ? 3.1415926535897931 - first : first;
  return x != x || y != y ? x + y : (float)__builtin_copysign(value, (double)y);
}

MLXC_INLINE double sin_f64(double x) { return sin(x); }
MLXC_INLINE double cos_f64(double x) { return cos(x); }
MLXC_INLINE double tan_f64(double x) { return tan(x); }
MLXC_INLINE double asin_f64(double x) { return asin(x); }
MLXC_INLINE double acos_f64(double x) { return acos(x); }
MLXC_INLINE double atan_f64(double x) { return atan(x); }
MLXC_INLINE double atan2_f64(double y, double x) { return atan2(y, x); }
