// needs: erfc_tail
namespace mlxc {
// A polynomial in x^2 on [0, 1] (least squares at Chebyshev points), 1 - erfc(x) beyond.
inline float erf(float x) {
  const float a = metal::fabs(x);
  if (a >= 1.0f) return metal::copysign(1.0f - (a < 4.0f ? erfc_tail(a) : 0.0f), x);
  const float s = x * x;
  float p = -9.67359119e-06f;
  p = metal::fma(p, s, 0.000112682537f);
  p = metal::fma(p, s, -0.000848439639f);
  p = metal::fma(p, s, 0.00522105349f);
  p = metal::fma(p, s, -0.0268654376f);
  p = metal::fma(p, s, 0.112837829f);
  p = metal::fma(p, s, -0.376126379f);
  p = metal::fma(p, s, 0.12837923f);
  return metal::fma(p, x, x);
}
}
