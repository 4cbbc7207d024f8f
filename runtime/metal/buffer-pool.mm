#import "buffer-pool.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

namespace mlxc {
namespace {

/** Metal has no empty buffers, and a binding needs at least one element. */
constexpr size_t kLeast = 16;

size_t pageSize() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }

size_t physicalMemory() { return static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * pageSize(); }

/** Beyond the recommended working set the system pages; far beyond, command buffers fail. */
size_t mostActiveOf(id<MTLDevice> device) {
  const double recommended = static_cast<double>([device recommendedMaxWorkingSetSize]);
  return static_cast<size_t>(std::min(1.5 * recommended, 0.95 * static_cast<double>(physicalMemory())));
}

void freeBuffer(Buffer *buffer) {
  @autoreleasepool {
    delete buffer;
  }
}

}  // namespace

struct BufferPool::Deleter {
  BufferPool *pool;
  void operator()(const Buffer *buffer) const { pool->giveBack(const_cast<Buffer *>(buffer)); }
};

BufferPool::BufferPool(id<MTLDevice> device, const std::atomic<bool> &isExact)
    : device_(Retained<id<MTLDevice>>::share(device)),
      isExact_(isExact),
      pageBytes_(pageSize()),
      mostActive_(mostActiveOf(device)) {
  const auto recommended = static_cast<size_t>([device recommendedMaxWorkingSetSize]);
  statistics_.limit = std::min(recommended / 20 * 19, mostActive_);
}

BufferReference BufferPool::reference(Buffer *buffer) {
  BufferReference reference(buffer, Deleter{this});
  const std::lock_guard lock(mutex_);
  active_[reinterpret_cast<uintptr_t>(buffer->memory)] = reference;
  statistics_.active += buffer->length;
  statistics_.peak = std::max(statistics_.peak, statistics_.active);
  statistics_.allocations++;
  return reference;
}

BufferReference BufferPool::allocate(size_t bytes) {
  size_t wanted = std::max(bytes, kLeast);
  const bool isExact = isExact_;
  if (!isExact) wanted = (wanted + pageBytes_ - 1) / pageBytes_ * pageBytes_;
  Buffer *found = nullptr;
  Cache surplus;
  {
    const std::lock_guard lock(mutex_);
    const auto nearest = cache_.lower_bound(wanted);
    if (!isExact && nearest != cache_.end() && nearest->first < std::min(2 * wanted, wanted + 2 * pageBytes_)) {
      found = nearest->second;
      statistics_.cached -= found->length;
      statistics_.reuses++;
      cache_.erase(nearest);
    } else {
      if (wanted > [device_.get() maxBufferLength] || wanted > mostActive_ || statistics_.active > mostActive_ - wanted) {
        return nullptr;
      }
      // what is cached must not keep new memory from being had
      const size_t room = mostActive_ - wanted - statistics_.active;
      surplus = takeBeyond(room);
    }
  }
  for (const auto &[size, buffer] : surplus) freeBuffer(buffer);
  if (found != nullptr) return reference(found);
  @autoreleasepool {
    auto object = Retained<id<MTLBuffer>>::adopt([device_.get() newBufferWithLength:wanted options:MTLResourceStorageModeShared]);
    if (!object) {
      trim();
      object = Retained<id<MTLBuffer>>::adopt([device_.get() newBufferWithLength:wanted options:MTLResourceStorageModeShared]);
    }
    if (!object) return nullptr;
    auto *memory = static_cast<char *>([object.get() contents]);
    return reference(new Buffer{std::move(object), memory, wanted});
  }
}

BufferReference BufferPool::wrap(void *memory, size_t bytes) {
  if (bytes == 0 || reinterpret_cast<uintptr_t>(memory) % pageBytes_ != 0 || bytes % pageBytes_ != 0) return nullptr;
  @autoreleasepool {
    auto object = Retained<id<MTLBuffer>>::adopt([device_.get() newBufferWithBytesNoCopy:memory
                                                                                 length:bytes
                                                                                options:MTLResourceStorageModeShared
                                                                            deallocator:nil]);
    if (!object) return nullptr;
    // not in the table: the memory is not ours, and two may wrap it
    return BufferReference(new Buffer{std::move(object), static_cast<char *>(memory), bytes},
                           [](const Buffer *buffer) { freeBuffer(const_cast<Buffer *>(buffer)); });
  }
}

BufferReference BufferPool::find(const void *memory, size_t bytes) const {
  const auto address = reinterpret_cast<uintptr_t>(memory);
  const std::lock_guard lock(mutex_);
  auto after = active_.upper_bound(address);
  if (after == active_.begin()) return nullptr;
  const BufferReference found = std::prev(after)->second.lock();
  if (found == nullptr || address - std::prev(after)->first + bytes > found->length) return nullptr;
  return found;
}

void BufferPool::giveBack(Buffer *buffer) {
  Cache surplus;
  {
    const std::lock_guard lock(mutex_);
    active_.erase(reinterpret_cast<uintptr_t>(buffer->memory));
    statistics_.active -= buffer->length;
    statistics_.cached += buffer->length;
    cache_.emplace(buffer->length, buffer);
    surplus = takeBeyond(isExact_ ? 0 : statistics_.limit);
  }
  for (const auto &[size, extra] : surplus) freeBuffer(extra);
}

BufferPool::Cache BufferPool::takeBeyond(size_t most) {
  Cache taken;
  while (statistics_.cached > most) {
    const auto largest = std::prev(cache_.end());
    statistics_.cached -= largest->first;
    taken.insert(cache_.extract(largest));
  }
  return taken;
}

MemoryStatistics BufferPool::statistics() const {
  const std::lock_guard lock(mutex_);
  return statistics_;
}

void BufferPool::setCacheLimit(size_t bytes) {
  Cache surplus;
  {
    const std::lock_guard lock(mutex_);
    statistics_.limit = bytes;
    surplus = takeBeyond(bytes);
  }
  for (const auto &[size, buffer] : surplus) freeBuffer(buffer);
}

void BufferPool::trim() {
  Cache all;
  {
    const std::lock_guard lock(mutex_);
    all = takeBeyond(0);
  }
  for (const auto &[size, buffer] : all) freeBuffer(buffer);
}

}  // namespace mlxc
