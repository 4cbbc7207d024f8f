#include "engine.h"

#include <link.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <unordered_map>

#include "symbolize.h"

namespace metal_sim {

namespace {

constexpr size_t kMaxLocal = 32768;
/** Between declarations of threadgroup memory, so that running over an array does not land in the next one. */
constexpr size_t kRedZone = 64;
constexpr size_t kLocalArena = kMaxLocal + 64 * kRedZone;

/** What no thread of a GPU gets to do: the system resets it after seconds. */
constexpr uint64_t kMostAccesses = 100'000'000;
constexpr uint64_t kMostRounds = 10'000'000;
/** Nobody else runs meanwhile, so that what did not change never will. */
constexpr uint64_t kMostIdleAtomics = 1'000'000;

enum State { kReady, kAtBarrier, kAtSimdBarrier, kAtExchange, kDone };

const char* name_of(int state) {
  switch (state) {
    case kAtBarrier: return "threadgroup_barrier";
    case kAtSimdBarrier: return "simdgroup_barrier";
    case kDone: return "the end of the kernel";
    default: return "a simdgroup function";
  }
}

std::string show(const uint32_t position[3]) {
  return "(" + std::to_string(position[0]) + ", " + std::to_string(position[1]) + ", " + std::to_string(position[2]) + ")";
}

}  // namespace

struct Engine::Lane {
  Engine* engine = nullptr;
  Fiber fiber;
  metal_sim_thread thread{};
  metal_sim_arguments arguments{};
  int state = kReady;
  const void* site = nullptr;
  // At an exchange:
  const char* what = nullptr;
  const void* mine = nullptr;
  void* all = nullptr;
  unsigned size = 0;
  unsigned mask = 0;
  // Barriers passed.
  unsigned flags = 0;
  uint16_t device_phase = 0;
  uint16_t local_phase = 0;
  uint16_t simd_device_phase = 0;
  uint16_t simd_local_phase = 0;
  // Those of any flags: they order reads of threadgroup memory before later writes.
  uint16_t executed = 0;
  uint16_t simd_executed = 0;
  // The plain loop: which threads this fiber runs.
  const std::vector<unsigned>* loop = nullptr;
  Size position;
  Size group_size;
};

Engine& Engine::shared() {
  // never destroyed: threads of queues may still run when the process ends
  static Engine& engine = *new Engine;
  return engine;
}

// ---------------------------------------------------------------------------------------------------------
// Running

namespace {

/** Makes arithmetic take subnormal floats for zeros, and give zeros for them, as long as it lives. */
class Flushing {
 public:
  explicit Flushing(bool is_on) : before_(get()) {
    if (is_on) set(before_ | kFlush);
  }
  ~Flushing() { set(before_); }
  Flushing(const Flushing&) = delete;
  Flushing& operator=(const Flushing&) = delete;

 private:
#if defined(__x86_64__)
  static constexpr uint64_t kFlush = 0x8040;  // of results and of operands
  static uint64_t get() { return __builtin_ia32_stmxcsr(); }
  static void set(uint64_t state) { __builtin_ia32_ldmxcsr(static_cast<unsigned>(state)); }
#else
  static constexpr uint64_t kFlush = 1 << 24;
  static uint64_t get() { return __builtin_arm_rsr64("fpcr"); }
  static void set(uint64_t state) { __builtin_arm_wsr64("fpcr", state); }
#endif
  uint64_t before_;
};

}  // namespace

std::vector<Finding> Engine::run(const Dispatch& dispatch) {
  const Flushing flushing(is_flushing_);
  return run_checked(dispatch);
}

std::vector<Finding> Engine::run_checked(const Dispatch& dispatch) {
  dispatch_ = &dispatch;
  findings_.clear();
  serial_++;
  overwrite_.bytes.clear();
  harmless_.clear();
  is_remembering_ = true;
  statistics_.dispatches++;
  if (local_.empty()) {
    local_.resize(kLocalArena);
    initialised_.resize(kLocalArena);
    history_of_.resize(kLocalArena);
    local_history_.resize(kLocalArena);
  }
  for (unsigned i = 0; i < METAL_SIM_BUFFERS; i++) {
    const Binding& binding = dispatch.buffers[i];
    buffer_pointers_[i] =
        binding.allocation == nullptr ? nullptr : reinterpret_cast<void*>(binding.allocation->base + binding.offset);
  }
  bind(dispatch);
  Size count = dispatch.grid;
  if (dispatch.is_nonuniform) {
    const auto groups = [](uint32_t threads, uint32_t size) { return (threads + size - 1) / size; };
    count = {groups(count.width, dispatch.threadgroup.width), groups(count.height, dispatch.threadgroup.height),
             groups(count.depth, dispatch.threadgroup.depth)};
  }
  std::vector<uint32_t> groups(count.count());
  std::iota(groups.begin(), groups.end(), 0);
  std::shuffle(groups.begin(), groups.end(), random_);
  for (uint32_t group : groups) {
    if (!findings_.empty()) break;
    threadgroup_index_ = group;
    run_threadgroup(dispatch, {group % count.width, group / count.width % count.height, group / count.width / count.height});
  }
  dispatch_ = nullptr;
  return std::move(findings_);
}

/** What kernels may touch: of each buffer what lies after the least offset that it is bound at, and all of those made resident. */
void Engine::bind(const Dispatch& dispatch) {
  bounds_.clear();
  latest_bound_ = 0;
  for (unsigned i = 0; i < METAL_SIM_BUFFERS; i++) {
    const Binding& binding = dispatch.buffers[i];
    Allocation* allocation = binding.allocation.get();
    if (allocation == nullptr) continue;
    const auto is_same = [&](const Bound& b) { return b.allocation == allocation; };
    const auto known = std::find_if(bounds_.begin(), bounds_.end(), is_same);
    const Bound bound{allocation->base + binding.offset, allocation->length - binding.offset, allocation, static_cast<int>(i)};
    if (known == bounds_.end()) bounds_.push_back(bound);
    else if (bound.base < known->base) *known = {bound.base, bound.length, allocation, known->slot};
  }
  for (const auto& [allocation, is_writable, is_tracked] : dispatch.resident) {
    bounds_.push_back({allocation->base, allocation->length, allocation.get(), -2, is_writable, is_tracked});
  }
}

void Engine::run_threadgroup(const Dispatch& dispatch, Size position) {
  uninitialised_.reset();
  const std::mt19937_64 random = random_;
  run_threads(dispatch, position);
  is_remembering_ = !declarations_.empty();
  if (!uninitialised_) return;
  // what is undefined leads astray: to places, to numbers; but it is not why threads race or wait
  if (!findings_.empty()) {
    const bool is_consequence = findings_[0].kind == "out-of-bounds" || findings_[0].kind == "division";
    if (is_consequence) findings_ = {*uninitialised_};
  } else if (matters(dispatch, position, random)) {
    findings_ = {*uninitialised_};
  } else {
    harmless_[uninitialised_site_]++;
  }
}

namespace {

/** Bytes of which numbers are large, large and negative, or none. */
constexpr int kGarbage[] = {0x7B, 0xFB, 0xFF};

}  // namespace

/** Whether a threadgroup writes something else to buffers when its memory holds something else at first. */
bool Engine::matters(const Dispatch& dispatch, Size position, const std::mt19937_64& random) {
  std::unordered_map<uint8_t*, uint8_t> after;
  for (const Written& w : written_) {
    for (size_t i = 0; i < w.size; i++) after[w.address + i] = w.address[i];
  }
  bool is_different = false;
  is_repeated_ = true;
  for (int garbage : kGarbage) {
    take_back();
    random_ = random;
    garbage_ = garbage;
    run_threads(dispatch, position);
    is_different = !findings_.empty();
    for (const Written& w : written_) {
      for (size_t i = 0; i < w.size; i++) is_different = is_different || after.find(w.address + i) == after.end();
    }
    for (const auto& [address, value] : after) is_different = is_different || *address != value;
    if (is_different) break;
  }
  is_repeated_ = false;
  garbage_ = -1;
  return is_different;
}

void Engine::remember(uintptr_t address, size_t size) {
  auto* bytes = reinterpret_cast<uint8_t*>(address);
  written_.push_back({bytes, size, written_before_.size()});
  written_before_.insert(written_before_.end(), bytes, bytes + size);
}

void Engine::take_back() {
  for (auto w = written_.rbegin(); w != written_.rend(); w++) std::memcpy(w->address, &written_before_[w->before], w->size);
}

void Engine::uninitialised(std::string message, const void* site) {
  if (is_repeated_ || uninitialised_) return;
  constexpr unsigned kEnough = 4;
  const auto known = harmless_.find(site);
  if (known != harmless_.end() && known->second >= kEnough) return;
  uninitialised_ = finding("uninitialised", std::move(message), site);
  uninitialised_site_ = site;
}

void Engine::run_threads(const Dispatch& dispatch, Size position) {
  written_.clear();
  written_before_.clear();
  threadgroup_serial_++;
  local_end_ = 0;
  declarations_.clear();
  for (unsigned i = 0; i < METAL_SIM_BUFFERS; i++) {
    threadgroup_pointers_[i] = nullptr;
    if (dispatch.threadgroup_lengths[i] > 0) {
      threadgroup_pointers_[i] = local(~i, dispatch.threadgroup_lengths[i], 16, nullptr);
    }
  }
  Size size = dispatch.threadgroup;
  if (dispatch.is_nonuniform) {
    const auto rest = [](uint32_t size, uint32_t at, uint32_t total) { return std::min(size, total - at * size); };
    size = {rest(size.width, position.width, dispatch.grid.width), rest(size.height, position.height, dispatch.grid.height),
            rest(size.depth, position.depth, dispatch.grid.depth)};
  }
  const auto count = static_cast<unsigned>(size.count());
  statistics_.threads += count;
  order_.resize(count);
  std::iota(order_.begin(), order_.end(), 0);
  std::shuffle(order_.begin(), order_.end(), random_);
  while (lanes_.size() < std::max(count, 1u)) lanes_.push_back(std::make_unique<Lane>());

  if (dispatch.kernel->has_barriers == 0) {
    // one fiber runs them all, so that a finding can leave any of them
    Lane& lane = *lanes_[0];
    lane.engine = this;
    lane.loop = &order_;
    lane.position = position;
    lane.group_size = size;
    current_ = &lane;
    lane.fiber.start(&Engine::enter, &lane);
    lane.fiber.resume();
      if (lane.fiber.has_overflowed()) report("stack-overflow", "runs out of its stack: it calls itself too often", nullptr);
    if (findings_.empty() && !lane.fiber.is_done()) {
      report("simulator", "waits, and its translation did not expect that: it is a mistake of the simulator", nullptr);
    }
    return;
  }
  for (unsigned i = 0; i < count; i++) {
    Lane& lane = *lanes_[i];
    place(lane, dispatch, position, size, i);
    lane.loop = nullptr;
    lane.state = kReady;
    lane.fiber.start(&Engine::enter, &lane);
  }
  run_fibers(count);
}

void Engine::place(Lane& lane, const Dispatch& dispatch, Size position, Size size, unsigned index) {
  metal_sim_thread& t = lane.thread;
  lane.engine = this;
  const auto set = [](unsigned(&to)[3], Size from) {
    to[0] = from.width;
    to[1] = from.height;
    to[2] = from.depth;
  };
  Size local{index % size.width, index / size.width % size.height, index / size.width / size.height};
  set(t.position_in_threadgroup, local);
  set(t.threadgroup_size, size);
  set(t.dispatched_threadgroup_size, dispatch.threadgroup);
  set(t.threadgroup_position, position);
  const unsigned group[3] = {dispatch.threadgroup.width, dispatch.threadgroup.height, dispatch.threadgroup.depth};
  const unsigned grid[3] = {dispatch.grid.width, dispatch.grid.height, dispatch.grid.depth};
  for (int i = 0; i < 3; i++) {
    t.position_in_grid[i] = t.threadgroup_position[i] * group[i] + t.position_in_threadgroup[i];
    t.threadgroup_count[i] = dispatch.is_nonuniform ? (grid[i] + group[i] - 1) / group[i] : grid[i];
    t.grid_size[i] = dispatch.is_nonuniform ? grid[i] : grid[i] * group[i];
  }
  const auto simdgroups = [](uint64_t threads) {
    return static_cast<unsigned>((threads + METAL_SIM_LANES - 1) / METAL_SIM_LANES);
  };
  t.index_in_threadgroup = index;
  t.index_in_simdgroup = index % METAL_SIM_LANES;
  t.simdgroup_index = index / METAL_SIM_LANES;
  t.simdgroup_count = simdgroups(size.count());
  t.dispatched_simdgroup_count = simdgroups(dispatch.threadgroup.count());
  lane.arguments = {&lane.thread, buffer_pointers_.data(), threadgroup_pointers_.data()};
  lane.device_phase = lane.local_phase = lane.simd_device_phase = lane.simd_local_phase = 0;
  lane.executed = lane.simd_executed = 0;
}

void Engine::enter(void* argument) {
  Lane& lane = *static_cast<Lane*>(argument);
  Engine& engine = *lane.engine;
  const metal_sim_kernel* kernel = engine.dispatch_->kernel;
  if (lane.loop == nullptr) {
    kernel->run(&lane.arguments);
    engine.settle();
    lane.state = kDone;
    return;
  }
  for (unsigned index : *lane.loop) {
    engine.place(lane, *engine.dispatch_, lane.position, lane.group_size, index);
    engine.thread_accesses_ = engine.idle_atomics_ = 0;
    kernel->run(&lane.arguments);
    engine.settle();
  }
}

void Engine::run_fibers(unsigned count) {
  rounds_ = 0;
  for (;;) {
    bool is_finished = true;
    for (unsigned index : order_) {
      Lane& lane = *lanes_[index];
      if (lane.state != kReady) continue;
      current_ = &lane;
      thread_accesses_ = idle_atomics_ = 0;
      lane.fiber.resume();
      if (lane.fiber.has_overflowed()) report("stack-overflow", "runs out of its stack: it calls itself too often", nullptr);
      if (!findings_.empty()) return;
    }
    for (unsigned i = 0; i < count; i++) is_finished = is_finished && lanes_[i]->state == kDone;
    if (is_finished) return;
    if (!release_waiting(count)) return;
    std::shuffle(order_.begin(), order_.end(), random_);
  }
}

/** Lets those go on whom everybody has joined; false, with a finding, when there are none. */
bool Engine::release_waiting(unsigned count) {
  bool is_released = false;
  for (unsigned first = 0; first < count; first += METAL_SIM_LANES) {
    is_released = release_simdgroup(first, std::min(first + METAL_SIM_LANES, count)) || is_released;
    if (!findings_.empty()) return false;
  }
  if (is_released) return true;
  // nobody waits for a simdgroup alone: all are at a barrier, or somebody is missing
  Lane* waiting = nullptr;
  Lane* missing = nullptr;
  for (unsigned i = 0; i < count; i++) {
    Lane& lane = *lanes_[i];
    if (lane.state != kAtBarrier) missing = &lane;
    else if (waiting == nullptr) waiting = &lane;
  }
  const auto differ = [&](const Lane& a, const Lane& b) {
    return a.site != b.site && place_of(a.site, dispatch_->source_name).line != place_of(b.site, dispatch_->source_name).line;
  };
  if (waiting != nullptr && missing == nullptr) {
    for (unsigned i = 0; i < count; i++) {
      if (differ(*waiting, *lanes_[i])) missing = lanes_[i].get();
    }
  }
  if (missing == nullptr) {
    statistics_.barriers++;
    if (++rounds_ > kMostRounds) {
      current_ = lanes_[0].get();
      report("timeout", "has passed " + std::to_string(kMostRounds) + " barriers and does not come to its end", lanes_[0]->site);
      return false;
    }
    for (unsigned i = 0; i < count; i++) {
      Lane& lane = *lanes_[i];
      lane.state = kReady;
      lane.executed++;
      if ((lane.flags & metal_sim_mem_device) != 0) lane.device_phase++;
      if ((lane.flags & metal_sim_mem_threadgroup) != 0) lane.local_phase++;
    }
    return true;
  }
  Lane* stuck = waiting;
  for (unsigned i = 0; i < count && stuck == nullptr; i++) {
    if (lanes_[i]->state != kDone) stuck = lanes_[i].get();
  }
  current_ = stuck;
  const std::string other = missing->state == kAtBarrier ? "another barrier" : name_of(missing->state);
  report(stuck->state == kAtBarrier ? "divergent-barrier" : "divergent-collective",
         std::string("waits at ") + (stuck->state == kAtExchange ? stuck->what : name_of(stuck->state)) + ", and thread " +
             show(missing->thread.position_in_threadgroup) + " is at " + other + ": not all threads get there",
         stuck->site);
  return false;
}

bool Engine::release_simdgroup(unsigned first, unsigned end) {
  Lane* waiting = nullptr;
  for (unsigned i = first; i < end; i++) {
    const int state = lanes_[i]->state;
    if (state == kAtExchange || state == kAtSimdBarrier) waiting = lanes_[i].get();
  }
  if (waiting == nullptr) return false;
  for (unsigned i = first; i < end; i++) {
    Lane& lane = *lanes_[i];
    const bool is_same = lane.state == waiting->state &&
                         (lane.site == waiting->site ||
                          place_of(lane.site, dispatch_->source_name).line == place_of(waiting->site, dispatch_->source_name).line) &&
                         (lane.state != kAtExchange || (lane.size == waiting->size && std::strcmp(lane.what, waiting->what) == 0));
    if (is_same) continue;
    current_ = waiting;
    const std::string what = waiting->state == kAtExchange ? waiting->what : name_of(waiting->state);
    const std::string other = lane.state == kAtExchange ? lane.what : name_of(lane.state);
    report("divergent-collective",
           "calls " + what + ", and thread " + show(lane.thread.position_in_threadgroup) + " of its simdgroup is at " + other +
               ": only the lanes that are here take part",
           waiting->site);
    return false;
  }
  unsigned mask = 0;
  for (unsigned i = first; i < end; i++) mask |= 1u << (i - first);
  if (waiting->state == kAtExchange) {
    const size_t size = waiting->size;
    exchanged_.assign(size * METAL_SIM_LANES, 0);
    for (unsigned i = first; i < end; i++) std::memcpy(&exchanged_[(i - first) * size], lanes_[i]->mine, size);
  }
  for (unsigned i = first; i < end; i++) {
    Lane& lane = *lanes_[i];
    if (lane.state == kAtExchange) {
      std::memcpy(lane.all, exchanged_.data(), exchanged_.size());
      lane.mask = mask;
    } else {
      lane.simd_executed++;
      if ((lane.flags & metal_sim_mem_device) != 0) lane.simd_device_phase++;
      if ((lane.flags & metal_sim_mem_threadgroup) != 0) lane.simd_local_phase++;
    }
  }
  for (unsigned i = first; i < end; i++) lanes_[i]->state = kReady;
  return true;
}

void Engine::wait(Lane& lane, int state, const void* site) {
  settle();
  lane.state = state;
  lane.site = site;
  lane.fiber.suspend();
}

void Engine::stop() {
  // the fiber is never taken up again: its stack is used anew by the next dispatch
  current_->fiber.suspend();
  std::abort();
}

// ---------------------------------------------------------------------------------------------------------
// What kernels call

void Engine::barrier(unsigned flags, const void* site) {
  current_->flags = flags;
  wait(*current_, kAtBarrier, site);
}

void Engine::simdgroup_barrier(unsigned flags, const void* site) {
  current_->flags = flags;
  wait(*current_, kAtSimdBarrier, site);
}

unsigned Engine::exchange(const char* what, const void* mine, unsigned size, void* all, const void* site) {
  Lane& lane = *current_;
  lane.what = what;
  lane.mine = mine;
  lane.all = all;
  lane.size = size;
  wait(lane, kAtExchange, site);
  return lane.mask;
}

void Engine::add_library(uintptr_t inside) {
  const std::lock_guard lock(constants_mutex_);
  struct Search {
    uintptr_t inside;
    std::vector<Range>& into;
  } search{inside, constants_};
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* argument) {
        auto& [inside, into] = *static_cast<Search*>(argument);
        std::vector<Range> segments;
        bool is_here = false;
        for (int i = 0; i < info->dlpi_phnum; i++) {
          const auto& header = info->dlpi_phdr[i];
          if (header.p_type != PT_LOAD) continue;
          segments.push_back({info->dlpi_addr + header.p_vaddr, header.p_memsz});
          is_here = is_here || inside - segments.back().base < segments.back().length;
        }
        if (is_here) into.insert(into.end(), segments.begin(), segments.end());
        return is_here ? 1 : 0;
      },
      &search);
}

unsigned Engine::lane() const { return current_ == nullptr ? 0 : current_->thread.index_in_simdgroup; }

void Engine::wrong(const char* kind, std::string message, const void* site) {
  if (current_ == nullptr) return;
  report(kind, std::move(message), site);
  stop();
}

void* Engine::local(unsigned declaration, size_t size, size_t alignment, const void* site) {
  for (const Declaration& known : declarations_) {
    if (known.id == declaration) return local_.data() + known.begin;
  }
  // the base of the arena is aligned to 16 at least, and no type needs more than 16 here
  const size_t step = std::max<size_t>(alignment, 16);
  const size_t offset = (local_end_ + kRedZone + step - 1) / step * step;
  size_t used = size;
  for (const Declaration& known : declarations_) used += known.end - known.begin;
  if (used > kMaxLocal) {
    report("limit", "needs " + std::to_string(used) + " bytes of threadgroup memory, and there are 32768", site);
    stop();
  }
  declarations_.push_back({declaration, offset, offset + size});
  local_end_ = offset + size;
  // as undefined as on a GPU
  for (size_t i = 0; i < size; i++) local_[offset + i] = static_cast<uint8_t>(garbage_ < 0 ? 0xA5 + 7 * i : garbage_);
  return local_.data() + offset;
}

// ---------------------------------------------------------------------------------------------------------
// Accesses

std::string Engine::describe(const Access& access) const {
  const Size& size = dispatch_->threadgroup;
  const uint32_t position[3] = {access.thread % size.width, access.thread / size.width % size.height,
                                access.thread / size.width / size.height};
  std::string text = "thread " + show(position);
  if (access.dispatch != serial_) return "an earlier dispatch";
  if (access.threadgroup != threadgroup_index_) text += " of threadgroup " + std::to_string(access.threadgroup);
  return text;
}

void Engine::report(std::string kind, std::string message, const void* site) {
  findings_.push_back(finding(std::move(kind), std::move(message), site));
}

void Engine::settle() {
  if (overwrite_.bytes.empty()) return;
  const auto is_same = [](const auto& byte) { return *byte.first == byte.second; };
  const bool are_same = std::all_of(overwrite_.bytes.begin(), overwrite_.bytes.end(), is_same);
  overwrite_.bytes.clear();
  if (are_same) return;
  findings_.push_back(std::move(overwrite_.finding));
  stop();
}

const uint8_t* Engine::byte_at(const Allocation* allocation, Where where) const {
  return allocation == nullptr ? &local_[where.byte] : reinterpret_cast<const uint8_t*>(allocation->base + where.byte);
}

Finding Engine::finding(std::string kind, std::string message, const void* site) const {
  const metal_sim_thread& t = current_->thread;
  std::string place = "kernel " + std::string(dispatch_->kernel->name);
  const unsigned line = site == nullptr ? 0 : place_of(site, dispatch_->source_name).line;
  if (line > 0) place += ", line " + std::to_string(line);
  return {std::move(kind), place + ": thread " + show(t.position_in_threadgroup) + " of threadgroup " + show(t.threadgroup_position) + " " +
                               std::move(message)};
}

std::string Engine::Where::show() const {
  if (slot == -1) return "threadgroup memory";
  if (slot == -2) return "byte " + std::to_string(byte) + " of a resident buffer";
  return "byte " + std::to_string(byte) + " of buffer(" + std::to_string(slot) + ")";
}

bool Engine::check(ByteHistory& bytes, const Access& now, bool is_write, const Allocation* allocation, Where where, const void* site) {
  const bool is_local = allocation == nullptr;
  // as a reader: of threadgroup memory, whose reads are over once their thread is at a barrier, whatever memory that is for
  Access reading = now;
  if (is_local) {
    reading.phase = current_->executed;
    reading.simd_phase = current_->simd_executed;
  }
  const auto is_ordered = [&](const Access& before) {
    if (before.dispatch == 0) return true;
    if (before.dispatch != now.dispatch) {
      if (is_local) return true;
      if (before.dispatch >= dispatch_->unordered_since) return before.dispatch <= allocation->ordered_until;
      return dispatch_->ordering == nullptr || dispatch_->ordering->is_after(before.dispatch, where.is_tracked && allocation->is_tracked);
    }
    if (before.threadgroup != now.threadgroup) return is_local;
    if (before.thread == now.thread && before.others == 0) return true;
    const Access& after = &before == &bytes.reader ? reading : now;
    if (before.phase != after.phase) return true;
    const bool is_one_simdgroup = before.thread / METAL_SIM_LANES == now.thread / METAL_SIM_LANES;
    return is_one_simdgroup && before.simd_phase != after.simd_phase;
  };
  bool is_overwriting = false;
  const auto conflict = [&](const Access& before, const char* did) {
    if (before.dispatch < dispatch_->unordered_since) {
      report("missing-fence",
             std::string(is_write ? "writes " : "reads ") + where.show() + ", which an earlier encoder " + did + ", and no fence, event or wait orders the two",
             site);
    } else if (before.dispatch != now.dispatch) {
      report("missing-barrier",
             std::string(is_write ? "writes " : "reads ") + where.show() + ", which an earlier dispatch of the same encoder " + did +
                 ", without a barrier between them",
             site);
    } else {
      const std::string message = std::string(is_write ? "writes " : "reads ") + where.show() + ", which " + describe(before) + " " + did +
                                  ", with nothing that orders the two";
      if (is_write && &before == &bytes.writer && now.is_atomic == 0 && before.is_atomic == 0) {
        if (overwrite_.bytes.empty()) overwrite_.finding = finding("race", message, site);
        const uint8_t* byte = byte_at(allocation, where);
        overwrite_.bytes.push_back({byte, *byte});
        is_overwriting = true;
        return;
      }
      report("race", message, site);
    }
    stop();
  };
  const bool both_atomic = now.is_atomic != 0 && bytes.writer.is_atomic != 0;
  if (!both_atomic && !is_ordered(bytes.writer)) conflict(bytes.writer, "wrote");
  if (is_write) {
    const bool reader_atomic = now.is_atomic != 0 && bytes.reader.is_atomic != 0;
    if (!reader_atomic) {
      const Access& reader = bytes.reader;
      const bool is_elsewhere = reader.others == 2 && reader.dispatch == now.dispatch && !is_local;
      if (is_elsewhere || !is_ordered(reader)) conflict(reader, "read");
    }
    bytes.writer = now;
    return is_overwriting;
  }
  Access& reader = bytes.reader;
  const bool is_concurrent = reader.dispatch != 0 && !is_ordered(reader);
  uint8_t others = 0;
  if (is_concurrent) {
    const bool is_same_group = reader.dispatch == now.dispatch && reader.threadgroup == now.threadgroup;
    others = is_same_group ? std::max<uint8_t>(reader.others, 1) : 2;
  } else if (reader.dispatch == now.dispatch && reader.others == 2) {
    others = 2;
  }
  // a plain read among atomic ones still races with atomic writes
  const bool is_plain = now.is_atomic == 0 || (is_concurrent && reader.is_atomic == 0);
  reader = reading;
  reader.is_atomic = is_plain ? 0 : 1;
  reader.others = others;
  return false;
}

void Engine::atomic(bool has_changed, const void* site) {
  if (current_ == nullptr) return;
  if (has_changed) {
    idle_atomics_ = 0;
  } else if (++idle_atomics_ > kMostIdleAtomics) {
    report("timeout", "waits in a loop for an atomic to change: the threads that could change it need not run meanwhile", site);
    stop();
  }
}

void Engine::require_initialised(uintptr_t address, size_t size, const void* site) {
  const size_t offset = address - reinterpret_cast<uintptr_t>(local_.data());
  if (current_ == nullptr || offset >= local_.size()) return;
  for (size_t i = offset; i < std::min(offset + size, local_.size()); i++) {
    if (initialised_[i] == threadgroup_serial_) continue;
    report("uninitialised", "changes threadgroup memory that no thread has written", site);
    stop();
  }
}

void Engine::access(uintptr_t address, size_t size, bool is_write, bool is_atomic, const void* site, bool is_aligned) {
  if (current_ == nullptr || current_->fiber.holds(address)) return;
  settle();
  statistics_.accesses++;
  if (is_write && !is_atomic) idle_atomics_ = 0;
  if (++thread_accesses_ > kMostAccesses) {
    report("timeout", "makes " + std::to_string(kMostAccesses) + " accesses to memory and does not come to its end", site);
    stop();
  }
  const Lane& lane = *current_;
  const auto verb = [&] { return std::string(is_write ? "writes " : "reads ") + std::to_string(size) + " bytes "; };
  if (is_aligned && (address & (size - 1)) != 0) {
    report("misaligned", verb() + "at an address that is not a multiple of " + std::to_string(size), site);
    stop();
  }
  Access now;
  now.dispatch = serial_;
  now.threadgroup = threadgroup_index_;
  now.thread = static_cast<uint16_t>(lane.thread.index_in_threadgroup);
  now.is_atomic = is_atomic ? 1 : 0;

  const size_t offset = address - reinterpret_cast<uintptr_t>(local_.data());
  if (offset < local_.size()) {
    const auto holds = [&](const Declaration& d) { return offset >= d.begin && offset + size <= d.end; };
    if (std::none_of(declarations_.begin(), declarations_.end(), holds)) {
      report("out-of-bounds", verb() + "outside of its threadgroup memory", site);
      stop();
    }
    now.phase = lane.local_phase;
    now.simd_phase = lane.simd_local_phase;
    for (size_t i = offset; i < offset + size; i++) {
      if (history_of_[i] != threadgroup_serial_) local_history_[i] = {};
      history_of_[i] = threadgroup_serial_;
      if (is_write) initialised_[i] = threadgroup_serial_;
      else if (initialised_[i] != threadgroup_serial_) uninitialised("reads threadgroup memory that no thread has written", site);
    }
    check_all(&local_history_[offset], size, now, is_write, nullptr, {-1, offset}, site);
    return;
  }

  const auto holds = [&](const Bound& b) { return address - b.base < b.length && size <= b.length - (address - b.base); };
  if (latest_bound_ >= bounds_.size() || !holds(bounds_[latest_bound_])) {
    const auto found = std::find_if(bounds_.begin(), bounds_.end(), holds);
    if (found == bounds_.end()) {
      outside(address, is_write, verb(), site);
      return;
    }
    latest_bound_ = static_cast<size_t>(found - bounds_.begin());
  }
  const Bound& bound = bounds_[latest_bound_];
  Allocation& allocation = *bound.allocation;
  if (allocation.is_released.load(std::memory_order_relaxed)) {
    report("use-after-release",
           (is_write ? "writes buffer(" : "reads buffer(") + std::to_string(bound.slot) + ") " + allocation.label + " after it was released", site);
    stop();
  }
  if (is_write && is_remembering_) remember(address, size);
  now.phase = lane.device_phase;
  now.simd_phase = lane.simd_device_phase;
  if (is_write && !bound.is_writable) {
    report("read-only", "writes " + Where{bound.slot, address - allocation.base}.show() + ", which the encoder uses for reading only", site);
    stop();
  }
  size_t start = address - allocation.base;
  while (size > 0) {
    const size_t at = allocation.history_offset + start;
    const size_t part = std::min(size, History::rest_of_page(at));
    check_all(&allocation.history->at(at), part, now, is_write, &allocation, {bound.slot, start, bound.is_tracked}, site);
    start += part;
    size -= part;
  }
}

/** Most accesses find the same in the history of each of their bytes. */
void Engine::check_all(ByteHistory* bytes, size_t size, const Access& now, bool is_write, const Allocation* allocation, Where where,
                       const void* site) {
  const ByteHistory before = bytes[0];
  const bool is_overwriting = check(bytes[0], now, is_write, allocation, where, site);
  for (size_t i = 1; i < size; i++) {
    const Where byte{where.slot, where.byte + i, where.is_tracked};
    if (!is_overwriting && std::memcmp(&bytes[i], &before, sizeof before) == 0) bytes[i] = bytes[0];
    else check(bytes[i], now, is_write, allocation, byte, site);
  }
}

std::vector<Finding> Engine::transfer(const std::string& what, const std::vector<Touched>& touched, const Ordering* ordering,
                                      uint32_t unordered_since) {
  // of long stretches only what kernels have touched is known byte by byte
  constexpr size_t kLong = 1 << 20;
  Access now;
  now.dispatch = ++serial_;
  for (const auto& [allocation, offset, size, is_write] : touched) {
    const auto is_ordered = [&, allocation = allocation](const Access& before) {
      if (before.dispatch == 0 || before.dispatch == now.dispatch) return true;
      if (before.dispatch >= unordered_since) return before.dispatch <= allocation->ordered_until;
      return ordering == nullptr || ordering->is_after(before.dispatch, allocation->is_tracked);
    };
    for (size_t at = offset; at < offset + size;) {
      const size_t in_history = allocation->history_offset + at;
      const size_t part = std::min(offset + size - at, History::rest_of_page(in_history));
      const size_t start = at;
      at += part;
      if (size > kLong && !allocation->history->is_known(in_history)) continue;
      ByteHistory* bytes = &allocation->history->at(in_history);
      for (size_t i = 0; i < part; i++) {
        const bool was_written = !is_ordered(bytes[i].writer);
        if (was_written || (is_write && !is_ordered(bytes[i].reader))) {
          const Access& before = was_written ? bytes[i].writer : bytes[i].reader;
          const bool is_same_encoder = before.dispatch >= unordered_since;
          return {{is_same_encoder ? "missing-barrier" : "missing-fence",
                   what + (is_write ? " writes" : " reads") + " byte " + std::to_string(start + i) + " of a buffer, which " +
                       (is_same_encoder ? "an earlier dispatch of the same encoder " : "an earlier encoder ") + (was_written ? "wrote" : "read") +
                       (is_same_encoder ? ", without a barrier between them" : ", and no fence, event or wait orders the two")}};
        }
        (is_write ? bytes[i].writer : bytes[i].reader) = now;
      }
    }
  }
  return {};
}

/** Whether an address lies in a library of kernels. The lock ends here: a fiber that stops never comes back to let go of it. */
bool Engine::is_constant(uintptr_t address) {
  const std::lock_guard lock(constants_mutex_);
  return std::any_of(constants_.begin(), constants_.end(), [&](const Range& range) { return address - range.base < range.length; });
}

/** An access that no bound buffer holds: constants of a library may be read. */
void Engine::outside(uintptr_t address, bool is_write, std::string what, const void* site) {
  if (is_constant(address)) {
    if (!is_write) return;
    report("out-of-bounds", "writes to a constant", site);
    stop();
  }
  what += "outside of every buffer that is bound";
  // say which buffer was missed, if one is near
  for (unsigned i = 0; i < METAL_SIM_BUFFERS; i++) {
    const Binding& binding = dispatch_->buffers[i];
    if (binding.allocation == nullptr) continue;
    const auto from_start = static_cast<int64_t>(address - (binding.allocation->base + binding.offset));
    const auto length = static_cast<int64_t>(binding.allocation->length - binding.offset);
    if (from_start < -4096 || from_start >= length + 4096) continue;
    const size_t end = what.find(" bytes ") + 7;
    what = what.substr(0, end) + "at byte " + std::to_string(from_start) + " of buffer(" + std::to_string(i) + "), which has " +
           std::to_string(length);
    break;
  }
  report("out-of-bounds", what, site);
  stop();
}

}  // namespace metal_sim
