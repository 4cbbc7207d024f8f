/**
 * Sums rows with a function constant, threadgroup memory and two command buffers in flight, in Objective-C++ without automatic reference
 * counting:
 *
 *   clang++-19 -std=c++20 $(node tools/metal-sim/build.mjs --flags) tools/metal-sim/examples/sums.mm -o /tmp/sums && /tmp/sums
 */
#import <Metal/Metal.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

static const char *const kSource = R"(
#include <metal_stdlib>
using namespace metal;

constant uint kWidth [[function_constant(0)]];

struct Params {
  float scale;
};

kernel void sum_rows(device const float* rows   [[buffer(0)]],
                     device float*       sums   [[buffer(1)]],
                     constant Params&    params [[buffer(2)]],
                     threadgroup float*  shared [[threadgroup(0)]],
                     uint row  [[threadgroup_position_in_grid]],
                     uint lane [[thread_position_in_threadgroup]],
                     uint size [[threads_per_threadgroup]]) {
  float sum = 0.0f;
  for (uint i = lane; i < kWidth; i += size) sum += rows[row * kWidth + i];
  shared[lane] = sum;
  for (uint step = size / 2; step > 0; step /= 2) {
    threadgroup_barrier(mem_flags::mem_threadgroup);
    if (lane < step) shared[lane] += shared[lane + step];
  }
  if (lane == 0) sums[row] = params.scale * shared[0];
}
)";

static void check(bool condition, NSError *error, const char *what) {
  if (condition) return;
  std::fprintf(stderr, "%s: %s\n", what, error == nil ? "failed" : [[error localizedDescription] UTF8String]);
  std::exit(1);
}

int main() {
  @autoreleasepool {
    constexpr NSUInteger rows = 7, width = 1000, threads = 128;
    NSError *error = nil;
    id<MTLDevice> device = MTLCreateSystemDefaultDevice();
    id<MTLLibrary> library = [device newLibraryWithSource:@(kSource) options:nil error:&error];
    check(library != nil, error, "library");

    MTLFunctionConstantValues *constants = [MTLFunctionConstantValues new];
    const uint32_t value = width;
    [constants setConstantValue:&value type:MTLDataTypeUInt atIndex:0];
    id<MTLFunction> function = [library newFunctionWithName:@"sum_rows" constantValues:constants error:&error];
    check(function != nil, error, "function");
    id<MTLComputePipelineState> pipeline = [device newComputePipelineStateWithFunction:function error:&error];
    check(pipeline != nil, error, "pipeline");

    std::vector<float> values(rows * width, 1.0f);
    id<MTLBuffer> input = [device newBufferWithBytes:values.data() length:values.size() * sizeof(float) options:MTLResourceStorageModeShared];
    id<MTLBuffer> outputs[2];
    id<MTLCommandQueue> queue = [device newCommandQueue];
    dispatch_group_t group = dispatch_group_create();
    for (int i = 0; i < 2; i++) {
      outputs[i] = [device newBufferWithLength:rows * sizeof(float) options:MTLResourceStorageModeShared];
      const float scale = static_cast<float>(i + 1);
      id<MTLCommandBuffer> commands = [queue commandBuffer];
      id<MTLComputeCommandEncoder> encoder = [commands computeCommandEncoder];
      [encoder setComputePipelineState:pipeline];
      [encoder setBuffer:input offset:0 atIndex:0];
      [encoder setBuffer:outputs[i] offset:0 atIndex:1];
      [encoder setBytes:&scale length:sizeof scale atIndex:2];
      [encoder setThreadgroupMemoryLength:threads * sizeof(float) atIndex:0];
      [encoder dispatchThreadgroups:MTLSizeMake(rows, 1, 1) threadsPerThreadgroup:MTLSizeMake(threads, 1, 1)];
      [encoder endEncoding];
      dispatch_group_enter(group);
      [commands addCompletedHandler:^(id<MTLCommandBuffer> buffer) {
        check(buffer.status == MTLCommandBufferStatusCompleted, buffer.error, "command buffer");
        dispatch_group_leave(group);
      }];
      [commands commit];
    }
    dispatch_group_wait(group, DISPATCH_TIME_FOREVER);
    for (id<MTLBuffer> output : outputs) {
      const float *sums = static_cast<const float *>(output.contents);
      for (NSUInteger row = 0; row < rows; row++) std::printf("%g ", sums[row]);
      std::printf("\n");
      [output release];
    }
    dispatch_release(group);
    [queue release];
    [input release];
    [pipeline release];
    [function release];
    [constants release];
    [library release];
    [device release];
  }
}
