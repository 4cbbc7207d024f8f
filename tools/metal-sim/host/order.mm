/** What orders commands and what does not: hazards that are found, each with a twin that is ordered. */
#include "checks.h"

static const char *const kSource = R"(#include <metal_stdlib>
kernel void set(device float* x [[buffer(0)]], constant float& value [[buffer(1)]], uint i [[thread_position_in_grid]]) { x[i] = value; }
kernel void add(device float* y [[buffer(0)]], const device float* x [[buffer(1)]], uint i [[thread_position_in_grid]]) { y[i] = x[i] + 1; }
struct Table { device float* x; };
kernel void set_in_table(constant Table& table [[buffer(0)]], uint i [[thread_position_in_grid]]) { table.x[i] = 7; }
)";
static constexpr NSUInteger kCount = 128;

static id<MTLComputePipelineState> pipeline(NSString *name) {
  static id<MTLLibrary> library = libraryOf(kSource);
  return pipelineOf(library, name);
}
static id<MTLBuffer> untracked() { return bufferOf(kCount, 0, MTLResourceStorageModeShared | MTLResourceHazardTrackingModeUntracked); }

static void encodeSet(id<MTLComputeCommandEncoder> e, id<MTLBuffer> x, float value) {
  [e setComputePipelineState:pipeline(@"set")];
  [e setBuffer:x offset:0 atIndex:0];
  [e setBytes:&value length:sizeof value atIndex:1];
  [e dispatchThreads:size1(kCount) threadsPerThreadgroup:size1(32)];
}
/** y = x + 1 */
static void encodeAdd(id<MTLComputeCommandEncoder> e, id<MTLBuffer> y, id<MTLBuffer> x) {
  [e setComputePipelineState:pipeline(@"add")];
  [e setBuffer:y offset:0 atIndex:0];
  [e setBuffer:x offset:0 atIndex:1];
  [e dispatchThreads:size1(kCount) threadsPerThreadgroup:size1(32)];
}
template <class Work>
static void encode(id<MTLCommandBuffer> commands, MTLDispatchType type, Work work) {
  id<MTLComputeCommandEncoder> encoder = [commands computeCommandEncoderWithDispatchType:type];
  work(encoder);
  [encoder endEncoding];
}

CHECK("a serial encoder orders its dispatches") {
  id<MTLBuffer> x = untracked(), y = untracked();
  id<MTLCommandBuffer> commands = [queue() commandBuffer];
  encode(commands, MTLDispatchTypeSerial, [&](auto e) {
    encodeSet(e, x, 2);
    encodeAdd(e, y, x);
    encodeAdd(e, x, y);
  });
  EXPECT(isComplete(commands) && isAll(x, 4));
}

CHECK("a concurrent encoder orders nothing: read after write, write after read, write after write") {
  for (int hazard = 0; hazard < 3; hazard++) {
    for (const bool hasBarrier : {false, true}) {
      id<MTLBuffer> x = bufferOf(kCount, 1), y = bufferOf(kCount, 1);
      id<MTLCommandBuffer> commands = [queue() commandBuffer];
      encode(commands, MTLDispatchTypeConcurrent, [&](auto e) {
        if (hazard == 1) encodeAdd(e, y, x);
        else encodeSet(e, x, 2);
        if (hasBarrier) [e memoryBarrierWithScope:MTLBarrierScopeBuffers];
        if (hazard == 0) encodeAdd(e, y, x);
        else encodeSet(e, x, 3);
      });
      if (hasBarrier) EXPECT(isComplete(commands));
      else EXPECT_FAILURE(commands, "missing-barrier");
    }
  }
}

CHECK("a concurrent encoder needs no barrier between readers") {
  id<MTLBuffer> x = bufferOf(kCount, 1), y = bufferOf(kCount, 0), z = bufferOf(kCount, 0);
  id<MTLCommandBuffer> commands = [queue() commandBuffer];
  encode(commands, MTLDispatchTypeConcurrent, [&](auto e) {
    encodeAdd(e, y, x);
    encodeAdd(e, z, x);
  });
  EXPECT(isComplete(commands) && isAll(y, 2) && isAll(z, 2));
}

CHECK("a barrier for some resources orders only those") {
  for (const bool isOther : {false, true}) {
    id<MTLBuffer> x = bufferOf(kCount, 1), y = bufferOf(kCount, 1);
    id<MTLCommandBuffer> commands = [queue() commandBuffer];
    encode(commands, MTLDispatchTypeConcurrent, [&](auto e) {
      encodeSet(e, x, 2);
      const id<MTLResource> resources[] = {isOther ? y : x};
      [e memoryBarrierWithResources:resources count:1];
      encodeAdd(e, y, x);
    });
    if (isOther) EXPECT_FAILURE(commands, "missing-barrier");
    else EXPECT(isComplete(commands) && isAll(y, 3));
  }
}

CHECK("a barrier for textures orders no buffers") {
  id<MTLBuffer> x = bufferOf(kCount, 1), y = bufferOf(kCount, 1);
  id<MTLCommandBuffer> commands = [queue() commandBuffer];
  encode(commands, MTLDispatchTypeConcurrent, [&](auto e) {
    encodeSet(e, x, 2);
    [e memoryBarrierWithScope:MTLBarrierScopeTextures];
    encodeAdd(e, y, x);
  });
  EXPECT_FAILURE(commands, "missing-barrier");
}

CHECK("an indirect dispatch needs a barrier after the dispatch that writes its counts") {
  for (const bool hasBarrier : {false, true}) {
    id<MTLBuffer> counts = bufferOf(kCount, 0), x = bufferOf(kCount, 0);
    id<MTLCommandBuffer> commands = [queue() commandBuffer];
    encode(commands, MTLDispatchTypeConcurrent, [&](auto e) {
      // the bits of one threadgroup each
      encodeSet(e, counts, __builtin_bit_cast(float, 1u));
      if (hasBarrier) [e memoryBarrierWithScope:MTLBarrierScopeBuffers];
      const float two = 2;
      [e setBuffer:x offset:0 atIndex:0];
      [e setBytes:&two length:4 atIndex:1];
      [e dispatchThreadgroupsWithIndirectBuffer:counts indirectBufferOffset:0 threadsPerThreadgroup:size1(kCount)];
    });
    if (hasBarrier) EXPECT(isComplete(commands) && isAll(x, 2));
    else EXPECT_FAILURE(commands, "missing-barrier");
  }
}

CHECK("tracked buffers order encoders and command buffers of one queue") {
  id<MTLBuffer> x = bufferOf(kCount, 0), y = bufferOf(kCount, 0);
  EXPECT([x hazardTrackingMode] == MTLHazardTrackingModeTracked);
  id<MTLCommandBuffer> first = [queue() commandBuffer];
  encode(first, MTLDispatchTypeConcurrent, [&](auto e) { encodeSet(e, x, 2); });
  encode(first, MTLDispatchTypeConcurrent, [&](auto e) { encodeAdd(e, y, x); });
  [first commit];
  id<MTLCommandBuffer> second = [queue() commandBuffer];
  encode(second, MTLDispatchTypeConcurrent, [&](auto e) { encodeAdd(e, x, y); });
  EXPECT(isComplete(second) && isAll(x, 4));
}

CHECK("untracked buffers order no encoders: a fence does") {
  for (const bool hasFence : {false, true}) {
    id<MTLBuffer> x = untracked(), y = untracked();
    EXPECT([x hazardTrackingMode] == MTLHazardTrackingModeUntracked);
    id<MTLFence> fence = [[device() newFence] autorelease];
    id<MTLCommandBuffer> commands = [queue() commandBuffer];
    encode(commands, MTLDispatchTypeSerial, [&](auto e) {
      encodeSet(e, x, 2);
      if (hasFence) [e updateFence:fence];
    });
    encode(commands, MTLDispatchTypeSerial, [&](auto e) {
      if (hasFence) [e waitForFence:fence];
      encodeAdd(e, y, x);
    });
    if (hasFence) EXPECT(isComplete(commands) && isAll(y, 3));
    else EXPECT_FAILURE(commands, "missing-fence");
  }
}

CHECK("fences order encoders along a chain, and only those that wait") {
  for (const bool isWhole : {true, false}) {
    id<MTLBuffer> x = untracked(), y = untracked(), z = untracked();
    id<MTLFence> first = [[device() newFence] autorelease], second = [[device() newFence] autorelease];
    id<MTLCommandBuffer> commands = [queue() commandBuffer];
    encode(commands, MTLDispatchTypeSerial, [&](auto e) {
      encodeSet(e, x, 2);
      [e updateFence:first];
    });
    encode(commands, MTLDispatchTypeSerial, [&](auto e) {
      if (isWhole) [e waitForFence:first];
      encodeSet(e, z, 5);
      [e updateFence:second];
    });
    [commands commit];
    commands = [queue() commandBuffer];
    encode(commands, MTLDispatchTypeSerial, [&](auto e) {
      [e waitForFence:second];
      encodeAdd(e, y, x);
    });
    if (isWhole) EXPECT(isComplete(commands) && isAll(y, 3));
    else EXPECT_FAILURE(commands, "missing-fence");
  }
}

CHECK("a fence that the encoder updates itself cannot be waited for") {
  id<MTLFence> fence = [[device() newFence] autorelease];
  id<MTLComputeCommandEncoder> e = [[queue() commandBuffer] computeCommandEncoder];
  [e waitForFence:fence];
  [e updateFence:fence];
  EXPECT_ASSERTION("would wait for itself", [e waitForFence:fence]);
  [e endEncoding];
}

CHECK("untracked buffers order no copies either") {
  for (const bool hasFence : {false, true}) {
    id<MTLBuffer> x = untracked(), y = untracked();
    id<MTLFence> fence = [[device() newFence] autorelease];
    id<MTLCommandBuffer> commands = [queue() commandBuffer];
    encode(commands, MTLDispatchTypeSerial, [&](auto e) {
      encodeSet(e, x, 2);
      [e updateFence:fence];
    });
    id<MTLBlitCommandEncoder> blit = [commands blitCommandEncoder];
    if (hasFence) [blit waitForFence:fence];
    [blit copyFromBuffer:x sourceOffset:0 toBuffer:y destinationOffset:4 size:kCount * 4 - 4];
    [blit fillBuffer:y range:NSMakeRange(0, 4) value:0x40];
    [blit endEncoding];
    if (hasFence) EXPECT(isComplete(commands) && floats(y)[1] == 2 && floats(y)[0] > 3);
    else EXPECT_FAILURE(commands, "missing-fence: a copy reads byte 0");
  }
}

CHECK("what the host waited for comes first") {
  for (int how = 0; how < 5; how++) {
    id<MTLBuffer> x = untracked(), y = untracked();
    id<MTLSharedEvent> event = [[device() newSharedEvent] autorelease];
    dispatch_semaphore_t done = dispatch_semaphore_create(0);
    id<MTLCommandBuffer> first = [queue() commandBuffer];
    encode(first, MTLDispatchTypeSerial, [&](auto e) { encodeSet(e, x, 2); });
    [first encodeSignalEvent:event value:1];
    if (how == 1) [first addCompletedHandler:^(id<MTLCommandBuffer> buffer) {
      (void)buffer;
      dispatch_semaphore_signal(done);
    }];
    [first commit];
    if (how == 0) [first waitUntilCompleted];
    if (how == 1) dispatch_semaphore_wait(done, DISPATCH_TIME_FOREVER);
    if (how == 2) EXPECT([event waitUntilSignaledValue:1 timeoutMS:10000]);
    if (how == 3) {
      while ([event signaledValue] < 1) dispatch_semaphore_wait(done, dispatch_time(DISPATCH_TIME_NOW, 1000000));
    }
    id<MTLCommandBuffer> second = [queue() commandBuffer];
    encode(second, MTLDispatchTypeSerial, [&](auto e) { encodeAdd(e, y, x); });
    if (how < 4) EXPECT(isComplete(second) && isAll(y, 3));
    else EXPECT_FAILURE(second, "missing-fence");
    dispatch_release(done);
  }
}

CHECK("two queues are ordered by events only, tracked buffers too") {
  id<MTLCommandQueue> other = [[device() newCommandQueue] autorelease];
  for (const bool hasEvent : {false, true}) {
    id<MTLBuffer> x = bufferOf(kCount, 0), y = bufferOf(kCount, 0);
    id<MTLEvent> event = [[device() newEvent] autorelease];
    id<MTLCommandBuffer> first = [queue() commandBuffer];
    encode(first, MTLDispatchTypeSerial, [&](auto e) { encodeSet(e, x, 2); });
    if (hasEvent) [first encodeSignalEvent:event value:1];
    id<MTLCommandBuffer> second = [other commandBuffer];
    if (hasEvent) [second encodeWaitForEvent:event value:1];
    encode(second, MTLDispatchTypeSerial, [&](auto e) { encodeAdd(e, y, x); });
    [second commit];
    [first commit];
    [second waitUntilCompleted];
    [first waitUntilCompleted];
    if (hasEvent) {
      EXPECT([second status] == MTLCommandBufferStatusCompleted && isAll(y, 3));
    } else {
      // whichever ran second found it
      id<MTLCommandBuffer> failed = [first status] == MTLCommandBufferStatusError ? first : second;
      EXPECT([failed status] == MTLCommandBufferStatusError);
      EXPECT_TEXT([[failed error] localizedDescription], "missing-fence");
    }
  }
}

CHECK("an event orders untracked buffers within a queue") {
  id<MTLBuffer> x = untracked(), y = untracked();
  id<MTLEvent> event = [[device() newEvent] autorelease];
  id<MTLCommandBuffer> first = [queue() commandBuffer];
  encode(first, MTLDispatchTypeSerial, [&](auto e) { encodeSet(e, x, 2); });
  [first encodeSignalEvent:event value:3];
  [first commit];
  id<MTLCommandBuffer> second = [queue() commandBuffer];
  [second encodeWaitForEvent:event value:3];
  encode(second, MTLDispatchTypeSerial, [&](auto e) { encodeAdd(e, y, x); });
  EXPECT(isComplete(second) && isAll(y, 3));
}

CHECK("memory reached by address is ordered by useResource:, not by residency alone") {
  for (const bool isUsed : {true, false}) {
    id<MTLBuffer> x = bufferOf(kCount, 0), y = bufferOf(kCount, 0);
    const uint64_t address = [x gpuAddress];
    MTLResidencySetDescriptor *descriptor = [[MTLResidencySetDescriptor new] autorelease];
    id<MTLResidencySet> set = [[device() newResidencySetWithDescriptor:descriptor error:nil] autorelease];
    [set addAllocation:x];
    [set commit];
    id<MTLCommandBuffer> commands = [queue() commandBuffer];
    [commands useResidencySet:set];
    encode(commands, MTLDispatchTypeSerial, [&](auto e) {
      [e setComputePipelineState:pipeline(@"set_in_table")];
      [e setBytes:&address length:sizeof address atIndex:0];
      if (isUsed) [e useResource:x usage:MTLResourceUsageWrite];
      [e dispatchThreads:size1(kCount) threadsPerThreadgroup:size1(32)];
    });
    encode(commands, MTLDispatchTypeSerial, [&](auto e) {
      [e setComputePipelineState:pipeline(@"set_in_table")];
      [e setBytes:&address length:sizeof address atIndex:0];
      if (isUsed) [e useResource:x usage:MTLResourceUsageWrite];
      [e dispatchThreads:size1(kCount) threadsPerThreadgroup:size1(32)];
    });
    if (isUsed) EXPECT(isComplete(commands) && isAll(x, 7));
    else EXPECT_FAILURE(commands, "missing-fence");
  }
}
