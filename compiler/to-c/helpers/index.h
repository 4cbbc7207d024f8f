#pragma once
#include "types.h"
// A number from a tensor as an index of an axis of the given extent: out of range it is the first or the last.

MLXC_INLINE int64_t clamp_index_i64(int64_t index, int64_t extent) {
  return index < 0 ? 0 : index < extent ? index : extent - 1;
}

MLXC_INLINE int64_t clamp_index_u64(uint64_t index, int64_t extent) {
  return index < (uint64_t)extent ? (int64_t)index : extent - 1;
}
