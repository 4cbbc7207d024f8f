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

METAL_SIM_INLINE uint pack_float_to_unorm10a2(float4 x) {
  const float4 v = rint(saturate(x) * float4{1023.0f, 1023.0f, 1023.0f, 3.0f});
  return (uint)v.x | (uint)v.y << 10 | (uint)v.z << 20 | (uint)v.w << 30;
}
METAL_SIM_INLINE float4 unpack_unorm10a2_to_float(uint x) {
  return float4{(float)(x & 1023), (float)(x >> 10 & 1023), (float)(x >> 20 & 1023), (float)(x >> 30)} /
         float4{1023.0f, 1023.0f, 1023.0f, 3.0f};
}
METAL_SIM_INLINE ushort pack_float_to_unorm565(float3 x) {
  const float3 v = rint(saturate(x) * float3{31.0f, 63.0f, 31.0f});
  return (ushort)((uint)v.x | (uint)v.y << 5 | (uint)v.z << 11);
}
METAL_SIM_INLINE float3 unpack_unorm565_to_float(ushort x) {
  return float3{(float)(x & 31), (float)(x >> 5 & 63), (float)(x >> 11)} / float3{31.0f, 63.0f, 31.0f};
}

// The first three components by the curve of sRGB.
METAL_SIM_INLINE uint pack_float_to_srgb_unorm4x8(float4 x) {
  for (int i = 0; i < 3; i++) {
    const float v = saturate((float)x[i]);
    x[i] = v <= 0.0031308f ? 12.92f * v : 1.055f * metal_sim::precise::pow(v, 1.0f / 2.4f) - 0.055f;
  }
  return pack_float_to_unorm4x8(x);
}
METAL_SIM_INLINE float4 unpack_unorm4x8_srgb_to_float(uint x) {
  float4 v = unpack_unorm4x8_to_float(x);
  for (int i = 0; i < 3; i++) v[i] = v[i] <= 0.04045f ? v[i] / 12.92f : metal_sim::precise::pow((v[i] + 0.055f) / 1.055f, 2.4f);
  return v;
}

METAL_SIM_INLINE uint pack_half_to_unorm4x8(half4 x) { return pack_float_to_unorm4x8(metal_sim::construct<float4>(x)); }
METAL_SIM_INLINE uint pack_half_to_snorm4x8(half4 x) { return pack_float_to_snorm4x8(metal_sim::construct<float4>(x)); }
METAL_SIM_INLINE uint pack_half_to_srgb_unorm4x8(half4 x) { return pack_float_to_srgb_unorm4x8(metal_sim::construct<float4>(x)); }
METAL_SIM_INLINE uint pack_half_to_unorm2x16(half2 x) { return pack_float_to_unorm2x16(metal_sim::construct<float2>(x)); }
METAL_SIM_INLINE uint pack_half_to_snorm2x16(half2 x) { return pack_float_to_snorm2x16(metal_sim::construct<float2>(x)); }
METAL_SIM_INLINE uint pack_half_to_unorm10a2(half4 x) { return pack_float_to_unorm10a2(metal_sim::construct<float4>(x)); }
METAL_SIM_INLINE ushort pack_half_to_unorm565(half3 x) { return pack_float_to_unorm565(metal_sim::construct<float3>(x)); }
METAL_SIM_INLINE half4 unpack_unorm4x8_to_half(uint x) { return metal_sim::construct<half4>(unpack_unorm4x8_to_float(x)); }
METAL_SIM_INLINE half4 unpack_snorm4x8_to_half(uint x) { return metal_sim::construct<half4>(unpack_snorm4x8_to_float(x)); }
METAL_SIM_INLINE half4 unpack_unorm4x8_srgb_to_half(uint x) { return metal_sim::construct<half4>(unpack_unorm4x8_srgb_to_float(x)); }
METAL_SIM_INLINE half2 unpack_unorm2x16_to_half(uint x) { return metal_sim::construct<half2>(unpack_unorm2x16_to_float(x)); }
METAL_SIM_INLINE half2 unpack_snorm2x16_to_half(uint x) { return metal_sim::construct<half2>(unpack_snorm2x16_to_float(x)); }
METAL_SIM_INLINE half4 unpack_unorm10a2_to_half(uint x) { return metal_sim::construct<half4>(unpack_unorm10a2_to_float(x)); }
METAL_SIM_INLINE half3 unpack_unorm565_to_half(ushort x) { return metal_sim::construct<half3>(unpack_unorm565_to_float(x)); }

}  // namespace metal
