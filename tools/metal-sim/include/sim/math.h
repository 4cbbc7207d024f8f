// Functions of floats and halfs. Those of half go through float and round once. `precise` is what a library compiled with math mode safe
// calls, `fast` what one with fast math calls; the hazards of the fast ones (tanh of large numbers, pow of negative ones) are Metal's.
#pragma once

// Of the C library, under names that no source has.
#define METAL_SIM_C(R, f, ...) R metal_sim_##f(__VA_ARGS__) __asm__(#f);
extern "C" {
METAL_SIM_C(float, acosf, float)
METAL_SIM_C(float, acoshf, float)
METAL_SIM_C(float, asinf, float)
METAL_SIM_C(float, asinhf, float)
METAL_SIM_C(float, atanf, float)
METAL_SIM_C(float, atanhf, float)
METAL_SIM_C(float, coshf, float)
METAL_SIM_C(float, cosf, float)
METAL_SIM_C(float, expf, float)
METAL_SIM_C(float, exp2f, float)
METAL_SIM_C(float, logf, float)
METAL_SIM_C(float, log2f, float)
METAL_SIM_C(float, log10f, float)
METAL_SIM_C(float, sinf, float)
METAL_SIM_C(float, sinhf, float)
METAL_SIM_C(float, tanf, float)
METAL_SIM_C(float, tanhf, float)
METAL_SIM_C(float, atan2f, float, float)
METAL_SIM_C(float, powf, float, float)
METAL_SIM_C(float, fmodf, float, float)
METAL_SIM_C(float, nextafterf, float, float)
METAL_SIM_C(float, ldexpf, float, int)
METAL_SIM_C(int, ilogbf, float)
METAL_SIM_C(double, sin, double)
METAL_SIM_C(double, cos, double)
METAL_SIM_C(double, tan, double)
}
#undef METAL_SIM_C

namespace metal_sim {

constexpr float infinity = __builtin_inff();

namespace precise {
METAL_SIM_INLINE float acos(float x) { return ::metal_sim_acosf(x); }
METAL_SIM_INLINE float acosh(float x) { return ::metal_sim_acoshf(x); }
METAL_SIM_INLINE float asin(float x) { return ::metal_sim_asinf(x); }
METAL_SIM_INLINE float asinh(float x) { return ::metal_sim_asinhf(x); }
METAL_SIM_INLINE float atan(float x) { return ::metal_sim_atanf(x); }
METAL_SIM_INLINE float atanh(float x) { return ::metal_sim_atanhf(x); }
METAL_SIM_INLINE float cos(float x) { return ::metal_sim_cosf(x); }
METAL_SIM_INLINE float cosh(float x) { return ::metal_sim_coshf(x); }
METAL_SIM_INLINE float exp(float x) { return ::metal_sim_expf(x); }
METAL_SIM_INLINE float exp2(float x) { return ::metal_sim_exp2f(x); }
METAL_SIM_INLINE float exp10(float x) { return (float)__builtin_exp10(x); }
METAL_SIM_INLINE float log(float x) { return ::metal_sim_logf(x); }
METAL_SIM_INLINE float log2(float x) { return ::metal_sim_log2f(x); }
METAL_SIM_INLINE float log10(float x) { return ::metal_sim_log10f(x); }
METAL_SIM_INLINE float rsqrt(float x) { return (float)(1.0 / __builtin_sqrt((double)x)); }
METAL_SIM_INLINE float sin(float x) { return ::metal_sim_sinf(x); }
METAL_SIM_INLINE float sinh(float x) { return ::metal_sim_sinhf(x); }
METAL_SIM_INLINE float sqrt(float x) { return __builtin_sqrtf(x); }
METAL_SIM_INLINE float tan(float x) { return ::metal_sim_tanf(x); }
METAL_SIM_INLINE float tanh(float x) { return ::metal_sim_tanhf(x); }
// Of multiples of pi: the argument is brought into [-1, 1] exactly.
METAL_SIM_INLINE float sinpi(float x) {
  const float r = x - 2.0f * __builtin_rintf(x * 0.5f);
  return r == 0.0f || r == 1.0f || r == -1.0f ? __builtin_copysignf(0.0f, x) : (float)::metal_sim_sin((double)r * 3.14159265358979323846);
}
METAL_SIM_INLINE float cospi(float x) {
  const float r = __builtin_fabsf(x - 2.0f * __builtin_rintf(x * 0.5f));
  return r == 0.5f ? 0.0f : (float)::metal_sim_cos((double)r * 3.14159265358979323846);
}
METAL_SIM_INLINE float tanpi(float x) {
  const float r = x - __builtin_rintf(x);
  return r == 0.5f || r == -0.5f ? __builtin_copysignf(infinity, r) : (float)::metal_sim_tan((double)r * 3.14159265358979323846);
}
METAL_SIM_INLINE float atan2(float y, float x) { return ::metal_sim_atan2f(y, x); }
METAL_SIM_INLINE float pow(float x, float y) { return ::metal_sim_powf(x, y); }
METAL_SIM_INLINE float powr(float x, float y) { return x < 0.0f ? __builtin_nanf("") : ::metal_sim_powf(x, y); }
METAL_SIM_INLINE float fmod(float x, float y) { return ::metal_sim_fmodf(x, y); }
METAL_SIM_INLINE float divide(float x, float y) { return x / y; }
}  // namespace precise

namespace fast {
METAL_SIM_INLINE float acos(float x) { return ::metal_sim_acosf(x); }
METAL_SIM_INLINE float acosh(float x) { return ::metal_sim_logf(x + __builtin_sqrtf(x * x - 1.0f)); }
METAL_SIM_INLINE float asin(float x) { return ::metal_sim_asinf(x); }
METAL_SIM_INLINE float asinh(float x) { return ::metal_sim_logf(x + __builtin_sqrtf(x * x + 1.0f)); }
METAL_SIM_INLINE float atan(float x) { return ::metal_sim_atanf(x); }
METAL_SIM_INLINE float atanh(float x) { return 0.5f * ::metal_sim_logf((1.0f + x) / (1.0f - x)); }
METAL_SIM_INLINE float cos(float x) { return ::metal_sim_cosf(x); }
METAL_SIM_INLINE float exp(float x) { return ::metal_sim_exp2f(x * 1.44269504088896340736f); }
METAL_SIM_INLINE float exp2(float x) { return ::metal_sim_exp2f(x); }
METAL_SIM_INLINE float exp10(float x) { return ::metal_sim_exp2f(x * 3.32192809488736234787f); }
METAL_SIM_INLINE float cosh(float x) { return 0.5f * (fast::exp(x) + fast::exp(-x)); }
METAL_SIM_INLINE float log(float x) { return ::metal_sim_log2f(x) * 0.69314718055994530942f; }
METAL_SIM_INLINE float log2(float x) { return ::metal_sim_log2f(x); }
METAL_SIM_INLINE float log10(float x) { return ::metal_sim_log2f(x) * 0.30102999566398119521f; }
METAL_SIM_INLINE float rsqrt(float x) { return 1.0f / __builtin_sqrtf(x); }
METAL_SIM_INLINE float sin(float x) { return ::metal_sim_sinf(x); }
METAL_SIM_INLINE float sinh(float x) { return 0.5f * (fast::exp(x) - fast::exp(-x)); }
METAL_SIM_INLINE float sqrt(float x) { return x == 0.0f ? x : x * fast::rsqrt(x); }
METAL_SIM_INLINE float tan(float x) { return ::metal_sim_sinf(x) / ::metal_sim_cosf(x); }
METAL_SIM_INLINE float tanh(float x) {
  const float t = fast::exp(2.0f * x);
  return (t - 1.0f) / (t + 1.0f);
}
METAL_SIM_INLINE float sinpi(float x) { return precise::sinpi(x); }
METAL_SIM_INLINE float cospi(float x) { return precise::cospi(x); }
METAL_SIM_INLINE float tanpi(float x) { return precise::tanpi(x); }
METAL_SIM_INLINE float atan2(float y, float x) { return x == 0.0f || y == 0.0f ? __builtin_nanf("") : ::metal_sim_atan2f(y, x); }
METAL_SIM_INLINE float pow(float x, float y) { return ::metal_sim_exp2f(y * ::metal_sim_log2f(x)); }
METAL_SIM_INLINE float powr(float x, float y) { return ::metal_sim_exp2f(y * ::metal_sim_log2f(x)); }
METAL_SIM_INLINE float fmod(float x, float y) { return x - y * __builtin_truncf(x / y); }
METAL_SIM_INLINE float divide(float x, float y) { return x * (1.0f / y); }
}  // namespace fast

// Functions of one variant: correctly rounded everywhere.
namespace common {
METAL_SIM_INLINE float ceil(float x) { return __builtin_ceilf(x); }
METAL_SIM_INLINE float fabs(float x) { return __builtin_fabsf(x); }
METAL_SIM_INLINE float floor(float x) { return __builtin_floorf(x); }
METAL_SIM_INLINE float rint(float x) { return __builtin_rintf(x); }
METAL_SIM_INLINE float round(float x) { return __builtin_roundf(x); }
METAL_SIM_INLINE float trunc(float x) { return __builtin_truncf(x); }
METAL_SIM_INLINE float fract(float x) {
  const float f = x - __builtin_floorf(x);
  return f < 1.0f ? f : f == f ? 0x1.fffffep-1f : f;
}
METAL_SIM_INLINE float fmin(float x, float y) { return __builtin_fminf(x, y); }
METAL_SIM_INLINE float fmax(float x, float y) { return __builtin_fmaxf(x, y); }
METAL_SIM_INLINE float saturate(float x) { return fmin(fmax(x, 0.0f), 1.0f); }
METAL_SIM_INLINE float sign(float x) { return x > 0.0f ? 1.0f : x < 0.0f ? -1.0f : x == x ? x : 0.0f; }
METAL_SIM_INLINE float copysign(float x, float y) { return __builtin_copysignf(x, y); }
METAL_SIM_INLINE float fdim(float x, float y) { return x > y ? x - y : x == x && y == y ? 0.0f : __builtin_nanf(""); }
METAL_SIM_INLINE float step(float edge, float x) { return x < edge ? 0.0f : 1.0f; }
METAL_SIM_INLINE float fma(float x, float y, float z) { return __builtin_fmaf(x, y, z); }
METAL_SIM_INLINE float mix(float x, float y, float a) { return x + (y - x) * a; }
METAL_SIM_INLINE float smoothstep(float low, float high, float x) {
  const float t = saturate((x - low) / (high - low));
  return t * t * (3.0f - 2.0f * t);
}
METAL_SIM_INLINE float fmin3(float x, float y, float z) { return fmin(fmin(x, y), z); }
METAL_SIM_INLINE float fmax3(float x, float y, float z) { return fmax(fmax(x, y), z); }
METAL_SIM_INLINE float fmedian3(float x, float y, float z) { return fmax(fmin(x, y), fmin(fmax(x, y), z)); }
}  // namespace common

}  // namespace metal_sim

#ifdef METAL_SIM_FAST
namespace metal_sim { namespace usual = fast; }
#else
namespace metal_sim { namespace usual = precise; }
#endif

// A function of components is one of vectors; a scalar beside a vector is spread.
#define METAL_SIM_EACH1(f) \
  template <typename T, int N> METAL_SIM_INLINE metal_sim_ext<T, N> f(metal_sim_ext<T, N> x) { \
    if constexpr (N == 2) return {f(x.x), f(x.y)}; \
    else if constexpr (N == 3) return {f(x.x), f(x.y), f(x.z)}; \
    else return {f(x.x), f(x.y), f(x.z), f(x.w)}; \
  }
#define METAL_SIM_EACH2(f) \
  template <typename T, int N> METAL_SIM_INLINE metal_sim_ext<T, N> f(metal_sim_ext<T, N> x, metal_sim_ext<T, N> y) { \
    if constexpr (N == 2) return {f(x.x, y.x), f(x.y, y.y)}; \
    else if constexpr (N == 3) return {f(x.x, y.x), f(x.y, y.y), f(x.z, y.z)}; \
    else return {f(x.x, y.x), f(x.y, y.y), f(x.z, y.z), f(x.w, y.w)}; \
  } \
  template <typename T, int N> \
  METAL_SIM_INLINE metal_sim_ext<T, N> f(metal_sim_ext<T, N> x, typename metal_sim_identity<T>::type y) { \
    return f(x, (metal_sim_ext<T, N>)y); \
  } \
  template <typename T, int N> \
  METAL_SIM_INLINE metal_sim_ext<T, N> f(typename metal_sim_identity<T>::type x, metal_sim_ext<T, N> y) { \
    return f((metal_sim_ext<T, N>)x, y); \
  }
#define METAL_SIM_EACH3(f) \
  template <typename T, int N> \
  METAL_SIM_INLINE metal_sim_ext<T, N> f(metal_sim_ext<T, N> x, metal_sim_ext<T, N> y, metal_sim_ext<T, N> z) { \
    if constexpr (N == 2) return {f(x.x, y.x, z.x), f(x.y, y.y, z.y)}; \
    else if constexpr (N == 3) return {f(x.x, y.x, z.x), f(x.y, y.y, z.y), f(x.z, y.z, z.z)}; \
    else return {f(x.x, y.x, z.x), f(x.y, y.y, z.y), f(x.z, y.z, z.z), f(x.w, y.w, z.w)}; \
  } \
  template <typename T, int N> \
  METAL_SIM_INLINE metal_sim_ext<T, N> f(metal_sim_ext<T, N> x, typename metal_sim_identity<T>::type y, \
                                         typename metal_sim_identity<T>::type z) { \
    return f(x, (metal_sim_ext<T, N>)y, (metal_sim_ext<T, N>)z); \
  } \
  template <typename T, int N> \
  METAL_SIM_INLINE metal_sim_ext<T, N> f(metal_sim_ext<T, N> x, metal_sim_ext<T, N> y, typename metal_sim_identity<T>::type z) { \
    return f(x, y, (metal_sim_ext<T, N>)z); \
  } \
  template <typename T, int N> \
  METAL_SIM_INLINE metal_sim_ext<T, N> f(typename metal_sim_identity<T>::type x, typename metal_sim_identity<T>::type y, \
                                         metal_sim_ext<T, N> z) { \
    return f((metal_sim_ext<T, N>)x, (metal_sim_ext<T, N>)y, z); \
  }

#define METAL_SIM_TWO_VARIANT1(m) \
  m(acos) m(acosh) m(asin) m(asinh) m(atan) m(atanh) m(cos) m(cosh) m(cospi) m(exp) m(exp2) m(exp10) m(log) m(log2) m(log10) \
  m(rsqrt) m(sin) m(sinh) m(sinpi) m(sqrt) m(tan) m(tanh) m(tanpi)
#define METAL_SIM_TWO_VARIANT2(m) m(atan2) m(divide) m(fmod) m(pow) m(powr)
#define METAL_SIM_ONE_VARIANT1(m) m(ceil) m(fabs) m(floor) m(fract) m(rint) m(round) m(saturate) m(sign) m(trunc)
#define METAL_SIM_ONE_VARIANT2(m) m(copysign) m(fdim) m(fmax) m(fmin) m(step)
#define METAL_SIM_ONE_VARIANT3(m) m(fma) m(mix) m(smoothstep) m(fmax3) m(fmin3) m(fmedian3)

namespace metal {

#define METAL_SIM_FLOAT1(f) METAL_SIM_INLINE float f(float x) { return metal_sim::METAL_SIM_VARIANT::f(x); }
#define METAL_SIM_FLOAT2(f) METAL_SIM_INLINE float f(float x, float y) { return metal_sim::METAL_SIM_VARIANT::f(x, y); }
#define METAL_SIM_FLOAT3(f) METAL_SIM_INLINE float f(float x, float y, float z) { return metal_sim::METAL_SIM_VARIANT::f(x, y, z); }
// half has one variant, the precise one
#define METAL_SIM_HALF1(f) METAL_SIM_INLINE half f(half x) { return (half)metal_sim::METAL_SIM_VARIANT::f((float)x); }
#define METAL_SIM_HALF2(f) \
  METAL_SIM_INLINE half f(half x, half y) { return (half)metal_sim::METAL_SIM_VARIANT::f((float)x, (float)y); }
#define METAL_SIM_HALF3(f) \
  METAL_SIM_INLINE half f(half x, half y, half z) { return (half)metal_sim::METAL_SIM_VARIANT::f((float)x, (float)y, (float)z); }

#define METAL_SIM_VARIANT usual
METAL_SIM_TWO_VARIANT1(METAL_SIM_FLOAT1)
METAL_SIM_TWO_VARIANT2(METAL_SIM_FLOAT2)
#undef METAL_SIM_VARIANT
#define METAL_SIM_VARIANT precise
METAL_SIM_TWO_VARIANT1(METAL_SIM_HALF1)
METAL_SIM_TWO_VARIANT2(METAL_SIM_HALF2)
#undef METAL_SIM_VARIANT
#define METAL_SIM_VARIANT common
METAL_SIM_ONE_VARIANT1(METAL_SIM_FLOAT1)
METAL_SIM_ONE_VARIANT2(METAL_SIM_FLOAT2)
METAL_SIM_ONE_VARIANT3(METAL_SIM_FLOAT3)
METAL_SIM_ONE_VARIANT1(METAL_SIM_HALF1)
METAL_SIM_ONE_VARIANT2(METAL_SIM_HALF2)
METAL_SIM_ONE_VARIANT3(METAL_SIM_HALF3)
#undef METAL_SIM_VARIANT
METAL_SIM_TWO_VARIANT1(METAL_SIM_EACH1)
METAL_SIM_TWO_VARIANT2(METAL_SIM_EACH2)
METAL_SIM_ONE_VARIANT1(METAL_SIM_EACH1)
METAL_SIM_ONE_VARIANT2(METAL_SIM_EACH2)
METAL_SIM_ONE_VARIANT3(METAL_SIM_EACH3)

// Of those with one variant `precise` and `fast` have the same.
#define METAL_SIM_NAMED \
  METAL_SIM_TWO_VARIANT1(METAL_SIM_FLOAT1) \
  METAL_SIM_TWO_VARIANT2(METAL_SIM_FLOAT2) \
  METAL_SIM_TWO_VARIANT1(METAL_SIM_EACH1) \
  METAL_SIM_TWO_VARIANT2(METAL_SIM_EACH2) \
  METAL_SIM_INLINE float sincos(float x, __private float &c) { \
    c = cos(x); \
    return sin(x); \
  } \
  template <int N> METAL_SIM_INLINE metal_sim_ext<float, N> sincos(metal_sim_ext<float, N> x, __private metal_sim_ext<float, N> &c) { \
    c = cos(x); \
    return sin(x); \
  }
#define METAL_SIM_COMMON \
  METAL_SIM_ONE_VARIANT1(METAL_SIM_FLOAT1) \
  METAL_SIM_ONE_VARIANT2(METAL_SIM_FLOAT2) \
  METAL_SIM_ONE_VARIANT3(METAL_SIM_FLOAT3) \
  METAL_SIM_ONE_VARIANT1(METAL_SIM_EACH1) \
  METAL_SIM_ONE_VARIANT2(METAL_SIM_EACH2) \
  METAL_SIM_ONE_VARIANT3(METAL_SIM_EACH3) \
  METAL_SIM_INLINE float abs(float x) { return metal_sim::common::fabs(x); } \
  METAL_SIM_INLINE float max(float x, float y) { return metal_sim::common::fmax(x, y); } \
  METAL_SIM_INLINE float min(float x, float y) { return metal_sim::common::fmin(x, y); } \
  METAL_SIM_INLINE float clamp(float x, float low, float high) { return min(max(x, low), high); } \
  METAL_SIM_INLINE float max3(float x, float y, float z) { return metal_sim::common::fmax3(x, y, z); } \
  METAL_SIM_INLINE float min3(float x, float y, float z) { return metal_sim::common::fmin3(x, y, z); } \
  METAL_SIM_INLINE float median3(float x, float y, float z) { return metal_sim::common::fmedian3(x, y, z); } \
  METAL_SIM_EACH1(abs) \
  METAL_SIM_EACH2(max) \
  METAL_SIM_EACH2(min) \
  METAL_SIM_EACH3(clamp) \
  METAL_SIM_EACH3(max3) \
  METAL_SIM_EACH3(min3) \
  METAL_SIM_EACH3(median3)
#define METAL_SIM_VARIANT precise
namespace precise {
METAL_SIM_NAMED
}
#undef METAL_SIM_VARIANT
#define METAL_SIM_VARIANT fast
namespace fast {
METAL_SIM_NAMED
}
#undef METAL_SIM_VARIANT
#define METAL_SIM_VARIANT common
namespace precise {
METAL_SIM_COMMON
}
namespace fast {
METAL_SIM_COMMON
}
#undef METAL_SIM_VARIANT

// ------------------------------------------------------------------------------------------ results beside results

METAL_SIM_INLINE float ldexp(float x, int e) { return ::metal_sim_ldexpf(x, e); }
METAL_SIM_INLINE half ldexp(half x, int e) { return (half)::metal_sim_ldexpf((float)x, e); }
METAL_SIM_INLINE int ilogb(float x) { return ::metal_sim_ilogbf(x); }
METAL_SIM_INLINE int ilogb(half x) { return ::metal_sim_ilogbf((float)x); }
METAL_SIM_INLINE float nextafter(float x, float y) { return ::metal_sim_nextafterf(x, y); }
METAL_SIM_INLINE half nextafter(half x, half y) {
  if (x != x || y != y) return x + y;
  if (x == y) return y;
  ushort bits = as_type<ushort>(x);
  if ((bits & 0x7fff) == 0) return as_type<half>((ushort)(y > x ? 1 : 0x8001));
  bits += (y > x) == (x > (half)0) ? 1 : -1;
  return as_type<half>(bits);
}
METAL_SIM_INLINE float frexp(float x, __private int &e) {
  if (x == 0.0f || x != x || __builtin_isinf(x)) {
    e = 0;
    return x;
  }
  e = ::metal_sim_ilogbf(x) + 1;
  return ::metal_sim_ldexpf(x, -e);
}
METAL_SIM_INLINE half frexp(half x, __private int &e) { return (half)frexp((float)x, e); }
METAL_SIM_INLINE float modf(float x, __private float &i) {
  i = __builtin_truncf(x);
  return __builtin_isinf(x) ? __builtin_copysignf(0.0f, x) : __builtin_copysignf(x - i, x);
}
METAL_SIM_INLINE half modf(half x, __private half &i) {
  float whole;
  const float rest = modf((float)x, whole);
  i = (half)whole;
  return (half)rest;
}
METAL_SIM_INLINE float sincos(float x, __private float &c) {
  c = cos(x);
  return sin(x);
}
METAL_SIM_INLINE half sincos(half x, __private half &c) {
  c = cos(x);
  return sin(x);
}
METAL_SIM_EACH2(nextafter)
template <typename T, int N> METAL_SIM_INLINE metal_sim_ext<int, N> ilogb(metal_sim_ext<T, N> x) {
  metal_sim_ext<int, N> r;
  for (int i = 0; i < N; i++) r[i] = ilogb((T)x[i]);
  return r;
}
template <typename T, int N> METAL_SIM_INLINE metal_sim_ext<T, N> sincos(metal_sim_ext<T, N> x, __private metal_sim_ext<T, N> &c) {
  c = cos(x);
  return sin(x);
}
template <typename T, int N> METAL_SIM_INLINE metal_sim_ext<T, N> modf(metal_sim_ext<T, N> x, __private metal_sim_ext<T, N> &i) {
  i = trunc(x);
  return copysign(x - i, x);
}
template <typename T, int N> METAL_SIM_INLINE metal_sim_ext<T, N> ldexp(metal_sim_ext<T, N> x, metal_sim_ext<int, N> e) {
  metal_sim_ext<T, N> r;
  for (int i = 0; i < N; i++) r[i] = ldexp((T)x[i], (int)e[i]);
  return r;
}
template <typename T, int N> METAL_SIM_INLINE metal_sim_ext<T, N> frexp(metal_sim_ext<T, N> x, __private metal_sim_ext<int, N> &e) {
  metal_sim_ext<T, N> r;
  for (int i = 0; i < N; i++) {
    int one;
    r[i] = frexp((T)x[i], one);
    e[i] = one;
  }
  return r;
}

// ------------------------------------------------------------------------------------------------------ geometry

template <typename T, int N> METAL_SIM_INLINE T dot(metal_sim_ext<T, N> x, metal_sim_ext<T, N> y) {
  if constexpr (N == 2) return x.x * y.x + x.y * y.y;
  else if constexpr (N == 3) return x.x * y.x + x.y * y.y + x.z * y.z;
  else return x.x * y.x + x.y * y.y + x.z * y.z + x.w * y.w;
}
template <typename T> METAL_SIM_INLINE metal_sim_ext<T, 3> cross(metal_sim_ext<T, 3> x, metal_sim_ext<T, 3> y) {
  return x.yzx * y.zxy - x.zxy * y.yzx;
}
template <typename T, int N> METAL_SIM_INLINE T length_squared(metal_sim_ext<T, N> x) { return dot(x, x); }
template <typename T, int N> METAL_SIM_INLINE T length(metal_sim_ext<T, N> x) { return sqrt(dot(x, x)); }
template <typename T, int N> METAL_SIM_INLINE T distance_squared(metal_sim_ext<T, N> x, metal_sim_ext<T, N> y) {
  return length_squared(x - y);
}
template <typename T, int N> METAL_SIM_INLINE T distance(metal_sim_ext<T, N> x, metal_sim_ext<T, N> y) { return length(x - y); }
template <typename T, int N> METAL_SIM_INLINE metal_sim_ext<T, N> normalize(metal_sim_ext<T, N> x) { return x * rsqrt(dot(x, x)); }
template <typename T, int N> METAL_SIM_INLINE metal_sim_ext<T, N> reflect(metal_sim_ext<T, N> i, metal_sim_ext<T, N> n) {
  return i - (T)2 * dot(n, i) * n;
}
template <typename T, int N> METAL_SIM_INLINE metal_sim_ext<T, N> refract(metal_sim_ext<T, N> i, metal_sim_ext<T, N> n, T eta) {
  const T d = dot(n, i);
  const T k = (T)1 - eta * eta * ((T)1 - d * d);
  return k < (T)0 ? (metal_sim_ext<T, N>)(T)0 : eta * i - (eta * d + sqrt(k)) * n;
}
template <typename T, int N>
METAL_SIM_INLINE metal_sim_ext<T, N> faceforward(metal_sim_ext<T, N> n, metal_sim_ext<T, N> i, metal_sim_ext<T, N> reference) {
  return dot(reference, i) < (T)0 ? n : -n;
}

// These have one variant, or are made of functions that have two.
namespace precise {
using metal::frexp;
using metal::ldexp;
using metal::modf;
using metal::ilogb;
using metal::nextafter;
template <int N> METAL_SIM_INLINE float length(metal_sim_ext<float, N> x) { return precise::sqrt(dot(x, x)); }
template <int N> METAL_SIM_INLINE float distance(metal_sim_ext<float, N> x, metal_sim_ext<float, N> y) { return precise::length(x - y); }
template <int N> METAL_SIM_INLINE metal_sim_ext<float, N> normalize(metal_sim_ext<float, N> x) { return x * precise::rsqrt(dot(x, x)); }
}  // namespace precise
namespace fast {
using metal::frexp;
using metal::ldexp;
using metal::modf;
using metal::ilogb;
using metal::nextafter;
template <int N> METAL_SIM_INLINE float length(metal_sim_ext<float, N> x) { return fast::sqrt(dot(x, x)); }
template <int N> METAL_SIM_INLINE float distance(metal_sim_ext<float, N> x, metal_sim_ext<float, N> y) { return fast::length(x - y); }
template <int N> METAL_SIM_INLINE metal_sim_ext<float, N> normalize(metal_sim_ext<float, N> x) { return x * fast::rsqrt(dot(x, x)); }
}  // namespace fast

}  // namespace metal
