/** Command buffers from their making to their end: status, handlers, events, errors, indirect commands, counters, captures. */
#include <cstdlib>

#include "checks.h"

static const char *const kSource = R"(#include <metal_stdlib>
using namespace metal;
kernel void set(device float* x [[buffer(0)]], constant float& value [[buffer(1)]], uint i [[thread_position_in_grid]]) { x[i] = value; }
kernel void add(device float* y [[buffer(0)]], const device float* x [[buffer(1)]], uint i [[thread_position_in_grid]]) { y[i] = x[i] + 1; }
kernel void stuck(device float* x [[buffer(0)]], uint i [[thread_position_in_threadgroup]]) {
  if (i > 3) threadgroup_barrier(mem_flags::mem_threadgroup);
  x[i] = i;
}
kernel void spin(device atomic_uint* lock [[buffer(0)]]) {
  while (atomic_load_explicit(lock, memory_order_relaxed) == 0) {}
}
kernel void lock(device atomic_uint* lock [[buffer(0)]]) {
  while (atomic_exchange_explicit(lock, 1, memory_order_relaxed) != 0) {}
}
kernel void claim(device atomic_uint* lock [[buffer(0)]]) {
  uint expected = 5;
  while (!atomic_compare_exchange_weak_explicit(lock, &expected, 6, memory_order_relaxed, memory_order_relaxed)) expected = 5;
}
kernel void count(device atomic_uint* lock [[buffer(0)]]) {
  for (uint i = 0; i < 2000; i++) {
    atomic_fetch_add_explicit(lock, 0, memory_order_relaxed);
    atomic_fetch_add_explicit(lock, 1, memory_order_relaxed);
  }
}
)";
static constexpr NSUInteger kCount = 128;

static id<MTLLibrary> library() {
  static id<MTLLibrary> theLibrary = libraryOf(kSource);
  return theLibrary;
}
static void encodeSet(id<MTLComputeCommandEncoder> e, id<MTLBuffer> x, float value) {
  [e setComputePipelineState:pipelineOf(library(), @"set")];
  [e setBuffer:x offset:0 atIndex:0];
  [e setBytes:&value length:sizeof value atIndex:1];
  [e dispatchThreads:size1(kCount) threadsPerThreadgroup:size1(32)];
}
static void encodeSet(id<MTLCommandBuffer> commands, id<MTLBuffer> x, float value, NSString *label = nil) {
  id<MTLComputeCommandEncoder> e = [commands computeCommandEncoder];
  e.label = label;
  encodeSet(e, x, value);
  [e endEncoding];
}
static id<MTLCommandQueue> newQueue() { return [[device() newCommandQueue] autorelease]; }

CHECK("the life of a command buffer") {
  id<MTLCommandQueue> own = newQueue();
  own.label = @"own";
  id<MTLCommandBuffer> commands = [own commandBuffer];
  commands.label = @"first";
  id<MTLBuffer> x = bufferOf(kCount, 0);
  EXPECT([commands status] == MTLCommandBufferStatusNotEnqueued && [commands commandQueue] == own && [commands device] == device());
  encodeSet(commands, x, 3);
  [commands enqueue];
  EXPECT([commands status] == MTLCommandBufferStatusEnqueued);
  __block NSMutableArray *seen = [[NSMutableArray alloc] init];
  [commands addScheduledHandler:^(id<MTLCommandBuffer> buffer) {
    [seen addObject:[NSString stringWithFormat:@"scheduled %lu", (unsigned long)[buffer status]]];
  }];
  for (int i = 0; i < 2; i++) {
    [commands addCompletedHandler:^(id<MTLCommandBuffer> buffer) {
      [seen addObject:[NSString stringWithFormat:@"completed %lu", (unsigned long)[buffer status]]];
    }];
  }
  EXPECT(isComplete(commands) && isAll(x, 3) && [commands error] == nil && [[commands logs] count] == 0);
  EXPECT_TEXT([seen componentsJoinedByString:@", "], "scheduled 3, completed 4, completed 4");
  EXPECT([commands GPUEndTime] >= [commands GPUStartTime] && [commands GPUStartTime] > 0);
  EXPECT([commands kernelEndTime] >= [commands kernelStartTime]);
  [seen release];
}

CHECK("buffers run in the order in which they were enqueued") {
  id<MTLCommandQueue> own = newQueue();
  id<MTLBuffer> x = bufferOf(kCount, 0);
  id<MTLCommandBuffer> first = [own commandBuffer], second = [own commandBuffer];
  [first enqueue];
  [second enqueue];
  encodeSet(second, x, 2);
  [second commit];
  encodeSet(first, x, 1);
  [first commit];
  [second waitUntilCompleted];
  EXPECT([first status] == MTLCommandBufferStatusCompleted && isAll(x, 2));
}

CHECK("many buffers in flight") {
  id<MTLBuffer> x = bufferOf(kCount, 0);
  dispatch_group_t group = dispatch_group_create();
  __block int count = 0;
  for (int i = 0; i < 50; i++) {
    @autoreleasepool {
      id<MTLCommandBuffer> commands = [queue() commandBuffer];
      encodeSet(commands, x, static_cast<float>(i));
      dispatch_group_enter(group);
      [commands addCompletedHandler:^(id<MTLCommandBuffer> buffer) {
        if ([buffer status] == MTLCommandBufferStatusCompleted) count++;
        dispatch_group_leave(group);
      }];
      [commands commit];
    }
  }
  EXPECT(dispatch_group_wait(group, DISPATCH_TIME_FOREVER) == 0 && count == 50 && isAll(x, 49));
  dispatch_release(group);
}

CHECK("a completed handler may wait for later buffers of its queue") {
  id<MTLCommandQueue> own = newQueue();
  id<MTLBuffer> x = bufferOf(kCount, 0);
  __block bool isGood = false;
  id<MTLCommandBuffer> first = [own commandBuffer];
  encodeSet(first, x, 1);
  [first addCompletedHandler:^(id<MTLCommandBuffer> buffer) {
    id<MTLCommandBuffer> second = [[buffer commandQueue] commandBuffer];
    encodeSet(second, x, 2);
    isGood = isComplete(second) && isAll(x, 2);
  }];
  EXPECT(isComplete(first) && isGood);
}

CHECK("a queue may go while its buffers run") {
  id<MTLBuffer> x = bufferOf(kCount, 0);
  dispatch_group_t group = dispatch_group_create();
  for (int i = 0; i < 20; i++) {
    @autoreleasepool {
      id<MTLCommandQueue> brief = [device() newCommandQueue];
      id<MTLCommandBuffer> commands = [brief commandBuffer];
      encodeSet(commands, bufferOf(kCount, 0), 1);
      dispatch_group_enter(group);
      [commands addCompletedHandler:^(id<MTLCommandBuffer> buffer) {
        (void)buffer;
        dispatch_group_leave(group);
      }];
      [commands commit];
      [brief release];
    }
  }
  EXPECT(dispatch_group_wait(group, DISPATCH_TIME_FOREVER) == 0 && isAll(x, 0));
  dispatch_release(group);
}

CHECK("shared events between host and device") {
  id<MTLSharedEvent> event = [[device() newSharedEvent] autorelease];
  id<MTLBuffer> x = bufferOf(kCount, 0);
  EXPECT([event signaledValue] == 0 && ![event waitUntilSignaledValue:1 timeoutMS:1]);
  id<MTLCommandBuffer> commands = [queue() commandBuffer];
  [commands encodeWaitForEvent:event value:1];
  encodeSet(commands, x, 5);
  [commands encodeSignalEvent:event value:2];
  MTLSharedEventListener *listener = [[MTLSharedEventListener new] autorelease];
  dispatch_semaphore_t told = dispatch_semaphore_create(0);
  __block uint64_t value = 0;
  [event notifyListener:listener
                atValue:2
                  block:^(id<MTLSharedEvent> shared, uint64_t now) {
                    value = now + [shared signaledValue];
                    dispatch_semaphore_signal(told);
                  }];
  [commands commit];
  EXPECT(isAll(x, 0));
  event.signaledValue = 1;
  EXPECT(dispatch_semaphore_wait(told, dispatch_time(DISPATCH_TIME_NOW, 10 * (int64_t)NSEC_PER_SEC)) == 0 && value == 4);
  EXPECT([event waitUntilSignaledValue:2 timeoutMS:1000] && isAll(x, 5));
  [commands waitUntilCompleted];
  dispatch_release(told);
}

CHECK("after an error no event is signalled, and what follows in the buffer does not run") {
  id<MTLSharedEvent> event = [[device() newSharedEvent] autorelease];
  id<MTLBuffer> x = bufferOf(kCount, 0);
  id<MTLCommandBuffer> commands = [queue() commandBuffer];
  encodeSet(commands, bufferOf(4, 0), 1);
  encodeSet(commands, x, 1);
  [commands encodeSignalEvent:event value:1];
  __block MTLCommandBufferStatus status = MTLCommandBufferStatusNotEnqueued;
  [commands addCompletedHandler:^(id<MTLCommandBuffer> buffer) {
    status = [buffer status];
  }];
  EXPECT_FAILURE(commands, "out-of-bounds");
  EXPECT(status == MTLCommandBufferStatusError && [event signaledValue] == 0 && isAll(x, 0));
  EXPECT(![event waitUntilSignaledValue:1 timeoutMS:10]);
  // a page fault ends its command buffer only
  id<MTLCommandBuffer> next = [queue() commandBuffer];
  encodeSet(next, x, 2);
  EXPECT(isComplete(next) && isAll(x, 2));
}

CHECK("after a hang what the queue gets is ignored; another queue goes on") {
  id<MTLCommandQueue> own = newQueue();
  id<MTLBuffer> x = bufferOf(kCount, 0);
  id<MTLCommandBuffer> commands = [own commandBuffer];
  id<MTLComputeCommandEncoder> e = [commands computeCommandEncoder];
  [e setComputePipelineState:pipelineOf(library(), @"stuck")];
  [e setBuffer:x offset:0 atIndex:0];
  [e dispatchThreads:size1(32) threadsPerThreadgroup:size1(32)];
  [e endEncoding];
  EXPECT_FAILURE(commands, "divergent-barrier");
  EXPECT([[commands error] code] == MTLCommandBufferErrorTimeout);
  id<MTLCommandBuffer> next = [own commandBuffer];
  encodeSet(next, x, 2);
  EXPECT_FAILURE(next, "Ignored (for causing prior/excessive GPU errors)");
  EXPECT([[next error] code] == MTLCommandBufferErrorAccessRevoked);
  id<MTLCommandBuffer> other = [newQueue() commandBuffer];
  encodeSet(other, x, 2);
  EXPECT(isComplete(other));
}

CHECK("a kernel that never ends is a timeout") {
  for (NSString *name in [NSArray arrayWithObjects:@"spin", @"lock", @"claim", @"count", nil]) {
    id<MTLBuffer> words = [[device() newBufferWithLength:4 options:MTLResourceStorageModeShared] autorelease];
    id<MTLCommandBuffer> commands = [newQueue() commandBuffer];
    id<MTLComputeCommandEncoder> e = [commands computeCommandEncoder];
    [e setComputePipelineState:pipelineOf(library(), name)];
    [e setBuffer:words offset:0 atIndex:0];
    [e dispatchThreads:size1(64) threadsPerThreadgroup:size1(32)];
    [e endEncoding];
    if ([name isEqual:@"count"]) {
      EXPECT(isComplete(commands) && *static_cast<uint32_t *>([words contents]) == 64 * 2000);
      continue;
    }
    EXPECT_FAILURE(commands, "waits in a loop for an atomic to change");
    EXPECT([[commands error] code] == MTLCommandBufferErrorTimeout);
  }
}

CHECK("an error that tells what became of each encoder") {
  MTLCommandBufferDescriptor *descriptor = [[MTLCommandBufferDescriptor new] autorelease];
  EXPECT(descriptor.retainedReferences);
  descriptor.errorOptions = MTLCommandBufferErrorOptionEncoderExecutionStatus;
  id<MTLCommandBuffer> commands = [queue() commandBufferWithDescriptor:descriptor];
  encodeSet(commands, bufferOf(kCount, 0), 1, @"good");
  encodeSet(commands, bufferOf(4, 0), 1, @"bad");
  encodeSet(commands, bufferOf(kCount, 0), 1, @"never");
  EXPECT_FAILURE(commands, "out-of-bounds");
  NSArray *infos = [[[commands error] userInfo] objectForKey:MTLCommandBufferEncoderInfoErrorKey];
  NSMutableString *text = [NSMutableString string];
  for (id<MTLCommandBufferEncoderInfo> info in infos) [text appendFormat:@"%@ %ld, ", [info label], (long)[info errorState]];
  EXPECT_TEXT(text, "good 1, bad 4, never 3, ");
}

CHECK("indirect command buffers") {
  for (int mode = 0; mode < 4; mode++) {
    MTLComputePipelineDescriptor *pipelineDescriptor = [[MTLComputePipelineDescriptor new] autorelease];
    pipelineDescriptor.computeFunction = [[library() newFunctionWithName:@"add"] autorelease];
    pipelineDescriptor.supportIndirectCommandBuffers = YES;
    id<MTLComputePipelineState> add = [[device() newComputePipelineStateWithDescriptor:pipelineDescriptor
                                                                               options:MTLPipelineOptionNone
                                                                            reflection:nil
                                                                                 error:nil] autorelease];
    MTLIndirectCommandBufferDescriptor *descriptor = [[MTLIndirectCommandBufferDescriptor new] autorelease];
    descriptor.commandTypes = MTLIndirectCommandTypeConcurrentDispatch;
    descriptor.inheritBuffers = NO;
    descriptor.inheritPipelineState = NO;
    descriptor.maxKernelBufferBindCount = 2;
    id<MTLIndirectCommandBuffer> indirect = [[device() newIndirectCommandBufferWithDescriptor:descriptor
                                                                              maxCommandCount:3
                                                                                      options:MTLResourceStorageModeShared] autorelease];
    id<MTLBuffer> x = bufferOf(kCount, 1), y = bufferOf(kCount, 0), z = bufferOf(kCount, 0);
    const id<MTLBuffer> chain[] = {x, y, z};
    for (NSUInteger i = 0; i < 2; i++) {
      id<MTLIndirectComputeCommand> command = [indirect indirectComputeCommandAtIndex:i];
      EXPECT_ASSERTION("not created with supportIndirectCommandBuffers", [command setComputePipelineState:pipelineOf(library(), @"add")]);
      [command setComputePipelineState:add];
      [command setKernelBuffer:chain[i + 1] offset:0 atIndex:0];
      [command setKernelBuffer:chain[i] offset:0 atIndex:1];
      EXPECT_ASSERTION("index(2) must be < 2.", [command setKernelBuffer:x offset:0 atIndex:2]);
      EXPECT_ASSERTION("has no commands of type 64", [command concurrentDispatchThreads:size1(1) threadsPerThreadgroup:size1(1)]);
      EXPECT_ASSERTION("must not be 0.", [command concurrentDispatchThreadgroups:size1(0) threadsPerThreadgroup:size1(1)]);
      [command concurrentDispatchThreadgroups:size1(4) threadsPerThreadgroup:size1(32)];
      if (mode != 1) [command setBarrier];
    }
    EXPECT_ASSERTION("must be < size(3)", [indirect indirectComputeCommandAtIndex:3]);
    // more than once: the second time with other buffers
    for (int again = 0; again < (mode == 1 || mode == 2 ? 1 : 2); again++) {
      id<MTLCommandBuffer> commands = [queue() commandBuffer];
      id<MTLComputeCommandEncoder> e = [commands computeCommandEncoderWithDispatchType:MTLDispatchTypeConcurrent];
      if (mode != 2) [e useResources:chain count:3 usage:MTLResourceUsageRead | MTLResourceUsageWrite];
      EXPECT_ASSERTION("ends beyond", [e executeCommandsInBuffer:indirect withRange:NSMakeRange(2, 2)]);
      [e executeCommandsInBuffer:indirect withRange:NSMakeRange(0, 3)];
      [e endEncoding];
      if (mode == 1) EXPECT_FAILURE(commands, "missing-barrier");
      else if (mode == 2) EXPECT_FAILURE(commands, "not-resident");
      else EXPECT(isComplete(commands) && isAll(z, again == 0 ? 3 : 2));
      [[indirect indirectComputeCommandAtIndex:1] setKernelBuffer:x offset:0 atIndex:1];
    }
    if (mode != 3) continue;
    [indirect resetWithRange:NSMakeRange(0, 3)];
    id<MTLCommandBuffer> commands = [queue() commandBuffer];
    id<MTLComputeCommandEncoder> e = [commands computeCommandEncoder];
    [e executeCommandsInBuffer:indirect withRange:NSMakeRange(0, 3)];
    [e endEncoding];
    EXPECT(isComplete(commands));
  }
}

CHECK("indirect commands that inherit pipeline and buffers") {
  MTLIndirectCommandBufferDescriptor *descriptor = [[MTLIndirectCommandBufferDescriptor new] autorelease];
  descriptor.commandTypes = MTLIndirectCommandTypeConcurrentDispatchThreads;
  id<MTLIndirectCommandBuffer> indirect = [[device() newIndirectCommandBufferWithDescriptor:descriptor maxCommandCount:1 options:0] autorelease];
  id<MTLIndirectComputeCommand> command = [indirect indirectComputeCommandAtIndex:0];
  EXPECT_ASSERTION("inherits its buffers", [command setKernelBuffer:bufferOf(4, 0) offset:0 atIndex:0]);
  EXPECT_ASSERTION("inherits its pipeline state", [command setComputePipelineState:pipelineOf(library(), @"add")]);
  [command concurrentDispatchThreads:size1(kCount) threadsPerThreadgroup:size1(32)];
  id<MTLBuffer> x = bufferOf(kCount, 4), y = bufferOf(kCount, 0);
  id<MTLCommandBuffer> commands = [queue() commandBuffer];
  id<MTLComputeCommandEncoder> e = [commands computeCommandEncoder];
  EXPECT_ASSERTION("none is set", [e executeCommandsInBuffer:indirect withRange:NSMakeRange(0, 1)]);
  [e setComputePipelineState:pipelineOf(library(), @"add")];
  [e setBuffer:y offset:0 atIndex:0];
  [e setBuffer:x offset:0 atIndex:1];
  [e executeCommandsInBuffer:indirect withRange:NSMakeRange(0, 1)];
  [e endEncoding];
  EXPECT(isComplete(commands) && isAll(y, 5));
}

CHECK("counters at the ends of encoders, and nowhere else") {
  EXPECT([device() supportsCounterSampling:MTLCounterSamplingPointAtStageBoundary]);
  EXPECT(![device() supportsCounterSampling:MTLCounterSamplingPointAtDispatchBoundary]);
  EXPECT(![device() supportsCounterSampling:MTLCounterSamplingPointAtBlitBoundary]);
  id<MTLCounterSet> set = [[device() counterSets] objectAtIndex:0];
  EXPECT([[set name] isEqual:MTLCommonCounterSetTimestamp]);
  EXPECT([[[[set counters] objectAtIndex:0] name] isEqual:MTLCommonCounterTimestamp]);
  MTLCounterSampleBufferDescriptor *descriptor = [[MTLCounterSampleBufferDescriptor new] autorelease];
  descriptor.counterSet = set;
  descriptor.sampleCount = 2;
  id<MTLCounterSampleBuffer> samples = [[device() newCounterSampleBufferWithDescriptor:descriptor error:nil] autorelease];
  MTLComputePassDescriptor *pass = [MTLComputePassDescriptor computePassDescriptor];
  MTLComputePassSampleBufferAttachmentDescriptor *attachment = [pass.sampleBufferAttachments objectAtIndexedSubscript:0];
  attachment.sampleBuffer = samples;
  attachment.startOfEncoderSampleIndex = 0;
  attachment.endOfEncoderSampleIndex = 1;
  id<MTLBuffer> resolved = [[device() newBufferWithLength:16 options:MTLResourceStorageModeShared] autorelease];
  id<MTLCommandBuffer> commands = [queue() commandBuffer];
  id<MTLComputeCommandEncoder> e = [commands computeCommandEncoderWithDescriptor:pass];
  EXPECT_ASSERTION("is not supported on this device", [e sampleCountersInBuffer:samples atSampleIndex:0 withBarrier:NO]);
  encodeSet(e, bufferOf(kCount, 0), 1);
  [e endEncoding];
  id<MTLBlitCommandEncoder> blit = [commands blitCommandEncoder];
  [blit resolveCounters:samples inRange:NSMakeRange(0, 2) destinationBuffer:resolved destinationOffset:0];
  [blit endEncoding];
  EXPECT(isComplete(commands));
  const auto *times = static_cast<const MTLCounterResultTimestamp *>([[samples resolveCounterRange:NSMakeRange(0, 2)] bytes]);
  EXPECT(times[0].timestamp > 0 && times[1].timestamp > times[0].timestamp);
  EXPECT(std::memcmp([resolved contents], times, 16) == 0);
  MTLTimestamp cpu = 0, gpu = 0;
  [device() sampleTimestamps:&cpu gpuTimestamp:&gpu];
  EXPECT(cpu >= times[1].timestamp && gpu > 0);
}

CHECK("captures need leave, a new place and a .gputrace") {
  MTLCaptureManager *manager = [MTLCaptureManager sharedCaptureManager];
  unsetenv("MTL_CAPTURE_ENABLED");
  NSString *folder = [NSTemporaryDirectory() stringByAppendingPathComponent:[[NSProcessInfo processInfo] globallyUniqueString]];
  MTLCaptureDescriptor *descriptor = [[MTLCaptureDescriptor new] autorelease];
  descriptor.captureObject = device();
  descriptor.destination = MTLCaptureDestinationGPUTraceDocument;
  descriptor.outputURL = [NSURL fileURLWithPath:[folder stringByAppendingString:@".gputrace"]];
  NSError *error = nil;
  EXPECT(![manager supportsDestination:MTLCaptureDestinationGPUTraceDocument]);
  EXPECT(![manager startCaptureWithDescriptor:descriptor error:&error] && [error code] == MTLCaptureErrorNotSupported);
  setenv("MTL_CAPTURE_ENABLED", "1", 1);
  EXPECT([manager supportsDestination:MTLCaptureDestinationGPUTraceDocument]);
  EXPECT([manager startCaptureWithDescriptor:descriptor error:&error] && [manager isCapturing]);
  EXPECT(![manager startCaptureWithDescriptor:descriptor error:&error] && [error code] == MTLCaptureErrorAlreadyCapturing);
  [manager stopCapture];
  EXPECT(![manager startCaptureWithDescriptor:descriptor error:&error] && [error code] == MTLCaptureErrorInvalidDescriptor);
  EXPECT_TEXT([error localizedDescription], "exists already");
  descriptor.outputURL = [NSURL fileURLWithPath:[folder stringByAppendingString:@".trace"]];
  EXPECT(![manager startCaptureWithDescriptor:descriptor error:&error]);
  [[NSFileManager defaultManager] removeItemAtPath:[folder stringByAppendingString:@".gputrace"] error:nil];
  id<MTLCaptureScope> scope = [[manager newCaptureScopeWithCommandQueue:queue()] autorelease];
  EXPECT([scope commandQueue] == queue() && [scope device] == device());
  [scope beginScope];
  [scope endScope];
}
