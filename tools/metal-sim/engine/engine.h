/**
 * Runs dispatches of compiled kernels as a GPU would: threadgroups and threads in any order, simdgroups of 32, barriers; and reports
 * what a GPU would not: accesses out of bounds, races, barriers that not all threads reach, uninitialised threadgroup memory.
 */
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "../include/metal_sim_abi.h"
#include "fiber.h"
#include "memory.h"

namespace metal_sim {

struct Size {
  uint32_t width = 1;
  uint32_t height = 1;
  uint32_t depth = 1;
  uint64_t count() const { return uint64_t{width} * height * depth; }
};

/** Something a kernel did that Metal leaves undefined. */
struct Finding {
  /** A word for tests and tools: out-of-bounds, race, missing-barrier, divergent-barrier, ... */
  std::string kind;
  /** In a sentence, with the thread and the place in the source. */
  std::string message;
};

struct Binding {
  AllocationReference allocation;
  size_t offset = 0;
};

/** Memory that no slot holds but kernels may reach through addresses. */
struct Resident {
  AllocationReference allocation;
  bool is_writable = true;
  /** Whether the encoder was told of it, so that it is ordered like memory that is bound. */
  bool is_tracked = true;
};

/** What orders a dispatch after those of other encoders. */
class Ordering {
 public:
  virtual ~Ordering() = default;
  virtual bool is_after(uint32_t earlier_dispatch, bool is_tracked) const = 0;
};

struct Dispatch {
  const metal_sim_kernel* kernel = nullptr;
  /** The file that `line` of findings refers to, and the handle that addresses are looked up in. */
  std::string source_name;
  std::array<Binding, METAL_SIM_BUFFERS> buffers;
  /** Lengths given by setThreadgroupMemoryLength, by index. */
  std::array<uint32_t, METAL_SIM_BUFFERS> threadgroup_lengths{};
  /** What argument buffers point into. */
  std::vector<Resident> resident;
  /** Threads when `is_nonuniform`, else threadgroups. */
  Size grid;
  Size threadgroup;
  bool is_nonuniform = false;
  /** The first dispatch of this encoder that nothing orders before this one: what it wrote must not be touched. */
  uint32_t unordered_since = 0;
  /** Tells which of those before `unordered_since` come first; without one they all do. */
  const Ordering* ordering = nullptr;
};

/** What a copy or a fill reads or writes. */
struct Touched {
  AllocationReference allocation;
  size_t offset = 0;
  size_t size = 0;
  bool is_write = false;
};

struct Statistics {
  uint64_t dispatches = 0;
  uint64_t threads = 0;
  uint64_t accesses = 0;
  uint64_t barriers = 0;
};

class Engine {
 public:
  static Engine& shared();

  Memory& memory() { return memory_; }
  /** Held by whoever runs dispatches, from what it sets before to the last of them: one runs at a time, whoever asks. */
  std::unique_lock<std::mutex> lock() { return std::unique_lock(run_mutex_); }
  /** Numbers of dispatches, in the order in which they run. */
  uint32_t next_dispatch() const { return serial_ + 1; }
  /** Runs one dispatch to its end, or to its first finding. */
  std::vector<Finding> run(const Dispatch& dispatch);
  /** Takes note of a copy or fill of the host's API, named `what`; it counts as a dispatch, ordered as one. */
  std::vector<Finding> transfer(const std::string& what, const std::vector<Touched>& touched, const Ordering* ordering,
                                uint32_t unordered_since = UINT32_MAX);
  const Statistics& statistics() const { return statistics_; }
  /** The order of threads and threadgroups follows from it. */
  void seed(uint64_t seed) { random_.seed(seed); }
  /** The segments of the library that `inside` lies in: kernels may read them, for there are its constants. */
  void add_library(uintptr_t inside);

  /** Whether subnormal floats are zeros to arithmetic, as on Apple GPUs; halfs stay as they are. METAL_SIM_FLUSH=1 begins so. */
  void flush_subnormals(bool is_on) { is_flushing_ = is_on; }
  bool is_flushing() const { return is_flushing_; }

  // Called by kernels.
  bool fails_spuriously() { return random_() % 8 == 0; }
  void barrier(unsigned flags, const void* site);
  void simdgroup_barrier(unsigned flags, const void* site);
  void* local(unsigned declaration, size_t size, size_t alignment, const void* site);
  unsigned exchange(const char* what, const void* mine, unsigned size, void* all, const void* site);
  unsigned lane() const;
  /** A finding of the compiled code itself, outside of kernels ignored. */
  void wrong(const char* kind, std::string message, const void* site);
  /** That threadgroup memory holds something: for atomics that read and write at once. */
  void require_initialised(uintptr_t address, size_t size, const void* site);
  /** After an atomic operation: whether it has changed anything. One that never does waits for somebody who need not run. */
  void atomic(bool has_changed, const void* site);
  /** `is_aligned`: the type of what is accessed has its size as alignment. */
  void access(uintptr_t address, size_t size, bool is_write, bool is_atomic, const void* site, bool is_aligned = false);

 private:
  struct Lane;
  struct Range {
    uintptr_t base;
    size_t length;
  };

  struct Declaration {
    unsigned id;
    size_t begin;
    size_t end;
  };
  struct Bound {
    uintptr_t base;
    size_t length;
    Allocation* allocation;
    /** As in `Where`. */
    int slot;
    bool is_writable = true;
    bool is_tracked = true;
  };

  void bind(const Dispatch& dispatch);
  bool is_constant(uintptr_t address);
  void outside(uintptr_t address, bool is_write, std::string what, const void* site);
  void run_threadgroup(const Dispatch& dispatch, Size position);
  void run_threads(const Dispatch& dispatch, Size position);
  /** A read of threadgroup memory that nobody has written: whether what lay there matters is found out when the threadgroup is done. */
  void uninitialised(std::string message, const void* site);
  bool matters(const Dispatch& dispatch, Size position, const std::mt19937_64& random);
  void remember(uintptr_t address, size_t size);
  void take_back();
  void run_fibers(unsigned count);
  void wait(Lane& lane, int state, const void* site);
  bool release_waiting(unsigned count);
  bool release_simdgroup(unsigned first, unsigned end);
  void place(Lane& lane, const Dispatch& dispatch, Size position, Size size, unsigned index);
  static void enter(void* lane);
  [[noreturn]] void stop();
  /** Memory in words: a byte of a buffer, or -1 for threadgroup memory, -2 for a resident buffer. */
  struct Where {
    int slot;
    size_t byte;
    bool is_tracked = true;
    std::string show() const;
  };
  /** `allocation` is nullptr for threadgroup memory. */
  /** True for a write over another thread's, which `settle` judges. */
  bool check(ByteHistory& bytes, const Access& now, bool is_write, const Allocation* allocation, Where where, const void* site);
  void check_all(ByteHistory* bytes, size_t size, const Access& now, bool is_write, const Allocation* allocation, Where where,
                 const void* site);
  Finding finding(std::string kind, std::string message, const void* site) const;
  void report(std::string kind, std::string message, const void* site);
  const uint8_t* byte_at(const Allocation* allocation, Where where) const;
  /** Called before anything else happens: two plain writes of one value do no harm, and only now is it known what was written. */
  void settle();
  std::string describe(const Access& access) const;

  std::vector<Finding> run_checked(const Dispatch& dispatch);

  bool is_flushing_ = std::getenv("METAL_SIM_FLUSH") != nullptr;
  /** Of the thread that runs: accesses since it was let go on, and atomic operations in a row that changed nothing. */
  uint64_t thread_accesses_ = 0;
  uint64_t idle_atomics_ = 0;
  /** Barriers that the threadgroup has passed. */
  uint64_t rounds_ = 0;
  Memory memory_;
  Statistics statistics_;
  std::mt19937_64 random_{1};
  uint32_t serial_ = 0;
  /** Threadgroups run so far: what is initialised belongs to one of them. */
  uint32_t threadgroup_serial_ = 0;
  uint32_t threadgroup_index_ = 0;

  /** A write to where another thread has written, with nothing that orders the two: bytes, and what they were. */
  struct Overwrite {
    std::vector<std::pair<const uint8_t*, uint8_t>> bytes;
    Finding finding;
  };
  Overwrite overwrite_;
  /** Of the threadgroup: the first read of what nobody has written, and its place. */
  std::optional<Finding> uninitialised_;
  const void* uninitialised_site_ = nullptr;
  /** Places of such reads, and for how many threadgroups it was shown that they do no harm. */
  std::map<const void*, unsigned> harmless_;
  bool is_repeated_ = false;
  /** What threadgroup memory holds at first: bytes that differ, or the same one everywhere. */
  int garbage_ = -1;
  /** What the threadgroup has written to buffers, and what was there before. */
  struct Written {
    uint8_t* address;
    size_t size;
    size_t before;
  };
  std::vector<Written> written_;
  std::vector<uint8_t> written_before_;
  bool is_remembering_ = true;

  const Dispatch* dispatch_ = nullptr;
  std::vector<Finding> findings_;
  std::vector<Range> constants_;
  std::mutex constants_mutex_;
  std::mutex run_mutex_;
  Lane* current_ = nullptr;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<unsigned> order_;
  /** What the lanes of a simdgroup give each other. */
  std::vector<char> exchanged_;
  std::array<void*, METAL_SIM_BUFFERS> buffer_pointers_{};
  std::array<void*, METAL_SIM_BUFFERS> threadgroup_pointers_{};

  /** Threadgroup memory: [0, local_end_) is in use. */
  std::vector<uint8_t> local_;
  size_t local_end_ = 0;
  std::vector<Declaration> declarations_;
  std::vector<Bound> bounds_;
  size_t latest_bound_ = 0;
  std::vector<uint32_t> initialised_;
  /** The threadgroup that the history of a byte is of. */
  std::vector<uint32_t> history_of_;
  std::vector<ByteHistory> local_history_;
};

}  // namespace metal_sim
