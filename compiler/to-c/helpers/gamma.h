#pragma once
#include "types.h"
#include <math.h>
// lgamma, digamma and polygamma: the steps of kernel-ir/gamma-functions.ts, which says where they are from. Floats go through double.

/** zeta(k) - 1 for k = 2, 3, ... */
static const double mlxc_zeta_minus_one[] = {0.64493406684822644, 0.20205690315959429, 0.082323233711138192,
  0.036927755143369926, 0.01734306198444914, 0.0083492773819228268, 0.0040773561979443394, 0.0020083928260822144,
  0.00099457512781808534, 0.00049418860411946456, 0.0002460865533080483, 0.00012271334757848915,
  6.1248135058704829e-5, 3.0588236307020494e-5, 1.5282259408651872e-5, 7.6371976378997623e-6, 3.8172932649998399e-6,
  1.9082127165539389e-6, 9.5396203387279611e-7, 4.7693298678780646e-7, 2.3845050272773299e-7, 1.1921992596531107e-7,
  5.960818905125948e-8, 2.980350351465228e-8, 1.4901554828365041e-8, 7.4507117898354295e-9};
enum { mlxc_zeta_count = sizeof mlxc_zeta_minus_one / sizeof mlxc_zeta_minus_one[0] };

/** log |gamma(2 + s)| for |s| <= 1/2. */
MLXC_INLINE double mlxc_lgamma_near_two(double s) {
  double sum = 0;
  for (int i = mlxc_zeta_count - 1; i >= 0; i--) {
    const double term = mlxc_zeta_minus_one[i] / (i + 2);
    sum = sum * s + (i % 2 == 0 ? term : -term);
  }
  return s * (0.42278433509846714 + s * sum);
}

/** digamma(2 + s) for |s| <= 1/2. */
MLXC_INLINE double mlxc_digamma_near_two(double s) {
  double sum = 0;
  for (int i = mlxc_zeta_count - 1; i >= 0; i--) {
    sum = sum * s + (i % 2 == 0 ? mlxc_zeta_minus_one[i] : -mlxc_zeta_minus_one[i]);
  }
  return 0.42278433509846714 + s * sum;
}

/** lgamma for x >= 1/2. */
MLXC_INLINE double mlxc_lgamma_right(double x) {
  if (x < 1.5) return mlxc_lgamma_near_two(x - 1) - log1p(x - 1);
  if (x < 10) {
    double product = 1;
    while (x >= 2.5) product *= x -= 1;
    return mlxc_lgamma_near_two(x - 2) + log(product);
  }
  if (x == INFINITY) return x;
  const double r = 1 / (x * x);
  const double series = 1.0 / 12 -
    r * (1.0 / 360 - r * (1.0 / 1260 - r * (1.0 / 1680 - r * (1.0 / 1188 - r * (691.0 / 360360 - r / 156)))));
  return (x - 0.5) * (log(x) - 1) + 0.41893853320467274 + series / x;
}

MLXC_INLINE double lgamma_f64(double x) {
  if (!(x < 0.5)) return mlxc_lgamma_right(x);
  if (x == floor(x)) return (double)INFINITY;
  if (x > 0) return mlxc_lgamma_near_two(x) - log1p(x) - log(x);
  const double distance = fabs(x - rint(x));
  return log(3.14159265358979324 / sin(3.14159265358979324 * distance)) - mlxc_lgamma_right(1 - x);
}

/** digamma for x > 0. */
MLXC_INLINE double mlxc_digamma_right(double x) {
  // the power series around its zero
  const double d = x - 1.4616321449683622 - 9.549995429965697e-17;
  if (fabs(d) < 0.06) {
    static const double terms[] = {0.9676722454476212, -0.4427631689835921, 0.258499760955651, -0.16394270544240652,
      0.10782405069126237, -0.07219956125645471, 0.04880428816414311, -0.03316112647484736, 0.022597648232218104,
      -0.01542476590494896, 0.010538791616612175, -0.007204534386356869};
    double sum = 0;
    for (int i = 11; i >= 0; i--) sum = sum * d + terms[i];
    return d * sum;
  }
  if (x < 0.5) return mlxc_digamma_near_two(x) - 1 / (1 + x) - 1 / x;
  if (x < 1.5) return mlxc_digamma_near_two(x - 1) - 1 / x;
  if (x < 10) {
    double sum = 0;
    while (x >= 2.5) sum += 1 / (x -= 1);
    return mlxc_digamma_near_two(x - 2) + sum;
  }
  const double r = 1 / (x * x);
  const double series = 1.0 / 12 -
    r * (1.0 / 120 - r * (1.0 / 252 - r * (1.0 / 240 - r * (1.0 / 132 - r * (691.0 / 32760 - r / 12)))));
  return log(x) - 0.5 / x - series * r;
}

MLXC_INLINE double digamma_f64(double x) {
  if (x == 0) return -1 / x;
  if (!(x < 0)) return mlxc_digamma_right(x);
  if (x == floor(x)) return (double)NAN;
  return mlxc_digamma_right(1 - x) - 3.14159265358979324 / tan(3.14159265358979324 * (x - rint(x)));
}

/** (s - 1)! times Hurwitz' zeta(s, x) for whole s >= 2 and x >= 0; terms are relative to the first. */
MLXC_INLINE double mlxc_scaled_zeta(double s, double x) {
  static const double bernoulli[] = {8.3333333333333333e-2, -1.3888888888888889e-3, 3.3068783068783069e-5,
    -8.2671957671957672e-7, 2.0876756987868099e-8, -5.2841901386874932e-10, 1.3382536530684679e-11,
    -3.3896802963225828e-13, 8.5860620562778446e-15, -2.1748686985580619e-16, 5.5090028283602295e-18,
    -1.3954464685812523e-19};
  const double far = 10 + s / 2;
  double sum = 1, last = 1, a = x;
  for (int k = 0; a < far && last > 1e-18 && k < 200; k++) {
    a += 1;
    last = pow(x / a, s);
    sum += last;
  }
  if (a >= far && last > 1e-18) {
    sum += last * (a / (s - 1) - 0.5);
    double factor = s / a;
    for (int k = 0; k < 12; k++) {
      sum += last * factor * bernoulli[k];
      factor *= ((s + 2 * k + 1) / a) * ((s + 2 * k + 2) / a);
    }
  }
  if (s > 128) return sum * exp(mlxc_lgamma_right(s) - s * log(x));
  double first = 1 / x;
  for (double k = 1; k < s; k += 1) first *= k / x;
  return sum * first;
}

MLXC_INLINE double polygamma_f64(double n, double x) {
  const double order = floor(n + 0.5);
  if (!(order >= 0) || order == INFINITY || x != x) return (double)NAN;
  if (order == 0) return digamma_f64(x);
  const double sign = fmod(order, 2) == 0 ? -1 : 1;
  const double s = order + 1;
  if (x == INFINITY) return sign * 0;
  if (x > 0) return sign * mlxc_scaled_zeta(s, x);
  const double below = floor(x);
  if (x == below) return sign * (double)INFINITY;
  const double both = sign * mlxc_scaled_zeta(s, x - below) + mlxc_scaled_zeta(s, ceil(x) - x);
  return both - mlxc_scaled_zeta(s, 1 - x);
}

MLXC_INLINE float lgamma_f32(float x) { return (float)lgamma_f64(x); }
MLXC_INLINE float digamma_f32(float x) { return (float)digamma_f64(x); }
MLXC_INLINE float polygamma_f32(float n, float x) { return (float)polygamma_f64(n, x); }
