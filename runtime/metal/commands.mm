#import "commands.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace mlxc {
namespace {

/** The most that setBytes takes. */
constexpr size_t kMostBytes = 4096;
constexpr uint64_t kMostCopied = 0xffffffff;
/** Kernels named in an error. */
constexpr size_t kMostNamed = 8;

std::string namesOf(const std::vector<const Kernel *> &kernels) {
  std::string names;
  for (size_t i = 0; i < kernels.size() && i < kMostNamed; i++) names += (i == 0 ? "" : ", ") + kernels[i]->request.name;
  if (kernels.size() > kMostNamed) names += " and " + std::to_string(kernels.size() - kMostNamed) + " more";
  return names;
}

/** What a command buffer that failed says, with the kernels that it held unless the text names its kernel. */
std::string problemOf(id<MTLCommandBuffer> buffer, const std::string &label, const std::vector<const Kernel *> &kernels) {
  NSError *error = [buffer error];
  const std::string text = describe(error, "the GPU reports an error without a text");
  if ([error code] == MTLCommandBufferErrorOutOfMemory) return "out of memory: " + text;
  for (const Kernel *kernel : kernels) {
    if (text.find(kernel->request.name) != std::string::npos) return label + ": " + text;
  }
  return label + ": " + text + " (kernels: " + namesOf(kernels) + ")";
}

/** An entry of an argument buffer as the shader converter lays it out. */
struct DescriptorEntry {
  uint64_t address;
  uint64_t textureView;
  /** The length in bytes, in the low half. */
  uint64_t metadata;
};

MTLResourceUsage usageOf(char access) {
  if (access == 'r') return MTLResourceUsageRead;
  return access == 'w' ? MTLResourceUsageWrite : MTLResourceUsageRead | MTLResourceUsageWrite;
}

size_t commonAlignment(size_t a, size_t b, size_t c) {
  for (const size_t bytes : {16, 4, 2}) {
    if (a % bytes == 0 && b % bytes == 0 && c % bytes == 0) return bytes;
  }
  return 1;
}

}  // namespace

Commands::Commands(MetalContext &context, std::string label, std::function<void()> onCommit,
                   std::function<void(std::string)> onEnd)
    : context_(context), label_(std::move(label)), onCommit_(std::move(onCommit)), onEnd_(std::move(onEnd)) {}

Commands::~Commands() {
  // an encoder must not be released open
  [encoder_.get() endEncoding];
}

std::string Commands::begin() {
  if (encoder_) return "";
  id<MTLCommandBuffer> buffer = context_.commandBuffer();
  id<MTLComputeCommandEncoder> encoder = [buffer computeCommandEncoderWithDispatchType:MTLDispatchTypeConcurrent];
  if (encoder == nil) return "Metal gives no command buffer";
  buffer_ = Retained<id<MTLCommandBuffer>>::share(buffer);
  encoder_ = Retained<id<MTLComputeCommandEncoder>>::share(encoder);
  [buffer setLabel:stringOf(label_)];
  [encoder setLabel:stringOf(label_)];
  return "";
}

void Commands::commit() {
  if (!encoder_) return;
  const auto buffer = std::exchange(buffer_, {});
  const auto encoder = std::exchange(encoder_, {});
  [encoder.get() endEncoding];
  MetalContext *context = &context_;
  const auto onEnd = onEnd_;
  const auto label = label_;
  const auto kernels = std::exchange(kernels_, {});
  // uploaded arguments live until the end
  const auto kept = std::exchange(kept_, {});
  [buffer.get() addCompletedHandler:^(id<MTLCommandBuffer> ended) {
    @autoreleasepool {
      (void)kept;
      if ([ended status] == MTLCommandBufferStatusCompleted) {
        if (context->isProfiling() && kernels.size() == 1) {
          context->addTiming({kernels[0]->request.name, [ended GPUEndTime] - [ended GPUStartTime]});
        }
        onEnd("");
      } else {
        onEnd(problemOf(ended, label, kernels));
      }
    }
  }];
  onCommit_();
  [buffer.get() commit];
  context_.counts().commandBuffers++;
  hazards_.clear();
  commands_ = 0;
  bytes_ = 0;
  pipeline_ = nullptr;
}

void Commands::order() {
  if (hazards_.needBarrier(accesses_)) {
    [encoder_.get() memoryBarrierWithScope:MTLBarrierScopeBuffers];
    context_.counts().barriers++;
    hazards_.clear();
  }
  hazards_.add(accesses_);
}

std::string Commands::setConstant(const void *bytes, size_t length, NSUInteger index) {
  if (length <= kMostBytes) {
    [encoder_.get() setBytes:bytes length:length atIndex:index];
    return "";
  }
  const BufferReference upload = context_.pool().allocate(length);
  if (upload == nullptr) return "out of memory for arguments";
  std::memcpy(upload->memory, bytes, length);
  [encoder_.get() setBuffer:upload->object.get() offset:0 atIndex:index];
  kept_.push_back(upload);
  return "";
}

void Commands::bindTable(const Kernel &kernel, const std::vector<Binding> &bindings) {
  scratch_.resize(bindings.size() * sizeof(uint64_t));
  for (size_t i = 0; i < bindings.size(); i++) {
    const Binding &binding = bindings[i];
    const uint64_t address = [binding.buffer->object.get() gpuAddress] + binding.offset;
    std::memcpy(scratch_.data() + i * sizeof address, &address, sizeof address);
    // what no argument names must be made resident
    [encoder_.get() useResource:binding.buffer->object.get() usage:usageOf(kernel.request.accesses[i])];
  }
}

/** The shader converter's kernels take one table; neither residency nor hazards follow from it, so that both are ours to see to. */
std::string Commands::bindArguments(const Kernel &kernel, const std::vector<Binding> &bindings,
                                    const std::vector<int64_t> &integers) {
  const ArgumentBuffer &arguments = kernel.request.arguments;
  std::string problem = packIntegers(kernel, integers);
  if (!problem.empty()) return problem;
  // constants are read in registers of 16 bytes
  const size_t length = (scratch_.size() + 15) / 16 * 16;
  BufferReference constants;
  std::vector<uint8_t> table(arguments.bytes);
  for (const ArgumentEntry &entry : arguments.entries) {
    DescriptorEntry value{0, 0, 0};
    if (entry.binding < 0) {
      constants = context_.pool().allocate(length);
      if (constants == nullptr) return "out of memory for arguments";
      std::memset(constants->memory, 0, length);
      std::memcpy(constants->memory, scratch_.data(), scratch_.size());
      kept_.push_back(constants);
      value = {[constants->object.get() gpuAddress], 0, length};
      [encoder_.get() useResource:constants->object.get() usage:MTLResourceUsageRead];
    } else {
      const auto number = static_cast<size_t>(entry.binding);
      const Binding &binding = bindings[number];
      value = {[binding.buffer->object.get() gpuAddress] + binding.offset, 0, binding.bytes & 0xffffffff};
      [encoder_.get() useResource:binding.buffer->object.get() usage:usageOf(kernel.request.accesses[number])];
    }
    std::memcpy(table.data() + entry.offset, &value, sizeof value);
  }
  return setConstant(table.data(), table.size(), static_cast<NSUInteger>(arguments.index));
}

std::string Commands::packIntegers(const Kernel &kernel, const std::vector<int64_t> &integers) {
  scratch_.resize(integers.size() * sizeof(int32_t));
  for (size_t i = 0; i < integers.size(); i++) {
    const auto value = static_cast<int32_t>(integers[i]);
    if (value != integers[i]) return "the kernel " + kernel.request.name + " takes a size beyond 32 bits";
    std::memcpy(scratch_.data() + i * sizeof value, &value, sizeof value);
  }
  return "";
}

void Commands::launch(const Kernel &kernel, MTLSize grid) {
  const uint64_t *group = kernel.request.threadgroup;
  if (group[0] > 0) {
    [encoder_.get() dispatchThreads:grid
              threadsPerThreadgroup:MTLSizeMake(static_cast<NSUInteger>(group[0]), static_cast<NSUInteger>(group[1]),
                                                static_cast<NSUInteger>(group[2]))];
  } else {
    [encoder_.get() dispatchThreadgroups:grid
                   threadsPerThreadgroup:MTLSizeMake(static_cast<NSUInteger>(kernel.request.threads), 1, 1)];
  }
  kernels_.push_back(&kernel);
  context_.counts().commands++;
  commands_++;
  for (const Access &access : accesses_) bytes_ += access.end - access.begin;
  MetalOptions &options = context_.options();
  if (context_.isProfiling() || commands_ >= options.mostOps || bytes_ >= options.mostBytes) commit();
}

std::string Commands::dispatch(const Kernel &kernel, const std::vector<Binding> &bindings, const std::vector<int64_t> &integers,
                               const int64_t grid[3]) {
  if (grid[0] == 0 || grid[1] == 0 || grid[2] == 0) return "";
  std::string problem = begin();
  if (!problem.empty()) return problem;
  accesses_.clear();
  for (size_t i = 0; i < bindings.size(); i++) {
    const Binding &binding = bindings[i];
    const char access = kernel.request.accesses[i];
    accesses_.push_back({binding.buffer->memory, binding.offset, binding.offset + binding.bytes, access != 'w', access != 'r'});
  }
  order();
  id<MTLComputeCommandEncoder> encoder = encoder_.get();
  if (pipeline_ != &kernel) {
    [encoder setComputePipelineState:kernel.pipeline.get()];
    pipeline_ = &kernel;
  }
  const MTLSize size =
      MTLSizeMake(static_cast<NSUInteger>(grid[0]), static_cast<NSUInteger>(grid[1]), static_cast<NSUInteger>(grid[2]));
  if (!kernel.request.arguments.entries.empty()) {
    problem = bindArguments(kernel, bindings, integers);
    if (problem.empty()) launch(kernel, size);
    return problem;
  }
  NSUInteger index = 0;
  if (kernel.request.usesTable) {
    bindTable(kernel, bindings);
    problem = setConstant(scratch_.data(), scratch_.size(), index++);
    if (!problem.empty()) return problem;
  } else {
    for (const Binding &binding : bindings) {
      [encoder setBuffer:binding.buffer->object.get() offset:binding.offset atIndex:index++];
    }
  }
  if (!integers.empty()) {
    problem = packIntegers(kernel, integers);
    if (!problem.empty()) return problem;
    problem = setConstant(scratch_.data(), scratch_.size(), index);
    if (!problem.empty()) return problem;
  }
  launch(kernel, size);
  return "";
}

std::string Commands::copy(const Binding &from, const Binding &to) {
  if (from.bytes == 0 || (from.buffer == to.buffer && from.offset == to.offset)) return "";
  const bool overlaps = from.buffer == to.buffer && from.offset < to.offset + to.bytes && to.offset < from.offset + from.bytes;
  if (overlaps) {
    const BufferReference between = context_.pool().allocate(from.bytes);
    if (between == nullptr) return "out of memory for a copy";
    kept_.push_back(between);
    const Binding middle{between.get(), 0, from.bytes};
    std::string problem = copy(from, middle);
    // the first copy may have been committed, and what is kept with it
    kept_.push_back(between);
    return problem.empty() ? copy(middle, to) : problem;
  }
  return copyElements(from, to, commonAlignment(from.offset, to.offset, from.bytes));
}

std::string Commands::copyElements(const Binding &from, const Binding &to, size_t elementBytes) {
  const Kernel &kernel = context_.copyKernel(elementBytes);
  const uint64_t total = from.bytes / elementBytes;
  for (uint64_t start = 0; start < total; start += kMostCopied) {
    const std::string problem = begin();
    if (!problem.empty()) return problem;
    const auto count = static_cast<uint32_t>(std::min(total - start, kMostCopied));
    const uint64_t bytes = count * elementBytes;
    const size_t source = from.offset + start * elementBytes;
    const size_t target = to.offset + start * elementBytes;
    accesses_ = {{from.buffer->memory, source, source + bytes, true, false},
                 {to.buffer->memory, target, target + bytes, false, true}};
    order();
    id<MTLComputeCommandEncoder> encoder = encoder_.get();
    [encoder setComputePipelineState:kernel.pipeline.get()];
    pipeline_ = &kernel;
    // offsets of bindings are multiples of 4, those of copies need not be
    const CopyArguments arguments{source / elementBytes, target / elementBytes, count, 0};
    [encoder setBuffer:from.buffer->object.get() offset:0 atIndex:0];
    [encoder setBuffer:to.buffer->object.get() offset:0 atIndex:1];
    [encoder setBytes:&arguments length:sizeof arguments atIndex:2];
    launch(kernel, MTLSizeMake((count + kernel.request.threads - 1) / kernel.request.threads, 1, 1));
  }
  return "";
}

}  // namespace mlxc
