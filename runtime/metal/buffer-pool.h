#pragma once
#import <Metal/Metal.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "objective-c.h"

namespace mlxc {

/** A shared-memory buffer: what the CPU sees at `memory` is what the GPU sees. */
struct Buffer {
  Retained<id<MTLBuffer>> object;
  char *memory;
  size_t length;
};

/** Whoever holds one may use the memory; when the last is gone, it is recycled. */
using BufferReference = std::shared_ptr<const Buffer>;

struct MemoryStatistics {
  size_t active = 0;
  size_t peak = 0;
  size_t cached = 0;
  /** How much may be cached. */
  size_t limit = 0;
  size_t allocations = 0;
  size_t reuses = 0;
};

/**
 * Buffers by address, and a cache of those that are free, by size. For all threads; lives as long as the process.
 *
 * A request takes the smallest free buffer that fits and is smaller than twice the request or two pages more. Sizes are rounded up to
 * pages, unless `isExact` is set: then every buffer is as long as was asked and is given back to the system at once, so that tools that
 * check bounds and lifetimes see them as they are.
 */
class BufferPool {
 public:
  BufferPool(id<MTLDevice> device, const std::atomic<bool> &isExact);

  /** Memory of undefined contents; nothing when there is none. `bytes` may be 0. */
  BufferReference allocate(size_t bytes);
  /** Wraps memory of somebody else, whole pages, as it is; nothing when Metal refuses. The memory must outlive the reference. */
  BufferReference wrap(void *memory, size_t bytes);
  /** The buffer in use that holds all of the range. */
  BufferReference find(const void *memory, size_t bytes) const;

  MemoryStatistics statistics() const;
  /** Frees what is cached beyond the limit, now and whenever a buffer comes back. */
  void setCacheLimit(size_t bytes);
  void trim();

 private:
  struct Deleter;
  using Cache = std::multimap<size_t, Buffer *>;

  BufferReference reference(Buffer *buffer);
  void giveBack(Buffer *buffer);
  /** Takes buffers out of the cache, largest first, until at most `most` bytes are left; the caller frees them unlocked. */
  Cache takeBeyond(size_t most);

  const Retained<id<MTLDevice>> device_;
  const std::atomic<bool> &isExact_;
  const size_t pageBytes_;
  /** How much may be in use. */
  const size_t mostActive_;
  mutable std::mutex mutex_;
  std::map<uintptr_t, std::weak_ptr<const Buffer>> active_;
  Cache cache_;
  MemoryStatistics statistics_;
};

}  // namespace mlxc
