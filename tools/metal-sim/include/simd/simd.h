/** Vectors with Metal's layout, for structs that host programs and kernels share. */
#pragma once

#include <stdint.h>

#define METAL_SIM_SIMD(NAME, TYPE)                                  \
  typedef TYPE simd_##NAME##2 __attribute__((ext_vector_type(2)));  \
  typedef TYPE simd_##NAME##3 __attribute__((ext_vector_type(3)));  \
  typedef TYPE simd_##NAME##4 __attribute__((ext_vector_type(4)));  \
  typedef simd_##NAME##2 vector_##NAME##2;                          \
  typedef simd_##NAME##3 vector_##NAME##3;                          \
  typedef simd_##NAME##4 vector_##NAME##4;
METAL_SIM_SIMD(char, signed char)
METAL_SIM_SIMD(uchar, unsigned char)
METAL_SIM_SIMD(short, short)
METAL_SIM_SIMD(ushort, unsigned short)
METAL_SIM_SIMD(int, int)
METAL_SIM_SIMD(uint, unsigned int)
METAL_SIM_SIMD(long, long)
METAL_SIM_SIMD(ulong, unsigned long)
METAL_SIM_SIMD(half, _Float16)
METAL_SIM_SIMD(float, float)
METAL_SIM_SIMD(double, double)
#undef METAL_SIM_SIMD

typedef struct {
  simd_float2 columns[2];
} simd_float2x2;
typedef struct {
  simd_float3 columns[3];
} simd_float3x3;
typedef struct {
  simd_float4 columns[4];
} simd_float4x4;
typedef simd_float2x2 matrix_float2x2;
typedef simd_float3x3 matrix_float3x3;
typedef simd_float4x4 matrix_float4x4;

static inline simd_float2 simd_make_float2(float x, float y) { return (simd_float2){x, y}; }
static inline simd_float3 simd_make_float3(float x, float y, float z) { return (simd_float3){x, y, z}; }
static inline simd_float4 simd_make_float4(float x, float y, float z, float w) { return (simd_float4){x, y, z, w}; }

#ifdef __cplusplus
/** As in `simd::float4`. */
namespace simd {
using float2 = simd_float2;
using float3 = simd_float3;
using float4 = simd_float4;
using half2 = simd_half2;
using half4 = simd_half4;
using int2 = simd_int2;
using int3 = simd_int3;
using int4 = simd_int4;
using uint2 = simd_uint2;
using uint3 = simd_uint3;
using uint4 = simd_uint4;
using uchar4 = simd_uchar4;
using float3x3 = simd_float3x3;
using float4x4 = simd_float4x4;
}  // namespace simd
#endif
