#import "run.h"

#include <cstring>
#include <utility>

#import "objective-c.h"
#import "stream.h"

namespace mlxc {
namespace {

/** Positions in a grid are numbers of 32 bits. */
constexpr int64_t kMostExtent = 0xffffffff;

/** A run of more commands is encoded on a thread of its own. */
constexpr int64_t kMostQuick = 256;

/** How many commands the steps encode, at most; kMostQuick + 1 when that cannot be known without the GPU. */
int64_t countCommands(const PlanSteps &steps) {
  int64_t total = 0;
  for (const PlanStep &step : steps) {
    int64_t count = 1;
    if (step.kind == PlanStep::Kind::branch) return kMostQuick + 1;
    if (step.kind == PlanStep::Kind::loop) {
      if (step.condition >= 0) return kMostQuick + 1;
      const int64_t inner = countCommands(step.body);
      count = step.count > kMostQuick ? kMostQuick + 1 : inner * step.count;
    }
    total += count;
    if (total > kMostQuick) return kMostQuick + 1;
  }
  return total;
}

}  // namespace

std::string Instance::setConstants(MetalContext &context) {
  for (const Span &span : plan.constants) {
    const auto bytes = static_cast<size_t>(span.bytes);
    BufferReference buffer = context.pool().find(span.data, bytes);
    // memory of the pool is shared between instances
    if (buffer == nullptr || buffer->memory != span.data) {
      buffer = context.pool().allocate(bytes);
      if (buffer == nullptr) return "out of memory for constants";
      if (bytes > 0) std::memcpy(buffer->memory, span.data, bytes);
    }
    constants_.push_back(buffer);
  }
  return "";
}

std::string Instance::setSteps(const std::vector<int64_t> &code) {
  const auto checkDispatch = [this](const PlanStep &step) -> const char * {
    if (library == nullptr || step.kernel < 0 || step.kernel >= static_cast<int64_t>(library->kernels().size())) {
      return "a step names a kernel that does not exist";
    }
    const Kernel &kernel = library->kernels()[static_cast<size_t>(step.kernel)];
    for (const int64_t extent : step.launch) {
      if (extent > kMostExtent) return "a grid is too large for Metal";
    }
    return step.buffers.size() == kernel.request.accesses.size() ? nullptr : "a step has the wrong number of buffers";
  };
  std::string problem = plan.setSteps(code, checkDispatch);
  isQuick_ = countCommands(plan.steps()) <= kMostQuick;
  return problem;
}

Run::Run(const void *owner, std::shared_ptr<const Instance> instance, RunArguments arguments, std::vector<RunReference> after,
         std::function<void()> notify)
    : owner_(owner),
      instance_(std::move(instance)),
      arguments_(std::move(arguments)),
      after_(std::move(after)),
      notify_(std::move(notify)) {}

/** Walks the steps of a run. */
class Execution {
 public:
  Execution(MetalContext &context, Stream &stream, const RunReference &run)
      : context_(context),
        stream_(stream),
        run_(*run),
        commands_(
            context, run->instance_->name, [&stream, run] { stream.committed(*run); },
            [&stream, run](std::string problem) { stream.ended(run, std::move(problem)); }) {}

  std::string run() {
    // whose results it reads may have failed already
    for (const RunReference &earlier : run_.after_) {
      if (earlier->hasEnded() && !earlier->problem().empty()) return earlier->problem();
    }
    std::string problem = bindBuffers();
    if (problem.empty()) problem = runSteps(run_.instance_->plan.steps(), 0);
    if (problem.empty()) commands_.commit();
    return problem;
  }

 private:
  std::string bindBuffers() {
    const DecodedPlan &plan = run_.instance_->plan;
    BufferReference arena;
    const bool isSeparate = context_.options().isSeparate;
    if (plan.arenaBytes > 0 && !isSeparate) {
      arena = keep(static_cast<size_t>(plan.arenaBytes));
      if (arena == nullptr) return "out of memory for temporaries";
    }
    for (const PlanBuffer &buffer : plan.buffers()) {
      const auto place = static_cast<size_t>(buffer.place);
      const auto bytes = static_cast<size_t>(buffer.bytes);
      switch (buffer.kind) {
        case BufferKind::parameter:
          bindings_.push_back(run_.arguments_.parameters[place]);
          break;
        case BufferKind::result:
          bindings_.push_back(run_.arguments_.results[place]);
          break;
        case BufferKind::constant:
          bindings_.push_back({run_.instance_->constants()[place].get(), 0, bytes});
          break;
        case BufferKind::temporary: {
          const BufferReference own = arena == nullptr ? keep(bytes) : nullptr;
          if (arena == nullptr && own == nullptr) return "out of memory for temporaries";
          bindings_.push_back(arena == nullptr ? Binding{own.get(), 0, bytes} : Binding{arena.get(), place, bytes});
          break;
        }
      }
    }
    return "";
  }

  BufferReference keep(size_t bytes) {
    BufferReference buffer = context_.pool().allocate(bytes);
    if (buffer != nullptr) run_.arguments_.kept.push_back(buffer);
    return buffer;
  }

  std::string runSteps(const PlanSteps &steps, int64_t iteration) {
    std::string problem;
    for (const PlanStep &step : steps) {
      switch (step.kind) {
        case PlanStep::Kind::dispatch:
          problem = dispatch(step);
          break;
        case PlanStep::Kind::loop:
          problem = loop(step);
          break;
        case PlanStep::Kind::branch: {
          bool holds = false;
          problem = readFlag(step.condition, holds);
          if (problem.empty()) problem = runSteps(holds ? step.body : step.otherwise, iteration);
          break;
        }
        case PlanStep::Kind::copy:
          hasUnsettled_ = true;
          problem = commands_.copy(part(step.from, step.fromOffset + step.fromStep * iteration, step.bytes),
                                   part(step.to, step.toOffset + step.toStep * iteration, step.bytes));
          break;
      }
      if (!problem.empty()) break;
    }
    return problem;
  }

  std::string dispatch(const PlanStep &step) {
    hasUnsettled_ = true;
    chosen_.clear();
    for (const int64_t buffer : step.buffers) chosen_.push_back(bindings_[static_cast<size_t>(buffer)]);
    const Kernel &kernel = run_.instance_->library->kernels()[static_cast<size_t>(step.kernel)];
    return commands_.dispatch(kernel, chosen_, step.integers, step.launch);
  }

  std::string loop(const PlanStep &step) {
    std::string problem;
    for (int64_t i = 0; i < step.count && problem.empty(); i++) {
      const int64_t number = step.reverse ? step.count - 1 - i : i;
      if (step.index >= 0 && !bindIndex(static_cast<size_t>(step.index), number)) return "out of memory for loop indices";
      if (step.condition >= 0) {
        bool holds = false;
        problem = readFlag(step.condition, holds);
        if (!problem.empty() || !holds) break;
      }
      problem = runSteps(step.body, number);
    }
    return problem;
  }

  /** Nobody writes the index: kernels are given memory that holds the number, which stays the same for ever. */
  bool bindIndex(size_t index, int64_t number) {
    const BufferReference numbers = context_.numbers(number / MetalContext::kNumbers);
    if (numbers == nullptr) return false;
    bindings_[index] = {numbers.get(), static_cast<size_t>(number % MetalContext::kNumbers) * sizeof(int32_t), sizeof(int32_t)};
    return true;
  }

  Binding part(int64_t buffer, int64_t offset, int64_t bytes) const {
    const Binding &whole = bindings_[static_cast<size_t>(buffer)];
    return {whole.buffer, whole.offset + static_cast<size_t>(offset), static_cast<size_t>(bytes)};
  }

  /** A bool that decides what comes next: everything before it has to be there. */
  std::string readFlag(int64_t buffer, bool &holds) {
    if (hasUnsettled_) {
      commands_.commit();
      std::string problem = stream_.settle(run_);
      if (!problem.empty()) return problem;
      hasUnsettled_ = false;
      for (const RunReference &earlier : run_.after_) {
        if (!earlier->problem().empty()) return earlier->problem();
      }
    }
    holds = *bindings_[static_cast<size_t>(buffer)].memory() != 0;
    return "";
  }

  MetalContext &context_;
  Stream &stream_;
  Run &run_;
  Commands commands_;
  std::vector<Binding> bindings_;
  std::vector<Binding> chosen_;
  /** Whether there may be writes that the CPU does not see yet; earlier runs may have written the arguments. */
  bool hasUnsettled_ = true;
};

std::string encodeRun(MetalContext &context, Stream &stream, const RunReference &run) {
  return guarded([&] { return Execution(context, stream, run).run(); });
}

}  // namespace mlxc
