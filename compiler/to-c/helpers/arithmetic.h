#pragma once
#include "types.h"
// max and min propagate NaN; rem has the sign of the divisor; integer division by zero gives 0.

#define DEFINE_FLOAT_ARITHMETIC(T, name, suffix)                                                              \
  MLXC_INLINE T max_##name(T x, T y) { return x > y || x != x ? x : y; }                                      \
  MLXC_INLINE T min_##name(T x, T y) { return x < y || x != x ? x : y; }                                      \
  MLXC_INLINE T sign_##name(T x) { return x > 0 ? 1 : x < 0 ? -1 : x; }                                       \
  MLXC_INLINE bool is_finite_##name(T x) { return fabs##suffix(x) < (T)INFINITY; }                            \
  MLXC_INLINE T fma_##name(T x, T y, T z) { return __builtin_fma##suffix(x, y, z); }                          \
  MLXC_INLINE T rem_##name(T x, T y) {                                                                        \
    const T rest = fmod##suffix(x, y);                                                                        \
    if (rest == 0) return y < 0 ? (T)-0.0 : (T)0;                                                             \
    return (rest < 0) != (y < 0) ? rest + y : rest;                                                           \
  }                                                                                                           \
  /* the whole quotient that belongs to rem: floor_div(1, 0.1) is 9, as 1 - 9 * 0.1 < 0.1 */                  \
  MLXC_INLINE T floor_div_##name(T x, T y) {                                                                  \
    if (y == 0) return x / y;                                                                                 \
    if (!is_finite_##name(x)) return (T)NAN;                                                                  \
    if (!is_finite_##name(y)) return y != y ? y : x != 0 && (x < 0) != (y < 0) ? (T)-1 : x / y;               \
    const T quotient = (x - rem_##name(x, y)) / y;                                                            \
    return quotient == 0 ? __builtin_copysign##suffix((T)0, x / y) : rint##suffix(quotient);                  \
  }

DEFINE_FLOAT_ARITHMETIC(float, f32, f)
DEFINE_FLOAT_ARITHMETIC(double, f64, )

#define DEFINE_ORDER(T, name)                                                                                 \
  MLXC_INLINE T max_##name(T x, T y) { return x > y ? x : y; }                                                \
  MLXC_INLINE T min_##name(T x, T y) { return x < y ? x : y; }                                                \
  MLXC_INLINE T sign_##name(T x) { return (T)((x > 0) - (x < 0)); }

// the smallest integer divided by -1 wraps: the divisor -1 is negation
#define DEFINE_SIGNED_ARITHMETIC(T, name)                                                                     \
  MLXC_INLINE T rem_##name(T x, T y) {                                                                        \
    const T divisor = y == 0 || y == -1 ? (T)1 : y;                                                           \
    const T rest = (T)(x % divisor);                                                                          \
    return (T)(rest + ((rest != 0) & ((rest < 0) != (divisor < 0)) ? divisor : (T)0));                        \
  }                                                                                                           \
  MLXC_INLINE T floor_div_##name(T x, T y) {                                                                  \
    const T divisor = y == 0 || y == -1 ? (T)1 : y;                                                           \
    const T quotient = (T)(x / divisor);                                                                      \
    const T rest = (T)(x % divisor);                                                                          \
    const T down = (T)(quotient - ((rest != 0) & ((rest < 0) != (divisor < 0))));                             \
    return y == 0 ? (T)0 : y == -1 ? (T)-x : down;                                                            \
  }

#define DEFINE_UNSIGNED_ARITHMETIC(T, name)                                                                   \
  MLXC_INLINE T rem_##name(T x, T y) { return y == 0 ? (T)0 : (T)(x % y); }                                   \
  MLXC_INLINE T floor_div_##name(T x, T y) { return y == 0 ? (T)0 : (T)(x / y); }

DEFINE_ORDER(int8_t, i8)
DEFINE_ORDER(int16_t, i16)
DEFINE_ORDER(int32_t, i32)
DEFINE_ORDER(uint8_t, u8)
DEFINE_ORDER(uint16_t, u16)
DEFINE_ORDER(uint32_t, u32)
DEFINE_ORDER(uint64_t, u64)
DEFINE_SIGNED_ARITHMETIC(int8_t, i8)
DEFINE_SIGNED_ARITHMETIC(int16_t, i16)
DEFINE_SIGNED_ARITHMETIC(int32_t, i32)
DEFINE_SIGNED_ARITHMETIC(int64_t, i64)
DEFINE_UNSIGNED_ARITHMETIC(uint8_t, u8)
DEFINE_UNSIGNED_ARITHMETIC(uint16_t, u16)
DEFINE_UNSIGNED_ARITHMETIC(uint32_t, u32)
DEFINE_UNSIGNED_ARITHMETIC(uint64_t, u64)

MLXC_INLINE int64_t sign_i64(int64_t x) { return (x > 0) - (x < 0); }
