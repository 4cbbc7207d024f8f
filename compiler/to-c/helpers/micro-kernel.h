#pragma once
#include "types.h"
// The inner block of a matrix product: rows x columns of c in registers, one outer product of packed panels a step of depth.

#if defined(__AVX512F__)
#define MLXC_VECTOR_BYTES 64
#elif defined(__AVX__)
#define MLXC_VECTOR_BYTES 32
#else
#define MLXC_VECTOR_BYTES 16
#endif

typedef float mlxc_scalar_f32;
typedef double mlxc_scalar_f64;

/** Elements of the widest vector that divides `columns`. */
#define MLXC_VECTOR_WIDTH(T, columns)                                                                         \
  ((columns) % (MLXC_VECTOR_BYTES / sizeof(T)) == 0       ? MLXC_VECTOR_BYTES / sizeof(T)                     \
   : (columns) % (MLXC_VECTOR_BYTES / 2 / sizeof(T)) == 0 ? MLXC_VECTOR_BYTES / 2 / sizeof(T)                 \
   : (columns) % (MLXC_VECTOR_BYTES / 4 / sizeof(T)) == 0 ? MLXC_VECTOR_BYTES / 4 / sizeof(T)                 \
                                                          : 1)

/**
 * c[r][n] = (or +=) sum over k < depth of a[r*row_stride + k*depth_stride] * b[k*columns + n]. Inlined, so that
 * constant strides become displacements.
 */
#define DEFINE_MICRO_KERNEL(name, dtype, rows, columns)                                                       \
  MLXC_INLINE void name(const mlxc_scalar_##dtype *a, int64_t row_stride, int64_t depth_stride,               \
                        const mlxc_scalar_##dtype *b, mlxc_scalar_##dtype *c, int64_t c_stride,               \
                        int64_t depth, bool accumulate) {                                                     \
    typedef mlxc_scalar_##dtype scalar;                                                                       \
    enum { width = MLXC_VECTOR_WIDTH(scalar, columns), vectors = (columns) / width };                         \
    typedef scalar vector __attribute__((vector_size(width * sizeof(scalar))));                               \
    typedef scalar unaligned                                                                                  \
        __attribute__((vector_size(width * sizeof(scalar)), aligned(sizeof(scalar)), may_alias));             \
    vector sums[rows][vectors];                                                                               \
    _Pragma("GCC unroll 32") for (int r = 0; r < rows; r++) {                                                 \
      _Pragma("GCC unroll 32") for (int v = 0; v < vectors; v++) {                                            \
        if (accumulate) sums[r][v] = *(const unaligned *)(c + r * c_stride + v * width);                      \
        else sums[r][v] = (vector){0};                                                                        \
      }                                                                                                       \
    }                                                                                                         \
    for (int64_t k = 0; k < depth; k++) {                                                                     \
      vector b_row[vectors];                                                                                  \
      _Pragma("GCC unroll 32") for (int v = 0; v < vectors; v++) {                                            \
        b_row[v] = *(const unaligned *)(b + v * width);                                                       \
      }                                                                                                       \
      _Pragma("GCC unroll 32") for (int r = 0; r < rows; r++) {                                               \
        const scalar factor = a[r * row_stride];                                                              \
        _Pragma("GCC unroll 32") for (int v = 0; v < vectors; v++) sums[r][v] += factor * b_row[v];           \
      }                                                                                                       \
      a += depth_stride;                                                                                      \
      b += columns;                                                                                           \
    }                                                                                                         \
    _Pragma("GCC unroll 32") for (int r = 0; r < rows; r++) {                                                 \
      _Pragma("GCC unroll 32") for (int v = 0; v < vectors; v++) {                                            \
        *(unaligned *)(c + r * c_stride + v * width) = sums[r][v];                                            \
      }                                                                                                       \
    }                                                                                                         \
  }
