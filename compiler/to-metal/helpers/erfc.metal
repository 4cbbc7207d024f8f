// needs: erfc_tail erf
namespace mlxc {
inline float erfc(float x) {
  if (!(metal::fabs(x) >= 0.5f)) return 1.0f - erf(x);
  const float tail = metal::fabs(x) < 10.5f ? erfc_tail(metal::fabs(x)) : 0.0f;
  return x < 0.0f ? 2.0f - tail : tail;
}
}
