/** What the debug layer stops a program for, and limits; each with a twin that passes. */
#include <atomic>
#include <chrono>
#include <thread>

#include <sys/mman.h>
#include <unistd.h>

#include "checks.h"

static const char *const kSource = R"(#include <metal_stdlib>
using namespace metal;
struct Wide { float4 a; float4 b; };
kernel void fill(device float* out [[buffer(0)]], uint i [[thread_position_in_grid]]) { out[i] = 1; }
[[kernel, max_total_threads_per_threadgroup(256)]] void narrow(device float* out [[buffer(0)]], uint i [[thread_position_in_grid]]) { out[i] = 1; }
kernel void copy(device float* out [[buffer(0)]], const device float* src1 [[buffer(1)]], uint i [[thread_position_in_grid]]) { out[i] = src1[i]; }
kernel void wide(device float* out [[buffer(0)]], constant Wide& x [[buffer(1)]], uint i [[thread_position_in_grid]]) { out[i] = x.b.w; }
kernel void local(device float* out [[buffer(0)]], threadgroup float* t [[threadgroup(0)]], uint i [[thread_position_in_threadgroup]]) {
  t[i] = i;
  threadgroup_barrier(mem_flags::mem_threadgroup);
  out[i] = t[i];
}
kernel void both(device float* out [[buffer(0)]], threadgroup float* t [[threadgroup(0)]], uint i [[thread_position_in_threadgroup]]) {
  threadgroup float tile[4096];
  tile[i] = i;
  t[i] = i;
  threadgroup_barrier(mem_flags::mem_threadgroup);
  out[i] = tile[i] + t[i];
}
)";

static id<MTLComputePipelineState> pipeline(const char *name) {
  static id<MTLLibrary> library = libraryOf(kSource);
  return pipelineOf(library, [NSString stringWithUTF8String:name]);
}

/** One dispatch of `fill` or another kernel over a buffer, with what `work` does to the encoder before its end. */
template <class Work>
static id<MTLCommandBuffer> encode(const char *name, Work work) {
  id<MTLCommandBuffer> commands = [queue() commandBuffer];
  id<MTLComputeCommandEncoder> encoder = [commands computeCommandEncoder];
  [encoder setComputePipelineState:pipeline(name)];
  [encoder setBuffer:bufferOf(4096, 0) offset:0 atIndex:0];
  work(encoder);
  [encoder endEncoding];
  return commands;
}

CHECK("more threads in a threadgroup than the device has") {
  EXPECT(isComplete(encode("fill", [](id<MTLComputeCommandEncoder> e) {
    [e dispatchThreadgroups:size1(1) threadsPerThreadgroup:size1(1024)];
    EXPECT_ASSERTION("(threadsPerThreadgroup.width(33) * threadsPerThreadgroup.height(32) * threadsPerThreadgroup.depth(1))(1056) must be <= "
                     "1024. (device threadgroup size limit)",
                     [e dispatchThreadgroups:size1(1) threadsPerThreadgroup:MTLSizeMake(33, 32, 1)]);
    EXPECT_ASSERTION("must be <= 1024. (device threadgroup size limit)", [e dispatchThreads:size1(2000) threadsPerThreadgroup:size1(1025)]);
  })));
}

CHECK("more threads in a threadgroup than the kernel may have") {
  EXPECT([pipeline("narrow") maxTotalThreadsPerThreadgroup] == 256);
  EXPECT([pipeline("fill") maxTotalThreadsPerThreadgroup] == 1024);
  EXPECT(isComplete(encode("narrow", [](id<MTLComputeCommandEncoder> e) {
    [e dispatchThreadgroups:size1(2) threadsPerThreadgroup:size1(256)];
    EXPECT_ASSERTION("must be <= 256. (kernel threadgroup size limit)", [e dispatchThreadgroups:size1(2) threadsPerThreadgroup:size1(257)]);
  })));
}

CHECK("a limit of the pipeline's descriptor") {
  MTLComputePipelineDescriptor *descriptor = [[MTLComputePipelineDescriptor new] autorelease];
  descriptor.computeFunction = [[libraryOf(kSource) newFunctionWithName:@"fill"] autorelease];
  descriptor.maxTotalThreadsPerThreadgroup = 64;
  NSError *error = nil;
  id<MTLComputePipelineState> state = [device() newComputePipelineStateWithDescriptor:descriptor options:MTLPipelineOptionNone reflection:nil error:&error];
  EXPECT([state maxTotalThreadsPerThreadgroup] == 64);
  EXPECT(isComplete(encode("fill", [&](id<MTLComputeCommandEncoder> e) {
    [e setComputePipelineState:state];
    [e dispatchThreads:size1(100) threadsPerThreadgroup:size1(64)];
    EXPECT_ASSERTION("must be <= 64. (kernel threadgroup size limit)", [e dispatchThreads:size1(100) threadsPerThreadgroup:size1(65)]);
  })));
  descriptor.maxTotalThreadsPerThreadgroup = 2048;
  EXPECT([device() newComputePipelineStateWithDescriptor:descriptor options:MTLPipelineOptionNone reflection:nil error:&error] == nil);
  EXPECT_TEXT([error localizedDescription], "exceeds the limit of the device (1024)");
}

CHECK("threadgroups that are no whole simdgroups, where the pipeline promised them") {
  MTLComputePipelineDescriptor *descriptor = [[MTLComputePipelineDescriptor new] autorelease];
  descriptor.computeFunction = [[libraryOf(kSource) newFunctionWithName:@"fill"] autorelease];
  descriptor.threadGroupSizeIsMultipleOfThreadExecutionWidth = YES;
  id<MTLComputePipelineState> state = [device() newComputePipelineStateWithDescriptor:descriptor options:MTLPipelineOptionNone reflection:nil error:nil];
  EXPECT([state threadExecutionWidth] == 32);
  EXPECT(isComplete(encode("fill", [&](id<MTLComputeCommandEncoder> e) {
    [e dispatchThreads:size1(100) threadsPerThreadgroup:size1(48)];
    [e setComputePipelineState:state];
    [e dispatchThreads:size1(100) threadsPerThreadgroup:size1(64)];
    EXPECT_ASSERTION("must be multiples of 32.", [e dispatchThreads:size1(100) threadsPerThreadgroup:size1(48)]);
  })));
}

CHECK("an empty grid") {
  EXPECT(isComplete(encode("fill", [](id<MTLComputeCommandEncoder> e) {
    [e dispatchThreadgroups:MTLSizeMake(1, 1, 1) threadsPerThreadgroup:size1(32)];
    EXPECT_ASSERTION("(threadgroupsPerGrid.width(0) * threadgroupsPerGrid.height(1) * threadgroupsPerGrid.depth(1))(0) must not be 0.",
                     [e dispatchThreadgroups:MTLSizeMake(0, 1, 1) threadsPerThreadgroup:size1(32)]);
    EXPECT_ASSERTION("must not be 0.", [e dispatchThreads:MTLSizeMake(4, 0, 1) threadsPerThreadgroup:size1(32)]);
    EXPECT_ASSERTION("must not be 0.", [e dispatchThreads:size1(4) threadsPerThreadgroup:MTLSizeMake(0, 1, 1)]);
  })));
}

CHECK("an indirect dispatch of no threadgroups does nothing") {
  id<MTLBuffer> counts = [[device() newBufferWithLength:12 options:MTLResourceStorageModeShared] autorelease];
  id<MTLBuffer> out = bufferOf(64, 0);
  const auto dispatch = [&] {
    EXPECT(isComplete(encode("fill", [&](id<MTLComputeCommandEncoder> e) {
      [e setBuffer:out offset:0 atIndex:0];
      [e dispatchThreadgroupsWithIndirectBuffer:counts indirectBufferOffset:0 threadsPerThreadgroup:size1(32)];
      EXPECT_ASSERTION("leaves no 12 bytes", [e dispatchThreadgroupsWithIndirectBuffer:counts indirectBufferOffset:4 threadsPerThreadgroup:size1(32)]);
    })));
  };
  dispatch();
  EXPECT(isAll(out, 0));
  const uint32_t two[] = {2, 1, 1};
  std::memcpy([counts contents], two, sizeof two);
  dispatch();
  EXPECT(isAll(out, 1));
}

CHECK("setBytes beyond 4096 bytes") {
  std::vector<uint8_t> bytes(5000);
  EXPECT(isComplete(encode("copy", [&](id<MTLComputeCommandEncoder> e) {
    [e setBytes:bytes.data() length:4096 atIndex:1];
    [e dispatchThreads:size1(1024) threadsPerThreadgroup:size1(64)];
    EXPECT_ASSERTION("length(4097) must be <= 4096.", [e setBytes:bytes.data() length:4097 atIndex:1]);
  })));
}

CHECK("slots beyond the last") {
  encode("fill", [](id<MTLComputeCommandEncoder> e) {
    const float x = 0;
    [e setBytes:&x length:4 atIndex:30];
    [e setBuffer:bufferOf(4, 0) offset:0 atIndex:30];
    [e setThreadgroupMemoryLength:16 atIndex:30];
    EXPECT_ASSERTION("index(31) must be < 31.", [e setBytes:&x length:4 atIndex:31]);
    EXPECT_ASSERTION("index(31) must be < 31.", [e setBuffer:bufferOf(4, 0) offset:0 atIndex:31]);
    EXPECT_ASSERTION("index(31) must be < 31.", [e setThreadgroupMemoryLength:16 atIndex:31]);
    const id<MTLBuffer> buffers[] = {bufferOf(4, 0), bufferOf(4, 0)};
    const NSUInteger offsets[] = {0, 0};
    EXPECT_ASSERTION("index(31) must be < 31.", [e setBuffers:buffers offsets:offsets withRange:NSMakeRange(30, 2)]);
  });
}

CHECK("threadgroup memory in steps of 16 bytes") {
  EXPECT(isComplete(encode("local", [](id<MTLComputeCommandEncoder> e) {
    [e setThreadgroupMemoryLength:128 atIndex:0];
    [e dispatchThreadgroups:size1(1) threadsPerThreadgroup:size1(32)];
    EXPECT_ASSERTION("length(4) must be a multiple of 16 bytes.", [e setThreadgroupMemoryLength:4 atIndex:0]);
  })));
}

CHECK("threadgroup memory, declared and set, beyond 32 KiB") {
  EXPECT([pipeline("both") staticThreadgroupMemoryLength] == 16384);
  EXPECT([pipeline("fill") staticThreadgroupMemoryLength] == 0);
  EXPECT(isComplete(encode("both", [](id<MTLComputeCommandEncoder> e) {
    [e setThreadgroupMemoryLength:16384 atIndex:0];
    [e dispatchThreadgroups:size1(1) threadsPerThreadgroup:size1(32)];
    [e setThreadgroupMemoryLength:16400 atIndex:0];
    EXPECT_ASSERTION("Threadgroup memory size (32784) exceeds the maximum threadgroup memory allowed (32768)",
                     [e dispatchThreadgroups:size1(1) threadsPerThreadgroup:size1(32)]);
  })));
}

CHECK("threadgroup memory that a kernel declares beyond 32 KiB: no pipeline") {
  const char *source = R"(#include <metal_stdlib>
template <typename T, int N> kernel void keep(device T* out [[buffer(0)]], uint i [[thread_position_in_threadgroup]]) {
  constexpr int kRows = N / 32;
  threadgroup T tile[kRows][32];
  threadgroup T more[2];
  tile[i / 32][i % 32] = T(i);
  more[0] = T(1);
  out[i] = tile[i / 32][i % 32] + more[0];
}
template [[host_name("all")]] [[kernel]] decltype(keep<float, 8160>) keep<float, 8160>;
template [[host_name("too_much")]] [[kernel]] decltype(keep<float, 9216>) keep<float, 9216>;
template [[host_name("half_of_it")]] [[kernel]] decltype(keep<half, 9216>) keep<half, 9216>;
)";
  id<MTLLibrary> library = libraryOf(source);
  EXPECT([pipelineOf(library, @"all") staticThreadgroupMemoryLength] == 8160 * 4 + 8);
  EXPECT([pipelineOf(library, @"half_of_it") staticThreadgroupMemoryLength] == 9216 * 2 + 4);
  NSError *error = nil;
  id<MTLFunction> function = [[library newFunctionWithName:@"too_much"] autorelease];
  EXPECT([device() newComputePipelineStateWithFunction:function error:&error] == nil);
  EXPECT_TEXT([error localizedDescription], "Threadgroup memory size (36872) exceeds the maximum threadgroup memory allowed (32768)");
}

CHECK("an argument that nothing is bound to") {
  EXPECT(isComplete(encode("copy", [](id<MTLComputeCommandEncoder> e) {
    EXPECT_ASSERTION("Compute Function(copy): missing buffer binding at index 1 for src1[0].",
                     [e dispatchThreads:size1(8) threadsPerThreadgroup:size1(8)]);
    [e setBuffer:bufferOf(8, 3) offset:0 atIndex:1];
    [e dispatchThreads:size1(8) threadsPerThreadgroup:size1(8)];
    // nil counts as missing
    [e setBuffer:nil offset:0 atIndex:1];
    EXPECT_ASSERTION("missing buffer binding at index 1 for src1[0].", [e dispatchThreads:size1(8) threadsPerThreadgroup:size1(8)]);
  })));
  encode("local", [](id<MTLComputeCommandEncoder> e) {
    EXPECT_ASSERTION("missing threadgroup memory binding at index 0", [e dispatchThreads:size1(8) threadsPerThreadgroup:size1(8)]);
  });
}

CHECK("a binding shorter than the type of its argument") {
  EXPECT(isComplete(encode("wide", [](id<MTLComputeCommandEncoder> e) {
    [e setBuffer:bufferOf(4, 0) offset:0 atIndex:1];
    EXPECT_ASSERTION("argument x[0] from buffer(1) with offset(0) and length(16) has space for 16 bytes, but argument has a length(32).",
                     [e dispatchThreads:size1(8) threadsPerThreadgroup:size1(8)]);
    [e setBuffer:bufferOf(12, 0) offset:32 atIndex:1];
    EXPECT_ASSERTION("with offset(32) and length(48) has space for 16 bytes", [e dispatchThreads:size1(8) threadsPerThreadgroup:size1(8)]);
    [e setBufferOffset:16 atIndex:1];
    [e dispatchThreads:size1(8) threadsPerThreadgroup:size1(8)];
  })));
}

CHECK("setBytes for an argument that the kernel writes") {
  const float values[64] = {};
  EXPECT(isComplete(encode("copy", [&](id<MTLComputeCommandEncoder> e) {
    [e setBytes:values length:sizeof values atIndex:1];
    [e dispatchThreads:size1(8) threadsPerThreadgroup:size1(8)];
    [e setBytes:values length:sizeof values atIndex:0];
    EXPECT_ASSERTION("Read-only bytes are being bound at index 0 to a shader argument with write access enabled",
                     [e dispatchThreads:size1(8) threadsPerThreadgroup:size1(8)]);
  })));
}

CHECK("offsets beyond the buffer, or not of 4 bytes") {
  encode("fill", [](id<MTLComputeCommandEncoder> e) {
    id<MTLBuffer> buffer = bufferOf(4, 0);
    [e setBuffer:buffer offset:12 atIndex:0];
    EXPECT_ASSERTION("offset(16) must be < [buffer length](16).", [e setBuffer:buffer offset:16 atIndex:0]);
    EXPECT_ASSERTION("offset(2) must be a multiple of 4 bytes.", [e setBuffer:buffer offset:2 atIndex:0]);
    EXPECT_ASSERTION("no buffer is bound at index 5", [e setBufferOffset:0 atIndex:5]);
  });
}

CHECK("buffers of no length") {
  EXPECT_ASSERTION("Cannot create buffer of zero length.", [device() newBufferWithLength:0 options:MTLResourceStorageModeShared]);
  EXPECT_ASSERTION("Cannot create buffer of zero length.", [device() newBufferWithBytes:"x" length:0 options:MTLResourceStorageModeShared]);
  EXPECT([[[device() newBufferWithLength:1 options:MTLResourceStorageModeShared] autorelease] length] == 1);
}

CHECK("a buffer longer than the device allows: nil") {
  EXPECT([device() newBufferWithLength:[device() maxBufferLength] + 1 options:MTLResourceStorageModeShared] == nil);
}

CHECK("contents of a private buffer") {
  id<MTLBuffer> hidden = [[device() newBufferWithLength:64 options:MTLResourceStorageModePrivate] autorelease];
  EXPECT_ASSERTION("resourceOptions (0x20) specify MTLResourceStorageModePrivate, which is not CPU accessible.", (void)[hidden contents]);
  EXPECT([bufferOf(4, 0) contents] != nullptr);
}

CHECK("didModifyRange: of buffers that are not managed") {
  EXPECT_ASSERTION("only applies when", [bufferOf(4, 0) didModifyRange:NSMakeRange(0, 4)]);
  id<MTLBuffer> managed = [[device() newBufferWithLength:64 options:MTLResourceStorageModeManaged] autorelease];
  [managed didModifyRange:NSMakeRange(0, 64)];
  EXPECT_ASSERTION("beyond [buffer length](64)", [managed didModifyRange:NSMakeRange(0, 65)]);
}

CHECK("memory of the host that is not whole pages") {
  const NSUInteger page = static_cast<NSUInteger>(getpagesize());
  void *memory = mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *inside = static_cast<char *>(memory) + 16;
  EXPECT_ASSERTION("byte aligned", [device() newBufferWithBytesNoCopy:inside length:page options:MTLResourceStorageModeShared deallocator:nil]);
  EXPECT_ASSERTION("byte aligned", [device() newBufferWithBytesNoCopy:memory length:page - 1 options:MTLResourceStorageModeShared deallocator:nil]);
  EXPECT_ASSERTION("zero length", [device() newBufferWithBytesNoCopy:memory length:0 options:MTLResourceStorageModeShared deallocator:nil]);
  __block int freed = 0;
  @autoreleasepool {
    id<MTLBuffer> wrapped = [device() newBufferWithBytesNoCopy:memory
                                                        length:2 * page
                                                       options:MTLResourceStorageModeShared
                                                   deallocator:^(void *pointer, NSUInteger length) {
                                                     freed++;
                                                     munmap(pointer, length);
                                                   }];
    EXPECT([wrapped contents] == memory);
    EXPECT(isComplete(encode("fill", [&](id<MTLComputeCommandEncoder> e) {
      [e setBuffer:wrapped offset:0 atIndex:0];
      [e dispatchThreads:size1(page / 2) threadsPerThreadgroup:size1(256)];
    })));
    EXPECT(freed == 0 && static_cast<float *>(memory)[page / 2 - 1] == 1);
    [wrapped release];
  }
  EXPECT(freed == 1);
}

CHECK("a second encoder") {
  id<MTLCommandBuffer> commands = [queue() commandBuffer];
  id<MTLComputeCommandEncoder> encoder = [commands computeCommandEncoder];
  EXPECT_ASSERTION("A command encoder is already encoding to this command buffer", [commands computeCommandEncoder]);
  EXPECT_ASSERTION("A command encoder is already encoding to this command buffer", [commands blitCommandEncoder]);
  [encoder endEncoding];
  [[commands blitCommandEncoder] endEncoding];
  EXPECT(isComplete(commands));
}

CHECK("encoding after endEncoding") {
  id<MTLCommandBuffer> commands = [queue() commandBuffer];
  id<MTLComputeCommandEncoder> encoder = [commands computeCommandEncoder];
  [encoder endEncoding];
  EXPECT_ASSERTION("after endEncoding", [encoder endEncoding]);
  EXPECT_ASSERTION("after endEncoding", [encoder setComputePipelineState:pipeline("fill")]);
  EXPECT_ASSERTION("after endEncoding", [encoder dispatchThreads:size1(1) threadsPerThreadgroup:size1(1)]);
}

CHECK("a dispatch without a pipeline") {
  id<MTLComputeCommandEncoder> encoder = [[queue() commandBuffer] computeCommandEncoder];
  EXPECT_ASSERTION("without a compute pipeline state", [encoder dispatchThreads:size1(1) threadsPerThreadgroup:size1(1)]);
  EXPECT_ASSERTION("must not be nil", [encoder setComputePipelineState:(id<MTLComputePipelineState> _Nonnull)nil]);
  [encoder endEncoding];
}

CHECK("events while an encoder is open") {
  id<MTLCommandBuffer> commands = [queue() commandBuffer];
  id<MTLEvent> event = [[device() newEvent] autorelease];
  id<MTLComputeCommandEncoder> encoder = [commands computeCommandEncoder];
  EXPECT_ASSERTION("encodeWaitForEvent:value: with uncommitted encoder", [commands encodeWaitForEvent:event value:1]);
  EXPECT_ASSERTION("encodeSignalEvent:value: with uncommitted encoder", [commands encodeSignalEvent:event value:1]);
  [encoder endEncoding];
  [commands encodeSignalEvent:event value:1];
  [commands encodeWaitForEvent:event value:1];
  EXPECT(isComplete(commands));
}

CHECK("a commit with an open encoder, and a second one") {
  id<MTLCommandBuffer> commands = [queue() commandBuffer];
  id<MTLComputeCommandEncoder> encoder = [commands computeCommandEncoder];
  EXPECT_ASSERTION("commit command buffer with uncommitted encoder", [commands commit]);
  [encoder endEncoding];
  [commands commit];
  EXPECT_ASSERTION("commit an already committed command buffer", [commands commit]);
  [commands waitUntilCompleted];
}

CHECK("a command buffer after its commit") {
  id<MTLCommandBuffer> commands = [queue() commandBuffer];
  id<MTLEvent> event = [[device() newEvent] autorelease];
  [commands addCompletedHandler:^(id<MTLCommandBuffer> buffer) {
    (void)buffer;
  }];
  EXPECT(isComplete(commands));
  EXPECT_ASSERTION("Completed handler provided after commit call", [commands addCompletedHandler:^(id<MTLCommandBuffer> buffer) {
    (void)buffer;
  }]);
  EXPECT_ASSERTION("Scheduled handler provided after commit call", [commands addScheduledHandler:^(id<MTLCommandBuffer> buffer) {
    (void)buffer;
  }]);
  EXPECT_ASSERTION("on a committed command buffer", [commands computeCommandEncoder]);
  EXPECT_ASSERTION("on a committed command buffer", [commands blitCommandEncoder]);
  EXPECT_ASSERTION("on a committed command buffer", [commands encodeSignalEvent:event value:1]);
  EXPECT_ASSERTION("already enqueued", [commands enqueue]);
}

CHECK("waiting for what was not committed") {
  id<MTLCommandBuffer> commands = [queue() commandBuffer];
  EXPECT_ASSERTION("before commit blocks forever", [commands waitUntilCompleted]);
  EXPECT_ASSERTION("before commit blocks forever", [commands waitUntilScheduled]);
  [commands commit];
  [commands waitUntilScheduled];
  [commands waitUntilCompleted];
}

CHECK("a debug group that was not pushed") {
  id<MTLCommandBuffer> commands = [queue() commandBuffer];
  [commands pushDebugGroup:@"outer"];
  id<MTLComputeCommandEncoder> encoder = [commands computeCommandEncoder];
  [encoder pushDebugGroup:@"inner"];
  [encoder insertDebugSignpost:@"here"];
  [encoder popDebugGroup];
  EXPECT_ASSERTION("popDebugGroup without pushDebugGroup:", [encoder popDebugGroup]);
  [encoder endEncoding];
  [commands popDebugGroup];
  EXPECT_ASSERTION("popDebugGroup without pushDebugGroup:", [commands popDebugGroup]);
}

CHECK("the 65th command buffer of a queue waits") {
  id<MTLCommandQueue> small = [[device() newCommandQueue] autorelease];
  NSMutableArray *buffers = [NSMutableArray array];
  for (int i = 0; i < 64; i++) [buffers addObject:[small commandBuffer]];
  std::atomic<bool> hasOne{false};
  std::thread other([&] {
    @autoreleasepool {
      id<MTLCommandBuffer> last = [small commandBuffer];
      hasOne = true;
      [last commit];
      [last waitUntilCompleted];
    }
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT(!hasOne);
  [[buffers objectAtIndex:0] commit];
  other.join();
  EXPECT(hasOne);
  // the limit can be raised
  id<MTLCommandQueue> large = [[device() newCommandQueueWithMaxCommandBufferCount:100] autorelease];
  for (int i = 0; i < 100; i++) [buffers addObject:[large commandBuffer]];
  EXPECT_ASSERTION("must be greater than 0", [device() newCommandQueueWithMaxCommandBufferCount:0]);
}

CHECK("residency sets beyond 32, fences beyond 32768, counter samples beyond 32 KiB") {
  id<MTLCommandQueue> other = [[device() newCommandQueue] autorelease];
  MTLResidencySetDescriptor *descriptor = [[MTLResidencySetDescriptor new] autorelease];
  for (int i = 0; i < 32; i++) [other addResidencySet:[[device() newResidencySetWithDescriptor:descriptor error:nil] autorelease]];
  id<MTLResidencySet> last = [[device() newResidencySetWithDescriptor:descriptor error:nil] autorelease];
  EXPECT_ASSERTION("at most 32 residency sets", [other addResidencySet:last]);
  id<MTLCommandBuffer> commands = [other commandBuffer];
  for (int i = 0; i < 32; i++) [commands useResidencySet:last];
  EXPECT_ASSERTION("at most 32 residency sets", [commands useResidencySet:last]);
  std::vector<id<MTLFence>> fences;
  for (int i = 0; i < 32768; i++) fences.push_back([device() newFence]);
  EXPECT_ASSERTION("which is all that a device has", [device() newFence]);
  for (id<MTLFence> fence : fences) [fence release];
  MTLCounterSampleBufferDescriptor *counters = [[MTLCounterSampleBufferDescriptor new] autorelease];
  counters.counterSet = [[device() counterSets] objectAtIndex:0];
  counters.sampleCount = 4096;
  NSError *error = nil;
  EXPECT([[device() newCounterSampleBufferWithDescriptor:counters error:&error] autorelease] != nil);
  counters.sampleCount = 4097;
  EXPECT([device() newCounterSampleBufferWithDescriptor:counters error:&error] == nil && error != nil);
  counters.sampleCount = 1;
  NSMutableArray *all = [NSMutableArray array];
  // the one above is still there
  for (int i = 0; i < 31; i++) [all addObject:[[device() newCounterSampleBufferWithDescriptor:counters error:&error] autorelease]];
  EXPECT([device() newCounterSampleBufferWithDescriptor:counters error:&error] == nil);
  EXPECT_TEXT([error localizedDescription], "32 counter sample buffers");
}

CHECK("sizes that do not fit into 32 bits") {
  encode("fill", [](id<MTLComputeCommandEncoder> e) {
    EXPECT_ASSERTION("each size of a grid must be < 4294967296.", [e dispatchThreads:size1(1ul << 32) threadsPerThreadgroup:size1(32)]);
  });
}
