namespace mlxc {
// Floats to integers: truncated, saturated, NaN to 0. Metal leaves what is out of range undefined. Bounds are the
// powers of two just outside, exact in float.
inline char to_char(float x) {
  return metal::isnan(x) ? char(0) : char(metal::clamp(x, -128.0f, 127.0f));
}
inline uchar to_uchar(float x) {
  return metal::isnan(x) ? uchar(0) : uchar(metal::clamp(x, 0.0f, 255.0f));
}
inline short to_short(float x) {
  return metal::isnan(x) ? short(0) : short(metal::clamp(x, -32768.0f, 32767.0f));
}
inline ushort to_ushort(float x) {
  return metal::isnan(x) ? ushort(0) : ushort(metal::clamp(x, 0.0f, 65535.0f));
}
inline int to_int(float x) {
  return metal::isnan(x) ? 0 : x >= 2147483648.0f ? INT_MAX : x <= -2147483648.0f ? INT_MIN : int(x);
}
inline uint to_uint(float x) {
  return !(x > 0.0f) ? 0u : x >= 4294967296.0f ? UINT_MAX : uint(x);
}
inline long to_long(float x) {
  return metal::isnan(x) ? 0l
       : x >= 9223372036854775808.0f ? LONG_MAX
       : x <= -9223372036854775808.0f ? LONG_MIN
                                      : long(x);
}
inline ulong to_ulong(float x) {
  return !(x > 0.0f) ? 0ul : x >= 18446744073709551616.0f ? ULONG_MAX : ulong(x);
}
}
