// Questions about numbers; the answer about a vector is a vector of bools.
#pragma once

namespace metal {

#define METAL_SIM_PREDICATE(f, EXPRESSION) \
  METAL_SIM_INLINE bool f(float x) { return EXPRESSION; } \
  METAL_SIM_INLINE bool f(half h) { \
    const float x = (float)h; \
    return EXPRESSION; \
  } \
  template <typename T, int N> METAL_SIM_INLINE metal_sim_bools<N> f(metal_sim_ext<T, N> x) { \
    metal_sim_bools<N> r; \
    for (int i = 0; i < N; i++) r[i] = f((T)x[i]); \
    return r; \
  }
METAL_SIM_PREDICATE(isfinite, (as_type<uint>(x) & 0x7f800000u) != 0x7f800000u)
METAL_SIM_PREDICATE(isinf, (as_type<uint>(x) & 0x7fffffffu) == 0x7f800000u)
METAL_SIM_PREDICATE(isnan, (as_type<uint>(x) & 0x7fffffffu) > 0x7f800000u)
METAL_SIM_PREDICATE(signbit, (as_type<uint>(x) >> 31) != 0)
#undef METAL_SIM_PREDICATE
METAL_SIM_INLINE bool isnormal(float x) {
  const uint e = (as_type<uint>(x) >> 23) & 255;
  return e > 0 && e < 255;
}
METAL_SIM_INLINE bool isnormal(half x) {
  const uint e = (as_type<ushort>(x) >> 10) & 31;
  return e > 0 && e < 31;
}
METAL_SIM_INLINE bool isordered(float x, float y) { return x == x && y == y; }
METAL_SIM_INLINE bool isordered(half x, half y) { return x == x && y == y; }
METAL_SIM_INLINE bool isunordered(float x, float y) { return !isordered(x, y); }
METAL_SIM_INLINE bool isunordered(half x, half y) { return !isordered(x, y); }

template <typename T, int N> METAL_SIM_INLINE metal_sim_bools<N> isnormal(metal_sim_ext<T, N> x) {
  metal_sim_bools<N> r;
  for (int i = 0; i < N; i++) r[i] = isnormal((T)x[i]);
  return r;
}
template <typename T, int N> METAL_SIM_INLINE metal_sim_bools<N> isordered(metal_sim_ext<T, N> x, metal_sim_ext<T, N> y) {
  metal_sim_bools<N> r;
  for (int i = 0; i < N; i++) r[i] = isordered((T)x[i], (T)y[i]);
  return r;
}
template <typename T, int N> METAL_SIM_INLINE metal_sim_bools<N> isunordered(metal_sim_ext<T, N> x, metal_sim_ext<T, N> y) {
  return !isordered(x, y);
}

METAL_SIM_INLINE bool all(bool x) { return x; }
METAL_SIM_INLINE bool any(bool x) { return x; }
template <int N> METAL_SIM_INLINE bool all(metal_sim_bools<N> x) {
  bool r = true;
  for (int i = 0; i < N; i++) r = r && x[i];
  return r;
}
template <int N> METAL_SIM_INLINE bool any(metal_sim_bools<N> x) {
  bool r = false;
  for (int i = 0; i < N; i++) r = r || x[i];
  return r;
}
template <typename T, int N> METAL_SIM_INLINE bool all(metal_sim_ext<T, N> x) { return all((metal_sim_bools<N>)x); }
template <typename T, int N> METAL_SIM_INLINE bool any(metal_sim_ext<T, N> x) { return any((metal_sim_bools<N>)x); }
template <typename T> METAL_SIM_INLINE auto operator_not(T x) { return !x; }

#define METAL_SIM_SELECT(T) \
  METAL_SIM_INLINE T select(T no, T yes, bool c) { return c ? yes : no; }
METAL_SIM_SELECT(bool)
METAL_SIM_SELECT(char)
METAL_SIM_SELECT(uchar)
METAL_SIM_SELECT(short)
METAL_SIM_SELECT(ushort)
METAL_SIM_SELECT(int)
METAL_SIM_SELECT(uint)
METAL_SIM_SELECT(long)
METAL_SIM_SELECT(ulong)
METAL_SIM_SELECT(half)
METAL_SIM_SELECT(float)
#undef METAL_SIM_SELECT
template <typename T, int N>
METAL_SIM_INLINE metal_sim_ext<T, N> select(metal_sim_ext<T, N> no, metal_sim_ext<T, N> yes, metal_sim_bools<N> c) {
  metal_sim_ext<T, N> r;
  for (int i = 0; i < N; i++) r[i] = c[i] ? yes[i] : no[i];
  return r;
}
template <typename T, typename C, int N>
METAL_SIM_INLINE metal_sim_ext<T, N> select(metal_sim_ext<T, N> no, metal_sim_ext<T, N> yes, metal_sim_ext<C, N> c) {
  return select(no, yes, (metal_sim_bools<N>)c);
}
template <typename T, int N> METAL_SIM_INLINE metal_sim_ext<T, N> select(metal_sim_ext<T, N> no, metal_sim_ext<T, N> yes, bool c) {
  return c ? yes : no;
}

}  // namespace metal
