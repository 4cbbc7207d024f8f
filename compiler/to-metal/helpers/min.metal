namespace mlxc {
// NaN if either is; metal::min would drop it.
inline float min(float a, float b) {
  return a < b || metal::isnan(a) ? a : b;
}
}
