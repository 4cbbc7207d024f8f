namespace mlxc {
// exp(x) - 1: the Taylor series where the difference would cancel.
inline float expm1(float x) {
  if (metal::fabs(x) >= 0.5f) return metal::exp(x) - 1.0f;
  float p = 1.0f / 362880.0f;
  p = metal::fma(p, x, 1.0f / 40320.0f);
  p = metal::fma(p, x, 1.0f / 5040.0f);
  p = metal::fma(p, x, 1.0f / 720.0f);
  p = metal::fma(p, x, 1.0f / 120.0f);
  p = metal::fma(p, x, 1.0f / 24.0f);
  p = metal::fma(p, x, 1.0f / 6.0f);
  p = metal::fma(p, x, 0.5f);
  // the sum would lose the sign of -0
  return x == 0.0f ? x : metal::fma(p * x, x, x);
}
}
