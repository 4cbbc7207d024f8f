#pragma once
#include "types.h"

/** The last segment that starts at or before `task`; `starts` ascends from 0. */
MLXC_INLINE int64_t locate_segment(const int64_t *starts, int64_t count, int64_t task) {
  int64_t low = 0;
  for (int64_t high = count; high - low > 1;) {
    const int64_t middle = (low + high) / 2;
    if (starts[middle] <= task) low = middle;
    else high = middle;
  }
  return low;
}
