#include "memory.h"

#include <bit>
#include <cstdlib>
#include <mutex>
#include <unordered_map>
#include <vector>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace mlxc {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kHugePage = size_t{2} << 20;
/** Blocks beyond this many cached bytes go back to the system. */
constexpr uint64_t kMaxCached = uint64_t{1} << 30;

/** Four classes a power of two waste at most a fifth. */
size_t sizeClass(size_t bytes) {
  if (bytes <= 256) return 256;
  const int bits = std::bit_width(bytes - 1);
  const size_t step = size_t{1} << (bits - 3);
  return (bytes + step - 1) / step * step;
}

struct Allocator {
  std::mutex mutex;
  std::unordered_map<void *, size_t> sizes;
  std::unordered_map<size_t, std::vector<void *>> free;
  MemoryStatistics statistics{};
};

/** Never destroyed: buffers of JavaScript may be freed after static destructors ran. */
Allocator &allocator() {
  static Allocator *const shared = new Allocator;
  return *shared;
}

void *fromSystem(size_t bytes) {
  const size_t alignment = bytes >= kHugePage ? kHugePage : kAlignment;
  const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void *memory = std::aligned_alloc(alignment, rounded);
#ifdef MADV_HUGEPAGE
  if (memory != nullptr && bytes >= kHugePage) madvise(memory, rounded, MADV_HUGEPAGE);
#endif
  return memory;
}

}  // namespace

void *allocate(size_t bytes) {
  if (bytes > SIZE_MAX / 2) return nullptr;
  const size_t size = sizeClass(bytes);
  Allocator &a = allocator();
  {
    const std::lock_guard lock(a.mutex);
    auto &list = a.free[size];
    if (!list.empty()) {
      void *memory = list.back();
      list.pop_back();
      a.sizes.emplace(memory, size);
      a.statistics.cached -= size;
      a.statistics.inUse += size;
      a.statistics.reuses++;
      if (a.statistics.inUse > a.statistics.peakInUse) a.statistics.peakInUse = a.statistics.inUse;
      return memory;
    }
  }
  void *memory = fromSystem(size);
  if (memory == nullptr) {
    trimMemory();
    memory = fromSystem(size);
    if (memory == nullptr) return nullptr;
  }
  const std::lock_guard lock(a.mutex);
  a.sizes.emplace(memory, size);
  a.statistics.inUse += size;
  a.statistics.allocations++;
  if (a.statistics.inUse > a.statistics.peakInUse) a.statistics.peakInUse = a.statistics.inUse;
  return memory;
}

void release(void *memory) {
  if (memory == nullptr) return;
  Allocator &a = allocator();
  {
    const std::lock_guard lock(a.mutex);
    const auto found = a.sizes.find(memory);
    if (found == a.sizes.end()) return;
    const size_t size = found->second;
    a.sizes.erase(found);
    a.statistics.inUse -= size;
    if (a.statistics.cached + size <= kMaxCached) {
      a.statistics.cached += size;
      a.free[size].push_back(memory);
      return;
    }
  }
  std::free(memory);
}

void trimMemory() {
  Allocator &a = allocator();
  const std::lock_guard lock(a.mutex);
  for (auto &[size, list] : a.free) {
    for (void *memory : list) std::free(memory);
    list.clear();
  }
  a.statistics.cached = 0;
}

MemoryStatistics memoryStatistics() {
  Allocator &a = allocator();
  const std::lock_guard lock(a.mutex);
  return a.statistics;
}

void *Block::ensure(size_t bytes) {
  if (bytes <= bytes_) return memory_;
  release(memory_);
  memory_ = allocate(bytes);
  bytes_ = memory_ == nullptr ? 0 : bytes;
  return memory_;
}

}  // namespace mlxc
