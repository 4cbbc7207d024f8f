// Packed vectors: as large as their components, and aligned as one of them.
#pragma once

namespace metal {

template <typename T, int N> struct packed_vec;
#define METAL_SIM_PACKED(N, FIELDS, FROM, TO, PARAMETERS, INIT) \
  template <typename T> struct packed_vec<T, N> { \
    T FIELDS; \
    typedef vec<T, N> V; \
    packed_vec() = default; \
    constexpr packed_vec(V v) : FROM {} \
    constexpr explicit packed_vec(T v) : packed_vec((V)v) {} \
    constexpr packed_vec(PARAMETERS) : INIT {} \
    constexpr operator V() const { return V{TO}; } \
    packed_vec &operator+=(V v) { return *this = packed_vec((V)*this + v); } \
    packed_vec &operator-=(V v) { return *this = packed_vec((V)*this - v); } \
    packed_vec &operator*=(V v) { return *this = packed_vec((V)*this * v); } \
    packed_vec &operator/=(V v) { return *this = packed_vec((V)*this / v); } \
    T &operator[](size_t i) { return (&x)[i]; } \
    const T &operator[](size_t i) const { return (&x)[i]; } \
  };
#define METAL_SIM_LIST(...) __VA_ARGS__
METAL_SIM_PACKED(2, METAL_SIM_LIST(x, y), METAL_SIM_LIST(x(v.x), y(v.y)), METAL_SIM_LIST(x, y), METAL_SIM_LIST(T a, T b),
                 METAL_SIM_LIST(x(a), y(b)))
METAL_SIM_PACKED(3, METAL_SIM_LIST(x, y, z), METAL_SIM_LIST(x(v.x), y(v.y), z(v.z)), METAL_SIM_LIST(x, y, z),
                 METAL_SIM_LIST(T a, T b, T c), METAL_SIM_LIST(x(a), y(b), z(c)))
METAL_SIM_PACKED(4, METAL_SIM_LIST(x, y, z, w), METAL_SIM_LIST(x(v.x), y(v.y), z(v.z), w(v.w)), METAL_SIM_LIST(x, y, z, w),
                 METAL_SIM_LIST(T a, T b, T c, T d), METAL_SIM_LIST(x(a), y(b), z(c), w(d)))
#undef METAL_SIM_PACKED
#undef METAL_SIM_LIST

template <typename T> struct metal_sim_identity { typedef T type; };
#define METAL_SIM_PACKED_OPERATOR(OP) \
  template <typename T, int N> constexpr auto operator OP(packed_vec<T, N> a, packed_vec<T, N> b) { return (vec<T, N>)a OP(vec<T, N>) b; } \
  template <typename T, int N> constexpr auto operator OP(packed_vec<T, N> a, metal_sim_ext<T, N> b) { return (vec<T, N>)a OP b; } \
  template <typename T, int N> constexpr auto operator OP(metal_sim_ext<T, N> a, packed_vec<T, N> b) { return a OP(vec<T, N>) b; } \
  template <typename T, int N> \
  constexpr auto operator OP(packed_vec<T, N> a, typename metal_sim_identity<T>::type b) { return (vec<T, N>)a OP b; } \
  template <typename T, int N> \
  constexpr auto operator OP(typename metal_sim_identity<T>::type a, packed_vec<T, N> b) { return a OP(vec<T, N>) b; }
METAL_SIM_PACKED_OPERATOR(+)
METAL_SIM_PACKED_OPERATOR(-)
METAL_SIM_PACKED_OPERATOR(*)
METAL_SIM_PACKED_OPERATOR(/)
METAL_SIM_PACKED_OPERATOR(==)
METAL_SIM_PACKED_OPERATOR(!=)
METAL_SIM_PACKED_OPERATOR(<)
METAL_SIM_PACKED_OPERATOR(>)
#undef METAL_SIM_PACKED_OPERATOR
template <typename T, int N> constexpr vec<T, N> operator-(packed_vec<T, N> a) { return -(vec<T, N>)a; }

#define METAL_SIM_PACKED_NAMES(T) \
  typedef packed_vec<T, 2> packed_##T##2; \
  typedef packed_vec<T, 3> packed_##T##3; \
  typedef packed_vec<T, 4> packed_##T##4;
METAL_SIM_PACKED_NAMES(char)
METAL_SIM_PACKED_NAMES(uchar)
METAL_SIM_PACKED_NAMES(short)
METAL_SIM_PACKED_NAMES(ushort)
METAL_SIM_PACKED_NAMES(int)
METAL_SIM_PACKED_NAMES(uint)
METAL_SIM_PACKED_NAMES(long)
METAL_SIM_PACKED_NAMES(ulong)
METAL_SIM_PACKED_NAMES(half)
METAL_SIM_PACKED_NAMES(bfloat)
METAL_SIM_PACKED_NAMES(float)
#undef METAL_SIM_PACKED_NAMES

}  // namespace metal

// Vectors go by their names outside of the namespace too.
#define METAL_SIM_VECTOR_NAMES(T) \
  using metal::T##2; \
  using metal::T##3; \
  using metal::T##4;
#define METAL_SIM_GLOBAL_NAMES(T) METAL_SIM_VECTOR_NAMES(T) METAL_SIM_VECTOR_NAMES(packed_##T)
METAL_SIM_VECTOR_NAMES(bool)
METAL_SIM_GLOBAL_NAMES(char)
METAL_SIM_GLOBAL_NAMES(uchar)
METAL_SIM_GLOBAL_NAMES(short)
METAL_SIM_GLOBAL_NAMES(ushort)
METAL_SIM_GLOBAL_NAMES(int)
METAL_SIM_GLOBAL_NAMES(uint)
METAL_SIM_GLOBAL_NAMES(long)
METAL_SIM_GLOBAL_NAMES(ulong)
METAL_SIM_GLOBAL_NAMES(half)
METAL_SIM_GLOBAL_NAMES(bfloat)
METAL_SIM_GLOBAL_NAMES(float)
#undef METAL_SIM_GLOBAL_NAMES
#undef METAL_SIM_VECTOR_NAMES
