#include "plan.h"

#include <cstring>
#include <utility>

#include "thread-pool.h"

namespace mlxc {
namespace {

size_t mostBindings(const PlanSteps &steps) {
  size_t most = 0;
  for (const PlanStep &step : steps) {
    for (const size_t n :
         {step.buffers.size(), mostBindings(step.body), mostBindings(step.otherwise)}) {
      if (n > most) most = n;
    }
  }
  return most;
}

}  // namespace

std::string Instance::setSteps(const std::vector<int64_t> &code, std::vector<KernelFunction> kernels) {
  kernels_ = std::move(kernels);
  const auto checkDispatch = [this](const PlanStep &step) -> const char * {
    if (step.kernel < 0 || step.kernel >= static_cast<int64_t>(kernels_.size())) {
      return "a step names a kernel that does not exist";
    }
    return step.launch[1] < 1 ? "a grain is not positive" : nullptr;
  };
  std::string problem = plan.setSteps(code, checkDispatch);
  bindings_.resize(mostBindings(plan.steps()));
  pointers_.resize(plan.buffers().size());
  return problem;
}

std::string Instance::run(const std::vector<Span> &parameters, const std::vector<Span> &results,
                          Block &arena) {
  char *base = nullptr;
  if (plan.arenaBytes > 0) {
    base = static_cast<char *>(arena.ensure(static_cast<size_t>(plan.arenaBytes)));
    if (base == nullptr) return "out of memory for temporaries";
  }
  for (size_t i = 0; i < plan.buffers().size(); i++) {
    const PlanBuffer &buffer = plan.buffers()[i];
    switch (buffer.kind) {
      case BufferKind::parameter:
        pointers_[i] = parameters[buffer.place].data;
        break;
      case BufferKind::result:
        pointers_[i] = results[buffer.place].data;
        break;
      case BufferKind::constant:
        pointers_[i] = plan.constants[buffer.place].data;
        break;
      case BufferKind::temporary:
        pointers_[i] = base + buffer.place;
        break;
    }
  }
  return runSteps(plan.steps(), 0);
}

std::string Instance::runSteps(const PlanSteps &steps, int64_t iteration) {
  for (const PlanStep &step : steps) {
    switch (step.kind) {
      case PlanStep::Kind::dispatch: {
        for (size_t i = 0; i < step.buffers.size(); i++) bindings_[i] = pointers_[step.buffers[i]];
        const Launch launch{kernels_[step.kernel], bindings_.data(), step.integers.data(),
                            step.launch[2],        step.launch[0],   step.launch[1]};
        if (!runLaunch(launch)) return "out of memory for scratch";
        break;
      }
      case PlanStep::Kind::loop:
        for (int64_t i = 0; i < step.count; i++) {
          const int64_t number = step.reverse ? step.count - 1 - i : i;
          const auto index = static_cast<int32_t>(number);
          if (step.index >= 0) std::memcpy(pointers_[step.index], &index, sizeof index);
          if (step.condition >= 0 && *static_cast<const uint8_t *>(pointers_[step.condition]) == 0) break;
          std::string problem = runSteps(step.body, number);
          if (!problem.empty()) return problem;
        }
        break;
      case PlanStep::Kind::branch: {
        const bool holds = *static_cast<const uint8_t *>(pointers_[step.condition]) != 0;
        std::string problem = runSteps(holds ? step.body : step.otherwise, iteration);
        if (!problem.empty()) return problem;
        break;
      }
      case PlanStep::Kind::copy:
        std::memmove(
            static_cast<char *>(pointers_[step.to]) + step.toOffset + step.toStep * iteration,
            static_cast<const char *>(pointers_[step.from]) + step.fromOffset + step.fromStep * iteration,
            static_cast<size_t>(step.bytes));
        break;
    }
  }
  return "";
}

}  // namespace mlxc
