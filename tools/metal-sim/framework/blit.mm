/** Copies and fills. */
#include <cstring>

#import "assert.h"
#import "objects.h"

using metal_sim::AllocationReference;
using metal_sim::Engine;
using metal_sim::Touched;

namespace {

using Work = std::function<bool(SimCommandBuffer *, const metal_sim::Pass &)>;

/** Whether memory may be touched; if not the command buffer fails. */
bool touch(SimCommandBuffer *buffer, const metal_sim::Pass &pass, const char *what, const std::vector<Touched> &touched) {
  for (const Touched &one : touched) {
    if (!one.allocation->is_released) continue;
    [buffer failWithFinding:{"use-after-release", std::string(what) + " of a buffer that was released"}];
    return false;
  }
  const auto found = Engine::shared().transfer(what, touched, &pass);
  if (found.empty()) return true;
  [buffer failWithFinding:found[0]];
  return false;
}

}  // namespace

struct SimBlitEncoderState : SimEncoderState {
  std::vector<Work> work_{};
};

@implementation SimBlitEncoder

@synthesize label = label_;

- (instancetype)initWithCommandBuffer:(SimCommandBuffer *)buffer {
  self = [super init];
  s = new SimBlitEncoderState;
  s->begin(buffer);
  return self;
}
- (void)dealloc {
  s->dispose();
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
  s->requireOpen();
  MTLSimAssert(source != nil && destination != nil, @"copyFromBuffer: the buffers must not be nil.");
  MTLSimAssert(size > 0, @"copyFromBuffer: size must not be 0.");
  MTLSimAssert(sourceOffset + size <= [source length], @"sourceOffset(%lu) + size(%lu) must be <= [source length](%lu).",
               (unsigned long)sourceOffset, (unsigned long)size, (unsigned long)[source length]);
  MTLSimAssert(destinationOffset + size <= [destination length], @"destinationOffset(%lu) + size(%lu) must be <= [destination length](%lu).",
               (unsigned long)destinationOffset, (unsigned long)size, (unsigned long)[destination length]);
  const bool isRetained = [s->buffer_ retainedReferences];
  const AllocationReference from = SimAllocationOf(source);
  const AllocationReference to = SimAllocationOf(destination);
  const Kept keptSource(source, isRetained);
  const Kept keptDestination(destination, isRetained);
  s->work_.push_back([=](SimCommandBuffer *buffer, const metal_sim::Pass &pass) {
    (void)keptSource;
    (void)keptDestination;
    if (!touch(buffer, pass, "a copy", {{from, sourceOffset, size, false}, {to, destinationOffset, size, true}})) return false;
    std::memmove(reinterpret_cast<char *>(to->base) + destinationOffset, reinterpret_cast<const char *>(from->base) + sourceOffset, size);
    return true;
  });
}

- (void)fillBuffer:(id<MTLBuffer>)target range:(NSRange)range value:(uint8_t)value {
  s->requireOpen();
  MTLSimAssert(target != nil, @"fillBuffer: the buffer must not be nil.");
  MTLSimAssert(range.length > 0, @"fillBuffer: range.length must not be 0.");
  MTLSimAssert(range.location + range.length <= [target length], @"fillBuffer: the range ends beyond [buffer length](%lu).",
               (unsigned long)[target length]);
  const AllocationReference to = SimAllocationOf(target);
  const Kept kept(target, [s->buffer_ retainedReferences]);
  s->work_.push_back([=](SimCommandBuffer *buffer, const metal_sim::Pass &pass) {
    (void)kept;
    if (!touch(buffer, pass, "a fill", {{to, range.location, range.length, true}})) return false;
    std::memset(reinterpret_cast<char *>(to->base) + range.location, value, range.length);
    return true;
  });
}
- (void)synchronizeResource:(id<MTLResource>)resource {
  s->requireOpen();
  MTLSimAssert([resource storageMode] == MTLStorageModeManaged,
               @"synchronizeResource: only applies when the resource has storage mode MTLStorageModeManaged.");
}

- (void)requireRange:(NSRange)range of:(id<MTLIndirectCommandBuffer>)buffer {
  s->requireOpen();
  MTLSimAssert(NSMaxRange(range) <= [buffer size], @"range(%lu, %lu) ends beyond [indirectCommandBuffer size](%lu).",
               (unsigned long)range.location, (unsigned long)range.length, (unsigned long)[buffer size]);
}
- (void)resetCommandsInBuffer:(id<MTLIndirectCommandBuffer>)buffer withRange:(NSRange)range {
  [self requireRange:range of:buffer];
  const Kept kept(buffer, true);
  s->work_.push_back([=](SimCommandBuffer *, const metal_sim::Pass &) {
    [simulated<SimIndirectBuffer>(kept.get()) resetWithRange:range];
    return true;
  });
}
- (void)copyIndirectCommandBuffer:(id<MTLIndirectCommandBuffer>)source
                      sourceRange:(NSRange)sourceRange
                      destination:(id<MTLIndirectCommandBuffer>)destination
                 destinationIndex:(NSUInteger)destinationIndex {
  [self requireRange:sourceRange of:source];
  [self requireRange:NSMakeRange(destinationIndex, sourceRange.length) of:destination];
  const Kept from(source, true), to(destination, true);
  s->work_.push_back([=](SimCommandBuffer *, const metal_sim::Pass &) {
    std::vector<SimIndirectCommand> copied = [simulated<SimIndirectBuffer>(from.get()) commands];
    std::vector<SimIndirectCommand> &commands = [simulated<SimIndirectBuffer>(to.get()) commands];
    for (NSUInteger i = 0; i < sourceRange.length; i++) commands[destinationIndex + i] = copied[sourceRange.location + i];
    return true;
  });
}
- (void)optimizeIndirectCommandBuffer:(id<MTLIndirectCommandBuffer>)buffer withRange:(NSRange)range {
  [self requireRange:range of:buffer];
}
- (void)resolveCounters:(id<MTLCounterSampleBuffer>)samples
                inRange:(NSRange)range
      destinationBuffer:(id<MTLBuffer>)destination
      destinationOffset:(NSUInteger)offset {
  s->requireOpen();
  const NSUInteger size = range.length * sizeof(MTLCounterResultTimestamp);
  MTLSimAssert(NSMaxRange(range) <= [samples sampleCount], @"resolveCounters: the range ends beyond [sampleBuffer sampleCount](%lu).",
               (unsigned long)[samples sampleCount]);
  MTLSimAssert(offset + size <= [destination length], @"resolveCounters: the destination has no %lu bytes from %lu on.",
               (unsigned long)size, (unsigned long)offset);
  const Kept keptSamples(samples, true), kept(destination, true);
  const AllocationReference to = SimAllocationOf(destination);
  s->work_.push_back([=](SimCommandBuffer *buffer, const metal_sim::Pass &pass) {
    (void)kept;
    if (!touch(buffer, pass, "a resolve of counters", {{to, offset, size, true}})) return false;
    NSData *data = [simulated<SimCounterSampleBuffer>(keptSamples.get()) resolveCounterRange:range];
    std::memcpy(reinterpret_cast<char *>(to->base) + offset, [data bytes], size);
    return true;
  });
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
  s->end(label_, [work = s->work_](SimCommandBuffer *buffer, const metal_sim::Pass &pass) {
    for (const Work &next : work) {
      if (!next(buffer, pass)) return false;
    }
    return true;
  });
}

@end
