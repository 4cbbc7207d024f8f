#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "../src/plan/decoded-plan.h"
#include "commands.h"
#include "context.h"
#include "library.h"

namespace mlxc {

/** A decoded plan with its kernels and constants. */
class Instance {
 public:
  std::string name;
  std::shared_ptr<const MetalLibrary> library;
  DecodedPlan plan;

  /** After the buffers of the plan; each returns the problem, or an empty string. */
  std::string setConstants(MetalContext &context);
  std::string setSteps(const std::vector<int64_t> &code);

  const std::vector<BufferReference> &constants() const { return constants_; }
  /** Whether encoding never waits for the GPU and is done soon. */
  bool isQuick() const { return isQuick_; }

 private:
  std::vector<BufferReference> constants_;
  bool isQuick_ = true;
};

/** Bytes that go to memory of JavaScript's when a run has ended. */
struct CopyOut {
  Binding from;
  void *to;
};

class Run;
using RunReference = std::shared_ptr<Run>;

/** What a run works on. */
struct RunArguments {
  /** One a parameter and one a result, in order. */
  std::vector<Binding> parameters;
  std::vector<Binding> results;
  /** The memory behind them. */
  std::vector<BufferReference> kept;
  std::vector<CopyOut> copyOuts;
};

class Stream;

/** One execution of an instance. */
class Run : public std::enable_shared_from_this<Run> {
 public:
  /**
   * `owner`: whom `Stream::abandon` names. `after`: earlier runs whose results this one reads; when one of them failed, so does this one.
   * `notify` is called once the run has ended, on any thread, unless it was abandoned.
   */
  Run(const void *owner, std::shared_ptr<const Instance> instance, RunArguments arguments, std::vector<RunReference> after,
      std::function<void()> notify);

  bool hasEnded() const { return hasEnded_.load(std::memory_order_acquire); }
  /** Once it has ended: what went wrong, or an empty string. */
  const std::string &problem() const { return problem_; }

 private:
  friend class Stream;
  friend class Execution;

  const void *owner_;
  std::shared_ptr<const Instance> instance_;
  RunArguments arguments_;
  std::vector<RunReference> after_;
  std::function<void()> notify_;
  // what follows belongs to the stream and its lock
  std::string problem_;
  bool isEncoded_ = false;
  /** Command buffers that have been committed and have not ended. */
  size_t open_ = 0;
  std::atomic<bool> hasEnded_{false};
};

/** Encodes a run; where the plan asks for a value, waits for it. Returns the problem, or an empty string. */
std::string encodeRun(MetalContext &context, Stream &stream, const RunReference &run);

}  // namespace mlxc
