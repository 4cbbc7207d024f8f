#import "assert.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

NSString *const MTLSimAssertion = @"MTLSimAssertion";

namespace {

std::atomic<bool> hasRaised{false};

[[noreturn]] void end(NSString *message) {
  std::fprintf(stderr, "failed assertion `%s'\n", [message UTF8String]);
  std::abort();
}

}  // namespace

void MTLSimAssert(BOOL condition, NSString *format, ...) {
  if (condition) return;
  va_list arguments;
  va_start(arguments, format);
  NSString *message = [[[NSString alloc] initWithFormat:format arguments:arguments] autorelease];
  va_end(arguments);
  const char *mode = std::getenv("METAL_SIM_ASSERT");
  if (mode != nullptr && std::strcmp(mode, "abort") == 0) end(message);
  hasRaised = true;
  [NSException raise:MTLSimAssertion format:@"%@", message];
}

void MTLSimFatal(NSString *message) {
  if (!hasRaised) end(message);
}
