// Names of <simd/simd.h>, which sources share with the host: the vectors and matrices of Metal.
#pragma once

#define METAL_SIM_SIMD_VECTORS(T) \
  typedef metal::T##2 simd_##T##2, vector_##T##2; \
  typedef metal::T##3 simd_##T##3, vector_##T##3; \
  typedef metal::T##4 simd_##T##4, vector_##T##4; \
  namespace simd { \
  using metal::T##2; \
  using metal::T##3; \
  using metal::T##4; \
  using metal::packed_##T##2; \
  using metal::packed_##T##3; \
  using metal::packed_##T##4; \
  }
METAL_SIM_SIMD_VECTORS(char)
METAL_SIM_SIMD_VECTORS(uchar)
METAL_SIM_SIMD_VECTORS(short)
METAL_SIM_SIMD_VECTORS(ushort)
METAL_SIM_SIMD_VECTORS(int)
METAL_SIM_SIMD_VECTORS(uint)
METAL_SIM_SIMD_VECTORS(long)
METAL_SIM_SIMD_VECTORS(ulong)
METAL_SIM_SIMD_VECTORS(half)
METAL_SIM_SIMD_VECTORS(float)
#undef METAL_SIM_SIMD_VECTORS

#define METAL_SIM_SIMD_MATRICES(T, SHAPE) \
  typedef metal::T##SHAPE simd_##T##SHAPE, matrix_##T##SHAPE; \
  namespace simd { \
  using metal::T##SHAPE; \
  }
#define METAL_SIM_SIMD_SHAPES(SHAPE) METAL_SIM_SIMD_MATRICES(float, SHAPE) METAL_SIM_SIMD_MATRICES(half, SHAPE)
METAL_SIM_SIMD_SHAPES(2x2)
METAL_SIM_SIMD_SHAPES(2x3)
METAL_SIM_SIMD_SHAPES(2x4)
METAL_SIM_SIMD_SHAPES(3x2)
METAL_SIM_SIMD_SHAPES(3x3)
METAL_SIM_SIMD_SHAPES(3x4)
METAL_SIM_SIMD_SHAPES(4x2)
METAL_SIM_SIMD_SHAPES(4x3)
METAL_SIM_SIMD_SHAPES(4x4)
#undef METAL_SIM_SIMD_SHAPES
#undef METAL_SIM_SIMD_MATRICES
