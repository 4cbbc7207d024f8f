namespace mlxc {
// erfc on [0.5, 10.5] as exp(-x^2) times a polynomial in t = 2 / (2 + x) (least squares at Chebyshev points). The
// rounding error of x^2 is multiplied back in.
inline float erfc_tail(float x) {
  const float t = 2.0f / (2.0f + x);
  float p = -0.0636860132f;
  p = metal::fma(p, t, 0.305363357f);
  p = metal::fma(p, t, -0.526293397f);
  p = metal::fma(p, t, 0.318111062f);
  p = metal::fma(p, t, -0.0510064475f);
  p = metal::fma(p, t, 0.211697951f);
  p = metal::fma(p, t, 0.241134644f);
  p = metal::fma(p, t, 0.282607406f);
  p = metal::fma(p, t, 0.282075137f);
  const float s = x * x;
  const float rest = metal::fma(x, x, -s);
  return metal::exp(-s) * (t * p) * (1.0f - rest);
}
}
