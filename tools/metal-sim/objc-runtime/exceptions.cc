/**
 * @catch in Objective-C++ that clang compiles for GNUstep's newer runtime, for exceptions that GCC's throws: the personality function
 * finds the handler in the tables of the function itself (LSDA, as in the Itanium C++ ABI), and C++'s begin and end of catching know
 * these exceptions too. All else is left to C++'s own.
 */
#include <dlfcn.h>
#include <unwind.h>

#include <cstdint>
#include <cstring>
#include <vector>

extern "C" {
struct objc_class;
struct objc_object {
  objc_class *isa;
};
using id = objc_object *;
const char *class_getName(objc_class *class_);
objc_class *class_getSuperclass(objc_class *class_);

_Unwind_Reason_Code __gxx_personality_v0(int version, _Unwind_Action actions, uint64_t exceptionClass, _Unwind_Exception *exception,
                                         _Unwind_Context *context);
}

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

/** As libobjc lays them out. */
struct ObjcException {
  _Unwind_Exception base;
  id value;
};
constexpr uint64_t kObjectiveC = 0x474e55434f424a43;  // "GNUCOBJC"

/** What clang describes a class with: the name is its second word. */
struct TypeInfo {
  const void *vtable;
  const char *name;
};

// ---------------------------------------------------------------------------------------------------------
// Tables

struct Reader {
  const uint8_t *at;

  uint64_t unsignedNumber() {
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      const uint8_t byte = *at++;
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return value;
    }
  }
  int64_t signedNumber() {
    int64_t value = 0;
    for (unsigned shift = 0;;) {
      const uint8_t byte = *at++;
      value |= static_cast<int64_t>(byte & 0x7f) << shift;
      shift += 7;
      if ((byte & 0x80) != 0) continue;
      return (byte & 0x40) != 0 && shift < 64 ? value | -(int64_t{1} << shift) : value;
    }
  }
  template <class T>
  T fixed() {
    T value;
    std::memcpy(&value, at, sizeof value);
    at += sizeof value;
    return value;
  }
  /** DW_EH_PE_*: the form in the low bits, what it is relative to above, and whether it is the address of the value. */
  uintptr_t encoded(uint8_t encoding) {
    if (encoding == 0xff) return 0;
    const uint8_t *start = at;
    uintptr_t value = 0;
    switch (encoding & 0x0f) {
      case 0x01: value = unsignedNumber(); break;
      case 0x02: value = fixed<uint16_t>(); break;
      case 0x03: value = fixed<uint32_t>(); break;
      case 0x09: value = static_cast<uintptr_t>(signedNumber()); break;
      case 0x0a: value = static_cast<uintptr_t>(static_cast<intptr_t>(fixed<int16_t>())); break;
      case 0x0b: value = static_cast<uintptr_t>(static_cast<intptr_t>(fixed<int32_t>())); break;
      default: value = fixed<uintptr_t>(); break;
    }
    if (value == 0) return 0;
    if ((encoding & 0x70) == 0x10) value += reinterpret_cast<uintptr_t>(start);
    if ((encoding & 0x80) != 0) value = *reinterpret_cast<const uintptr_t *>(value);
    return value;
  }
};

size_t sizeOf(uint8_t encoding) {
  switch (encoding & 0x07) {
    case 0x02: return 2;
    case 0x03: return 4;
    default: return 8;
  }
}

extern "C" const TypeInfo __objc_id_type_info;

bool isCaughtBy(const TypeInfo *type, id object) {
  if (type == nullptr || type == &__objc_id_type_info) return true;
  for (objc_class *c = object->isa; c != nullptr; c = class_getSuperclass(c)) {
    if (std::strcmp(class_getName(c), type->name) == 0) return true;
  }
  return false;
}

struct Landing {
  uintptr_t pad = 0;
  /** 0 for a cleanup. */
  int64_t handler = 0;
};

/** Where this function takes an exception with the object: its handler, else its cleanup. */
Landing landingFor(id object, _Unwind_Context *context) {
  const auto *table = static_cast<const uint8_t *>(reinterpret_cast<void *>(_Unwind_GetLanguageSpecificData(context)));
  if (table == nullptr) return {};
  Reader reader{table};
  const uintptr_t function = _Unwind_GetRegionStart(context);
  const uint8_t startEncoding = *reader.at++;
  const uintptr_t landingBase = startEncoding == 0xff ? function : reader.encoded(startEncoding);
  const uint8_t typeEncoding = *reader.at++;
  const uint8_t *types = nullptr;
  if (typeEncoding != 0xff) {
    const uint64_t distance = reader.unsignedNumber();
    types = reader.at + distance;
  }
  const uint8_t siteEncoding = *reader.at++;
  const uint64_t length = reader.unsignedNumber();
  const uint8_t *actions = reader.at + length;
  const uintptr_t at = _Unwind_GetIP(context) - 1 - function;
  while (reader.at < actions) {
    const uintptr_t start = reader.encoded(siteEncoding);
    const uintptr_t size = reader.encoded(siteEncoding);
    const uintptr_t pad = reader.encoded(siteEncoding);
    const uint64_t action = reader.unsignedNumber();
    if (at < start || at >= start + size) continue;
    if (pad == 0) return {};
    if (action == 0) return {landingBase + pad, 0};
    for (Reader entry{actions + action - 1};;) {
      const int64_t filter = entry.signedNumber();
      const uint8_t *here = entry.at;
      const int64_t next = entry.signedNumber();
      if (filter > 0) {
        Reader type{types - static_cast<size_t>(filter) * sizeOf(typeEncoding)};
        if (isCaughtBy(reinterpret_cast<const TypeInfo *>(type.encoded(typeEncoding)), object)) return {landingBase + pad, filter};
      }
      if (next == 0) return {landingBase + pad, 0};
      entry.at = here + next;
    }
  }
  return {};
}

/** The Objective-C exceptions that are being handled on this thread; nullptr for those of C++. */
thread_local std::vector<ObjcException *> caught;

template <class F>
F nextOf(const char *name) {
  return reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
}

}  // namespace

/** `id`, which catches everything. */
extern "C" __attribute__((visibility("default"))) const TypeInfo __objc_id_type_info = {nullptr, "id"};
/** Only its address is used: clang's descriptions of classes point behind its second word. */
extern "C" __attribute__((visibility("default"))) const void *const _ZTVN7gnustep7libobjc22__objc_class_type_infoE[4] = {};

EXPORT _Unwind_Reason_Code __gnustep_objcxx_personality_v0(int version, _Unwind_Action actions, uint64_t exceptionClass,
                                                           _Unwind_Exception *exception, _Unwind_Context *context) {
  if (exceptionClass != kObjectiveC) return __gxx_personality_v0(version, actions, exceptionClass, exception, context);
  const Landing landing = landingFor(reinterpret_cast<ObjcException *>(exception)->value, context);
  const bool isHandler = landing.handler != 0;
  if ((actions & _UA_SEARCH_PHASE) != 0) return isHandler ? _URC_HANDLER_FOUND : _URC_CONTINUE_UNWIND;
  if (landing.pad == 0 || (isHandler && (actions & _UA_HANDLER_FRAME) == 0)) return _URC_CONTINUE_UNWIND;
  _Unwind_SetGR(context, __builtin_eh_return_data_regno(0), reinterpret_cast<uintptr_t>(exception));
  _Unwind_SetGR(context, __builtin_eh_return_data_regno(1), static_cast<uintptr_t>(landing.handler));
  _Unwind_SetIP(context, landing.pad);
  return _URC_INSTALL_CONTEXT;
}

EXPORT void *__cxa_begin_catch(void *exception) {
  auto *thrown = static_cast<ObjcException *>(exception);
  if (thrown->base.exception_class == kObjectiveC) {
    caught.push_back(thrown);
    return thrown->value;
  }
  static const auto next = nextOf<void *(*)(void *)>("__cxa_begin_catch");
  caught.push_back(nullptr);
  return next(exception);
}

EXPORT void __cxa_end_catch() {
  ObjcException *ended = nullptr;
  if (!caught.empty()) {
    ended = caught.back();
    caught.pop_back();
  }
  if (ended != nullptr) {
    _Unwind_DeleteException(&ended->base);
    return;
  }
  static const auto next = nextOf<void (*)()>("__cxa_end_catch");
  next();
}
