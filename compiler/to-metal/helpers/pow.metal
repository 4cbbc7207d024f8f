namespace mlxc {
// Integer powers by squaring, in 64 unsigned bits so that they wrap; a negative power is 1/a^|b| truncated.
template <typename T> inline T pow(T a, T b) {
  if (b < T(0)) return a == T(1) ? T(1) : a == T(-1) ? (b % T(2) == T(0) ? T(1) : T(-1)) : T(0);
  ulong result = 1ul;
  ulong base = ulong(a);
  for (ulong rest = ulong(b); rest > 0ul; rest >>= 1) {
    if ((rest & 1ul) != 0ul) result *= base;
    base *= base;
  }
  return T(result);
}
}
