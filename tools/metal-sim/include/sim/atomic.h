// Atomics: those that exist, where they exist, in the one order that exists.
#pragma once

namespace metal {

template <typename T> struct atomic {
  static_assert(is_same_v<T, int> || is_same_v<T, uint> || is_same_v<T, float> || is_same_v<T, bool> || is_same_v<T, ulong>,
                "atomics are of int, uint, float, bool or ulong");
  T value_;
  typedef T metal_sim_value;
  atomic() = default;
  // read and written by functions only
  atomic(const atomic &) = delete;
  atomic &operator=(const atomic &) = delete;
};
// clang has these names without the last _
typedef atomic<int> atomic_int_;
typedef atomic<uint> atomic_uint_;
typedef atomic<float> atomic_float_;
typedef atomic<bool> atomic_bool_;
typedef atomic<ulong> atomic_ulong_;

}  // namespace metal

namespace metal_sim {

enum operation { load, store, exchange, add, sub, bit_and, bit_or, bit_xor, min, max };
METAL_SIM_INLINE uint perform(operation o, void *at, uint x) { return metal_sim_atomic_uint(o, at, x); }
METAL_SIM_INLINE int perform(operation o, void *at, int x) { return metal_sim_atomic_int(o, at, x); }
METAL_SIM_INLINE float perform(operation o, void *at, float x) { return metal_sim_atomic_float(o, at, x); }
METAL_SIM_INLINE bool perform(operation o, void *at, bool x) { return metal_sim_atomic_byte(o, at, x) != 0; }
template <typename T> constexpr bool is_any = metal::is_same_v<T, int> || metal::is_same_v<T, uint> || metal::is_same_v<T, float> ||
                                              metal::is_same_v<T, bool>;
template <typename T> constexpr bool is_integer = metal::is_same_v<T, int> || metal::is_same_v<T, uint>;
/** Floats are atomic in device memory only. */
template <typename T> constexpr bool is_local = is_integer<T> || metal::is_same_v<T, bool>;
template <typename T> constexpr bool is_number = is_integer<T> || metal::is_same_v<T, float>;

}  // namespace metal_sim

namespace metal {

#define METAL_SIM_ATOMIC(SPACE, ANY, SUMS) \
  template <typename T, typename = enable_if_t<metal_sim::ANY<T>>> \
  METAL_SIM_INLINE T atomic_load_explicit(const volatile SPACE atomic<T> *object, memory_order) { \
    return metal_sim::perform(metal_sim::load, (void *)object, T(0)); \
  } \
  template <typename T, typename = enable_if_t<metal_sim::ANY<T>>> \
  METAL_SIM_INLINE void atomic_store_explicit(volatile SPACE atomic<T> *object, typename metal_sim_identity<T>::type desired, \
                                              memory_order) { \
    metal_sim::perform(metal_sim::store, (void *)object, desired); \
  } \
  METAL_SIM_FETCH(SPACE, atomic_exchange_explicit, exchange, ANY) \
  METAL_SIM_FETCH(SPACE, atomic_fetch_add_explicit, add, SUMS) \
  METAL_SIM_FETCH(SPACE, atomic_fetch_sub_explicit, sub, SUMS) \
  METAL_SIM_FETCH(SPACE, atomic_fetch_and_explicit, bit_and, is_integer) \
  METAL_SIM_FETCH(SPACE, atomic_fetch_or_explicit, bit_or, is_integer) \
  METAL_SIM_FETCH(SPACE, atomic_fetch_xor_explicit, bit_xor, is_integer) \
  METAL_SIM_FETCH(SPACE, atomic_fetch_min_explicit, min, is_integer) \
  METAL_SIM_FETCH(SPACE, atomic_fetch_max_explicit, max, is_integer) \
  template <typename T, typename = enable_if_t<metal_sim::SUMS<T>>> \
  METAL_SIM_INLINE bool atomic_compare_exchange_weak_explicit(volatile SPACE atomic<T> *object, __private T *expected, \
                                                              typename metal_sim_identity<T>::type desired, memory_order, \
                                                              memory_order) { \
    uint bits = as_type<uint>(*expected); \
    const bool is_done = metal_sim_compare_exchange((void *)object, &bits, as_type<uint>(desired)) != 0; \
    *expected = as_type<T>(bits); \
    return is_done; \
  }
#define METAL_SIM_FETCH(SPACE, NAME, OPERATION, ALLOWED) \
  template <typename T, typename = enable_if_t<metal_sim::ALLOWED<T>>> \
  METAL_SIM_INLINE T NAME(volatile SPACE atomic<T> *object, typename metal_sim_identity<T>::type operand, memory_order) { \
    return metal_sim::perform(metal_sim::OPERATION, (void *)object, operand); \
  }
METAL_SIM_ATOMIC(metal_sim_device, is_any, is_number)
METAL_SIM_ATOMIC(__local, is_local, is_integer)
#undef METAL_SIM_ATOMIC
#undef METAL_SIM_FETCH

#define METAL_SIM_ATOMIC_BOOL(SPACE) \
  METAL_SIM_INLINE bool atomic_compare_exchange_weak_explicit(volatile SPACE atomic_bool_ *object, __private bool *expected, bool desired, \
                                                              memory_order, memory_order) { \
    uint bits = *expected; \
    const bool is_done = metal_sim_compare_exchange_byte((void *)object, &bits, desired) != 0; \
    *expected = bits != 0; \
    return is_done; \
  }
METAL_SIM_ATOMIC_BOOL(metal_sim_device)
METAL_SIM_ATOMIC_BOOL(__local)
#undef METAL_SIM_ATOMIC_BOOL

METAL_SIM_INLINE void atomic_min_explicit(volatile metal_sim_device atomic_ulong_ *object, ulong operand, memory_order) {
  metal_sim_atomic_ulong(metal_sim::min, (void *)object, operand);
}
METAL_SIM_INLINE void atomic_max_explicit(volatile metal_sim_device atomic_ulong_ *object, ulong operand, memory_order) {
  metal_sim_atomic_ulong(metal_sim::max, (void *)object, operand);
}

}  // namespace metal
