namespace mlxc {
// A shift by the width or more (or by a negative number) moves every bit out; the hardware would take it modulo the width.
template <typename T> inline T shift_left(T a, T b) {
  return b < T(0) || b >= T(8 * sizeof(T)) ? T(0) : T(ulong(a) << ulong(b));
}
}
