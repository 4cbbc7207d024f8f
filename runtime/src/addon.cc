// The binding between JavaScript and the CPU device: converts arguments and reports problems, nothing else.
#include <napi.h>

#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "cpu/library.h"
#include "cpu/memory.h"
#include "cpu/plan.h"
#include "cpu/run-queue.h"
#include "cpu/thread-pool.h"
#include "node/pending-runs.h"
#include "node/values.h"

namespace {

using mlxc::readNumbers;
using mlxc::readSpan;
using mlxc::readSpans;
using mlxc::Span;

constexpr size_t kFirstSweep = size_t{64} << 20;
/** Exposed arguments up to this many bytes are copied, so that the call need not wait. */
constexpr int64_t kMostCopied = int64_t{256} << 10;

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
  mlxc::PendingRuns<mlxc::RunReference> runs;
};

std::mutex environmentMutex;
int environments = 0;

/** Comes before the environment's own clean-up, so that nothing of it is touched by a run afterwards. */
void leaveEnvironment(void *argument) {
  auto *data = static_cast<EnvironmentData *>(argument);
  mlxc::abandon(data);
  data->runs.leave();
  const std::lock_guard lock(environmentMutex);
  if (--environments > 0) return;
  mlxc::stopExecutor();
  mlxc::stopThreads();
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

struct InstanceReference {
  std::shared_ptr<mlxc::Instance> instance = std::make_shared<mlxc::Instance>();
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
  mlxc::Instance &instance = *reference->instance;
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
  if (!readSpans(env, info[2], instance.plan.constants)) return fail(env, "a constant is no typed array");
  instance.plan.arenaBytes = info[3].As<Napi::Number>().Int64Value();
  std::vector<int64_t> buffers;
  std::vector<int64_t> steps;
  if (!readNumbers(info[4], buffers) || !readNumbers(info[5], steps)) {
    return fail(env, "buffers and steps are Float64Arrays of whole numbers");
  }
  std::string problem = instance.plan.setBuffers(buffers);
  if (problem.empty()) problem = instance.setSteps(steps, std::move(kernels));
  if (!problem.empty()) return fail(env, problem);
  reference->constants = Napi::Persistent(info[2].As<Napi::Array>());
  return Napi::External<InstanceReference>::New(
      env, reference.release(), [](Napi::Env, InstanceReference *p) { delete p; });
}

bool readCall(const Napi::CallbackInfo &info, EnvironmentData &data) {
  return info[0].IsExternal() && readSpans(info.Env(), info[1], data.parameters) &&
         readSpans(info.Env(), info[2], data.results);
}

/** run(instance, parameters, results): executes the plan; false, with nothing done, while runs are pending. */
Napi::Value run(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  auto *data = env.GetInstanceData<EnvironmentData>();
  if (!data->runs.isEmpty()) {
    data->runs.settle(env);
    if (!data->runs.isEmpty()) return Napi::Boolean::New(env, false);
  }
  if (!readCall(info, *data)) return fail(env, "run takes (instance, parameters, results), the last two arrays of typed arrays");
  mlxc::Instance &instance = *info[0].As<Napi::External<InstanceReference>>().Data()->instance;
  std::string problem = instance.plan.check(data->parameters, data->results);
  if (problem.empty()) problem = instance.run(data->parameters, data->results, data->arena);
  if (!problem.empty()) return fail(env, problem);
  return Napi::Boolean::New(env, true);
}

/** Replaces small parameters that JavaScript can reach by copies; false when they are too large. */
bool copyExposed(const Napi::Array &exposed, std::vector<Span> &parameters, std::vector<char> &copies) {
  constexpr int64_t alignment = 64;
  int64_t bytes = alignment;
  std::vector<Span *> spans;
  for (uint32_t i = 0; i < exposed.Length(); i++) {
    const uint32_t position = exposed.Get(i).ToNumber().Uint32Value();
    if (position >= parameters.size()) return false;
    Span &span = parameters[position];
    spans.push_back(&span);
    if (span.bytes > kMostCopied) return false;
    bytes += (span.bytes + alignment - 1) / alignment * alignment;
    if (bytes > kMostCopied + alignment) return false;
  }
  copies.resize(static_cast<size_t>(bytes));
  const auto start = reinterpret_cast<uintptr_t>(copies.data());
  auto *next = reinterpret_cast<char *>((start + alignment - 1) / alignment * alignment);
  for (Span *span : spans) {
    if (span->bytes > 0) std::memcpy(next, span->data, static_cast<size_t>(span->bytes));
    span->data = next;
    next += (span->bytes + alignment - 1) / alignment * alignment;
  }
  return true;
}

void waitFor(napi_env env, EnvironmentData &data, const mlxc::RunReference &run) {
  mlxc::wait(*run);
  data.runs.settle(env);
}

using RunHandle = Napi::External<mlxc::RunReference>;

/**
 * submit(instance, parameters, results, exposed, after): queues an execution of the plan and gives its handle. `exposed` are the positions
 * of parameters that JavaScript can reach: they are copied, or, when they are large, the run has ended on return and there is no
 * handle. `after` are the handles of earlier runs whose results this one reads.
 */
Napi::Value submit(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  auto *data = env.GetInstanceData<EnvironmentData>();
  if (info.Length() != 5 || !info[3].IsArray() || !info[4].IsArray() || !readCall(info, *data)) {
    return fail(env, "submit takes (instance, parameters, results, exposed, after)");
  }
  const std::shared_ptr<mlxc::Instance> instance = info[0].As<Napi::External<InstanceReference>>().Data()->instance;
  const std::string problem = instance->plan.check(data->parameters, data->results);
  if (!problem.empty()) return fail(env, problem);
  int64_t bytes = 0;
  for (const Span &span : data->results) bytes += span.bytes;
  auto *runs = &data->runs;
  runs->settle(env);
  while (runs->isFull(bytes)) waitFor(env, *data, mlxc::RunReference(runs->oldest()));
  std::vector<mlxc::RunReference> after;
  const auto earlier = info[4].As<Napi::Array>();
  for (uint32_t i = 0; i < earlier.Length(); i++) {
    after.push_back(*earlier.Get(i).As<RunHandle>().Data());
  }
  std::vector<char> copies;
  const auto exposed = info[3].As<Napi::Array>();
  const bool mustWait = exposed.Length() > 0 && !copyExposed(exposed, data->parameters, copies);
  const auto kept = Napi::Array::New(env, 3);
  for (uint32_t i = 0; i < 3; i++) kept.Set(i, info[i]);
  // moving a vector keeps its memory where it is
  auto owned = std::make_shared<std::vector<char>>(std::move(copies));
  const auto submitted = std::make_shared<mlxc::Run>(
      data,
      [instance, owned, parameters = data->parameters, results = data->results](mlxc::Block &arena) {
        return instance->run(parameters, results, arena);
      },
      std::move(after), [runs] { runs->notify(); });
  runs->add(env, submitted, kept, bytes);
  mlxc::submit(submitted);
  if (mustWait) {
    waitFor(env, *data, submitted);
    if (!submitted->problem().empty()) return fail(env, submitted->problem());
    return env.Undefined();
  }
  return RunHandle::New(env, new mlxc::RunReference(submitted), [](Napi::Env, mlxc::RunReference *p) { delete p; });
}

/** hasEnded(run) */
Napi::Value hasEnded(const Napi::CallbackInfo &info) {
  if (!info[0].IsExternal()) return fail(info.Env(), "hasEnded takes a run");
  return Napi::Boolean::New(info.Env(), (*info[0].As<RunHandle>().Data())->hasEnded());
}

/** wait(run): blocks until it has ended; gives its problem, or an empty string. */
Napi::Value wait(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsExternal()) return fail(env, "wait takes a run");
  const mlxc::RunReference run = *info[0].As<RunHandle>().Data();
  waitFor(env, *env.GetInstanceData<EnvironmentData>(), run);
  return Napi::String::New(env, run->problem());
}

/** ready(run): a promise of its problem, or of an empty string. */
Napi::Value ready(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsExternal()) return fail(env, "ready takes a run");
  napi_value promise = env.GetInstanceData<EnvironmentData>()->runs.ready(env, *info[0].As<RunHandle>().Data());
  return promise == nullptr ? fail(env, "there is no promise to give") : Napi::Value(env, promise);
}

/** The memory for somebody else to free; null when somebody did. */
void *takeMemory(napi_env env, Allocation &allocation) {
  if (allocation.isReleased) return nullptr;
  allocation.isReleased = true;
  if (allocation.buffer != nullptr) napi_delete_reference(env, allocation.buffer);
  allocation.buffer = nullptr;
  return allocation.memory;
}

void freeAllocation(napi_env env, Allocation &allocation) { mlxc::release(takeMemory(env, allocation)); }

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

/**
 * release(buffer): detaches a buffer from `allocate` and frees its memory, at once or when the runs that are pending now have ended.
 * Others and detached ones are left alone.
 */
Napi::Value releaseBuffer(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsArrayBuffer()) return env.Undefined();
  auto buffer = info[0].As<Napi::ArrayBuffer>();
  if (buffer.IsDetached()) return env.Undefined();
  auto *data = env.GetInstanceData<EnvironmentData>();
  auto &allocations = data->allocations;
  const auto found = allocations.find(buffer.Data());
  if (found == allocations.end()) return env.Undefined();
  void *memory = takeMemory(env, *found->second);
  allocations.erase(found);
  buffer.Detach();
  data->runs.settle(env);
  data->runs.whenDone([memory] { mlxc::release(memory); });
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
  auto *data = new EnvironmentData;
  env.SetInstanceData(data);
  // before the hook: what is added last is cleaned up first
  data->runs.start(env, "mlxc");
  napi_add_env_cleanup_hook(env, leaveEnvironment, data);
  exports.Set("openLibrary", Napi::Function::New(env, openLibrary));
  exports.Set("createInstance", Napi::Function::New(env, createInstance));
  exports.Set("run", Napi::Function::New(env, run));
  exports.Set("submit", Napi::Function::New(env, submit));
  exports.Set("hasEnded", Napi::Function::New(env, hasEnded));
  exports.Set("wait", Napi::Function::New(env, wait));
  exports.Set("ready", Napi::Function::New(env, ready));
  exports.Set("allocate", Napi::Function::New(env, allocate));
  exports.Set("release", Napi::Function::New(env, releaseBuffer));
  exports.Set("memoryStatistics", Napi::Function::New(env, statistics));
  exports.Set("trimMemory", Napi::Function::New(env, trim));
  exports.Set("threadCount", Napi::Number::New(env, mlxc::threadCount()));
  return exports;
}

}  // namespace

NODE_API_MODULE(mlxc_native, initialise)
