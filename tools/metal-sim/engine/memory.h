/**
 * The memory that kernels can reach, and who touched each byte of it last: what out-of-bounds accesses and races are found by.
 */
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace metal_sim {

/** One access of a thread, as far as later ones need to know it. */
struct Access {
  /** 0: there was none. Dispatches count up. */
  uint32_t dispatch = 0;
  uint32_t threadgroup = 0;
  uint16_t thread = 0;
  /** Barriers of the threadgroup, and of the simdgroup, that the thread had passed. */
  uint16_t phase = 0;
  uint16_t simd_phase = 0;
  uint8_t is_atomic = 0;
  /** Readers only: others read too, in the same threadgroup (1) or in others (2). */
  uint8_t others = 0;
};

struct ByteHistory {
  Access writer;
  Access reader;
};

/** Histories of a stretch of memory, made when it is first touched. */
class History {
 public:
  explicit History(size_t length) : pages_((length + kPage - 1) / kPage) {}
  ByteHistory& at(size_t offset) {
    auto& page = pages_[offset / kPage];
    if (!page) page = std::make_unique<ByteHistory[]>(kPage);
    return page[offset % kPage];
  }
  /** How many bytes from `offset` on lie one after another. */
  static size_t rest_of_page(size_t offset) { return kPage - offset % kPage; }

 private:
  static constexpr size_t kPage = 256;
  std::vector<std::unique_ptr<ByteHistory[]>> pages_;
};

struct Allocation {
  uintptr_t base = 0;
  size_t length = 0;
  std::string label;
  std::atomic<bool> is_released{false};
  /** Dispatches up to this one are ordered before all later ones, as far as this memory goes: a barrier said so. */
  uint32_t ordered_until = 0;
  std::unique_ptr<History> history;
};

using AllocationReference = std::shared_ptr<Allocation>;

/** All allocations by address. Released ones, the last thousand, stay known until their addresses are used again. Any thread may call. */
class Memory {
 public:
  AllocationReference add(void* base, size_t length, std::string label);
  void release(const AllocationReference& allocation);
  /** Releases memory that nobody can name afterwards: nothing of it stays known. */
  void forget(const AllocationReference& allocation);
  /** The allocation that an address lies in, or nullptr. */
  Allocation* find(uintptr_t address);

 private:
  std::mutex mutex_;
  std::map<uintptr_t, AllocationReference> by_base_;
  static constexpr size_t kMostReleased = 1024;
  std::deque<std::weak_ptr<Allocation>> released_;
  Allocation* latest_ = nullptr;
};

}  // namespace metal_sim
