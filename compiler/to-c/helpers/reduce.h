#pragma once
#include "arithmetic.h"
// Reductions of vector loops that propagate NaN.

#define MLXC_PRAGMA(text) _Pragma(#text)
#define DECLARE_ORDER_REDUCTION(T, name, lowest, highest)                                                     \
  MLXC_PRAGMA(omp declare reduction(max_##name : T : omp_out = max_##name(omp_out, omp_in))                   \
                  initializer(omp_priv = lowest))                                                             \
  MLXC_PRAGMA(omp declare reduction(min_##name : T : omp_out = min_##name(omp_out, omp_in))                   \
                  initializer(omp_priv = highest))

DECLARE_ORDER_REDUCTION(float, f32, -INFINITY, INFINITY)
DECLARE_ORDER_REDUCTION(double, f64, -INFINITY, INFINITY)
DECLARE_ORDER_REDUCTION(int8_t, i8, INT8_MIN, INT8_MAX)
DECLARE_ORDER_REDUCTION(int16_t, i16, INT16_MIN, INT16_MAX)
DECLARE_ORDER_REDUCTION(int32_t, i32, INT32_MIN, INT32_MAX)
DECLARE_ORDER_REDUCTION(int64_t, i64, INT64_MIN, INT64_MAX)
DECLARE_ORDER_REDUCTION(uint8_t, u8, 0, UINT8_MAX)
DECLARE_ORDER_REDUCTION(uint16_t, u16, 0, UINT16_MAX)
DECLARE_ORDER_REDUCTION(uint32_t, u32, 0, UINT32_MAX)
DECLARE_ORDER_REDUCTION(uint64_t, u64, 0, UINT64_MAX)
