/**
 * Counts the simulator's Objective-C objects from the outside, as an addon for Node: live() gives those allocated since the addon was loaded
 * less those deallocated. The classes of the simulator begin with Sim and derive from NSObject, whose methods are replaced.
 */
#include <node_api.h>
#include <objc/message.h>
#include <objc/runtime.h>
#include <stdatomic.h>
#include <string.h>

static atomic_llong live;
static IMP allocate;
static IMP deallocate;

static int is_counted(const char *name) { return strncmp(name, "Sim", 3) == 0; }

static id count_allocation(id class, SEL selector, void *zone) {
  if (is_counted(class_getName((Class)class))) live++;
  return ((id(*)(id, SEL, void *))allocate)(class, selector, zone);
}

static void count_deallocation(id object, SEL selector) {
  if (is_counted(object_getClassName(object))) live--;
  ((void (*)(id, SEL))deallocate)(object, selector);
}

static napi_value get_live(napi_env env, napi_callback_info info) {
  (void)info;
  napi_value result;
  napi_create_int64(env, live, &result);
  return result;
}

NAPI_MODULE_INIT() {
  Class class = (Class)objc_getClass("NSObject");
  Method method = class_getClassMethod(class, sel_registerName("allocWithZone:"));
  allocate = method_setImplementation(method, (IMP)count_allocation);
  deallocate = method_setImplementation(class_getInstanceMethod(class, sel_registerName("dealloc")), (IMP)count_deallocation);
  napi_value function;
  napi_create_function(env, "live", NAPI_AUTO_LENGTH, get_live, NULL, &function);
  napi_set_named_property(env, exports, "live", function);
  return exports;
}
