#pragma once
#include "types.h"
MLXC_INLINE float log_f32(float x) { return logf(x); }
MLXC_INLINE double log_f64(double x) { return log(x); }
MLXC_INLINE float log2_f32(float x) { return log2f(x); }
MLXC_INLINE double log2_f64(double x) { return log2(x); }
MLXC_INLINE float log1p_f32(float x) { return log1pf(x); }
MLXC_INLINE double log1p_f64(double x) { return log1p(x); }
