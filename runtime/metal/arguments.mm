#import "arguments.h"

#include <cstring>
#include <unordered_map>

#import "objective-c.h"

namespace mlxc {
namespace {

/** Exposed memory of the pool up to this many bytes is copied, so that the call need not wait. */
constexpr size_t kMostCopied = size_t{256} << 10;
/** Kernels load vectors of this many bytes; other views of memory are copied. */
constexpr size_t kAlignment = 16;

class Binder {
 public:
  Binder(MetalContext &context, BoundArguments &bound) : context_(context), bound_(bound) {}

  std::string parameter(const Span &span, bool isExposed) {
    const auto bytes = static_cast<size_t>(span.bytes);
    if (bytes == 0) return empty(bound_.arguments.parameters);
    const bool mayCopy = isExposed && copied_ + bytes <= kMostCopied;
    BufferReference buffer = mayCopy ? nullptr : inPlace(span);
    if (buffer == nullptr) {
      buffer = context_.pool().allocate(bytes);
      if (buffer == nullptr) return "out of memory for arguments";
      std::memcpy(buffer->memory, span.data, bytes);
      copied_ += bytes;
    } else if (isExposed) {
      bound_.mustWait = true;
    }
    add(bound_.arguments.parameters, span, buffer);
    if (!isExposed) known_[span.data] = bound_.arguments.parameters.back();
    return "";
  }

  std::string result(const Span &span) {
    const auto bytes = static_cast<size_t>(span.bytes);
    if (bytes == 0) return empty(bound_.arguments.results);
    // a donated parameter that takes the result is the same memory here too
    const auto found = known_.find(span.data);
    if (found != known_.end() && found->second.bytes >= bytes) {
      Binding binding = found->second;
      binding.bytes = bytes;
      bound_.arguments.results.push_back(binding);
    } else {
      BufferReference buffer = inPlace(span);
      if (buffer == nullptr) buffer = context_.pool().allocate(bytes);
      if (buffer == nullptr) return "out of memory for results";
      add(bound_.arguments.results, span, buffer);
    }
    const Binding &binding = bound_.arguments.results.back();
    if (binding.memory() != span.data) bound_.arguments.copyOuts.push_back({binding, span.data});
    return "";
  }

 private:
  /** The buffer around memory that kernels can use where it is. */
  BufferReference inPlace(const Span &span) {
    const auto bytes = static_cast<size_t>(span.bytes);
    if (reinterpret_cast<uintptr_t>(span.data) % kAlignment != 0) return nullptr;
    const BufferReference own = context_.pool().find(span.data, bytes);
    return own != nullptr ? own : context_.pool().wrap(span.data, bytes);
  }

  void add(std::vector<Binding> &bindings, const Span &span, const BufferReference &buffer) {
    const auto *data = static_cast<const char *>(span.data);
    const bool isInside = data >= buffer->memory && data < buffer->memory + buffer->length;
    bindings.push_back({buffer.get(), isInside ? static_cast<size_t>(data - buffer->memory) : 0, static_cast<size_t>(span.bytes)});
    bound_.arguments.kept.push_back(buffer);
  }

  /** Metal has no empty buffers, and kernels want something bound. */
  std::string empty(std::vector<Binding> &bindings) {
    const BufferReference buffer = context_.pool().allocate(0);
    if (buffer == nullptr) return "out of memory for arguments";
    bindings.push_back({buffer.get(), 0, 0});
    bound_.arguments.kept.push_back(buffer);
    return "";
  }

  MetalContext &context_;
  BoundArguments &bound_;
  size_t copied_ = 0;
  std::unordered_map<const void *, Binding> known_;
};

}  // namespace

std::string bindArguments(MetalContext &context, const std::vector<Span> &parameters, const std::vector<Span> &results,
                          const std::vector<uint32_t> &exposed, BoundArguments &bound) {
  return guarded([&]() -> std::string {
    std::vector<bool> isExposed(parameters.size());
    for (const uint32_t position : exposed) {
      if (position < isExposed.size()) isExposed[position] = true;
    }
    Binder binder(context, bound);
    for (size_t i = 0; i < parameters.size(); i++) {
      std::string problem = binder.parameter(parameters[i], isExposed[i]);
      if (!problem.empty()) return problem;
    }
    for (const Span &span : results) {
      std::string problem = binder.result(span);
      if (!problem.empty()) return problem;
    }
    return "";
  });
}

}  // namespace mlxc
