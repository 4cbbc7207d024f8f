namespace mlxc {
// The remainder with the sign of the divisor; 0 for integer division by 0.
template <typename T> inline T rem(T a, T b) {
  if (b == T(0) || (T(-1) < T(0) && b == T(-1))) return T(0);
  const T rest = T(a - T(a / b) * b);
  return rest != T(0) && (rest < T(0)) != (b < T(0)) ? T(rest + b) : rest;
}
inline float rem(float a, float b) {
  const float rest = metal::fmod(a, b);
  if (rest == 0.0f) return metal::copysign(0.0f, b);
  return (rest < 0.0f) != (b < 0.0f) ? rest + b : rest;
}
}
