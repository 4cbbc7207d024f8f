/** The device, with the limits of an M1, and captures of what it does. */
#import "objects.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>

#import "assert.h"

extern size_t SimAllocatedSize(void);

@implementation MTLArchitecture
- (NSString *)name {
  return @"applegpu_g13s";
}
- (id)copyWithZone:(NSZone *)zone {
  (void)zone;
  return [self retain];
}
@end

@interface SimDevice : NSObject <MTLDevice> {
  struct SimDeviceState *s;
}
@end

struct SimDeviceState {
  MTLArchitecture *architecture_{};
};

@implementation SimDevice

- (instancetype)init {
  self = [super init];
  s = new SimDeviceState;
  s->architecture_ = [[MTLArchitecture alloc] init];
  return self;
}
- (NSString *)name {
  return @"metal-sim";
}
- (uint64_t)registryID {
  return 1;
}
- (MTLArchitecture *)architecture {
  return s->architecture_;
}
- (MTLSize)maxThreadsPerThreadgroup {
  return MTLSizeMake(1024, 1024, 1024);
}
- (NSUInteger)maxThreadgroupMemoryLength {
  return 32768;
}
- (NSUInteger)maxBufferLength {
  return (NSUInteger)8 << 30;
}
- (uint64_t)recommendedMaxWorkingSetSize {
  return (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) / 4 * 3;
}
- (NSUInteger)currentAllocatedSize {
  return SimAllocatedSize();
}
- (BOOL)hasUnifiedMemory {
  return YES;
}
- (BOOL)isLowPower {
  return NO;
}
- (BOOL)isRemovable {
  return NO;
}
- (BOOL)isHeadless {
  return NO;
}
- (BOOL)supportsFamily:(MTLGPUFamily)family {
  return (family >= MTLGPUFamilyApple6 && family <= MTLGPUFamilyApple7) || family == MTLGPUFamilyMetal3 ||
         family == MTLGPUFamilyMac2 || family == MTLGPUFamilyCommon3;
}

- (id<MTLCommandQueue>)newCommandQueue {
  return [self newCommandQueueWithMaxCommandBufferCount:64];
}
- (id<MTLCommandQueue>)newCommandQueueWithMaxCommandBufferCount:(NSUInteger)count {
  MTLSimAssert(count > 0, @"maxCommandBufferCount must be greater than 0.");
  return [[SimQueue alloc] initWithDevice:self count:count];
}
- (id<MTLBuffer>)newBufferWithLength:(NSUInteger)length options:(MTLResourceOptions)options {
  return [[SimBuffer alloc] initWithLength:length options:options device:self];
}
- (id<MTLBuffer>)newBufferWithBytes:(const void *)bytes length:(NSUInteger)length options:(MTLResourceOptions)options {
  SimBuffer *buffer = [[SimBuffer alloc] initWithLength:length options:options device:self];
  if (buffer != nil) std::memcpy([buffer contents], bytes, length);
  return buffer;
}
- (id<MTLBuffer>)newBufferWithBytesNoCopy:(void *)bytes
                                   length:(NSUInteger)length
                                  options:(MTLResourceOptions)options
                              deallocator:(MTLBufferDeallocator)deallocator {
  return [[SimBuffer alloc] initWithBytesNoCopy:bytes length:length options:options deallocator:deallocator device:self];
}

- (id<MTLLibrary>)newLibraryWithSource:(NSString *)source options:(MTLCompileOptions *)options error:(NSError **)error {
  (void)options;
  return [[SimLibrary alloc] initWithSource:source device:self error:error];
}
/** A library of the simulator is the bytes of a metallib's head, a line, and Metal source: tests have no compiler for others. */
- (id<MTLLibrary>)newLibraryWithURL:(NSURL *)url error:(NSError **)error {
  NSString *text = [NSString stringWithContentsOfFile:[url path] encoding:NSUTF8StringEncoding error:nullptr];
  NSString *head = @"MTLB metal-sim\n";
  if (text != nil && [text hasPrefix:head]) {
    return [[SimLibrary alloc] initWithSource:[text substringFromIndex:[head length]] device:self error:error];
  }
  if (error != nullptr) {
    NSString *text = [NSString stringWithFormat:@"%@: the simulator reads Metal source, not metallibs", [url path]];
    *error = [NSError errorWithDomain:MTLLibraryErrorDomain
                                 code:MTLLibraryErrorUnsupported
                             userInfo:@{NSLocalizedDescriptionKey : text}];
  }
  return nil;
}

- (id<MTLComputePipelineState>)newComputePipelineStateWithFunction:(id<MTLFunction>)function error:(NSError **)error {
  MTLComputePipelineDescriptor *descriptor = [[[MTLComputePipelineDescriptor alloc] init] autorelease];
  descriptor.computeFunction = function;
  return [self newComputePipelineStateWithDescriptor:descriptor options:MTLPipelineOptionNone reflection:nullptr error:error];
}
- (id<MTLComputePipelineState>)newComputePipelineStateWithDescriptor:(MTLComputePipelineDescriptor *)descriptor
                                                             options:(MTLPipelineOption)options
                                                          reflection:(id *)reflection
                                                               error:(NSError **)error {
  (void)options;
  (void)reflection;
  auto *function = (SimFunction *)descriptor.computeFunction;
  MTLSimAssert(function != nil, @"computeFunction must not be nil.");
  MTLSimAssert(!function->s->needsConstants,
               @"function %@ cannot be used to build a pipeline state. Use newFunctionWithName:constantValues:...", [function name]);
  if (function->s->kernel->max_threads > 1024) {
    if (error != nullptr) {
      *error = [NSError errorWithDomain:@"AGXMetal" code:1 userInfo:@{
        NSLocalizedDescriptionKey : @"max_total_threads_per_threadgroup exceeds the limit of the device (1024)"
      }];
    }
    return nil;
  }
  return [[SimPipeline alloc] initWithFunction:function
                                         label:descriptor.label
                                    maxThreads:descriptor.maxTotalThreadsPerThreadgroup
                                      multiple:descriptor.threadGroupSizeIsMultipleOfThreadExecutionWidth
                                        device:self];
}

- (id<MTLFence>)newFence {
  return [[SimFence alloc] initWithDevice:self];
}
- (id<MTLEvent>)newEvent {
  return [[SimEvent alloc] initWithDevice:self];
}
- (id<MTLSharedEvent>)newSharedEvent {
  return [[SimEvent alloc] initWithDevice:self];
}
- (void)dealloc {
  delete s;
  [super dealloc];
}

@end

id<MTLDevice> MTLCreateSystemDefaultDevice(void) {
  static SimDevice *device = [[SimDevice alloc] init];
  return [device retain];
}
NSArray *MTLCopyAllDevices(void) {
  id<MTLDevice> device = [MTLCreateSystemDefaultDevice() autorelease];
  return [[NSArray alloc] initWithObjects:device, nil];
}

// ---------------------------------------------------------------------------------------------------------

@implementation MTLCaptureDescriptor
@synthesize captureObject, destination, outputURL;
- (void)dealloc {
  [captureObject release];
  [outputURL release];
  [super dealloc];
}
- (id)copyWithZone:(NSZone *)zone {
  MTLCaptureDescriptor *copy = [[MTLCaptureDescriptor allocWithZone:zone] init];
  copy.captureObject = self.captureObject;
  copy.destination = self.destination;
  copy.outputURL = self.outputURL;
  return copy;
}
@end

/** A capture writes an empty document, so that code around it can be tried; it needs what Metal needs. */
@implementation MTLCaptureManager
+ (MTLCaptureManager *)sharedCaptureManager {
  static MTLCaptureManager *manager = [[MTLCaptureManager alloc] init];
  return manager;
}
- (BOOL)isCapturing {
  return isCapturing_;
}
- (BOOL)supportsDestination:(MTLCaptureDestination)destination {
  const char *enabled = std::getenv("MTL_CAPTURE_ENABLED");
  return destination == MTLCaptureDestinationGPUTraceDocument && enabled != nullptr && enabled[0] == '1';
}
- (BOOL)startCaptureWithDescriptor:(MTLCaptureDescriptor *)descriptor error:(NSError **)error {
  NSString *path = [descriptor.outputURL path];
  NSString *problem = nil;
  if (![self supportsDestination:descriptor.destination]) problem = @"Capturing is not supported: set MTL_CAPTURE_ENABLED=1";
  else if (isCapturing_) problem = @"Already capturing";
  else if (![path hasSuffix:@".gputrace"]) problem = @"The output URL must end in .gputrace";
  else if ([[NSFileManager defaultManager] fileExistsAtPath:path]) problem = @"The output URL exists already";
  if (problem != nil) {
    if (error != nullptr) {
      *error = [NSError errorWithDomain:@"MTLCaptureError" code:1 userInfo:@{NSLocalizedDescriptionKey : problem}];
    }
    return NO;
  }
  [[NSFileManager defaultManager] createDirectoryAtPath:path withIntermediateDirectories:NO attributes:nil error:nullptr];
  isCapturing_ = YES;
  return YES;
}
- (void)stopCapture {
  isCapturing_ = NO;
}
@end
