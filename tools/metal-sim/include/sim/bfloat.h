// Functions of bfloats: there are none of its own, so they go through float and give floats. Templates, so that a source may have better ones.
#pragma once

namespace metal_sim {
template <typename T> using if_bfloat = metal::enable_if_t<metal::is_same_v<T, bfloat>>;
}  // namespace metal_sim

#define METAL_SIM_BFLOAT1(f) \
  template <typename T, typename = metal_sim::if_bfloat<T>> METAL_SIM_INLINE auto f(T x) { return f((float)x); }
#define METAL_SIM_BFLOAT2(f) \
  template <typename T, typename = metal_sim::if_bfloat<T>> METAL_SIM_INLINE auto f(T x, T y) { return f((float)x, (float)y); }
#define METAL_SIM_BFLOAT3(f) \
  template <typename T, typename = metal_sim::if_bfloat<T>> METAL_SIM_INLINE auto f(T x, T y, T z) { \
    return f((float)x, (float)y, (float)z); \
  }
#define METAL_SIM_BFLOATS \
  METAL_SIM_TWO_VARIANT1(METAL_SIM_BFLOAT1) \
  METAL_SIM_ONE_VARIANT1(METAL_SIM_BFLOAT1) \
  METAL_SIM_BFLOAT1(abs) \
  METAL_SIM_TWO_VARIANT2(METAL_SIM_BFLOAT2) \
  METAL_SIM_ONE_VARIANT2(METAL_SIM_BFLOAT2) \
  METAL_SIM_BFLOAT2(max) \
  METAL_SIM_BFLOAT2(min) \
  METAL_SIM_ONE_VARIANT3(METAL_SIM_BFLOAT3) \
  METAL_SIM_BFLOAT3(clamp) \
  METAL_SIM_BFLOAT3(max3) \
  METAL_SIM_BFLOAT3(min3) \
  METAL_SIM_BFLOAT3(median3)

namespace metal {
METAL_SIM_BFLOATS
METAL_SIM_BFLOAT2(nextafter)
METAL_SIM_BFLOAT1(ilogb)
METAL_SIM_BFLOAT1(isfinite)
METAL_SIM_BFLOAT1(isinf)
METAL_SIM_BFLOAT1(isnan)
METAL_SIM_BFLOAT1(isnormal)
METAL_SIM_BFLOAT1(signbit)
METAL_SIM_BFLOAT2(isordered)
METAL_SIM_BFLOAT2(isunordered)
template <typename T, typename = metal_sim::if_bfloat<T>> METAL_SIM_INLINE T select(T no, T yes, bool c) { return c ? yes : no; }
template <typename T, typename = metal_sim::if_bfloat<T>> METAL_SIM_INLINE float ldexp(T x, int e) { return ldexp((float)x, e); }
namespace precise {
METAL_SIM_BFLOATS
}
namespace fast {
METAL_SIM_BFLOATS
}
}  // namespace metal
#undef METAL_SIM_BFLOATS
#undef METAL_SIM_BFLOAT1
#undef METAL_SIM_BFLOAT2
#undef METAL_SIM_BFLOAT3
