// needs: simd_shuffle
namespace mlxc {
// Pairs (value, index) over a simdgroup: the better value, NaN before all, then the smaller index.
template <typename T, typename I>
inline void simd_argmax(thread T& value, thread I& index) {
  for (ushort mask = 16; mask > 0; mask /= 2) {
    const T other = simd_shuffle_xor(value, mask);
    const I at = simd_shuffle_xor(index, mask);
    const bool isTie = other == value || (other != other && value != value);
    if (isTie ? at < index : other > value || (other != other && value == value)) {
      value = other;
      index = at;
    }
  }
}
template <typename T, typename I>
inline void simd_argmin(thread T& value, thread I& index) {
  for (ushort mask = 16; mask > 0; mask /= 2) {
    const T other = simd_shuffle_xor(value, mask);
    const I at = simd_shuffle_xor(index, mask);
    const bool isTie = other == value || (other != other && value != value);
    if (isTie ? at < index : other < value || (other != other && value == value)) {
      value = other;
      index = at;
    }
  }
}
}
