/** What host programs may be written in: Objective-C with automatic reference counting, as clang compiles it for newer runtimes. */
#import <Foundation/Foundation.h>
#import <Metal/Metal.h>
#import <simd/simd.h>

#include <mach/mach_time.h>

static void check(const char *name, BOOL holds) { printf("%s %s%s\n", holds ? "ok" : "failed", name, holds ? "" : ": it does not hold"); }

static int gone = 0;

@protocol Counting <NSObject>
- (int)count;
@optional
- (int)never;
@end

@interface Base : NSObject <Counting>
@property(nonatomic, strong) NSString *name;
@property(copy) NSArray<NSString *> *words;
@property(nonatomic) float weight;
@property(nonatomic, weak) Base *other;
@property(nonatomic) MTLSize size;
@end

@interface Derived : Base
@property(nonatomic, copy) int (^work)(int);
@end

@implementation Base {
  int _count;
}
- (int)count {
  return ++_count;
}
- (void)dealloc {
  gone++;
}
@end

@implementation Derived {
  NSMutableArray *_items;
}
- (instancetype)init {
  if ((self = [super init])) {
    _items = [NSMutableArray new];
    self.weight = 2.5f;
  }
  return self;
}
- (int)count {
  [_items addObject:@([super count])];
  return (int)_items.count * 10;
}
@end

@interface Base (Extra)
- (NSString *)shout;
@end
@implementation Base (Extra)
- (NSString *)shout {
  return self.name.uppercaseString;
}
@end

static NSUInteger sumOf(int count, ...) {
  va_list numbers;
  va_start(numbers, count);
  NSUInteger sum = 0;
  for (int i = 0; i < count; i++) sum += [va_arg(numbers, NSNumber *) unsignedIntegerValue];
  va_end(numbers);
  return sum;
}

static void language(void) {
  Derived *object = [Derived new];
  object.name = @"name";
  object.words = @[ @"one", @"two" ];
  object.size = MTLSizeMake(1, 2, 3);
  check("instance variables in implementations", [object count] == 10 && [object count] == 20);
  check("properties without @synthesize", [object.name isEqual:@"name"] && object.weight == 2.5f && object.size.depth == 3);
  check("subscripts", [object.words[1] isEqual:@"two"]);
  NSMutableDictionary *table = [NSMutableDictionary dictionary];
  table[@"key"] = @7;
  check("subscripts that set", [table[@"key"] intValue] == 7);
  check("categories", [[object shout] isEqual:@"NAME"]);
  check("protocols", [object conformsToProtocol:@protocol(Counting)] && ![object respondsToSelector:@selector(never)]);
  __block int calls = 0;
  int start = 5;
  object.work = ^(int x) {
    calls++;
    return x + start;
  };
  check("blocks that are kept", object.work(1) == 6 && object.work(2) == 7 && calls == 2);
  Derived *none = nil;
  check("messages to nil", none.weight == 0 && none.size.width == 0 && [none count] == 0 && none.name == nil);
  NSString *text = nil;
  @try {
    [NSException raise:@"Wrong" format:@"number %d", 3];
  } @catch (NSException *exception) {
    text = exception.reason;
  } @finally {
    calls = 0;
  }
  check("exceptions", [text isEqual:@"number 3"] && calls == 0);
  NSUInteger length = 0;
  for (NSString *word in object.words) length += word.length;
  check("fast enumeration", length == 6);
  @synchronized(object) {
    object.other = object;
  }
  check("weak references to what lives", object.other == object);
  check("numbers in arrays", sumOf(2, @3, @4) == 7);
}

static void metal(void) {
  NSArray<id<MTLDevice>> *devices = MTLCopyAllDevices();
  id<MTLDevice> device = devices[0];
  check("devices by number", [device isEqual:MTLCreateSystemDefaultDevice()]);
  check("availability", [device respondsToSelector:@selector(architecture)]);
  if (@available(macOS 14.0, *)) check("architectures", device.architecture.name.length > 0);
  MTLComputePipelineDescriptor *descriptor = [MTLComputePipelineDescriptor new];
  descriptor.buffers[0].mutability = MTLMutabilityImmutable;
  check("descriptors by number", descriptor.buffers[0].mutability == MTLMutabilityImmutable);
  MTLComputePassDescriptor *pass = [MTLComputePassDescriptor computePassDescriptor];
  pass.sampleBufferAttachments[0].startOfEncoderSampleIndex = 3;
  check("attachments by number", pass.sampleBufferAttachments[0].startOfEncoderSampleIndex == 3);
  NSError *error = nil;
  id<MTLLibrary> library = [device newLibraryWithSource:@"kernel void k(device float* x [[buffer(0)]]) { y = 1; }" options:nil error:&error];
  check("errors", library == nil && [error.userInfo[NSLocalizedDescriptionKey] containsString:@"'y'"]);
  NSString *reason = nil;
  @try {
    [device newBufferWithLength:0 options:MTLResourceStorageModeShared];
  } @catch (NSException *exception) {
    reason = exception.reason;
  }
  check("assertions", [reason isEqual:@"Cannot create buffer of zero length."]);
  simd_float3 v = {1, 2, 3};
  check("shared vectors", sizeof v == 16 && v.z == 3 && sizeof(simd_float4x4) == 64 && sizeof(vector_uint2) == 8);
  uint64_t start = mach_absolute_time();
  check("clocks", mach_absolute_time() >= start && CFAbsoluteTimeGetCurrent() > 0);
}

int main(void) {
  @autoreleasepool {
    language();
    metal();
  }
  check("objects go when nothing holds them", gone == 1);
  check("a pool for what is autoreleased outside of all", [[NSString stringWithFormat:@"%d", 5] length] == 1);
  return 0;
}
