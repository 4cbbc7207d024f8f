#pragma once
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define MLXC_INLINE static inline __attribute__((always_inline, unused))

MLXC_INLINE int64_t min_i64(int64_t x, int64_t y) { return x < y ? x : y; }
MLXC_INLINE int64_t max_i64(int64_t x, int64_t y) { return x > y ? x : y; }
