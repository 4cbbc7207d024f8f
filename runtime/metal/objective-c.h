/** Objective-C objects in C++ without ARC: the same files compile with Apple's clang and over GNUstep. */
#pragma once
#import <Foundation/Foundation.h>

#include <string>
#include <utility>

namespace mlxc {

/** One reference to an Objective-C object: `T` is `id<MTLBuffer>` or `NSString *`. */
template <class T>
class Retained {
 public:
  Retained() = default;
  /** Takes over a reference that the caller owns: what new, alloc, copy and Create give. */
  static Retained adopt(T object) {
    Retained retained;
    retained.object_ = object;
    return retained;
  }
  /** Adds a reference of its own, to an object that is autoreleased or belongs to somebody else. */
  static Retained share(T object) { return adopt([object retain]); }

  Retained(const Retained &other) : object_([other.object_ retain]) {}
  Retained(Retained &&other) noexcept : object_(std::exchange(other.object_, nil)) {}
  Retained &operator=(Retained other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Retained() { [object_ release]; }

  T get() const { return object_; }
  explicit operator bool() const { return object_ != nil; }

 private:
  T object_ = nil;
};

inline NSString *stringOf(const std::string &text) { return [NSString stringWithUTF8String:text.c_str()]; }

inline std::string textOf(NSString *string) {
  const char *text = [string UTF8String];
  return text == nullptr ? "" : text;
}

/** What an error says, or `otherwise` when there is none. */
inline std::string describe(NSError *error, const char *otherwise) {
  const std::string text = error == nil ? "" : textOf([error localizedDescription]);
  return text.empty() ? otherwise : text;
}

/**
 * Calls `work` in an autorelease pool of its own and returns what it returns, a problem or an empty string; an Objective-C exception
 * is a problem too.
 */
template <class Work>
std::string guarded(Work &&work) {
  std::string problem;
  @autoreleasepool {
    @try {
      problem = work();
    } @catch (NSException *exception) {
      problem = textOf([exception reason]);
      if (problem.empty()) problem = "an Objective-C exception without a reason";
    }
  }
  return problem;
}

}  // namespace mlxc
