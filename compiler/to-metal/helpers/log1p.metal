namespace mlxc {
// log(1 + x): the rounding error of u = 1 + x is made good by the factor x / (u - 1). (Kahan; see Goldberg,
// What every computer scientist should know about floating-point arithmetic, 1991, theorem 4.)
inline float log1p(float x) {
  const float u = 1.0f + x;
  if (u == 1.0f || (metal::isinf(u) && x > 0.0f)) return x;
  return metal::log(u) * (x / (u - 1.0f));
}
}
