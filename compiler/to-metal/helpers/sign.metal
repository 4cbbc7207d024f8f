namespace mlxc {
inline float sign(float x) {
  // NaN and the zeros are their own sign
  return x > 0.0f ? 1.0f : x < 0.0f ? -1.0f : x;
}
template <typename T> inline T sign(T x) {
  return x > T(0) ? T(1) : x < T(0) ? T(-1) : T(0);
}
}
