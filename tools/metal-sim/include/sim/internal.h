// Names of Apple's own library headers that public sources call where the documented functions lack a type: a last argument says which
// variant of a function of floats is meant.
#pragma once

#define __METAL_PRECISE_MATH__ false
#define __METAL_FAST_MATH__ true
#ifdef METAL_SIM_FAST
#define __METAL_MAYBE_FAST_MATH__ true
#else
#define __METAL_MAYBE_FAST_MATH__ false
#endif
#define __METAL_MEMORY_SCOPE_SYSTEM__ 3

#define METAL_SIM_INTERNAL1(f) \
  template <typename T> METAL_SIM_INLINE T __metal_##f(T x, bool is_fast) { \
    if constexpr (metal::is_same_v<typename metal_sim::vector_of<T>::element, float>) \
      return is_fast ? metal::fast::f(x) : metal::precise::f(x); \
    else return metal::f(x); \
  }
METAL_SIM_TWO_VARIANT1(METAL_SIM_INTERNAL1)
METAL_SIM_ONE_VARIANT1(METAL_SIM_INTERNAL1)
#define METAL_SIM_INTERNAL2(f) \
  template <typename T> METAL_SIM_INLINE T __metal_##f(T x, T y, bool is_fast) { \
    if constexpr (metal::is_same_v<typename metal_sim::vector_of<T>::element, float>) \
      return is_fast ? metal::fast::f(x, y) : metal::precise::f(x, y); \
    else return metal::f(x, y); \
  }
METAL_SIM_TWO_VARIANT2(METAL_SIM_INTERNAL2)
METAL_SIM_ONE_VARIANT2(METAL_SIM_INTERNAL2)
#define METAL_SIM_INTERNAL3(f) \
  template <typename T> METAL_SIM_INLINE T __metal_##f(T x, T y, T z, bool = false) { return metal::f(x, y, z); }
METAL_SIM_ONE_VARIANT3(METAL_SIM_INTERNAL3)
template <typename T> METAL_SIM_INLINE T __metal_ldexp(T x, int e, bool) { return metal::ldexp(x, e); }
template <typename T> METAL_SIM_INLINE T __metal_frexp(T x, __private int *e) { return metal::frexp(x, *e); }
template <typename T> METAL_SIM_INLINE T __metal_nextafter(T x, T y) { return metal::nextafter(x, y); }

#define METAL_SIM_INTERNAL_LANES(f) \
  template <typename T, typename... A> METAL_SIM_INLINE T __metal_##f(T x, A... rest) { return metal::f(x, rest...); }
METAL_SIM_INTERNAL_LANES(simd_broadcast)
METAL_SIM_INTERNAL_LANES(simd_shuffle)
METAL_SIM_INTERNAL_LANES(simd_shuffle_up)
METAL_SIM_INTERNAL_LANES(simd_shuffle_down)
METAL_SIM_INTERNAL_LANES(simd_shuffle_rotate_up)
METAL_SIM_INTERNAL_LANES(simd_shuffle_rotate_down)
METAL_SIM_INTERNAL_LANES(simd_shuffle_xor)
METAL_SIM_INTERNAL_LANES(simd_shuffle_and_fill_up)
METAL_SIM_INTERNAL_LANES(simd_shuffle_and_fill_down)
METAL_SIM_INTERNAL_LANES(simd_sum)
METAL_SIM_INTERNAL_LANES(simd_product)
METAL_SIM_INTERNAL_LANES(simd_min)
METAL_SIM_INTERNAL_LANES(simd_max)
METAL_SIM_INTERNAL_LANES(simd_and)
METAL_SIM_INTERNAL_LANES(simd_or)
METAL_SIM_INTERNAL_LANES(simd_prefix_inclusive_sum)
METAL_SIM_INTERNAL_LANES(simd_prefix_exclusive_sum)
METAL_SIM_INTERNAL_LANES(simd_prefix_inclusive_product)
METAL_SIM_INTERNAL_LANES(simd_prefix_exclusive_product)
// Of the bits, when the type has no such operator.
template <typename T> METAL_SIM_INLINE T __metal_simd_xor(T x) {
  if constexpr (metal::is_same_v<T, float>) return as_type<T>(metal::simd_xor(as_type<uint>(x)));
  else return metal::simd_xor(x);
}
#undef METAL_SIM_INTERNAL1
#undef METAL_SIM_INTERNAL2
#undef METAL_SIM_INTERNAL3
#undef METAL_SIM_INTERNAL_LANES

/** The argument says of which type the result is. */
template <typename T> METAL_SIM_INLINE T __metal_get_simdgroup_size(T) { return (T)32; }
template <typename T> METAL_SIM_INLINE T __metal_get_thread_index_in_simdgroup(T) { return (T)metal_sim_lane(); }
