/**
 * What comes before what. A pass is one encoder as it runs: all its commands in one go. Passes of one queue are ordered as far as
 * tracked memory goes; for other memory, and between queues, a pass comes after those only that a fence, an event or the host's
 * waiting told of.
 */
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <set>

#include "../engine/engine.h"

namespace metal_sim {

/** Passes that are known to be over. Their numbers count up over all queues, in the order in which they run. */
class Known {
 public:
  void add(uint64_t pass) { passes_.insert(pass); }
  /** All passes of a queue up to one. */
  void add_up_to(uint32_t queue, uint64_t pass);
  void add(const Known& others);
  bool holds(uint32_t queue, uint64_t pass) const;

 private:
  std::map<uint32_t, uint64_t> up_to_;
  std::set<uint64_t> passes_;
};

/** The order of one pass after others, as the engine asks for it. To be made and used with the engine locked. */
class Pass : public Ordering {
 public:
  Pass(uint32_t queue, Known known);
  bool is_after(uint32_t earlier_dispatch, bool is_tracked) const override;
  uint64_t number() const { return number_; }
  const Known& known() const { return known_; }

 private:
  uint64_t number_;
  uint32_t queue_;
  Known known_;
  mutable uint32_t latest_ = 0;
  mutable bool latest_tracked_ = false;
  mutable bool latest_answer_ = false;
};

uint32_t new_queue_number();
/** The number of the pass that ran last. */
uint64_t latest_pass();

/** What the host has seen the end of. */
Known known_to_host();
void host_saw(const Known& known);

}  // namespace metal_sim
