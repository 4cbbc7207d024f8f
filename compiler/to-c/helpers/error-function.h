#pragma once
#include "types.h"
MLXC_INLINE float erf_f32(float x) { return erff(x); }
MLXC_INLINE double erf_f64(double x) { return erf(x); }
MLXC_INLINE float erfc_f32(float x) { return erfcf(x); }
MLXC_INLINE double erfc_f64(double x) { return erfc(x); }
