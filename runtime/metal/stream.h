#pragma once
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "run.h"

namespace mlxc {

/**
 * Runs in the order of submission, for all threads of the process. One thread at a time encodes; the GPU executes what has been committed
 * meanwhile. Never destroyed: the process may end while the GPU works.
 */
class Stream {
 public:
  static Stream &shared();

  /** Any thread. A quick run with nothing waiting before it is encoded before this returns. */
  void submit(RunReference run);
  /** Until the run has ended. A caller that finds nobody encoding encodes what is waiting itself. */
  void wait(const Run &run);
  /** Drops the runs of an owner that nobody has begun to encode and waits for the others. */
  void abandon(const void *owner);
  /** Ends the encoding thread; the next run that needs it starts it again. Only while nothing is waiting. */
  void stop();

  // for the encoding of a run
  void committed(Run &run);
  void ended(const RunReference &run, std::string problem);
  /** Until all that was committed for this run and the ones before it has ended; the problem, or an empty string. */
  std::string settle(const Run &run);

 private:
  void work();
  void encodeNext(std::unique_lock<std::mutex> &lock);
  /** Ends the runs at the front that have nothing left to do; they end in the order of submission. */
  void reap();
  bool isInFlight(const void *owner) const;
  /** A new queue after an error, once all that the old one has is done. */
  void replaceQueue(std::unique_lock<std::mutex> &lock);

  std::mutex mutex_;
  /** For the encoding thread: something waits and nobody encodes. */
  std::condition_variable wake_;
  /** For those who wait: something has ended. */
  std::condition_variable ended_;
  std::deque<RunReference> waiting_;
  bool isEncoding_ = false;
  /** Those that have been taken for encoding and have not ended. */
  std::deque<RunReference> inFlight_;
  /** Whether a command buffer has failed since the queue was new. */
  bool hasFailed_ = false;
  std::thread encoder_;
  bool stop_ = false;
};

}  // namespace mlxc
