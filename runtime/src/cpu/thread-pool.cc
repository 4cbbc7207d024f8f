// Persistent workers that spin for a while, then sleep. See "How a launch opens and closes" at the end.
#include "thread-pool.h"

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

#include "memory.h"

namespace mlxc {
namespace {

/** About 50 microseconds: longer than the gap between the kernels of a plan. */
constexpr int kSpins = 2000;

inline void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

constexpr uint64_t kOpen = uint64_t{1} << 32;
constexpr uint64_t kActive = kOpen - 1;
constexpr uint64_t kEpoch = uint64_t{1} << 33;

uint64_t epochOf(uint64_t gate) { return gate / kEpoch; }

class ThreadPool {
 public:
  explicit ThreadPool(int workers) {
    workers_.reserve(workers);
    for (int i = 0; i < workers; i++) workers_.emplace_back([this] { work(); });
  }

  ~ThreadPool() {
    {
      const std::lock_guard lock(mutex_);
      stop_.store(true);
    }
    wake_.notify_all();
    for (std::thread &worker : workers_) worker.join();
  }

  /** The caller holds the pool. */
  bool run(const Launch &launch, void *scratch) {
    launch_ = launch;
    next_.store(0, std::memory_order_relaxed);
    const uint64_t epoch = epochOf(gate_.load(std::memory_order_relaxed)) + 1;
    gate_.store(epoch * kEpoch | kOpen);
    if (sleepers_.load() > 0) {
      // a worker between its last look at the gate and its sleep holds the mutex
      { const std::lock_guard lock(mutex_); }
      wake_.notify_all();
    }
    takeTasks(launch, scratch);
    gate_.fetch_and(~kOpen);
    for (int spins = 0; (gate_.load(std::memory_order_acquire) & kActive) != 0; spins++) {
      if (spins < kSpins) pause();
      else std::this_thread::yield();
    }
    return true;
  }

 private:
  void takeTasks(const Launch &launch, void *scratch) {
    for (;;) {
      const int64_t begin = next_.fetch_add(launch.grain, std::memory_order_relaxed);
      if (begin >= launch.total) return;
      const int64_t end = begin + launch.grain < launch.total ? begin + launch.grain : launch.total;
      launch.function(launch.buffers, launch.integers, scratch, begin, end);
    }
  }

  void work() {
    Block scratch;
    uint64_t last = 0;
    for (;;) {
      uint64_t gate = waitForLaunch(last);
      if (stop_.load()) return;
      // join while it is open; a late worker finds it closed and goes on waiting
      bool joined = false;
      while ((gate & kOpen) != 0 && epochOf(gate) != last) {
        if (gate_.compare_exchange_weak(gate, gate + 1, std::memory_order_acquire)) {
          joined = true;
          break;
        }
      }
      last = epochOf(gate);
      if (!joined) continue;
      const Launch launch = launch_;
      void *memory = scratch.ensure(static_cast<size_t>(launch.scratchBytes));
      if (launch.scratchBytes == 0 || memory != nullptr) takeTasks(launch, memory);
      gate_.fetch_sub(1, std::memory_order_release);
    }
  }

  bool isNew(uint64_t gate, uint64_t last) const {
    return stop_.load() || ((gate & kOpen) != 0 && epochOf(gate) != last);
  }

  uint64_t waitForLaunch(uint64_t last) {
    uint64_t gate = 0;
    for (int spins = 0; spins < kSpins; spins++) {
      gate = gate_.load(std::memory_order_relaxed);
      if (isNew(gate, last)) return gate;
      pause();
    }
    std::unique_lock lock(mutex_);
    sleepers_.fetch_add(1);
    wake_.wait(lock, [&] {
      gate = gate_.load();
      return isNew(gate, last);
    });
    sleepers_.fetch_sub(1);
    return gate;
  }

  std::atomic<uint64_t> gate_{0};
  std::atomic<int64_t> next_{0};
  std::atomic<int> sleepers_{0};
  std::atomic<bool> stop_{false};
  Launch launch_{};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::thread> workers_;
};

/** Guards `pool`; held during a launch. */
std::mutex *poolMutex = new std::mutex;
ThreadPool *pool = nullptr;

#if defined(__unix__) || defined(__APPLE__)
/** A forked child has the memory of the pool and none of its threads: it forgets them and starts its own. */
void forgetThreads() {
  poolMutex = new std::mutex;
  pool = nullptr;
}

const int atFork = pthread_atfork(nullptr, nullptr, forgetThreads);
#endif

/** Processors that this process may keep busy: those there are, less what a container's quota takes away. */
int usableProcessors() {
  const int processors = static_cast<int>(std::thread::hardware_concurrency());
#ifdef __linux__
  if (FILE *file = std::fopen("/sys/fs/cgroup/cpu.max", "r")) {
    long quota = 0;
    long period = 0;
    // "max 100000" where there is no quota
    const bool isLimited = std::fscanf(file, "%ld %ld", &quota, &period) == 2 && quota > 0 && period > 0;
    std::fclose(file);
    const long share = isLimited ? (quota + period - 1) / period : processors;
    if (share < processors) return static_cast<int>(share);
  }
#endif
  return processors;
}

bool runHere(const Launch &launch, void *scratch) {
  launch.function(launch.buffers, launch.integers, scratch, 0, launch.total);
  return true;
}

}  // namespace

int threadCount() {
  static const int count = [] {
    const char *wanted = std::getenv("MLXC_THREADS");
    const int asked = wanted == nullptr ? 0 : std::atoi(wanted);
    const int threads = asked > 0 ? asked : usableProcessors();
    return threads < 1 ? 1 : threads > 256 ? 256 : threads;
  }();
  return count;
}

bool runLaunch(const Launch &launch) {
  if (launch.total <= 0) return true;
  static thread_local Block callerScratch;
  void *scratch = nullptr;
  if (launch.scratchBytes > 0) {
    scratch = callerScratch.ensure(static_cast<size_t>(launch.scratchBytes));
    if (scratch == nullptr) return false;
  }
  if (launch.grain >= launch.total || threadCount() == 1) return runHere(launch, scratch);
  const std::unique_lock lock(*poolMutex, std::try_to_lock);
  if (!lock.owns_lock()) return runHere(launch, scratch);
  if (pool == nullptr) pool = new ThreadPool(threadCount() - 1);
  return pool->run(launch, scratch);
}

void stopThreads() {
  const std::lock_guard lock(*poolMutex);
  delete pool;
  pool = nullptr;
}

// Note: How a launch opens and closes
//
// One atomic word, the gate, holds an epoch, an open bit and the number of workers inside. The caller writes the launch, then opens
// the gate with a new epoch; a worker enters by adding one while the gate is open, takes grains of tasks from a shared counter,
// and leaves by subtracting one. When the caller finds no more tasks it closes the gate and waits for those inside only:
// a worker that is slow to wake costs nothing. The launch is rewritten only while the gate is closed and nobody is inside.
//
// Sleeping: a worker counts itself among the sleepers, then looks at the gate once more, then sleeps; the caller opens the gate,
// then looks at the sleepers. Both in sequentially consistent order, so one of them sees the other.

}  // namespace mlxc
