/** Events, fences, and listeners of shared events. */
#include <condition_variable>
#include <mutex>

#import "assert.h"
#import "objects.h"

namespace {

struct Notification {
  uint64_t value;
  Kept listener;
  MTLSharedEventNotificationBlock block;
};

constexpr size_t kMostFences = 32768;
std::atomic<size_t> fences{0};

}  // namespace

struct SimEventState {
  id<MTLDevice> device_{};
  std::mutex mutex_{};
  std::condition_variable signaled_{};
  uint64_t value_{};
  metal_sim::Known known_{};
  std::vector<Notification> notifications_{};
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
  for (const Notification &notification : s->notifications_) Block_release(notification.block);
  [label_ release];
  delete s;
  [super dealloc];
}
- (id<MTLDevice>)device {
  return s->device_;
}
- (uint64_t)signaledValue {
  const std::lock_guard lock(s->mutex_);
  // a program that looks at the value goes on by it
  metal_sim::host_saw(s->known_);
  return s->value_;
}
- (void)setSignaledValue:(uint64_t)value {
  [self signal:value known:metal_sim::known_to_host()];
}
- (metal_sim::Known)known {
  const std::lock_guard lock(s->mutex_);
  return s->known_;
}
- (void)signal:(uint64_t)value known:(const metal_sim::Known &)known {
  std::vector<Notification> due;
  {
    const std::lock_guard lock(s->mutex_);
    s->value_ = value;
    s->known_.add(known);
    s->signaled_.notify_all();
    std::erase_if(s->notifications_, [&](const Notification &notification) {
      if (notification.value > value) return false;
      due.push_back(notification);
      return true;
    });
  }
  for (const Notification &notification : due) [self notify:notification at:value];
}
- (void)notify:(const Notification &)notification at:(uint64_t)value {
  MTLSharedEventNotificationBlock block = notification.block;
  const metal_sim::Known known = [self known];
  SimEvent *event = [self retain];
  dispatch_async([simulated<MTLSharedEventListener>(notification.listener.get()) dispatchQueue], ^{
    metal_sim::host_saw(known);
    block(event, value);
    Block_release(block);
    [event release];
  });
}
- (BOOL)waitUntilSignaledValue:(uint64_t)value timeoutMS:(uint64_t)milliseconds {
  std::unique_lock lock(s->mutex_);
  const auto isThere = [&] { return s->value_ >= value; };
  if (milliseconds > UINT32_MAX) s->signaled_.wait(lock, isThere);
  else if (!s->signaled_.wait_for(lock, std::chrono::milliseconds(milliseconds), isThere)) return NO;
  metal_sim::host_saw(s->known_);
  return YES;
}
- (void)notifyListener:(MTLSharedEventListener *)listener atValue:(uint64_t)value block:(MTLSharedEventNotificationBlock)block {
  MTLSimAssert(listener != nil && block != nil, @"notifyListener:atValue:block: needs a listener and a block.");
  const Notification notification{value, Kept(listener, true), Block_copy(block)};
  uint64_t now = 0;
  {
    const std::lock_guard lock(s->mutex_);
    now = s->value_;
    if (now < value) s->notifications_.push_back(notification);
  }
  if (now >= value) [self notify:notification at:now];
}
@end

@implementation MTLSharedEventListener
- (instancetype)init {
  dispatch_queue_t queue = dispatch_queue_create("MTLSharedEventListener", DISPATCH_QUEUE_SERIAL);
  self = [self initWithDispatchQueue:queue];
  dispatch_release(queue);
  return self;
}
- (instancetype)initWithDispatchQueue:(dispatch_queue_t)queue {
  self = [super init];
  dispatch_retain(queue);
  queue_ = queue;
  return self;
}
- (void)dealloc {
  dispatch_release(queue_);
  [super dealloc];
}
- (dispatch_queue_t)dispatchQueue {
  return queue_;
}
@end

@implementation SimFence
@synthesize label = label_;
- (instancetype)initWithDevice:(id<MTLDevice>)device {
  self = [super init];
  s = new SimFenceState;
  s->device_ = device;
  MTLSimAssert(++fences <= kMostFences, @"newFence: there are %lu fences, which is all that a device has.", (unsigned long)kMostFences);
  return self;
}
- (void)dealloc {
  fences--;
  [label_ release];
  delete s;
  [super dealloc];
}
- (id<MTLDevice>)device {
  return s->device_;
}
@end
