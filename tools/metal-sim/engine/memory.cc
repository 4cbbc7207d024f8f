#include "memory.h"

#include <utility>

namespace metal_sim {

AllocationReference Memory::add(void* base, size_t length, std::string label) {
  const AllocationReference allocation = insert(base, length, std::move(label));
  allocation->history = std::make_shared<History>(length);
  return allocation;
}

AllocationReference Memory::add_part(void* base, size_t length, std::shared_ptr<History> history, size_t offset) {
  const AllocationReference allocation = insert(base, length, "");
  allocation->history = std::move(history);
  allocation->history_offset = offset;
  return allocation;
}

AllocationReference Memory::insert(void* base, size_t length, std::string label) {
  const std::lock_guard lock(mutex_);
  const auto start = reinterpret_cast<uintptr_t>(base);
  auto next = by_base_.lower_bound(start);
  if (next != by_base_.begin()) {
    auto before = std::prev(next);
    if (before->first + before->second->length > start) next = before;
  }
  while (next != by_base_.end() && next->first < start + length) next = by_base_.erase(next);
  latest_ = nullptr;
  auto allocation = std::make_shared<Allocation>();
  allocation->base = start;
  allocation->length = length;
  allocation->label = std::move(label);
  by_base_[start] = allocation;
  return allocation;
}

void Memory::release(const AllocationReference& allocation) {
  const std::lock_guard lock(mutex_);
  allocation->is_released = true;
  released_.push_back(allocation);
  if (released_.size() <= kMostReleased) return;
  const AllocationReference oldest = released_.front().lock();
  released_.pop_front();
  if (oldest == nullptr) return;
  const auto found = by_base_.find(oldest->base);
  if (found == by_base_.end() || found->second != oldest) return;
  by_base_.erase(found);
  latest_ = nullptr;
}

void Memory::forget(const AllocationReference& allocation) {
  const std::lock_guard lock(mutex_);
  allocation->is_released = true;
  latest_ = nullptr;
  const auto found = by_base_.find(allocation->base);
  if (found != by_base_.end() && found->second == allocation) by_base_.erase(found);
}

Allocation* Memory::find(uintptr_t address) {
  const std::lock_guard lock(mutex_);
  if (latest_ != nullptr && address - latest_->base < latest_->length) return latest_;
  auto next = by_base_.upper_bound(address);
  if (next == by_base_.begin()) return nullptr;
  Allocation* candidate = std::prev(next)->second.get();
  if (address - candidate->base >= candidate->length) return nullptr;
  latest_ = candidate;
  return candidate;
}

}  // namespace metal_sim
