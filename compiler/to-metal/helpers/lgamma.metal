namespace mlxc {
// log |gamma(2 + s)| for |s| <= 1/2: the power series (Abramowitz and Stegun 6.1.33).
inline float lgamma_near_two(float s) {
  float p = 2.05072128e-05f;
  p = metal::fma(p, s, -4.49262367e-05f);
  p = metal::fma(p, s, 9.94575128e-05f);
  p = metal::fma(p, s, -0.000223154758f);
  p = metal::fma(p, s, 0.000509669525f);
  p = metal::fma(p, s, -0.00119275391f);
  p = metal::fma(p, s, 0.00289051033f);
  p = metal::fma(p, s, -0.00738555103f);
  p = metal::fma(p, s, 0.0205808084f);
  p = metal::fma(p, s, -0.0673523010f);
  p = metal::fma(p, s, 0.322467033f);
  return s * metal::fma(p, s, 0.422784335f);
}

// lgamma for x >= 1/2.
inline float lgamma_right(float x) {
  if (x < 1.5f) {
    // log(1 + s) by its own series near 0, so that lgamma keeps its zero at 1
    const float s = x - 1.0f;
    float p = metal::log(x);
    if (metal::fabs(s) < 0.03125f) {
      p = 0.2f;
      p = metal::fma(p, s, -0.25f);
      p = metal::fma(p, s, 0.333333333f);
      p = metal::fma(p, s, -0.5f);
      p = metal::fma(p * s, s, s);
    }
    return lgamma_near_two(s) - p;
  }
  if (x < 10.0f) {
    float product = 1.0f;
    while (x >= 2.5f) {
      x -= 1.0f;
      product *= x;
    }
    return lgamma_near_two(x - 2.0f) + (product == 1.0f ? 0.0f : metal::log(product));
  }
  if (!metal::isfinite(x)) return x;
  // Stirling's series
  const float r = 1.0f / x;
  const float series = r * (0.0833333333f - r * r * 0.00277777778f);
  return (x - 0.5f) * (metal::log(x) - 1.0f) + 0.418938533f + series;
}

inline float lgamma(float x) {
  if (!(x < 0.5f)) return lgamma_right(x);
  if (x == metal::floor(x)) return INFINITY;
  if (x > 0.0f) return lgamma_near_two(x) - metal::log(1.0f + x) - metal::log(x);
  const float distance = metal::fabs(x - metal::rint(x));
  return metal::log(3.14159265f / metal::sin(3.14159265f * distance)) - lgamma_right(1.0f - x);
}
}
