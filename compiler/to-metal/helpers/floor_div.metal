// needs: rem
namespace mlxc {
// The quotient rounded to minus infinity; 0 for integer division by 0.
template <typename T> inline T floor_div(T a, T b) {
  if (b == T(0)) return T(0);
  // the one quotient that overflows wraps
  if (T(-1) < T(0) && b == T(-1)) return T(0ul - ulong(a));
  const T quotient = T(a / b);
  return T(quotient * b) != a && (a < T(0)) != (b < T(0)) ? T(quotient - T(1)) : quotient;
}
// As NumPy: the whole number that belongs to rem, so floor_div(1, 0.1) is 9.
inline float floor_div(float a, float b) {
  if (b == 0.0f || metal::isnan(a) || metal::isnan(b) || metal::isinf(a)) return b == 0.0f ? a / b : NAN;
  if (metal::isinf(b)) return a != 0.0f && (a < 0.0f) != (b < 0.0f) ? -1.0f : a / b;
  const float quotient = metal::rint((a - rem(a, b)) / b);
  return quotient == 0.0f ? metal::copysign(0.0f, a / b) : quotient;
}
}
