#import "objects.h"

#import "assert.h"

@implementation SimFunction

@synthesize label = label_;

- (instancetype)initWithName:(NSString *)name
                      kernel:(const metal_sim_kernel *)theKernel
              needsConstants:(BOOL)needs
                      device:(id<MTLDevice>)device {
  self = [super init];
  s = new SimFunctionState;
  s->name_ = [name copy];
  s->kernel = theKernel;
  s->needsConstants = needs;
  s->device_ = device;
  return self;
}
- (void)dealloc {
  [s->name_ release];
  [label_ release];
  delete s;
  [super dealloc];
}
- (NSString *)name {
  return s->name_;
}
- (id<MTLDevice>)device {
  return s->device_;
}

@end

@implementation SimPipeline

- (instancetype)initWithFunction:(SimFunction *)function
                           label:(NSString *)label
                      maxThreads:(NSUInteger)maxThreads
                        multiple:(BOOL)multiple
                          device:(id<MTLDevice>)device {
  self = [super init];
  s = new SimPipelineState;
  s->kernel = function->s->kernel;
  s->promisesWholeSimdgroups = multiple;
  s->label_ = [label copy];
  const NSUInteger limit = [device maxThreadsPerThreadgroup].width;
  s->maxThreads_ = s->kernel->max_threads > 0 ? s->kernel->max_threads : limit;
  if (maxThreads > 0) s->maxThreads_ = MIN(maxThreads, s->maxThreads_);
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
  return 0;
}

@end

@implementation MTLComputePipelineDescriptor
@synthesize label, computeFunction, threadGroupSizeIsMultipleOfThreadExecutionWidth, maxTotalThreadsPerThreadgroup;

- (void)reset {
  self.label = nil;
  self.computeFunction = nil;
  self.threadGroupSizeIsMultipleOfThreadExecutionWidth = NO;
  self.maxTotalThreadsPerThreadgroup = 0;
}
- (void)dealloc {
  [self reset];
  [super dealloc];
}
- (id)copyWithZone:(NSZone *)zone {
  MTLComputePipelineDescriptor *copy = [[MTLComputePipelineDescriptor allocWithZone:zone] init];
  copy.label = self.label;
  copy.computeFunction = self.computeFunction;
  copy.threadGroupSizeIsMultipleOfThreadExecutionWidth = self.threadGroupSizeIsMultipleOfThreadExecutionWidth;
  copy.maxTotalThreadsPerThreadgroup = self.maxTotalThreadsPerThreadgroup;
  return copy;
}

@end
