#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace mlxc {

/** A range of memory. */
struct Span {
  void *data;
  int64_t bytes;
};

enum class BufferKind : int64_t { parameter = 0, result = 1, constant = 2, temporary = 3 };

struct PlanBuffer {
  BufferKind kind;
  /** Position among the parameters, results or constants; byte offset in the arena for temporaries. */
  int64_t place;
  int64_t bytes;
};

struct PlanStep;
using PlanSteps = std::vector<PlanStep>;

struct PlanStep {
  enum class Kind : int64_t { dispatch = 1, loop = 2, branch = 3, copy = 4 };
  Kind kind;
  // dispatch
  int64_t kernel = 0;
  /** What the device asks for: tasks, grain and bytes of scratch on the CPU, threadgroups along x, y, z on Metal. */
  int64_t launch[3] = {0, 0, 0};
  std::vector<int64_t> buffers;
  std::vector<int64_t> integers;
  // loop: `count` times; `index` (-1 for none) holds 0, 1, ... or with `reverse` count - 1, ..., 0; ends early when
  // `condition` (-1 for none) is false
  int64_t count = 0;
  bool reverse = false;
  int64_t index = -1;
  int64_t condition = -1;
  PlanSteps body;
  PlanSteps otherwise;
  // copy: `bytes` from `from` to `to`; offsets in bytes, growing by a step with each iteration of the innermost loop
  int64_t from = 0;
  int64_t fromOffset = 0;
  int64_t fromStep = 0;
  int64_t to = 0;
  int64_t toOffset = 0;
  int64_t toStep = 0;
  int64_t bytes = 0;
};

/**
 * A function of a plan with its dims bound: everything is a number. Read from flat arrays (see runtime/encode-plan.ts for the layout) and
 * checked while it is read, so that a run has only the sizes of its arguments left to check.
 */
class DecodedPlan {
 public:
  std::vector<Span> constants;
  int64_t arenaBytes = 0;

  /** Says what is wrong with a dispatch, or nullptr. */
  using CheckDispatch = std::function<const char *(const PlanStep &)>;

  /** Each returns the problem, or an empty string. */
  std::string setBuffers(const std::vector<int64_t> &table);
  std::string setSteps(const std::vector<int64_t> &code, const CheckDispatch &checkDispatch);
  /** Whether arguments are as many and as large as the buffers they stand for. */
  std::string check(const std::vector<Span> &parameters, const std::vector<Span> &results) const;

  const std::vector<PlanBuffer> &buffers() const { return buffers_; }
  const PlanSteps &steps() const { return steps_; }

 private:
  std::vector<PlanBuffer> buffers_;
  PlanSteps steps_;
  size_t parameterCount_ = 0;
  size_t resultCount_ = 0;
};

}  // namespace mlxc
