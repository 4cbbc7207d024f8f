/** Libraries of functions, and their constants. */
#pragma once

#import <Metal/MTLTypes.h>

NS_ASSUME_NONNULL_BEGIN

@protocol MTLDevice, MTLLibrary, MTLArgumentEncoder;
@class MTLArgument;

extern NSErrorDomain const MTLLibraryErrorDomain;

typedef NS_ENUM(NSUInteger, MTLLibraryError) {
  MTLLibraryErrorUnsupported = 1,
  MTLLibraryErrorInternal = 2,
  MTLLibraryErrorCompileFailure = 3,
  MTLLibraryErrorCompileWarning = 4,
  MTLLibraryErrorFunctionNotFound = 5,
  MTLLibraryErrorFileNotFound = 6,
};

typedef NS_ENUM(NSInteger, MTLLibraryOptimizationLevel) {
  MTLLibraryOptimizationLevelDefault = 0,
  MTLLibraryOptimizationLevelSize = 1,
};

typedef NS_ENUM(NSInteger, MTLLibraryType) {
  MTLLibraryTypeExecutable = 0,
  MTLLibraryTypeDynamic = 1,
};

typedef NS_ENUM(NSInteger, MTLCompileSymbolVisibility) {
  MTLCompileSymbolVisibilityDefault = 0,
  MTLCompileSymbolVisibilityHidden = 1,
};

@interface MTLCompileOptions : NSObject <NSCopying> {
 @public
  NSDictionary *preprocessorMacros;
  MTLMathMode mathMode;
  MTLMathFloatingPointFunctions mathFloatingPointFunctions;
  MTLLanguageVersion languageVersion;
  BOOL preserveInvariance;
  MTLLibraryOptimizationLevel optimizationLevel;
  NSArray *libraries;
  NSString *installName;
  MTLLibraryType libraryType;
  BOOL allowReferencingUndefinedSymbols;
  MTLCompileSymbolVisibility compileSymbolVisibility;
  NSUInteger maxTotalThreadsPerThreadgroup;
  BOOL enableLogging;
}
@property(readwrite, nullable, nonatomic, copy) NSDictionary *preprocessorMacros;
@property(readwrite, nonatomic) BOOL fastMathEnabled;
@property(readwrite, nonatomic) MTLMathMode mathMode;
@property(readwrite, nonatomic) MTLMathFloatingPointFunctions mathFloatingPointFunctions;
@property(readwrite, nonatomic) MTLLanguageVersion languageVersion;
@property(readwrite, nonatomic) BOOL preserveInvariance;
@property(readwrite, nonatomic) MTLLibraryOptimizationLevel optimizationLevel;
/** Dynamic libraries, which the simulator lacks. */
@property(readwrite, nullable, nonatomic, copy) NSArray *libraries;
@property(readwrite, nullable, nonatomic, copy) NSString *installName;
@property(readwrite, nonatomic) MTLLibraryType libraryType;
@property(readwrite, nonatomic) BOOL allowReferencingUndefinedSymbols;
@property(readwrite, nonatomic) MTLCompileSymbolVisibility compileSymbolVisibility;
@property(readwrite, nonatomic) NSUInteger maxTotalThreadsPerThreadgroup;
@property(readwrite, nonatomic) BOOL enableLogging;
@end

@interface MTLFunctionConstantValues : NSObject <NSCopying> {
 @public
  struct SimConstantValues *values_;
}
- (void)setConstantValue:(const void *)value type:(MTLDataType)type atIndex:(NSUInteger)index;
- (void)setConstantValues:(const void *)values type:(MTLDataType)type withRange:(NSRange)range;
- (void)setConstantValue:(const void *)value type:(MTLDataType)type withName:(NSString *)name;
- (void)reset;
@end

typedef NS_ENUM(NSUInteger, MTLFunctionType) {
  MTLFunctionTypeVertex = 1,
  MTLFunctionTypeFragment = 2,
  MTLFunctionTypeKernel = 3,
};

typedef NS_OPTIONS(NSUInteger, MTLFunctionOptions) {
  MTLFunctionOptionNone = 0,
  MTLFunctionOptionCompileToBinary = 1,
};

@interface MTLFunctionConstant : NSObject {
 @public
  NSString *name;
  MTLDataType type;
  NSUInteger index;
}
@property(readonly) NSString *name;
@property(readonly) MTLDataType type;
@property(readonly) NSUInteger index;
/** Whether it must have a value: the simulator takes 0 for those without one. */
@property(readonly) BOOL required;
@end

@interface MTLFunctionDescriptor : NSObject <NSCopying> {
 @public
  NSString *name;
  NSString *specializedName;
  MTLFunctionConstantValues *constantValues;
  MTLFunctionOptions options;
  NSArray *binaryArchives;
}
+ (MTLFunctionDescriptor *)functionDescriptor;
@property(nullable, nonatomic, copy) NSString *name;
@property(nullable, nonatomic, copy) NSString *specializedName;
@property(nullable, nonatomic, copy) MTLFunctionConstantValues *constantValues;
@property(nonatomic) MTLFunctionOptions options;
@property(nullable, nonatomic, copy) NSArray *binaryArchives;
@end

@protocol MTLFunction <NSObject>
@property(nullable, copy) NSString *label;
@property(readonly) id<MTLDevice> device;
@property(readonly) MTLFunctionType functionType;
@property(readonly) NSString *name;
@property(readonly) MTLFunctionOptions options;
/** MTLFunctionConstant by name, of the whole library. */
@property(readonly) NSDictionary *functionConstantsDictionary;
/** For a buffer that is a struct whose members have `[[id(n)]]`. */
- (id<MTLArgumentEncoder>)newArgumentEncoderWithBufferIndex:(NSUInteger)bufferIndex;
@end

@protocol MTLLibrary <NSObject>
@property(nullable, copy) NSString *label;
@property(readonly) id<MTLDevice> device;
@property(readonly) NSArray *functionNames;
@property(readonly) MTLLibraryType type;
@property(nullable, readonly) NSString *installName;
- (nullable id<MTLFunction>)newFunctionWithName:(NSString *)name;
- (nullable id<MTLFunction>)newFunctionWithName:(NSString *)name
                                 constantValues:(MTLFunctionConstantValues *)values
                                          error:(NSError *_Nullable *_Nullable)error;
- (void)newFunctionWithName:(NSString *)name
             constantValues:(MTLFunctionConstantValues *)values
          completionHandler:(void (^)(id<MTLFunction> _Nullable function, NSError *_Nullable error))handler;
- (nullable id<MTLFunction>)newFunctionWithDescriptor:(MTLFunctionDescriptor *)descriptor error:(NSError *_Nullable *_Nullable)error;
@end

NS_ASSUME_NONNULL_END
