#pragma once
#include "types.h"
MLXC_INLINE float exp_f32(float x) { return expf(x); }
MLXC_INLINE double exp_f64(double x) { return exp(x); }
MLXC_INLINE float exp2_f32(float x) { return exp2f(x); }
MLXC_INLINE double exp2_f64(double x) { return exp2(x); }
MLXC_INLINE float expm1_f32(float x) { return expm1f(x); }
MLXC_INLINE double expm1_f64(double x) { return expm1(x); }
