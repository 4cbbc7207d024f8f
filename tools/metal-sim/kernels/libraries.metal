// Idioms of libraries of Metal kernels: types that live in every address space, traits, lists, instantiations of all kinds.
#include <metal_stdlib>
#include <metal_uniform>
using namespace metal;

// A static member at the head of the file, whose type stands before its space.
template <typename T>
struct PerThread {
  static constexpr int constant count = 8 / sizeof(T);
};

template <typename T>
constant constexpr bool is_small = _disjunction<is_same<T, half>, is_same<T, bfloat>>::value;

/** A pair that can be made, moved and read in each address space. */
template <typename T>
struct Pair {
  T a, b;
  constexpr Pair() thread : a(0), b(0) {}
  constexpr Pair() threadgroup : a(0), b(0) {}
  constexpr Pair(T x, T y) thread : a(x), b(y) {}
  constexpr Pair(vec<T, 2> v) thread : a(v.x), b(v.y) {}
  constexpr Pair(vec<T, 2> v) device : a(v.x), b(v.y) {}
  constexpr Pair(vec<T, 2> v) constant : a(v.x), b(v.y) {}
  constexpr operator vec<T, 2>() const thread { return vec<T, 2>(a, b); }
  constexpr operator vec<T, 2>() const device { return vec<T, 2>(a, b); }
  constexpr operator vec<T, 2>() const constant { return vec<T, 2>(a, b); }
  T sum() const thread;
  T sum() const device { return a + b; }
  T sum() const constant { return a + b; }
  static METAL_FUNC T combine(T x, T y) { return x + y; }
};
template <typename T>
T Pair<T>::sum() const thread {
  return a + b;
}
template <typename T>
constexpr Pair<T> operator+(Pair<T> x, Pair<T> y) {
  return {x.a + y.a, x.b + y.b};
}
template <typename T>
constexpr device Pair<T>& operator+=(device Pair<T>& x, Pair<T> y) {
  x.a += y.a;
  x.b += y.b;
  return x;
}
static_assert((Pair<float>{1.0f, 2.0f} + Pair<float>{3.0f, 4.0f}).b == 6.0f, "pairs add up");

struct Plain {
  float a;
  int b;
};

// A choice between structs of two address spaces, and a compound assignment in device memory.
kernel void choose_pairs(
    const device Pair<float>* in [[buffer(0)]],
    device Pair<float>* out [[buffer(1)]],
    const device Plain* plain [[buffer(2)]],
    constant uint& count [[buffer(3)]],
    uint i [[thread_position_in_grid]]) {
  const Pair<float> none;
  Pair<float> chosen = i < count ? in[i] : none;
  const Plain zero = {0.0f, 0};
  const Plain p = i % 2 == 0 ? plain[i] : zero;
  out[i] = float2(chosen);
  out[i] += Pair<float>(p.a, float(p.b));
  out[i].b += in[i].sum() + chosen.sum();
}

template <typename T, int v>
struct Constant {
  METAL_FUNC constexpr operator T() const thread noexcept { return v; }
};

template <typename T, int N>
T total(vec<T, N> x) {
  T t = x[0];
  for (int i = 1; i < N; i++) t += x[i];
  return t;
}
template <typename T>
struct Scalar {
  typedef T type;
};
template <typename T>
struct Scalar<vec<T, 2>> {
  typedef T type;
};
template <typename T>
using Two = vec<T, 2>;
template <typename T>
T spread(thread Two<T>& x, T by) {
  x += by;
  return x.x + x.y;
}

uint place(uint3 at, constant const int* sizes) { return (at.z * sizes[1] + at.y) * sizes[0] + at.x; }
float twice(const thread float& x) { return 2 * x; }

constant constexpr int kStep = 3;
int stepped(int x, const constant int& step) { return x * step; }

// Lists as arguments, arrays as parameters, temporaries for references, values of program scope for references to constant memory.
kernel void arguments(
    device float* out [[buffer(0)]],
    constant const int sizes[3] [[buffer(1)]],
    uint3 at [[thread_position_in_grid]]) {
  const uint i = place({at.x, at.y, at.z}, sizes);
  device float* to = out;
  to += Constant<int, 2>();
  to -= Constant<int, 2>();
  Two<float> pair = {float(i), 1.0f};
  static_assert(is_same_v<Scalar<Two<float>>::type, float>, "found by its type");
  const auto less = pair < Two<float>(4.0f);
  to[i] = twice(total(float3(1, 2, float(i))) + 1.0f) + spread(pair, 0.5f) + float2(less).x + float(stepped(int(i), kStep));
}

// Integers beside bfloats, and a library's own functions of bfloats.
namespace metal {
METAL_FUNC bfloat exp2(bfloat x) { return static_cast<bfloat>(__metal_exp2(static_cast<float>(x), __METAL_PRECISE_MATH__)); }
METAL_FUNC bfloat simd_shuffle_xor(bfloat x, ushort mask) {
  return as_type<bfloat>(__metal_simd_shuffle_xor(as_type<ushort>(x), mask));
}
}
kernel void bfloats(
    constant const bfloat& start [[buffer(0)]],
    device bfloat* out [[buffer(1)]],
    device float* wide [[buffer(2)]],
    uint i [[thread_position_in_grid]],
    uint lane [[thread_index_in_simdgroup]]) {
  bfloat x = lane;
  x = start + i * x;
  out[i] = metal::simd_shuffle_xor(x, 1) + exp2(bfloat(1));
  wide[i] = abs(-x) + metal::max(x, start) + fma(x, x, x);
}

// Overloaded templates of one name, told apart by what they are given; and one whose arguments follow from its parameters.
template <typename T, int N>
[[kernel, max_total_threads_per_threadgroup(N * 8)]] void fill(device T* out [[buffer(0)]], uint i [[thread_position_in_grid]]) {
  constexpr auto size = N;
  typedef decltype(size) Size;
  static_assert(is_same_v<Size, const int>, "no address space");
  out[i] = T(i % Size(N));
}
template <typename T, typename U, bool is_double = false>
[[kernel]] void fill(device T* out [[buffer(0)]], const device U* in [[buffer(1)]], uint i [[thread_position_in_grid]]) {
  out[i] = T(in[i]) * (is_double ? 2 : 1);
}
template <typename T>
[[kernel]] void copy(const device T* in [[buffer(0)]], device T* out [[buffer(1)]], uint i [[thread_position_in_grid]]) {
  constexpr const uniform<int> n = make_uniform(PerThread<T>::count);
  const uniform<int> m = n * make_uniform(2) / n;
  out[i] = in[i] + T(m) + T(is_small<T>);
}
template [[host_name("fill_4")]] [[kernel]] decltype(fill<float, 4>) fill<float, 4>;
template [[host_name("fill_from_half")]] [[kernel]] decltype(fill<float, half>) fill<float, half>;
template [[host_name("fill_twice")]] [[kernel]] decltype(fill<float, uint, true>) fill<float, uint, true>;
template [[host_name("copy_float")]] [[kernel]] void copy(const device float* in, device float* out, uint i);
template [[host_name("copy_" "half")]] [[kernel]] void copy(const device half* in [[buffer(0)]], device half* out [[buffer(1)]], uint i [[thread_position_in_grid]]);

// Sums before each simdgroup: lanes without a simdgroup read what nobody wrote, and nobody uses what they get.
kernel void offsets(
    const device float* in [[buffer(0)]],
    device float* out [[buffer(1)]],
    uint i [[thread_position_in_threadgroup]],
    uint lane [[thread_index_in_simdgroup]],
    uint group [[simdgroup_index_in_threadgroup]]) {
  threadgroup float sums[32] = {0};
  const float before = simd_prefix_exclusive_sum(in[i]);
  if (lane == 31) sums[group] = before + in[i];
  threadgroup_barrier(mem_flags::mem_threadgroup);
  if (group == 0) sums[lane] = simd_prefix_exclusive_sum(sums[lane]);
  threadgroup_barrier(mem_flags::mem_threadgroup);
  out[i] = before + sums[group];
}

// The last threadgroup steps back to be whole, and writes again what the one before it wrote.
kernel void whole_blocks(
    const device float* in [[buffer(0)]],
    device float4* unused [[buffer(2)]],
    device float* out [[buffer(1)]],
    constant uint& count [[buffer(3)]],
    uint group [[threadgroup_position_in_grid]],
    uint i [[thread_position_in_threadgroup]]) {
  const uint first = min(group * 32, count - 32);
  out[first + i] = in[first + i] * 2;
}

// What 64 bits of a product leave over, and sums that stop at the ends.
kernel void long_products(
    const device long* x [[buffer(0)]],
    device long* out [[buffer(1)]],
    device ulong* unsigned_out [[buffer(2)]],
    uint i [[thread_position_in_grid]]) {
  const long a = x[3 * i], b = x[3 * i + 1], c = x[3 * i + 2];
  out[2 * i] = madhi(a, b, c);
  out[2 * i + 1] = madsat(a, b, c);
  unsigned_out[2 * i] = madhi(ulong(a), ulong(b), ulong(c));
  unsigned_out[2 * i + 1] = madsat(ulong2(a, 1), ulong2(b, 1), ulong2(c, 1)).x;
}

union FloatBits {
  float number;
  struct {
    uint mantissa : 23;
    uint exponent : 8;
    uint sign : 1;
  } parts;
};

// Bits put in and taken out, colours, and flags that one thread takes.
kernel void bits_and_flags(
    device uint* out [[buffer(0)]],
    device float4* colours [[buffer(1)]],
    device atomic_bool* flag [[buffer(2)]],
    device atomic_uint* winners [[buffer(3)]],
    uint i [[thread_position_in_grid]]) {
  FloatBits bits;
  bits.number = -float(i + 1);
  out[i] = insert_bits(uint2(0xffffffffu), uint2(i), 4u, 8u).x - (bits.parts.sign == 1 ? bits.parts.exponent : 0u);
  colours[i] = unpack_unorm4x8_srgb_to_float(pack_float_to_srgb_unorm4x8(float4(float(i) / 15.0f)));
  bool expected = false;
  while (!expected && !atomic_compare_exchange_weak_explicit(flag, &expected, true, memory_order_relaxed, memory_order_relaxed)) {}
  if (!expected) atomic_fetch_add_explicit(winners, 1u, memory_order_relaxed);
}
