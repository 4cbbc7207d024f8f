#pragma once
#include "bitcast.h"
// f16 and bf16 live in memory only; stores round to nearest even.

// gcc on x86 does not vectorise conversions of _Float16
#if defined(__FLT16_MAX__) && (defined(__clang__) || !defined(__x86_64__))
typedef _Float16 f16_t;
MLXC_INLINE float f16_to_f32(f16_t x) { return (float)x; }
MLXC_INLINE f16_t f32_to_f16(float x) { return (f16_t)x; }
MLXC_INLINE uint16_t f16_bits(f16_t x) {
  union { f16_t from; uint16_t to; } bits = {x};
  return bits.to;
}
MLXC_INLINE f16_t f16_from_bits(uint16_t x) {
  union { uint16_t from; f16_t to; } bits = {x};
  return bits.to;
}
#else
typedef uint16_t f16_t;
MLXC_INLINE uint16_t f16_bits(f16_t x) { return x; }
MLXC_INLINE f16_t f16_from_bits(uint16_t x) { return x; }
MLXC_INLINE float f16_to_f32(f16_t x) {
  const uint32_t sign = (uint32_t)(x & 0x8000) << 16;
  const uint32_t magnitude = (uint32_t)(x & 0x7fff) << 13;
  // shifted into place the exponent is short by 112; a multiplication also normalises subnormals
  const float scaled = bitcast_u32_f32(magnitude) * 0x1p112f;
  const uint32_t special = magnitude >= 0x0f800000u ? 0x7f800000u | magnitude : bitcast_f32_u32(scaled);
  return bitcast_u32_f32(special | sign);
}
MLXC_INLINE f16_t f32_to_f16(float x) {
  const uint32_t bits = bitcast_f32_u32(x);
  const uint32_t sign = (bits >> 16) & 0x8000;
  const uint32_t magnitude = bits & 0x7fffffff;
  const uint32_t normal = (magnitude + 0xfff + ((magnitude >> 13) & 1) - 0x38000000u) >> 13;
  // adding 0.5 rounds a subnormal at the right bit
  const uint32_t subnormal = bitcast_f32_u32(bitcast_u32_f32(magnitude) + 0.5f) - 0x3f000000u;
  const uint32_t finite = magnitude < 0x38800000u ? subnormal : normal;
  const uint32_t large = magnitude > 0x7f800000u ? 0x7e00 : 0x7c00;
  return (f16_t)(sign | (magnitude >= 0x477ff000u ? large : finite));
}
#endif

typedef uint16_t bf16_t;
MLXC_INLINE uint16_t bf16_bits(bf16_t x) { return x; }
MLXC_INLINE bf16_t bf16_from_bits(uint16_t x) { return x; }
MLXC_INLINE float bf16_to_f32(bf16_t x) { return bitcast_u32_f32((uint32_t)x << 16); }
MLXC_INLINE bf16_t f32_to_bf16(float x) {
  const uint32_t bits = bitcast_f32_u32(x);
  const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  return (bf16_t)(x != x ? (bits >> 16) | 0x40 : rounded);
}

// wide numbers as float, inexact ones to odd: rounding that once more to f16 or bf16 is rounding the number once
MLXC_INLINE float odd_f32_f64(double x) {
  const float nearest = (float)x;
  const uint32_t bits = bitcast_f32_u32(nearest);
  const uint32_t truncated = fabs((double)nearest) > fabs(x) ? bits - 1 : bits;
  return (double)nearest == x || x != x ? nearest : bitcast_u32_f32(truncated | 1);
}
MLXC_INLINE float odd_f32_u64(uint64_t x) {
  const uint64_t high = x >> 16;
  const uint64_t sticky = high | ((x & 0xffff) != 0);
  return x >> 40 == 0 ? odd_f32_f64((double)x) : odd_f32_f64((double)sticky) * 65536.0f;
}
MLXC_INLINE float odd_f32_i64(int64_t x) {
  const float size = odd_f32_u64(x < 0 ? -(uint64_t)x : (uint64_t)x);
  return x < 0 ? -size : size;
}
MLXC_INLINE float odd_f32_i32(int32_t x) { return odd_f32_f64((double)x); }
MLXC_INLINE float odd_f32_u32(uint32_t x) { return odd_f32_f64((double)x); }
