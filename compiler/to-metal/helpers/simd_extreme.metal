namespace mlxc {
// Extremes over a simdgroup that keep NaN.
inline float simd_max(float x) {
  return metal::simd_any(metal::isnan(x)) ? NAN : metal::simd_max(x);
}
inline float simd_min(float x) {
  return metal::simd_any(metal::isnan(x)) ? NAN : metal::simd_min(x);
}
}
