#pragma once
#include "types.h"
MLXC_INLINE float sinh_f32(float x) { return sinhf(x); }
MLXC_INLINE double sinh_f64(double x) { return sinh(x); }
MLXC_INLINE float cosh_f32(float x) { return coshf(x); }
MLXC_INLINE double cosh_f64(double x) { return cosh(x); }
MLXC_INLINE float tanh_f32(float x) { return tanhf(x); }
MLXC_INLINE double tanh_f64(double x) { return tanh(x); }
MLXC_INLINE float asinh_f32(float x) { return asinhf(x); }
MLXC_INLINE double asinh_f64(double x) { return asinh(x); }
MLXC_INLINE float acosh_f32(float x) { return acoshf(x); }
MLXC_INLINE double acosh_f64(double x) { return acosh(x); }
MLXC_INLINE float atanh_f32(float x) { return atanhf(x); }
MLXC_INLINE double atanh_f64(double x) { return atanh(x); }
