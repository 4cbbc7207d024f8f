/** Argument buffers: structs of addresses and constants, as kernels read them on devices with tier 2. */
#include <algorithm>
#include <cstring>

#import "assert.h"
#import "objects.h"

namespace {

struct Member {
  NSUInteger index;
  NSUInteger offset;
  NSUInteger size;
  NSUInteger count;
  bool isPointer;
};

NSUInteger roundUp(NSUInteger value, NSUInteger step) { return (value + step - 1) / step * step; }

/** Size and alignment of a value; vectors of three take the place of four. */
MTLSizeAndAlign sizeOf(MTLDataType type) {
  struct Family {
    NSUInteger first, size;
  };
  static constexpr Family families[] = {{MTLDataTypeFloat, 4}, {MTLDataTypeHalf, 2},  {MTLDataTypeInt, 4},    {MTLDataTypeUInt, 4},
                                        {MTLDataTypeShort, 2}, {MTLDataTypeUShort, 2}, {MTLDataTypeChar, 1},   {MTLDataTypeUChar, 1},
                                        {MTLDataTypeBool, 1},  {MTLDataTypeLong, 8},  {MTLDataTypeULong, 8}, {MTLDataTypeBFloat, 2}};
  if (type == MTLDataTypePointer) return {8, 8};
  for (const auto &[first, size] : families) {
    if (type < first || type > first + 3) continue;
    const NSUInteger whole = size * (type == first + 2 ? 4 : type - first + 1);
    return {whole, whole};
  }
  MTLSimAssert(NO, @"The simulator has no argument buffers with members of type %lu.", (unsigned long)type);
  return {0, 1};
}

}  // namespace

struct SimArgumentEncoderState {
  id<MTLDevice> device_{};
  std::vector<Member> members_{};
  NSUInteger length_{};
  NSUInteger alignment_{8};
  Kept buffer_{};
  NSUInteger offset_{};
};

@implementation MTLArgumentDescriptor
@synthesize dataType, index, arrayLength, access, constantBlockAlignment;
+ (MTLArgumentDescriptor *)argumentDescriptor {
  return [[[MTLArgumentDescriptor alloc] init] autorelease];
}
- (id)copyWithZone:(NSZone *)zone {
  MTLArgumentDescriptor *copy = [[MTLArgumentDescriptor allocWithZone:zone] init];
  copy.dataType = dataType;
  copy.index = index;
  copy.arrayLength = arrayLength;
  copy.access = access;
  copy.constantBlockAlignment = constantBlockAlignment;
  return copy;
}
@end

@implementation SimArgumentEncoder

@synthesize label = label_;

- (instancetype)initWithArguments:(NSArray *)arguments device:(id<MTLDevice>)device {
  self = [super init];
  s = new SimArgumentEncoderState;
  s->device_ = device;
  NSUInteger end = 0;
  for (MTLArgumentDescriptor *argument in arguments) {
    const auto [size, align] = sizeOf(argument.dataType);
    const NSUInteger count = MAX(argument.arrayLength, 1u);
    const NSUInteger offset = roundUp(end, MAX(align, argument.constantBlockAlignment));
    s->members_.push_back({argument.index, offset, size, count, argument.dataType == MTLDataTypePointer});
    s->alignment_ = MAX(s->alignment_, align);
    end = offset + size * count;
  }
  s->length_ = roundUp(end, s->alignment_);
  return self;
}
- (instancetype)initWithMembers:(const metal_sim_member *)members
                          count:(unsigned)count
                         length:(NSUInteger)length
                         device:(id<MTLDevice>)device {
  self = [super init];
  s = new SimArgumentEncoderState;
  s->device_ = device;
  for (unsigned i = 0; i < count; i++) {
    const metal_sim_member &m = members[i];
    s->members_.push_back({m.index, m.offset, m.size / MAX(m.count, 1u), m.count, m.is_pointer != 0});
  }
  s->length_ = length;
  return self;
}
- (void)dealloc {
  [label_ release];
  delete s;
  [super dealloc];
}

- (id<MTLDevice>)device {
  return s->device_;
}
- (NSUInteger)encodedLength {
  return s->length_;
}
- (NSUInteger)alignment {
  return s->alignment_;
}
- (void)setArgumentBuffer:(id<MTLBuffer>)buffer offset:(NSUInteger)offset {
  MTLSimAssert(buffer == nil || offset + s->length_ <= [buffer length],
               @"setArgumentBuffer: offset(%lu) + encodedLength(%lu) must be <= [buffer length](%lu).", (unsigned long)offset,
               (unsigned long)s->length_, (unsigned long)[buffer length]);
  MTLSimAssert(offset % s->alignment_ == 0, @"setArgumentBuffer: offset(%lu) must be a multiple of %lu.", (unsigned long)offset,
               (unsigned long)s->alignment_);
  s->buffer_ = Kept(buffer, true);
  s->offset_ = offset;
}
- (void)setArgumentBuffer:(id<MTLBuffer>)buffer startOffset:(NSUInteger)start arrayElement:(NSUInteger)element {
  [self setArgumentBuffer:buffer offset:start + element * roundUp(s->length_, s->alignment_)];
}

/** Where the member with an index lies in the argument buffer. */
- (char *)placeOf:(NSUInteger)index pointer:(bool)isPointer {
  MTLSimAssert(s->buffer_.get() != nil, @"setArgumentBuffer:offset: must be called first.");
  for (const Member &member : s->members_) {
    if (index < member.index || index >= member.index + member.count) continue;
    MTLSimAssert(member.isPointer == isPointer, @"The argument at index %lu is %s.", (unsigned long)index,
                 isPointer ? "no buffer" : "no constant");
    return static_cast<char *>(simulated<SimBuffer>(s->buffer_.get())->s->memory_) + s->offset_ + member.offset +
           (index - member.index) * member.size;
  }
  MTLSimAssert(NO, @"The argument buffer has no argument at index %lu.", (unsigned long)index);
  return nullptr;
}
- (void)setBuffer:(id<MTLBuffer>)buffer offset:(NSUInteger)offset atIndex:(NSUInteger)index {
  MTLSimAssert(buffer == nil || offset < [buffer length], @"offset(%lu) must be < [buffer length](%lu).", (unsigned long)offset,
               (unsigned long)[buffer length]);
  const uint64_t address = buffer == nil ? 0 : [buffer gpuAddress] + offset;
  std::memcpy([self placeOf:index pointer:true], &address, sizeof address);
}
- (void)setBuffers:(const id<MTLBuffer>[])buffers offsets:(const NSUInteger[])offsets withRange:(NSRange)range {
  for (NSUInteger i = 0; i < range.length; i++) [self setBuffer:buffers[i] offset:offsets[i] atIndex:range.location + i];
}
- (void *)constantDataAtIndex:(NSUInteger)index {
  return [self placeOf:index pointer:false];
}

@end
