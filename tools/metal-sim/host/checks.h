/**
 * Checks of the simulator's host API: each program holds some, by name, runs them all and prints a line for each, `ok NAME` or
 * `failed NAME: why`. What breaks a rule of Metal stands beside a twin that keeps it.
 */
#pragma once

#import <Metal/Metal.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

struct Check {
  const char *name;
  void (*run)();
};
inline std::vector<Check> &checks() {
  static std::vector<Check> all;
  return all;
}
struct AddCheck {
  AddCheck(const char *name, void (*run)()) { checks().push_back({name, run}); }
};

#define METAL_SIM_JOIN(A, B) A##B
#define METAL_SIM_NAME(A, B) METAL_SIM_JOIN(A, B)
/** CHECK("what holds") { ... } */
#define CHECK(TEXT)                                                                                     \
  static void METAL_SIM_NAME(check, __LINE__)();                                                        \
  static const AddCheck METAL_SIM_NAME(add, __LINE__)(TEXT, METAL_SIM_NAME(check, __LINE__));           \
  static void METAL_SIM_NAME(check, __LINE__)()

/** What went wrong in the check that runs. */
inline std::string &failure() {
  static std::string text;
  return text;
}
inline void fail(const std::string &text) {
  if (failure().empty()) failure() = text;
}
inline std::string textOf(NSString *text) { return text == nil ? "nil" : [text UTF8String]; }

#define EXPECT(CONDITION)                                                                     \
  do {                                                                                        \
    if (!(CONDITION)) fail("line " + std::to_string(__LINE__) + ": " #CONDITION);             \
  } while (0)

inline void expectText(NSString *text, const char *part, int line) {
  if (textOf(text).find(part) == std::string::npos) {
    fail("line " + std::to_string(line) + ": `" + textOf(text) + "` does not say `" + part + "`");
  }
}
#define EXPECT_TEXT(TEXT, PART) expectText(TEXT, PART, __LINE__)

/** The block breaks a rule whose message has `part` in it. */
template <class Work>
void expectAssertion(const char *part, int line, Work work) {
  @try {
    work();
  } @catch (NSException *exception) {
    if (![[exception name] isEqual:@"MTLSimAssertion"]) fail("line " + std::to_string(line) + ": " + textOf([exception reason]));
    else expectText([exception reason], part, line);
    return;
  }
  fail("line " + std::to_string(line) + ": nothing was asserted, where `" + part + "` should be");
}
#define EXPECT_ASSERTION(PART, ...) expectAssertion(PART, __LINE__, [&] { __VA_ARGS__; })

// ---------------------------------------------------------------------------------------------------------

inline id<MTLDevice> device() {
  static id<MTLDevice> theDevice = MTLCreateSystemDefaultDevice();
  return theDevice;
}
inline id<MTLCommandQueue> queue() {
  static id<MTLCommandQueue> theQueue = [device() newCommandQueue];
  return theQueue;
}
inline id<MTLLibrary> libraryOf(const char *source) {
  NSError *error = nil;
  id<MTLLibrary> library = [device() newLibraryWithSource:[NSString stringWithUTF8String:source] options:nil error:&error];
  if (library == nil) fail("the source does not compile: " + textOf([error localizedDescription]));
  return library;
}
inline id<MTLComputePipelineState> pipelineOf(id<MTLLibrary> library, NSString *name) {
  NSError *error = nil;
  id<MTLFunction> function = [[library newFunctionWithName:name] autorelease];
  id<MTLComputePipelineState> pipeline = [device() newComputePipelineStateWithFunction:function error:&error];
  if (pipeline == nil) fail("no pipeline: " + textOf([error localizedDescription]));
  return [pipeline autorelease];
}
inline id<MTLBuffer> bufferOf(NSUInteger floats, float value, MTLResourceOptions options = MTLResourceStorageModeShared) {
  id<MTLBuffer> buffer = [device() newBufferWithLength:floats * sizeof(float) options:options];
  for (NSUInteger i = 0; i < floats; i++) static_cast<float *>([buffer contents])[i] = value;
  return [buffer autorelease];
}
inline float *floats(id<MTLBuffer> buffer) { return static_cast<float *>([buffer contents]); }
inline bool isAll(id<MTLBuffer> buffer, float value) {
  for (NSUInteger i = 0; i < [buffer length] / sizeof(float); i++) {
    if (floats(buffer)[i] != value) return false;
  }
  return true;
}
inline MTLSize size1(NSUInteger width) { return MTLSizeMake(width, 1, 1); }

/** Commits and waits; the status. */
inline MTLCommandBufferStatus finish(id<MTLCommandBuffer> buffer) {
  [buffer commit];
  [buffer waitUntilCompleted];
  return [buffer status];
}
inline bool isComplete(id<MTLCommandBuffer> buffer) {
  if (finish(buffer) == MTLCommandBufferStatusCompleted) return true;
  fail("the command buffer failed: " + textOf([[buffer error] localizedDescription]));
  return false;
}
/** It must fail, with words in its error. */
inline void expectFailure(id<MTLCommandBuffer> buffer, const char *part, int line) {
  if (finish(buffer) != MTLCommandBufferStatusError) fail("line " + std::to_string(line) + ": the command buffer did not fail");
  else expectText([[buffer error] localizedDescription], part, line);
}
#define EXPECT_FAILURE(BUFFER, PART) expectFailure(BUFFER, PART, __LINE__)

int main(int count, char **words) {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  for (const Check &check : checks()) {
    if (count > 1 && std::strstr(check.name, words[1]) == nullptr) continue;
    failure().clear();
    @autoreleasepool {
      @try {
        check.run();
      } @catch (NSException *exception) {
        fail("raised " + textOf([exception name]) + ": " + textOf([exception reason]));
      }
    }
    if (failure().empty()) std::printf("ok %s\n", check.name);
    else std::printf("failed %s: %s\n", check.name, failure().c_str());
  }
  return 0;
}
