namespace mlxc {
// NaN if either is; metal::max would drop it.
inline float max(float a, float b) {
  return a > b || metal::isnan(a) ? a : b;
}
}
