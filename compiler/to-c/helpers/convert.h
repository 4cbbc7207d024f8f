#pragma once
#include "types.h"
// Floats to integers truncate and saturate; NaN gives 0.

// `high` is the greatest float at or below the maximum: the conversion itself then never leaves the range
#define DEFINE_CONVERT(F, f, T, t, low, high, maximum)                                                        \
  MLXC_INLINE T convert_##f##_##t(F x) {                                                                      \
    const F number = x == x ? x : 0;                                                                          \
    const F raised = number > (F)(low) ? number : (F)(low);                                                   \
    const F clamped = raised < (F)(high) ? raised : (F)(high);                                                \
    return number > (F)(high) ? (T)(maximum) : (T)clamped;                                                    \
  }
#define DEFINE_CONVERT_NARROW(F, f)                                                                           \
  DEFINE_CONVERT(F, f, int8_t, i8, -128, 127, 127)                                                            \
  DEFINE_CONVERT(F, f, int16_t, i16, -32768, 32767, 32767)                                                    \
  DEFINE_CONVERT(F, f, uint8_t, u8, 0, 255, 255)                                                              \
  DEFINE_CONVERT(F, f, uint16_t, u16, 0, 65535, 65535)

DEFINE_CONVERT_NARROW(float, f32)
DEFINE_CONVERT(float, f32, int32_t, i32, INT32_MIN, 2147483520.0f, INT32_MAX)
DEFINE_CONVERT(float, f32, uint32_t, u32, 0, 4294967040.0f, UINT32_MAX)
DEFINE_CONVERT(float, f32, int64_t, i64, INT64_MIN, 9223371487098961920.0f, INT64_MAX)
DEFINE_CONVERT(float, f32, uint64_t, u64, 0, 18446742974197923840.0f, UINT64_MAX)
DEFINE_CONVERT_NARROW(double, f64)
DEFINE_CONVERT(double, f64, int32_t, i32, INT32_MIN, INT32_MAX, INT32_MAX)
DEFINE_CONVERT(double, f64, uint32_t, u32, 0, UINT32_MAX, UINT32_MAX)
DEFINE_CONVERT(double, f64, int64_t, i64, INT64_MIN, 9223372036854774784.0, INT64_MAX)
DEFINE_CONVERT(double, f64, uint64_t, u64, 0, 18446744073709549568.0, UINT64_MAX)
