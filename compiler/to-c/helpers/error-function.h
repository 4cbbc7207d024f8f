#pragma once
#include "exponential.h"
#include "wide.h"
// erf, erfc and erfinv. erf stays in float: gelu uses it. Coefficients: tools/fit/fit-polynomials.py.

MLXC_INLINE float erf_f32(float x) {
  const float size = fabsf(x);
  const float t = x * x;
  float p = 8.2041696761601188e-5f;
  p = __builtin_fmaf(p, t, -0.00081029155609806916f);
  p = __builtin_fmaf(p, t, 0.0051974872266270113f);
  p = __builtin_fmaf(p, t, -0.026857959062737153f);
  p = __builtin_fmaf(p, t, 0.11283669468623777f);
  p = __builtin_fmaf(p, t, -0.37612632047127881f);
  const float small = __builtin_fmaf(p * t, x, 1.1283791664647885f * x);
  // 1 - e^q with q the logarithm of erfc
  const float a = size < 4.0f ? size : 4.0f;
  float q = -4.6743785719719816e-8f;
  q = __builtin_fmaf(q, a, 1.1154078026169268e-6f);
  q = __builtin_fmaf(q, a, -1.0076059211174761e-5f);
  q = __builtin_fmaf(q, a, 2.5162829828030767e-5f);
  q = __builtin_fmaf(q, a, 0.00031932346846631582f);
  q = __builtin_fmaf(q, a, -0.0040360973834751523f);
  q = __builtin_fmaf(q, a, 0.025142789684393193f);
  q = __builtin_fmaf(q, a, -0.1085684272351474f);
  q = __builtin_fmaf(q, a, -0.63297151702187985f);
  q = __builtin_fmaf(q, a, -1.1297308530308169f);
  q = __builtin_fmaf(q, a, 0.00022311323412468019f);
  const float large = 1.0f - exp_f32(q);
  const float value = size < 0.92f ? small : large;
  return x != x ? x : __builtin_copysignf(value, x);
}

MLXC_INLINE float erfc_f32(float x) {
  const double wide = x;
  const double size = fabs(wide);
  const double a = size < 10.2 ? size : 10.2;
  const double t = (a - 2.0) / (a + 2.0);
  double p = -7.846006722090729e-6;
  p = __builtin_fma(p, t, -2.8333128278190575e-5);
  p = __builtin_fma(p, t, -3.4000661679505599e-6);
  p = __builtin_fma(p, t, 0.00014496392264881999);
  p = __builtin_fma(p, t, 0.0002062082360699465);
  p = __builtin_fma(p, t, -0.00045198146543954196);
  p = __builtin_fma(p, t, -0.0014565867736625948);
  p = __builtin_fma(p, t, 0.0012708232348745449);
  p = __builtin_fma(p, t, 0.0087226078711199885);
  p = __builtin_fma(p, t, -0.0080339534395906802);
  p = __builtin_fma(p, t, -0.054219998006487216);
  p = __builtin_fma(p, t, 0.16405127657916438);
  p = __builtin_fma(p, t, -0.16603039763671085);
  p = __builtin_fma(p, t, -0.09276382652717503);
  p = __builtin_fma(p, t, 1.2769783815519547);
  const double tail = p / __builtin_fma(2.0, a, 1.0) * exp_wide(-a * a);
  const double value = wide < 0 ? 2.0 - tail : tail;
  const double far = wide < 0 ? 2.0 : 0.0;
  return (float)(wide != wide ? wide : size < 10.2 ? value : far);
}

/** Giles, "Approximating the erfinv function" (2012): erfinv(x)/x as a function of w = -log(1 - x^2). */
MLXC_INLINE float erfinv_f32(float x) {
  const double wide = x;
  const double inside = fabs(wide) < 1.0 ? wide : 0.0;
  const double w = -log_wide((1.0 - inside) * (1.0 + inside));
  const double s = w - 2.5;
  double p = -2.0997869650973021e-11;
  p = __builtin_fma(p, s, 1.236015287615602e-10);
  p = __builtin_fma(p, s, 8.2932528053617216e-10);
  p = __builtin_fma(p, s, -1.0863786194339399e-8);
  p = __builtin_fma(p, s, 1.3711518127053971e-8);
  p = __builtin_fma(p, s, 4.7870037724718701e-7);
  p = __builtin_fma(p, s, -3.417166982380553e-6);
  p = __builtin_fma(p, s, -4.996023915775148e-6);
  p = __builtin_fma(p, s, 0.0002182507041652446);
  p = __builtin_fma(p, s, -0.0012527079362083837);
  p = __builtin_fma(p, s, -0.0041773178271551389);
  p = __builtin_fma(p, s, 0.24664027674317621);
  p = __builtin_fma(p, s, 1.5014093511110992);
  const double r = sqrt(w > 0 ? w : 0.0) - 3.0;
  double q = -5.6994738835329515e-6;
  q = __builtin_fma(q, r, -2.2212079807674137e-5);
  q = __builtin_fma(q, r, 0.00016992114470944259);
  q = __builtin_fma(q, r, -0.00028963772125931401);
  q = __builtin_fma(q, r, -0.00012616046585709106);
  q = __builtin_fma(q, r, 0.0014822591285224029);
  q = __builtin_fma(q, r, -0.0035650649794628095);
  q = __builtin_fma(q, r, 0.0056859839369621001);
  q = __builtin_fma(q, r, -0.0076430889933551325);
  q = __builtin_fma(q, r, 0.0094454433655822748);
  q = __builtin_fma(q, r, 1.0016752531292668);
  q = __builtin_fma(q, r, 2.8329767997637698);
  const double value = (w < 5.0 ? p : q) * wide;
  const double edge = fabs(wide) == 1.0 ? wide * (double)INFINITY : (double)NAN;
  return (float)(fabs(wide) < 1.0 ? value : edge);
}

MLXC_INLINE double erf_f64(double x) { return erf(x); }
MLXC_INLINE double erfc_f64(double x) { return erfc(x); }

/** The approximation for float, then two Halley steps. */
MLXC_INLINE double erfinv_f64(double x) {
  const double size = fabs(x);
  if (!(size < 1.0)) return size == 1.0 ? x * (double)INFINITY : (double)NAN;
  if (size == 0) return x;
  // next to 1 the float would be 1: start from the tail of erfc
  const float near = (float)size;
  double y = near < 1.0f ? (double)erfinv_f32(near) : sqrt(-log((1.0 - size) * 3.5));
  for (int step = 0; step < 3; step++) {
    const double error = size > 0.5 ? (1.0 - size) - erfc(y) : erf(y) - size;
    const double newton = error * 0.88622692545275801 * exp(y * y);
    y -= newton / (1.0 + y * newton);
  }
  return copysign(y, x);
}
