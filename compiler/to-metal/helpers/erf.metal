namespace mlxc {
// A polynomial in x^2 below 1, beyond it 1 - 2^-q with a polynomial q (least squares, both within a unit in the last
// place). Both are computed: neighbouring lanes rarely agree on a branch.
inline float erf(float x) {
  const float a = metal::fabs(x);
  const float s = x * x;
  float p = -9.67359119e-06f;
  p = metal::fma(p, s, 0.000112682537f);
  p = metal::fma(p, s, -0.000848439639f);
  p = metal::fma(p, s, 0.00522105349f);
  p = metal::fma(p, s, -0.0268654376f);
  p = metal::fma(p, s, 0.112837829f);
  p = metal::fma(p, s, -0.376126379f);
  p = metal::fma(p, s, 0.12837923f);
  const float t = metal::min(a, 4.0f);
  float q = -0.000267727970f;
  q = metal::fma(q, t, 0.00424096920f);
  q = metal::fma(q, t, -0.0314584710f);
  q = metal::fma(q, t, 0.148651600f);
  q = metal::fma(q, t, 0.920764923f);
  q = metal::fma(q, t, 1.62597513f);
  q = metal::fma(q, t, 0.000510294107f);
  return a >= 1.0f ? metal::copysign(1.0f - metal::exp2(-q), x) : metal::fma(p, x, x);
}
}
