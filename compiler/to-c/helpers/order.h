#pragma once
#include "bitcast.h"
// Floats as integers of the same order, NaN above (max) or below (min) all others.

MLXC_INLINE int32_t order_f32(float x) {
  const int32_t bits = (int32_t)bitcast_f32_u32(x);
  return bits ^ ((bits >> 31) & 0x7fffffff);
}
MLXC_INLINE int32_t order_max_f32(float x) { return x != x ? INT32_MAX : order_f32(x); }
MLXC_INLINE int32_t order_min_f32(float x) { return x != x ? INT32_MIN : order_f32(x); }
/** Both ends are bits of a NaN. */
MLXC_INLINE float from_order_f32(int32_t order) {
  return bitcast_u32_f32((uint32_t)(order ^ ((order >> 31) & 0x7fffffff)));
}

MLXC_INLINE int64_t order_f64(double x) {
  const int64_t bits = (int64_t)bitcast_f64_u64(x);
  return bits ^ ((bits >> 63) & INT64_MAX);
}
MLXC_INLINE int64_t order_max_f64(double x) { return x != x ? INT64_MAX : order_f64(x); }
MLXC_INLINE int64_t order_min_f64(double x) { return x != x ? INT64_MIN : order_f64(x); }
MLXC_INLINE double from_order_f64(int64_t order) {
  return bitcast_u64_f64((uint64_t)(order ^ ((order >> 63) & INT64_MAX)));
}
