/** Indirect command buffers: commands that stay, written by the host and run as often as it says. */
#import "assert.h"
#import "objects.h"

@implementation MTLIndirectCommandBufferDescriptor
@synthesize commandTypes, inheritPipelineState, inheritBuffers, maxVertexBufferBindCount, maxFragmentBufferBindCount,
    maxKernelBufferBindCount, maxKernelThreadgroupMemoryBindCount;
- (instancetype)init {
  self = [super init];
  inheritPipelineState = YES;
  inheritBuffers = YES;
  maxKernelBufferBindCount = METAL_SIM_BUFFERS;
  maxKernelThreadgroupMemoryBindCount = METAL_SIM_BUFFERS;
  return self;
}
- (id)copyWithZone:(NSZone *)zone {
  MTLIndirectCommandBufferDescriptor *copy = [[MTLIndirectCommandBufferDescriptor allocWithZone:zone] init];
  copy.commandTypes = commandTypes;
  copy.inheritPipelineState = inheritPipelineState;
  copy.inheritBuffers = inheritBuffers;
  copy.maxVertexBufferBindCount = maxVertexBufferBindCount;
  copy.maxFragmentBufferBindCount = maxFragmentBufferBindCount;
  copy.maxKernelBufferBindCount = maxKernelBufferBindCount;
  copy.maxKernelThreadgroupMemoryBindCount = maxKernelThreadgroupMemoryBindCount;
  return copy;
}
@end

struct SimIndirectBufferState {
  id<MTLDevice> device_{};
  MTLIndirectCommandBufferDescriptor *descriptor_{};
  MTLResourceOptions options_{};
  std::vector<SimIndirectCommand> commands_{};
};

/** Writes one command. */
@interface SimIndirectComputeCommand : NSObject <MTLIndirectComputeCommand> {
 @public
  SimIndirectBuffer *buffer_;
  NSUInteger index_;
}
@end

@implementation SimIndirectComputeCommand
- (void)dealloc {
  [buffer_ release];
  [super dealloc];
}
- (SimIndirectCommand &)command {
  return [buffer_ commands][index_];
}
- (void)setComputePipelineState:(id<MTLComputePipelineState>)pipeline {
  MTLSimAssert(pipeline != nil, @"computePipelineState must not be nil.");
  MTLSimAssert(![buffer_ descriptor].inheritPipelineState,
               @"setComputePipelineState: the indirect command buffer inherits its pipeline state (inheritPipelineState is YES).");
  MTLSimAssert([pipeline supportIndirectCommandBuffers],
               @"setComputePipelineState: the pipeline was not created with supportIndirectCommandBuffers.");
  [self command].pipeline = Kept(pipeline, true);
}
- (void)setKernelBuffer:(id<MTLBuffer>)buffer offset:(NSUInteger)offset atIndex:(NSUInteger)index {
  MTLIndirectCommandBufferDescriptor *descriptor = [buffer_ descriptor];
  MTLSimAssert(!descriptor.inheritBuffers, @"setKernelBuffer: the indirect command buffer inherits its buffers (inheritBuffers is YES).");
  MTLSimAssert(buffer != nil, @"setKernelBuffer: the buffer must not be nil.");
  MTLSimAssert(index < MIN(descriptor.maxKernelBufferBindCount, (NSUInteger)METAL_SIM_BUFFERS), @"index(%lu) must be < %lu.",
               (unsigned long)index, (unsigned long)MIN(descriptor.maxKernelBufferBindCount, (NSUInteger)METAL_SIM_BUFFERS));
  MTLSimAssert(offset < [buffer length], @"offset(%lu) must be < [buffer length](%lu).", (unsigned long)offset,
               (unsigned long)[buffer length]);
  SimIndirectCommand &command = [self command];
  command.dispatch.buffers[index] = {SimAllocationOf(buffer), offset};
}
- (void)setThreadgroupMemoryLength:(NSUInteger)length atIndex:(NSUInteger)index {
  MTLSimAssert(index < METAL_SIM_BUFFERS, @"index(%lu) must be < 31.", (unsigned long)index);
  MTLSimAssert(length % 16 == 0, @"length(%lu) must be a multiple of 16 bytes.", (unsigned long)length);
  [self command].dispatch.threadgroup_lengths[index] = static_cast<uint32_t>(length);
}
- (void)dispatch:(MTLSize)grid threads:(MTLSize)threads nonuniform:(BOOL)isNonuniform {
  const MTLIndirectCommandType needed = isNonuniform ? MTLIndirectCommandTypeConcurrentDispatchThreads : MTLIndirectCommandTypeConcurrentDispatch;
  MTLSimAssert(([buffer_ descriptor].commandTypes & needed) != 0, @"The indirect command buffer has no commands of type %lu (commandTypes is %lu).",
               (unsigned long)needed, (unsigned long)[buffer_ descriptor].commandTypes);
  MTLSimAssert(grid.width * grid.height * grid.depth > 0, @"(%s.width(%lu) * height(%lu) * depth(%lu))(0) must not be 0.",
               isNonuniform ? "threadsPerGrid" : "threadgroupsPerGrid", (unsigned long)grid.width, (unsigned long)grid.height,
               (unsigned long)grid.depth);
  SimIndirectCommand &command = [self command];
  if (command.pipeline.get() != nil) {
    NSUInteger memory = 0;
    for (const uint32_t length : command.dispatch.threadgroup_lengths) memory += length;
    SimCheckThreads(command.pipeline.get(), threads, memory);
  }
  const auto size = [](MTLSize from) {
    return metal_sim::Size{static_cast<uint32_t>(from.width), static_cast<uint32_t>(from.height), static_cast<uint32_t>(from.depth)};
  };
  command.dispatch.grid = size(grid);
  command.dispatch.threadgroup = size(threads);
  command.dispatch.is_nonuniform = isNonuniform;
  command.isDispatch = true;
}
- (void)concurrentDispatchThreadgroups:(MTLSize)groups threadsPerThreadgroup:(MTLSize)threads {
  [self dispatch:groups threads:threads nonuniform:NO];
}
- (void)concurrentDispatchThreads:(MTLSize)grid threadsPerThreadgroup:(MTLSize)threads {
  [self dispatch:grid threads:threads nonuniform:YES];
}
- (void)setBarrier {
  [self command].hasBarrier = true;
}
- (void)clearBarrier {
  [self command].hasBarrier = false;
}
- (void)reset {
  [self command] = {};
}
@end

@implementation SimIndirectBuffer

@synthesize label = label_;

- (instancetype)initWithDescriptor:(MTLIndirectCommandBufferDescriptor *)descriptor
                             count:(NSUInteger)count
                           options:(MTLResourceOptions)options
                            device:(id<MTLDevice>)device {
  self = [super init];
  s = new SimIndirectBufferState;
  const NSUInteger compute = MTLIndirectCommandTypeConcurrentDispatch | MTLIndirectCommandTypeConcurrentDispatchThreads;
  MTLSimAssert(descriptor != nil && count > 0, @"newIndirectCommandBufferWithDescriptor: needs a descriptor and commands.");
  MTLSimAssert(descriptor.commandTypes != 0 && (descriptor.commandTypes & ~compute) == 0,
               @"commandTypes(%lu): the simulator has indirect commands that dispatch kernels only.", (unsigned long)descriptor.commandTypes);
  s->descriptor_ = [descriptor copy];
  s->options_ = options;
  s->device_ = device;
  s->commands_.resize(count);
  return self;
}
- (void)dealloc {
  [s->descriptor_ release];
  [label_ release];
  delete s;
  [super dealloc];
}
- (MTLIndirectCommandBufferDescriptor *)descriptor {
  return s->descriptor_;
}
- (std::vector<SimIndirectCommand> &)commands {
  return s->commands_;
}
- (NSUInteger)size {
  return s->commands_.size();
}
- (void)resetWithRange:(NSRange)range {
  MTLSimAssert(NSMaxRange(range) <= s->commands_.size(), @"resetWithRange: the range ends beyond size(%lu).",
               (unsigned long)s->commands_.size());
  for (NSUInteger i = range.location; i < NSMaxRange(range); i++) s->commands_[i] = {};
}
- (id<MTLIndirectComputeCommand>)indirectComputeCommandAtIndex:(NSUInteger)index {
  MTLSimAssert(index < s->commands_.size(), @"indirectComputeCommandAtIndex: index(%lu) must be < size(%lu).", (unsigned long)index,
               (unsigned long)s->commands_.size());
  SimIndirectComputeCommand *command = [[[SimIndirectComputeCommand alloc] init] autorelease];
  command->buffer_ = [self retain];
  command->index_ = index;
  return command;
}
- (MTLResourceID)gpuResourceID {
  return {reinterpret_cast<uintptr_t>(self)};
}
- (id<MTLDevice>)device {
  return s->device_;
}
- (NSUInteger)allocatedSize {
  return SimRoundToPages(s->commands_.size() * 256);
}
- (MTLCPUCacheMode)cpuCacheMode {
  return SimCacheMode(s->options_);
}
- (MTLStorageMode)storageMode {
  return SimStorageMode(s->options_);
}
- (MTLHazardTrackingMode)hazardTrackingMode {
  return SimHazardTrackingMode(s->options_);
}
- (MTLResourceOptions)resourceOptions {
  return s->options_;
}
- (id<MTLHeap>)heap {
  return nil;
}
- (NSUInteger)heapOffset {
  return 0;
}
- (void)makeAliasable {
  MTLSimAssert(NO, @"makeAliasable: the resource was not allocated from a heap.");
}
- (BOOL)isAliasable {
  return NO;
}
- (MTLPurgeableState)setPurgeableState:(MTLPurgeableState)state {
  (void)state;
  return MTLPurgeableStateNonVolatile;
}

@end
