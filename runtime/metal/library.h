#pragma once
#import <Metal/Metal.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "objective-c.h"

namespace mlxc {

/** A value for a function constant. */
struct FunctionConstant {
  uint64_t index;
  MTLDataType type;
  /** The bytes of the value, at the front. */
  uint64_t bits;
};

/** An entry of an argument buffer: the buffer with this number, or -1 for the integers. */
struct ArgumentEntry {
  uint64_t offset;
  int64_t binding;
};

/** The one argument of a kernel that metal-shaderconverter made: a table of 24-byte entries, bound at `index`. */
struct ArgumentBuffer {
  uint64_t index = 0;
  uint64_t bytes = 0;
  std::vector<ArgumentEntry> entries;
};

/** What is asked of a library: a kernel by name, and how it is launched. */
struct KernelRequest {
  std::string name;
  std::vector<FunctionConstant> constants;
  /** Threads a threadgroup. */
  uint64_t threads;
  /** A letter for each of its buffers: r read, w written, x both. */
  std::string accesses;
  /** Whether its buffers travel as one table of addresses in binding 0. */
  bool usesTable;
  /** Threads of a threadgroup along x, y and z: then launches count threads. Zeros: `threads` along x, launches count threadgroups. */
  uint64_t threadgroup[3] = {0, 0, 0};
  /** The .metallib that has it, when that is one of its own. */
  std::string library = {};
  /** Empty for kernels whose buffers have bindings of their own. */
  ArgumentBuffer arguments = {};
};

/** A kernel, ready to be dispatched. */
struct Kernel {
  KernelRequest request;
  Retained<id<MTLComputePipelineState>> pipeline;
};

/** A library of kernels with their pipelines, which are built when it is opened. */
class MetalLibrary {
 public:
  /** From Metal source. Each returns the problem, or an empty string. */
  std::string openSource(id<MTLDevice> device, const std::string &source, std::vector<KernelRequest> requests);
  /** From a .metallib file. */
  std::string openFile(id<MTLDevice> device, const std::string &path, std::vector<KernelRequest> requests);

  const std::vector<Kernel> &kernels() const { return kernels_; }
  /** Kernels of the same function with the same constants share one. */
  size_t pipelines() const { return pipelines_; }

 private:
  std::string build(id<MTLDevice> device, id<MTLLibrary> main, std::vector<KernelRequest> requests);

  std::vector<Kernel> kernels_;
  size_t pipelines_ = 0;
};

}  // namespace mlxc
