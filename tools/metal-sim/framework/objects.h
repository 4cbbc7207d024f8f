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

struct SimBufferState {
  metal_sim::AllocationReference allocation{};
  void *memory_{};
  NSUInteger length_{};
  MTLResourceOptions options_{};
  MTLBufferDeallocator deallocator_{};
  BOOL isOwned_{};
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
@end

struct SimFunctionState {
  const metal_sim_kernel *kernel{};
  BOOL needsConstants{};
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
                      device:(id<MTLDevice>)device;
@end

@interface SimLibrary : NSObject <MTLLibrary> {
  struct SimLibraryState *s;
  NSString *label_;
}
/** nil with an error when the source does not compile. */
- (instancetype)initWithSource:(NSString *)source device:(id<MTLDevice>)device error:(NSError **)error;
@end

struct SimPipelineState {
  const metal_sim_kernel *kernel{};
  BOOL promisesWholeSimdgroups{};
  NSString *label_{};
  NSUInteger maxThreads_{};
  id<MTLDevice> device_{};
};

@interface SimPipeline : NSObject <MTLComputePipelineState> {
 @public
  struct SimPipelineState *s;
  NSString *label_;
}
- (instancetype)initWithFunction:(SimFunction *)function
                           label:(NSString *)label
                      maxThreads:(NSUInteger)maxThreads
                        multiple:(BOOL)multiple
                          device:(id<MTLDevice>)device;
@end

@class SimQueue, SimCommandBuffer;

/** What a committed command buffer does, in order: each entry runs on the thread of its queue; false ends the buffer. */
struct SimCommand {
  std::function<bool(SimCommandBuffer *)> run;
};

struct SimCommandBufferState {
  std::vector<SimCommand> commands{};
  BOOL isEncoding{};
  SimQueue *queue_{};
  BOOL isRetained_{};
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
- (instancetype)initWithQueue:(SimQueue *)queue retained:(BOOL)retained;
- (void)failWithCode:(MTLCommandBufferError)code message:(const std::string &)message;
/** On the thread of the queue. */
- (void)execute;
@end

@interface SimQueue : NSObject <MTLCommandQueue> {
  struct SimQueueState *s;
  NSString *label_;
}
- (instancetype)initWithDevice:(id<MTLDevice>)device count:(NSUInteger)count;
- (void)enqueue:(SimCommandBuffer *)buffer;
- (void)committed:(SimCommandBuffer *)buffer;
- (void)ended;
@end

@interface SimComputeEncoder : NSObject <MTLComputeCommandEncoder> {
  struct SimComputeEncoderState *s;
  NSString *label_;
}
- (instancetype)initWithCommandBuffer:(SimCommandBuffer *)buffer type:(MTLDispatchType)type;
@end

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
@end

@interface SimFence : NSObject <MTLFence> {
  struct SimFenceState *s;
  NSString *label_;
}
- (instancetype)initWithDevice:(id<MTLDevice>)device;
@end

/** One engine runs one dispatch at a time. */
std::unique_lock<std::mutex> SimLockEngine(void);
