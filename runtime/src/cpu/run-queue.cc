// Runs in the order of submission. See "Who executes" at the end.
#include "run-queue.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace mlxc {

Run::Run(const void *owner, Work work, std::vector<RunReference> after, std::function<void()> notify)
    : owner_(owner), work_(std::move(work)), after_(std::move(after)), notify_(std::move(notify)) {}

void Run::execute(Block &arena) {
  std::string problem;
  for (const RunReference &earlier : after_) {
    if (problem.empty()) problem = earlier->problem();
  }
  if (problem.empty()) problem = work_(arena);
  end(std::move(problem));
  notify_();
}

void Run::abandon() { end("the run was abandoned"); }

void Run::end(std::string problem) {
  problem_ = std::move(problem);
  work_ = nullptr;
  after_.clear();
  hasEnded_.store(true, std::memory_order_release);
}

namespace {

class Queue {
 public:
  void submit(RunReference run) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(run));
    if (!executor_.joinable()) executor_ = std::thread([this] { work(); });
    if (current_ == nullptr) wake_.notify_one();
  }

  void wait(const Run &run) {
    std::unique_lock lock(mutex_);
    while (!run.hasEnded()) {
      if (current_ == nullptr && !waiting_.empty()) executeNext(lock);
      else ended_.wait(lock);
    }
  }

  void abandon(const void *owner) {
    std::vector<RunReference> dropped;
    std::unique_lock lock(mutex_);
    std::deque<RunReference> kept;
    for (RunReference &run : waiting_) {
      if (run->owner() == owner) dropped.push_back(std::move(run));
      else kept.push_back(std::move(run));
    }
    waiting_ = std::move(kept);
    for (const RunReference &run : dropped) run->abandon();
    ended_.notify_all();
    ended_.wait(lock, [&] { return current_ == nullptr || current_->owner() != owner; });
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    if (executor_.joinable()) executor_.join();
    executor_ = std::thread();
    stop_ = false;
  }

 private:
  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return stop_ || (current_ == nullptr && !waiting_.empty()); });
      if (stop_) return;
      executeNext(lock);
    }
  }

  /** Something waits and nobody executes; the lock is released meanwhile. */
  void executeNext(std::unique_lock<std::mutex> &lock) {
    current_ = std::move(waiting_.front());
    waiting_.pop_front();
    const RunReference run = current_;
    lock.unlock();
    run->execute(arena_);
    lock.lock();
    current_ = nullptr;
    ended_.notify_all();
    if (!waiting_.empty()) wake_.notify_one();
  }

  std::mutex mutex_;
  /** For the executor: something waits and nobody executes. */
  std::condition_variable wake_;
  /** For those who wait: a run has ended. */
  std::condition_variable ended_;
  std::deque<RunReference> waiting_;
  /** The run that is executed now. */
  RunReference current_;
  /** Temporaries of whoever executes. */
  Block arena_;
  std::thread executor_;
  bool stop_ = false;
};

/** Never destroyed: the process may end while a run is under way. */
Queue *queue = new Queue;

#if defined(__unix__) || defined(__APPLE__)
/** A forked child has the memory of the queue and not its thread: it forgets both. */
void forgetQueue() { queue = new Queue; }

const int atFork = pthread_atfork(nullptr, nullptr, forgetQueue);
#endif

}  // namespace

void submit(RunReference run) { queue->submit(std::move(run)); }
void wait(const Run &run) {
  if (!run.hasEnded()) queue->wait(run);
}
void abandon(const void *owner) { queue->abandon(owner); }
void stopExecutor() { queue->stop(); }

// Note: Who executes
//
// One thread at a time, the one that set `current_`: the executor, or a thread that waits for a run. A call whose result is read at once
// is the common case, and the reader is awake already: it takes the run before the executor has woken up, so laziness costs it a
// signal and no change of threads. The order stays that of submission, since each takes the front of the queue.

}  // namespace mlxc
