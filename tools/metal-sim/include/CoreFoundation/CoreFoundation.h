/** The little of Core Foundation that programs for Metal use: references that are counted by hand, and times. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __OBJC__
#import <Foundation/Foundation.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef const void *CFTypeRef;
typedef double CFTimeInterval;
typedef double CFAbsoluteTime;
typedef long CFIndex;

CFTypeRef CFRetain(CFTypeRef object);
void CFRelease(CFTypeRef object);
CFIndex CFGetRetainCount(CFTypeRef object);
/** Seconds since 2001. */
CFAbsoluteTime CFAbsoluteTimeGetCurrent(void);

#ifdef __cplusplus
}
#endif

#ifdef __OBJC__
#if __has_feature(objc_arc)
static inline CFTypeRef CFBridgingRetain(id object) { return (__bridge_retained CFTypeRef)object; }
static inline id CFBridgingRelease(CFTypeRef object) { return (__bridge_transfer id)(void *)object; }
#else
static inline CFTypeRef CFBridgingRetain(id object) { return (CFTypeRef)[object retain]; }
static inline id CFBridgingRelease(CFTypeRef object) { return [(id)object autorelease]; }
#endif
#endif
