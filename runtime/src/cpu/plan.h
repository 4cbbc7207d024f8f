#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "library.h"
#include "memory.h"

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
  KernelFunction function = nullptr;
  int64_t total = 0;
  int64_t grain = 1;
  int64_t scratchBytes = 0;
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
 * A function of a plan with its dims bound: everything is a number. Built from flat arrays (see runtime/encode-plan.ts for the layout) and
 * checked while it is built, so that `run` has only the sizes of its arguments left to check.
 */
class Instance {
 public:
  std::shared_ptr<Library> library;
  std::vector<Span> constants;
  int64_t arenaBytes = 0;

  /** Each returns the problem, or an empty string. */
  std::string setBuffers(const std::vector<int64_t> &table);
  std::string setSteps(const std::vector<int64_t> &code, const std::vector<KernelFunction> &kernels);
  /** Whether arguments are as many and as large as the buffers they stand for; `run` relies on it. */
  std::string check(const std::vector<Span> &parameters, const std::vector<Span> &results) const;
  /** One thread at a time. */
  std::string run(const std::vector<Span> &parameters, const std::vector<Span> &results, Block &arena);

 private:
  std::string runSteps(const PlanSteps &steps, int64_t iteration);

  std::vector<PlanBuffer> buffers_;
  PlanSteps steps_;
  size_t parameterCount_ = 0;
  size_t resultCount_ = 0;
  std::vector<void *> pointers_;
  std::vector<void *> bindings_;
};

}  // namespace mlxc
