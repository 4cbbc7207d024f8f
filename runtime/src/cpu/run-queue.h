#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "memory.h"

namespace mlxc {

class Run;
using RunReference = std::shared_ptr<Run>;

/** Work that the queue does once, in its turn. */
class Run {
 public:
  /** Does the work with the arena of the queue; the problem, or an empty string. */
  using Work = std::function<std::string(Block &arena)>;

  /**
   * `owner`: whom `abandon` names. `after`: earlier runs whose results this one reads; when one of them failed, so does this one.
   * `notify` is called once the run has ended, on the thread that ran it, unless it was abandoned.
   */
  Run(const void *owner, Work work, std::vector<RunReference> after, std::function<void()> notify);

  bool hasEnded() const { return hasEnded_.load(std::memory_order_acquire); }
  /** Once it has ended: what went wrong, or an empty string. */
  const std::string &problem() const { return problem_; }
  const void *owner() const { return owner_; }

  /** For the queue. */
  void execute(Block &arena);
  void abandon();

 private:
  void end(std::string problem);

  const void *owner_;
  Work work_;
  std::vector<RunReference> after_;
  std::function<void()> notify_;
  std::string problem_;
  std::atomic<bool> hasEnded_{false};
};

/** Runs are executed one at a time in the order of submission, for all threads of the process. Any thread may call. */
void submit(RunReference run);
/** Until the run has ended. A caller that finds nobody executing executes the queue up to its run itself. */
void wait(const Run &run);
/** Drops the runs of an owner that have not begun and waits for the one that has. */
void abandon(const void *owner);
/** Ends the executor; the next run starts it again. Only while the queue is empty. */
void stopExecutor();

}  // namespace mlxc
