#import "objects.h"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>

#import "assert.h"

namespace {

std::atomic<size_t> allocated{0};

size_t pageSize() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }

size_t roundToPages(size_t bytes) { return (bytes + pageSize() - 1) / pageSize() * pageSize(); }

}  // namespace

size_t SimAllocatedSize(void) { return allocated.load(); }

@implementation SimBuffer

@synthesize label = label_;

- (instancetype)initWithLength:(NSUInteger)length options:(MTLResourceOptions)options device:(id<MTLDevice>)device {
  self = [super init];
  s = new SimBufferState;
  MTLSimAssert(length > 0, @"Cannot create buffer of zero length.");
  if (length == 0 || length > [device maxBufferLength]) {
    [self release];
    return nil;
  }
  // a page that nobody may touch stands behind the last one
  const size_t mapped = roundToPages(length) + pageSize();
  void *memory = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    [self release];
    return nil;
  }
  mprotect(static_cast<char *>(memory) + roundToPages(length), pageSize(), PROT_NONE);
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
  const BOOL isAligned = reinterpret_cast<uintptr_t>(bytes) % pageSize() == 0 && length % pageSize() == 0;
  MTLSimAssert(isAligned, @"newBufferWithBytesNoCopy:pointer %p is not %lu byte aligned, or length %lu is no multiple of it.", bytes,
               (unsigned long)pageSize(), (unsigned long)length);
  if (!isAligned || length == 0) {
    [self release];
    return nil;
  }
  if (deallocator != nil) s->deallocator_ = Block_copy(deallocator);
  [self setMemory:bytes length:length options:options device:device];
  return self;
}

- (void)setMemory:(void *)memory length:(NSUInteger)length options:(MTLResourceOptions)options device:(id<MTLDevice>)device {
  s->memory_ = memory;
  s->length_ = length;
  s->options_ = options;
  s->device_ = device;
  s->allocation = metal_sim::Engine::shared().memory().add(memory, length, "");
  allocated += length;
}

- (void)dealloc {
  if (s->memory_ != nullptr) {
    metal_sim::Engine::shared().memory().release(s->allocation);
    allocated -= s->length_;
    if (s->isOwned_) munmap(s->memory_, roundToPages(s->length_) + pageSize());
    else if (s->deallocator_ != nil) s->deallocator_(s->memory_, s->length_);
  }
  if (s->deallocator_ != nil) Block_release(s->deallocator_);
  [label_ release];
  delete s;
  [super dealloc];
}

- (NSUInteger)length {
  return s->length_;
}
- (NSUInteger)allocatedSize {
  return roundToPages(s->length_);
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
  (void)range;
  MTLSimAssert([self storageMode] == MTLStorageModeManaged,
               @"didModifyRange: only applies when the resource has storage mode MTLStorageModeManaged.");
}
- (id<MTLDevice>)device {
  return s->device_;
}
- (MTLStorageMode)storageMode {
  return static_cast<MTLStorageMode>((s->options_ >> 4) & 15);
}
- (MTLHazardTrackingMode)hazardTrackingMode {
  const auto mode = static_cast<MTLHazardTrackingMode>((s->options_ >> 8) & 3);
  return mode == MTLHazardTrackingModeDefault ? MTLHazardTrackingModeTracked : mode;
}
- (MTLResourceOptions)resourceOptions {
  return s->options_;
}
- (MTLPurgeableState)setPurgeableState:(MTLPurgeableState)state {
  (void)state;
  return MTLPurgeableStateNonVolatile;
}

@end
