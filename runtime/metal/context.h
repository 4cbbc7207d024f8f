#pragma once
#import <Metal/Metal.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "buffer-pool.h"
#include "library.h"
#include "objective-c.h"

namespace mlxc {

/** How a command buffer is filled before it is committed, and what is for finding mistakes. Any thread may change it. */
struct MetalOptions {
  /** MLXC_METAL_OPS, MLXC_METAL_MB: commands and MiB that they touch. */
  std::atomic<size_t> mostOps;
  std::atomic<size_t> mostBytes;
  /** MLXC_METAL_SEPARATE=1: every temporary has a buffer of its own, exactly as long as it is, and nothing is recycled. */
  std::atomic<bool> isSeparate;
};

/** Where a copy starts, in elements, and how many it takes. */
struct CopyArguments {
  uint64_t from;
  uint64_t to;
  uint32_t count;
  uint32_t padding;
};

/** What has been encoded since the process began. */
struct Counts {
  std::atomic<uint64_t> commandBuffers{0};
  /** Kernels and copies. */
  std::atomic<uint64_t> commands{0};
  std::atomic<uint64_t> barriers{0};
};

/** What one kernel took on the GPU. */
struct Timing {
  std::string kernel;
  double seconds;
};

/** The GPU, its queue and memory; one for the process, never destroyed: it may end while the GPU works. */
class MetalContext {
 public:
  /** Makes it when it is asked for first; nullptr where there is no GPU. */
  static MetalContext *shared();

  id<MTLDevice> device() const { return device_.get(); }
  BufferPool &pool() { return *pool_; }
  MetalOptions &options() { return options_; }
  Counts &counts() { return counts_; }

  /** A command buffer that does not retain what it uses: the run does. Autoreleased; nil when Metal gives none. Blocks while too many are under way. */
  id<MTLCommandBuffer> commandBuffer();
  /**
   * After an error, later command buffers of a queue may fail for no fault of their own: from now on they come from a new queue. Only while
   * nothing is under way, since nothing orders the command buffers of two queues.
   */
  void replaceQueue();

  /** The numbers block * kNumbers ... as i32, to bind where a kernel reads the index of a loop. Nothing when memory is out. */
  static constexpr int64_t kNumbers = 4096;
  BufferReference numbers(int64_t block);

  /** Compiles the kernels for copies, once; the problem, or an empty string. */
  std::string prepareCopies();
  /** The kernel that copies elements of 1, 2, 4 or 16 bytes: buffers from and to, then a CopyArguments. After `prepareCopies`. */
  const Kernel &copyKernel(size_t elementBytes) const;

  /** Profiling: every command has a command buffer of its own, whose time is kept. */
  bool isProfiling() const { return isProfiling_.load(std::memory_order_relaxed); }
  void setProfiling(bool isOn) { isProfiling_.store(isOn, std::memory_order_relaxed); }
  void addTiming(Timing timing);
  /** The timings since the last time. */
  std::vector<Timing> takeTimings();

  /** Records the work of the queue from now on as a document `path`, which ends in .gputrace. Each returns the problem, or an empty string. */
  std::string startCapture(const std::string &path);
  std::string stopCapture();

 private:
  explicit MetalContext(Retained<id<MTLDevice>> device);

  const Retained<id<MTLDevice>> device_;
  MetalOptions options_;
  Counts counts_;
  const std::unique_ptr<BufferPool> pool_;
  mutable std::mutex mutex_;
  Retained<id<MTLCommandQueue>> queue_;
  std::vector<BufferReference> numbers_;
  std::unique_ptr<MetalLibrary> copies_;
  std::atomic<bool> isProfiling_{false};
  std::vector<Timing> timings_;
};

}  // namespace mlxc
