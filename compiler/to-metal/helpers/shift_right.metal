namespace mlxc {
// Arithmetic on signed types, logical on unsigned ones; a shift by the width or more leaves the sign, or 0.
template <typename T> inline T shift_right(T a, T b) {
  const bool isTotal = b < T(0) || b >= T(8 * sizeof(T));
  return isTotal ? T(a < T(0) ? T(-1) : T(0)) : T(a >> b);
}
}
