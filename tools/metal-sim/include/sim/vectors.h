// Vectors: clang's, with Metal's names. `metal_sim::construct` is what the translation writes for `float4(a, b)` and casts.
#pragma once

namespace metal {

template <typename T, int N> using metal_sim_ext = T __attribute__((ext_vector_type(N)));
template <int N> struct metal_sim_bools;
template <typename T, int N> struct metal_sim_vec { typedef metal_sim_ext<T, N> type; };
template <int N> struct metal_sim_vec<bool, N> { typedef metal_sim_bools<N> type; };
template <typename T, int N> using vec = typename metal_sim_vec<T, N>::type;

#define METAL_SIM_VECTORS(T) \
  typedef metal_sim_ext<T, 2> T##2; \
  typedef metal_sim_ext<T, 3> T##3; \
  typedef metal_sim_ext<T, 4> T##4;
METAL_SIM_VECTORS(char)
METAL_SIM_VECTORS(uchar)
METAL_SIM_VECTORS(short)
METAL_SIM_VECTORS(ushort)
METAL_SIM_VECTORS(int)
METAL_SIM_VECTORS(uint)
METAL_SIM_VECTORS(long)
METAL_SIM_VECTORS(ulong)
METAL_SIM_VECTORS(half)
METAL_SIM_VECTORS(bfloat)
METAL_SIM_VECTORS(float)
#undef METAL_SIM_VECTORS

// What clang's comparisons of vectors give (-1 where true) becomes bools by itself.
template <> struct metal_sim_bools<2> {
  bool x, y;
  metal_sim_bools() = default;
  constexpr metal_sim_bools(bool v) : x(v), y(v) {}
  constexpr metal_sim_bools(bool a, bool b) : x(a), y(b) {}
  template <typename T> constexpr metal_sim_bools(metal_sim_ext<T, 2> v) : x(v.x != (T)0), y(v.y != (T)0) {}
  bool &operator[](size_t i) { return (&x)[i]; }
  constexpr bool operator[](size_t i) const { return (&x)[i]; }
};
template <> struct metal_sim_bools<3> {
  bool x, y, z;
  bool w_;
  metal_sim_bools() = default;
  constexpr metal_sim_bools(bool v) : x(v), y(v), z(v), w_(false) {}
  constexpr metal_sim_bools(bool a, bool b, bool c) : x(a), y(b), z(c), w_(false) {}
  template <typename T>
  constexpr metal_sim_bools(metal_sim_ext<T, 3> v) : x(v.x != (T)0), y(v.y != (T)0), z(v.z != (T)0), w_(false) {}
  bool &operator[](size_t i) { return (&x)[i]; }
  constexpr bool operator[](size_t i) const { return (&x)[i]; }
};
template <> struct metal_sim_bools<4> {
  bool x, y, z, w;
  metal_sim_bools() = default;
  constexpr metal_sim_bools(bool v) : x(v), y(v), z(v), w(v) {}
  constexpr metal_sim_bools(bool a, bool b, bool c, bool d) : x(a), y(b), z(c), w(d) {}
  template <typename T>
  constexpr metal_sim_bools(metal_sim_ext<T, 4> v) : x(v.x != (T)0), y(v.y != (T)0), z(v.z != (T)0), w(v.w != (T)0) {}
  bool &operator[](size_t i) { return (&x)[i]; }
  constexpr bool operator[](size_t i) const { return (&x)[i]; }
};
template <typename T, int N> struct packed_vec;
typedef metal_sim_bools<2> bool2;
typedef metal_sim_bools<3> bool3;
typedef metal_sim_bools<4> bool4;
#define METAL_SIM_BOOLS(OP) \
  constexpr bool2 operator OP(bool2 a, bool2 b) { return {bool(a.x OP b.x), bool(a.y OP b.y)}; } \
  constexpr bool3 operator OP(bool3 a, bool3 b) { return {bool(a.x OP b.x), bool(a.y OP b.y), bool(a.z OP b.z)}; } \
  constexpr bool4 operator OP(bool4 a, bool4 b) { \
    return {bool(a.x OP b.x), bool(a.y OP b.y), bool(a.z OP b.z), bool(a.w OP b.w)}; \
  }
METAL_SIM_BOOLS(&&)
METAL_SIM_BOOLS(||)
METAL_SIM_BOOLS(&)
METAL_SIM_BOOLS(|)
METAL_SIM_BOOLS(^)
METAL_SIM_BOOLS(==)
METAL_SIM_BOOLS(!=)
#undef METAL_SIM_BOOLS
constexpr bool2 operator!(bool2 a) { return {!a.x, !a.y}; }
constexpr bool3 operator!(bool3 a) { return {!a.x, !a.y, !a.z}; }
constexpr bool4 operator!(bool4 a) { return {!a.x, !a.y, !a.z, !a.w}; }

}  // namespace metal

namespace metal_sim {

template <typename T> struct vector_of {
  typedef T element;
  static constexpr int count = 1;
  static constexpr bool is_vector = false;
};
template <typename T> struct vector_of<const T> : vector_of<T> {};
template <typename T> struct vector_of<__private T> : vector_of<T> {};
template <typename T> struct vector_of<const __private T> : vector_of<T> {};
template <typename T, int N> struct vector_of<metal::metal_sim_ext<T, N>> {
  typedef T element;
  static constexpr int count = N;
  static constexpr bool is_vector = true;
};
template <int N> struct vector_of<metal::metal_sim_bools<N>> {
  typedef bool element;
  static constexpr int count = N;
  static constexpr bool is_vector = true;
};
template <typename T, int N> struct vector_of<metal::packed_vec<T, N>> {
  typedef T element;
  static constexpr int count = N;
  static constexpr bool is_vector = true;
};
template <typename T> struct is_packed { static constexpr bool value = false; };
template <typename T, int N> struct is_packed<metal::packed_vec<T, N>> { static constexpr bool value = true; };

/** Clang does not cast between half and bfloat; Metal does. */
template <typename T> constexpr bool is_short_float = metal::is_same_v<T, half> || metal::is_same_v<T, bfloat>;

/** One component, by a cast. */
template <typename E, typename A> constexpr E component(A a) {
  if constexpr (is_short_float<E> && is_short_float<A> && !metal::is_same_v<E, A>) return (E)(float)a;
  else return static_cast<E>(a);
}

/** Components of one argument of a constructor, as `E`. */
template <typename E, typename A, int N = vector_of<A>::count> constexpr auto convert(A a) {
  typedef metal::vec<E, N> V;
  if constexpr (!vector_of<A>::is_vector) return component<E>(a);
  else if constexpr (metal::is_same_v<metal::vec<E, N>, A>) return a;
  else if constexpr (N == 2) return V{component<E>(a.x), component<E>(a.y)};
  else if constexpr (N == 3) return V{component<E>(a.x), component<E>(a.y), component<E>(a.z)};
  else return V{component<E>(a.x), component<E>(a.y), component<E>(a.z), component<E>(a.w)};
}

template <typename T, typename... A> constexpr T construct(A... a) {
  typedef typename vector_of<T>::element E;
  if constexpr (!vector_of<T>::is_vector) {
    if constexpr (sizeof...(A) == 1) return component<T>((a, ...));
    else return T(a...);
  } else if constexpr (sizeof...(A) == 0) {
    return T{};
  } else if constexpr (sizeof...(A) == 1 && !(vector_of<A>::is_vector && ...) && (__is_class(A) && ...) && (__is_convertible(A, T) && ...)) {
    return (a, ...);
  } else if constexpr (is_packed<T>::value) {
    return T(construct<metal::vec<E, vector_of<T>::count>>(a...));
  } else {
    constexpr int given = (vector_of<A>::count + ...);
    constexpr bool is_one_scalar = sizeof...(A) == 1 && given == 1;
    static_assert(is_one_scalar || given == vector_of<T>::count, "wrong number of components in the constructor of a vector");
    if constexpr (metal::is_same_v<E, bool>) {
      if constexpr (is_one_scalar || ((vector_of<A>::count == 1) && ...)) return T((bool)a...);
      else {
        T to;
        int at = 0;
        const auto append = [&](auto v) {
          if constexpr (!vector_of<decltype(v)>::is_vector) to[at++] = (bool)v;
          else
            for (int i = 0; i < vector_of<decltype(v)>::count; i++) to[at++] = (bool)v[i];
        };
        (append(a), ...);
        return to;
      }
    } else if constexpr (is_one_scalar) {
      return (T)static_cast<E>((a, ...));
    } else {
      return T{convert<E>(a)...};
    }
  }
}

/** Values in braces: those of the components that are left out are zero. */
template <typename T, typename... A> constexpr T list(A... a) {
  typedef typename vector_of<T>::element E;
  constexpr int missing = vector_of<T>::count - (vector_of<A>::count + ...);
  static_assert(missing >= 0, "excess elements in the list of a vector");
  if constexpr (missing == 0) return construct<T>(a...);
  else if constexpr (missing == 1) return construct<T>(a..., (E)0);
  else if constexpr (missing == 2) return construct<T>(a..., (E)0, (E)0);
  else return construct<T>(a..., (E)0, (E)0, (E)0);
}

/** A type that is known when a list in braces meets the parameter that it is for. */
template <typename T> struct kind_of {
  template <typename... A> constexpr T of(A... a) const {
    if constexpr (vector_of<T>::is_vector) return list<T>(a...);
    else return T{a...};
  }
};
/** The argument `{a, b}` of a function: `make` makes it of a `kind_of`. */
template <typename F> struct in_braces {
  F make;
  template <typename T> constexpr operator T() const { return make(kind_of<T>{}); }
};
template <typename F> constexpr in_braces<F> braces(F make) { return {make}; }

/** A C-style cast to a vector: `caster<T>() ->* x` binds as `(T)x` does. */
template <typename T> struct caster {
  template <typename A> constexpr T operator->*(A a) const {
    if constexpr (vector_of<T>::is_vector || vector_of<A>::is_vector || is_short_float<T>) return construct<T>(a);
    else return (T)a;
  }
};

/** The result of a comparison, as Metal has it: true is 1, not -1. */
constexpr bool truth(bool x) { return x; }
template <typename T, int N> constexpr metal::metal_sim_bools<N> truth(metal::metal_sim_ext<T, N> x) { return x; }
template <int N> constexpr metal::metal_sim_bools<N> truth(metal::metal_sim_bools<N> x) { return x; }
/** What was no comparison after all. */
template <typename T, typename = metal::enable_if_t<!vector_of<T>::is_vector>> constexpr T truth(T x) { return x; }

/** `(value(), x)` is a copy of `x` when that is a struct, and else `x`. */
struct value {};
template <typename T, typename C = metal::remove_cv_t<metal::remove_reference_t<T>>, typename = metal::enable_if_t<__is_class(C)>>
constexpr C operator,(value, T &&x) {
  return x;
}

/** A condition that one thread can branch on; only for the check. */
template <typename T> constexpr T condition(T x) {
  static_assert(!vector_of<T>::is_vector, "a vector is no condition: use all(), any() or select()");
  return x;
}

}  // namespace metal_sim
