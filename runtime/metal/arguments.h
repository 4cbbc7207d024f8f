#pragma once
#include <string>
#include <vector>

#include "../src/plan/decoded-plan.h"
#include "context.h"
#include "run.h"

namespace mlxc {

/** Memory from outside the pool, and the part of a buffer that stands for it. */
struct ForeignBinding {
  const char *memory;
  Binding binding;
  BufferReference buffer;
};

/** Memory of JavaScript's as what kernels can be given. */
struct BoundArguments {
  RunArguments arguments;
  /** Results outside the pool: donated memory. */
  std::vector<ForeignBinding> foreign;
  /** Whether the run must have ended when the call returns: it reads memory that the program can write to. */
  bool mustWait = false;
};

/**
 * Which buffers stand for memory outside the pool. Until a run has filled donated memory, its buffer alone has the contents; and while a buffer
 * wraps pages, others must not, since Metal orders accesses to a buffer, not to memory. Of one JavaScript environment, on its thread.
 */
class ForeignMemory {
 public:
  /** The buffer to use for a range, and its part; nothing when the memory itself has the contents and nobody wraps it. */
  BufferReference find(const void *memory, size_t bytes, Binding &part);
  /** What `bindArguments` found, with the run that it was for. */
  void add(const std::vector<ForeignBinding> &bound, const RunReference &run);

 private:
  struct Entry {
    const char *memory;
    Binding binding;
    std::weak_ptr<const Buffer> buffer;
    std::weak_ptr<const Run> writer;
  };
  static BufferReference inUse(const Entry &entry);

  std::vector<Entry> entries_;
};

/**
 * Binds parameters and results. Memory of the pool is bound as it is. Other memory is wrapped where it is whole pages, else copied: parameters
 * now, results (which are donated parameters) when the run has ended. `exposed` are the positions of parameters that the program can
 * write to while the run is pending: those are copied up to 256 KiB in all. Returns the problem, or an empty string.
 */
std::string bindArguments(MetalContext &context, ForeignMemory &foreign, const std::vector<Span> &parameters,
                          const std::vector<Span> &results, const std::vector<uint32_t> &exposed, BoundArguments &bound);

}  // namespace mlxc
