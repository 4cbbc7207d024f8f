#include "order.h"

#include <algorithm>
#include <atomic>
#include <deque>

namespace metal_sim {

namespace {

struct Entry {
  uint32_t first_dispatch;
  uint64_t number;
  uint32_t queue;
};

/** Of the passes before the last thousands nobody asks any longer: they count as ordered. */
constexpr size_t kMostPasses = 4096;
std::atomic<uint64_t> latest{0};
std::mutex host_mutex;

// never destroyed: threads of queues may still run when the process ends
std::deque<Entry>& passes = *new std::deque<Entry>;
Known& host = *new Known;

}  // namespace

void Known::add_up_to(uint32_t queue, uint64_t pass) {
  uint64_t& up_to = up_to_[queue];
  up_to = std::max(up_to, pass);
}

void Known::add(const Known& others) {
  for (const auto& [queue, pass] : others.up_to_) add_up_to(queue, pass);
  passes_.insert(others.passes_.begin(), others.passes_.end());
  const uint64_t now = latest.load();
  if (now > kMostPasses) passes_.erase(passes_.begin(), passes_.lower_bound(now - kMostPasses));
}

bool Known::holds(uint32_t queue, uint64_t pass) const {
  const auto found = up_to_.find(queue);
  return (found != up_to_.end() && pass <= found->second) || passes_.contains(pass);
}

Pass::Pass(uint32_t queue, Known known) : number_(++latest), queue_(queue), known_(std::move(known)) {
  passes.push_back({Engine::shared().next_dispatch(), number_, queue});
  if (passes.size() > kMostPasses) passes.pop_front();
}

bool Pass::is_after(uint32_t earlier, bool is_tracked) const {
  if (earlier == latest_ && is_tracked == latest_tracked_) return latest_answer_;
  latest_ = earlier;
  latest_tracked_ = is_tracked;
  const auto begins_after = [](uint32_t dispatch, const Entry& entry) { return dispatch < entry.first_dispatch; };
  const auto next = std::upper_bound(passes.begin(), passes.end(), earlier, begins_after);
  if (next == passes.begin()) return latest_answer_ = true;
  const Entry& pass = *std::prev(next);
  latest_answer_ = pass.number == number_ || (is_tracked && pass.queue == queue_) || known_.holds(pass.queue, pass.number);
  return latest_answer_;
}

uint32_t new_queue_number() {
  static std::atomic<uint32_t> count{0};
  return ++count;
}

uint64_t latest_pass() { return latest.load(); }

Known known_to_host() {
  const std::lock_guard lock(host_mutex);
  return host;
}

void host_saw(const Known& known) {
  const std::lock_guard lock(host_mutex);
  host.add(known);
}

}  // namespace metal_sim
