#pragma once
#include "wide.h"
// rsqrt, cbrt and pow.

MLXC_INLINE float rsqrt_f32(float x) { return 1.0f / sqrtf(x); }
MLXC_INLINE double rsqrt_f64(double x) { return 1.0 / sqrt(x); }

MLXC_INLINE float cbrt_f32(float x) {
  const double size = fabs((double)x);
  const double finite = size < INFINITY && size > 0 ? size : 1.0;
  const double y = exp_wide(log_wide(finite) * (1.0 / 3.0));
  return size < INFINITY && size > 0 ? (float)__builtin_copysign(y, (double)x) : x;
}
MLXC_INLINE double cbrt_f64(double x) { return cbrt(x); }

/** As C's pow: x^0 and 1^y are 1, a negative x needs a whole y. */
MLXC_INLINE float pow_f32(float x, float y) {
  const double size = fabs((double)x);
  const bool regular = size > 0 && size < INFINITY && x == x;
  const double base = log_wide(regular ? size : 1.0);
  const double logarithm = size == 0 ? -(double)INFINITY : size == INFINITY ? (double)INFINITY : base;
  const double exponent = (double)y * logarithm;
  // 0 * infinity is no number here, but x^0 and 1^y are 1
  const double magnitude = exp_wide(exponent);
  const float whole = truncf(y);
  const float half = y * 0.5f;
  const bool is_whole = whole == y;
  const bool is_odd = is_whole && truncf(half) != half;
  const float signed_magnitude = is_odd && __builtin_signbit(x) ? -(float)magnitude : (float)magnitude;
  const float real = x < 0 && !is_whole && size < INFINITY ? NAN : signed_magnitude;
  const float number = x != x || y != y ? x + y : real;
  const bool one = y == 0 || x == 1.0f || (x == -1.0f && fabsf(y) == INFINITY);
  return one ? 1.0f : number;
}
MLXC_INLINE double pow_f64(double x, double y) { return pow(x, y); }

// whole powers by squaring, wrapping; a negative power of an integer is 1/x^|y| truncated, and 0 for 0
#define DEFINE_INTEGER_POWER(T, U, name, is_signed)                                                           \
  MLXC_INLINE T pow_##name(T x, T y) {                                                                        \
    if (is_signed && y < 0) return x == 1 ? (T)1 : x == (T)-1 ? (y % 2 == 0 ? (T)1 : (T)-1) : (T)0;           \
    uint64_t result = 1, base = (uint64_t)x;                                                                  \
    for (uint64_t rest = (uint64_t)(U)y; rest != 0; rest >>= 1) {                                             \
      if (rest & 1) result *= base;                                                                           \
      base *= base;                                                                                           \
    }                                                                                                         \
    return (T)result;                                                                                         \
  }
DEFINE_INTEGER_POWER(int8_t, uint8_t, i8, true)
DEFINE_INTEGER_POWER(int16_t, uint16_t, i16, true)
DEFINE_INTEGER_POWER(int32_t, uint32_t, i32, true)
DEFINE_INTEGER_POWER(int64_t, uint64_t, i64, true)
DEFINE_INTEGER_POWER(uint8_t, uint8_t, u8, false)
DEFINE_INTEGER_POWER(uint16_t, uint16_t, u16, false)
DEFINE_INTEGER_POWER(uint32_t, uint32_t, u32, false)
DEFINE_INTEGER_POWER(uint64_t, uint64_t, u64, false)
