/** Encoders: what is encoded is checked as Metal's debug layer checks it, recorded, and run when the command buffer is. */
#import "objects.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <numeric>
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
  MTLSimAssert(size.width <= UINT32_MAX && size.height <= UINT32_MAX && size.depth <= UINT32_MAX,
               @"(%lu, %lu, %lu): each size of a grid must be < 4294967296.", (unsigned long)size.width, (unsigned long)size.height,
               (unsigned long)size.depth);
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

/** One dispatch, a barrier between dispatches, or the commands of an indirect command buffer. */
struct Recorded {
  enum class Kind { dispatch, barrier, resources, commands } kind = Kind::dispatch;
  Dispatch dispatch;
  std::vector<std::shared_ptr<Bytes>> bytes;
  std::vector<Kept> kept;
  /** Of a barrier for some resources. */
  std::vector<AllocationReference> resources;
  /** Where the numbers of groups come from, for an indirect dispatch. */
  AllocationReference indirect;
  NSUInteger indirectOffset = 0;
  /** Of an indirect command buffer; `dispatch` holds what its commands inherit. */
  Kept commands;
  NSRange range = NSMakeRange(0, 0);
};

std::mt19937_64 &randomNumbers() {
  static std::mt19937_64 random{[] {
    const char *seed = std::getenv("METAL_SIM_SEED");
    const auto number = static_cast<uint64_t>(seed == nullptr ? 1 : std::atoll(seed));
    Engine::shared().seed(number);
    return number;
  }()};
  return random;
}

/** Runs the commands of one encoder. */
class Runner {
 public:
  Runner(SimCommandBuffer *buffer, const metal_sim::Pass &pass, bool isConcurrent)
      : buffer_(buffer), pass_(pass), isConcurrent_(isConcurrent), unorderedSince_(Engine::shared().next_dispatch()) {
    [buffer addResidents:residents_];
  }

  bool runAll(std::vector<Recorded> &recorded) {
    for (Recorded &next : recorded) {
      if (next.kind == Recorded::Kind::dispatch || next.kind == Recorded::Kind::commands) {
        group_.push_back(&next);
        continue;
      }
      if (!runGroup()) return false;
      // after a barrier for some memory all else is as unordered as before
      if (next.kind == Recorded::Kind::barrier) unorderedSince_ = Engine::shared().next_dispatch();
      for (const AllocationReference &resource : next.resources) resource->ordered_until = Engine::shared().next_dispatch() - 1;
    }
    return runGroup();
  }

 private:
  /** Runs the dispatches between two barriers; when nothing orders them, in any order. */
  bool runGroup() {
    if (isConcurrent_) std::shuffle(group_.begin(), group_.end(), randomNumbers());
    for (Recorded *recorded : group_) {
      if (!isConcurrent_) unorderedSince_ = Engine::shared().next_dispatch();
      const bool isGood = recorded->kind == Recorded::Kind::commands ? runCommands(*recorded) : runDispatch(*recorded);
      if (!isGood) return false;
    }
    group_.clear();
    return true;
  }

  bool fail(const Finding &finding) {
    [buffer_ failWithFinding:finding];
    return false;
  }

  bool run(Dispatch &dispatch) {
    dispatch.unordered_since = unorderedSince_;
    dispatch.ordering = &pass_;
    dispatch.resident.insert(dispatch.resident.end(), residents_.begin(), residents_.end());
    const std::vector<Finding> findings = Engine::shared().run(dispatch);
    return findings.empty() || fail(findings[0]);
  }

  bool runDispatch(Recorded &recorded) {
    if (recorded.indirect == nullptr) return run(recorded.dispatch);
    const metal_sim::Touched counts{recorded.indirect, recorded.indirectOffset, sizeof(MTLDispatchThreadgroupsIndirectArguments), false};
    if (recorded.indirect->is_released) return fail({"use-after-release", "an indirect dispatch reads a buffer that was released"});
    const auto found = Engine::shared().transfer("an indirect dispatch", {counts}, &pass_, unorderedSince_);
    if (!found.empty()) return fail(found[0]);
    const auto *groups = reinterpret_cast<const uint32_t *>(recorded.indirect->base + recorded.indirectOffset);
    recorded.dispatch.grid = {groups[0], groups[1], groups[2]};
    return recorded.dispatch.grid.count() == 0 || run(recorded.dispatch);
  }

  /** Commands run in any order up to one with a barrier. */
  bool runCommands(Recorded &recorded) {
    std::vector<SimIndirectCommand> &commands = [simulated<SimIndirectBuffer>(recorded.commands.get()) commands];
    const uint32_t before = unorderedSince_;
    if (!isConcurrent_) unorderedSince_ = Engine::shared().next_dispatch();
    std::vector<SimIndirectCommand *> together;
    const auto runTogether = [&] {
      std::shuffle(together.begin(), together.end(), randomNumbers());
      for (SimIndirectCommand *command : together) {
        if (!runCommand(recorded, *command)) return false;
      }
      together.clear();
      return true;
    };
    for (NSUInteger i = recorded.range.location; i < NSMaxRange(recorded.range); i++) {
      if (!commands[i].isDispatch) continue;
      if (commands[i].hasBarrier) {
        if (!runTogether()) return false;
        unorderedSince_ = Engine::shared().next_dispatch();
      }
      together.push_back(&commands[i]);
    }
    if (!runTogether()) return false;
    unorderedSince_ = isConcurrent_ ? before : Engine::shared().next_dispatch();
    return true;
  }

  bool isResident(const Dispatch &dispatch, const metal_sim::Allocation &allocation) const {
    const auto holds = [&](const metal_sim::Resident &resident) {
      const auto from = allocation.base - resident.allocation->base;
      return from < resident.allocation->length && from + allocation.length <= resident.allocation->length;
    };
    return std::any_of(dispatch.resident.begin(), dispatch.resident.end(), holds) ||
           std::any_of(residents_.begin(), residents_.end(), holds);
  }

  bool runCommand(const Recorded &recorded, const SimIndirectCommand &command) {
    Dispatch dispatch = command.dispatch;
    dispatch.resident = recorded.dispatch.resident;
    dispatch.source_name = recorded.dispatch.source_name;
    if (command.pipeline.get() == nil) dispatch.kernel = recorded.dispatch.kernel;
    else dispatch.kernel = simulated<SimPipeline>(command.pipeline.get())->s->kernel;
    if (dispatch.kernel == nullptr) return fail({"invalid-command", "an indirect command has no pipeline"});
    MTLIndirectCommandBufferDescriptor *descriptor = [simulated<SimIndirectBuffer>(recorded.commands.get()) descriptor];
    for (unsigned i = 0; i < METAL_SIM_BUFFERS; i++) {
      if (descriptor.inheritBuffers) dispatch.buffers[i] = recorded.dispatch.buffers[i];
      const AllocationReference &allocation = dispatch.buffers[i].allocation;
      if (descriptor.inheritBuffers || allocation == nullptr || isResident(dispatch, *allocation)) continue;
      return fail({"not-resident", std::string("an indirect command of kernel ") + dispatch.kernel->name + " binds at buffer(" +
                                       std::to_string(i) + ") what no useResource:usage: made resident"});
    }
    for (unsigned i = 0; i < dispatch.kernel->parameter_count; i++) {
      const metal_sim_parameter &p = dispatch.kernel->parameters[i];
      const bool isBuffer = p.kind == metal_sim_device_buffer || p.kind == metal_sim_constant_buffer;
      if (!isBuffer || p.is_absent != 0 || dispatch.buffers[p.index].allocation != nullptr) continue;
      return fail({"missing-binding", std::string("an indirect command of kernel ") + dispatch.kernel->name + " binds nothing at index " +
                                          std::to_string(p.index) + " for " + p.name});
    }
    return run(dispatch);
  }

  SimCommandBuffer *buffer_;
  const metal_sim::Pass &pass_;
  bool isConcurrent_;
  uint32_t unorderedSince_;
  std::vector<metal_sim::Resident> residents_;
  std::vector<Recorded *> group_;
};

}  // namespace

void SimCheckThreads(SimPipeline *pipeline, MTLSize threads, NSUInteger threadgroupMemory) {
  const NSUInteger count = threads.width * threads.height * threads.depth;
  NSString *shape = [NSString stringWithFormat:@"(threadsPerThreadgroup.width(%lu) * threadsPerThreadgroup.height(%lu) * "
                                               @"threadsPerThreadgroup.depth(%lu))(%lu)",
                                               (unsigned long)threads.width, (unsigned long)threads.height,
                                               (unsigned long)threads.depth, (unsigned long)count];
  MTLSimAssert(count > 0, @"%@ must not be 0.", shape);
  MTLSimAssert(count <= 1024, @"%@ must be <= 1024. (device threadgroup size limit)", shape);
  const NSUInteger most = [pipeline maxTotalThreadsPerThreadgroup];
  MTLSimAssert(count <= most, @"%@ must be <= %lu. (kernel threadgroup size limit)", shape, (unsigned long)most);
  MTLSimAssert(!pipeline->s->promisesWholeSimdgroups || count % METAL_SIM_LANES == 0, @"%@ must be multiples of 32.", shape);
  const NSUInteger memory = [pipeline staticThreadgroupMemoryLength] + threadgroupMemory;
  MTLSimAssert(memory <= 32768, @"Threadgroup memory size (%lu) exceeds the maximum threadgroup memory allowed (32768)",
               (unsigned long)memory);
}

// ---------------------------------------------------------------------------------------------------------

void SimEncoderState::begin(SimCommandBuffer *buffer) {
  buffer_ = [buffer retain];
  isOpen_ = YES;
  signposts_ = [[NSMutableArray alloc] init];
  buffer->s->isEncoding = YES;
}
void SimEncoderState::requireOpen() const { MTLSimAssert(isOpen_, @"encoding after endEncoding"); }
void SimEncoderState::wait(id<MTLFence> fence) {
  requireOpen();
  MTLSimAssert(fence != nil, @"waitForFence: the fence must not be nil.");
  const auto isSame = [&](const Kept &kept) { return kept.get() == fence; };
  MTLSimAssert(std::none_of(updates_.begin(), updates_.end(), isSame),
               @"waitForFence: the encoder has updated the fence already, and would wait for itself.");
  waits_.emplace_back(fence, true);
}
void SimEncoderState::update(id<MTLFence> fence) {
  requireOpen();
  MTLSimAssert(fence != nil, @"updateFence: the fence must not be nil.");
  updates_.emplace_back(fence, true);
}
void SimEncoderState::signpost(NSString *text) {
  requireOpen();
  [signposts_ addObject:text != nil ? text : @""];
}
void SimEncoderState::push() {
  requireOpen();
  groups_++;
}
void SimEncoderState::pop() {
  requireOpen();
  MTLSimAssert(groups_ > 0, @"popDebugGroup without pushDebugGroup:");
  groups_--;
}
void SimEncoderState::end(NSString *label, std::function<bool(SimCommandBuffer *, const metal_sim::Pass &)> run) {
  requireOpen();
  isOpen_ = NO;
  buffer_->s->isEncoding = NO;
  const auto execute = [run, waits = waits_, updates = updates_](SimCommandBuffer *buffer) {
    const auto lock = SimLockEngine();
    SimQueue *queue = buffer->s->queue_;
    metal_sim::Known known = [queue known];
    known.add(buffer->s->known_);
    for (const Kept &kept : waits) {
      // a fence orders encoders of one queue
      const SimFenceState &fence = *simulated<SimFence>(kept.get())->s;
      if (fence.queue == [queue number]) known.add(fence.known);
    }
    const metal_sim::Pass pass([queue number], known);
    const bool isGood = run(buffer, pass);
    for (const Kept &kept : updates) {
      SimFenceState &fence = *simulated<SimFence>(kept.get())->s;
      fence.queue = [queue number];
      fence.known = pass.known();
      fence.known.add(pass.number());
    }
    return isGood;
  };
  buffer_->s->commands.push_back({execute, [label copy], [signposts_ copy]});
}
void SimEncoderState::dispose() {
  if (isOpen_) MTLSimFatal(@"Command encoder released without endEncoding");
  if (isOpen_) buffer_->s->isEncoding = NO;
  [buffer_ release];
  [signposts_ release];
}

// ---------------------------------------------------------------------------------------------------------

struct SimComputeEncoderState : SimEncoderState {
  MTLComputePassDescriptor *descriptor_{};
  SimPipeline *pipeline_{};
  Dispatch state_{};
  std::array<std::shared_ptr<Bytes>, METAL_SIM_BUFFERS> bytes_{};
  std::array<Kept, METAL_SIM_BUFFERS> buffers_{};
  std::vector<Kept> used_{};
  std::shared_ptr<std::vector<Recorded>> recorded_{};
};

@implementation SimComputeEncoder

@synthesize label = label_;

- (instancetype)initWithCommandBuffer:(SimCommandBuffer *)buffer descriptor:(MTLComputePassDescriptor *)descriptor {
  self = [super init];
  s = new SimComputeEncoderState;
  s->begin(buffer);
  s->descriptor_ = [descriptor copy];
  s->recorded_ = std::make_shared<std::vector<Recorded>>();
  return self;
}

- (void)dealloc {
  s->dispose();
  [s->pipeline_ release];
  [s->descriptor_ release];
  [label_ release];
  delete s;
  [super dealloc];
}

- (id<MTLDevice>)device {
  return [s->buffer_ device];
}
- (MTLDispatchType)dispatchType {
  return s->descriptor_.dispatchType;
}

- (void)requireSlot:(NSUInteger)index {
  s->requireOpen();
  MTLSimAssert(index < METAL_SIM_BUFFERS, @"index(%lu) must be < 31.", (unsigned long)index);
}

- (void)setComputePipelineState:(id<MTLComputePipelineState>)state {
  s->requireOpen();
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

- (void)use:(id)object writable:(BOOL)isWritable {
  s->requireOpen();
  const AllocationReference allocation = SimAllocationOf(object);
  if (allocation == nullptr) return;  // an indirect command buffer
  s->used_.push_back(Kept(object, [s->buffer_ retainedReferences]));
  for (metal_sim::Resident &known : s->state_.resident) {
    if (known.allocation != allocation) continue;
    known.is_writable = known.is_writable || isWritable;
    return;
  }
  s->state_.resident.push_back({allocation, isWritable == YES, true});
}
- (void)useResource:(id<MTLResource>)resource usage:(MTLResourceUsage)usage {
  MTLSimAssert(resource != nil, @"useResource:usage: the resource must not be nil.");
  MTLSimAssert((usage & (MTLResourceUsageRead | MTLResourceUsageWrite)) != 0, @"useResource:usage: the usage must not be 0.");
  [self use:resource writable:(usage & MTLResourceUsageWrite) != 0];
}
- (void)useResources:(const id<MTLResource>[])resources count:(NSUInteger)count usage:(MTLResourceUsage)usage {
  for (NSUInteger i = 0; i < count; i++) [self useResource:resources[i] usage:usage];
}
- (void)useHeap:(id<MTLHeap>)heap {
  MTLSimAssert(heap != nil, @"useHeap: the heap must not be nil.");
  [self use:heap writable:YES];
}
- (void)useHeaps:(const id<MTLHeap>[])heaps count:(NSUInteger)count {
  for (NSUInteger i = 0; i < count; i++) [self useHeap:heaps[i]];
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

/** A command that gets all that is bound now. */
- (Recorded &)add:(Recorded::Kind)kind {
  Recorded &next = s->recorded_->emplace_back();
  next.kind = kind;
  next.dispatch = s->state_;
  next.dispatch.kernel = s->pipeline_ == nil ? nullptr : s->pipeline_->s->kernel;
  next.dispatch.source_name = "program_source";
  next.bytes.assign(s->bytes_.begin(), s->bytes_.end());
  next.kept.assign(s->buffers_.begin(), s->buffers_.end());
  next.kept.insert(next.kept.end(), s->used_.begin(), s->used_.end());
  next.kept.push_back(Kept(s->pipeline_, true));
  return next;
}

- (Recorded *)record:(MTLSize)grid threads:(MTLSize)threads nonuniform:(BOOL)isNonuniform {
  s->requireOpen();
  MTLSimAssert(s->pipeline_ != nil, @"dispatch without a compute pipeline state");
  SimCheckThreads(s->pipeline_, threads, std::accumulate(s->state_.threadgroup_lengths.begin(), s->state_.threadgroup_lengths.end(), 0u));
  [self checkArguments];
  Recorded &next = [self add:Recorded::Kind::dispatch];
  next.dispatch.grid = sizeOf(grid);
  next.dispatch.threadgroup = sizeOf(threads);
  next.dispatch.is_nonuniform = isNonuniform;
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
  MTLSimAssert(buffer != nil, @"dispatchThreadgroupsWithIndirectBuffer: the buffer must not be nil.");
  auto *counts = (SimBuffer *)buffer;
  MTLSimAssert(offset % 4 == 0 && offset + 12 <= [counts length], @"indirectBufferOffset(%lu) leaves no 12 bytes for the counts.",
               (unsigned long)offset);
  Recorded *recorded = [self record:MTLSizeMake(1, 1, 1) threads:threads nonuniform:NO];
  recorded->indirect = counts->s->allocation;
  recorded->indirectOffset = offset;
  recorded->kept.push_back(Kept(counts, [s->buffer_ retainedReferences]));
}

- (void)memoryBarrierWithScope:(MTLBarrierScope)scope {
  s->requireOpen();
  if ((scope & MTLBarrierScopeBuffers) == 0) return;
  s->recorded_->emplace_back();
  s->recorded_->back().kind = Recorded::Kind::barrier;
}
- (void)memoryBarrierWithResources:(const id<MTLResource>[])resources count:(NSUInteger)count {
  s->requireOpen();
  s->recorded_->emplace_back();
  Recorded &barrier = s->recorded_->back();
  barrier.kind = Recorded::Kind::resources;
  for (NSUInteger i = 0; i < count; i++) barrier.resources.push_back(((SimBuffer *)resources[i])->s->allocation);
}

- (void)executeCommandsInBuffer:(id<MTLIndirectCommandBuffer>)buffer withRange:(NSRange)range {
  s->requireOpen();
  MTLSimAssert(buffer != nil, @"executeCommandsInBuffer: the indirect command buffer must not be nil.");
  MTLSimAssert(NSMaxRange(range) <= [buffer size], @"executeCommandsInBuffer: range(%lu, %lu) ends beyond [indirectCommandBuffer size](%lu).",
               (unsigned long)range.location, (unsigned long)range.length, (unsigned long)[buffer size]);
  MTLIndirectCommandBufferDescriptor *descriptor = [simulated<SimIndirectBuffer>(buffer) descriptor];
  MTLSimAssert(!descriptor.inheritPipelineState || s->pipeline_ != nil,
               @"executeCommandsInBuffer: the commands inherit a pipeline state, and none is set.");
  Recorded &next = [self add:Recorded::Kind::commands];
  next.commands = Kept(buffer, [s->buffer_ retainedReferences]);
  next.range = range;
}
- (void)sampleCountersInBuffer:(id<MTLCounterSampleBuffer>)sampleBuffer
                 atSampleIndex:(NSUInteger)sampleIndex
                   withBarrier:(BOOL)barrier {
  (void)sampleBuffer;
  (void)sampleIndex;
  (void)barrier;
  MTLSimAssert(NO, @"sampleCountersInBuffer: is not supported on this device: counters are sampled at stage boundaries only.");
}

- (void)updateFence:(id<MTLFence>)fence {
  s->update(fence);
}
- (void)waitForFence:(id<MTLFence>)fence {
  s->wait(fence);
}
- (void)insertDebugSignpost:(NSString *)string {
  s->signpost(string);
}
- (void)pushDebugGroup:(NSString *)string {
  (void)string;
  s->push();
}
- (void)popDebugGroup {
  s->pop();
}

- (void)endEncoding {
  const bool isConcurrent = s->descriptor_.dispatchType == MTLDispatchTypeConcurrent;
  MTLComputePassSampleBufferAttachmentDescriptor *samples = [s->descriptor_.sampleBufferAttachments objectAtIndexedSubscript:0];
  const Kept counters(samples.sampleBuffer, true);
  const NSUInteger first = samples.startOfEncoderSampleIndex, last = samples.endOfEncoderSampleIndex;
  s->end(label_, [=, recorded = s->recorded_](SimCommandBuffer *buffer, const metal_sim::Pass &pass) {
    [simulated<SimCounterSampleBuffer>(counters.get()) sampleAt:first];
    const bool isGood = Runner(buffer, pass, isConcurrent).runAll(*recorded);
    [simulated<SimCounterSampleBuffer>(counters.get()) sampleAt:last];
    return isGood;
  });
}

@end
