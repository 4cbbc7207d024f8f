#pragma once
#include "types.h"

#define DEFINE_BITCAST(A, a, B, b)                                                                            \
  MLXC_INLINE B bitcast_##a##_##b(A x) {                                                                      \
    union { A from; B to; } bits = {x};                                                                       \
    return bits.to;                                                                                           \
  }
DEFINE_BITCAST(float, f32, uint32_t, u32)
DEFINE_BITCAST(uint32_t, u32, float, f32)
DEFINE_BITCAST(double, f64, uint64_t, u64)
DEFINE_BITCAST(uint64_t, u64, double, f64)
