/** Counters: times at the ends of encoders, as Apple GPUs have them. */
#include <atomic>

#import "assert.h"
#import "objects.h"

NSString *const MTLCommonCounterTimestamp = @"GPUTimestamp";
NSString *const MTLCommonCounterSetTimestamp = @"timestamp";
NSString *const MTLCounterErrorDomain = @"MTLCounterErrorDomain";

/** The counter, and the set that it is all of. */
@interface SimTimestamps : NSObject <MTLCounterSet> {
 @public
  NSString *name_;
  NSArray *counters_;
}
@end

@implementation SimTimestamps
- (void)dealloc {
  [name_ release];
  [counters_ release];
  [super dealloc];
}
- (NSString *)name {
  return name_;
}
- (NSArray *)counters {
  return counters_;
}
@end

NSArray *SimCounterSets(void) {
  static NSArray *sets = [] {
    SimTimestamps *counter = [[[SimTimestamps alloc] init] autorelease];
    counter->name_ = [MTLCommonCounterTimestamp copy];
    SimTimestamps *set = [[[SimTimestamps alloc] init] autorelease];
    set->name_ = [MTLCommonCounterSetTimestamp copy];
    set->counters_ = [[NSArray alloc] initWithObjects:counter, nil];
    return [[NSArray alloc] initWithObjects:set, nil];
  }();
  return sets;
}

@implementation MTLCounterSampleBufferDescriptor
@synthesize counterSet, label, storageMode, sampleCount;
- (instancetype)init {
  self = [super init];
  label = @"";
  return self;
}
- (void)dealloc {
  [counterSet release];
  [label release];
  [super dealloc];
}
- (id)copyWithZone:(NSZone *)zone {
  MTLCounterSampleBufferDescriptor *copy = [[MTLCounterSampleBufferDescriptor allocWithZone:zone] init];
  copy.counterSet = counterSet;
  copy.label = label;
  copy.storageMode = storageMode;
  copy.sampleCount = sampleCount;
  return copy;
}
@end

static std::atomic<NSUInteger> sampleBuffers{0};
NSUInteger SimCounterSampleBufferCount(void) { return sampleBuffers.load(); }

@implementation SimCounterSampleBuffer
- (instancetype)initWithDescriptor:(MTLCounterSampleBufferDescriptor *)descriptor device:(id<MTLDevice>)device {
  self = [super init];
  descriptor_ = [descriptor copy];
  device_ = device;
  samples_ = new std::vector<uint64_t>(descriptor.sampleCount, MTLCounterErrorValue);
  sampleBuffers++;
  return self;
}
- (void)dealloc {
  [descriptor_ release];
  delete samples_;
  sampleBuffers--;
  [super dealloc];
}
- (id<MTLDevice>)device {
  return device_;
}
- (NSString *)label {
  return descriptor_.label;
}
- (NSUInteger)sampleCount {
  return descriptor_.sampleCount;
}
- (void)sampleAt:(NSUInteger)index {
  if (index < samples_->size()) (*samples_)[index] = static_cast<uint64_t>(SimNow() * 1e9);
}
- (NSData *)resolveCounterRange:(NSRange)range {
  MTLSimAssert(NSMaxRange(range) <= samples_->size(), @"resolveCounterRange: the range ends beyond sampleCount(%lu).",
               (unsigned long)samples_->size());
  return [NSData dataWithBytes:samples_->data() + range.location length:range.length * sizeof(MTLCounterResultTimestamp)];
}
@end

@implementation MTLComputePassSampleBufferAttachmentDescriptor
@synthesize sampleBuffer, startOfEncoderSampleIndex, endOfEncoderSampleIndex;
- (instancetype)init {
  self = [super init];
  startOfEncoderSampleIndex = endOfEncoderSampleIndex = MTLCounterDontSample;
  return self;
}
- (void)dealloc {
  [sampleBuffer release];
  [super dealloc];
}
- (id)copyWithZone:(NSZone *)zone {
  MTLComputePassSampleBufferAttachmentDescriptor *copy = [[MTLComputePassSampleBufferAttachmentDescriptor allocWithZone:zone] init];
  copy.sampleBuffer = sampleBuffer;
  copy.startOfEncoderSampleIndex = startOfEncoderSampleIndex;
  copy.endOfEncoderSampleIndex = endOfEncoderSampleIndex;
  return copy;
}
@end

@implementation MTLComputePassSampleBufferAttachmentDescriptorArray
- (instancetype)init {
  self = [super init];
  attachments_ = [[NSMutableArray alloc] init];
  for (int i = 0; i < 4; i++) [attachments_ addObject:[[[MTLComputePassSampleBufferAttachmentDescriptor alloc] init] autorelease]];
  return self;
}
- (void)dealloc {
  [attachments_ release];
  [super dealloc];
}
- (MTLComputePassSampleBufferAttachmentDescriptor *)objectAtIndexedSubscript:(NSUInteger)index {
  MTLSimAssert(index < [attachments_ count], @"sampleBufferAttachments: index(%lu) must be < 4.", (unsigned long)index);
  return [attachments_ objectAtIndex:index];
}
- (void)setObject:(MTLComputePassSampleBufferAttachmentDescriptor *)attachment atIndexedSubscript:(NSUInteger)index {
  MTLSimAssert(index < [attachments_ count], @"sampleBufferAttachments: index(%lu) must be < 4.", (unsigned long)index);
  id copy = attachment == nil ? [[MTLComputePassSampleBufferAttachmentDescriptor alloc] init] : [attachment copy];
  [attachments_ replaceObjectAtIndex:index withObject:copy];
  [copy release];
}
@end

@implementation MTLComputePassDescriptor
@synthesize dispatchType;
+ (MTLComputePassDescriptor *)computePassDescriptor {
  return [[[MTLComputePassDescriptor alloc] init] autorelease];
}
- (instancetype)init {
  self = [super init];
  attachments_ = [[MTLComputePassSampleBufferAttachmentDescriptorArray alloc] init];
  return self;
}
- (void)dealloc {
  [attachments_ release];
  [super dealloc];
}
- (MTLComputePassSampleBufferAttachmentDescriptorArray *)sampleBufferAttachments {
  return attachments_;
}
- (id)copyWithZone:(NSZone *)zone {
  MTLComputePassDescriptor *copy = [[MTLComputePassDescriptor allocWithZone:zone] init];
  copy.dispatchType = dispatchType;
  for (NSUInteger i = 0; i < 4; i++) [copy.sampleBufferAttachments setObject:[attachments_ objectAtIndexedSubscript:i] atIndexedSubscript:i];
  return copy;
}
@end
