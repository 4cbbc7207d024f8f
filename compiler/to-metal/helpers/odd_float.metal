namespace mlxc {
// A 32- or 64-bit integer as float, inexact ones to odd: rounding that once more to bfloat is rounding the integer once.
template <typename T> inline float odd_float(T x) {
  const ulong size = x < T(0) ? 0ul - ulong(x) : ulong(x);
  const int shift = size < 16777216ul ? 0 : 40 - int(metal::clz(size));
  const ulong high = size >> shift;
  const ulong odd = high << shift == size ? high : high | 1ul;
  const float result = metal::ldexp(float(odd), shift);
  return x < T(0) ? -result : result;
}
}
