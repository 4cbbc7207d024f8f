#include "decoded-plan.h"

namespace mlxc {
namespace {

constexpr int kMaxDepth = 64;

/** Reads the flat form of steps; every read is checked, the first problem is kept. */
class StepReader {
 public:
  StepReader(const std::vector<int64_t> &code, const std::vector<PlanBuffer> &buffers,
             const DecodedPlan::CheckDispatch &checkDispatch)
      : code_(code), buffers_(buffers), checkDispatch_(checkDispatch) {}

  PlanSteps readSteps(size_t end, int64_t iterations, int depth) {
    PlanSteps steps;
    if (depth > kMaxDepth) fail("steps are nested too deeply");
    while (problem.empty() && position_ < end) steps.push_back(readStep(end, iterations, depth));
    return steps;
  }

  std::string problem;

 private:
  void fail(const char *text) {
    if (problem.empty()) problem = text;
  }

  int64_t next(size_t end) {
    if (position_ < end) return code_[position_++];
    fail("a step ends early");
    return 0;
  }

  int64_t nonNegative(size_t end) {
    const int64_t value = next(end);
    if (value < 0) fail("a count is negative");
    return value;
  }

  int64_t buffer(size_t end, int64_t minimumBytes) {
    const int64_t index = next(end);
    if (index < 0 || index >= static_cast<int64_t>(buffers_.size())) {
      fail("a step names a buffer that does not exist");
      return 0;
    }
    if (buffers_[index].bytes < minimumBytes) fail("a buffer is smaller than its use");
    return index;
  }

  /** -1 for none. */
  int64_t optionalBuffer(size_t end, int64_t minimumBytes) {
    if (position_ < end && code_[position_] == -1) return next(end);
    return buffer(end, minimumBytes);
  }

  /** The end of a nested list of `length` numbers. */
  size_t nestedEnd(size_t end, int64_t length) {
    if (length >= 0 && static_cast<uint64_t>(length) <= end - position_) return position_ + length;
    fail("a nested list of steps ends early");
    return position_;
  }

  PlanStep readStep(size_t end, int64_t iterations, int depth) {
    PlanStep step{};
    step.kind = static_cast<PlanStep::Kind>(next(end));
    switch (step.kind) {
      case PlanStep::Kind::dispatch:
        readDispatch(step, end);
        break;
      case PlanStep::Kind::loop: {
        step.count = nonNegative(end);
        step.reverse = next(end) != 0;
        step.index = optionalBuffer(end, 4);
        // the index is an i32
        if (step.index >= 0 && step.count > 0x80000000) fail("a loop counts beyond its index");
        step.condition = optionalBuffer(end, 1);
        const int64_t length = nonNegative(end);
        step.body = readSteps(nestedEnd(end, length), step.count, depth + 1);
        break;
      }
      case PlanStep::Kind::branch: {
        step.condition = buffer(end, 1);
        const int64_t thenLength = nonNegative(end);
        const int64_t otherwiseLength = nonNegative(end);
        step.body = readSteps(nestedEnd(end, thenLength), iterations, depth + 1);
        step.otherwise = readSteps(nestedEnd(end, otherwiseLength), iterations, depth + 1);
        break;
      }
      case PlanStep::Kind::copy:
        step.from = buffer(end, 0);
        step.fromOffset = next(end);
        step.fromStep = next(end);
        step.to = buffer(end, 0);
        step.toOffset = next(end);
        step.toStep = next(end);
        step.bytes = nonNegative(end);
        checkRange(step.from, step.fromOffset, step.fromStep, step.bytes, iterations);
        checkRange(step.to, step.toOffset, step.toStep, step.bytes, iterations);
        break;
      default:
        fail("a step of unknown kind");
    }
    return step;
  }

  void readDispatch(PlanStep &step, size_t end) {
    step.kernel = next(end);
    for (int64_t &number : step.launch) number = nonNegative(end);
    const int64_t bufferCount = nonNegative(end);
    for (int64_t i = 0; i < bufferCount && problem.empty(); i++) step.buffers.push_back(buffer(end, 0));
    const int64_t integerCount = nonNegative(end);
    for (int64_t i = 0; i < integerCount && problem.empty(); i++) step.integers.push_back(next(end));
    if (const char *text = problem.empty() ? checkDispatch_(step) : nullptr) fail(text);
  }

  /** The range must lie in the buffer in the first and in the last iteration. */
  void checkRange(int64_t buffer, int64_t offset, int64_t step, int64_t bytes, int64_t iterations) {
    if (!problem.empty() || iterations == 0) return;
    const int64_t size = buffers_[buffer].bytes;
    int64_t last;
    if (__builtin_mul_overflow(step, iterations - 1, &last) ||
        __builtin_add_overflow(last, offset, &last)) {
      return fail("a copy leaves its buffer");
    }
    const int64_t low = offset < last ? offset : last;
    const int64_t high = offset < last ? last : offset;
    if (low < 0 || bytes > size || high > size - bytes) fail("a copy leaves its buffer");
  }

  const std::vector<int64_t> &code_;
  const std::vector<PlanBuffer> &buffers_;
  const DecodedPlan::CheckDispatch &checkDispatch_;
  size_t position_ = 0;
};

}  // namespace

std::string DecodedPlan::setBuffers(const std::vector<int64_t> &table) {
  if (table.size() % 3 != 0) return "the buffer table has a bad length";
  for (size_t i = 0; i < table.size(); i += 3) {
    const PlanBuffer buffer{static_cast<BufferKind>(table[i]), table[i + 1], table[i + 2]};
    if (buffer.place < 0 || buffer.bytes < 0) return "a buffer has a negative size or place";
    switch (buffer.kind) {
      case BufferKind::parameter:
        if (static_cast<size_t>(buffer.place) != parameterCount_++) return "parameters are out of order";
        break;
      case BufferKind::result:
        if (static_cast<size_t>(buffer.place) != resultCount_++) return "results are out of order";
        break;
      case BufferKind::constant:
        if (static_cast<size_t>(buffer.place) >= constants.size()) return "a constant is missing";
        if (constants[buffer.place].bytes != buffer.bytes) return "a constant has the wrong size";
        break;
      case BufferKind::temporary:
        if (buffer.bytes > arenaBytes || buffer.place > arenaBytes - buffer.bytes) {
          return "a temporary lies outside the arena";
        }
        break;
      default:
        return "a buffer of unknown kind";
    }
    buffers_.push_back(buffer);
  }
  return "";
}

std::string DecodedPlan::setSteps(const std::vector<int64_t> &code, const CheckDispatch &checkDispatch) {
  StepReader reader(code, buffers_, checkDispatch);
  steps_ = reader.readSteps(code.size(), 1, 0);
  return reader.problem;
}

std::string DecodedPlan::check(const std::vector<Span> &parameters, const std::vector<Span> &results) const {
  if (parameters.size() != parameterCount_ || results.size() != resultCount_) {
    return "wrong number of parameters or results";
  }
  for (const PlanBuffer &buffer : buffers_) {
    const bool fits = buffer.kind == BufferKind::parameter ? parameters[buffer.place].bytes == buffer.bytes
                      : buffer.kind == BufferKind::result  ? results[buffer.place].bytes == buffer.bytes
                                                           : true;
    if (!fits) return "an argument has the wrong size";
  }
  return "";
}

}  // namespace mlxc
