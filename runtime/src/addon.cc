// The binding between JavaScript and the CPU device: converts arguments and reports problems, nothing else.
#include <napi.h>

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "cpu/library.h"
#include "cpu/memory.h"
#include "cpu/plan.h"
#include "cpu/thread-pool.h"

namespace {

using mlxc::Span;

constexpr size_t kFirstSweep = size_t{64} << 20;

/** Memory behind an array buffer: freed by `release`, by `sweep`, or by the finalizer, whichever is first. */
struct Allocation {
  void *memory;
  size_t bytes;
  bool isReleased = false;
  /** Empty once the engine has dropped the buffer. */
  napi_ref buffer = nullptr;
};

/** Of one JavaScript environment (the main thread or a worker). */
struct EnvironmentData {
  /** By address; those that a finalizer released stay until the next sweep. Shared with finalizers, which may outlive this struct. */
  using Allocations = std::unordered_map<void *, std::shared_ptr<Allocation>>;
  Allocations allocations;
  /** Bytes allocated since the last sweep, and how many make the next one due. */
  size_t unswept = 0;
  size_t sweepAt = kFirstSweep;
  mlxc::Block arena;
  std::vector<Span> parameters;
  std::vector<Span> results;
};

std::mutex environmentMutex;
int environments = 0;

void leaveEnvironment(void *) {
  const std::lock_guard lock(environmentMutex);
  if (--environments == 0) mlxc::stopThreads();
}

Napi::Value fail(Napi::Env env, const std::string &message) {
  Napi::Error::New(env, message).ThrowAsJavaScriptException();
  return env.Undefined();
}

using LibraryReference = std::shared_ptr<mlxc::Library>;

/** openLibrary(path): a library of kernels. */
Napi::Value openLibrary(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsString()) return fail(env, "openLibrary takes a path");
  auto library = std::make_shared<mlxc::Library>();
  const std::string problem = library->open(info[0].As<Napi::String>());
  if (!problem.empty()) return fail(env, problem);
  return Napi::External<LibraryReference>::New(
      env, new LibraryReference(library), [](Napi::Env, LibraryReference *p) { delete p; });
}

/** Memory of a typed array; false when the value is none. Raw calls: this runs for every argument of every call. */
bool readSpan(napi_env env, napi_value value, Span &span) {
  bool isTypedArray = false;
  if (napi_is_typedarray(env, value, &isTypedArray) != napi_ok || !isTypedArray) return false;
  napi_typedarray_type type;
  size_t length = 0;
  if (napi_get_typedarray_info(env, value, &type, &length, &span.data, nullptr, nullptr) != napi_ok) {
    return false;
  }
  static constexpr int64_t sizes[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};
  if (static_cast<size_t>(type) >= sizeof sizes / sizeof sizes[0]) return false;
  span.bytes = static_cast<int64_t>(length) * sizes[type];
  return true;
}

bool readSpans(napi_env env, napi_value list, std::vector<Span> &spans) {
  uint32_t length = 0;
  if (napi_get_array_length(env, list, &length) != napi_ok) return false;
  spans.resize(length);
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    if (napi_get_element(env, list, i, &element) != napi_ok) return false;
    if (!readSpan(env, element, spans[i])) return false;
  }
  return true;
}

bool readNumbers(const Napi::Value &value, std::vector<int64_t> &numbers) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_float64_array) {
    return false;
  }
  const auto array = value.As<Napi::Float64Array>();
  numbers.resize(array.ElementLength());
  for (size_t i = 0; i < numbers.size(); i++) {
    const double number = array[i];
    if (!(number >= -9007199254740991.0 && number <= 9007199254740991.0)) return false;
    numbers[i] = static_cast<int64_t>(number);
    if (static_cast<double>(numbers[i]) != number) return false;
  }
  return true;
}

struct InstanceReference {
  mlxc::Instance instance;
  /** Keeps the memory of the constants alive. */
  Napi::Reference<Napi::Array> constants;
};

/** createInstance(library, symbols, constants, arenaBytes, buffers, steps): a function with its dims bound. */
Napi::Value createInstance(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  if (info.Length() != 6 || !(info[0].IsExternal() || info[0].IsUndefined()) || !info[1].IsArray() || !info[2].IsArray() ||
      !info[3].IsNumber()) {
    return fail(env, "createInstance takes (library, symbols, constants, arenaBytes, buffers, steps)");
  }
  auto reference = std::make_unique<InstanceReference>();
  mlxc::Instance &instance = reference->instance;
  if (info[0].IsExternal()) instance.library = *info[0].As<Napi::External<LibraryReference>>().Data();
  const auto symbols = info[1].As<Napi::Array>();
  std::vector<mlxc::KernelFunction> kernels;
  for (uint32_t i = 0; i < symbols.Length(); i++) {
    const Napi::Value symbol = symbols[i];
    if (!symbol.IsString()) return fail(env, "a kernel symbol is no string");
    const std::string name = symbol.As<Napi::String>();
    kernels.push_back(instance.library == nullptr ? nullptr : instance.library->find(name));
    if (kernels.back() == nullptr) return fail(env, "the library has no kernel " + name);
  }
  if (!readSpans(env, info[2], instance.constants)) return fail(env, "a constant is no typed array");
  instance.arenaBytes = info[3].As<Napi::Number>().Int64Value();
  std::vector<int64_t> buffers;
  std::vector<int64_t> steps;
  if (!readNumbers(info[4], buffers) || !readNumbers(info[5], steps)) {
    return fail(env, "buffers and steps are Float64Arrays of whole numbers");
  }
  std::string problem = instance.setBuffers(buffers);
  if (problem.empty()) problem = instance.setSteps(steps, kernels);
  if (!problem.empty()) return fail(env, problem);
  reference->constants = Napi::Persistent(info[2].As<Napi::Array>());
  return Napi::External<InstanceReference>::New(
      env, reference.release(), [](Napi::Env, InstanceReference *p) { delete p; });
}

/** run(instance, parameters, results): executes the plan; both are arrays of typed arrays. */
Napi::Value run(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  if (info.Length() != 3 || !info[0].IsExternal()) {
    return fail(env, "run takes (instance, parameters, results)");
  }
  auto *data = env.GetInstanceData<EnvironmentData>();
  if (!readSpans(env, info[1], data->parameters) || !readSpans(env, info[2], data->results)) {
    return fail(env, "parameters and results are arrays of typed arrays");
  }
  mlxc::Instance &instance = info[0].As<Napi::External<InstanceReference>>().Data()->instance;
  const std::string problem = instance.run(data->parameters, data->results, data->arena);
  if (!problem.empty()) return fail(env, problem);
  return env.Undefined();
}

void freeAllocation(napi_env env, Allocation &allocation) {
  if (allocation.isReleased) return;
  allocation.isReleased = true;
  if (allocation.buffer != nullptr) napi_delete_reference(env, allocation.buffer);
  allocation.buffer = nullptr;
  mlxc::release(allocation.memory);
}

/**
 * Frees the memory of collected buffers. Finalizers wait for the event loop, which a loop of calls never reaches; a weak reference is
 * empty right after the collection.
 */
void sweep(napi_env env, EnvironmentData &data) {
  size_t live = 0;
  for (auto it = data.allocations.begin(); it != data.allocations.end();) {
    Allocation &allocation = *it->second;
    napi_value buffer = nullptr;
    if (!allocation.isReleased) napi_get_reference_value(env, allocation.buffer, &buffer);
    if (buffer != nullptr) {
      live += allocation.bytes;
      ++it;
      continue;
    }
    freeAllocation(env, allocation);
    it = data.allocations.erase(it);
  }
  data.unswept = 0;
  data.sweepAt = live > kFirstSweep ? live : kFirstSweep;
}

/** allocate(bytes): an ArrayBuffer of undefined contents over recycled memory. */
Napi::Value allocate(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  const double bytes = info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : -1;
  if (!(bytes >= 0 && bytes <= 9007199254740991.0)) return fail(env, "allocate takes a size in bytes");
  auto *data = env.GetInstanceData<EnvironmentData>();
  const auto size = static_cast<size_t>(bytes);
  if (data->unswept + size > data->sweepAt) sweep(env, *data);
  data->unswept += size;
  void *memory = mlxc::allocate(size);
  if (memory == nullptr) return fail(env, "out of memory");
  auto allocation = std::make_shared<Allocation>(Allocation{memory, size});
  auto buffer = Napi::ArrayBuffer::New(
      env, memory, size,
      [](Napi::Env finalEnv, void *, std::shared_ptr<Allocation> *self) {
        freeAllocation(finalEnv, **self);
        delete self;
      },
      new std::shared_ptr<Allocation>(allocation));
  napi_create_reference(env, buffer, 0, &allocation->buffer);
  data->allocations[memory] = std::move(allocation);
  return buffer;
}

/** release(buffer): detaches a buffer from `allocate` and frees its memory at once. Others and detached ones are left alone. */
Napi::Value releaseBuffer(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsArrayBuffer()) return env.Undefined();
  auto buffer = info[0].As<Napi::ArrayBuffer>();
  if (buffer.IsDetached()) return env.Undefined();
  auto &allocations = env.GetInstanceData<EnvironmentData>()->allocations;
  const auto found = allocations.find(buffer.Data());
  if (found == allocations.end()) return env.Undefined();
  freeAllocation(env, *found->second);
  allocations.erase(found);
  buffer.Detach();
  return env.Undefined();
}

Napi::Value statistics(const Napi::CallbackInfo &info) {
  const mlxc::MemoryStatistics s = mlxc::memoryStatistics();
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("inUse", static_cast<double>(s.inUse));
  result.Set("cached", static_cast<double>(s.cached));
  result.Set("peakInUse", static_cast<double>(s.peakInUse));
  result.Set("allocations", static_cast<double>(s.allocations));
  result.Set("reuses", static_cast<double>(s.reuses));
  return result;
}

Napi::Value trim(const Napi::CallbackInfo &info) {
  mlxc::trimMemory();
  return info.Env().Undefined();
}

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  {
    const std::lock_guard lock(environmentMutex);
    environments++;
  }
  napi_add_env_cleanup_hook(env, leaveEnvironment, nullptr);
  env.SetInstanceData(new EnvironmentData);
  exports.Set("openLibrary", Napi::Function::New(env, openLibrary));
  exports.Set("createInstance", Napi::Function::New(env, createInstance));
  exports.Set("run", Napi::Function::New(env, run));
  exports.Set("allocate", Napi::Function::New(env, allocate));
  exports.Set("release", Napi::Function::New(env, releaseBuffer));
  exports.Set("memoryStatistics", Napi::Function::New(env, statistics));
  exports.Set("trimMemory", Napi::Function::New(env, trim));
  exports.Set("threadCount", Napi::Number::New(env, mlxc::threadCount()));
  return exports;
}

}  // namespace

NODE_API_MODULE(mlxc_native, initialise)
