#pragma once
#include "bitcast.h"
// Building blocks in double precision, branch-free so that loops over them vectorise. Relative errors are near 1e-14 (exp) and 1e-15 (log, atan):
// far below half a unit of float, in which their results are rounded. Coefficients: tools/fit/fit-polynomials.py.

/** e^x; 0 below -745, infinite above 709. */
MLXC_INLINE double exp_wide(double x) {
  const double low = x < -746.0 ? -746.0 : x;
  const double clamped = low > 710.0 ? 710.0 : low;
  // adding 1.5 * 2^52 rounds to an integer, which is then in the low bits
  const double shifted = clamped * 1.4426950408889634 + 6755399441055744.0;
  const double n = shifted - 6755399441055744.0;
  const double r = __builtin_fma(n, -1.9082149292705877e-10, __builtin_fma(n, -0.69314718036912382, clamped));
  double p = 2.7632791582662334e-6;
  p = __builtin_fma(p, r, 2.4884625825292251e-5);
  p = __builtin_fma(p, r, 0.00019841190330031338);
  p = __builtin_fma(p, r, 0.0013888801400235062);
  p = __builtin_fma(p, r, 0.0083333333675161087);
  p = __builtin_fma(p, r, 0.04166666704280246);
  p = __builtin_fma(p, r, 0.16666666666615237);
  p = __builtin_fma(p, r, 0.4999999999943408);
  p = __builtin_fma(p, r, 1.0);
  p = __builtin_fma(p, r, 1.0);
  // 2^n in two steps: n reaches beyond the exponents of one double
  const int64_t whole = (int64_t)bitcast_f64_u64(shifted) - 0x4338000000000000;
  const int64_t half = whole >> 1;
  const double first = bitcast_u64_f64((uint64_t)(half + 1023) << 52);
  const double second = bitcast_u64_f64((uint64_t)(whole - half + 1023) << 52);
  return p * first * second;
}

/** log(x) for normal x > 0 (what a positive float becomes); other x give no useful value. */
MLXC_INLINE double log_wide(double x) {
  // x = m * 2^n with m in [sqrt(1/2), sqrt(2))
  const int64_t offset = (int64_t)bitcast_f64_u64(x) - 0x3fe6a09e667f3bcd;
  const int64_t exponent = offset >> 52;
  const double m = bitcast_u64_f64((uint64_t)((offset & 0xfffffffffffff) + 0x3fe6a09e667f3bcd));
  // a 64-bit integer to double without a conversion instruction: 2^52 + 2^51 plus it
  const double n = bitcast_u64_f64((uint64_t)(exponent + 0x4338000000000000)) - 6755399441055744.0;
  const double s = (m - 1.0) / (m + 1.0);
  const double t = s * s;
  double p = 0.084204672237204554;
  p = __builtin_fma(p, t, 0.090608346154817842);
  p = __builtin_fma(p, t, 0.11111721267237609);
  p = __builtin_fma(p, t, 0.14285707955683602);
  p = __builtin_fma(p, t, 0.20000000031207303);
  p = __builtin_fma(p, t, 0.33333333333275716);
  const double log_m = __builtin_fma(2.0 * s * t, p, 2.0 * s);
  return __builtin_fma(n, 0.69314718055994531, log_m);
}

/** atan(x) for 0 <= x <= infinity. */
MLXC_INLINE double atan_wide(double x) {
  const bool steep = x > 2.4142135623730951;
  const bool middle = x > 0.41421356237309503;
  const double above = steep ? -1.0 : x - 1.0;
  const double below = steep ? x : x + 1.0;
  const double z = middle ? above / below : x;
  const double t = z * z;
  double p = -0.025303517662796356;
  p = __builtin_fma(p, t, 0.05023814596143144);
  p = __builtin_fma(p, t, -0.065056952860195926);
  p = __builtin_fma(p, t, 0.076734884957775692);
  p = __builtin_fma(p, t, -0.090895255122983031);
  p = __builtin_fma(p, t, 0.11111048607678855);
  p = __builtin_fma(p, t, -0.14285712654071986);
  p = __builtin_fma(p, t, 0.1999999997827541);
  p = __builtin_fma(p, t, -0.33333333333220744);
  const double start = steep ? 1.5707963267948966 : middle ? 0.78539816339744828 : 0.0;
  return start + __builtin_fma(z * t, p, z);
}
