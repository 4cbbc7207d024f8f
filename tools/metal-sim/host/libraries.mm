/** The device, libraries, constants, pipelines, reflection and archives. */
#include <cmath>

#include "checks.h"

static const char *const kSource = R"(#include <metal_stdlib>
using namespace metal;
constant bool has_bias [[function_constant(0)]];
constant float scale [[function_constant(1)]];
constant ushort shift [[function_constant(7)]];
constant float4 weights [[function_constant(8)]];
struct Wide { float4 a; float4 b; };
kernel void plain(device float* out [[buffer(0)]], uint i [[thread_position_in_grid]]) { out[i] = 1; }
kernel void scaled(device float* out [[buffer(0)]],
                   constant float& bias [[buffer(1), function_constant(has_bias)]],
                   uint i [[thread_position_in_grid]]) {
  out[i] = scale * float(i >> shift) + (has_bias ? bias : 0.0f) + weights.w;
}
namespace inner {
kernel void reflect(device float* out [[buffer(3)]], constant Wide& wide [[buffer(5)]], threadgroup half* t [[threadgroup(2)]],
                    uint i [[thread_position_in_grid]]) { t[i] = 1; out[i] = wide.a.x + t[i]; }
}
)";

static id<MTLLibrary> library() {
  static id<MTLLibrary> theLibrary = libraryOf(kSource);
  return theLibrary;
}
static NSString *emptyFile(NSString *ending) {
  NSString *name = [[[NSProcessInfo processInfo] globallyUniqueString] stringByAppendingString:ending];
  return [NSTemporaryDirectory() stringByAppendingPathComponent:name];
}

CHECK("what the device tells of itself") {
  NSArray *all = MTLCopyAllDevices();
  EXPECT([all count] == 1 && [all objectAtIndex:0] == device());
  [all release];
  EXPECT([[device() name] length] > 0 && [[[device() architecture] name] hasPrefix:@"applegpu_g13"]);
  EXPECT([device() hasUnifiedMemory] && ![device() isLowPower] && ![device() isRemovable] && ![device() isHeadless]);
  const MTLSize most = [device() maxThreadsPerThreadgroup];
  EXPECT(most.width == 1024 && most.height == 1024 && most.depth == 1024);
  EXPECT([device() maxThreadgroupMemoryLength] == 32768 && [device() maxBufferLength] >= 1u << 30);
  EXPECT([device() recommendedMaxWorkingSetSize] > 0 && [device() argumentBuffersSupport] == MTLArgumentBuffersTier2);
  EXPECT([device() supportsFamily:MTLGPUFamilyApple7] && [device() supportsFamily:MTLGPUFamilyApple1]);
  EXPECT([device() supportsFamily:MTLGPUFamilyMetal3] && [device() supportsFamily:MTLGPUFamilyCommon3]);
  EXPECT(![device() supportsFamily:MTLGPUFamilyApple8] && ![device() supportsFamily:MTLGPUFamilyMetal4]);
  const NSUInteger before = [device() currentAllocatedSize];
  id<MTLBuffer> buffer = [device() newBufferWithLength:1 << 20 options:0];
  EXPECT([device() currentAllocatedSize] == before + (1 << 20));
  [buffer release];
  EXPECT([device() currentAllocatedSize] == before);
}

CHECK("lambdas are there from version 3.2 of the language on") {
  NSString *source = @"#include <metal_stdlib>\nkernel void k(device float* x [[buffer(0)]]) {\n"
                     @"  auto twice = [](float a) { return a * 2; };\n  x[0] = twice(x[0]);\n}\n";
  MTLCompileOptions *options = [[MTLCompileOptions new] autorelease];
  options.languageVersion = MTLLanguageVersion3_1;
  NSError *error = nil;
  EXPECT([device() newLibraryWithSource:source options:options error:&error] == nil);
  EXPECT_TEXT([error localizedDescription], "lambda expressions are not supported in Metal before 3.2");
  options.languageVersion = MTLLanguageVersion3_2;
  id<MTLLibrary> library = [[device() newLibraryWithSource:source options:options error:&error] autorelease];
  EXPECT(library != nil && [[library functionNames] count] == 1);
}

CHECK("source that does not compile: an error with place and words") {
  NSError *error = nil;
  id<MTLLibrary> none = [device() newLibraryWithSource:@"#include <metal_stdlib>\nkernel void k(device float* x [[buffer(0)]]) {\n  x[0] = y;\n}\n"
                                               options:nil
                                                 error:&error];
  EXPECT(none == nil && [[error domain] isEqual:MTLLibraryErrorDomain] && [error code] == MTLLibraryErrorCompileFailure);
  EXPECT_TEXT([error localizedDescription], "program_source:3:10: error: use of undeclared identifier 'y'");
  EXPECT([device() newLibraryWithSource:@"not Metal" options:nil error:nil] == nil);
  EXPECT_ASSERTION("source must not be nil", [device() newLibraryWithSource:(NSString * _Nonnull)nil options:nil error:nil]);
}

/** out[0] of a kernel that writes `text`, an expression of its argument 100. */
static float valueOf(NSString *text, MTLCompileOptions *options) {
  NSString *source = [NSString stringWithFormat:@"#include <metal_stdlib>\nusing namespace metal;\nkernel void k(device float* out [[buffer(0)]], "
                                                 "constant float& x [[buffer(1)]]) { out[0] = %@; }",
                                                text];
  NSError *error = nil;
  id<MTLLibrary> library = [[device() newLibraryWithSource:source options:options error:&error] autorelease];
  if (library == nil) {
    fail(textOf([error localizedDescription]));
    return 0;
  }
  const float x = 100;
  id<MTLBuffer> out = bufferOf(1, 0);
  id<MTLCommandBuffer> commands = [queue() commandBuffer];
  id<MTLComputeCommandEncoder> e = [commands computeCommandEncoder];
  [e setComputePipelineState:pipelineOf(library, @"k")];
  [e setBuffer:out offset:0 atIndex:0];
  [e setBytes:&x length:4 atIndex:1];
  [e dispatchThreads:size1(1) threadsPerThreadgroup:size1(1)];
  [e endEncoding];
  isComplete(commands);
  return floats(out)[0];
}

CHECK("options of the compiler: math, macros, versions of the language") {
  MTLCompileOptions *options = [[MTLCompileOptions new] autorelease];
  EXPECT(options.fastMathEnabled && options.mathMode == MTLMathModeFast);
  // fast math is what there is without options
  EXPECT(std::isnan(valueOf(@"tanh(x)", nil)) && std::isnan(valueOf(@"tanh(x)", options)));
  EXPECT(valueOf(@"precise::tanh(x)", nil) == 1);
  options.fastMathEnabled = NO;
  EXPECT(options.mathMode == MTLMathModeSafe && options.mathFloatingPointFunctions == MTLMathFloatingPointFunctionsPrecise);
  EXPECT(valueOf(@"tanh(x)", options) == 1);
  options.mathFloatingPointFunctions = MTLMathFloatingPointFunctionsFast;
  EXPECT(std::isnan(valueOf(@"tanh(x)", options)));
  EXPECT(valueOf(@"__METAL_VERSION__", options) == 310);
  options.languageVersion = MTLLanguageVersion3_2;
  EXPECT(valueOf(@"__METAL_VERSION__", options) == 320);
  options.preprocessorMacros = [NSDictionary dictionaryWithObjectsAndKeys:@"x + 1", @"VALUE", [NSNumber numberWithInt:3], @"FACTOR", nil];
  EXPECT(valueOf(@"(VALUE) * FACTOR", options) == 303);
  options.libraryType = MTLLibraryTypeDynamic;
  EXPECT_ASSERTION("has no dynamic libraries", valueOf(@"x", options));
}

CHECK("libraries that are compiled meanwhile") {
  dispatch_semaphore_t done = dispatch_semaphore_create(0);
  __block NSUInteger names = 0;
  __block NSString *problem = nil;
  [device() newLibraryWithSource:[NSString stringWithUTF8String:kSource]
                         options:nil
               completionHandler:^(id<MTLLibrary> made, NSError *error) {
                 names = error == nil ? [[made functionNames] count] : 0;
                 dispatch_semaphore_signal(done);
               }];
  [device() newLibraryWithSource:@"kernel int k() {}"
                         options:nil
               completionHandler:^(id<MTLLibrary> made, NSError *error) {
                 if (made == nil) problem = [[error localizedDescription] copy];
                 dispatch_semaphore_signal(done);
               }];
  dispatch_semaphore_wait(done, DISPATCH_TIME_FOREVER);
  dispatch_semaphore_wait(done, DISPATCH_TIME_FOREVER);
  EXPECT(names == 3);
  EXPECT_TEXT(problem, "error: ");
  [problem release];
  dispatch_release(done);
}

CHECK("functions by name") {
  NSArray *names = [[library() functionNames] sortedArrayUsingSelector:@selector(compare:)];
  EXPECT_TEXT([names componentsJoinedByString:@" "], "inner::reflect plain scaled");
  EXPECT([library() newFunctionWithName:@"missing"] == nil);
  id<MTLFunction> function = [[library() newFunctionWithName:@"plain"] autorelease];
  EXPECT([[function name] isEqual:@"plain"] && [function functionType] == MTLFunctionTypeKernel && [function device] == device());
  MTLFunctionDescriptor *descriptor = [MTLFunctionDescriptor functionDescriptor];
  NSError *error = nil;
  descriptor.name = @"plain";
  EXPECT([[library() newFunctionWithDescriptor:descriptor error:&error] autorelease] != nil && error == nil);
  descriptor.name = @"missing";
  EXPECT([library() newFunctionWithDescriptor:descriptor error:&error] == nil && [error code] == MTLLibraryErrorFunctionNotFound);
}

CHECK("files of libraries") {
  NSError *error = nil;
  EXPECT([device() newDefaultLibrary] == nil);
  EXPECT([device() newLibraryWithURL:[NSURL fileURLWithPath:@"/no/such.metallib"] error:&error] == nil && [error code] == MTLLibraryErrorFileNotFound);
  NSString *path = emptyFile(@".metallib");
  [@"MTLB other" writeToFile:path atomically:YES encoding:NSUTF8StringEncoding error:nil];
  EXPECT([device() newLibraryWithFile:path error:&error] == nil);
  EXPECT_TEXT([error localizedDescription], "reads Metal source, not metallibs");
  NSString *text = [NSString stringWithFormat:@"MTLB metal-sim\n%s", kSource];
  [text writeToFile:path atomically:YES encoding:NSUTF8StringEncoding error:nil];
  EXPECT([[[[device() newLibraryWithURL:[NSURL fileURLWithPath:path] error:&error] autorelease] functionNames] count] == 3);
  dispatch_data_t data = dispatch_data_create([text UTF8String], [text length], nullptr, DISPATCH_DATA_DESTRUCTOR_DEFAULT);
  EXPECT([[[[device() newLibraryWithData:data error:&error] autorelease] functionNames] count] == 3);
  dispatch_release(data);
  [[NSFileManager defaultManager] removeItemAtPath:path error:nil];
}

/** out[9] of `scaled` with these constants. */
static float scaledWith(MTLFunctionConstantValues *values, float bias) {
  NSError *error = nil;
  id<MTLFunction> function = [[library() newFunctionWithName:@"scaled" constantValues:values error:&error] autorelease];
  id<MTLComputePipelineState> pipeline = [[device() newComputePipelineStateWithFunction:function error:&error] autorelease];
  if (pipeline == nil) fail(textOf([error localizedDescription]));
  id<MTLBuffer> out = bufferOf(10, 0);
  id<MTLCommandBuffer> commands = [queue() commandBuffer];
  id<MTLComputeCommandEncoder> e = [commands computeCommandEncoder];
  [e setComputePipelineState:pipeline];
  [e setBuffer:out offset:0 atIndex:0];
  if (!std::isnan(bias)) [e setBytes:&bias length:4 atIndex:1];
  [e dispatchThreads:size1(10) threadsPerThreadgroup:size1(10)];
  [e endEncoding];
  isComplete(commands);
  return floats(out)[9];
}

CHECK("function constants by index, by name and by range") {
  const bool yes = true, no = false;
  const float two = 2, three = 3;
  const uint16_t one = 1, none = 0;
  const float weights[] = {0, 0, 0, 100};
  MTLFunctionConstantValues *values = [[MTLFunctionConstantValues new] autorelease];
  [values setConstantValue:&no type:MTLDataTypeBool atIndex:0];
  [values setConstantValue:&two type:MTLDataTypeFloat withName:@"scale"];
  [values setConstantValue:&none type:MTLDataTypeUShort atIndex:7];
  [values setConstantValue:weights type:MTLDataTypeFloat4 atIndex:8];
  // an argument whose guard is false need not be bound
  EXPECT(scaledWith(values, NAN) == 118);
  [values setConstantValues:&yes type:MTLDataTypeBool withRange:NSMakeRange(0, 1)];
  const float range[] = {3};
  [values setConstantValues:range type:MTLDataTypeFloat withRange:NSMakeRange(1, 1)];
  [values setConstantValue:&three type:MTLDataTypeFloat withName:@"scale"];
  [values setConstantValue:&one type:MTLDataTypeUShort withName:@"shift"];
  EXPECT(scaledWith(values, 0.5f) == 112.5f);
  EXPECT_ASSERTION("missing buffer binding at index 1 for bias[0].", scaledWith(values, NAN));
  EXPECT_ASSERTION("index(65536) must be < 65536.", [values setConstantValue:&two type:MTLDataTypeFloat atIndex:65536]);
  EXPECT_ASSERTION("value must not be nil", [values setConstantValue:(const void *_Nonnull)nullptr type:MTLDataTypeFloat atIndex:0]);
  NSDictionary *constants = [[[library() newFunctionWithName:@"scaled"] autorelease] functionConstantsDictionary];
  MTLFunctionConstant *constant = [constants objectForKey:@"weights"];
  EXPECT([constants count] == 4 && [constant index] == 8 && [constant type] == MTLDataTypeFloat4);
}

CHECK("a function that needs constants makes no pipeline without them") {
  NSError *error = nil;
  id<MTLFunction> function = [[library() newFunctionWithName:@"scaled"] autorelease];
  EXPECT(function != nil);
  EXPECT_ASSERTION("cannot be used to build a pipeline state. Use newFunctionWithName:constantValues:...",
                   [device() newComputePipelineStateWithFunction:function error:&error]);
  EXPECT_ASSERTION("constantValues must not be nil.",
                   [library() newFunctionWithName:@"scaled" constantValues:(MTLFunctionConstantValues * _Nonnull)nil error:&error]);
  MTLFunctionConstantValues *values = [[MTLFunctionConstantValues new] autorelease];
  EXPECT([library() newFunctionWithName:@"missing" constantValues:values error:&error] == nil);
  EXPECT([error code] == MTLLibraryErrorFunctionNotFound);
  EXPECT_ASSERTION("computeFunction must not be nil.",
                   [device() newComputePipelineStateWithFunction:(id<MTLFunction> _Nonnull)nil error:&error]);
}

CHECK("pipelines with reflection, from descriptors, and made meanwhile") {
  MTLComputePipelineDescriptor *descriptor = [[MTLComputePipelineDescriptor new] autorelease];
  descriptor.label = @"reflected";
  descriptor.computeFunction = [[library() newFunctionWithName:@"inner::reflect"] autorelease];
  MTLPipelineBufferDescriptor *third = [descriptor.buffers objectAtIndexedSubscript:3];
  third.mutability = MTLMutabilityMutable;
  MTLAutoreleasedComputePipelineReflection reflection = nil;
  NSError *error = nil;
  id<MTLComputePipelineState> pipeline = [[device() newComputePipelineStateWithDescriptor:descriptor
                                                                                 options:MTLPipelineOptionArgumentInfo
                                                                              reflection:&reflection
                                                                                   error:&error] autorelease];
  EXPECT([[pipeline label] isEqual:@"reflected"] && ![pipeline supportIndirectCommandBuffers] && [pipeline gpuResourceID]._impl != 0);
  NSMutableString *text = [NSMutableString string];
  for (id<MTLBinding> binding in [reflection bindings]) {
    [text appendFormat:@"%@ %ld %lu %lu; ", [binding name], (long)[binding type], (unsigned long)[binding index],
                       (unsigned long)[binding access]];
  }
  EXPECT_TEXT(text, "out 0 3 1; wide 0 5 0; t 1 2 1; ");
  EXPECT([(MTLArgument *)[[reflection arguments] objectAtIndex:1] bufferDataSize] == 32);
  dispatch_semaphore_t done = dispatch_semaphore_create(0);
  __block NSUInteger most = 0;
  [device() newComputePipelineStateWithFunction:descriptor.computeFunction
                              completionHandler:^(id<MTLComputePipelineState> made, NSError *problem) {
                                most = problem == nil ? [made maxTotalThreadsPerThreadgroup] : 0;
                                dispatch_semaphore_signal(done);
                              }];
  dispatch_semaphore_wait(done, DISPATCH_TIME_FOREVER);
  EXPECT(most == 1024);
  dispatch_release(done);
}

CHECK("binary archives are written, read and asked") {
  MTLBinaryArchiveDescriptor *archiveDescriptor = [[MTLBinaryArchiveDescriptor new] autorelease];
  NSError *error = nil;
  id<MTLBinaryArchive> archive = [[device() newBinaryArchiveWithDescriptor:archiveDescriptor error:&error] autorelease];
  MTLComputePipelineDescriptor *descriptor = [[MTLComputePipelineDescriptor new] autorelease];
  descriptor.computeFunction = [[library() newFunctionWithName:@"plain"] autorelease];
  descriptor.binaryArchives = [NSArray arrayWithObject:archive];
  const auto make = [&] {
    return [[device() newComputePipelineStateWithDescriptor:descriptor
                                                    options:MTLPipelineOptionFailOnBinaryArchiveMiss
                                                 reflection:nil
                                                      error:&error] autorelease];
  };
  EXPECT(make() == nil);
  EXPECT_TEXT([error localizedDescription], "in none of the binary archives");
  EXPECT([archive addComputePipelineFunctionsWithDescriptor:descriptor error:&error] && make() != nil);
  NSURL *url = [NSURL fileURLWithPath:emptyFile(@".metallib")];
  EXPECT([archive serializeToURL:url error:&error]);
  archiveDescriptor.url = url;
  id<MTLBinaryArchive> again = [[device() newBinaryArchiveWithDescriptor:archiveDescriptor error:&error] autorelease];
  descriptor.binaryArchives = [NSArray arrayWithObject:again];
  EXPECT(again != nil && make() != nil);
  [[NSFileManager defaultManager] removeItemAtPath:[url path] error:nil];
  EXPECT([device() newBinaryArchiveWithDescriptor:archiveDescriptor error:&error] == nil && [error code] == MTLBinaryArchiveErrorInvalidFile);
}
