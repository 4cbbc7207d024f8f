/** Queues and command buffers: what was committed runs in order on a thread of the queue. */
#import "objects.h"

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <mutex>

#import "assert.h"
#import "worker.h"

NSString *const MTLCommandBufferErrorDomain = @"MTLCommandBufferErrorDomain";
NSString *const MTLCommandBufferEncoderInfoErrorKey = @"MTLCommandBufferEncoderInfoErrorKey";

std::unique_lock<std::mutex> SimLockEngine(void) {
  return metal_sim::Engine::shared().lock();
}

namespace {

constexpr size_t kMostResidencySets = 32;

/** How long `commandBuffer` may wait before it says so: a program that waits for itself would be hard to tell from a slow one. */
constexpr auto kPatience = std::chrono::seconds(5);

constexpr const char *kIgnored = "Ignored (for causing prior/excessive GPU errors) (00000004:kIOGPUCommandBufferCallbackErrorSubmissionsIgnored)";

MTLCommandBufferError codeOf(const std::string &kind) {
  if (kind == "out-of-bounds" || kind == "use-after-release" || kind == "not-resident") return MTLCommandBufferErrorPageFault;
  if (kind == "divergent-barrier" || kind == "timeout") return MTLCommandBufferErrorTimeout;
  return MTLCommandBufferErrorInternal;
}

}  // namespace

CFTimeInterval SimNow(void) { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

struct SimQueueState {
  id<MTLDevice> device_{};
  NSUInteger most_{};
  NSUInteger uncompleted_{};
  std::mutex mutex_{};
  std::condition_variable changed_{};
  /** In the order of enqueue; the first runs once it is committed. */
  std::deque<SimCommandBuffer *> order_{};
  /** Commands run on one thread and completed handlers on another, so that handlers may wait for commands. */
  Worker commands_{};
  Worker handlers_{};
  uint32_t number_{metal_sim::new_queue_number()};
  metal_sim::Known known_{};
  std::atomic<BOOL> hasHung_{};
  std::vector<Kept> residencySets_{};
};

/** What an encoder of a failed command buffer came to. */
@interface SimEncoderInfo : NSObject <MTLCommandBufferEncoderInfo> {
 @public
  NSString *label_;
  NSArray *signposts_;
  MTLCommandEncoderErrorState state_;
}
@end

@implementation SimEncoderInfo
- (void)dealloc {
  [label_ release];
  [signposts_ release];
  [super dealloc];
}
- (NSString *)label {
  return label_;
}
- (NSArray *)debugSignposts {
  return signposts_;
}
- (MTLCommandEncoderErrorState)errorState {
  return state_;
}
- (NSString *)description {
  static NSString *const names[] = {@"unknown", @"completed", @"affected", @"pending", @"faulted"};
  return [NSString stringWithFormat:@"encoder \"%@\": %@", label_, names[state_]];
}
@end

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
  [label_ release];
  delete s;
  [super dealloc];
}

- (id<MTLDevice>)device {
  return s->device_;
}

- (SimCommandBuffer *)makeBuffer:(BOOL)isRetained options:(MTLCommandBufferErrorOption)options {
  {
    // as Metal does: with too many that have not completed, this waits
    std::unique_lock lock(s->mutex_);
    const auto isFree = [&] { return s->uncompleted_ < s->most_; };
    if (!s->changed_.wait_for(lock, kPatience, isFree)) {
      std::fprintf(stderr, "metal-sim: commandBuffer waits: %lu command buffers of this queue have not completed\n", (unsigned long)s->most_);
      s->changed_.wait(lock, isFree);
    }
    s->uncompleted_++;
  }
  return [[[SimCommandBuffer alloc] initWithQueue:self retained:isRetained options:options] autorelease];
}
- (id<MTLCommandBuffer>)commandBuffer {
  return [self makeBuffer:YES options:MTLCommandBufferErrorOptionNone];
}
- (id<MTLCommandBuffer>)commandBufferWithUnretainedReferences {
  return [self makeBuffer:NO options:MTLCommandBufferErrorOptionNone];
}
- (id<MTLCommandBuffer>)commandBufferWithDescriptor:(MTLCommandBufferDescriptor *)descriptor {
  MTLSimAssert(descriptor != nil, @"commandBufferWithDescriptor: the descriptor must not be nil.");
  return [self makeBuffer:descriptor.retainedReferences options:descriptor.errorOptions];
}

- (void)addResidencySet:(id<MTLResidencySet>)residencySet {
  const std::lock_guard lock(s->mutex_);
  const auto isSame = [&](const Kept &kept) { return kept.get() == residencySet; };
  if (std::any_of(s->residencySets_.begin(), s->residencySets_.end(), isSame)) return;
  MTLSimAssert(s->residencySets_.size() < kMostResidencySets, @"addResidencySet: a queue holds at most %lu residency sets.",
               (unsigned long)kMostResidencySets);
  s->residencySets_.emplace_back(residencySet, true);
}
- (void)addResidencySets:(const id<MTLResidencySet>[])residencySets count:(NSUInteger)count {
  for (NSUInteger i = 0; i < count; i++) [self addResidencySet:residencySets[i]];
}
- (void)removeResidencySet:(id<MTLResidencySet>)residencySet {
  const std::lock_guard lock(s->mutex_);
  std::erase_if(s->residencySets_, [&](const Kept &kept) { return kept.get() == residencySet; });
}
- (void)removeResidencySets:(const id<MTLResidencySet>[])residencySets count:(NSUInteger)count {
  for (NSUInteger i = 0; i < count; i++) [self removeResidencySet:residencySets[i]];
}
- (void)addResidents:(std::vector<metal_sim::Resident> &)residents {
  const std::lock_guard lock(s->mutex_);
  for (const Kept &kept : s->residencySets_) [simulated<SimResidencySet>(kept.get()) addTo:residents];
}
- (void)insertDebugCaptureBoundary {
}

- (uint32_t)number {
  return s->number_;
}
- (metal_sim::Known &)known {
  return s->known_;
}
- (void)hang {
  s->hasHung_ = YES;
}
- (BOOL)hasHung {
  return s->hasHung_;
}

- (void)enqueue:(SimCommandBuffer *)buffer {
  const std::lock_guard lock(s->mutex_);
  s->order_.push_back([buffer retain]);
}

- (void)committed:(SimCommandBuffer *)buffer {
  (void)buffer;
  const std::lock_guard lock(s->mutex_);
  while (!s->order_.empty() && s->order_.front()->s->status_.load() >= MTLCommandBufferStatusCommitted) {
    SimCommandBuffer *next = s->order_.front();
    s->order_.pop_front();
    s->commands_.post([next] {
      [next execute];
      [next release];
    });
  }
}
- (void)handle:(std::function<void()>)job {
  s->handlers_.post(std::move(job));
}

- (void)ended {
  const std::lock_guard lock(s->mutex_);
  s->uncompleted_--;
  s->changed_.notify_all();
}

@end

@implementation SimCommandBuffer

@synthesize label = label_;

- (instancetype)initWithQueue:(SimQueue *)queue retained:(BOOL)retained options:(MTLCommandBufferErrorOption)options {
  self = [super init];
  s = new SimCommandBufferState;
  s->queue_ = [queue retain];
  s->isRetained_ = retained;
  s->errorOptions_ = options;
  s->status_ = MTLCommandBufferStatusNotEnqueued;
  return self;
}

- (void)dealloc {
  // never committed: it does not count any longer
  if (s->status_.load() < MTLCommandBufferStatusCommitted) [s->queue_ ended];
  [self clearCommands];
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
- (MTLCommandBufferErrorOption)errorOptions {
  return s->errorOptions_;
}
- (NSArray *)logs {
  return [NSArray array];
}
- (MTLCommandBufferStatus)status {
  const MTLCommandBufferStatus status = s->status_.load();
  if (status >= MTLCommandBufferStatusCompleted) [self hostSaw];
  return status;
}
/** What runs from now on comes after this buffer. */
- (void)hostSaw {
  metal_sim::host_saw(s->ended_);
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
  s->known_ = metal_sim::known_to_host();
  s->status_ = MTLCommandBufferStatusCommitted;
  [s->queue_ committed:self];
}

- (void)addScheduledHandler:(MTLCommandBufferHandler)block {
  MTLSimAssert(block != nil, @"addScheduledHandler: the block must not be nil.");
  MTLSimAssert(s->status_.load() < MTLCommandBufferStatusCommitted, @"Scheduled handler provided after commit call");
  s->scheduledHandlers_.push_back(Block_copy(block));
}
- (void)addCompletedHandler:(MTLCommandBufferHandler)block {
  MTLSimAssert(block != nil, @"addCompletedHandler: the block must not be nil.");
  MTLSimAssert(s->status_.load() < MTLCommandBufferStatusCommitted, @"Completed handler provided after commit call");
  s->completedHandlers_.push_back(Block_copy(block));
}

- (void)waitUntilScheduled {
  MTLSimAssert(s->status_.load() >= MTLCommandBufferStatusCommitted, @"waitUntilScheduled before commit blocks forever");
  std::unique_lock lock(s->mutex_);
  s->completed_.wait(lock, [&] { return s->status_.load() >= MTLCommandBufferStatusScheduled; });
}
- (void)waitUntilCompleted {
  MTLSimAssert(s->status_.load() >= MTLCommandBufferStatusCommitted, @"waitUntilCompleted before commit blocks forever");
  {
    std::unique_lock lock(s->mutex_);
    s->completed_.wait(lock, [&] { return s->isDone_; });
  }
  [self hostSaw];
}

- (void)requireUncommitted:(NSString *)what {
  MTLSimAssert(s->status_.load() < MTLCommandBufferStatusCommitted, @"%@ on a committed command buffer", what);
}
- (void)requireNoEncoder:(NSString *)what {
  [self requireUncommitted:what];
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
  MTLComputePassDescriptor *descriptor = [MTLComputePassDescriptor computePassDescriptor];
  descriptor.dispatchType = type;
  return [self computeCommandEncoderWithDescriptor:descriptor];
}
- (id<MTLComputeCommandEncoder>)computeCommandEncoderWithDescriptor:(MTLComputePassDescriptor *)descriptor {
  [self requireNoEncoder:@"computeCommandEncoder"];
  return [[[SimComputeEncoder alloc] initWithCommandBuffer:self descriptor:descriptor] autorelease];
}

- (void)encodeWaitForEvent:(id<MTLEvent>)event value:(uint64_t)value {
  [self requireUncommitted:@"encodeWaitForEvent:value:"];
  MTLSimAssert(!s->isEncoding, @"encodeWaitForEvent:value: with uncommitted encoder");
  MTLSimAssert(event != nil, @"encodeWaitForEvent:value: the event must not be nil.");
  const Kept kept(event, s->isRetained_);
  s->commands.push_back({[kept, value](SimCommandBuffer *buffer) {
    SimEvent *waited = kept.get();
    [waited waitUntilSignaledValue:value timeoutMS:UINT64_MAX];
    [buffer->s->queue_ known].add([waited known]);
    return true;
  }});
}
- (void)encodeSignalEvent:(id<MTLEvent>)event value:(uint64_t)value {
  [self requireUncommitted:@"encodeSignalEvent:value:"];
  MTLSimAssert(!s->isEncoding, @"encodeSignalEvent:value: with uncommitted encoder");
  MTLSimAssert(event != nil, @"encodeSignalEvent:value: the event must not be nil.");
  const Kept kept(event, s->isRetained_);
  s->commands.push_back({[kept, value](SimCommandBuffer *buffer) {
    [simulated<SimEvent>(kept.get()) signal:value known:[buffer knownSoFar]];
    return true;
  }});
}

- (void)useResidencySet:(id<MTLResidencySet>)residencySet {
  [self requireUncommitted:@"useResidencySet:"];
  MTLSimAssert(s->residencySets_.size() < kMostResidencySets, @"useResidencySet: a command buffer uses at most %lu residency sets.",
               (unsigned long)kMostResidencySets);
  s->residencySets_.emplace_back(residencySet, true);
}
- (void)useResidencySets:(const id<MTLResidencySet>[])residencySets count:(NSUInteger)count {
  for (NSUInteger i = 0; i < count; i++) [self useResidencySet:residencySets[i]];
}
- (void)addResidents:(std::vector<metal_sim::Resident> &)residents {
  [s->queue_ addResidents:residents];
  for (const Kept &kept : s->residencySets_) [simulated<SimResidencySet>(kept.get()) addTo:residents];
}

- (void)pushDebugGroup:(NSString *)string {
  (void)string;
  s->groups_++;
}
- (void)popDebugGroup {
  MTLSimAssert(s->groups_ > 0, @"popDebugGroup without pushDebugGroup:");
  s->groups_--;
}

- (void)failWithCode:(MTLCommandBufferError)code message:(const std::string &)message {
  NSString *text = [NSString stringWithUTF8String:message.c_str()];
  NSMutableDictionary *userInfo = [NSMutableDictionary dictionaryWithObject:text forKey:NSLocalizedDescriptionKey];
  const std::lock_guard lock(s->mutex_);
  [s->error_ release];
  s->error_ = [[NSError alloc] initWithDomain:MTLCommandBufferErrorDomain code:(NSInteger)code userInfo:userInfo];
}
- (void)failWithFinding:(const metal_sim::Finding &)finding {
  const MTLCommandBufferError code = codeOf(finding.kind);
  [self failWithCode:code message:finding.kind + ": " + finding.message];
  // the GPU is restarted, and what the queue hands to it afterwards is not taken
  if (code == MTLCommandBufferErrorTimeout) [s->queue_ hang];
}

/** Tells of each encoder what became of it: those before the failed one are complete, those behind it wait for ever. */
- (void)describeEncoders:(size_t)failed {
  if ((s->errorOptions_ & MTLCommandBufferErrorOptionEncoderExecutionStatus) == 0) return;
  NSMutableArray *infos = [NSMutableArray array];
  for (size_t i = 0; i < s->commands.size(); i++) {
    const SimCommand &command = s->commands[i];
    if (command.signposts == nil) continue;
    SimEncoderInfo *info = [[[SimEncoderInfo alloc] init] autorelease];
    info->label_ = [(command.label != nil ? command.label : @"") copy];
    info->signposts_ = [command.signposts copy];
    info->state_ = i < failed    ? MTLCommandEncoderErrorStateCompleted
                   : i == failed ? MTLCommandEncoderErrorStateFaulted
                                 : MTLCommandEncoderErrorStatePending;
    [infos addObject:info];
  }
  const std::lock_guard lock(s->mutex_);
  NSMutableDictionary *userInfo = [NSMutableDictionary dictionaryWithDictionary:[s->error_ userInfo]];
  [userInfo setObject:infos forKey:MTLCommandBufferEncoderInfoErrorKey];
  NSError *known = s->error_;
  s->error_ = [[NSError alloc] initWithDomain:[known domain] code:[known code] userInfo:userInfo];
  [known release];
}

- (void)setStatus:(MTLCommandBufferStatus)status {
  const std::lock_guard lock(s->mutex_);
  s->status_ = status;
  s->completed_.notify_all();
}

- (void)clearCommands {
  for (const SimCommand &command : s->commands) {
    [command.label release];
    [command.signposts release];
  }
  s->commands.clear();
}

/** What is over when the next command begins. */
- (metal_sim::Known)knownSoFar {
  metal_sim::Known known = [s->queue_ known];
  known.add(s->known_);
  known.add_up_to([s->queue_ number], metal_sim::latest_pass());
  return known;
}

- (void)execute {
  [self setStatus:MTLCommandBufferStatusScheduled];
  for (MTLCommandBufferHandler handler : s->scheduledHandlers_) handler(self);
  s->start_ = SimNow();
  bool isGood = ![s->queue_ hasHung];
  if (!isGood) [self failWithCode:MTLCommandBufferErrorAccessRevoked message:kIgnored];
  for (size_t i = 0; i < s->commands.size() && isGood; i++) {
    // after an error nothing runs, signals of events included
    isGood = s->commands[i].run(self);
    if (!isGood) [self describeEncoders:i];
  }
  s->end_ = SimNow();
  s->ended_ = [self knownSoFar];
  [self clearCommands];
  [s->queue_ ended];
  [self setStatus:isGood ? MTLCommandBufferStatusCompleted : MTLCommandBufferStatusError];
  if (s->completedHandlers_.empty()) {
    [self setDone];
    return;
  }
  [self retain];
  [s->queue_ handle:[self] {
    [self hostSaw];
    for (MTLCommandBufferHandler handler : s->completedHandlers_) handler(self);
    [self setDone];
    [self release];
  }];
}

- (void)setDone {
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

@implementation MTLCommandQueueDescriptor
@synthesize maxCommandBufferCount;
- (instancetype)init {
  self = [super init];
  maxCommandBufferCount = 64;
  return self;
}
- (id)copyWithZone:(NSZone *)zone {
  MTLCommandQueueDescriptor *copy = [[MTLCommandQueueDescriptor allocWithZone:zone] init];
  copy.maxCommandBufferCount = maxCommandBufferCount;
  return copy;
}
@end
