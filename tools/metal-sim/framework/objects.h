/** The classes behind Metal's protocols. */
#pragma once

#import <Metal/Metal.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "../engine/engine.h"
#include "order.h"

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
  id get() const { return object_; }

 private:
  id object_ = nil;
  bool isRetained_ = false;
};

/** The class of what is given must be the simulator's own. */
template <class T>
T *simulated(id object) {
  return (T *)object;
}

/** What resource options say, in Metal's layout of their bits. */
inline MTLCPUCacheMode SimCacheMode(MTLResourceOptions options) { return static_cast<MTLCPUCacheMode>(options & 15); }
inline MTLStorageMode SimStorageMode(MTLResourceOptions options) { return static_cast<MTLStorageMode>((options >> 4) & 15); }
/** Of a resource that is in no heap: tracked by default. */
inline MTLHazardTrackingMode SimHazardTrackingMode(MTLResourceOptions options) {
  const auto mode = static_cast<MTLHazardTrackingMode>((options >> 8) & 3);
  return mode == MTLHazardTrackingModeDefault ? MTLHazardTrackingModeTracked : mode;
}

@class SimHeap;

struct SimBufferState {
  metal_sim::AllocationReference allocation{};
  void *memory_{};
  NSUInteger length_{};
  MTLResourceOptions options_{};
  MTLBufferDeallocator deallocator_{};
  BOOL isOwned_{};
  SimHeap *heap_{};
  NSUInteger heapOffset_{};
  BOOL isAliasable_{};
  id<MTLDevice> device_{};
};

@interface SimBuffer : NSObject <MTLBuffer> {
 @public
  struct SimBufferState *s;
  NSString *label_;
}
- (instancetype)initWithLength:(NSUInteger)length options:(MTLResourceOptions)options device:(id<MTLDevice>)device;
- (instancetype)initWithBytesNoCopy:(void *)bytes
                             length:(NSUInteger)length
                            options:(MTLResourceOptions)options
                        deallocator:(MTLBufferDeallocator)deallocator
                             device:(id<MTLDevice>)device;
- (instancetype)initInHeap:(SimHeap *)heap offset:(NSUInteger)offset length:(NSUInteger)length;
@end

@interface SimHeap : NSObject <MTLHeap> {
 @public
  struct SimHeapState *s;
  NSString *label_;
}
- (instancetype)initWithDescriptor:(MTLHeapDescriptor *)descriptor device:(id<MTLDevice>)device;
/** All of its memory, for kernels that reach it by address. */
- (const metal_sim::AllocationReference &)allocation;
- (metal_sim::AllocationReference)partAt:(NSUInteger)offset length:(NSUInteger)length;
- (void *)memory;
- (void)aliased:(SimBuffer *)buffer;
- (void)released:(SimBuffer *)buffer;
@end

/** The memory of a buffer or a heap; nullptr of another object. */
metal_sim::AllocationReference SimAllocationOf(id object);
NSUInteger SimRoundToPages(NSUInteger bytes);

@interface SimResidencySet : NSObject <MTLResidencySet> {
 @public
  struct SimResidencySetState *s;
}
- (instancetype)initWithDescriptor:(MTLResidencySetDescriptor *)descriptor device:(id<MTLDevice>)device;
/** What was committed. */
- (void)addTo:(std::vector<metal_sim::Resident> &)residents;
@end

struct SimFunctionState {
  const metal_sim_kernel *kernel{};
  BOOL needsConstants{};
  /** What the function was compiled from, its constants included. */
  std::string key{};
  NSDictionary *constants_{};
  NSString *name_{};
  id<MTLDevice> device_{};
};

/** A kernel of a loaded library. */
@interface SimFunction : NSObject <MTLFunction> {
 @public
  struct SimFunctionState *s;
  NSString *label_;
}
- (instancetype)initWithName:(NSString *)name
                      kernel:(const metal_sim_kernel *)kernel
              needsConstants:(BOOL)needsConstants
                         key:(const std::string &)key
                   constants:(NSDictionary *)constants
                      device:(id<MTLDevice>)device;
@end

@interface SimLibrary : NSObject <MTLLibrary> {
  struct SimLibraryState *s;
  NSString *label_;
}
/** nil with an error when the source does not compile. */
- (instancetype)initWithSource:(NSString *)source
                       options:(MTLCompileOptions *)options
                        device:(id<MTLDevice>)device
                         error:(NSError **)error;
@end

struct SimPipelineState {
  const metal_sim_kernel *kernel{};
  BOOL promisesWholeSimdgroups{};
  BOOL isForIndirectCommands{};
  NSString *label_{};
  NSUInteger maxThreads_{};
  id<MTLDevice> device_{};
};

@interface SimPipeline : NSObject <MTLComputePipelineState> {
 @public
  struct SimPipelineState *s;
  NSString *label_;
}
- (instancetype)initWithDescriptor:(MTLComputePipelineDescriptor *)descriptor device:(id<MTLDevice>)device;
@end

/** What the kernel takes. */
MTLComputePipelineReflection *SimReflectionOf(const metal_sim_kernel *kernel);

@interface SimArgumentEncoder : NSObject <MTLArgumentEncoder> {
  struct SimArgumentEncoderState *s;
  NSString *label_;
}
/** Of MTLArgumentDescriptor. */
- (instancetype)initWithArguments:(NSArray *)arguments device:(id<MTLDevice>)device;
/** Of the members of a struct. */
- (instancetype)initWithMembers:(const metal_sim_member *)members
                          count:(unsigned)count
                         length:(NSUInteger)length
                         device:(id<MTLDevice>)device;
@end

@interface SimBinaryArchive : NSObject <MTLBinaryArchive> {
  NSMutableSet *keys_;
  id<MTLDevice> device_;
  NSString *label_;
}
/** nil with an error when the file is no archive. */
- (instancetype)initWithURL:(NSURL *)url device:(id<MTLDevice>)device error:(NSError **)error;
- (BOOL)holds:(SimFunction *)function;
@end

@class SimQueue, SimCommandBuffer;

/** What a committed command buffer does, in order: each entry runs on the thread of its queue; false ends the buffer. */
struct SimCommand {
  std::function<bool(SimCommandBuffer *)> run;
  /** Of an encoder; nil for others. */
  NSString *label = nil;
  NSArray *signposts = nil;
};

/** What encoders of both kinds have: it is open from its making to endEncoding, and fences order it. */
struct SimEncoderState {
  SimCommandBuffer *buffer_{};
  BOOL isOpen_{};
  NSUInteger groups_{};
  NSMutableArray *signposts_{};
  std::vector<Kept> waits_{};
  std::vector<Kept> updates_{};

  void begin(SimCommandBuffer *buffer);
  /** Hands the commands to the command buffer: `run` gets the pass that they are in. */
  void end(NSString *label, std::function<bool(SimCommandBuffer *, const metal_sim::Pass &)> run);
  void requireOpen() const;
  void wait(id<MTLFence> fence);
  void update(id<MTLFence> fence);
  void signpost(NSString *text);
  void push();
  void pop();
  void dispose();
};

struct SimCommandBufferState {
  std::vector<SimCommand> commands{};
  BOOL isEncoding{};
  SimQueue *queue_{};
  BOOL isRetained_{};
  MTLCommandBufferErrorOption errorOptions_{};
  NSUInteger groups_{};
  /** What the host had seen the end of when this was committed. */
  metal_sim::Known known_{};
  /** What is over with this buffer. */
  metal_sim::Known ended_{};
  std::vector<Kept> residencySets_{};
  /** Copies: with GCC's runtime a block is no object. */
  std::vector<MTLCommandBufferHandler> scheduledHandlers_{};
  std::vector<MTLCommandBufferHandler> completedHandlers_{};
  NSError *error_{};
  std::atomic<MTLCommandBufferStatus> status_{};
  CFTimeInterval start_{};
  CFTimeInterval end_{};
  std::mutex mutex_{};
  std::condition_variable completed_{};
  /** After the completed handlers. */
  bool isDone_{};
};

@interface SimCommandBuffer : NSObject <MTLCommandBuffer> {
 @public
  struct SimCommandBufferState *s;
  NSString *label_;
}
- (instancetype)initWithQueue:(SimQueue *)queue retained:(BOOL)retained options:(MTLCommandBufferErrorOption)options;
- (void)failWithCode:(MTLCommandBufferError)code message:(const std::string &)message;
/** The buffer fails for what was found. */
- (void)failWithFinding:(const metal_sim::Finding &)finding;
/** What no encoder has to name: committed residency sets. */
- (void)addResidents:(std::vector<metal_sim::Resident> &)residents;
/** On the thread of the queue. */
- (void)execute;
@end

@interface SimQueue : NSObject <MTLCommandQueue> {
 @public
  struct SimQueueState *s;
  NSString *label_;
}
- (instancetype)initWithDevice:(id<MTLDevice>)device count:(NSUInteger)count;
- (void)enqueue:(SimCommandBuffer *)buffer;
- (void)committed:(SimCommandBuffer *)buffer;
- (void)ended;
/** Runs a completed handler, after those of earlier buffers. */
- (void)handle:(std::function<void()>)job;
- (uint32_t)number;
/** Of the thread of the queue. */
- (metal_sim::Known &)known;
/** After it the GPU takes nothing from this queue any more. */
- (void)hang;
- (BOOL)hasHung;
- (void)addResidents:(std::vector<metal_sim::Resident> &)residents;
@end

@interface SimComputeEncoder : NSObject <MTLComputeCommandEncoder> {
  struct SimComputeEncoderState *s;
  NSString *label_;
}
- (instancetype)initWithCommandBuffer:(SimCommandBuffer *)buffer descriptor:(MTLComputePassDescriptor *)descriptor;
@end

/** A command of an indirect command buffer as it is now. */
struct SimIndirectCommand {
  Kept pipeline;
  metal_sim::Dispatch dispatch;
  bool isDispatch = false;
  bool hasBarrier = false;
};

@interface SimIndirectBuffer : NSObject <MTLIndirectCommandBuffer> {
 @public
  struct SimIndirectBufferState *s;
  NSString *label_;
}
- (instancetype)initWithDescriptor:(MTLIndirectCommandBufferDescriptor *)descriptor
                             count:(NSUInteger)count
                           options:(MTLResourceOptions)options
                            device:(id<MTLDevice>)device;
- (MTLIndirectCommandBufferDescriptor *)descriptor;
- (std::vector<SimIndirectCommand> &)commands;
@end

@interface SimCounterSampleBuffer : NSObject <MTLCounterSampleBuffer> {
 @public
  MTLCounterSampleBufferDescriptor *descriptor_;
  id<MTLDevice> device_;
  std::vector<uint64_t> *samples_;
}
- (instancetype)initWithDescriptor:(MTLCounterSampleBufferDescriptor *)descriptor device:(id<MTLDevice>)device;
/** The time now, unless the index is MTLCounterDontSample. */
- (void)sampleAt:(NSUInteger)index;
@end
NSArray *SimCounterSets(void);

@interface SimBlitEncoder : NSObject <MTLBlitCommandEncoder> {
  struct SimBlitEncoderState *s;
  NSString *label_;
}
- (instancetype)initWithCommandBuffer:(SimCommandBuffer *)buffer;
@end

@interface SimEvent : NSObject <MTLSharedEvent> {
  struct SimEventState *s;
  NSString *label_;
}
- (instancetype)initWithDevice:(id<MTLDevice>)device;
- (void)signal:(uint64_t)value known:(const metal_sim::Known &)known;
/** What is over once it has been waited for. */
- (metal_sim::Known)known;
@end

struct SimFenceState {
  id<MTLDevice> device_{};
  uint32_t queue{};
  metal_sim::Known known{};
};

@interface SimFence : NSObject <MTLFence> {
 @public
  struct SimFenceState *s;
  NSString *label_;
}
- (instancetype)initWithDevice:(id<MTLDevice>)device;
@end

/** Seconds of a clock that only goes on. */
CFTimeInterval SimNow(void);
/** Rules about threadgroups that dispatches of every kind must keep. */
void SimCheckThreads(SimPipeline *pipeline, MTLSize threads, NSUInteger threadgroupMemory);
/** Options of resources from their parts. */
MTLResourceOptions SimOptions(MTLStorageMode storage, MTLCPUCacheMode cache, MTLHazardTrackingMode tracking);

/** One engine runs one dispatch at a time. */
std::unique_lock<std::mutex> SimLockEngine(void);
