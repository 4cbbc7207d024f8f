#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "../plan/decoded-plan.h"
#include "library.h"
#include "memory.h"

namespace mlxc {

/** A decoded plan with its kernels, and how the CPU runs it. */
class Instance {
 public:
  std::shared_ptr<Library> library;
  DecodedPlan plan;

  /** Reads the steps; returns the problem, or an empty string. */
  std::string setSteps(const std::vector<int64_t> &code, std::vector<KernelFunction> kernels);
  /** One thread at a time; the arguments passed the check of the plan. */
  std::string run(const std::vector<Span> &parameters, const std::vector<Span> &results, Block &arena);

 private:
  std::string runSteps(const PlanSteps &steps, int64_t iteration);

  std::vector<KernelFunction> kernels_;
  std::vector<void *> pointers_;
  std::vector<void *> bindings_;
};

}  // namespace mlxc
