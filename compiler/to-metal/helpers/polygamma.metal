// needs: lgamma digamma
namespace mlxc {
// (s - 1)! times Hurwitz' zeta(s, x) for whole s >= 2 and x >= 0, by Euler and Maclaurin's summation (Abramowitz and Stegun
// 23.1.30); terms are relative to the first.
inline float scaled_zeta(float s, float x) {
  const float far = 6.0f + 0.5f * s;
  float sum = 0.0f;
  float last = 1.0f;
  float a = x;
  for (int k = 0; a < far && last > 1e-9f && k < 200; k++) {
    a += 1.0f;
    last = metal::pow(x / a, s);
    sum += last;
  }
  if (a >= far && last > 1e-9f) {
    float factor = s / a;
    float rest = a / (s - 1.0f) - 0.5f + factor * 0.0833333333f;
    factor *= ((s + 1.0f) / a) * ((s + 2.0f) / a);
    rest -= factor * 0.00138888889f;
    factor *= ((s + 3.0f) / a) * ((s + 4.0f) / a);
    rest += factor * 3.30687831e-05f;
    factor *= ((s + 5.0f) / a) * ((s + 6.0f) / a);
    rest -= factor * 8.26719577e-07f;
    sum += last * rest;
  }
  sum += 1.0f;
  if (s > 128.0f) return sum * metal::exp(lgamma_right(s) - s * metal::log(x));
  float first = 1.0f / x;
  for (float k = 1.0f; k < s; k += 1.0f) first *= k / x;
  return sum * first;
}

inline float polygamma(float n, float x) {
  const float order = metal::floor(n + 0.5f);
  if (!(order >= 0.0f) || order == INFINITY || x != x) return NAN;
  if (order == 0.0f) return digamma(x);
  const float sign = metal::fmod(order, 2.0f) == 0.0f ? -1.0f : 1.0f;
  const float s = order + 1.0f;
  if (x == INFINITY) return sign * 0.0f;
  if (x > 0.0f) return sign * scaled_zeta(s, x);
  const float below = metal::floor(x);
  if (x == below) return sign * INFINITY;
  const float both = sign * scaled_zeta(s, x - below) + scaled_zeta(s, metal::ceil(x) - x);
  return both - scaled_zeta(s, 1.0f - x);
}
}
