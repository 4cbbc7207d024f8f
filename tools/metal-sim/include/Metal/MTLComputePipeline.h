/** Pipelines, what is known of their arguments, and archives of them. */
#pragma once

#import <Metal/MTLLibrary.h>
#import <Metal/MTLResource.h>

NS_ASSUME_NONNULL_BEGIN

@protocol MTLDevice;

typedef NS_OPTIONS(NSUInteger, MTLPipelineOption) {
  MTLPipelineOptionNone = 0,
  MTLPipelineOptionArgumentInfo = 1,
  MTLPipelineOptionBindingInfo = 1,
  MTLPipelineOptionBufferTypeInfo = 2,
  MTLPipelineOptionFailOnBinaryArchiveMiss = 4,
};

typedef NS_ENUM(NSUInteger, MTLMutability) {
  MTLMutabilityDefault = 0,
  MTLMutabilityMutable = 1,
  MTLMutabilityImmutable = 2,
};

@interface MTLPipelineBufferDescriptor : NSObject <NSCopying> {
 @public
  MTLMutability mutability;
}
@property(nonatomic) MTLMutability mutability;
@end

@interface MTLPipelineBufferDescriptorArray : NSObject {
 @public
  NSMutableArray *descriptors_;
}
- (MTLPipelineBufferDescriptor *)objectAtIndexedSubscript:(NSUInteger)index;
- (void)setObject:(nullable MTLPipelineBufferDescriptor *)buffer atIndexedSubscript:(NSUInteger)index;
@end

@interface MTLComputePipelineDescriptor : NSObject <NSCopying> {
 @public
  NSString *label;
  id<MTLFunction> computeFunction;
  BOOL threadGroupSizeIsMultipleOfThreadExecutionWidth;
  NSUInteger maxTotalThreadsPerThreadgroup;
  MTLPipelineBufferDescriptorArray *buffers_;
  BOOL supportIndirectCommandBuffers;
  NSArray *binaryArchives;
  id linkedFunctions;
  NSUInteger maxCallStackDepth;
}
@property(nullable, copy, nonatomic) NSString *label;
@property(nullable, readwrite, nonatomic, retain) id<MTLFunction> computeFunction;
@property(readwrite, nonatomic) BOOL threadGroupSizeIsMultipleOfThreadExecutionWidth;
@property(readwrite, nonatomic) NSUInteger maxTotalThreadsPerThreadgroup;
@property(readonly) MTLPipelineBufferDescriptorArray *buffers;
@property(readwrite, nonatomic) BOOL supportIndirectCommandBuffers;
@property(readwrite, nullable, nonatomic, copy) NSArray *binaryArchives;
/** Visible functions, which the simulator lacks. */
@property(readwrite, nullable, nonatomic, retain) id linkedFunctions;
@property(readwrite, nonatomic) NSUInteger maxCallStackDepth;
- (void)reset;
@end

@protocol MTLComputePipelineState <NSObject>
@property(nullable, readonly) NSString *label;
@property(readonly) id<MTLDevice> device;
@property(readonly) NSUInteger maxTotalThreadsPerThreadgroup;
@property(readonly) NSUInteger threadExecutionWidth;
@property(readonly) NSUInteger staticThreadgroupMemoryLength;
@property(readonly) BOOL supportIndirectCommandBuffers;
@property(readonly) MTLResourceID gpuResourceID;
@end

// ---------------------------------------------------------------------------------------------------------
// Reflection

typedef NS_ENUM(NSUInteger, MTLArgumentType) {
  MTLArgumentTypeBuffer = 0,
  MTLArgumentTypeThreadgroupMemory = 1,
  MTLArgumentTypeTexture = 2,
  MTLArgumentTypeSampler = 3,
};

typedef NS_ENUM(NSInteger, MTLBindingType) {
  MTLBindingTypeBuffer = 0,
  MTLBindingTypeThreadgroupMemory = 1,
  MTLBindingTypeTexture = 2,
  MTLBindingTypeSampler = 3,
};

typedef NS_ENUM(NSUInteger, MTLBindingAccess) {
  MTLBindingAccessReadOnly = 0,
  MTLBindingAccessReadWrite = 1,
  MTLBindingAccessWriteOnly = 2,
  MTLArgumentAccessReadOnly = 0,
  MTLArgumentAccessReadWrite = 1,
  MTLArgumentAccessWriteOnly = 2,
};
typedef MTLBindingAccess MTLArgumentAccess;

@protocol MTLBinding <NSObject>
@property(readonly) NSString *name;
@property(readonly) MTLBindingType type;
@property(readonly) MTLBindingAccess access;
@property(readonly) NSUInteger index;
@property(readonly, getter=isUsed) BOOL used;
@property(readonly, getter=isArgument) BOOL argument;
@end

@protocol MTLBufferBinding <MTLBinding>
@property(readonly) NSUInteger bufferAlignment;
@property(readonly) NSUInteger bufferDataSize;
@end

@protocol MTLThreadgroupBinding <MTLBinding>
@property(readonly) NSUInteger threadgroupMemoryAlignment;
@property(readonly) NSUInteger threadgroupMemoryDataSize;
@end

/** Sizes are of what a reference names, or of one element behind a pointer; what types are made of the simulator does not tell. */
@interface MTLArgument : NSObject <MTLBufferBinding, MTLThreadgroupBinding> {
 @public
  NSString *name_;
  MTLBindingType type_;
  MTLBindingAccess access_;
  NSUInteger index_;
  NSUInteger size_;
  BOOL isUsed_;
}
@property(readonly, getter=isActive) BOOL active;
@end

@interface MTLComputePipelineReflection : NSObject {
 @public
  NSArray *bindings_;
}
@property(readonly) NSArray *arguments;
@property(readonly) NSArray *bindings;
@end

typedef MTLComputePipelineReflection *MTLAutoreleasedComputePipelineReflection;

// ---------------------------------------------------------------------------------------------------------
// Argument buffers

@interface MTLArgumentDescriptor : NSObject <NSCopying> {
 @public
  MTLDataType dataType;
  NSUInteger index;
  NSUInteger arrayLength;
  MTLBindingAccess access;
  NSUInteger constantBlockAlignment;
}
+ (MTLArgumentDescriptor *)argumentDescriptor;
@property(nonatomic) MTLDataType dataType;
@property(nonatomic) NSUInteger index;
@property(nonatomic) NSUInteger arrayLength;
@property(nonatomic) MTLBindingAccess access;
@property(nonatomic) NSUInteger constantBlockAlignment;
@end

@protocol MTLArgumentEncoder <NSObject>
@property(nullable, copy) NSString *label;
@property(readonly) id<MTLDevice> device;
@property(readonly) NSUInteger encodedLength;
@property(readonly) NSUInteger alignment;
- (void)setArgumentBuffer:(nullable id<MTLBuffer>)buffer offset:(NSUInteger)offset;
- (void)setArgumentBuffer:(nullable id<MTLBuffer>)buffer startOffset:(NSUInteger)startOffset arrayElement:(NSUInteger)arrayElement;
- (void)setBuffer:(nullable id<MTLBuffer>)buffer offset:(NSUInteger)offset atIndex:(NSUInteger)index;
- (void)setBuffers:(const id<MTLBuffer> _Nullable[_Nonnull])buffers offsets:(const NSUInteger[_Nonnull])offsets withRange:(NSRange)range;
- (void *)constantDataAtIndex:(NSUInteger)index;
@end

// ---------------------------------------------------------------------------------------------------------
// Archives

extern NSErrorDomain const MTLBinaryArchiveDomain;

typedef NS_ENUM(NSUInteger, MTLBinaryArchiveError) {
  MTLBinaryArchiveErrorNone = 0,
  MTLBinaryArchiveErrorInvalidFile = 1,
  MTLBinaryArchiveErrorUnexpectedElement = 2,
  MTLBinaryArchiveErrorCompilationFailure = 3,
  MTLBinaryArchiveErrorInternalError = 4,
};

@interface MTLBinaryArchiveDescriptor : NSObject <NSCopying> {
 @public
  NSURL *url;
}
/** An archive to begin with, or nil. */
@property(nullable, copy, nonatomic) NSURL *url;
@end

@protocol MTLBinaryArchive <NSObject>
@property(nullable, copy) NSString *label;
@property(readonly) id<MTLDevice> device;
- (BOOL)addComputePipelineFunctionsWithDescriptor:(MTLComputePipelineDescriptor *)descriptor error:(NSError *_Nullable *_Nullable)error;
- (BOOL)serializeToURL:(NSURL *)url error:(NSError *_Nullable *_Nullable)error;
@end

NS_ASSUME_NONNULL_END
