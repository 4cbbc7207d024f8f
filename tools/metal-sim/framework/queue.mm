/** Queues and command buffers: what was committed runs in order on a thread of the queue. */
#import "objects.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#import "assert.h"

NSString *const MTLCommandBufferErrorDomain = @"MTLCommandBufferErrorDomain";

std::unique_lock<std::mutex> SimLockEngine(void) {
  static std::mutex mutex;
  return std::unique_lock<std::mutex>(mutex);
}

namespace {

CFTimeInterval now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

struct SimQueueState {
  id<MTLDevice> device_{};
  NSUInteger most_{};
  NSUInteger uncompleted_{};
  std::mutex mutex_{};
  std::condition_variable changed_{};
  /** In the order of enqueue; the first runs once it is committed. */
  std::deque<SimCommandBuffer *> order_{};
  BOOL isEnding_{};
  std::thread thread_{};
};

@implementation SimQueue

@synthesize label = label_;

- (instancetype)initWithDevice:(id<MTLDevice>)device count:(NSUInteger)count {
  self = [super init];
  s = new SimQueueState;
  s->device_ = device;
  s->most_ = count;
  return self;
}

- (void)dealloc {
  {
    const std::lock_guard lock(s->mutex_);
    s->isEnding_ = YES;
    s->changed_.notify_all();
  }
  if (s->thread_.joinable()) {
    // the last reference may be let go by a handler, on the queue's own thread
    if (s->thread_.get_id() == std::this_thread::get_id()) s->thread_.detach();
    else s->thread_.join();
  }
  [label_ release];
  delete s;
  [super dealloc];
}

- (id<MTLDevice>)device {
  return s->device_;
}

- (SimCommandBuffer *)makeBuffer:(BOOL)isRetained {
  {
    // as Metal does: with too many that have not completed, this waits
    std::unique_lock lock(s->mutex_);
    s->changed_.wait(lock, [&] { return s->uncompleted_ < s->most_; });
    s->uncompleted_++;
  }
  return [[[SimCommandBuffer alloc] initWithQueue:self retained:isRetained] autorelease];
}
- (id<MTLCommandBuffer>)commandBuffer {
  return [self makeBuffer:YES];
}
- (id<MTLCommandBuffer>)commandBufferWithUnretainedReferences {
  return [self makeBuffer:NO];
}
- (id<MTLCommandBuffer>)commandBufferWithDescriptor:(MTLCommandBufferDescriptor *)descriptor {
  return [self makeBuffer:descriptor.retainedReferences];
}

- (void)enqueue:(SimCommandBuffer *)buffer {
  const std::lock_guard lock(s->mutex_);
  s->order_.push_back([buffer retain]);
}

- (void)committed:(SimCommandBuffer *)buffer {
  (void)buffer;
  const std::lock_guard lock(s->mutex_);
  if (!s->thread_.joinable()) s->thread_ = std::thread([self] { [self work]; });
  s->changed_.notify_all();
}

- (void)ended {
  const std::lock_guard lock(s->mutex_);
  s->uncompleted_--;
  s->changed_.notify_all();
}

- (void)work {
  [NSThread currentThread];
  for (;;) {
    NSAutoreleasePool *pool = [[NSAutoreleasePool alloc] init];
    SimCommandBuffer *next = nil;
    {
      std::unique_lock lock(s->mutex_);
      s->changed_.wait(lock, [&] {
        return s->isEnding_ || (!s->order_.empty() && [s->order_.front() status] >= MTLCommandBufferStatusCommitted);
      });
      if (s->order_.empty() || [s->order_.front() status] < MTLCommandBufferStatusCommitted) {
        [pool release];
        return;
      }
      next = s->order_.front();
      s->order_.pop_front();
    }
    [next execute];
    [next release];
    [pool release];
  }
}

@end

@implementation SimCommandBuffer

@synthesize label = label_;

- (instancetype)initWithQueue:(SimQueue *)queue retained:(BOOL)retained {
  self = [super init];
  s = new SimCommandBufferState;
  s->queue_ = [queue retain];
  s->isRetained_ = retained;
  s->status_ = MTLCommandBufferStatusNotEnqueued;
  return self;
}

- (void)dealloc {
  // never committed: it does not count any longer
  if (s->status_.load() < MTLCommandBufferStatusCommitted) [s->queue_ ended];
  s->commands.clear();
  for (MTLCommandBufferHandler handler : s->scheduledHandlers_) Block_release(handler);
  for (MTLCommandBufferHandler handler : s->completedHandlers_) Block_release(handler);
  [s->error_ release];
  [label_ release];
  [s->queue_ release];
  delete s;
  [super dealloc];
}

- (id<MTLDevice>)device {
  return [s->queue_ device];
}
- (id<MTLCommandQueue>)commandQueue {
  return s->queue_;
}
- (BOOL)retainedReferences {
  return s->isRetained_;
}
- (MTLCommandBufferStatus)status {
  return s->status_.load();
}
- (NSError *)error {
  const std::lock_guard lock(s->mutex_);
  return [[s->error_ retain] autorelease];
}
- (CFTimeInterval)kernelStartTime {
  return s->start_;
}
- (CFTimeInterval)kernelEndTime {
  return s->end_;
}
- (CFTimeInterval)GPUStartTime {
  return s->start_;
}
- (CFTimeInterval)GPUEndTime {
  return s->end_;
}

- (void)enqueue {
  MTLSimAssert(s->status_.load() == MTLCommandBufferStatusNotEnqueued, @"enqueue: the command buffer is already enqueued");
  s->status_ = MTLCommandBufferStatusEnqueued;
  [s->queue_ enqueue:self];
}

- (void)commit {
  MTLSimAssert(s->status_.load() < MTLCommandBufferStatusCommitted, @"commit an already committed command buffer");
  MTLSimAssert(!s->isEncoding, @"commit command buffer with uncommitted encoder");
  if (s->status_.load() == MTLCommandBufferStatusNotEnqueued) [self enqueue];
  s->status_ = MTLCommandBufferStatusCommitted;
  [s->queue_ committed:self];
}

- (void)addScheduledHandler:(MTLCommandBufferHandler)block {
  MTLSimAssert(s->status_.load() < MTLCommandBufferStatusCommitted, @"Scheduled handler provided after commit call");
  s->scheduledHandlers_.push_back(Block_copy(block));
}
- (void)addCompletedHandler:(MTLCommandBufferHandler)block {
  MTLSimAssert(s->status_.load() < MTLCommandBufferStatusCommitted, @"Completed handler provided after commit call");
  s->completedHandlers_.push_back(Block_copy(block));
}

- (void)waitUntilScheduled {
  std::unique_lock lock(s->mutex_);
  s->completed_.wait(lock, [&] { return s->status_.load() >= MTLCommandBufferStatusScheduled; });
}
- (void)waitUntilCompleted {
  MTLSimAssert(s->status_.load() >= MTLCommandBufferStatusCommitted, @"waitUntilCompleted before commit blocks forever");
  std::unique_lock lock(s->mutex_);
  s->completed_.wait(lock, [&] { return s->isDone_; });
}

- (void)requireNoEncoder:(NSString *)what {
  MTLSimAssert(s->status_.load() < MTLCommandBufferStatusCommitted, @"%@ on a committed command buffer", what);
  MTLSimAssert(!s->isEncoding, @"A command encoder is already encoding to this command buffer");
}
- (id<MTLBlitCommandEncoder>)blitCommandEncoder {
  [self requireNoEncoder:@"blitCommandEncoder"];
  return [[[SimBlitEncoder alloc] initWithCommandBuffer:self] autorelease];
}
- (id<MTLComputeCommandEncoder>)computeCommandEncoder {
  return [self computeCommandEncoderWithDispatchType:MTLDispatchTypeSerial];
}
- (id<MTLComputeCommandEncoder>)computeCommandEncoderWithDispatchType:(MTLDispatchType)type {
  [self requireNoEncoder:@"computeCommandEncoder"];
  return [[[SimComputeEncoder alloc] initWithCommandBuffer:self type:type] autorelease];
}

- (void)encodeWaitForEvent:(id<MTLEvent>)event value:(uint64_t)value {
  MTLSimAssert(!s->isEncoding, @"encodeWaitForEvent:value: with uncommitted encoder");
  SimEvent *shared = (SimEvent *)[[event retain] autorelease];
  s->commands.push_back({[shared, value](SimCommandBuffer *) {
    [shared waitUntilSignaledValue:value timeoutMS:UINT64_MAX];
    return true;
  }});
}
- (void)encodeSignalEvent:(id<MTLEvent>)event value:(uint64_t)value {
  MTLSimAssert(!s->isEncoding, @"encodeSignalEvent:value: with uncommitted encoder");
  SimEvent *shared = (SimEvent *)event;
  s->commands.push_back({[shared, value](SimCommandBuffer *) {
    [shared setSignaledValue:value];
    return true;
  }});
}
- (void)pushDebugGroup:(NSString *)string {
  (void)string;
}
- (void)popDebugGroup {
}

- (void)failWithCode:(MTLCommandBufferError)code message:(const std::string &)message {
  NSString *text = [NSString stringWithUTF8String:message.c_str()];
  const std::lock_guard lock(s->mutex_);
  s->error_ = [[NSError alloc] initWithDomain:MTLCommandBufferErrorDomain
                                      code:(NSInteger)code
                                  userInfo:@{NSLocalizedDescriptionKey : text}];
}

- (void)setStatus:(MTLCommandBufferStatus)status {
  const std::lock_guard lock(s->mutex_);
  s->status_ = status;
  s->completed_.notify_all();
}

- (void)execute {
  [self setStatus:MTLCommandBufferStatusScheduled];
  for (MTLCommandBufferHandler handler : s->scheduledHandlers_) handler(self);
  s->start_ = now();
  bool isGood = true;
  for (const SimCommand &command : s->commands) {
    // after an error nothing runs, signals of events included
    isGood = isGood && command.run(self);
  }
  s->end_ = now();
  s->commands.clear();
  [s->queue_ ended];
  [self setStatus:isGood ? MTLCommandBufferStatusCompleted : MTLCommandBufferStatusError];
  for (MTLCommandBufferHandler handler : s->completedHandlers_) handler(self);
  const std::lock_guard lock(s->mutex_);
  s->isDone_ = true;
  s->completed_.notify_all();
}

@end

@implementation MTLCommandBufferDescriptor
@synthesize retainedReferences, errorOptions;
- (instancetype)init {
  self = [super init];
  retainedReferences = YES;
  return self;
}
- (id)copyWithZone:(NSZone *)zone {
  MTLCommandBufferDescriptor *copy = [[MTLCommandBufferDescriptor allocWithZone:zone] init];
  copy.retainedReferences = self.retainedReferences;
  copy.errorOptions = self.errorOptions;
  return copy;
}
@end

struct SimEventState {
  id<MTLDevice> device_{};
  std::mutex mutex_{};
  std::condition_variable signaled_{};
  uint64_t value_{};
};

@implementation SimEvent
@synthesize label = label_;
- (instancetype)initWithDevice:(id<MTLDevice>)device {
  self = [super init];
  s = new SimEventState;
  s->device_ = device;
  return self;
}
- (void)dealloc {
  [label_ release];
  delete s;
  [super dealloc];
}
- (id<MTLDevice>)device {
  return s->device_;
}
- (uint64_t)signaledValue {
  const std::lock_guard lock(s->mutex_);
  return s->value_;
}
- (void)setSignaledValue:(uint64_t)value {
  const std::lock_guard lock(s->mutex_);
  s->value_ = value;
  s->signaled_.notify_all();
}
- (BOOL)waitUntilSignaledValue:(uint64_t)value timeoutMS:(uint64_t)milliseconds {
  std::unique_lock lock(s->mutex_);
  const auto isThere = [&] { return s->value_ >= value; };
  if (milliseconds == UINT64_MAX) {
    s->signaled_.wait(lock, isThere);
    return YES;
  }
  return s->signaled_.wait_for(lock, std::chrono::milliseconds(milliseconds), isThere) ? YES : NO;
}
@end

struct SimFenceState {
  id<MTLDevice> device_{};
};

@implementation SimFence
@synthesize label = label_;
- (instancetype)initWithDevice:(id<MTLDevice>)device {
  self = [super init];
  s = new SimFenceState;
  s->device_ = device;
  return self;
}
- (void)dealloc {
  [label_ release];
  delete s;
  [super dealloc];
}
- (id<MTLDevice>)device {
  return s->device_;
}
@end
