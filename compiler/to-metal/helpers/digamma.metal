namespace mlxc {
// digamma for x > 0. Between 1 and 2 it is x minus its zero, in two floats, times a polynomial in x - 3/2 (least squares
// at Chebyshev points); above, recurrence and the asymptotic series.
inline float digamma_right(float x) {
  float sum = 0.0f;
  if (x < 1.0f) {
    sum = -1.0f / x;
    x += 1.0f;
  }
  if (x >= 8.0f) {
    const float r = 1.0f / (x * x);
    return metal::log(x) - 0.5f / x - r * (0.0833333333f - r * (0.00833333333f - r * 0.00396825397f));
  }
  while (x > 2.0f) {
    x -= 1.0f;
    sum += 1.0f / x;
  }
  const float t = x - 1.5f;
  float p = -0.0157447531f;
  p = metal::fma(p, t, 0.0238969217f);
  p = metal::fma(p, t, -0.0261390327f);
  p = metal::fma(p, t, 0.0393754541f);
  p = metal::fma(p, t, -0.0619903459f);
  p = metal::fma(p, t, 0.0951152875f);
  p = metal::fma(p, t, -0.148403382f);
  p = metal::fma(p, t, 0.240538499f);
  p = metal::fma(p, t, -0.423627414f);
  p = metal::fma(p, t, 0.951055896f);
  return metal::fma(x - 1.46163213f - 1.24381499e-08f, p, sum);
}

inline float digamma(float x) {
  if (x == 0.0f) return -1.0f / x;
  if (!(x < 0.0f)) return digamma_right(x);
  if (x == metal::floor(x)) return NAN;
  // the cotangent from the nearer end, where its angle is exact
  const float distance = metal::fabs(x - metal::rint(x));
  const bool isNearPole = distance < 0.25f;
  const float angle = 3.14159265f * (isNearPole ? distance : 0.5f - distance);
  const float ratio = isNearPole ? metal::cos(angle) / metal::sin(angle) : metal::sin(angle) / metal::cos(angle);
  return digamma_right(1.0f - x) - 3.14159265f * metal::copysign(ratio, x - metal::rint(x));
}
}
