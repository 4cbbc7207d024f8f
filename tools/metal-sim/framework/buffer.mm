#include <sys/mman.h>
#include <unistd.h>

#include <atomic>

#import "assert.h"
#import "objects.h"

namespace {

std::atomic<size_t> allocated{0};

size_t pageSize() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }

}  // namespace

size_t SimAllocatedSize(void) { return allocated.load(); }
void SimCountAllocated(ptrdiff_t bytes) { allocated += static_cast<size_t>(bytes); }

NSUInteger SimRoundToPages(NSUInteger bytes) { return (bytes + pageSize() - 1) / pageSize() * pageSize(); }

/** Zeros, and a page behind them that nobody may touch. */
void *SimMapMemory(NSUInteger length) {
  const size_t whole = SimRoundToPages(length);
  void *memory = mmap(nullptr, whole + pageSize(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  mprotect(static_cast<char *>(memory) + whole, pageSize(), PROT_NONE);
  return memory;
}
void SimUnmapMemory(void *memory, NSUInteger length) { munmap(memory, SimRoundToPages(length) + pageSize()); }

metal_sim::AllocationReference SimAllocationOf(id object) {
  if ([object isKindOfClass:[SimBuffer class]]) return simulated<SimBuffer>(object)->s->allocation;
  if ([object isKindOfClass:[SimHeap class]]) return [simulated<SimHeap>(object) allocation];
  return nullptr;
}

MTLResourceOptions SimOptions(MTLStorageMode storage, MTLCPUCacheMode cache, MTLHazardTrackingMode tracking) {
  return static_cast<MTLResourceOptions>(cache | storage << 4 | tracking << 8);
}

@implementation SimBuffer

@synthesize label = label_;

- (instancetype)initWithLength:(NSUInteger)length options:(MTLResourceOptions)options device:(id<MTLDevice>)device {
  self = [super init];
  s = new SimBufferState;
  MTLSimAssert(length > 0, @"Cannot create buffer of zero length.");
  MTLSimAssert(SimStorageMode(options) != MTLStorageModeMemoryless, @"Buffers cannot be memoryless.");
  void *memory = length > [device maxBufferLength] ? nullptr : SimMapMemory(length);
  if (memory == nullptr) {
    [self release];
    return nil;
  }
  s->isOwned_ = YES;
  [self setMemory:memory length:length options:options device:device];
  return self;
}

- (instancetype)initWithBytesNoCopy:(void *)bytes
                             length:(NSUInteger)length
                            options:(MTLResourceOptions)options
                        deallocator:(MTLBufferDeallocator)deallocator
                             device:(id<MTLDevice>)device {
  self = [super init];
  s = new SimBufferState;
  MTLSimAssert(length > 0, @"Cannot create buffer of zero length.");
  MTLSimAssert(reinterpret_cast<uintptr_t>(bytes) % pageSize() == 0, @"newBufferWithBytesNoCopy:pointer %p is not %lu byte aligned.",
               bytes, (unsigned long)pageSize());
  MTLSimAssert(length % pageSize() == 0, @"newBufferWithBytesNoCopy:length %lu is not %lu byte aligned.", (unsigned long)length,
               (unsigned long)pageSize());
  MTLSimAssert(SimStorageMode(options) != MTLStorageModePrivate, @"newBufferWithBytesNoCopy: the storage mode cannot be private.");
  if (deallocator != nil) s->deallocator_ = Block_copy(deallocator);
  [self setMemory:bytes length:length options:options device:device];
  return self;
}

- (instancetype)initInHeap:(SimHeap *)heap offset:(NSUInteger)offset length:(NSUInteger)length {
  self = [super init];
  s = new SimBufferState;
  s->heap_ = [heap retain];
  s->heapOffset_ = offset;
  s->memory_ = static_cast<char *>([heap memory]) + offset;
  s->length_ = length;
  s->options_ = [heap resourceOptions];
  s->device_ = [heap device];
  s->allocation = [heap partAt:offset length:length];
  return self;
}

- (void)setMemory:(void *)memory length:(NSUInteger)length options:(MTLResourceOptions)options device:(id<MTLDevice>)device {
  s->memory_ = memory;
  s->length_ = length;
  s->options_ = options;
  s->device_ = device;
  s->allocation = metal_sim::Engine::shared().memory().add(memory, length, "");
  s->allocation->is_tracked = [self hazardTrackingMode] == MTLHazardTrackingModeTracked;
  allocated += length;
}

- (void)dealloc {
  if (s->memory_ != nullptr) {
    metal_sim::Engine::shared().memory().release(s->allocation);
    if (s->heap_ == nil) allocated -= s->length_;
    else [s->heap_ released:self];
    if (s->isOwned_) SimUnmapMemory(s->memory_, s->length_);
    else if (s->deallocator_ != nil) s->deallocator_(s->memory_, s->length_);
  }
  if (s->deallocator_ != nil) Block_release(s->deallocator_);
  [s->heap_ release];
  [label_ release];
  delete s;
  [super dealloc];
}

- (void)setLabel:(NSString *)label {
  if (label != label_) {
    [label_ release];
    label_ = [label copy];
  }
  const char *text = [label UTF8String];
  if (text != nullptr) s->allocation->label = text;
}
- (NSUInteger)length {
  return s->length_;
}
- (NSUInteger)allocatedSize {
  return SimRoundToPages(s->length_);
}
- (MTLGPUAddress)gpuAddress {
  return reinterpret_cast<uintptr_t>(s->memory_);
}
- (void *)contents {
  MTLSimAssert([self storageMode] != MTLStorageModePrivate,
               @"resourceOptions (0x%lx) specify MTLResourceStorageModePrivate, which is not CPU accessible.", (unsigned long)s->options_);
  return s->memory_;
}
- (void)didModifyRange:(NSRange)range {
  MTLSimAssert([self storageMode] == MTLStorageModeManaged,
               @"didModifyRange: only applies when the resource has storage mode MTLStorageModeManaged.");
  MTLSimAssert(NSMaxRange(range) <= s->length_, @"didModifyRange: the range ends at %lu, beyond [buffer length](%lu).",
               (unsigned long)NSMaxRange(range), (unsigned long)s->length_);
}
- (void)addDebugMarker:(NSString *)marker range:(NSRange)range {
  (void)marker;
  MTLSimAssert(NSMaxRange(range) <= s->length_, @"addDebugMarker: the range ends beyond [buffer length](%lu).", (unsigned long)s->length_);
}
- (void)removeAllDebugMarkers {
}
- (id<MTLDevice>)device {
  return s->device_;
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
  return s->heap_;
}
- (NSUInteger)heapOffset {
  return s->heapOffset_;
}
- (void)makeAliasable {
  MTLSimAssert(s->heap_ != nil, @"makeAliasable: the resource was not allocated from a heap.");
  if (s->isAliasable_) return;
  s->isAliasable_ = YES;
  [s->heap_ aliased:self];
}
- (BOOL)isAliasable {
  return s->isAliasable_;
}
- (MTLPurgeableState)setPurgeableState:(MTLPurgeableState)state {
  (void)state;
  return MTLPurgeableStateNonVolatile;
}

@end
