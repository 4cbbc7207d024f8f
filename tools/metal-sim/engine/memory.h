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
  /** Whether anything from `offset` on, as far as `rest_of_page` goes, was touched. */
  bool is_known(size_t offset) const { return pages_[offset / kPage] != nullptr; }
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
  /** Dispatches up to this one are ordered before all later ones of their encoder, as far as this memory goes: a barrier said so. */
  uint32_t ordered_until = 0;
  /** Whether encoders of one queue are ordered by what they do to it; if not, fences and events must do that. */
  bool is_tracked = true;
  /** Shared by the parts of a heap, which may lie over one another. */
  std::shared_ptr<History> history;
  /** Where this memory begins in its history. */
  size_t history_offset = 0;
};

using AllocationReference = std::shared_ptr<Allocation>;

/** All allocations by address. Released ones, the last thousand, stay known until their addresses are used again. Any thread may call. */
class Memory {
 public:
  AllocationReference add(void* base, size_t length, std::string label);
  /** A part of memory whose history is `history`, from `offset` on. */
  AllocationReference add_part(void* base, size_t length, std::shared_ptr<History> history, size_t offset);
  void release(const AllocationReference& allocation);
  /** Releases memory that nobody can name afterwards: nothing of it stays known. */
  void forget(const AllocationReference& allocation);
  /** The allocation that an address lies in, or nullptr. */
  Allocation* find(uintptr_t address);

 private:
  AllocationReference insert(void* base, size_t length, std::string label);

  std::mutex mutex_;
  std::map<uintptr_t, AllocationReference> by_base_;
  static constexpr size_t kMostReleased = 1024;
  std::deque<std::weak_ptr<Allocation>> released_;
  Allocation* latest_ = nullptr;
};

}  // namespace metal_sim
