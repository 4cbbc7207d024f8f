/** Captures: an empty document is written, so that code around them can be tried; they need what Metal's need. */
#include <cstdlib>

#import "assert.h"
#import "objects.h"

NSString *const MTLCaptureErrorDomain = @"MTLCaptureError";

@implementation MTLCaptureDescriptor
@synthesize captureObject, destination, outputURL;
- (void)dealloc {
  [captureObject release];
  [outputURL release];
  [super dealloc];
}
- (id)copyWithZone:(NSZone *)zone {
  MTLCaptureDescriptor *copy = [[MTLCaptureDescriptor allocWithZone:zone] init];
  copy.captureObject = self.captureObject;
  copy.destination = self.destination;
  copy.outputURL = self.outputURL;
  return copy;
}
@end

@interface SimCaptureScope : NSObject <MTLCaptureScope> {
 @public
  id<MTLDevice> device_;
  id<MTLCommandQueue> queue_;
  NSString *label_;
}
@end

@implementation SimCaptureScope
@synthesize label = label_;
- (void)dealloc {
  [device_ release];
  [queue_ release];
  [label_ release];
  [super dealloc];
}
- (id<MTLDevice>)device {
  return device_;
}
- (id<MTLCommandQueue>)commandQueue {
  return queue_;
}
- (void)beginScope {
}
- (void)endScope {
}
@end

@implementation MTLCaptureManager
@synthesize defaultCaptureScope;
+ (MTLCaptureManager *)sharedCaptureManager {
  static MTLCaptureManager *manager = [[MTLCaptureManager alloc] init];
  return manager;
}
- (id<MTLCaptureScope>)newCaptureScopeWithDevice:(id<MTLDevice>)device {
  SimCaptureScope *scope = [[SimCaptureScope alloc] init];
  scope->device_ = [device retain];
  return scope;
}
- (id<MTLCaptureScope>)newCaptureScopeWithCommandQueue:(id<MTLCommandQueue>)queue {
  SimCaptureScope *scope = [[SimCaptureScope alloc] init];
  scope->device_ = [[queue device] retain];
  scope->queue_ = [queue retain];
  return scope;
}
- (BOOL)isCapturing {
  return isCapturing_;
}
- (BOOL)supportsDestination:(MTLCaptureDestination)destination {
  const char *enabled = std::getenv("MTL_CAPTURE_ENABLED");
  return destination == MTLCaptureDestinationGPUTraceDocument && enabled != nullptr && enabled[0] == '1';
}
- (BOOL)startCaptureWithDescriptor:(MTLCaptureDescriptor *)descriptor error:(NSError **)error {
  NSString *path = [descriptor.outputURL path];
  NSString *problem = nil;
  MTLCaptureError code = MTLCaptureErrorInvalidDescriptor;
  if (![self supportsDestination:descriptor.destination]) {
    problem = @"Capturing is not supported: set MTL_CAPTURE_ENABLED=1";
    code = MTLCaptureErrorNotSupported;
  } else if (isCapturing_) {
    problem = @"Already capturing";
    code = MTLCaptureErrorAlreadyCapturing;
  } else if (descriptor.captureObject == nil) problem = @"The descriptor has no capture object";
  else if (![path hasSuffix:@".gputrace"]) problem = @"The output URL must end in .gputrace";
  else if ([[NSFileManager defaultManager] fileExistsAtPath:path]) problem = @"The output URL exists already";
  if (problem != nil) {
    if (error != nullptr) {
      *error = [NSError errorWithDomain:MTLCaptureErrorDomain code:code userInfo:@{NSLocalizedDescriptionKey : problem}];
    }
    return NO;
  }
  [[NSFileManager defaultManager] createDirectoryAtPath:path withIntermediateDirectories:NO attributes:nil error:nullptr];
  isCapturing_ = YES;
  return YES;
}
- (void)stopCapture {
  isCapturing_ = NO;
}
@end
