#pragma once
#include "types.h"
MLXC_INLINE float sin_f32(float x) { return sinf(x); }
MLXC_INLINE double sin_f64(double x) { return sin(x); }
MLXC_INLINE float cos_f32(float x) { return cosf(x); }
MLXC_INLINE double cos_f64(double x) { return cos(x); }
MLXC_INLINE float tan_f32(float x) { return tanf(x); }
MLXC_INLINE double tan_f64(double x) { return tan(x); }
MLXC_INLINE float asin_f32(float x) { return asinf(x); }
MLXC_INLINE double asin_f64(double x) { return asin(x); }
MLXC_INLINE float acos_f32(float x) { return acosf(x); }
MLXC_INLINE double acos_f64(double x) { return acos(x); }
MLXC_INLINE float atan_f32(float x) { return atanf(x); }
MLXC_INLINE double atan_f64(double x) { return atan(x); }
