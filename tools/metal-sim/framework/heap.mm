/**
 * Heaps: one stretch of memory, dirty wherever it is handed out for the first time. Buffers of automatic heaps lie where there is room;
 * those of placement heaps where they are told to, over one another if need be. All share one history, so that hazards are found
 * between buffers that alias.
 */
#include <algorithm>
#include <cstring>
#include <map>

#import "assert.h"
#import "objects.h"

extern void *SimMapMemory(NSUInteger length);
extern void SimUnmapMemory(void *memory, NSUInteger length);
extern void SimCountAllocated(ptrdiff_t bytes);

namespace {

constexpr NSUInteger kAlignment = 256;

NSUInteger roundUp(NSUInteger size, NSUInteger alignment) { return (size + alignment - 1) / alignment * alignment; }

/** A NaN in all floating-point types, and an index beyond every buffer. */
constexpr uint8_t kDirt = 0xFF;

}  // namespace

struct SimHeapState {
  id<MTLDevice> device_{};
  void *memory_{};
  NSUInteger size_{};
  MTLResourceOptions options_{};
  MTLHeapType type_{};
  std::shared_ptr<metal_sim::History> history_{};
  metal_sim::AllocationReference allocation_{};
  std::mutex mutex_{};
  /** Ends by begins, of what is in use and may not be aliased. */
  std::map<NSUInteger, NSUInteger> used_{};
  /** The same of what may be aliased but was not released. */
  std::multimap<NSUInteger, NSUInteger> aliasable_{};
};

@implementation MTLHeapDescriptor
@synthesize size, storageMode, cpuCacheMode, hazardTrackingMode, type;
- (instancetype)init {
  self = [super init];
  storageMode = MTLStorageModePrivate;
  return self;
}
- (MTLResourceOptions)resourceOptions {
  return SimOptions(storageMode, cpuCacheMode, hazardTrackingMode);
}
- (void)setResourceOptions:(MTLResourceOptions)options {
  cpuCacheMode = SimCacheMode(options);
  storageMode = SimStorageMode(options);
  hazardTrackingMode = static_cast<MTLHazardTrackingMode>((options >> 8) & 3);
}
- (id)copyWithZone:(NSZone *)zone {
  MTLHeapDescriptor *copy = [[MTLHeapDescriptor allocWithZone:zone] init];
  copy.size = size;
  copy.type = type;
  copy.resourceOptions = self.resourceOptions;
  return copy;
}
@end

@implementation SimHeap

@synthesize label = label_;

- (instancetype)initWithDescriptor:(MTLHeapDescriptor *)descriptor device:(id<MTLDevice>)device {
  self = [super init];
  s = new SimHeapState;
  MTLSimAssert(descriptor.size > 0, @"Heap size must not be 0.");
  MTLSimAssert(descriptor.storageMode != MTLStorageModeMemoryless, @"Heaps cannot be memoryless.");
  MTLSimAssert(descriptor.type != MTLHeapTypeSparse, @"The simulator has no sparse heaps.");
  s->size_ = SimRoundToPages(descriptor.size);
  s->memory_ = SimMapMemory(s->size_);
  if (s->memory_ == nullptr) {
    [self release];
    return nil;
  }
  s->device_ = device;
  s->type_ = descriptor.type;
  // a heap is untracked unless it says otherwise
  const bool isTracked = descriptor.hazardTrackingMode == MTLHazardTrackingModeTracked;
  const auto tracking = isTracked ? MTLHazardTrackingModeTracked : MTLHazardTrackingModeUntracked;
  s->options_ = SimOptions(descriptor.storageMode, descriptor.cpuCacheMode, tracking);
  s->history_ = std::make_shared<metal_sim::History>(s->size_);
  s->allocation_ = [self partAt:0 length:s->size_];
  SimCountAllocated(static_cast<ptrdiff_t>(s->size_));
  return self;
}
- (void)dealloc {
  if (s->memory_ != nullptr) {
    metal_sim::Engine::shared().memory().release(s->allocation_);
    SimUnmapMemory(s->memory_, s->size_);
    SimCountAllocated(-static_cast<ptrdiff_t>(s->size_));
  }
  [label_ release];
  delete s;
  [super dealloc];
}

- (const metal_sim::AllocationReference &)allocation {
  return s->allocation_;
}
- (metal_sim::AllocationReference)partAt:(NSUInteger)offset length:(NSUInteger)length {
  auto &memory = metal_sim::Engine::shared().memory();
  auto part = memory.add_part(static_cast<char *>(s->memory_) + offset, length, s->history_, offset);
  part->is_tracked = [self hazardTrackingMode] == MTLHazardTrackingModeTracked;
  return part;
}
- (void *)memory {
  return s->memory_;
}

/** Where `length` bytes are free: the begin, or NSNotFound. */
- (NSUInteger)roomFor:(NSUInteger)length alignment:(NSUInteger)alignment {
  NSUInteger begin = 0;
  for (const auto &[from, to] : s->used_) {
    if (begin + length <= from) break;
    begin = std::max(begin, roundUp(to, alignment));
  }
  return begin + length <= s->size_ ? begin : NSNotFound;
}

/** Memory that nothing lies in any more holds whatever it held, or worse. */
- (void)dirtyFrom:(NSUInteger)begin to:(NSUInteger)end {
  const auto overlaps = [&](const auto &range) { return range.first < end && begin < range.second; };
  if (std::any_of(s->used_.begin(), s->used_.end(), overlaps)) return;
  if (std::any_of(s->aliasable_.begin(), s->aliasable_.end(), overlaps)) return;
  std::memset(static_cast<char *>(s->memory_) + begin, kDirt, end - begin);
}

- (void)requireOptions:(MTLResourceOptions)options {
  const auto storage = SimStorageMode(options);
  MTLSimAssert(storage == [self storageMode], @"Resource storage mode (%lu) must match heap storage mode (%lu).", (unsigned long)storage,
               (unsigned long)[self storageMode]);
  const auto tracking = static_cast<MTLHazardTrackingMode>((options >> 8) & 3);
  MTLSimAssert(tracking == MTLHazardTrackingModeDefault || tracking == [self hazardTrackingMode],
               @"Resource hazard tracking mode (%lu) must match heap hazard tracking mode (%lu).", (unsigned long)tracking,
               (unsigned long)[self hazardTrackingMode]);
}

- (id<MTLBuffer>)newBufferWithLength:(NSUInteger)length options:(MTLResourceOptions)options {
  MTLSimAssert(length > 0, @"Cannot create buffer of zero length.");
  MTLSimAssert(s->type_ == MTLHeapTypeAutomatic, @"newBufferWithLength:options: needs a heap of type MTLHeapTypeAutomatic.");
  [self requireOptions:options];
  const std::lock_guard lock(s->mutex_);
  const NSUInteger size = roundUp(length, kAlignment);
  const NSUInteger begin = [self roomFor:size alignment:kAlignment];
  if (begin == NSNotFound) return nil;
  [self dirtyFrom:begin to:begin + size];
  s->used_[begin] = begin + size;
  return [[SimBuffer alloc] initInHeap:self offset:begin length:length];
}
- (id<MTLBuffer>)newBufferWithLength:(NSUInteger)length options:(MTLResourceOptions)options offset:(NSUInteger)offset {
  MTLSimAssert(length > 0, @"Cannot create buffer of zero length.");
  MTLSimAssert(s->type_ == MTLHeapTypePlacement, @"newBufferWithLength:options:offset: needs a heap of type MTLHeapTypePlacement.");
  [self requireOptions:options];
  MTLSimAssert(offset % kAlignment == 0, @"offset(%lu) must be a multiple of %lu.", (unsigned long)offset, (unsigned long)kAlignment);
  MTLSimAssert(offset + length <= s->size_, @"offset(%lu) + length(%lu) must be <= heap size(%lu).", (unsigned long)offset,
               (unsigned long)length, (unsigned long)s->size_);
  const std::lock_guard lock(s->mutex_);
  [self dirtyFrom:offset to:offset + length];
  // buffers of a placement heap may lie over each other from the start
  s->aliasable_.emplace(offset, offset + length);
  return [[SimBuffer alloc] initInHeap:self offset:offset length:length];
}

- (void)aliased:(SimBuffer *)buffer {
  const std::lock_guard lock(s->mutex_);
  const auto found = s->used_.find([buffer heapOffset]);
  if (found == s->used_.end()) return;
  s->aliasable_.emplace(found->first, found->second);
  s->used_.erase(found);
}
- (void)released:(SimBuffer *)buffer {
  const std::lock_guard lock(s->mutex_);
  const NSUInteger begin = [buffer heapOffset];
  if (s->type_ == MTLHeapTypeAutomatic && ![buffer isAliasable]) {
    s->used_.erase(begin);
    return;
  }
  const auto [first, last] = s->aliasable_.equal_range(begin);
  for (auto at = first; at != last; ++at) {
    if (at->second != begin + [buffer length] && s->type_ == MTLHeapTypePlacement) continue;
    s->aliasable_.erase(at);
    return;
  }
}

- (id<MTLDevice>)device {
  return s->device_;
}
- (MTLStorageMode)storageMode {
  return SimStorageMode(s->options_);
}
- (MTLCPUCacheMode)cpuCacheMode {
  return SimCacheMode(s->options_);
}
- (MTLHazardTrackingMode)hazardTrackingMode {
  return static_cast<MTLHazardTrackingMode>((s->options_ >> 8) & 3);
}
- (MTLResourceOptions)resourceOptions {
  return s->options_;
}
- (MTLHeapType)type {
  return s->type_;
}
- (NSUInteger)size {
  return s->size_;
}
- (NSUInteger)usedSize {
  const std::lock_guard lock(s->mutex_);
  NSUInteger size = 0;
  for (const auto &[from, to] : s->used_) size += to - from;
  if (s->type_ == MTLHeapTypePlacement) {
    for (const auto &[from, to] : s->aliasable_) size += to - from;
  }
  return size;
}
- (NSUInteger)currentAllocatedSize {
  return s->size_;
}
- (NSUInteger)allocatedSize {
  return s->size_;
}
- (NSUInteger)maxAvailableSizeWithAlignment:(NSUInteger)alignment {
  const std::lock_guard lock(s->mutex_);
  const NSUInteger step = std::max(alignment, kAlignment);
  NSUInteger most = 0, begin = 0;
  for (const auto &[from, to] : s->used_) {
    if (from > begin) most = std::max(most, from - begin);
    begin = std::max(begin, roundUp(to, step));
  }
  return begin < s->size_ ? std::max(most, s->size_ - begin) : most;
}
- (MTLPurgeableState)setPurgeableState:(MTLPurgeableState)state {
  (void)state;
  return MTLPurgeableStateNonVolatile;
}

@end

// ---------------------------------------------------------------------------------------------------------

struct SimResidencySetState {
  id<MTLDevice> device_{};
  NSString *label_{};
  std::mutex mutex_{};
  /** What was added, and what of it is in force. */
  std::vector<Kept> pending_{};
  std::vector<Kept> committed_{};
};

@implementation MTLResidencySetDescriptor
@synthesize label, initialCapacity;
- (void)dealloc {
  [label release];
  [super dealloc];
}
- (id)copyWithZone:(NSZone *)zone {
  MTLResidencySetDescriptor *copy = [[MTLResidencySetDescriptor allocWithZone:zone] init];
  copy.label = label;
  copy.initialCapacity = initialCapacity;
  return copy;
}
@end

@implementation SimResidencySet

- (instancetype)initWithDescriptor:(MTLResidencySetDescriptor *)descriptor device:(id<MTLDevice>)device {
  self = [super init];
  s = new SimResidencySetState;
  s->device_ = device;
  s->label_ = [descriptor.label copy];
  return self;
}
- (void)dealloc {
  [s->label_ release];
  delete s;
  [super dealloc];
}
- (id<MTLDevice>)device {
  return s->device_;
}
- (NSString *)label {
  return s->label_;
}
- (void)addAllocation:(id<MTLAllocation>)allocation {
  MTLSimAssert(allocation != nil, @"addAllocation: the allocation must not be nil.");
  if ([self containsAllocation:allocation]) return;
  const std::lock_guard lock(s->mutex_);
  s->pending_.emplace_back(allocation, true);
}
- (void)addAllocations:(const id<MTLAllocation>[])allocations count:(NSUInteger)count {
  for (NSUInteger i = 0; i < count; i++) [self addAllocation:allocations[i]];
}
- (void)removeAllocation:(id<MTLAllocation>)allocation {
  const std::lock_guard lock(s->mutex_);
  std::erase_if(s->pending_, [&](const Kept &kept) { return kept.get() == allocation; });
}
- (void)removeAllocations:(const id<MTLAllocation>[])allocations count:(NSUInteger)count {
  for (NSUInteger i = 0; i < count; i++) [self removeAllocation:allocations[i]];
}
- (void)removeAllAllocations {
  const std::lock_guard lock(s->mutex_);
  s->pending_.clear();
}
- (BOOL)containsAllocation:(id<MTLAllocation>)allocation {
  const std::lock_guard lock(s->mutex_);
  return std::any_of(s->pending_.begin(), s->pending_.end(), [&](const Kept &kept) { return kept.get() == allocation; });
}
- (NSArray *)allAllocations {
  const std::lock_guard lock(s->mutex_);
  NSMutableArray *all = [NSMutableArray array];
  for (const Kept &kept : s->pending_) [all addObject:kept.get()];
  return all;
}
- (NSUInteger)allocationCount {
  const std::lock_guard lock(s->mutex_);
  return s->pending_.size();
}
- (uint64_t)allocatedSize {
  const std::lock_guard lock(s->mutex_);
  uint64_t size = 0;
  for (const Kept &kept : s->committed_) size += [(id<MTLAllocation>)kept.get() allocatedSize];
  return size;
}
- (void)commit {
  const std::lock_guard lock(s->mutex_);
  s->committed_ = s->pending_;
}
- (void)requestResidency {
}
- (void)endResidency {
}
- (void)addTo:(std::vector<metal_sim::Resident> &)residents {
  const std::lock_guard lock(s->mutex_);
  for (const Kept &kept : s->committed_) {
    const auto allocation = SimAllocationOf(kept.get());
    // nobody told an encoder of it, so that nothing orders it
    if (allocation != nullptr) residents.push_back({allocation, true, false});
  }
}

@end
