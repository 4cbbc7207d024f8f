/** Binary archives: they hold which functions were added, by what these were compiled from, and are written as lines of text. */
#import "assert.h"
#import "objects.h"

NSString *const MTLBinaryArchiveDomain = @"MTLBinaryArchiveDomain";

namespace {

NSString *const kHead = @"metal-sim binary archive";

BOOL fail(NSError **error, MTLBinaryArchiveError code, NSString *text) {
  if (error != nullptr) *error = [NSError errorWithDomain:MTLBinaryArchiveDomain code:code userInfo:@{NSLocalizedDescriptionKey : text}];
  return NO;
}

NSString *keyOf(SimFunction *function) {
  return [NSString stringWithFormat:@"%s %@", function->s->key.c_str(), [function name]];
}

}  // namespace

@implementation MTLBinaryArchiveDescriptor
@synthesize url;
- (void)dealloc {
  [url release];
  [super dealloc];
}
- (id)copyWithZone:(NSZone *)zone {
  MTLBinaryArchiveDescriptor *copy = [[MTLBinaryArchiveDescriptor allocWithZone:zone] init];
  copy.url = url;
  return copy;
}
@end

@implementation SimBinaryArchive

@synthesize label = label_;

- (instancetype)initWithURL:(NSURL *)url device:(id<MTLDevice>)device error:(NSError **)error {
  self = [super init];
  device_ = device;
  keys_ = [[NSMutableSet alloc] init];
  if (url == nil) return self;
  NSString *text = [NSString stringWithContentsOfFile:[url path] encoding:NSUTF8StringEncoding error:nullptr];
  NSArray *lines = [text componentsSeparatedByString:@"\n"];
  if ([lines count] == 0 || ![[lines objectAtIndex:0] isEqual:kHead]) {
    fail(error, MTLBinaryArchiveErrorInvalidFile, [NSString stringWithFormat:@"%@ is no binary archive", [url path]]);
    [self release];
    return nil;
  }
  [keys_ addObjectsFromArray:lines];
  return self;
}
- (void)dealloc {
  [keys_ release];
  [label_ release];
  [super dealloc];
}
- (id<MTLDevice>)device {
  return device_;
}
- (BOOL)holds:(SimFunction *)function {
  return [keys_ containsObject:keyOf(function)];
}
- (BOOL)addComputePipelineFunctionsWithDescriptor:(MTLComputePipelineDescriptor *)descriptor error:(NSError **)error {
  SimFunction *function = simulated<SimFunction>(descriptor.computeFunction);
  if (function == nil) return fail(error, MTLBinaryArchiveErrorUnexpectedElement, @"the descriptor has no compute function");
  if (function->s->needsConstants) {
    return fail(error, MTLBinaryArchiveErrorCompilationFailure, @"the function needs the values of its constants");
  }
  [keys_ addObject:keyOf(function)];
  return YES;
}
- (BOOL)serializeToURL:(NSURL *)url error:(NSError **)error {
  NSMutableArray *lines = [NSMutableArray arrayWithObject:kHead];
  for (NSString *key in keys_) {
    if (![key isEqual:kHead]) [lines addObject:key];
  }
  NSString *text = [lines componentsJoinedByString:@"\n"];
  if ([text writeToFile:[url path] atomically:YES encoding:NSUTF8StringEncoding error:nullptr]) return YES;
  return fail(error, MTLBinaryArchiveErrorInternalError, [NSString stringWithFormat:@"%@ cannot be written", [url path]]);
}

@end
