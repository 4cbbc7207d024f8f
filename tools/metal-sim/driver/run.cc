/**
 * A small addon that runs kernels of a compiled library on the engine, without Metal's API:
 *
 *   kernels(library) -> [name, ...]
 *   describe(library, kernel) -> JSON: {maxThreads, threadgroupMemory, parameters: [{name, kind, index, size, ...}]}
 *   run(library, kernel, buffers, grid, threadgroup, {nonuniform, threadgroupLengths, seed, again}) -> [[kind, message], ...]
 *
 * `buffers` holds a Uint8Array for each index, or null; kernels write into them. `again` runs more dispatches that nothing orders.
 */
#include <dlfcn.h>
#include <node_api.h>
#include <sys/mman.h>

#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "../engine/engine.h"

using namespace metal_sim;

namespace {

std::mutex mutex;  // workers share what is loaded
std::map<std::string, const metal_sim_library*> libraries;

napi_value fail(napi_env env, const std::string& message) {
  napi_throw_error(env, nullptr, message.c_str());
  return nullptr;
}

std::string text_of(napi_env env, napi_value value) {
  size_t length = 0;
  napi_get_value_string_utf8(env, value, nullptr, 0, &length);
  std::string text(length, '\0');
  napi_get_value_string_utf8(env, value, text.data(), length + 1, &length);
  return text;
}

uint32_t number_at(napi_env env, napi_value array, uint32_t i) {
  napi_value element;
  uint32_t number = 0;
  napi_get_element(env, array, i, &element);
  napi_get_value_uint32(env, element, &number);
  return number;
}

uint32_t option(napi_env env, napi_value options, const char* name) {
  napi_value value;
  uint32_t number = 0;
  if (napi_get_named_property(env, options, name, &value) == napi_ok) napi_get_value_uint32(env, value, &number);
  return number;
}

const metal_sim_library* open(const std::string& path) {
  auto& known = libraries[path];
  if (known != nullptr) return known;
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return nullptr;
  known = static_cast<const metal_sim_library*>(dlsym(handle, "metal_sim_library"));
  return known;
}

const metal_sim_kernel* find(const metal_sim_library* library, const std::string& name) {
  for (unsigned i = 0; i < library->kernel_count; i++) {
    if (name == library->kernels[i].name) return &library->kernels[i];
  }
  return nullptr;
}

napi_value run(napi_env env, napi_callback_info info) {
  const std::lock_guard lock(mutex);
  size_t count = 6;
  napi_value args[6];
  napi_get_cb_info(env, info, &count, args, nullptr, nullptr);
  const metal_sim_library* library = open(text_of(env, args[0]));
  if (library == nullptr) return fail(env, dlerror());
  Dispatch dispatch;
  dispatch.kernel = find(library, text_of(env, args[1]));
  if (dispatch.kernel == nullptr) return fail(env, "no kernel " + text_of(env, args[1]));
  dispatch.source_name = "program_source";
  dispatch.grid = {number_at(env, args[3], 0), number_at(env, args[3], 1), number_at(env, args[3], 2)};
  dispatch.threadgroup = {number_at(env, args[4], 0), number_at(env, args[4], 1), number_at(env, args[4], 2)};
  dispatch.is_nonuniform = option(env, args[5], "nonuniform") != 0;
  Engine& engine = Engine::shared();
  // the host API may use it, too, from other workers
  const auto engine_lock = engine.lock();
  const bool is_flushing = engine.is_flushing();
  engine.seed(option(env, args[5], "seed") + 1);
  engine.flush_subnormals(option(env, args[5], "flush") != 0);
  napi_value lengths;
  napi_get_named_property(env, args[5], "threadgroupLengths", &lengths);
  for (uint32_t i = 0; i < METAL_SIM_BUFFERS; i++) dispatch.threadgroup_lengths[i] = number_at(env, lengths, i);

  struct Held {
    AllocationReference allocation;
    void* js;
    size_t size;
  };
  std::vector<Held> held;
  uint32_t buffers = 0;
  napi_get_array_length(env, args[2], &buffers);
  for (uint32_t i = 0; i < buffers && i < METAL_SIM_BUFFERS; i++) {
    napi_value element;
    napi_get_element(env, args[2], i, &element);
    napi_valuetype type;
    napi_typeof(env, element, &type);
    if (type != napi_object) continue;
    void* data = nullptr;
    size_t size = 0;
    napi_get_typedarray_info(env, element, nullptr, &size, &data, nullptr, nullptr);
    // pages of its own, as a GPU's buffers have
    void* memory = mmap(nullptr, size + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return fail(env, "no memory for a buffer");
    std::memcpy(memory, data, size);
    auto allocation = engine.memory().add(memory, size, "");
    dispatch.buffers[i] = {allocation, 0};
    held.push_back({allocation, data, size});
  }
  if (option(env, args[5], "released") != 0) {
    for (const Held& h : held) engine.memory().release(h.allocation);
  }
  dispatch.unordered_since = engine.next_dispatch();
  std::vector<Finding> findings = engine.run(dispatch);
  for (uint32_t more = option(env, args[5], "again"); more > 0 && findings.empty(); more--) findings = engine.run(dispatch);
  engine.flush_subnormals(is_flushing);
  for (const Held& h : held) {
    std::memcpy(h.js, reinterpret_cast<void*>(h.allocation->base), h.size);
    engine.memory().release(h.allocation);
    munmap(reinterpret_cast<void*>(h.allocation->base), h.size + 1);
  }
  napi_value result;
  napi_create_array(env, &result);
  for (uint32_t i = 0; i < findings.size(); i++) {
    napi_value pair, kind, message;
    napi_create_array(env, &pair);
    napi_create_string_utf8(env, findings[i].kind.c_str(), NAPI_AUTO_LENGTH, &kind);
    napi_create_string_utf8(env, findings[i].message.c_str(), NAPI_AUTO_LENGTH, &message);
    napi_set_element(env, pair, 0, kind);
    napi_set_element(env, pair, 1, message);
    napi_set_element(env, result, i, pair);
  }
  return result;
}

napi_value kernels(napi_env env, napi_callback_info info) {
  const std::lock_guard lock(mutex);
  size_t count = 1;
  napi_value args[1];
  napi_get_cb_info(env, info, &count, args, nullptr, nullptr);
  const metal_sim_library* library = open(text_of(env, args[0]));
  if (library == nullptr) return fail(env, dlerror());
  napi_value result;
  napi_create_array(env, &result);
  for (unsigned i = 0; i < library->kernel_count; i++) {
    napi_value name;
    napi_create_string_utf8(env, library->kernels[i].name, NAPI_AUTO_LENGTH, &name);
    napi_set_element(env, result, i, name);
  }
  return result;
}

/** A kernel as the library tells of it, with its function constants taken into account. */
napi_value describe(napi_env env, napi_callback_info info) {
  const std::lock_guard lock(mutex);
  size_t count = 2;
  napi_value args[2];
  napi_get_cb_info(env, info, &count, args, nullptr, nullptr);
  const metal_sim_library* library = open(text_of(env, args[0]));
  if (library == nullptr) return fail(env, dlerror());
  const metal_sim_kernel* kernel = find(library, text_of(env, args[1]));
  if (kernel == nullptr) return fail(env, "no kernel " + text_of(env, args[1]));
  static const char* const kinds[] = {"device", "constant", "threadgroup", "builtin"};
  std::string json = "{\"maxThreads\": " + std::to_string(kernel->max_threads) +
                     ", \"threadgroupMemory\": " + std::to_string(kernel->static_local) + ", \"parameters\": [";
  for (unsigned i = 0; i < kernel->parameter_count; i++) {
    const metal_sim_parameter& p = kernel->parameters[i];
    const auto flag = [](const char* name, unsigned value) { return std::string(", \"") + name + (value != 0 ? "\": true" : "\": false"); };
    json += std::string(i > 0 ? ", " : "") + "{\"name\": \"" + p.name + "\", \"kind\": \"" + kinds[p.kind] + "\", \"index\": " +
            std::to_string(p.index) + ", \"size\": " + std::to_string(p.size) + flag("isReference", p.is_reference) +
            flag("isWritable", p.is_writable) + flag("isAbsent", p.is_absent) + "}";
  }
  json += "]}";
  napi_value text;
  napi_create_string_utf8(env, json.c_str(), json.size(), &text);
  return text;
}

napi_value accesses(napi_env env, napi_callback_info) {
  napi_value number;
  napi_create_double(env, static_cast<double>(Engine::shared().statistics().accesses), &number);
  return number;
}

}  // namespace

NAPI_MODULE_INIT() {
  const auto add = [&](const char* name, napi_callback callback) {
    napi_value function;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
    napi_set_named_property(env, exports, name, function);
  };
  add("run", run);
  add("kernels", kernels);
  add("describe", describe);
  add("accesses", accesses);
  return exports;
}
