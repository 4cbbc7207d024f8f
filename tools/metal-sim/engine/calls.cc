/**
 * What compiled kernels call: the functions of metal_sim_abi.h, and the hooks that clang puts before every access to memory
 * (`-fsanitize=kernel-address` with calls out of line).
 */
#include <dlfcn.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>
#include <type_traits>

#include "engine.h"

#define METAL_SIM_EXPORT extern "C" __attribute__((visibility("default")))
#define METAL_SIM_SITE __builtin_extract_return_addr(__builtin_return_address(0))

using metal_sim::Engine;

// ---------------------------------------------------------------------------------------------------------
// Hooks

#define METAL_SIM_HOOKS(SIZE)                                                                                       \
  METAL_SIM_EXPORT void __asan_load##SIZE##_noabort(uintptr_t address) {                                            \
    Engine::shared().access(address, SIZE, false, false, METAL_SIM_SITE, true);                                           \
  }                                                                                                                 \
  METAL_SIM_EXPORT void __asan_store##SIZE##_noabort(uintptr_t address) {                                           \
    Engine::shared().access(address, SIZE, true, false, METAL_SIM_SITE, true);                                            \
  }
METAL_SIM_HOOKS(1)
METAL_SIM_HOOKS(2)
METAL_SIM_HOOKS(4)
METAL_SIM_HOOKS(8)
METAL_SIM_HOOKS(16)

METAL_SIM_EXPORT void __asan_loadN_noabort(uintptr_t address, size_t size) {
  Engine::shared().access(address, size, false, false, METAL_SIM_SITE);
}
METAL_SIM_EXPORT void __asan_storeN_noabort(uintptr_t address, size_t size) {
  Engine::shared().access(address, size, true, false, METAL_SIM_SITE);
}
METAL_SIM_EXPORT void* __asan_memcpy(void* to, const void* from, size_t size) {
  if (size > 0) {
    Engine::shared().access(reinterpret_cast<uintptr_t>(from), size, false, false, METAL_SIM_SITE);
    Engine::shared().access(reinterpret_cast<uintptr_t>(to), size, true, false, METAL_SIM_SITE);
  }
  return std::memcpy(to, from, size);
}
METAL_SIM_EXPORT void* __asan_memmove(void* to, const void* from, size_t size) {
  if (size > 0) {
    Engine::shared().access(reinterpret_cast<uintptr_t>(from), size, false, false, METAL_SIM_SITE);
    Engine::shared().access(reinterpret_cast<uintptr_t>(to), size, true, false, METAL_SIM_SITE);
  }
  return std::memmove(to, from, size);
}
METAL_SIM_EXPORT void* __asan_memset(void* to, int value, size_t size) {
  if (size > 0) Engine::shared().access(reinterpret_cast<uintptr_t>(to), size, true, false, METAL_SIM_SITE);
  return std::memset(to, value, size);
}
METAL_SIM_EXPORT void __asan_handle_no_return() {}

// ---------------------------------------------------------------------------------------------------------
// Barriers and simdgroups

METAL_SIM_EXPORT void metal_sim_threadgroup_barrier(unsigned flags) { Engine::shared().barrier(flags, METAL_SIM_SITE); }
METAL_SIM_EXPORT void metal_sim_simdgroup_barrier(unsigned flags) { Engine::shared().simdgroup_barrier(flags, METAL_SIM_SITE); }
METAL_SIM_EXPORT void* metal_sim_local(unsigned declaration, unsigned long size, unsigned long alignment) {
  return Engine::shared().local(declaration, size, alignment, METAL_SIM_SITE);
}
METAL_SIM_EXPORT unsigned metal_sim_exchange(const char* what, const void* mine, unsigned size, void* all) {
  return Engine::shared().exchange(what, mine, size, all, METAL_SIM_SITE);
}

METAL_SIM_EXPORT void metal_sim_loaded(const metal_sim_library* library) {
  Engine::shared().add_library(reinterpret_cast<uintptr_t>(library));
}
METAL_SIM_EXPORT unsigned metal_sim_lane() { return Engine::shared().lane(); }

// ---------------------------------------------------------------------------------------------------------
// What clang's checks of indices and divisions call (`-fsanitize=array-bounds,integer-divide-by-zero`)

METAL_SIM_EXPORT void __ubsan_handle_out_of_bounds(void*, uintptr_t index) {
  // one of 32 bits comes without its sign
  const intptr_t element = index >> 31 == 1 ? static_cast<int32_t>(index) : static_cast<intptr_t>(index);
  Engine::shared().wrong("out-of-bounds", "takes element " + std::to_string(element) + " of an array that ends before",
                         METAL_SIM_SITE);
}
METAL_SIM_EXPORT void __ubsan_handle_divrem_overflow(void*, uintptr_t, uintptr_t) {
  Engine::shared().wrong("division", "divides an integer by zero, or the least one by -1: Metal gives no particular value", METAL_SIM_SITE);
}

// ---------------------------------------------------------------------------------------------------------
// What clang leaves to its run-time library

METAL_SIM_EXPORT __bf16 __truncsfbf2(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  // to nearest, ties to even; a NaN stays one
  const bool is_nan = (bits & 0x7fffffff) > 0x7f800000;
  const auto half = static_cast<uint16_t>(is_nan ? (bits >> 16) | 0x40 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16);
  __bf16 result;
  std::memcpy(&result, &half, sizeof result);
  return result;
}

// ---------------------------------------------------------------------------------------------------------
// Atomics. One thread runs at a time, so they only have to be told from plain accesses.

namespace {

template <typename T>
T apply(metal_sim_atomic operation, void* at, T operand, const void* site) {
  const bool is_load = operation == metal_sim_atomic_load;
  const auto address = reinterpret_cast<uintptr_t>(at);
  if (operation != metal_sim_atomic_store) Engine::shared().require_initialised(address, sizeof(T), site);
  Engine::shared().access(address, sizeof(T), !is_load, true, site, true);
  T before;
  std::memcpy(&before, at, sizeof before);
  if (is_load) {
    Engine::shared().atomic(false, site);
    return before;
  }
  T after = operand;
  switch (operation) {
    case metal_sim_atomic_add:
    case metal_sim_atomic_sub:
      if constexpr (std::is_floating_point_v<T>) {
        after = operation == metal_sim_atomic_add ? before + operand : before - operand;
      } else {
        // integers wrap
        using U = std::make_unsigned_t<T>;
        const U x = static_cast<U>(before), y = static_cast<U>(operand);
        after = static_cast<T>(operation == metal_sim_atomic_add ? x + y : x - y);
      }
      break;
    case metal_sim_atomic_min:
      after = std::min(before, operand);
      break;
    case metal_sim_atomic_max:
      after = std::max(before, operand);
      break;
    case metal_sim_atomic_and:
    case metal_sim_atomic_or:
    case metal_sim_atomic_xor:
      if constexpr (std::is_integral_v<T>) {
        after = operation == metal_sim_atomic_and  ? before & operand
                : operation == metal_sim_atomic_or ? before | operand
                                                   : before ^ operand;
      }
      break;
    case metal_sim_atomic_load:
    case metal_sim_atomic_store:
    case metal_sim_atomic_exchange:
      break;
  }
  std::memcpy(at, &after, sizeof after);
  Engine::shared().atomic(std::memcmp(&before, &after, sizeof after) != 0, site);
  return before;
}

}  // namespace

METAL_SIM_EXPORT unsigned metal_sim_atomic_uint(metal_sim_atomic operation, void* at, unsigned operand) {
  return apply(operation, at, operand, METAL_SIM_SITE);
}
METAL_SIM_EXPORT int metal_sim_atomic_int(metal_sim_atomic operation, void* at, int operand) {
  return apply(operation, at, operand, METAL_SIM_SITE);
}
METAL_SIM_EXPORT float metal_sim_atomic_float(metal_sim_atomic operation, void* at, float operand) {
  return apply(operation, at, operand, METAL_SIM_SITE);
}
METAL_SIM_EXPORT unsigned long metal_sim_atomic_ulong(metal_sim_atomic operation, void* at, unsigned long operand) {
  return apply(operation, at, operand, METAL_SIM_SITE);
}
METAL_SIM_EXPORT unsigned metal_sim_atomic_byte(metal_sim_atomic operation, void* at, unsigned operand) {
  return apply(operation, at, static_cast<uint8_t>(operand), METAL_SIM_SITE);
}
namespace {

template <typename T>
int compare_exchange(void* at, unsigned* expected, unsigned desired, const void* site) {
  Engine& engine = Engine::shared();
  engine.require_initialised(reinterpret_cast<uintptr_t>(at), sizeof(T), site);
  engine.access(reinterpret_cast<uintptr_t>(at), sizeof(T), true, true, site, true);
  T before;
  std::memcpy(&before, at, sizeof before);
  if (before == *expected && !engine.fails_spuriously()) {
    const T after = static_cast<T>(desired);
    std::memcpy(at, &after, sizeof after);
    engine.atomic(before != after, site);
    return 1;
  }
  engine.atomic(false, site);
  *expected = before;
  return 0;
}

}  // namespace

METAL_SIM_EXPORT int metal_sim_compare_exchange(void* at, unsigned* expected, unsigned desired) {
  return compare_exchange<unsigned>(at, expected, desired, METAL_SIM_SITE);
}
METAL_SIM_EXPORT int metal_sim_compare_exchange_byte(void* at, unsigned* expected, unsigned desired) {
  return compare_exchange<uint8_t>(at, expected, desired, METAL_SIM_SITE);
}

METAL_SIM_EXPORT unsigned long metal_sim_static_local(const metal_sim_declared* begin, const metal_sim_declared* end, const void* run,
                                                      const void* body) {
  std::map<unsigned long, unsigned long> sizes;
  for (const metal_sim_declared* declared = begin; declared != end; declared++) {
    Dl_info info;
    if (dladdr(declared->at, &info) == 0 || (info.dli_saddr != run && info.dli_saddr != body)) continue;
    sizes[declared->declaration] = declared->size;
  }
  return std::accumulate(sizes.begin(), sizes.end(), 0ul, [](unsigned long sum, const auto& entry) { return sum + entry.second; });
}
