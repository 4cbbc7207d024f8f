#import "assert.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

NSString *const MTLSimAssertion = @"MTLSimAssertion";

void MTLSimAssert(BOOL condition, NSString *format, ...) {
  if (condition) return;
  va_list arguments;
  va_start(arguments, format);
  NSString *message = [[[NSString alloc] initWithFormat:format arguments:arguments] autorelease];
  va_end(arguments);
  const char *mode = std::getenv("METAL_SIM_ASSERT");
  if (mode != nullptr && std::strcmp(mode, "abort") == 0) {
    std::fprintf(stderr, "failed assertion: %s\n", [message UTF8String]);
    std::abort();
  }
  [NSException raise:MTLSimAssertion format:@"%@", message];
}
