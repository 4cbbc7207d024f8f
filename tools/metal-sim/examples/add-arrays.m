/**
 * Adds two arrays, in plain Objective-C with automatic reference counting:
 *
 *   clang-19 -fobjc-arc $(node tools/metal-sim/build.mjs --flags) tools/metal-sim/examples/add-arrays.m -o /tmp/add-arrays && /tmp/add-arrays
 */
#import <Foundation/Foundation.h>
#import <Metal/Metal.h>

static NSString *const source = @"#include <metal_stdlib>\n"
                                 "kernel void add_arrays(device const float *a, device const float *b, device float *sum,\n"
                                 "                       uint i [[thread_position_in_grid]]) {\n"
                                 "  sum[i] = a[i] + b[i];\n"
                                 "}\n";

@interface Adder : NSObject
@property(nonatomic, readonly) NSUInteger count;
- (instancetype)initWithDevice:(id<MTLDevice>)device count:(NSUInteger)count;
- (BOOL)run:(NSError **)error;
- (NSUInteger)mistakes;
@end

@implementation Adder {
  id<MTLComputePipelineState> _pipeline;
  id<MTLCommandQueue> _queue;
  NSArray<id<MTLBuffer>> *_buffers;
}

- (instancetype)initWithDevice:(id<MTLDevice>)device count:(NSUInteger)count {
  self = [super init];
  if (self == nil) return nil;
  NSError *error = nil;
  id<MTLLibrary> library = [device newLibraryWithSource:source options:nil error:&error];
  if (library == nil) {
    NSLog(@"%@", error.localizedDescription);
    return nil;
  }
  id<MTLFunction> function = [library newFunctionWithName:@"add_arrays"];
  _pipeline = [device newComputePipelineStateWithFunction:function error:&error];
  _queue = [device newCommandQueue];
  _count = count;
  NSMutableArray *buffers = [NSMutableArray array];
  for (int i = 0; i < 3; i++) {
    [buffers addObject:[device newBufferWithLength:count * sizeof(float) options:MTLResourceStorageModeShared]];
  }
  _buffers = buffers;
  for (NSUInteger i = 0; i < count; i++) {
    ((float *)_buffers[0].contents)[i] = (float)i;
    ((float *)_buffers[1].contents)[i] = 0.5f;
  }
  return self;
}

- (BOOL)run:(NSError **)error {
  id<MTLCommandBuffer> commandBuffer = [_queue commandBuffer];
  id<MTLComputeCommandEncoder> encoder = [commandBuffer computeCommandEncoder];
  [encoder setComputePipelineState:_pipeline];
  for (NSUInteger i = 0; i < _buffers.count; i++) [encoder setBuffer:_buffers[i] offset:0 atIndex:i];
  NSUInteger width = MIN(_pipeline.maxTotalThreadsPerThreadgroup, _count);
  [encoder dispatchThreads:MTLSizeMake(_count, 1, 1) threadsPerThreadgroup:MTLSizeMake(width, 1, 1)];
  [encoder endEncoding];
  [commandBuffer commit];
  [commandBuffer waitUntilCompleted];
  if (commandBuffer.status == MTLCommandBufferStatusCompleted) return YES;
  if (error != NULL) *error = commandBuffer.error;
  return NO;
}

- (NSUInteger)mistakes {
  const float *a = _buffers[0].contents, *b = _buffers[1].contents, *sum = _buffers[2].contents;
  NSUInteger mistakes = 0;
  for (NSUInteger i = 0; i < _count; i++) mistakes += sum[i] != a[i] + b[i];
  return mistakes;
}

@end

int main(void) {
  @autoreleasepool {
    id<MTLDevice> device = MTLCreateSystemDefaultDevice();
    Adder *adder = [[Adder alloc] initWithDevice:device count:5000];
    NSError *error = nil;
    if (![adder run:&error]) {
      printf("failed: %s\n", error.localizedDescription.UTF8String);
      return 1;
    }
    printf("%lu sums, %lu of them wrong\n", (unsigned long)adder.count, (unsigned long)[adder mistakes]);
  }
  return 0;
}
