/** The device, with the limits of an M1 Max. */
#import "objects.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>

#import "assert.h"

extern size_t SimAllocatedSize(void);
extern NSUInteger SimCounterSampleBufferCount(void);
static constexpr NSUInteger kMostSampleBuffers = 32;
extern const std::string &SimBytesOf(dispatch_data_t data);

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
- (MTLDeviceLocation)location {
  return MTLDeviceLocationBuiltIn;
}
- (NSUInteger)locationNumber {
  return 0;
}
- (uint64_t)maxTransferRate {
  return 0;
}
- (uint64_t)peerGroupID {
  return 0;
}
- (uint32_t)peerIndex {
  return 0;
}
- (uint32_t)peerCount {
  return 0;
}
- (MTLArgumentBuffersTier)argumentBuffersSupport {
  return MTLArgumentBuffersTier2;
}
- (NSUInteger)maxArgumentBufferSamplerCount {
  return 1024;
}
- (BOOL)supportsDynamicLibraries {
  return NO;
}
- (BOOL)supportsFunctionPointers {
  return NO;
}
- (BOOL)supportsRaytracing {
  return NO;
}
- (BOOL)supportsFamily:(MTLGPUFamily)family {
  return (family >= MTLGPUFamilyApple1 && family <= MTLGPUFamilyApple7) || family == MTLGPUFamilyMetal3 ||
         family == MTLGPUFamilyMac1 || family == MTLGPUFamilyMac2 || (family >= MTLGPUFamilyCommon1 && family <= MTLGPUFamilyCommon3);
}
- (NSArray *)counterSets {
  return SimCounterSets();
}
- (BOOL)supportsCounterSampling:(MTLCounterSamplingPoint)point {
  return point == MTLCounterSamplingPointAtStageBoundary;
}
- (void)sampleTimestamps:(MTLTimestamp *)cpu gpuTimestamp:(MTLTimestamp *)gpu {
  *cpu = *gpu = static_cast<uint64_t>(SimNow() * 1e9);
}
- (NSString *)description {
  return @"<MTLSimDevice: metal-sim>";
}

- (id<MTLCommandQueue>)newCommandQueue {
  return [self newCommandQueueWithMaxCommandBufferCount:64];
}
- (id<MTLCommandQueue>)newCommandQueueWithMaxCommandBufferCount:(NSUInteger)count {
  MTLSimAssert(count > 0, @"maxCommandBufferCount must be greater than 0.");
  return [[SimQueue alloc] initWithDevice:self count:count];
}
- (id<MTLCommandQueue>)newCommandQueueWithDescriptor:(MTLCommandQueueDescriptor *)descriptor {
  return [self newCommandQueueWithMaxCommandBufferCount:descriptor.maxCommandBufferCount];
}
- (id<MTLBuffer>)newBufferWithLength:(NSUInteger)length options:(MTLResourceOptions)options {
  return [[SimBuffer alloc] initWithLength:length options:options device:self];
}
- (id<MTLBuffer>)newBufferWithBytes:(const void *)bytes length:(NSUInteger)length options:(MTLResourceOptions)options {
  MTLSimAssert(bytes != nullptr, @"newBufferWithBytes: the pointer must not be nil.");
  SimBuffer *buffer = [[SimBuffer alloc] initWithLength:length options:options device:self];
  if (buffer != nil) std::memcpy(buffer->s->memory_, bytes, length);
  return buffer;
}
- (id<MTLBuffer>)newBufferWithBytesNoCopy:(void *)bytes
                                   length:(NSUInteger)length
                                  options:(MTLResourceOptions)options
                              deallocator:(MTLBufferDeallocator)deallocator {
  return [[SimBuffer alloc] initWithBytesNoCopy:bytes length:length options:options deallocator:deallocator device:self];
}

- (id<MTLHeap>)newHeapWithDescriptor:(MTLHeapDescriptor *)descriptor {
  MTLSimAssert(descriptor != nil, @"newHeapWithDescriptor: the descriptor must not be nil.");
  return [[SimHeap alloc] initWithDescriptor:descriptor device:self];
}
- (MTLSizeAndAlign)heapBufferSizeAndAlignWithLength:(NSUInteger)length options:(MTLResourceOptions)options {
  (void)options;
  return {(length + 255) / 256 * 256, 256};
}
- (id<MTLResidencySet>)newResidencySetWithDescriptor:(MTLResidencySetDescriptor *)descriptor error:(NSError **)error {
  (void)error;
  MTLSimAssert(descriptor != nil, @"newResidencySetWithDescriptor: the descriptor must not be nil.");
  return [[SimResidencySet alloc] initWithDescriptor:descriptor device:self];
}
- (id<MTLArgumentEncoder>)newArgumentEncoderWithArguments:(NSArray *)arguments {
  MTLSimAssert([arguments count] > 0, @"newArgumentEncoderWithArguments: there must be arguments.");
  return [[SimArgumentEncoder alloc] initWithArguments:arguments device:self];
}
- (id<MTLIndirectCommandBuffer>)newIndirectCommandBufferWithDescriptor:(MTLIndirectCommandBufferDescriptor *)descriptor
                                                       maxCommandCount:(NSUInteger)count
                                                               options:(MTLResourceOptions)options {
  return [[SimIndirectBuffer alloc] initWithDescriptor:descriptor count:count options:options device:self];
}
- (id<MTLCounterSampleBuffer>)newCounterSampleBufferWithDescriptor:(MTLCounterSampleBufferDescriptor *)descriptor error:(NSError **)error {
  // 32 KiB of 8 bytes each
  const bool isFree = SimCounterSampleBufferCount() < kMostSampleBuffers;
  if (isFree && descriptor.counterSet != nil && descriptor.sampleCount > 0 && descriptor.sampleCount <= 4096) {
    return [[SimCounterSampleBuffer alloc] initWithDescriptor:descriptor device:self];
  }
  if (error != nullptr) {
    *error = [NSError errorWithDomain:MTLCounterErrorDomain code:1 userInfo:@{
      NSLocalizedDescriptionKey : isFree ? @"A counter sample buffer needs a counter set and 1 to 4096 samples (32 KiB)"
                                         : @"There are 32 counter sample buffers, which is all that a device has"
    }];
  }
  return nil;
}

/** Calls back on another thread, as Metal does. */
- (void)later:(void (^)(void))work {
  dispatch_async(dispatch_get_global_queue(0, 0), work);
}

- (id<MTLLibrary>)newDefaultLibrary {
  return nil;
}
- (id<MTLLibrary>)newDefaultLibraryWithBundle:(NSBundle *)bundle error:(NSError **)error {
  (void)bundle;
  if (error != nullptr) {
    *error = [NSError errorWithDomain:MTLLibraryErrorDomain code:MTLLibraryErrorFileNotFound userInfo:@{
      NSLocalizedDescriptionKey : @"there is no default library: the simulator has no bundles"
    }];
  }
  return nil;
}
- (id<MTLLibrary>)newLibraryWithSource:(NSString *)source options:(MTLCompileOptions *)options error:(NSError **)error {
  MTLSimAssert(source != nil, @"newLibraryWithSource: source must not be nil.");
  return [[SimLibrary alloc] initWithSource:source options:options device:self error:error];
}
- (void)newLibraryWithSource:(NSString *)source options:(MTLCompileOptions *)options completionHandler:(MTLNewLibraryCompletionHandler)handler {
  source = [source copy];
  options = [options copy];
  [self later:^{
    NSError *error = nil;
    id<MTLLibrary> library = [self newLibraryWithSource:source options:options error:&error];
    handler(library, error);
    [library release];
    [options release];
    [source release];
  }];
}
/** A library of the simulator is the bytes of a metallib's head, a line, and Metal source: tests have no compiler for others. */
- (id<MTLLibrary>)newLibraryWithText:(NSString *)text name:(NSString *)name error:(NSError **)error {
  NSString *head = @"MTLB metal-sim\n";
  if (text != nil && [text hasPrefix:head]) {
    // as the offline compiler is told to
    MTLCompileOptions *options = [[[MTLCompileOptions alloc] init] autorelease];
    options.fastMathEnabled = NO;
    return [[SimLibrary alloc] initWithSource:[text substringFromIndex:[head length]] options:options device:self error:error];
  }
  if (error != nullptr) {
    *error = [NSError errorWithDomain:MTLLibraryErrorDomain code:MTLLibraryErrorUnsupported userInfo:@{
      NSLocalizedDescriptionKey : [name stringByAppendingString:@": the simulator reads Metal source, not metallibs"]
    }];
  }
  return nil;
}
- (id<MTLLibrary>)newLibraryWithURL:(NSURL *)url error:(NSError **)error {
  return [self newLibraryWithFile:[url path] error:error];
}
- (id<MTLLibrary>)newLibraryWithFile:(NSString *)path error:(NSError **)error {
  NSString *text = [NSString stringWithContentsOfFile:path encoding:NSUTF8StringEncoding error:nullptr];
  if (text == nil && ![[NSFileManager defaultManager] fileExistsAtPath:path]) {
    if (error != nullptr) {
      *error = [NSError errorWithDomain:MTLLibraryErrorDomain code:MTLLibraryErrorFileNotFound userInfo:@{
        NSLocalizedDescriptionKey : [NSString stringWithFormat:@"%@: there is no such file", path]
      }];
    }
    return nil;
  }
  return [self newLibraryWithText:text name:path error:error];
}
- (id<MTLLibrary>)newLibraryWithData:(dispatch_data_t)data error:(NSError **)error {
  NSString *text = [NSString stringWithUTF8String:SimBytesOf(data).c_str()];
  return [self newLibraryWithText:text name:@"data" error:error];
}

- (id<MTLComputePipelineState>)newComputePipelineStateWithFunction:(id<MTLFunction>)function error:(NSError **)error {
  return [self newComputePipelineStateWithFunction:function options:MTLPipelineOptionNone reflection:nullptr error:error];
}
- (id<MTLComputePipelineState>)newComputePipelineStateWithFunction:(id<MTLFunction>)function
                                                           options:(MTLPipelineOption)options
                                                        reflection:(MTLAutoreleasedComputePipelineReflection *)reflection
                                                             error:(NSError **)error {
  MTLComputePipelineDescriptor *descriptor = [[[MTLComputePipelineDescriptor alloc] init] autorelease];
  descriptor.computeFunction = function;
  return [self newComputePipelineStateWithDescriptor:descriptor options:options reflection:reflection error:error];
}
- (id<MTLComputePipelineState>)newComputePipelineStateWithDescriptor:(MTLComputePipelineDescriptor *)descriptor
                                                             options:(MTLPipelineOption)options
                                                          reflection:(MTLAutoreleasedComputePipelineReflection *)reflection
                                                               error:(NSError **)error {
  auto *function = simulated<SimFunction>(descriptor.computeFunction);
  MTLSimAssert(function != nil, @"computeFunction must not be nil.");
  MTLSimAssert(!function->s->needsConstants,
               @"function %@ cannot be used to build a pipeline state. Use newFunctionWithName:constantValues:...", [function name]);
  MTLSimAssert(descriptor.linkedFunctions == nil, @"The simulator has no linked functions.");
  NSString *problem = nil;
  const metal_sim_kernel *kernel = function->s->kernel;
  if (kernel->max_threads > 1024) {
    problem = [NSString stringWithFormat:@"max_total_threads_per_threadgroup (%u) exceeds the limit of the device (1024)", kernel->max_threads];
  } else if (kernel->static_local > 32768) {
    problem = [NSString stringWithFormat:@"Threadgroup memory size (%lu) exceeds the maximum threadgroup memory allowed (32768)",
                                         kernel->static_local];
  } else if (descriptor.maxTotalThreadsPerThreadgroup > 1024) {
    problem = [NSString stringWithFormat:@"maxTotalThreadsPerThreadgroup (%lu) exceeds the limit of the device (1024)",
                                         (unsigned long)descriptor.maxTotalThreadsPerThreadgroup];
  } else if ((options & MTLPipelineOptionFailOnBinaryArchiveMiss) != 0) {
    BOOL isKnown = NO;
    for (id<MTLBinaryArchive> archive in descriptor.binaryArchives) isKnown = isKnown || [simulated<SimBinaryArchive>(archive) holds:function];
    if (!isKnown) problem = [NSString stringWithFormat:@"function %@ is in none of the binary archives", [function name]];
  }
  if (problem != nil) {
    if (error != nullptr) *error = [NSError errorWithDomain:@"AGXMetal" code:3 userInfo:@{NSLocalizedDescriptionKey : problem}];
    return nil;
  }
  if (reflection != nullptr) {
    *reflection = (options & MTLPipelineOptionArgumentInfo) != 0 ? SimReflectionOf(kernel) : nil;
  }
  return [[SimPipeline alloc] initWithDescriptor:descriptor device:self];
}
- (void)newComputePipelineStateWithFunction:(id<MTLFunction>)function completionHandler:(MTLNewComputePipelineStateCompletionHandler)handler {
  [self later:^{
    NSError *error = nil;
    id<MTLComputePipelineState> pipeline = [self newComputePipelineStateWithFunction:function error:&error];
    handler(pipeline, error);
    [pipeline release];
  }];
}
- (void)newComputePipelineStateWithFunction:(id<MTLFunction>)function
                                    options:(MTLPipelineOption)options
                          completionHandler:(MTLNewComputePipelineStateWithReflectionCompletionHandler)handler {
  MTLComputePipelineDescriptor *descriptor = [[[MTLComputePipelineDescriptor alloc] init] autorelease];
  descriptor.computeFunction = function;
  [self newComputePipelineStateWithDescriptor:descriptor options:options completionHandler:handler];
}
- (void)newComputePipelineStateWithDescriptor:(MTLComputePipelineDescriptor *)descriptor
                                      options:(MTLPipelineOption)options
                            completionHandler:(MTLNewComputePipelineStateWithReflectionCompletionHandler)handler {
  descriptor = [descriptor copy];
  [self later:^{
    NSError *error = nil;
    MTLComputePipelineReflection *reflection = nil;
    id<MTLComputePipelineState> pipeline = [self newComputePipelineStateWithDescriptor:descriptor
                                                                               options:options
                                                                            reflection:&reflection
                                                                                 error:&error];
    handler(pipeline, reflection, error);
    [pipeline release];
    [descriptor release];
  }];
}
- (id<MTLBinaryArchive>)newBinaryArchiveWithDescriptor:(MTLBinaryArchiveDescriptor *)descriptor error:(NSError **)error {
  return [[SimBinaryArchive alloc] initWithURL:descriptor.url device:self error:error];
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
