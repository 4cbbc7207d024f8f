/** Memory: buffers, heaps, what lies in argument buffers, and what is resident. */
#include "checks.h"

static const char *const kSource = R"(#include <metal_stdlib>
using namespace metal;
kernel void set(device float* x [[buffer(0)]], constant float& value [[buffer(1)]], uint i [[thread_position_in_grid]]) { x[i] = value; }
kernel void add(device float* y [[buffer(0)]], const device float* x [[buffer(1)]], uint i [[thread_position_in_grid]]) { y[i] = x[i] + 1; }
struct Arguments {
  device float* y [[id(0)]];
  const device float* x [[id(1)]];
  float scale [[id(2)]];
  const device float* more[2] [[id(3)]];
};
kernel void gather(constant Arguments& a [[buffer(0)]], uint i [[thread_position_in_grid]]) {
  a.y[i] = a.x[i] * a.scale + a.more[0][i] + a.more[1][i];
}
kernel void follow(const device ulong* addresses [[buffer(0)]], uint i [[thread_position_in_grid]]) {
  reinterpret_cast<device float*>(addresses[0])[i] += 1;
}
)";
static constexpr NSUInteger kCount = 128;

static id<MTLComputePipelineState> pipeline(NSString *name) {
  static id<MTLLibrary> library = libraryOf(kSource);
  return pipelineOf(library, name);
}
template <class Work>
static id<MTLCommandBuffer> encode(NSString *name, Work work) {
  id<MTLCommandBuffer> commands = [queue() commandBuffer];
  id<MTLComputeCommandEncoder> e = [commands computeCommandEncoder];
  [e setComputePipelineState:pipeline(name)];
  work(e);
  [e dispatchThreads:size1(kCount) threadsPerThreadgroup:size1(32)];
  [e endEncoding];
  return commands;
}
static id<MTLHeap> heapOf(NSUInteger size, MTLHeapType type = MTLHeapTypeAutomatic, MTLHazardTrackingMode tracking = MTLHazardTrackingModeDefault) {
  MTLHeapDescriptor *descriptor = [[MTLHeapDescriptor new] autorelease];
  EXPECT(descriptor.storageMode == MTLStorageModePrivate);
  descriptor.size = size;
  descriptor.storageMode = MTLStorageModeShared;
  descriptor.type = type;
  descriptor.hazardTrackingMode = tracking;
  return [[device() newHeapWithDescriptor:descriptor] autorelease];
}

CHECK("new buffers hold zeros, or the bytes given") {
  EXPECT(isAll([[device() newBufferWithLength:4096 options:MTLResourceStorageModeShared] autorelease], 0));
  const float values[] = {1, 2, 3};
  id<MTLBuffer> buffer = [[device() newBufferWithBytes:values length:sizeof values options:MTLResourceStorageModePrivate] autorelease];
  id<MTLBuffer> seen = bufferOf(3, 0);
  id<MTLCommandBuffer> commands = [queue() commandBuffer];
  id<MTLBlitCommandEncoder> blit = [commands blitCommandEncoder];
  [blit copyFromBuffer:buffer sourceOffset:0 toBuffer:seen destinationOffset:0 size:sizeof values];
  EXPECT_ASSERTION("must be <= [source length](12)", [blit copyFromBuffer:buffer sourceOffset:4 toBuffer:seen destinationOffset:0 size:12]);
  EXPECT_ASSERTION("must be <= [destination length](12)", [blit copyFromBuffer:buffer sourceOffset:0 toBuffer:seen destinationOffset:8 size:8]);
  EXPECT_ASSERTION("size must not be 0", [blit copyFromBuffer:buffer sourceOffset:0 toBuffer:seen destinationOffset:8 size:0]);
  EXPECT_ASSERTION("beyond [buffer length](12)", [blit fillBuffer:seen range:NSMakeRange(8, 8) value:0]);
  [blit endEncoding];
  EXPECT(isComplete(commands) && floats(seen)[2] == 3);
}

CHECK("what buffers tell of themselves") {
  id<MTLBuffer> buffer = [[device() newBufferWithLength:100
                                                options:MTLResourceStorageModeShared | MTLResourceCPUCacheModeWriteCombined |
                                                        MTLResourceHazardTrackingModeUntracked] autorelease];
  buffer.label = @"weights";
  EXPECT([buffer.label isEqual:@"weights"] && buffer.length == 100 && buffer.allocatedSize >= 100);
  EXPECT(buffer.storageMode == MTLStorageModeShared && buffer.cpuCacheMode == MTLCPUCacheModeWriteCombined);
  EXPECT(buffer.hazardTrackingMode == MTLHazardTrackingModeUntracked && buffer.heap == nil && buffer.gpuAddress != 0);
  EXPECT([buffer setPurgeableState:MTLPurgeableStateKeepCurrent] == MTLPurgeableStateNonVolatile);
  EXPECT_ASSERTION("not allocated from a heap", [buffer makeAliasable]);
  EXPECT(buffer.device == device());
}

CHECK("a heap hands out dirty memory") {
  id<MTLHeap> heap = heapOf(1 << 16);
  id<MTLBuffer> buffer = [[heap newBufferWithLength:kCount * 4 options:MTLResourceStorageModeShared] autorelease];
  EXPECT(floats(buffer)[0] != floats(buffer)[0] && floats(buffer)[kCount - 1] != floats(buffer)[kCount - 1]);
  EXPECT([buffer heap] == heap && [buffer hazardTrackingMode] == MTLHazardTrackingModeUntracked);
  const float one = 1;
  EXPECT(isComplete(encode(@"set", [&](id<MTLComputeCommandEncoder> e) {
    [e setBuffer:buffer offset:0 atIndex:0];
    [e setBytes:&one length:4 atIndex:1];
  })));
  EXPECT(isAll(buffer, 1));
}

CHECK("room in a heap") {
  const MTLSizeAndAlign need = [device() heapBufferSizeAndAlignWithLength:1000 options:MTLResourceStorageModeShared];
  EXPECT(need.size >= 1000 && need.align >= 16 && need.size % need.align == 0);
  id<MTLHeap> heap = heapOf(4 * 4096);
  EXPECT([heap size] == 4 * 4096 && [heap usedSize] == 0 && [heap maxAvailableSizeWithAlignment:256] == 4 * 4096);
  id<MTLBuffer> all = [heap newBufferWithLength:4 * 4096 options:MTLResourceStorageModeShared];
  EXPECT(all != nil && [heap usedSize] == 4 * 4096);
  EXPECT([heap newBufferWithLength:16 options:MTLResourceStorageModeShared] == nil);
  [all release];
  EXPECT([heap usedSize] == 0);
  id<MTLBuffer> half = [[heap newBufferWithLength:2 * 4096 options:MTLResourceStorageModeShared] autorelease];
  EXPECT([half heapOffset] == 0 && [heap maxAvailableSizeWithAlignment:16] == 2 * 4096);
  EXPECT_ASSERTION("must match heap storage mode", [heap newBufferWithLength:16 options:MTLResourceStorageModePrivate]);
  EXPECT_ASSERTION("must match heap hazard tracking mode",
                   [heap newBufferWithLength:16 options:MTLResourceStorageModeShared | MTLResourceHazardTrackingModeTracked]);
  EXPECT_ASSERTION("needs a heap of type MTLHeapTypePlacement", [heap newBufferWithLength:16 options:MTLResourceStorageModeShared offset:0]);
}

CHECK("buffers of a heap are untracked, unless the heap is tracked") {
  for (const auto tracking : {MTLHazardTrackingModeDefault, MTLHazardTrackingModeTracked}) {
    id<MTLHeap> heap = heapOf(1 << 16, MTLHeapTypeAutomatic, tracking);
    id<MTLBuffer> x = [[heap newBufferWithLength:kCount * 4 options:MTLResourceStorageModeShared] autorelease];
    id<MTLBuffer> y = bufferOf(kCount, 0);
    const float two = 2;
    [encode(@"set", [&](id<MTLComputeCommandEncoder> e) {
      [e setBuffer:x offset:0 atIndex:0];
      [e setBytes:&two length:4 atIndex:1];
    }) commit];
    id<MTLCommandBuffer> reads = encode(@"add", [&](id<MTLComputeCommandEncoder> e) {
      [e setBuffer:y offset:0 atIndex:0];
      [e setBuffer:x offset:0 atIndex:1];
    });
    if (tracking == MTLHazardTrackingModeTracked) EXPECT(isComplete(reads) && isAll(y, 3));
    else EXPECT_FAILURE(reads, "missing-fence");
  }
}

CHECK("buffers that alias need a fence, for they share memory") {
  for (const bool hasFence : {false, true}) {
    id<MTLHeap> heap = heapOf(kCount * 4);
    id<MTLBuffer> first = [[heap newBufferWithLength:kCount * 4 options:MTLResourceStorageModeShared] autorelease];
    [first makeAliasable];
    EXPECT([first isAliasable]);
    id<MTLBuffer> second = [[heap newBufferWithLength:kCount * 4 options:MTLResourceStorageModeShared] autorelease];
    EXPECT(second != nil && [second gpuAddress] == [first gpuAddress]);
    id<MTLFence> fence = [[device() newFence] autorelease];
    const float one = 1, two = 2;
    id<MTLCommandBuffer> commands = encode(@"set", [&](id<MTLComputeCommandEncoder> e) {
      [e setBuffer:first offset:0 atIndex:0];
      [e setBytes:&one length:4 atIndex:1];
      [e updateFence:fence];
    });
    [commands commit];
    commands = encode(@"set", [&](id<MTLComputeCommandEncoder> e) {
      if (hasFence) [e waitForFence:fence];
      [e setBuffer:second offset:0 atIndex:0];
      [e setBytes:&two length:4 atIndex:1];
    });
    if (hasFence) EXPECT(isComplete(commands) && isAll(first, 2));
    else EXPECT_FAILURE(commands, "missing-fence");
  }
}

CHECK("a placement heap puts buffers where they are told to lie") {
  id<MTLHeap> heap = heapOf(1 << 14, MTLHeapTypePlacement);
  id<MTLBuffer> low = [[heap newBufferWithLength:512 options:MTLResourceStorageModeShared offset:0] autorelease];
  id<MTLBuffer> high = [[heap newBufferWithLength:512 options:MTLResourceStorageModeShared offset:1024] autorelease];
  EXPECT([high gpuAddress] - [low gpuAddress] == 1024 && [high heapOffset] == 1024);
  EXPECT_ASSERTION("must be a multiple of 256", [heap newBufferWithLength:512 options:MTLResourceStorageModeShared offset:100]);
  EXPECT_ASSERTION("must be <= heap size", [heap newBufferWithLength:512 options:MTLResourceStorageModeShared offset:1 << 14]);
  EXPECT_ASSERTION("needs a heap of type MTLHeapTypeAutomatic", [heap newBufferWithLength:512 options:MTLResourceStorageModeShared]);
}

CHECK("an argument buffer of plain addresses, and what it points at") {
  for (int residency = 0; residency < 5; residency++) {
    id<MTLHeap> heap = heapOf(1 << 14);
    id<MTLBuffer> x = residency == 2 ? [[heap newBufferWithLength:kCount * 4 options:MTLResourceStorageModeShared] autorelease] : bufferOf(kCount, 0);
    for (NSUInteger i = 0; i < kCount; i++) floats(x)[i] = 4;
    const uint64_t addresses[] = {[x gpuAddress]};
    MTLResidencySetDescriptor *descriptor = [[MTLResidencySetDescriptor new] autorelease];
    id<MTLResidencySet> set = [[device() newResidencySetWithDescriptor:descriptor error:nil] autorelease];
    [set addAllocation:x];
    EXPECT([set containsAllocation:x] && [set allocationCount] == 1 && [set allocatedSize] == 0);
    // without commit the set is as it was
    if (residency == 3) [set commit];
    [queue() addResidencySet:set];
    id<MTLCommandBuffer> commands = encode(@"follow", [&](id<MTLComputeCommandEncoder> e) {
      [e setBytes:addresses length:sizeof addresses atIndex:0];
      if (residency == 1) [e useResource:x usage:MTLResourceUsageRead | MTLResourceUsageWrite];
      if (residency == 2) [e useHeap:heap];
      if (residency == 4) [e useResource:x usage:MTLResourceUsageRead];
    });
    if (residency == 0) EXPECT_FAILURE(commands, "outside of every buffer that is bound");
    else if (residency == 4) EXPECT_FAILURE(commands, "read-only");
    else EXPECT(isComplete(commands) && isAll(x, 5));
    [queue() removeResidencySet:set];
  }
}

CHECK("an argument encoder for a struct of a kernel") {
  id<MTLFunction> function = [[libraryOf(kSource) newFunctionWithName:@"gather"] autorelease];
  id<MTLArgumentEncoder> encoder = [[function newArgumentEncoderWithBufferIndex:0] autorelease];
  EXPECT([encoder encodedLength] == 40 && [encoder alignment] == 8);
  id<MTLBuffer> arguments = [[device() newBufferWithLength:[encoder encodedLength] options:MTLResourceStorageModeShared] autorelease];
  id<MTLBuffer> x = bufferOf(kCount, 2), y = bufferOf(kCount, 0), more = bufferOf(2 * kCount, 5);
  EXPECT_ASSERTION("must be called first", [encoder setBuffer:x offset:0 atIndex:1]);
  [encoder setArgumentBuffer:arguments offset:0];
  [encoder setBuffer:y offset:0 atIndex:0];
  const id<MTLBuffer> others[] = {more, more};
  const NSUInteger offsets[] = {0, kCount * 4};
  [encoder setBuffer:x offset:0 atIndex:1];
  [encoder setBuffers:others offsets:offsets withRange:NSMakeRange(3, 2)];
  *static_cast<float *>([encoder constantDataAtIndex:2]) = 10;
  EXPECT_ASSERTION("is no buffer", [encoder setBuffer:x offset:0 atIndex:2]);
  EXPECT_ASSERTION("is no constant", (void)[encoder constantDataAtIndex:1]);
  EXPECT_ASSERTION("no argument at index 9", [encoder setBuffer:x offset:0 atIndex:9]);
  EXPECT(isComplete(encode(@"gather", [&](id<MTLComputeCommandEncoder> e) {
    [e setBuffer:arguments offset:0 atIndex:0];
    const id<MTLResource> read[] = {x, more};
    [e useResources:read count:2 usage:MTLResourceUsageRead];
    [e useResource:y usage:MTLResourceUsageWrite];
  })));
  EXPECT(isAll(y, 30));
  id<MTLFunction> plain = [[libraryOf(kSource) newFunctionWithName:@"add"] autorelease];
  EXPECT_ASSERTION("has no argument buffer at index 0", [plain newArgumentEncoderWithBufferIndex:0]);
}

CHECK("an argument encoder from descriptors") {
  MTLArgumentDescriptor *pointer = [MTLArgumentDescriptor argumentDescriptor];
  pointer.dataType = MTLDataTypePointer;
  pointer.access = MTLBindingAccessReadWrite;
  MTLArgumentDescriptor *number = [MTLArgumentDescriptor argumentDescriptor];
  number.dataType = MTLDataTypeFloat3;
  number.index = 1;
  NSArray *arguments = [NSArray arrayWithObjects:pointer, number, nil];
  id<MTLArgumentEncoder> encoder = [[device() newArgumentEncoderWithArguments:arguments] autorelease];
  EXPECT([encoder encodedLength] == 32 && [encoder alignment] == 16);
}

CHECK("a released buffer that commands without references still name") {
  for (const bool isRetained : {true, false}) {
    id<MTLBuffer> y = bufferOf(kCount, 0);
    id<MTLCommandBuffer> commands = isRetained ? [queue() commandBuffer] : [queue() commandBufferWithUnretainedReferences];
    EXPECT([commands retainedReferences] == (isRetained ? YES : NO));
    @autoreleasepool {
      id<MTLBuffer> x = bufferOf(kCount, 1);
      id<MTLComputeCommandEncoder> e = [commands computeCommandEncoder];
      [e setComputePipelineState:pipeline(@"add")];
      [e setBuffer:y offset:0 atIndex:0];
      [e setBuffer:x offset:0 atIndex:1];
      [e dispatchThreads:size1(kCount) threadsPerThreadgroup:size1(32)];
      [e endEncoding];
    }
    if (isRetained) EXPECT(isComplete(commands) && isAll(y, 2));
    else EXPECT_FAILURE(commands, "use-after-release");
    EXPECT([[commands error] code] == (isRetained ? 0 : MTLCommandBufferErrorPageFault));
  }
}

CHECK("a released buffer that a copy or an indirect dispatch still names") {
  for (const bool isCopy : {true, false}) {
    id<MTLBuffer> y = bufferOf(kCount, 0);
    id<MTLCommandBuffer> commands = [queue() commandBufferWithUnretainedReferences];
    @autoreleasepool {
      id<MTLBuffer> x = bufferOf(kCount, 1);
      if (isCopy) {
        id<MTLBlitCommandEncoder> blit = [commands blitCommandEncoder];
        [blit copyFromBuffer:x sourceOffset:0 toBuffer:y destinationOffset:0 size:kCount * 4];
        [blit endEncoding];
      } else {
        id<MTLComputeCommandEncoder> e = [commands computeCommandEncoder];
        [e setComputePipelineState:pipeline(@"add")];
        [e setBuffer:y offset:0 atIndex:0];
        [e setBuffer:y offset:0 atIndex:1];
        [e dispatchThreadgroupsWithIndirectBuffer:x indirectBufferOffset:0 threadsPerThreadgroup:size1(32)];
        [e endEncoding];
      }
    }
    EXPECT_FAILURE(commands, "use-after-release");
  }
}

CHECK("accesses outside of a buffer are page faults that name kernel, line and thread") {
  id<MTLCommandBuffer> commands = encode(@"set", [&](id<MTLComputeCommandEncoder> e) {
    const float one = 1;
    [e setBuffer:bufferOf(kCount - 1, 0) offset:0 atIndex:0];
    [e setBytes:&one length:4 atIndex:1];
  });
  EXPECT_FAILURE(commands, "kernel set, line 3: thread (31, 0, 0) of threadgroup (3, 0, 0) writes 4 bytes at byte 508 of buffer(0), which has 508");
  EXPECT([[commands error] code] == MTLCommandBufferErrorPageFault);
  EXPECT([[[commands error] domain] isEqual:MTLCommandBufferErrorDomain]);
}
