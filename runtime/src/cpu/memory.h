#pragma once
#include <cstddef>
#include <cstdint>

namespace mlxc {

/** What the allocator holds, in bytes. */
struct MemoryStatistics {
  uint64_t inUse;
  uint64_t cached;
  uint64_t peakInUse;
  uint64_t allocations;
  uint64_t reuses;
};

/**
 * Memory aligned to 64 bytes; contents undefined. Freed blocks are kept by size class and handed out again: fresh pages cost more
 * than most kernels. Null when the system has none left. Any thread may call.
 */
void *allocate(size_t bytes);
void release(void *memory);
/** Gives cached blocks back to the system. */
void trimMemory();
MemoryStatistics memoryStatistics();

/** One growing block, such as the arena of temporaries or the scratch of a worker. */
class Block {
 public:
  Block() = default;
  Block(const Block &) = delete;
  Block &operator=(const Block &) = delete;
  ~Block() { release(memory_); }

  /** At least `bytes`, contents lost when it grows; null when out of memory. */
  void *ensure(size_t bytes);

 private:
  void *memory_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace mlxc
