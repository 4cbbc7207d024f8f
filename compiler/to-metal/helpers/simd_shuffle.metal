namespace mlxc {
// The value of the lane whose number differs by `mask`; Metal has no 64-bit and no bool shuffles.
template <typename T> inline T simd_shuffle_xor(T x, ushort mask) {
  return metal::simd_shuffle_xor(x, mask);
}
inline long simd_shuffle_xor(long x, ushort mask) {
  return as_type<long>(metal::simd_shuffle_xor(as_type<metal::uint2>(x), mask));
}
inline ulong simd_shuffle_xor(ulong x, ushort mask) {
  return as_type<ulong>(metal::simd_shuffle_xor(as_type<metal::uint2>(x), mask));
}
inline bool simd_shuffle_xor(bool x, ushort mask) {
  return metal::simd_shuffle_xor(uint(x), mask) != 0u;
}
}
