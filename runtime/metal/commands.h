#pragma once
#import <Metal/Metal.h>

#include <functional>
#include <string>
#include <vector>

#include "context.h"
#include "hazards.h"
#include "library.h"

namespace mlxc {

/** A range of a buffer, as a kernel sees it. */
struct Binding {
  const Buffer *buffer = nullptr;
  size_t offset = 0;
  size_t bytes = 0;

  char *memory() const { return buffer->memory + offset; }
};

/**
 * Encodes commands of a run, one thread at a time: into command buffers with one concurrent encoder each, with barriers where commands depend on
 * each other. Use it within an autorelease pool that outlives it. What is bound must live until the command buffers have ended.
 */
class Commands {
 public:
  /** `onCommit` comes before each command buffer is committed, `onEnd` when it has ended, on a thread of Metal's, with the problem. */
  Commands(MetalContext &context, std::string label, std::function<void()> onCommit, std::function<void(std::string)> onEnd);
  /** What has not been committed does not take place. */
  ~Commands();
  Commands(const Commands &) = delete;
  Commands &operator=(const Commands &) = delete;

  /** Each returns the problem, or an empty string. `grid`: threadgroups along x, y and z, or threads (see KernelRequest). */
  std::string dispatch(const Kernel &kernel, const std::vector<Binding> &bindings, const std::vector<int64_t> &integers,
                       const int64_t grid[3]);
  /** Copies from.bytes, which are as many as to.bytes. */
  std::string copy(const Binding &from, const Binding &to);
  /** Commits what has been encoded since the last time, if anything. */
  void commit();

 private:
  struct Encoding;

  std::string begin();
  /** Puts a barrier if one is needed before a command with these accesses. */
  void order();
  void bindTable(const Kernel &kernel, const std::vector<Binding> &bindings);
  std::string bindArguments(const Kernel &kernel, const std::vector<Binding> &bindings, const std::vector<int64_t> &integers);
  /** Fills scratch_ with the integers, as 32 bits each. */
  std::string packIntegers(const Kernel &kernel, const std::vector<int64_t> &integers);
  /** Bytes for a `constant` argument. */
  std::string setConstant(const void *bytes, size_t length, NSUInteger index);
  void launch(const Kernel &kernel, MTLSize grid);
  std::string copyElements(const Binding &from, const Binding &to, size_t elementBytes);

  MetalContext &context_;
  const std::string label_;
  const std::function<void()> onCommit_;
  const std::function<void(std::string)> onEnd_;
  Retained<id<MTLCommandBuffer>> buffer_;
  Retained<id<MTLComputeCommandEncoder>> encoder_;
  Hazards hazards_;
  /** Of the command that is encoded now. */
  std::vector<Access> accesses_;
  std::vector<uint8_t> scratch_;
  /** Since the last commit. */
  size_t commands_ = 0;
  size_t bytes_ = 0;
  const Kernel *pipeline_ = nullptr;
  std::vector<const Kernel *> kernels_;
  std::vector<BufferReference> kept_;
};

}  // namespace mlxc
