/**
 * With automatic reference counting the runtime's own header does not compile: its inline functions look into objects. Here is what
 * Foundation's headers and programs for Metal need of it.
 */
#if !__has_feature(objc_arc)
#include_next <objc/runtime.h>
#else
#pragma once

#include <objc/objc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct objc_method_description {
  SEL name;
  char *types;
};
typedef struct objc_property *Property;
typedef struct objc_property *objc_property_t;
typedef struct objc_method *Method;
typedef struct objc_ivar *Ivar;
typedef struct objc_category *Category;

Class objc_getClass(const char *name);
Class objc_lookUpClass(const char *name);
const char *class_getName(Class class_);
Class class_getSuperclass(Class class_);
BOOL class_respondsToSelector(Class class_, SEL selector);
Method class_getInstanceMethod(Class class_, SEL selector);
IMP method_getImplementation(Method method);
const char *sel_getName(SEL selector);
SEL sel_registerName(const char *name);
const char *object_getClassName(id object);

static inline Class object_getClass(id object) { return object == (id)0 ? (Class)0 : *(Class __unsafe_unretained *)(__bridge void *)object; }

#ifdef __cplusplus
}
#endif
#endif
