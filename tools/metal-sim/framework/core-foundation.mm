#include <CoreFoundation/CoreFoundation.h>

extern "C" {

CFTypeRef CFRetain(CFTypeRef object) { return (CFTypeRef)[(id)object retain]; }
void CFRelease(CFTypeRef object) { [(id)object release]; }
CFIndex CFGetRetainCount(CFTypeRef object) { return static_cast<CFIndex>([(id)object retainCount]); }
CFAbsoluteTime CFAbsoluteTimeGetCurrent(void) { return [NSDate timeIntervalSinceReferenceDate]; }

}  // extern "C"
