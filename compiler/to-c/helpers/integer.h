#pragma once
#include "types.h"
// Shifts by the width or more (or by a negative count) move every bit out; counts of bits are of the type's width.

#define DEFINE_BITS(T, U, name, width)                                                                        \
  MLXC_INLINE T shift_left_##name(T x, T y) {                                                                 \
    const bool far = (U)y >= width;                                                                           \
    return far ? (T)0 : (T)((U)x << (far ? 0 : y));                                                           \
  }                                                                                                           \
  MLXC_INLINE T popcount_##name(T x) { return (T)__builtin_popcountll((uint64_t)(U)x); }                      \
  MLXC_INLINE T clz_##name(T x) {                                                                             \
    return x == 0 ? (T)width : (T)(__builtin_clzll((uint64_t)(U)x) - (64 - width));                           \
  }
#define DEFINE_SIGNED_SHIFT(T, U, name, width)                                                                \
  MLXC_INLINE T shift_right_##name(T x, T y) { return (T)(x >> ((U)y >= width ? width - 1 : y)); }
#define DEFINE_UNSIGNED_SHIFT(T, name, width)                                                                 \
  MLXC_INLINE T shift_right_##name(T x, T y) { return y >= width ? (T)0 : (T)(x >> y); }

DEFINE_BITS(int8_t, uint8_t, i8, 8)
DEFINE_BITS(int16_t, uint16_t, i16, 16)
DEFINE_BITS(int32_t, uint32_t, i32, 32)
DEFINE_BITS(int64_t, uint64_t, i64, 64)
DEFINE_BITS(uint8_t, uint8_t, u8, 8)
DEFINE_BITS(uint16_t, uint16_t, u16, 16)
DEFINE_BITS(uint32_t, uint32_t, u32, 32)
DEFINE_BITS(uint64_t, uint64_t, u64, 64)
DEFINE_SIGNED_SHIFT(int8_t, uint8_t, i8, 8)
DEFINE_SIGNED_SHIFT(int16_t, uint16_t, i16, 16)
DEFINE_SIGNED_SHIFT(int32_t, uint32_t, i32, 32)
DEFINE_SIGNED_SHIFT(int64_t, uint64_t, i64, 64)
DEFINE_UNSIGNED_SHIFT(uint8_t, u8, 8)
DEFINE_UNSIGNED_SHIFT(uint16_t, u16, 16)
DEFINE_UNSIGNED_SHIFT(uint32_t, u32, 32)
DEFINE_UNSIGNED_SHIFT(uint64_t, u64, 64)
