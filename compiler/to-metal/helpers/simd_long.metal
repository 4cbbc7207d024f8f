// needs: simd_shuffle
namespace mlxc {
// Reductions of 64-bit integers over a simdgroup, as a butterfly of shuffles.
template <typename T> inline T simd_sum(T x) {
  for (ushort mask = 16; mask > 0; mask /= 2) x = T(ulong(x) + ulong(simd_shuffle_xor(x, mask)));
  return x;
}
template <typename T> inline T simd_product(T x) {
  for (ushort mask = 16; mask > 0; mask /= 2) x = T(ulong(x) * ulong(simd_shuffle_xor(x, mask)));
  return x;
}
inline long simd_max(long x) {
  for (ushort mask = 16; mask > 0; mask /= 2) x = metal::max(x, simd_shuffle_xor(x, mask));
  return x;
}
inline ulong simd_max(ulong x) {
  for (ushort mask = 16; mask > 0; mask /= 2) x = metal::max(x, simd_shuffle_xor(x, mask));
  return x;
}
inline long simd_min(long x) {
  for (ushort mask = 16; mask > 0; mask /= 2) x = metal::min(x, simd_shuffle_xor(x, mask));
  return x;
}
inline ulong simd_min(ulong x) {
  for (ushort mask = 16; mask > 0; mask /= 2) x = metal::min(x, simd_shuffle_xor(x, mask));
  return x;
}
}
