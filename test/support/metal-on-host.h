// The part of Metal's library that our helper functions call, on the host's C++ library: to run the helpers in tests.
#include <climits>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <type_traits>
typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned long ulong;
namespace metal {
#define UNARY(name) inline float name(float x) { return std::name(x); }
UNARY(fabs) UNARY(floor) UNARY(ceil) UNARY(trunc) UNARY(exp) UNARY(exp2) UNARY(log) UNARY(log2) UNARY(sqrt) UNARY(sin) UNARY(cos)
UNARY(tan) UNARY(asin) UNARY(acos) UNARY(atan) UNARY(sinh) UNARY(cosh) UNARY(asinh) UNARY(acosh) UNARY(atanh)
namespace precise { UNARY(tanh) }
inline float rint(float x) { return std::nearbyint(x); }
inline float rsqrt(float x) { return 1.0f / std::sqrt(x); }
inline float fmod(float x, float y) { return std::fmod(x, y); }
inline float pow(float x, float y) { return std::pow(x, y); }
inline float atan2(float x, float y) { return std::atan2(x, y); }
inline float fma(float x, float y, float z) { return std::fma(x, y, z); }
inline float ldexp(float x, int n) { return std::ldexp(x, n); }
inline float copysign(float x, float y) { return std::copysign(x, y); }
inline float clamp(float x, float low, float high) { return x < low ? low : x > high ? high : x; }
inline bool isnan(float x) { return std::isnan(x); }
inline bool isinf(float x) { return std::isinf(x); }
inline bool isfinite(float x) { return std::isfinite(x); }
template <typename T> inline T abs(T x) { return x < 0 ? T(-x) : x; }
template <typename T> inline T max(T x, T y) { return x < y ? y : x; }
template <typename T> inline T min(T x, T y) { return y < x ? y : x; }
template <typename T> inline T popcount(T x) { return T(__builtin_popcountl(ulong(typename std::make_unsigned<T>::type(x)))); }
template <typename T> inline T clz(T x) {
  const ulong bits = ulong(typename std::make_unsigned<T>::type(x));
  return T(bits == 0 ? 8 * sizeof(T) : __builtin_clzl(bits) - (64 - 8 * sizeof(T)));
}
}
