/** Breaks a rule and catches nothing. */
#import <Metal/Metal.h>

#include <cstdio>
#include <cstdlib>

int main() {
  setvbuf(stdout, nullptr, _IONBF, 0);
  id<MTLDevice> device = MTLCreateSystemDefaultDevice();
  @autoreleasepool {
    std::printf("before\n");
    if (std::getenv("OFFENCE") == nullptr) [device newBufferWithLength:0 options:MTLResourceStorageModeShared];
    id<MTLCommandQueue> queue = [[device newCommandQueue] autorelease];
    [[queue commandBuffer] computeCommandEncoder];
  }
  std::printf("after\n");
}
