namespace mlxc {
// A first guess by powers of two, and one step of Newton's method for y^3 = x.
inline float cbrt(float x) {
  const float a = metal::fabs(x);
  if (a == 0.0f || !metal::isfinite(a)) return x;
  const float y = metal::exp2(metal::log2(a) / 3.0f);
  return metal::copysign(y - (y - a / (y * y)) / 3.0f, x);
}
}
