/**
 * Lets code that clang compiles for GNUstep's newer runtime (-fobjc-runtime=gnustep-1.6) run on GCC's, which is the one that GNUstep is
 * built for here: instance variables in implementations, properties without @synthesize, subscripts, automatic reference counting.
 *
 *   - Modules come in version 9 or 10 and become version 8 when they are loaded: sizes and places of instance variables, which count from the
 *     end of the superclass, become absolute, and protocols get the version that GCC's runtime knows.
 *   - Messages are looked up through slots.
 *   - Reference counting is messages to NSObject; weak references are not made nil.
 *
 * Layouts are those of clang's CGObjCGNU and GCC's libobjc (objc-private/module-abi-8.h). Exceptions are in exceptions.cc.
 */
#include <Block.h>
#include <dlfcn.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>

extern "C" {

struct objc_class;
struct objc_object {
  objc_class *isa;
};
using id = objc_object *;
using SEL = const struct objc_selector *;
using IMP = id (*)(id, SEL, ...);

struct objc_ivar {
  const char *name;
  const char *type;
  int offset;
};
struct objc_ivar_list {
  int count;
  objc_ivar ivars[1];
};
struct objc_protocol;
struct objc_protocol_list {
  objc_protocol_list *next;
  size_t count;
  objc_protocol *protocols[1];
};
struct objc_protocol {
  uintptr_t version;
  const char *name;
  objc_protocol_list *protocols;
};
/** GCC's, and what GNUstep's has behind it. */
struct objc_class {
  objc_class *class_pointer;
  const char *super_class;
  const char *name;
  long version;
  unsigned long info;
  long instance_size;
  objc_ivar_list *ivars;
  void *methods;
  void *dtable;
  void *subclass_list;
  void *sibling_class;
  objc_protocol_list *protocols;
  void *gc_object_type;
  long abi_version;
  int **ivar_offsets;
};
struct objc_category {
  const char *category_name;
  const char *class_name;
  void *instance_methods;
  void *class_methods;
  objc_protocol_list *protocols;
};
struct objc_symtab {
  unsigned long selector_count;
  void *selectors;
  unsigned short class_count;
  unsigned short category_count;
  void *definitions[1];
};
struct objc_module {
  unsigned long version;
  unsigned long size;
  const char *name;
  objc_symtab *symtab;
};

objc_class *objc_lookup_class(const char *name);
objc_class *objc_lookUpClass(const char *name);
IMP objc_msg_lookup(id receiver, SEL selector);
IMP objc_msg_lookup_super(void *super, SEL selector);
SEL sel_registerName(const char *name);
const char *sel_getName(SEL selector);

extern void *_NSConcreteStackBlock[];
extern void *_NSConcreteGlobalBlock[];
extern void *_NSConcreteMallocBlock[];
}

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

// ---------------------------------------------------------------------------------------------------------
// Modules

constexpr unsigned long kTheirVersion = 9;
/** With automatic reference counting, and with a word more. */
constexpr unsigned long kTheirCountedVersion = 10;
constexpr unsigned long kOurVersion = 8;
constexpr uintptr_t kTheirProtocols = 3;
constexpr uintptr_t kOurProtocols = 2;
/** In GCC's runtime this bit says that a class is being made. */
constexpr unsigned long kNewAbi = 0x10;

void adapt(objc_protocol_list *list) {
  for (; list != nullptr; list = list->next) {
    for (size_t i = 0; i < list->count; i++) {
      objc_protocol *protocol = list->protocols[i];
      if (protocol == nullptr || protocol->version != kTheirProtocols) continue;
      protocol->version = kOurProtocols;
      adapt(protocol->protocols);
    }
  }
}

objc_class *classIn(const objc_symtab &symtab, const char *name) {
  for (unsigned i = 0; i < symtab.class_count; i++) {
    auto *candidate = static_cast<objc_class *>(symtab.definitions[i]);
    if (std::strcmp(candidate->name, name) == 0) return candidate;
  }
  return nullptr;
}

/** The size of a class once it counts its superclasses. */
long place(const objc_symtab &symtab, objc_class &definition) {
  if (definition.instance_size >= 0 && (definition.info & kNewAbi) == 0) return definition.instance_size;
  long before = 0;
  if (definition.super_class != nullptr) {
    if (objc_class *super = classIn(symtab, definition.super_class)) before = place(symtab, *super);
    else if (objc_class *known = objc_lookUpClass(definition.super_class)) before = known->instance_size;
  }
  definition.info &= ~kNewAbi;
  definition.class_pointer->info &= ~kNewAbi;
  if (definition.instance_size > 0) return definition.instance_size;
  definition.instance_size = before - definition.instance_size;
  const int count = definition.ivars == nullptr ? 0 : definition.ivars->count;
  for (int i = 0; i < count; i++) {
    definition.ivars->ivars[i].offset += static_cast<int>(before);
    if (definition.ivar_offsets != nullptr) *definition.ivar_offsets[i] += static_cast<int>(before);
  }
  return definition.instance_size;
}

void adapt(objc_symtab &symtab) {
  for (unsigned i = 0; i < symtab.class_count; i++) {
    auto &definition = *static_cast<objc_class *>(symtab.definitions[i]);
    place(symtab, definition);
    adapt(definition.protocols);
  }
  for (unsigned i = 0; i < symtab.category_count; i++) {
    adapt(static_cast<objc_category *>(symtab.definitions[symtab.class_count + i])->protocols);
  }
}

// ---------------------------------------------------------------------------------------------------------
// Messages

struct Slot {
  void *owner;
  void *cached_for;
  const char *types;
  int version;
  IMP method;
};
/** It is read at once, before anything else is looked up. */
thread_local Slot slot;

id send(id receiver, const char *name) {
  const SEL selector = sel_registerName(name);
  return objc_msg_lookup(receiver, selector)(receiver, selector);
}

bool isBlock(id object) {
  void *const isa = object->isa;
  return isa == _NSConcreteStackBlock || isa == _NSConcreteGlobalBlock || isa == _NSConcreteMallocBlock;
}

/** With GCC's runtime blocks are no objects; these are the messages that they get all the same. */
id copyBlock(id block, SEL, ...) { return static_cast<id>(_Block_copy(block)); }
id releaseBlock(id block, SEL, ...) {
  _Block_release(block);
  return nullptr;
}
id keepBlock(id block, SEL, ...) { return block; }

/** Of nil every message is zero, of floating-point type too. */
__attribute__((naked)) void sendToNil() {
#if defined(__x86_64__)
  __asm__("xorl %eax, %eax\n xorl %edx, %edx\n pxor %xmm0, %xmm0\n pxor %xmm1, %xmm1\n ret");
#else
  __asm__("mov x0, #0\n mov x1, #0\n movi d0, #0\n movi d1, #0\n movi d2, #0\n movi d3, #0\n ret");
#endif
}

IMP methodOf(id receiver, SEL selector) {
  if (receiver == nullptr) return reinterpret_cast<IMP>(sendToNil);
  if (!isBlock(receiver)) return objc_msg_lookup(receiver, selector);
  const char *name = sel_getName(selector);
  if (std::strcmp(name, "copy") == 0 || std::strcmp(name, "retain") == 0) return copyBlock;
  return std::strcmp(name, "release") == 0 ? releaseBlock : keepBlock;
}

}  // namespace

EXPORT void __objc_exec_class(objc_module *module) {
  static const auto next = reinterpret_cast<void (*)(objc_module *)>(dlsym(RTLD_NEXT, "__objc_exec_class"));
  if (module->version == kTheirVersion || module->version == kTheirCountedVersion) {
    module->version = kOurVersion;
    module->size = sizeof *module;
    if (module->symtab != nullptr) adapt(*module->symtab);
  }
  next(module);
}

EXPORT Slot *objc_msg_lookup_sender(id *receiver, SEL selector, id) {
  slot.method = methodOf(*receiver, selector);
  return &slot;
}
EXPORT Slot *objc_slot_lookup_super(void *super, SEL selector) {
  slot.method = objc_msg_lookup_super(super, selector);
  return &slot;
}

// ---------------------------------------------------------------------------------------------------------
// Reference counting

EXPORT id objc_retain(id object) {
  if (object == nullptr) return nullptr;
  return isBlock(object) ? static_cast<id>(_Block_copy(object)) : send(object, "retain");
}
EXPORT void objc_release(id object) {
  if (object == nullptr) return;
  if (isBlock(object)) _Block_release(object);
  else send(object, "release");
}
EXPORT id objc_autorelease(id object) { return object == nullptr || isBlock(object) ? object : send(object, "autorelease"); }
EXPORT id objc_retainAutorelease(id object) { return objc_autorelease(objc_retain(object)); }
EXPORT id objc_autoreleaseReturnValue(id object) { return objc_autorelease(object); }
EXPORT id objc_retainAutoreleaseReturnValue(id object) { return objc_retainAutorelease(object); }
EXPORT id objc_retainAutoreleasedReturnValue(id object) { return objc_retain(object); }
EXPORT id objc_unsafeClaimAutoreleasedReturnValue(id object) { return object; }
EXPORT id objc_claimAutoreleasedReturnValue(id object) { return object; }
EXPORT id objc_retainBlock(id block) { return static_cast<id>(_Block_copy(block)); }
EXPORT void objc_storeStrong(id *place, id object) {
  const id before = *place;
  *place = objc_retain(object);
  objc_release(before);
}

namespace {

std::mutex properties;

}  // namespace

/** As GCC's, but blocks may be values too. */
EXPORT void objc_setProperty(id self, SEL, ptrdiff_t offset, id value, unsigned char isAtomic, unsigned char isCopied) {
  if (self == nullptr) return;
  id *place = reinterpret_cast<id *>(reinterpret_cast<char *>(self) + offset);
  const bool isPlain = value == nullptr || isBlock(value) || isCopied == 0;
  const id kept = isPlain ? objc_retain(value) : send(value, "copy");
  std::unique_lock lock(properties, std::defer_lock);
  if (isAtomic != 0) lock.lock();
  const id before = *place;
  *place = kept;
  if (isAtomic != 0) lock.unlock();
  objc_release(before);
}
EXPORT id objc_getProperty(id self, SEL, ptrdiff_t offset, unsigned char isAtomic) {
  if (self == nullptr) return nullptr;
  id *place = reinterpret_cast<id *>(reinterpret_cast<char *>(self) + offset);
  if (isAtomic == 0) return *place;
  const std::lock_guard lock(properties);
  return objc_retainAutorelease(*place);
}

EXPORT id objc_initWeak(id *place, id object) { return *place = object; }
EXPORT id objc_storeWeak(id *place, id object) { return *place = object; }
EXPORT id objc_loadWeak(id *place) { return *place; }
EXPORT id objc_loadWeakRetained(id *place) { return objc_retain(*place); }
EXPORT void objc_destroyWeak(id *place) { *place = nullptr; }
EXPORT void objc_copyWeak(id *to, id *from) { *to = *from; }
EXPORT void objc_moveWeak(id *to, id *from) {
  *to = *from;
  *from = nullptr;
}

EXPORT void *objc_autoreleasePoolPush() { return send(reinterpret_cast<id>(objc_lookUpClass("NSAutoreleasePool")), "new"); }
EXPORT void objc_autoreleasePoolPop(void *pool) { send(static_cast<id>(pool), "release"); }

/** The thread that loads a program has a pool from the start, as on macOS: what is autoreleased outside of all others stays. */
__attribute__((constructor)) static void makeFirstPool() {
  if (objc_lookUpClass("NSAutoreleasePool") != nullptr) objc_autoreleasePoolPush();
}
