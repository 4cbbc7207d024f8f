// The part of Metal's language and library that the compiler's kernels use, for CUDA (NVRTC with --device-as-default-execution-space).
// translate.py rewrites signatures of kernels and pragmas; all else of the Metal text compiles as it is.
//
// A simdgroup is a warp. An 8x8 matrix of a simdgroup lies in its lanes two neighbours of a row each: lane l holds row l/4,
// columns 2*(l%4) and 2*(l%4)+1; products move elements by shuffles. That is right and not fast: times of kernels with
// simdgroup matrices say nothing about Apple's GPUs.
#pragma once
#include <cuda_bf16.h>
#include <cuda_fp16.h>

typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned long ulong;
typedef __nv_bfloat16 bfloat;
#define INT_MAX 2147483647
#define INT_MIN (-INT_MAX - 1)
#define UINT_MAX 4294967295u
#define LONG_MAX 9223372036854775807l
#define LONG_MIN (-LONG_MAX - 1l)
#define ULONG_MAX 18446744073709551615ul
#undef NAN
#undef INFINITY
#define NAN __int_as_float(0x7fc00000)
#define INFINITY __int_as_float(0x7f800000)

template <typename To, typename From> inline To as_type(From value) {
  static_assert(sizeof(To) == sizeof(From), "as_type between sizes");
  To result;
  memcpy(&result, &value, sizeof(To));
  return result;
}

namespace metal {
using ::uint2;
using ::uint3;
struct ulong2 {
  ulong x, y;
  ulong2(ulong x, ulong y) : x(x), y(y) {}
};

// ---- mathematics
inline float fabs(float x) { return ::fabsf(x); }
inline float floor(float x) { return ::floorf(x); }
inline float ceil(float x) { return ::ceilf(x); }
inline float rint(float x) { return ::rintf(x); }
inline float trunc(float x) { return ::truncf(x); }
inline float exp(float x) { return ::expf(x); }
inline float exp2(float x) { return ::exp2f(x); }
inline float log(float x) { return ::logf(x); }
inline float log2(float x) { return ::log2f(x); }
inline float sqrt(float x) { return ::sqrtf(x); }
inline float rsqrt(float x) { return ::rsqrtf(x); }
inline float sin(float x) { return ::sinf(x); }
inline float cos(float x) { return ::cosf(x); }
inline float tan(float x) { return ::tanf(x); }
inline float asin(float x) { return ::asinf(x); }
inline float acos(float x) { return ::acosf(x); }
inline float atan(float x) { return ::atanf(x); }
inline float sinh(float x) { return ::sinhf(x); }
inline float cosh(float x) { return ::coshf(x); }
inline float asinh(float x) { return ::asinhf(x); }
inline float acosh(float x) { return ::acoshf(x); }
inline float atanh(float x) { return ::atanhf(x); }
inline float pow(float x, float y) { return ::powf(x, y); }
inline float atan2(float y, float x) { return ::atan2f(y, x); }
inline float fmod(float x, float y) { return ::fmodf(x, y); }
inline float fma(float x, float y, float z) { return ::fmaf(x, y, z); }
inline float ldexp(float x, int n) { return ::ldexpf(x, n); }
inline float copysign(float x, float y) { return ::copysignf(x, y); }
inline bool isnan(float x) { return x != x; }
inline bool isinf(float x) { return ::fabsf(x) == INFINITY; }
inline bool isfinite(float x) { return ::fabsf(x) < INFINITY; }
namespace precise {
inline float tanh(float x) { return ::tanhf(x); }
}

template <typename T> inline T abs(T x) { return x < T(0) ? T(-x) : x; }
template <typename T> inline T max(T a, T b) { return a < b ? b : a; }
template <typename T> inline T min(T a, T b) { return b < a ? b : a; }
template <typename T> inline T clamp(T x, T low, T high) { return min(max(x, low), high); }
template <typename T> inline ulong bits_of(T x) {
  const ulong all = sizeof(T) == 8 ? ~0ul : (1ul << (8 * (sizeof(T) % 8))) - 1ul;
  return ulong(x) & all;
}
template <typename T> inline T popcount(T x) { return T(__popcll(bits_of(x))); }
template <typename T> inline T clz(T x) {
  return T(__clzll(bits_of(x)) - (64 - 8 * int(sizeof(T))));
}

// ---- threadgroups
namespace mem_flags {
constexpr int mem_none = 0;
constexpr int mem_device = 1;
constexpr int mem_threadgroup = 2;
}
inline void threadgroup_barrier(int) { __syncthreads(); }

// ---- simdgroups
constexpr uint all_lanes = 0xffffffffu;
inline uint lane_index() { return threadIdx.x % 32u; }
inline float simd_shuffle_xor(float x, ushort mask) { return __shfl_xor_sync(all_lanes, x, mask); }
inline int simd_shuffle_xor(int x, ushort mask) { return __shfl_xor_sync(all_lanes, x, mask); }
inline uint simd_shuffle_xor(uint x, ushort mask) { return __shfl_xor_sync(all_lanes, x, mask); }
inline char simd_shuffle_xor(char x, ushort mask) { return char(simd_shuffle_xor(int(x), mask)); }
inline uchar simd_shuffle_xor(uchar x, ushort mask) { return uchar(simd_shuffle_xor(uint(x), mask)); }
inline short simd_shuffle_xor(short x, ushort mask) { return short(simd_shuffle_xor(int(x), mask)); }
inline ushort simd_shuffle_xor(ushort x, ushort mask) { return ushort(simd_shuffle_xor(uint(x), mask)); }
inline uint2 simd_shuffle_xor(uint2 x, ushort mask) {
  return make_uint2(simd_shuffle_xor(x.x, mask), simd_shuffle_xor(x.y, mask));
}
template <typename T> inline T simd_sum(T x) {
  for (ushort mask = 16; mask > 0; mask /= 2) x = T(x + simd_shuffle_xor(x, mask));
  return x;
}
template <typename T> inline T simd_product(T x) {
  for (ushort mask = 16; mask > 0; mask /= 2) x = T(x * simd_shuffle_xor(x, mask));
  return x;
}
template <typename T> inline T simd_max(T x) {
  for (ushort mask = 16; mask > 0; mask /= 2) x = max(x, simd_shuffle_xor(x, mask));
  return x;
}
template <typename T> inline T simd_min(T x) {
  for (ushort mask = 16; mask > 0; mask /= 2) x = min(x, simd_shuffle_xor(x, mask));
  return x;
}
inline bool simd_all(bool x) { return __all_sync(all_lanes, x) != 0; }
inline bool simd_any(bool x) { return __any_sync(all_lanes, x) != 0; }

// ---- simdgroup matrices
template <typename T, int Columns, int Rows> struct simdgroup_matrix {
  T first, second;
};
typedef simdgroup_matrix<float, 8, 8> simdgroup_float8x8;
typedef simdgroup_matrix<half, 8, 8> simdgroup_half8x8;
typedef simdgroup_matrix<bfloat, 8, 8> simdgroup_bfloat8x8;

template <typename T, int Columns, int Rows>
inline simdgroup_matrix<T, Columns, Rows> make_filled_simdgroup_matrix(T value) {
  return {value, value};
}
inline ulong matrix_place(uint column, ulong stride, ulong2 origin, bool transpose) {
  const ulong r = lane_index() / 4 + (transpose ? 0 : origin.y);
  const ulong c = (lane_index() % 4) * 2 + column + (transpose ? 0 : origin.x);
  return transpose ? (c + origin.y) * stride + r + origin.x : r * stride + c;
}
template <typename T>
inline void simdgroup_load(simdgroup_matrix<T, 8, 8>& d, const T* source, ulong stride = 8,
                           ulong2 origin = ulong2(0, 0), bool transpose = false) {
  d.first = source[matrix_place(0, stride, origin, transpose)];
  d.second = source[matrix_place(1, stride, origin, transpose)];
}
template <typename T>
inline void simdgroup_store(simdgroup_matrix<T, 8, 8> a, T* target, ulong stride = 8,
                            ulong2 origin = ulong2(0, 0), bool transpose = false) {
  target[matrix_place(0, stride, origin, transpose)] = a.first;
  target[matrix_place(1, stride, origin, transpose)] = a.second;
}
template <typename D, typename A, typename B, typename C>
inline void simdgroup_multiply_accumulate(simdgroup_matrix<D, 8, 8>& d, simdgroup_matrix<A, 8, 8> a,
                                          simdgroup_matrix<B, 8, 8> b, simdgroup_matrix<C, 8, 8> c) {
  const uint lane = lane_index();
  float first = float(c.first), second = float(c.second);
#pragma unroll
  for (uint k = 0; k < 8; ++k) {
    const float left = __shfl_sync(all_lanes, float(k % 2 ? a.second : a.first), (lane & ~3u) + k / 2);
    const float right_first = __shfl_sync(all_lanes, float(b.first), k * 4 + lane % 4);
    const float right_second = __shfl_sync(all_lanes, float(b.second), k * 4 + lane % 4);
    first = ::fmaf(left, right_first, first);
    second = ::fmaf(left, right_second, second);
  }
  d.first = D(first);
  d.second = D(second);
}
}  // namespace metal

inline metal::uint3 group_at(metal::uint3 first) {
  return metal::uint3{blockIdx.x + first.x, blockIdx.y + first.y, blockIdx.z + first.z};
}

#define device
#define thread
#define threadgroup __shared__
