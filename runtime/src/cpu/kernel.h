#pragma once
#include <cstdint>

namespace mlxc {

/** A compiled kernel: runs the tasks begin <= task < end of its flattened grid. */
using KernelFunction = void (*)(void *const *buffers, const int64_t *integers, void *scratch,
                                int64_t begin, int64_t end);

/** One launch of a kernel over the tasks 0 <= task < total, handed out `grain` at a time. */
struct Launch {
  KernelFunction function;
  void *const *buffers;
  const int64_t *integers;
  int64_t scratchBytes;
  int64_t total;
  int64_t grain;
};

}  // namespace mlxc
