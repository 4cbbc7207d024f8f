#import "arguments.h"

#include <algorithm>
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
  Binder(MetalContext &context, ForeignMemory &foreign, BoundArguments &bound)
      : context_(context), foreign_(foreign), bound_(bound) {}

  std::string parameter(const Span &span, bool isExposed) {
    const auto bytes = static_cast<size_t>(span.bytes);
    if (bytes == 0) return empty(bound_.arguments.parameters);
    Binding part;
    const bool mayCopy = isExposed && copied_ + bytes <= kMostCopied;
    BufferReference buffer = mayCopy ? nullptr : inPlace(span, part);
    if (buffer == nullptr) {
      buffer = context_.pool().allocate(bytes);
      if (buffer == nullptr) return "out of memory for arguments";
      std::memcpy(buffer->memory, span.data, bytes);
      part = {buffer.get(), 0, bytes};
      if (isExposed) copied_ += bytes;
    } else if (isExposed) {
      bound_.mustWait = true;
    }
    add(bound_.arguments.parameters, part, buffer);
    if (!isExposed) known_[span.data] = {part, buffer};
    return "";
  }

  std::string result(const Span &span) {
    const auto bytes = static_cast<size_t>(span.bytes);
    if (bytes == 0) return empty(bound_.arguments.results);
    // a donated parameter that takes the result is the same memory here too
    const auto found = known_.find(span.data);
    if (found != known_.end() && found->second.binding.bytes >= bytes) {
      Binding part = found->second.binding;
      part.bytes = bytes;
      add(bound_.arguments.results, part, found->second.buffer);
    } else {
      Binding part;
      BufferReference buffer = inPlace(span, part);
      if (buffer == nullptr) {
        buffer = context_.pool().allocate(bytes);
        if (buffer == nullptr) return "out of memory for results";
        part = {buffer.get(), 0, bytes};
      }
      add(bound_.arguments.results, part, buffer);
    }
    const Binding &binding = bound_.arguments.results.back();
    if (binding.memory() != span.data) bound_.arguments.copyOuts.push_back({binding, span.data});
    if (context_.pool().find(span.data, bytes) == nullptr) {
      bound_.foreign.push_back({static_cast<const char *>(span.data), binding, bound_.arguments.kept.back()});
    }
    return "";
  }

 private:
  /** The buffer that holds memory which kernels can use where it is, and which part that is. */
  BufferReference inPlace(const Span &span, Binding &part) {
    const auto bytes = static_cast<size_t>(span.bytes);
    BufferReference buffer = foreign_.find(span.data, bytes, part);
    if (buffer == nullptr) {
      buffer = context_.pool().find(span.data, bytes);
      if (buffer == nullptr) buffer = context_.pool().wrap(span.data, bytes);
      if (buffer == nullptr) return nullptr;
      part = {buffer.get(), static_cast<size_t>(static_cast<const char *>(span.data) - buffer->memory), bytes};
    }
    return part.offset % kAlignment == 0 ? buffer : nullptr;
  }

  void add(std::vector<Binding> &bindings, const Binding &part, const BufferReference &buffer) {
    bindings.push_back(part);
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
  ForeignMemory &foreign_;
  BoundArguments &bound_;
  size_t copied_ = 0;
  struct Known {
    Binding binding;
    BufferReference buffer;
  };
  std::unordered_map<const void *, Known> known_;
};

}  // namespace

BufferReference ForeignMemory::inUse(const Entry &entry) {
  const BufferReference buffer = entry.buffer.lock();
  if (buffer == nullptr) return nullptr;
  // a buffer that wraps the memory has its contents for ever, another one until they have been copied out
  if (entry.binding.memory() == entry.memory) return buffer;
  const auto writer = entry.writer.lock();
  return writer == nullptr || writer->hasEnded() ? nullptr : buffer;
}

BufferReference ForeignMemory::find(const void *memory, size_t bytes, Binding &part) {
  const auto address = reinterpret_cast<uintptr_t>(memory);
  // the latest has the contents
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    const Binding &whole = entry->binding;
    const auto start = reinterpret_cast<uintptr_t>(entry->memory);
    if (address < start || bytes > whole.bytes || address - start > whole.bytes - bytes) continue;
    const BufferReference buffer = inUse(*entry);
    if (buffer == nullptr) continue;
    part = {buffer.get(), whole.offset + (address - start), bytes};
    return buffer;
  }
  return nullptr;
}

void ForeignMemory::add(const std::vector<ForeignBinding> &bound, const RunReference &run) {
  const auto isOver = [](const Entry &entry) { return inUse(entry) == nullptr; };
  entries_.erase(std::remove_if(entries_.begin(), entries_.end(), isOver), entries_.end());
  for (const ForeignBinding &foreign : bound) entries_.push_back({foreign.memory, foreign.binding, foreign.buffer, run});
}

std::string bindArguments(MetalContext &context, ForeignMemory &foreign, const std::vector<Span> &parameters,
                          const std::vector<Span> &results, const std::vector<uint32_t> &exposed, BoundArguments &bound) {
  return guarded([&]() -> std::string {
    std::vector<bool> isExposed(parameters.size());
    for (const uint32_t position : exposed) {
      if (position < isExposed.size()) isExposed[position] = true;
    }
    Binder binder(context, foreign, bound);
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
