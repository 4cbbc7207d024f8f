// Floats in [0, 1] or [-1, 1] as small integers.
#pragma once

namespace metal {

METAL_SIM_INLINE uint pack_float_to_unorm4x8(float4 x) {
  const float4 v = rint(saturate(x) * 255.0f);
  return (uint)v.x | (uint)v.y << 8 | (uint)v.z << 16 | (uint)v.w << 24;
}
METAL_SIM_INLINE uint pack_float_to_snorm4x8(float4 x) {
  const float4 v = rint(clamp(x, -1.0f, 1.0f) * 127.0f);
  return ((uint)(int)v.x & 255) | ((uint)(int)v.y & 255) << 8 | ((uint)(int)v.z & 255) << 16 | ((uint)(int)v.w & 255) << 24;
}
METAL_SIM_INLINE uint pack_float_to_unorm2x16(float2 x) {
  const float2 v = rint(saturate(x) * 65535.0f);
  return (uint)v.x | (uint)v.y << 16;
}
METAL_SIM_INLINE uint pack_float_to_snorm2x16(float2 x) {
  const float2 v = rint(clamp(x, -1.0f, 1.0f) * 32767.0f);
  return ((uint)(int)v.x & 65535) | ((uint)(int)v.y & 65535) << 16;
}
METAL_SIM_INLINE float4 unpack_unorm4x8_to_float(uint x) {
  return float4{(float)(x & 255), (float)(x >> 8 & 255), (float)(x >> 16 & 255), (float)(x >> 24)} / 255.0f;
}
METAL_SIM_INLINE float4 unpack_snorm4x8_to_float(uint x) {
  return max(float4{(float)(char)x, (float)(char)(x >> 8), (float)(char)(x >> 16), (float)(char)(x >> 24)} / 127.0f, -1.0f);
}
METAL_SIM_INLINE float2 unpack_unorm2x16_to_float(uint x) { return float2{(float)(x & 65535), (float)(x >> 16)} / 65535.0f; }
METAL_SIM_INLINE float2 unpack_snorm2x16_to_float(uint x) {
  return max(float2{(float)(short)x, (float)(short)(x >> 16)} / 32767.0f, -1.0f);
}

}  // namespace metal
