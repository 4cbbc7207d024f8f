/** Captures of what a device does. */
#pragma once

#import <Metal/MTLDevice.h>

NS_ASSUME_NONNULL_BEGIN

extern NSErrorDomain const MTLCaptureErrorDomain;

typedef NS_ENUM(NSInteger, MTLCaptureError) {
  MTLCaptureErrorNotSupported = 1,
  MTLCaptureErrorAlreadyCapturing = 2,
  MTLCaptureErrorInvalidDescriptor = 3,
};

typedef NS_ENUM(NSInteger, MTLCaptureDestination) {
  MTLCaptureDestinationDeveloperTools = 1,
  MTLCaptureDestinationGPUTraceDocument = 2,
};

@interface MTLCaptureDescriptor : NSObject <NSCopying> {
 @public
  id captureObject;
  MTLCaptureDestination destination;
  NSURL *outputURL;
}
@property(nonatomic, retain, nullable) id captureObject;
@property(nonatomic, assign) MTLCaptureDestination destination;
@property(nonatomic, copy, nullable) NSURL *outputURL;
@end

@protocol MTLCaptureScope <NSObject>
@property(nullable, copy, atomic) NSString *label;
@property(nonatomic, readonly) id<MTLDevice> device;
@property(nullable, nonatomic, readonly) id<MTLCommandQueue> commandQueue;
- (void)beginScope;
- (void)endScope;
@end

@interface MTLCaptureManager : NSObject {
 @public
  BOOL isCapturing_;
  id<MTLCaptureScope> defaultCaptureScope;
}
@property(readonly) BOOL isCapturing;
@property(nullable, readwrite, retain, atomic) id<MTLCaptureScope> defaultCaptureScope;
+ (MTLCaptureManager *)sharedCaptureManager;
- (id<MTLCaptureScope>)newCaptureScopeWithDevice:(id<MTLDevice>)device;
- (id<MTLCaptureScope>)newCaptureScopeWithCommandQueue:(id<MTLCommandQueue>)commandQueue;
- (BOOL)supportsDestination:(MTLCaptureDestination)destination;
- (BOOL)startCaptureWithDescriptor:(MTLCaptureDescriptor *)descriptor error:(NSError *_Nullable *_Nullable)error;
- (void)stopCapture;
@end

NS_ASSUME_NONNULL_END
