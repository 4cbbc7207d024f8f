#import "objects.h"

#import "assert.h"

@implementation SimFunction

@synthesize label = label_;

- (instancetype)initWithName:(NSString *)name
                      kernel:(const metal_sim_kernel *)theKernel
              needsConstants:(BOOL)needs
                         key:(const std::string &)key
                   constants:(NSDictionary *)constants
                      device:(id<MTLDevice>)device {
  self = [super init];
  s = new SimFunctionState;
  s->name_ = [name copy];
  s->kernel = theKernel;
  s->needsConstants = needs;
  s->key = key;
  s->constants_ = [constants retain];
  s->device_ = device;
  return self;
}
- (void)dealloc {
  [s->name_ release];
  [s->constants_ release];
  [label_ release];
  delete s;
  [super dealloc];
}
- (NSString *)name {
  return s->name_;
}
- (MTLFunctionType)functionType {
  return MTLFunctionTypeKernel;
}
- (MTLFunctionOptions)options {
  return MTLFunctionOptionNone;
}
- (NSDictionary *)functionConstantsDictionary {
  return s->constants_;
}
- (id<MTLArgumentEncoder>)newArgumentEncoderWithBufferIndex:(NSUInteger)bufferIndex {
  for (unsigned i = 0; i < s->kernel->parameter_count; i++) {
    const metal_sim_parameter &p = s->kernel->parameters[i];
    const bool isBuffer = p.kind == metal_sim_device_buffer || p.kind == metal_sim_constant_buffer;
    if (!isBuffer || p.index != bufferIndex || p.member_count == 0) continue;
    return [[SimArgumentEncoder alloc] initWithMembers:p.members count:p.member_count length:p.size device:s->device_];
  }
  MTLSimAssert(NO, @"newArgumentEncoderWithBufferIndex: function %@ has no argument buffer at index %lu: no member has an [[id(n)]].",
               s->name_, (unsigned long)bufferIndex);
  return nil;
}
- (id<MTLDevice>)device {
  return s->device_;
}

@end

@implementation SimPipeline

- (instancetype)initWithDescriptor:(MTLComputePipelineDescriptor *)descriptor device:(id<MTLDevice>)device {
  self = [super init];
  s = new SimPipelineState;
  s->kernel = simulated<SimFunction>(descriptor.computeFunction)->s->kernel;
  s->promisesWholeSimdgroups = descriptor.threadGroupSizeIsMultipleOfThreadExecutionWidth;
  s->isForIndirectCommands = descriptor.supportIndirectCommandBuffers;
  s->label_ = [descriptor.label copy];
  const NSUInteger limit = [device maxThreadsPerThreadgroup].width;
  const NSUInteger asked = descriptor.maxTotalThreadsPerThreadgroup;
  s->maxThreads_ = s->kernel->max_threads > 0 ? s->kernel->max_threads : limit;
  if (asked > 0) s->maxThreads_ = MIN(asked, s->maxThreads_);
  s->device_ = device;
  return self;
}
- (void)dealloc {
  [s->label_ release];
  delete s;
  [super dealloc];
}
- (NSString *)label {
  return s->label_;
}
- (id<MTLDevice>)device {
  return s->device_;
}
- (NSUInteger)maxTotalThreadsPerThreadgroup {
  return s->maxThreads_;
}
- (NSUInteger)threadExecutionWidth {
  return METAL_SIM_LANES;
}
- (NSUInteger)staticThreadgroupMemoryLength {
  return s->kernel->static_local;
}
- (BOOL)supportIndirectCommandBuffers {
  return s->isForIndirectCommands;
}
- (MTLResourceID)gpuResourceID {
  return {reinterpret_cast<uintptr_t>(self)};
}

@end

@implementation MTLPipelineBufferDescriptor
@synthesize mutability;
- (id)copyWithZone:(NSZone *)zone {
  MTLPipelineBufferDescriptor *copy = [[MTLPipelineBufferDescriptor allocWithZone:zone] init];
  copy.mutability = mutability;
  return copy;
}
@end

@implementation MTLPipelineBufferDescriptorArray
- (instancetype)init {
  self = [super init];
  descriptors_ = [[NSMutableArray alloc] init];
  for (unsigned i = 0; i < METAL_SIM_BUFFERS; i++) {
    [descriptors_ addObject:[[[MTLPipelineBufferDescriptor alloc] init] autorelease]];
  }
  return self;
}
- (void)dealloc {
  [descriptors_ release];
  [super dealloc];
}
- (MTLPipelineBufferDescriptor *)objectAtIndexedSubscript:(NSUInteger)index {
  MTLSimAssert(index < METAL_SIM_BUFFERS, @"index(%lu) must be < 31.", (unsigned long)index);
  return [descriptors_ objectAtIndex:index];
}
- (void)setObject:(MTLPipelineBufferDescriptor *)buffer atIndexedSubscript:(NSUInteger)index {
  MTLSimAssert(index < METAL_SIM_BUFFERS, @"index(%lu) must be < 31.", (unsigned long)index);
  id copy = buffer == nil ? [[MTLPipelineBufferDescriptor alloc] init] : [buffer copy];
  [descriptors_ replaceObjectAtIndex:index withObject:copy];
  [copy release];
}
@end

@implementation MTLComputePipelineDescriptor
@synthesize label, computeFunction, threadGroupSizeIsMultipleOfThreadExecutionWidth, maxTotalThreadsPerThreadgroup,
    supportIndirectCommandBuffers, binaryArchives, linkedFunctions, maxCallStackDepth;

- (instancetype)init {
  self = [super init];
  [self reset];
  return self;
}
- (MTLPipelineBufferDescriptorArray *)buffers {
  return buffers_;
}
- (void)clear {
  self.label = nil;
  self.computeFunction = nil;
  self.binaryArchives = nil;
  self.linkedFunctions = nil;
  [buffers_ release];
  buffers_ = nil;
}
- (void)reset {
  [self clear];
  buffers_ = [[MTLPipelineBufferDescriptorArray alloc] init];
  self.threadGroupSizeIsMultipleOfThreadExecutionWidth = NO;
  self.maxTotalThreadsPerThreadgroup = 0;
  self.supportIndirectCommandBuffers = NO;
  self.maxCallStackDepth = 1;
}
- (void)dealloc {
  [self clear];
  [super dealloc];
}
- (id)copyWithZone:(NSZone *)zone {
  MTLComputePipelineDescriptor *copy = [[MTLComputePipelineDescriptor allocWithZone:zone] init];
  copy.label = self.label;
  copy.computeFunction = self.computeFunction;
  copy.threadGroupSizeIsMultipleOfThreadExecutionWidth = self.threadGroupSizeIsMultipleOfThreadExecutionWidth;
  copy.maxTotalThreadsPerThreadgroup = self.maxTotalThreadsPerThreadgroup;
  copy.supportIndirectCommandBuffers = self.supportIndirectCommandBuffers;
  copy.binaryArchives = self.binaryArchives;
  copy.linkedFunctions = self.linkedFunctions;
  copy.maxCallStackDepth = self.maxCallStackDepth;
  for (unsigned i = 0; i < METAL_SIM_BUFFERS; i++) [copy.buffers setObject:[buffers_ objectAtIndexedSubscript:i] atIndexedSubscript:i];
  return copy;
}

@end

// ---------------------------------------------------------------------------------------------------------

@implementation MTLArgument
- (void)dealloc {
  [name_ release];
  [super dealloc];
}
- (NSString *)name {
  return name_;
}
- (MTLBindingType)type {
  return type_;
}
- (MTLBindingAccess)access {
  return access_;
}
- (NSUInteger)index {
  return index_;
}
- (BOOL)isUsed {
  return isUsed_;
}
- (BOOL)isActive {
  return isUsed_;
}
- (BOOL)isArgument {
  return YES;
}
/** The greatest power of two that divides the size, as far as types are aligned. */
- (NSUInteger)bufferAlignment {
  return size_ == 0 ? 1 : MIN(size_ & (~size_ + 1), 16u);
}
- (NSUInteger)bufferDataSize {
  return size_;
}
- (NSUInteger)threadgroupMemoryAlignment {
  return 16;
}
- (NSUInteger)threadgroupMemoryDataSize {
  return size_;
}
- (NSString *)description {
  return [NSString stringWithFormat:@"<MTLArgument %@: %@ %lu>", name_,
                                    type_ == MTLBindingTypeBuffer ? @"buffer" : @"threadgroup", (unsigned long)index_];
}
@end

@implementation MTLComputePipelineReflection
- (void)dealloc {
  [bindings_ release];
  [super dealloc];
}
- (NSArray *)arguments {
  return bindings_;
}
- (NSArray *)bindings {
  return bindings_;
}
@end

MTLComputePipelineReflection *SimReflectionOf(const metal_sim_kernel *kernel) {
  NSMutableArray *bindings = [[NSMutableArray alloc] init];
  for (unsigned i = 0; i < kernel->parameter_count; i++) {
    const metal_sim_parameter &p = kernel->parameters[i];
    if (p.kind == metal_sim_builtin || p.is_absent != 0) continue;
    MTLArgument *argument = [[[MTLArgument alloc] init] autorelease];
    argument->name_ = [[NSString alloc] initWithUTF8String:p.name];
    argument->type_ = p.kind == metal_sim_threadgroup_buffer ? MTLBindingTypeThreadgroupMemory : MTLBindingTypeBuffer;
    argument->access_ = p.is_writable != 0 ? MTLBindingAccessReadWrite : MTLBindingAccessReadOnly;
    argument->index_ = p.index;
    argument->size_ = p.size;
    argument->isUsed_ = YES;
    [bindings addObject:argument];
  }
  MTLComputePipelineReflection *reflection = [[[MTLComputePipelineReflection alloc] init] autorelease];
  reflection->bindings_ = bindings;
  return reflection;
}
