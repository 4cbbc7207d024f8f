// Functions of simdgroups and quads: all lanes meet in the engine, and each computes its own result from what all gave.
#pragma once

namespace metal_sim {

/** 8, 16 and 32 bit numbers and vectors of them; not bool, not 64 bit, not bfloat. */
template <typename E> constexpr bool is_simd_element =
    metal::is_same_v<E, char> || metal::is_same_v<E, uchar> || metal::is_same_v<E, short> || metal::is_same_v<E, ushort> ||
    metal::is_same_v<E, int> || metal::is_same_v<E, uint> || metal::is_same_v<E, float> || metal::is_same_v<E, half>;
template <typename T> constexpr bool is_simd = is_simd_element<typename vector_of<T>::element> && !is_packed<T>::value;
template <typename T> constexpr bool is_simd_integer = is_simd<T> && metal::is_integral_v<typename vector_of<T>::element>;

template <typename T> struct lanes {
  T of[32];
  uint mask;
  uint lane;
};

template <typename T> METAL_SIM_INLINE lanes<T> meet(const __constant char *what, T mine) {
  lanes<T> all;
  all.mask = metal_sim_exchange(what, &mine, sizeof(T), all.of);
  all.lane = metal_sim_lane();
  return all;
}

/** Of a lane that gives nothing: no number that anybody would expect. */
template <typename T> METAL_SIM_INLINE T garbage() {
  T x;
  __builtin_memset(&x, 0xA5, sizeof x);
  return x;
}
template <typename T> METAL_SIM_UNWATCHED T at(const __private lanes<T> &all, uint lane) {
  return lane < 32 && (all.mask >> lane & 1) != 0 ? all.of[lane] : garbage<T>();
}
/** Neighbours first, as a tree: of `count` lanes from `first`. */
template <typename T, typename F> METAL_SIM_UNWATCHED T reduce(const __private lanes<T> &all, uint first, uint count, F combine) {
  T values[32];
  uint n = 0;
  for (uint i = first; i < first + count; i++)
    if ((all.mask >> i & 1) != 0) values[n++] = all.of[i];
  for (uint step = 1; step < n; step *= 2)
    for (uint i = 0; i + step < n; i += 2 * step) values[i] = combine(values[i], values[i + step]);
  return values[0];
}
template <typename T, typename F>
METAL_SIM_UNWATCHED T scan(const __private lanes<T> &all, uint first, bool is_inclusive, T start, F combine) {
  T total = start;
  for (uint i = first; i < all.lane + (is_inclusive ? 1 : 0); i++)
    if ((all.mask >> i & 1) != 0) total = combine(total, all.of[i]);
  return total;
}

/** A bit for each lane that gave something else than zero. */
METAL_SIM_UNWATCHED uint votes_of(const __private lanes<uchar> &all) {
  uint votes = 0;
  for (uint i = 0; i < 32; i++) votes |= (all.mask >> i & 1) != 0 && all.of[i] != 0 ? 1u << i : 0;
  return votes;
}

}  // namespace metal_sim

namespace metal {

// Each twice: of 32 lanes, and of the 4 of a quad.
#define METAL_SIM_REDUCTION(NAME, COMBINE, ALLOWED) \
  template <typename T, typename = enable_if_t<metal_sim::ALLOWED<T>>> METAL_SIM_INLINE T simd_##NAME(T data) { \
    const auto all = metal_sim::meet("simd_" #NAME, data); \
    return metal_sim::reduce(all, 0, 32, [](T a, T b) -> T { return COMBINE; }); \
  } \
  template <typename T, typename = enable_if_t<metal_sim::ALLOWED<T>>> METAL_SIM_INLINE T quad_##NAME(T data) { \
    const auto all = metal_sim::meet("quad_" #NAME, data); \
    return metal_sim::reduce(all, all.lane & ~3u, 4, [](T a, T b) -> T { return COMBINE; }); \
  }
METAL_SIM_REDUCTION(sum, (T)(a + b), is_simd)
METAL_SIM_REDUCTION(product, (T)(a * b), is_simd)
METAL_SIM_REDUCTION(min, metal::min(a, b), is_simd)
METAL_SIM_REDUCTION(max, metal::max(a, b), is_simd)
METAL_SIM_REDUCTION(and, (T)(a & b), is_simd_integer)
METAL_SIM_REDUCTION(or, (T)(a | b), is_simd_integer)
METAL_SIM_REDUCTION(xor, (T)(a ^ b), is_simd_integer)
#undef METAL_SIM_REDUCTION

#define METAL_SIM_SCAN(NAME, INCLUSIVE, START, OP) \
  template <typename T, typename = enable_if_t<metal_sim::is_simd<T>>> METAL_SIM_INLINE T simd_prefix_##NAME(T data) { \
    const auto all = metal_sim::meet("simd_prefix_" #NAME, data); \
    return metal_sim::scan(all, 0, INCLUSIVE, (T)START, [](T a, T b) -> T { return (T)(a OP b); }); \
  } \
  template <typename T, typename = enable_if_t<metal_sim::is_simd<T>>> METAL_SIM_INLINE T quad_prefix_##NAME(T data) { \
    const auto all = metal_sim::meet("quad_prefix_" #NAME, data); \
    return metal_sim::scan(all, all.lane & ~3u, INCLUSIVE, (T)START, [](T a, T b) -> T { return (T)(a OP b); }); \
  }
METAL_SIM_SCAN(inclusive_sum, true, 0, +)
METAL_SIM_SCAN(exclusive_sum, false, 0, +)
METAL_SIM_SCAN(inclusive_product, true, 1, *)
METAL_SIM_SCAN(exclusive_product, false, 1, *)
#undef METAL_SIM_SCAN

#define METAL_SIM_SHUFFLE(KIND, SIZE) \
  template <typename T, typename = enable_if_t<metal_sim::is_simd<T>>> METAL_SIM_INLINE T KIND##_broadcast(T data, ushort lane) { \
    const auto all = metal_sim::meet(#KIND "_broadcast", data); \
    return lane < SIZE ? metal_sim::at(all, (all.lane & ~(SIZE - 1u)) + lane) : metal_sim::garbage<T>(); \
  } \
  template <typename T, typename = enable_if_t<metal_sim::is_simd<T>>> METAL_SIM_INLINE T KIND##_broadcast_first(T data) { \
    const auto all = metal_sim::meet(#KIND "_broadcast_first", data); \
    return metal_sim::at(all, all.lane & ~(SIZE - 1u)); \
  } \
  template <typename T, typename = enable_if_t<metal_sim::is_simd<T>>> METAL_SIM_INLINE T KIND##_shuffle(T data, ushort lane) { \
    const auto all = metal_sim::meet(#KIND "_shuffle", data); \
    return lane < SIZE ? metal_sim::at(all, (all.lane & ~(SIZE - 1u)) + lane) : metal_sim::garbage<T>(); \
  } \
  template <typename T, typename = enable_if_t<metal_sim::is_simd<T>>> METAL_SIM_INLINE T KIND##_shuffle_xor(T data, ushort mask) { \
    const auto all = metal_sim::meet(#KIND "_shuffle_xor", data); \
    return mask < SIZE ? metal_sim::at(all, all.lane ^ mask) : metal_sim::garbage<T>(); \
  } \
  /* lanes at the edge keep their own value */ \
  template <typename T, typename = enable_if_t<metal_sim::is_simd<T>>> METAL_SIM_INLINE T KIND##_shuffle_up(T data, ushort delta) { \
    const auto all = metal_sim::meet(#KIND "_shuffle_up", data); \
    return all.lane % SIZE < delta ? data : metal_sim::at(all, all.lane - delta); \
  } \
  template <typename T, typename = enable_if_t<metal_sim::is_simd<T>>> METAL_SIM_INLINE T KIND##_shuffle_down(T data, ushort delta) { \
    const auto all = metal_sim::meet(#KIND "_shuffle_down", data); \
    return all.lane % SIZE + delta >= SIZE ? data : metal_sim::at(all, all.lane + delta); \
  } \
  template <typename T, typename = enable_if_t<metal_sim::is_simd<T>>> \
  METAL_SIM_INLINE T KIND##_shuffle_rotate_up(T data, ushort delta) { \
    const auto all = metal_sim::meet(#KIND "_shuffle_rotate_up", data); \
    return metal_sim::at(all, (all.lane & ~(SIZE - 1u)) + ((all.lane + SIZE - delta % SIZE) % SIZE)); \
  } \
  template <typename T, typename = enable_if_t<metal_sim::is_simd<T>>> \
  METAL_SIM_INLINE T KIND##_shuffle_rotate_down(T data, ushort delta) { \
    const auto all = metal_sim::meet(#KIND "_shuffle_rotate_down", data); \
    return metal_sim::at(all, (all.lane & ~(SIZE - 1u)) + ((all.lane + delta) % SIZE)); \
  } \
  /* in groups of `modulo` lanes; what comes from outside is taken from the other end of `filling` */ \
  template <typename T, typename = enable_if_t<metal_sim::is_simd<T>>> \
  METAL_SIM_INLINE T KIND##_shuffle_and_fill_up(T data, T filling, ushort delta, ushort modulo = SIZE) { \
    const auto all = metal_sim::meet(#KIND "_shuffle_and_fill_up", data); \
    const auto fill = metal_sim::meet(#KIND "_shuffle_and_fill_up", filling); \
    const uint base = all.lane / modulo * modulo, lane = all.lane % modulo; \
    return lane >= delta ? metal_sim::at(all, base + lane - delta) : metal_sim::at(fill, base + modulo + lane - delta); \
  } \
  template <typename T, typename = enable_if_t<metal_sim::is_simd<T>>> \
  METAL_SIM_INLINE T KIND##_shuffle_and_fill_down(T data, T filling, ushort delta, ushort modulo = SIZE) { \
    const auto all = metal_sim::meet(#KIND "_shuffle_and_fill_down", data); \
    const auto fill = metal_sim::meet(#KIND "_shuffle_and_fill_down", filling); \
    const uint base = all.lane / modulo * modulo, lane = all.lane % modulo; \
    return lane + delta < modulo ? metal_sim::at(all, base + lane + delta) : metal_sim::at(fill, base + lane + delta - modulo); \
  }
METAL_SIM_SHUFFLE(simd, 32)
METAL_SIM_SHUFFLE(quad, 4)
#undef METAL_SIM_SHUFFLE

/** Whose bits say what each lane voted. */
template <typename Bits> class metal_sim_vote {
 public:
  typedef Bits vote_t;
  constexpr explicit metal_sim_vote(vote_t v = 0) : v_(v) {}
  constexpr explicit operator vote_t() const { return v_; }
  constexpr bool all() const { return (uint)v_ == (sizeof(Bits) == 8 ? 0xffffffffu : 15u); }
  constexpr bool any() const { return v_ != 0; }
 private:
  vote_t v_;
};
typedef metal_sim_vote<ulong> simd_vote;
typedef metal_sim_vote<ushort> quad_vote;

namespace {
METAL_SIM_INLINE uint metal_sim_votes(const __constant char *what, bool expr, __private uint &mask, __private uint &lane) {
  const auto all = metal_sim::meet(what, (uchar)expr);
  mask = all.mask;
  lane = all.lane;
  return metal_sim::votes_of(all);
}
}  // namespace
METAL_SIM_INLINE simd_vote simd_ballot(bool expr) {
  uint mask, lane;
  return simd_vote(metal_sim_votes("simd_ballot", expr, mask, lane));
}
METAL_SIM_INLINE bool simd_all(bool expr) {
  uint mask, lane;
  return metal_sim_votes("simd_all", expr, mask, lane) == mask;
}
METAL_SIM_INLINE bool simd_any(bool expr) {
  uint mask, lane;
  return metal_sim_votes("simd_any", expr, mask, lane) != 0;
}
METAL_SIM_INLINE simd_vote simd_active_threads_mask() {
  uint mask, lane;
  metal_sim_votes("simd_active_threads_mask", true, mask, lane);
  return simd_vote(mask);
}
METAL_SIM_INLINE bool simd_is_first() {
  uint mask, lane;
  metal_sim_votes("simd_is_first", true, mask, lane);
  return lane == 0;
}
METAL_SIM_INLINE quad_vote quad_ballot(bool expr) {
  uint mask, lane;
  const uint votes = metal_sim_votes("quad_ballot", expr, mask, lane);
  return quad_vote((ushort)(votes >> (lane & ~3u) & 15u));
}
METAL_SIM_INLINE quad_vote quad_active_threads_mask() {
  uint mask, lane;
  metal_sim_votes("quad_active_threads_mask", true, mask, lane);
  return quad_vote((ushort)(mask >> (lane & ~3u) & 15u));
}
METAL_SIM_INLINE bool quad_all(bool expr) {
  uint mask, lane;
  const uint votes = metal_sim_votes("quad_all", expr, mask, lane);
  return ((votes ^ mask) >> (lane & ~3u) & 15u) == 0;
}
METAL_SIM_INLINE bool quad_any(bool expr) {
  uint mask, lane;
  const uint votes = metal_sim_votes("quad_any", expr, mask, lane);
  return (votes >> (lane & ~3u) & 15u) != 0;
}
METAL_SIM_INLINE bool quad_is_first() {
  uint mask, lane;
  metal_sim_votes("quad_is_first", true, mask, lane);
  return lane % 4 == 0;
}

}  // namespace metal
