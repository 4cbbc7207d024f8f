#import "context.h"

#include <cstdlib>
#include <cstring>
#include <utility>

namespace mlxc {
namespace {

/** Metal's default of 64 is soon reached by runs of many command buffers, and then encoding blocks. */
constexpr NSUInteger kCommandBuffers = 512;

size_t numberFrom(const char *variable, size_t otherwise) {
  const char *text = std::getenv(variable);
  const long long number = text == nullptr ? 0 : std::atoll(text);
  return number > 0 ? static_cast<size_t>(number) : otherwise;
}

/** Larger GPUs drain a command buffer sooner; the last letter of the architecture tells the size (s, d: Max, Ultra). */
void setOptions(MetalOptions &options, id<MTLDevice> device) {
  const std::string name = textOf([[device architecture] name]);
  const char size = name.empty() ? 'g' : name.back();
  const bool isLarge = size == 's' || size == 'd';
  const size_t ops = size == 'p' ? 20 : isLarge ? 50 : 40;
  const size_t megabytes = isLarge ? 50 : 40;
  const char *separate = std::getenv("MLXC_METAL_SEPARATE");
  options.mostOps = numberFrom("MLXC_METAL_OPS", ops);
  options.mostBytes = numberFrom("MLXC_METAL_MB", megabytes) << 20;
  options.isSeparate = separate != nullptr && std::strcmp(separate, "1") == 0;
}

constexpr size_t kCopyBytes[] = {1, 2, 4, 16};
constexpr uint64_t kCopyThreads = 256;

/** Copies between buffers, inside the encoder of the kernels around them: a blit would need an encoder of its own. */
constexpr const char *kCopySource = R"(#include <metal_stdlib>

struct mlxc_Copy {
  ulong from;
  ulong to;
  uint count;
  uint padding;
};

template <typename T>
[[kernel, max_total_threads_per_threadgroup(256)]] void mlxc_copy(
    const device T* from [[buffer(0)]],
    device T* to [[buffer(1)]],
    constant mlxc_Copy& copy [[buffer(2)]],
    uint i [[thread_position_in_grid]]) {
  if (i < copy.count) to[copy.to + i] = from[copy.from + i];
}

template [[host_name("mlxc_copy_1")]] [[kernel]] decltype(mlxc_copy<uchar>) mlxc_copy<uchar>;
template [[host_name("mlxc_copy_2")]] [[kernel]] decltype(mlxc_copy<ushort>) mlxc_copy<ushort>;
template [[host_name("mlxc_copy_4")]] [[kernel]] decltype(mlxc_copy<uint>) mlxc_copy<uint>;
template [[host_name("mlxc_copy_16")]] [[kernel]] decltype(mlxc_copy<metal::uint4>) mlxc_copy<metal::uint4>;
)";

Retained<id<MTLDevice>> findDevice() {
  auto device = Retained<id<MTLDevice>>::adopt(MTLCreateSystemDefaultDevice());
  if (device) return device;
  // sessions without a display may have no default
  const auto all = Retained<NSArray *>::adopt(MTLCopyAllDevices());
  if ([all.get() count] == 0) return {};
  return Retained<id<MTLDevice>>::share([all.get() objectAtIndex:0]);
}

Retained<id<MTLCommandQueue>> makeQueue(id<MTLDevice> device) {
  auto queue = Retained<id<MTLCommandQueue>>::adopt([device newCommandQueueWithMaxCommandBufferCount:kCommandBuffers]);
  [queue.get() setLabel:@"mlxc"];
  return queue;
}

}  // namespace

MetalContext *MetalContext::shared() {
  static MetalContext *const context = [] {
    MetalContext *made = nullptr;
    @autoreleasepool {
      auto device = findDevice();
      if (device) made = new MetalContext(std::move(device));
    }
    return made;
  }();
  return context;
}

MetalContext::MetalContext(Retained<id<MTLDevice>> device)
    : device_(std::move(device)),
      pool_(std::make_unique<BufferPool>(device_.get(), options_.isSeparate)),
      queue_(makeQueue(device_.get())) {
  setOptions(options_, device_.get());
}

id<MTLCommandBuffer> MetalContext::commandBuffer() {
  Retained<id<MTLCommandQueue>> queue;
  {
    const std::lock_guard lock(mutex_);
    queue = queue_;
  }
  MTLCommandBufferDescriptor *descriptor = [[[MTLCommandBufferDescriptor alloc] init] autorelease];
  descriptor.retainedReferences = NO;
  descriptor.errorOptions = MTLCommandBufferErrorOptionEncoderExecutionStatus;
  return [queue.get() commandBufferWithDescriptor:descriptor];
}

void MetalContext::replaceQueue() {
  auto queue = makeQueue(device_.get());
  const std::lock_guard lock(mutex_);
  if (queue) std::swap(queue_, queue);
}

BufferReference MetalContext::numbers(int64_t block) {
  const std::lock_guard lock(mutex_);
  const auto index = static_cast<size_t>(block);
  if (index >= numbers_.size()) numbers_.resize(index + 1);
  if (numbers_[index] == nullptr) {
    const BufferReference made = pool_->allocate(kNumbers * sizeof(int32_t));
    if (made == nullptr) return nullptr;
    auto *values = reinterpret_cast<int32_t *>(made->memory);
    for (int64_t i = 0; i < kNumbers; i++) values[i] = static_cast<int32_t>(block * kNumbers + i);
    numbers_[index] = made;
  }
  return numbers_[index];
}

std::string MetalContext::prepareCopies() {
  const std::lock_guard lock(mutex_);
  if (copies_ != nullptr) return "";
  std::vector<KernelRequest> requests;
  for (const size_t bytes : kCopyBytes) {
    requests.push_back({"mlxc_copy_" + std::to_string(bytes), {}, kCopyThreads, "rw", false});
  }
  auto library = std::make_unique<MetalLibrary>();
  std::string problem = library->openSource(device_.get(), kCopySource, std::move(requests));
  if (problem.empty()) copies_ = std::move(library);
  return problem;
}

const Kernel &MetalContext::copyKernel(size_t elementBytes) const {
  size_t i = 0;
  while (kCopyBytes[i] != elementBytes) i++;
  return copies_->kernels()[i];
}

void MetalContext::addTiming(Timing timing) {
  const std::lock_guard lock(mutex_);
  timings_.push_back(std::move(timing));
}

std::vector<Timing> MetalContext::takeTimings() {
  const std::lock_guard lock(mutex_);
  return std::exchange(timings_, {});
}

std::string MetalContext::startCapture(const std::string &path) {
  return guarded([&]() -> std::string {
    MTLCaptureManager *manager = [MTLCaptureManager sharedCaptureManager];
    if (![manager supportsDestination:MTLCaptureDestinationGPUTraceDocument]) {
      return "this process may not capture: start it with MTL_CAPTURE_ENABLED=1";
    }
    MTLCaptureDescriptor *descriptor = [[[MTLCaptureDescriptor alloc] init] autorelease];
    descriptor.captureObject = device_.get();
    descriptor.destination = MTLCaptureDestinationGPUTraceDocument;
    descriptor.outputURL = [NSURL fileURLWithPath:stringOf(path)];
    NSError *error = nil;
    if ([manager startCaptureWithDescriptor:descriptor error:&error]) return "";
    return describe(error, "the capture does not start");
  });
}

std::string MetalContext::stopCapture() {
  return guarded([]() -> std::string {
    MTLCaptureManager *manager = [MTLCaptureManager sharedCaptureManager];
    if (![manager isCapturing]) return "nothing is being captured";
    [manager stopCapture];
    return "";
  });
}

}  // namespace mlxc
