// What kernels that people write use of Metal's language and library beyond msl.cuh: vectors, half as a number, atomics, collectives of
// simdgroups that are not full. Text of users stands in `namespace msl`, so that CUDA's own functions of the same names are hidden.
#pragma once
#include "msl.cuh"

namespace msl {
typedef signed char int8_t;
typedef unsigned char uint8_t;
typedef short int16_t;
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef long int64_t;
typedef unsigned long uint64_t;
constexpr float FLT_MAX = 3.402823466e+38f, FLT_MIN = 1.175494351e-38f, FLT_EPSILON = 1.192092896e-07f;
constexpr float MAXFLOAT = FLT_MAX;
constexpr float M_PI_F = 3.14159265358979f, M_PI_2_F = 1.57079632679490f, M_E_F = 2.71828182845905f;
constexpr float M_LN2_F = 0.693147180559945f, M_LOG2E_F = 1.44269504088896f, M_SQRT2_F = 1.41421356237310f;

// ---- narrow floats: arithmetic is that of float, rounded where the result is kept
// their kinds keep CUDA's types, and with them CUDA's operators, out of sight
struct HalfKind {
  static ushort narrow(float x) { return as_type<ushort>(::half(x)); }
  static float widen(ushort x) { return float(as_type<::half>(x)); }
};
struct BfloatKind {
  static ushort narrow(float x) { return as_type<ushort>(::bfloat(x)); }
  static float widen(ushort x) { return float(as_type<::bfloat>(x)); }
};
template <typename Kind> struct Narrow {
  ushort bits;
  Narrow() = default;
  template <typename T> Narrow(T x) : bits(Kind::narrow(float(x))) {}
  operator float() const { return Kind::widen(bits); }
  template <typename T> Narrow& operator+=(T x) { return *this = Narrow(float(*this) + float(x)); }
  template <typename T> Narrow& operator-=(T x) { return *this = Narrow(float(*this) - float(x)); }
  template <typename T> Narrow& operator*=(T x) { return *this = Narrow(float(*this) * float(x)); }
  template <typename T> Narrow& operator/=(T x) { return *this = Narrow(float(*this) / float(x)); }
};
typedef Narrow<HalfKind> half;
typedef Narrow<BfloatKind> bfloat;
typedef bfloat bfloat16_t;

template <bool B, typename T = void> struct enable_if {};
template <typename T> struct enable_if<true, T> { typedef T type; };
template <bool B, typename T = void> using enable_if_t = typename enable_if<B, T>::type;
template <typename T, typename U> constexpr bool is_same_v = false;
template <typename T> constexpr bool is_same_v<T, T> = true;
template <bool B, typename T, typename F> struct conditional { typedef T type; };
template <typename T, typename F> struct conditional<false, T, F> { typedef F type; };
template <bool B, typename T, typename F> using conditional_t = typename conditional<B, T, F>::type;
template <typename T>
constexpr bool is_floating_point_v = is_same_v<T, float> || is_same_v<T, half> || is_same_v<T, bfloat>;
template <typename T>
constexpr bool is_integral_v = is_same_v<T, bool> || is_same_v<T, char> || is_same_v<T, int8_t> || is_same_v<T, uchar> ||
                               is_same_v<T, short> || is_same_v<T, ushort> || is_same_v<T, int> || is_same_v<T, uint> ||
                               is_same_v<T, long> || is_same_v<T, ulong>;
template <typename T> constexpr bool is_scalar_v = is_floating_point_v<T> || is_integral_v<T>;

template <typename T> struct numeric_limits {
  static constexpr T max() { return T(T(-1) > T(0) ? ~0ul >> (64 - 8 * sizeof(T)) : (1ul << (8 * sizeof(T) - 1)) - 1); }
  static constexpr T min() { return T(-1) > T(0) ? T(0) : T(-max() - 1); }
  static constexpr T lowest() { return min(); }
};
template <> struct numeric_limits<float> {
  static constexpr float max() { return FLT_MAX; }
  static constexpr float min() { return FLT_MIN; }
  static constexpr float lowest() { return -FLT_MAX; }
  static constexpr float epsilon() { return FLT_EPSILON; }
  static float infinity() { return INFINITY; }
  static float quiet_NaN() { return NAN; }
};
template <> struct numeric_limits<half> {
  static half max() { return half(65504.0f); }
  static half lowest() { return half(-65504.0f); }
  static half infinity() { return half(INFINITY); }
};

// ---- vectors
template <typename T, int N> struct vec;
template <typename T> struct alignas(2 * sizeof(T)) Lanes2 {
  union { struct { T x, y; }; struct { T r, g; }; T at[2]; };
};
template <typename T> struct alignas(4 * sizeof(T)) Lanes3 {
  union { struct { T x, y, z; }; struct { T r, g, b; }; T at[3]; };
};
template <typename T> struct alignas(4 * sizeof(T)) Lanes4 {
  union { struct { T x, y, z, w; }; struct { T r, g, b, a; }; T at[4]; };
};
template <typename T, int N> struct LanesOf;
template <typename T> struct LanesOf<T, 2> { typedef Lanes2<T> type; };
template <typename T> struct LanesOf<T, 3> { typedef Lanes3<T> type; };
template <typename T> struct LanesOf<T, 4> { typedef Lanes4<T> type; };
template <typename T> struct SizeOf { static constexpr int value = 1; };
template <typename T, int N> struct SizeOf<vec<T, N>> { static constexpr int value = N; };

template <typename T, int N, int... I> struct Swizzle {
  vec<T, N>& of;
  template <typename V> Swizzle& operator=(V value);
  template <typename V> Swizzle& operator+=(V value) { return *this = of.template pick<I...>() + value; }
  template <typename V> Swizzle& operator-=(V value) { return *this = of.template pick<I...>() - value; }
  template <typename V> Swizzle& operator*=(V value) { return *this = of.template pick<I...>() * value; }
  template <typename V> Swizzle& operator/=(V value) { return *this = of.template pick<I...>() / value; }
};

template <typename T, int N> struct vec : LanesOf<T, N>::type {
  vec() = default;
  template <typename S, typename = enable_if_t<is_scalar_v<S>>> vec(S s) {
    for (int i = 0; i < N; ++i) this->at[i] = T(s);
  }
  template <typename A, typename B, typename... Rest,
            typename = enable_if_t<SizeOf<A>::value + SizeOf<B>::value + (0 + ... + SizeOf<Rest>::value) == N>>
  vec(A a, B b, Rest... rest) {
    int n = 0;
    put(n, a);
    put(n, b);
    (put(n, rest), ...);
  }
  template <typename U> explicit vec(vec<U, N> v) {
    for (int i = 0; i < N; ++i) this->at[i] = T(v.at[i]);
  }
  T& operator[](int i) { return this->at[i]; }
  T operator[](int i) const { return this->at[i]; }
  template <int... I> vec<T, sizeof...(I)> pick() const {
    vec<T, sizeof...(I)> result;
    int n = 0;
    ((result.at[n++] = this->at[I]), ...);
    return result;
  }
  template <int... I> Swizzle<T, N, I...> place() { return {*this}; }

 private:
  template <typename S> void put(int& n, S s) { this->at[n++] = T(s); }
  template <typename U, int M> void put(int& n, vec<U, M> v) {
    for (int i = 0; i < M; ++i) this->at[n++] = T(v.at[i]);
  }
};
template <typename T, int N, int... I>
template <typename V>
Swizzle<T, N, I...>& Swizzle<T, N, I...>::operator=(V value) {
  const vec<T, sizeof...(I)> all = value;
  int n = 0;
  ((of.at[I] = all.at[n++]), ...);
  return *this;
}
template <typename T, int N> struct packed_vec {
  T at[N];
  packed_vec() = default;
  packed_vec(vec<T, N> v) {
    for (int i = 0; i < N; ++i) at[i] = v.at[i];
  }
  operator vec<T, N>() const {
    vec<T, N> v;
    for (int i = 0; i < N; ++i) v.at[i] = at[i];
    return v;
  }
  T& operator[](int i) { return at[i]; }
  T operator[](int i) const { return at[i]; }
};
#define MSL_VECTORS(T) \
  typedef vec<T, 2> T##2; typedef vec<T, 3> T##3; typedef vec<T, 4> T##4; \
  typedef packed_vec<T, 2> packed_##T##2; typedef packed_vec<T, 3> packed_##T##3; typedef packed_vec<T, 4> packed_##T##4;
MSL_VECTORS(bool) MSL_VECTORS(char) MSL_VECTORS(uchar) MSL_VECTORS(short) MSL_VECTORS(ushort) MSL_VECTORS(int)
MSL_VECTORS(uint) MSL_VECTORS(long) MSL_VECTORS(ulong) MSL_VECTORS(float) MSL_VECTORS(half) MSL_VECTORS(bfloat)

#define MSL_OPERATOR(op, R) \
  template <typename T, int N> vec<R, N> operator op(vec<T, N> a, vec<T, N> b) { \
    vec<R, N> c; \
    for (int i = 0; i < N; ++i) c.at[i] = R(a.at[i] op b.at[i]); \
    return c; \
  } \
  template <typename T, int N, typename S, typename = enable_if_t<is_scalar_v<S>>> \
  vec<R, N> operator op(vec<T, N> a, S b) { return a op vec<T, N>(b); } \
  template <typename T, int N, typename S, typename = enable_if_t<is_scalar_v<S>>> \
  vec<R, N> operator op(S a, vec<T, N> b) { return vec<T, N>(a) op b; }
#define MSL_ARITHMETIC(op) \
  MSL_OPERATOR(op, T) \
  template <typename T, int N, typename V> vec<T, N>& operator op##=(vec<T, N>& a, V b) { return a = a op b; }
MSL_ARITHMETIC(+) MSL_ARITHMETIC(-) MSL_ARITHMETIC(*) MSL_ARITHMETIC(/) MSL_ARITHMETIC(%)
MSL_ARITHMETIC(&) MSL_ARITHMETIC(|) MSL_ARITHMETIC(^) MSL_ARITHMETIC(<<) MSL_ARITHMETIC(>>)
MSL_OPERATOR(==, bool) MSL_OPERATOR(!=, bool) MSL_OPERATOR(<, bool) MSL_OPERATOR(<=, bool) MSL_OPERATOR(>, bool)
MSL_OPERATOR(>=, bool) MSL_OPERATOR(&&, bool) MSL_OPERATOR(||, bool)
template <typename T, int N, typename F> vec<T, N> map_lanes(vec<T, N> a, F f) {
  for (int i = 0; i < N; ++i) a.at[i] = T(f(a.at[i]));
  return a;
}
template <typename T, int N> vec<T, N> operator-(vec<T, N> a) { return map_lanes(a, [](T x) { return -x; }); }
template <typename T, int N> vec<T, N> operator~(vec<T, N> a) { return map_lanes(a, [](T x) { return ~x; }); }
template <int N> vec<bool, N> operator!(vec<bool, N> a) { return map_lanes(a, [](bool x) { return !x; }); }
template <int N> bool any(vec<bool, N> a) {
  bool found = false;
  for (int i = 0; i < N; ++i) found = found || a.at[i];
  return found;
}
template <int N> bool all(vec<bool, N> a) { return !any(!a); }
inline bool any(bool x) { return x; }
inline bool all(bool x) { return x; }

// ---- mathematics
inline float log10(float x) { return ::log10f(x); }
inline float exp10(float x) { return ::exp10f(x); }
inline float round(float x) { return ::roundf(x); }
inline float fract(float x) { return metal::min(x - ::floorf(x), 0x1.fffffep-1f); }
inline float sinpi(float x) { return ::sinpif(x); }
inline float cospi(float x) { return ::cospif(x); }
inline float saturate(float x) { return x > 0.0f ? (x < 1.0f ? x : 1.0f) : 0.0f; }
inline float sign(float x) { return x > 0.0f ? 1.0f : x < 0.0f ? -1.0f : x == 0.0f ? x : 0.0f; }
inline float fmax(float x, float y) { return ::fmaxf(x, y); }
inline float fmin(float x, float y) { return ::fminf(x, y); }
inline float powr(float x, float y) { return ::powf(x, y); }
inline float divide(float x, float y) { return x / y; }
inline float step(float edge, float x) { return x < edge ? 0.0f : 1.0f; }
inline float tanh(float x) { return ::tanhf(x); }
inline float sincos(float x, float& cosine) {
  cosine = ::cosf(x);
  return ::sinf(x);
}
inline float mix(float x, float y, float a) { return x + (y - x) * a; }
inline float smoothstep(float low, float high, float x) {
  const float t = saturate((x - low) / (high - low));
  return t * t * (3.0f - 2.0f * t);
}
#define MSL_SCALAR(f) using metal::f;
#define MSL_UNARY(f) \
  template <typename T, int N> vec<T, N> f(vec<T, N> a) { return map_lanes(a, [](T x) { return f(float(x)); }); }
#define MSL_BINARY(f) \
  template <typename T, int N> vec<T, N> f(vec<T, N> a, vec<T, N> b) { \
    for (int i = 0; i < N; ++i) a.at[i] = T(f(float(a.at[i]), float(b.at[i]))); \
    return a; \
  }
#define MSL_KNOWN(X) \
  X(fabs) X(floor) X(ceil) X(rint) X(trunc) X(exp) X(exp2) X(log) X(log2) X(sqrt) X(rsqrt) X(sin) X(cos) X(tan) X(asin) \
  X(acos) X(atan) X(sinh) X(cosh) X(asinh) X(acosh) X(atanh)
#define MSL_OWN(X) X(log10) X(exp10) X(round) X(fract) X(sinpi) X(cospi) X(saturate) X(sign) X(tanh)
#define MSL_PAIRS(X) X(pow) X(atan2) X(fmod) X(copysign)
#define MSL_OWN_PAIRS(X) X(fmax) X(fmin) X(powr) X(divide) X(step)
MSL_KNOWN(MSL_SCALAR) MSL_PAIRS(MSL_SCALAR)
MSL_SCALAR(fma) MSL_SCALAR(ldexp) MSL_SCALAR(isnan) MSL_SCALAR(isinf) MSL_SCALAR(isfinite) MSL_SCALAR(popcount) MSL_SCALAR(clz)
MSL_KNOWN(MSL_UNARY) MSL_OWN(MSL_UNARY) MSL_PAIRS(MSL_BINARY) MSL_OWN_PAIRS(MSL_BINARY)
#define MSL_FORWARD(f) template <typename... A> auto f(A... a) { return msl::f(a...); }
namespace precise {
MSL_KNOWN(MSL_FORWARD) MSL_OWN(MSL_FORWARD) MSL_PAIRS(MSL_FORWARD) MSL_OWN_PAIRS(MSL_FORWARD)
}
namespace fast {
MSL_KNOWN(MSL_FORWARD) MSL_OWN(MSL_FORWARD) MSL_PAIRS(MSL_FORWARD) MSL_OWN_PAIRS(MSL_FORWARD)
}
template <typename T> T abs(T x) { return x < T(0) ? T(-x) : x; }
template <typename T, int N> vec<T, N> abs(vec<T, N> a) { return map_lanes(a, [](T x) { return msl::abs(x); }); }
// of a number and NaN, the number
template <typename T> T max(T a, T b) { return a < b || a != a ? b : a; }
template <typename T> T min(T a, T b) { return b < a || a != a ? b : a; }
template <typename T, int N> vec<T, N> max(vec<T, N> a, vec<T, N> b) {
  for (int i = 0; i < N; ++i) a.at[i] = msl::max(a.at[i], b.at[i]);
  return a;
}
template <typename T, int N> vec<T, N> min(vec<T, N> a, vec<T, N> b) {
  for (int i = 0; i < N; ++i) a.at[i] = msl::min(a.at[i], b.at[i]);
  return a;
}
template <typename T, int N> vec<T, N> max(vec<T, N> a, T b) { return msl::max(a, vec<T, N>(b)); }
template <typename T, int N> vec<T, N> min(vec<T, N> a, T b) { return msl::min(a, vec<T, N>(b)); }
template <typename T, typename L, typename H> T clamp(T x, L low, H high) { return msl::min(msl::max(x, T(low)), T(high)); }
template <typename T, int N> vec<T, N> fma(vec<T, N> a, vec<T, N> b, vec<T, N> c) {
  for (int i = 0; i < N; ++i) a.at[i] = T(metal::fma(float(a.at[i]), float(b.at[i]), float(c.at[i])));
  return a;
}
template <typename T, int N, typename A> vec<T, N> mix(vec<T, N> x, vec<T, N> y, A a) { return x + (y - x) * a; }
template <typename T> T select(T a, T b, bool c) { return c ? b : a; }
template <typename T, int N> vec<T, N> select(vec<T, N> a, vec<T, N> b, vec<bool, N> c) {
  for (int i = 0; i < N; ++i) a.at[i] = c.at[i] ? b.at[i] : a.at[i];
  return a;
}
template <typename T, int N> T dot(vec<T, N> a, vec<T, N> b) {
  T sum = T(a.at[0] * b.at[0]);
  for (int i = 1; i < N; ++i) sum = T(sum + a.at[i] * b.at[i]);
  return sum;
}
template <typename T, int N> T length_squared(vec<T, N> a) { return dot(a, a); }
template <typename T, int N> T length(vec<T, N> a) { return T(metal::sqrt(float(dot(a, a)))); }
template <typename T, int N> T distance(vec<T, N> a, vec<T, N> b) { return length(a - b); }
template <typename T, int N> vec<T, N> normalize(vec<T, N> a) { return a * T(metal::rsqrt(float(dot(a, a)))); }
template <typename T> vec<T, 3> cross(vec<T, 3> a, vec<T, 3> b) {
  return vec<T, 3>(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
}
template <typename T> T ctz(T x) { return x == 0 ? T(8 * sizeof(T)) : T(metal::popcount(T((x & -x) - 1))); }
inline uint mulhi(uint x, uint y) { return uint((ulong(x) * y) >> 32); }
inline int mulhi(int x, int y) { return int((long(x) * y) >> 32); }
template <typename T> T rotate(T x, T n) {
  const int bits = 8 * sizeof(T), k = int(n) & (bits - 1);
  return T(x << k | x >> ((bits - k) & (bits - 1)));
}
template <typename T> T absdiff(T x, T y) { return x < y ? T(y - x) : T(x - y); }

// ---- barriers and atomics
enum memory_order { memory_order_relaxed };
enum thread_scope { thread_scope_thread, thread_scope_simdgroup, thread_scope_threadgroup, thread_scope_device };
enum class mem_flags { mem_none = 0, mem_device = 1, mem_threadgroup = 2, mem_threadgroup_imageblock = 4, mem_texture = 4 };
constexpr mem_flags operator|(mem_flags a, mem_flags b) { return mem_flags(int(a) | int(b)); }
inline void threadgroup_barrier(mem_flags, thread_scope = thread_scope_threadgroup) { __syncthreads(); }
inline void simdgroup_barrier(mem_flags) { __syncwarp(); }
template <typename T> struct atomic { T value; };
typedef atomic<int> atomic_int;
typedef atomic<uint> atomic_uint;
typedef atomic<bool> atomic_bool;
typedef atomic<float> atomic_float;
typedef atomic<ulong> atomic_ulong;
template <typename T> T atomic_load_explicit(const atomic<T>* a, memory_order) { return *(const volatile T*)&a->value; }
template <typename T, typename V> void atomic_store_explicit(atomic<T>* a, V x, memory_order) { *(volatile T*)&a->value = T(x); }
#define MSL_ATOMIC(f, g) \
  template <typename T, typename V> T atomic_##f##_explicit(atomic<T>* a, V x, memory_order) { return g(&a->value, T(x)); }
MSL_ATOMIC(exchange, atomicExch) MSL_ATOMIC(fetch_add, atomicAdd) MSL_ATOMIC(fetch_min, atomicMin)
MSL_ATOMIC(fetch_max, atomicMax) MSL_ATOMIC(fetch_and, atomicAnd) MSL_ATOMIC(fetch_or, atomicOr) MSL_ATOMIC(fetch_xor, atomicXor)
template <typename T, typename V> T atomic_fetch_sub_explicit(atomic<T>* a, V x, memory_order) { return atomicAdd(&a->value, T(-T(x))); }
template <typename T, typename V>
bool atomic_compare_exchange_weak_explicit(atomic<T>* a, T* expected, V desired, memory_order, memory_order) {
  const T before = *expected;
  *expected = atomicCAS(&a->value, before, T(desired));
  return as_type<typename conditional<sizeof(T) == 8, ulong, uint>::type>(*expected) ==
         as_type<typename conditional<sizeof(T) == 8, ulong, uint>::type>(before);
}

// ---- simdgroups: of a group whose size is no multiple of 32, and after a return, fewer lanes than 32 take part
inline uint lanes_there() {
  const uint all = blockDim.x * blockDim.y * blockDim.z;
  const uint linear = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  const uint left = all - linear / 32u * 32u;
  return left >= 32u ? 0xffffffffu : (1u << left) - 1u;
}
inline uint own_lane() { return (threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) % 32u; }
/// Any type of up to 16 bytes, as words.
template <typename T> T lane_value(T x, uint lane) {
  const uint there = lanes_there();
  uint words[(sizeof(T) + 3) / 4] = {};
  memcpy(words, &x, sizeof(T));
  for (uint& word : words) word = __shfl_sync(there, word, lane & 31u);
  memcpy(&x, words, sizeof(T));
  return x;
}
template <typename T> T simd_shuffle(T x, ushort lane) { return lane_value(x, lane); }
template <typename T> T simd_shuffle_xor(T x, ushort mask) { return lane_value(x, own_lane() ^ mask); }
template <typename T> T simd_shuffle_down(T x, ushort delta) {
  const uint from = own_lane() + delta;
  return lane_value(x, from < 32u ? from : own_lane());
}
template <typename T> T simd_shuffle_up(T x, ushort delta) {
  return lane_value(x, own_lane() >= delta ? own_lane() - delta : own_lane());
}
template <typename T> T simd_shuffle_rotate_down(T x, ushort delta) { return lane_value(x, own_lane() + delta); }
template <typename T> T simd_shuffle_rotate_up(T x, ushort delta) { return lane_value(x, own_lane() - delta); }
template <typename T> T simd_broadcast(T x, ushort lane) { return lane_value(x, lane); }
inline uint active_lanes() { return __ballot_sync(lanes_there(), 1); }
template <typename T> T simd_broadcast_first(T x) { return lane_value(x, ctz(active_lanes())); }
inline bool simd_is_first() { return own_lane() == ctz(active_lanes()); }
template <typename T, typename F> T simd_fold(T x, F combine) {
  const uint active = active_lanes();
  if (active == 0xffffffffu) {
    for (uint mask = 16; mask > 0; mask /= 2) x = combine(x, lane_value(x, own_lane() ^ mask));
    return x;
  }
  T result = lane_value(x, ctz(active));
  for (uint lane = ctz(active) + 1; lane < 32u; ++lane) {
    const T other = lane_value(x, lane);
    if (active >> lane & 1u) result = combine(result, other);
  }
  return result;
}
template <typename T> T simd_sum(T x) { return simd_fold(x, [](T a, T b) { return T(a + b); }); }
template <typename T> T simd_product(T x) { return simd_fold(x, [](T a, T b) { return T(a * b); }); }
template <typename T> T simd_max(T x) { return simd_fold(x, [](T a, T b) { return msl::max(a, b); }); }
template <typename T> T simd_min(T x) { return simd_fold(x, [](T a, T b) { return msl::min(a, b); }); }
template <typename T> T simd_and(T x) { return simd_fold(x, [](T a, T b) { return T(a & b); }); }
template <typename T> T simd_or(T x) { return simd_fold(x, [](T a, T b) { return T(a | b); }); }
template <typename T> T simd_xor(T x) { return simd_fold(x, [](T a, T b) { return T(a ^ b); }); }
inline bool simd_any(bool x) { return (__ballot_sync(lanes_there(), x) & active_lanes()) != 0; }
inline bool simd_all(bool x) { return !simd_any(!x); }
template <typename T, typename F> T simd_scan(T x, T start, bool inclusive, F combine) {
  const uint active = active_lanes();
  T result = start;
  for (uint lane = 0; lane < 32u; ++lane) {
    const T other = lane_value(x, lane);
    if ((active >> lane & 1u) && (lane < own_lane() || (inclusive && lane == own_lane()))) result = combine(result, other);
  }
  return result;
}
template <typename T> T simd_prefix_exclusive_sum(T x) { return simd_scan(x, T(0), false, [](T a, T b) { return T(a + b); }); }
template <typename T> T simd_prefix_inclusive_sum(T x) { return simd_scan(x, T(0), true, [](T a, T b) { return T(a + b); }); }
template <typename T> T simd_prefix_exclusive_product(T x) { return simd_scan(x, T(1), false, [](T a, T b) { return T(a * b); }); }
template <typename T> T simd_prefix_inclusive_product(T x) { return simd_scan(x, T(1), true, [](T a, T b) { return T(a * b); }); }
template <typename T> T quad_sum(T x) {
  x = T(x + simd_shuffle_xor(x, 1));
  return T(x + simd_shuffle_xor(x, 2));
}
template <typename T> T quad_shuffle_xor(T x, ushort mask) { return simd_shuffle_xor(x, mask); }
template <typename T> T quad_broadcast(T x, ushort lane) { return lane_value(x, (own_lane() & ~3u) + lane); }

// ---- simdgroup matrices of float; those of half are held as CUDA's
using metal::make_filled_simdgroup_matrix;
using metal::simdgroup_float8x8;
using metal::simdgroup_matrix;
using metal::simdgroup_multiply_accumulate;
struct MatrixOrigin {
  ulong x, y;
  MatrixOrigin(ulong x = 0, ulong y = 0) : x(x), y(y) {}
  MatrixOrigin(ulong2 v) : x(v.x), y(v.y) {}
};
template <typename T>
void simdgroup_load(simdgroup_matrix<T, 8, 8>& d, const T* source, ulong stride = 8, MatrixOrigin origin = {}, bool transpose = false) {
  metal::simdgroup_load(d, source, stride, metal::ulong2(origin.x, origin.y), transpose);
}
template <typename T>
void simdgroup_store(simdgroup_matrix<T, 8, 8> a, T* target, ulong stride = 8, MatrixOrigin origin = {}, bool transpose = false) {
  metal::simdgroup_store(a, target, stride, metal::ulong2(origin.x, origin.y), transpose);
}
template <typename T>
void simdgroup_multiply(simdgroup_matrix<T, 8, 8>& d, simdgroup_matrix<T, 8, 8> a, simdgroup_matrix<T, 8, 8> b) {
  metal::simdgroup_multiply_accumulate(d, a, b, make_filled_simdgroup_matrix<T, 8, 8>(T(0)));
}

// ---- arguments of kernels
/// A position or size, as any of the types that a kernel may declare it.
struct Position {
  uint x, y, z;
  operator uint() const { return x; }
  operator ushort() const { return ushort(x); }
  operator vec<uint, 2>() const { return vec<uint, 2>(x, y); }
  operator vec<uint, 3>() const { return vec<uint, 3>(x, y, z); }
  operator vec<ushort, 2>() const { return vec<ushort, 2>(x, y); }
  operator vec<ushort, 3>() const { return vec<ushort, 3>(x, y, z); }
};
struct BoundPointer {
  void* at;
  template <typename T> operator T*() const { return (T*)at; }
};
struct BoundReference {
  void* at;
  template <typename T> operator T&() const { return *(T*)at; }
};
template <int N> struct Integers { int at[N]; };
/// Where threadgroups of this launch stand: groups at the edges of the grid are smaller and launched by themselves.
struct Launch {
  uint first[3], threads[3], groups[3], size[3];
  Position group() const { return {first[0] + blockIdx.x, first[1] + blockIdx.y, first[2] + blockIdx.z}; }
  Position inside() const { return {threadIdx.x, threadIdx.y, threadIdx.z}; }
  Position own_size() const { return {blockDim.x, blockDim.y, blockDim.z}; }
  Position position() const {
    return {group().x * size[0] + threadIdx.x, group().y * size[1] + threadIdx.y, group().z * size[2] + threadIdx.z};
  }
  uint linear() const { return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z); }
  static uint simdgroups(Position size) { return (size.x * size.y * size.z + 31u) / 32u; }
  static Position of(const uint (&v)[3]) { return {v[0], v[1], v[2]}; }
};
}  // namespace msl

// these words stand for nothing, or are replaced one by one, in the text of users
#undef threadgroup
#undef thread
#undef device
