/** Encoders: what is encoded is checked as Metal's debug layer checks it, recorded, and run when the command buffer is. */
#import "objects.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <random>

#import "assert.h"

namespace {

using metal_sim::AllocationReference;
using metal_sim::Dispatch;
using metal_sim::Engine;
using metal_sim::Finding;
using metal_sim::Size;

constexpr NSUInteger kMostBytes = 4096;
constexpr NSUInteger kOffsetAlignment = 4;

Size sizeOf(MTLSize size) {
  return {static_cast<uint32_t>(size.width), static_cast<uint32_t>(size.height), static_cast<uint32_t>(size.depth)};
}

/** Bytes set by `setBytes`: memory of their exact length, so that reading past them is found. */
class Bytes {
 public:
  Bytes(const void *from, size_t length) {
    // over-aligned and surrounded by nothing that is bound
    memory_ = std::aligned_alloc(64, (length + 127) / 64 * 64);
    std::memcpy(memory_, from, length);
    allocation = Engine::shared().memory().add(memory_, length, "setBytes");
  }
  ~Bytes() {
    Engine::shared().memory().forget(allocation);
    std::free(memory_);
  }
  Bytes(const Bytes &) = delete;
  Bytes &operator=(const Bytes &) = delete;

  AllocationReference allocation;

 private:
  void *memory_;
};

/** A reference to an Objective-C object, or only its address. */
class Kept {
 public:
  Kept() = default;
  Kept(id object, bool isRetained) : object_(isRetained ? [object retain] : object), isRetained_(isRetained) {}
  Kept(const Kept &other) : Kept(other.object_, other.isRetained_) {}
  Kept &operator=(Kept other) {
    std::swap(object_, other.object_);
    std::swap(isRetained_, other.isRetained_);
    return *this;
  }
  ~Kept() {
    if (isRetained_) [object_ release];
  }

 private:
  id object_ = nil;
  bool isRetained_ = false;
};

/** One dispatch, or a barrier between dispatches. */
struct Recorded {
  enum class Kind { dispatch, barrier, resources } kind = Kind::dispatch;
  Dispatch dispatch;
  std::vector<std::shared_ptr<Bytes>> bytes;
  std::vector<Kept> kept;
  /** Of a barrier for some resources. */
  std::vector<AllocationReference> resources;
  /** Where the numbers of groups come from, for an indirect dispatch. */
  AllocationReference indirect;
  NSUInteger indirectOffset = 0;
};

MTLCommandBufferError codeOf(const std::string &kind) {
  if (kind == "out-of-bounds" || kind == "use-after-release") return MTLCommandBufferErrorPageFault;
  if (kind == "divergent-barrier") return MTLCommandBufferErrorTimeout;
  return MTLCommandBufferErrorInternal;
}

/** Runs the dispatches between two barriers; when nothing orders them, in any order. */
bool runGroup(SimCommandBuffer *buffer, std::vector<Recorded *> &group, bool isConcurrent) {
  static std::mt19937_64 random{[] {
    const char *seed = std::getenv("METAL_SIM_SEED");
    const auto number = static_cast<uint64_t>(seed == nullptr ? 1 : std::atoll(seed));
    Engine::shared().seed(number);
    return number;
  }()};
  if (isConcurrent) std::shuffle(group.begin(), group.end(), random);
  const uint32_t first = Engine::shared().next_dispatch();
  for (Recorded *recorded : group) {
    Dispatch &dispatch = recorded->dispatch;
    dispatch.unordered_since = isConcurrent ? first : Engine::shared().next_dispatch();
    if (recorded->indirect != nullptr) {
      const auto *counts = reinterpret_cast<const uint32_t *>(recorded->indirect->base + recorded->indirectOffset);
      dispatch.grid = {counts[0], counts[1], counts[2]};
      if (dispatch.grid.count() == 0) continue;
    }
    const std::vector<Finding> findings = Engine::shared().run(dispatch);
    if (findings.empty()) continue;
    [buffer failWithCode:codeOf(findings[0].kind) message:findings[0].kind + ": " + findings[0].message];
    return false;
  }
  group.clear();
  return true;
}

bool runAll(SimCommandBuffer *buffer, std::vector<Recorded> &recorded, bool isConcurrent) {
  const auto lock = SimLockEngine();
  std::vector<Recorded *> group;
  for (Recorded &next : recorded) {
    switch (next.kind) {
      case Recorded::Kind::dispatch:
        group.push_back(&next);
        break;
      case Recorded::Kind::barrier:
        if (!runGroup(buffer, group, isConcurrent)) return false;
        break;
      case Recorded::Kind::resources: {
        // what comes before runs first; only the memory that was named counts as ordered
        if (!runGroup(buffer, group, isConcurrent)) return false;
        for (const AllocationReference &resource : next.resources) resource->ordered_until = Engine::shared().next_dispatch() - 1;
        break;
      }
    }
  }
  return runGroup(buffer, group, isConcurrent);
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------

struct SimComputeEncoderState {
  SimCommandBuffer *buffer_{};
  MTLDispatchType type_{};
  BOOL isOpen_{};
  SimPipeline *pipeline_{};
  Dispatch state_{};
  std::array<std::shared_ptr<Bytes>, METAL_SIM_BUFFERS> bytes_{};
  std::array<Kept, METAL_SIM_BUFFERS> buffers_{};
  std::vector<Kept> used_{};
  std::shared_ptr<std::vector<Recorded>> recorded_{};
};

@implementation SimComputeEncoder

@synthesize label = label_;

- (instancetype)initWithCommandBuffer:(SimCommandBuffer *)buffer type:(MTLDispatchType)type {
  self = [super init];
  s = new SimComputeEncoderState;
  s->buffer_ = [buffer retain];
  s->type_ = type;
  s->isOpen_ = YES;
  buffer->s->isEncoding = YES;
  s->recorded_ = std::make_shared<std::vector<Recorded>>();
  return self;
}

- (void)dealloc {
  if (s->isOpen_) {
    std::fprintf(stderr, "failed assertion: Command encoder released without endEncoding\n");
    std::abort();
  }
  [s->pipeline_ release];
  [s->buffer_ release];
  [label_ release];
  delete s;
  [super dealloc];
}

- (id<MTLDevice>)device {
  return [s->buffer_ device];
}
- (MTLDispatchType)dispatchType {
  return s->type_;
}

- (void)requireOpen {
  MTLSimAssert(s->isOpen_, @"encoding after endEncoding");
}
- (void)requireSlot:(NSUInteger)index {
  [self requireOpen];
  MTLSimAssert(index < METAL_SIM_BUFFERS, @"index(%lu) must be < 31.", (unsigned long)index);
}

- (void)setComputePipelineState:(id<MTLComputePipelineState>)state {
  [self requireOpen];
  MTLSimAssert(state != nil, @"computePipelineState must not be nil.");
  [state retain];
  [s->pipeline_ release];
  s->pipeline_ = (SimPipeline *)state;
}

- (void)setBytes:(const void *)bytes length:(NSUInteger)length atIndex:(NSUInteger)index {
  [self requireSlot:index];
  MTLSimAssert(bytes != nullptr && length > 0, @"setBytes: there must be bytes");
  MTLSimAssert(length <= kMostBytes, @"length(%lu) must be <= 4096.", (unsigned long)length);
  s->bytes_[index] = std::make_shared<Bytes>(bytes, length);
  s->buffers_[index] = Kept();
  s->state_.buffers[index] = {s->bytes_[index]->allocation, 0};
}

- (void)setBuffer:(id<MTLBuffer>)buffer offset:(NSUInteger)offset atIndex:(NSUInteger)index {
  [self requireSlot:index];
  s->bytes_[index] = nullptr;
  if (buffer == nil) {
    s->state_.buffers[index] = {};
    s->buffers_[index] = Kept();
    return;
  }
  auto *bound = (SimBuffer *)buffer;
  MTLSimAssert(offset < [bound length], @"offset(%lu) must be < [buffer length](%lu).", (unsigned long)offset,
               (unsigned long)[bound length]);
  MTLSimAssert(offset % kOffsetAlignment == 0, @"offset(%lu) must be a multiple of %lu bytes.", (unsigned long)offset,
               (unsigned long)kOffsetAlignment);
  s->buffers_[index] = Kept(bound, [s->buffer_ retainedReferences]);
  s->state_.buffers[index] = {bound->s->allocation, offset};
}

- (void)setBufferOffset:(NSUInteger)offset atIndex:(NSUInteger)index {
  [self requireSlot:index];
  const AllocationReference allocation = s->state_.buffers[index].allocation;
  MTLSimAssert(allocation != nullptr, @"setBufferOffset:atIndex: no buffer is bound at index %lu.", (unsigned long)index);
  MTLSimAssert(offset < allocation->length, @"offset(%lu) must be < [buffer length](%lu).", (unsigned long)offset,
               (unsigned long)allocation->length);
  MTLSimAssert(offset % kOffsetAlignment == 0, @"offset(%lu) must be a multiple of %lu bytes.", (unsigned long)offset,
               (unsigned long)kOffsetAlignment);
  s->state_.buffers[index].offset = offset;
}

- (void)setBuffers:(const id<MTLBuffer>[])buffers offsets:(const NSUInteger[])offsets withRange:(NSRange)range {
  for (NSUInteger i = 0; i < range.length; i++) {
    [self setBuffer:buffers[i] offset:offsets[i] atIndex:range.location + i];
  }
}

- (void)setThreadgroupMemoryLength:(NSUInteger)length atIndex:(NSUInteger)index {
  [self requireSlot:index];
  MTLSimAssert(length % 16 == 0, @"length(%lu) must be a multiple of 16 bytes.", (unsigned long)length);
  s->state_.threadgroup_lengths[index] = static_cast<uint32_t>(length);
}

- (void)useResource:(id<MTLResource>)resource usage:(MTLResourceUsage)usage {
  (void)usage;
  [self requireOpen];
  auto *buffer = (SimBuffer *)resource;
  s->state_.resident.push_back(buffer->s->allocation);
  s->used_.push_back(Kept(buffer, [s->buffer_ retainedReferences]));
}
- (void)useResources:(const id<MTLResource>[])resources count:(NSUInteger)count usage:(MTLResourceUsage)usage {
  for (NSUInteger i = 0; i < count; i++) [self useResource:resources[i] usage:usage];
}

- (void)checkArguments {
  const metal_sim_kernel *kernel = s->pipeline_->s->kernel;
  for (unsigned i = 0; i < kernel->parameter_count; i++) {
    const metal_sim_parameter &p = kernel->parameters[i];
    if (p.is_absent != 0 || p.kind == metal_sim_builtin) continue;
    if (p.kind == metal_sim_threadgroup_buffer) {
      MTLSimAssert(s->state_.threadgroup_lengths[p.index] > 0, @"Compute Function(%s): missing threadgroup memory binding at index %u for %s[0].",
                   kernel->name, p.index, p.name);
      continue;
    }
    const metal_sim::Binding &binding = s->state_.buffers[p.index];
    MTLSimAssert(binding.allocation != nullptr, @"Compute Function(%s): missing buffer binding at index %u for %s[0].", kernel->name,
                 p.index, p.name);
    const size_t space = binding.allocation->length - binding.offset;
    MTLSimAssert(space >= p.size,
                 @"Compute Function(%s): argument %s[0] from buffer(%u) with offset(%lu) and length(%lu) has space for %lu bytes, but "
                 @"argument has a length(%lu).",
                 kernel->name, p.name, p.index, (unsigned long)binding.offset, (unsigned long)binding.allocation->length,
                 (unsigned long)space, p.size);
    MTLSimAssert(p.is_writable == 0 || s->bytes_[p.index] == nullptr,
                 @"Read-only bytes are being bound at index %u to a shader argument with write access enabled", p.index);
  }
}

- (void)checkThreads:(MTLSize)threads {
  const NSUInteger count = threads.width * threads.height * threads.depth;
  NSString *shape = [NSString stringWithFormat:@"(threadsPerThreadgroup.width(%lu) * threadsPerThreadgroup.height(%lu) * "
                                               @"threadsPerThreadgroup.depth(%lu))(%lu)",
                                               (unsigned long)threads.width, (unsigned long)threads.height,
                                               (unsigned long)threads.depth, (unsigned long)count];
  MTLSimAssert(count > 0, @"%@ must not be 0.", shape);
  MTLSimAssert(count <= 1024, @"%@ must be <= 1024. (device threadgroup size limit)", shape);
  const NSUInteger most = [s->pipeline_ maxTotalThreadsPerThreadgroup];
  MTLSimAssert(count <= most, @"%@ must be <= %lu. (kernel threadgroup size limit)", shape, (unsigned long)most);
  MTLSimAssert(!s->pipeline_->s->promisesWholeSimdgroups || count % METAL_SIM_LANES == 0, @"%@ must be multiples of 32.", shape);
  NSUInteger memory = 0;
  for (const uint32_t length : s->state_.threadgroup_lengths) memory += length;
  MTLSimAssert(memory <= 32768, @"Threadgroup memory size (%lu) exceeds the maximum threadgroup memory allowed (32768)",
               (unsigned long)memory);
}

- (Recorded *)record:(MTLSize)grid threads:(MTLSize)threads nonuniform:(BOOL)isNonuniform {
  [self requireOpen];
  MTLSimAssert(s->pipeline_ != nil, @"dispatch without a compute pipeline state");
  [self checkThreads:threads];
  [self checkArguments];
  s->recorded_->emplace_back();
  Recorded &next = s->recorded_->back();
  next.dispatch = s->state_;
  next.dispatch.kernel = s->pipeline_->s->kernel;
  next.dispatch.source_name = "program_source";
  next.dispatch.grid = sizeOf(grid);
  next.dispatch.threadgroup = sizeOf(threads);
  next.dispatch.is_nonuniform = isNonuniform;
  next.bytes.assign(s->bytes_.begin(), s->bytes_.end());
  next.kept.assign(s->buffers_.begin(), s->buffers_.end());
  next.kept.insert(next.kept.end(), s->used_.begin(), s->used_.end());
  next.kept.push_back(Kept(s->pipeline_, true));
  return &next;
}

- (void)dispatchThreadgroups:(MTLSize)groups threadsPerThreadgroup:(MTLSize)threads {
  const NSUInteger count = groups.width * groups.height * groups.depth;
  MTLSimAssert(count > 0,
               @"(threadgroupsPerGrid.width(%lu) * threadgroupsPerGrid.height(%lu) * threadgroupsPerGrid.depth(%lu))(0) must not be 0.",
               (unsigned long)groups.width, (unsigned long)groups.height, (unsigned long)groups.depth);
  [self record:groups threads:threads nonuniform:NO];
}
- (void)dispatchThreads:(MTLSize)grid threadsPerThreadgroup:(MTLSize)threads {
  const NSUInteger count = grid.width * grid.height * grid.depth;
  MTLSimAssert(count > 0, @"(threadsPerGrid.width(%lu) * threadsPerGrid.height(%lu) * threadsPerGrid.depth(%lu))(0) must not be 0.",
               (unsigned long)grid.width, (unsigned long)grid.height, (unsigned long)grid.depth);
  [self record:grid threads:threads nonuniform:YES];
}
- (void)dispatchThreadgroupsWithIndirectBuffer:(id<MTLBuffer>)buffer
                          indirectBufferOffset:(NSUInteger)offset
                         threadsPerThreadgroup:(MTLSize)threads {
  auto *counts = (SimBuffer *)buffer;
  MTLSimAssert(offset % 4 == 0 && offset + 12 <= [counts length], @"indirectBufferOffset(%lu) leaves no 12 bytes for the counts.",
               (unsigned long)offset);
  Recorded *recorded = [self record:MTLSizeMake(1, 1, 1) threads:threads nonuniform:NO];
  recorded->indirect = counts->s->allocation;
  recorded->indirectOffset = offset;
  recorded->kept.push_back(Kept(counts, [s->buffer_ retainedReferences]));
}

- (void)memoryBarrierWithScope:(MTLBarrierScope)scope {
  [self requireOpen];
  if ((scope & MTLBarrierScopeBuffers) == 0) return;
  s->recorded_->emplace_back();
  s->recorded_->back().kind = Recorded::Kind::barrier;
}
- (void)memoryBarrierWithResources:(const id<MTLResource>[])resources count:(NSUInteger)count {
  [self requireOpen];
  s->recorded_->emplace_back();
  Recorded &barrier = s->recorded_->back();
  barrier.kind = Recorded::Kind::resources;
  for (NSUInteger i = 0; i < count; i++) barrier.resources.push_back(((SimBuffer *)resources[i])->s->allocation);
}

- (void)updateFence:(id<MTLFence>)fence {
  (void)fence;
  [self requireOpen];
}
- (void)waitForFence:(id<MTLFence>)fence {
  (void)fence;
  [self requireOpen];
}
- (void)insertDebugSignpost:(NSString *)string {
  (void)string;
}
- (void)pushDebugGroup:(NSString *)string {
  (void)string;
}
- (void)popDebugGroup {
}

- (void)endEncoding {
  [self requireOpen];
  s->isOpen_ = NO;
  s->buffer_->s->isEncoding = NO;
  const bool isConcurrent = s->type_ == MTLDispatchTypeConcurrent;
  s->buffer_->s->commands.push_back({[recorded = s->recorded_, isConcurrent](SimCommandBuffer *buffer) {
    return runAll(buffer, *recorded, isConcurrent);
  }});
}

@end

// ---------------------------------------------------------------------------------------------------------

struct SimBlitEncoderState {
  SimCommandBuffer *buffer_{};
  BOOL isOpen_{};
};

@implementation SimBlitEncoder

@synthesize label = label_;

- (instancetype)initWithCommandBuffer:(SimCommandBuffer *)buffer {
  self = [super init];
  s = new SimBlitEncoderState;
  s->buffer_ = [buffer retain];
  s->isOpen_ = YES;
  buffer->s->isEncoding = YES;
  return self;
}
- (void)dealloc {
  if (s->isOpen_) {
    std::fprintf(stderr, "failed assertion: Command encoder released without endEncoding\n");
    std::abort();
  }
  [s->buffer_ release];
  [label_ release];
  delete s;
  [super dealloc];
}
- (id<MTLDevice>)device {
  return [s->buffer_ device];
}

- (void)copyFromBuffer:(id<MTLBuffer>)source
          sourceOffset:(NSUInteger)sourceOffset
              toBuffer:(id<MTLBuffer>)destination
     destinationOffset:(NSUInteger)destinationOffset
                  size:(NSUInteger)size {
  MTLSimAssert(s->isOpen_, @"encoding after endEncoding");
  MTLSimAssert(size > 0, @"copyFromBuffer: size must not be 0.");
  MTLSimAssert(size % 4 == 0 && sourceOffset % 4 == 0 && destinationOffset % 4 == 0,
               @"copyFromBuffer: offsets (%lu, %lu) and size (%lu) must be multiples of 4 bytes.", (unsigned long)sourceOffset,
               (unsigned long)destinationOffset, (unsigned long)size);
  MTLSimAssert(sourceOffset + size <= [source length], @"sourceOffset(%lu) + size(%lu) must be <= [source length](%lu).",
               (unsigned long)sourceOffset, (unsigned long)size, (unsigned long)[source length]);
  MTLSimAssert(destinationOffset + size <= [destination length], @"destinationOffset(%lu) + size(%lu) must be <= [destination length](%lu).",
               (unsigned long)destinationOffset, (unsigned long)size, (unsigned long)[destination length]);
  const bool isRetained = [s->buffer_ retainedReferences];
  const AllocationReference from = ((SimBuffer *)source)->s->allocation;
  const AllocationReference to = ((SimBuffer *)destination)->s->allocation;
  const Kept keptSource(source, isRetained);
  const Kept keptDestination(destination, isRetained);
  s->buffer_->s->commands.push_back({[=](SimCommandBuffer *buffer) {
    (void)keptSource;
    (void)keptDestination;
    const auto lock = SimLockEngine();
    if (from->is_released || to->is_released) {
      [buffer failWithCode:MTLCommandBufferErrorInvalidResource message:"use-after-release: a copy of a buffer that was released"];
      return false;
    }
    std::memmove(reinterpret_cast<char *>(to->base) + destinationOffset, reinterpret_cast<const char *>(from->base) + sourceOffset, size);
    return true;
  }});
}

- (void)fillBuffer:(id<MTLBuffer>)target range:(NSRange)range value:(uint8_t)value {
  MTLSimAssert(s->isOpen_, @"encoding after endEncoding");
  MTLSimAssert(range.length > 0 && range.location % 4 == 0 && range.length % 4 == 0,
               @"fillBuffer: range (%lu, %lu) must be multiples of 4 bytes.", (unsigned long)range.location, (unsigned long)range.length);
  MTLSimAssert(range.location + range.length <= [target length], @"fillBuffer: the range ends beyond [buffer length](%lu).",
               (unsigned long)[target length]);
  const AllocationReference to = ((SimBuffer *)target)->s->allocation;
  const Kept kept(target, [s->buffer_ retainedReferences]);
  s->buffer_->s->commands.push_back({[=](SimCommandBuffer *) {
    (void)kept;
    const auto lock = SimLockEngine();
    std::memset(reinterpret_cast<char *>(to->base) + range.location, value, range.length);
    return true;
  }});
}

- (void)updateFence:(id<MTLFence>)fence {
  (void)fence;
}
- (void)waitForFence:(id<MTLFence>)fence {
  (void)fence;
}
- (void)insertDebugSignpost:(NSString *)string {
  (void)string;
}
- (void)pushDebugGroup:(NSString *)string {
  (void)string;
}
- (void)popDebugGroup {
}
- (void)endEncoding {
  MTLSimAssert(s->isOpen_, @"endEncoding twice");
  s->isOpen_ = NO;
  s->buffer_->s->isEncoding = NO;
}

@end
