// The binding between JavaScript and the Metal device: converts arguments and reports problems, nothing else.
#include <napi.h>

#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "../src/node/pending-runs.h"
#include "../src/node/values.h"
#import "arguments.h"
#import "context.h"
#import "library.h"
#import "objective-c.h"
#import "run.h"
#import "stream.h"

namespace {

using mlxc::BufferReference;
using mlxc::Instance;
using mlxc::KernelRequest;
using mlxc::MetalContext;
using mlxc::MetalLibrary;
using mlxc::readNumbers;
using mlxc::readSpans;
using mlxc::RunReference;
using mlxc::Span;
using mlxc::Stream;

constexpr size_t kFirstSweep = size_t{64} << 20;
/** Buffers that a kernel can be given, one binding being left for its integers. */
constexpr size_t kMostBindings = 30;
constexpr uint64_t kMostTable = uint64_t{1} << 20;

/** A buffer behind an array buffer: let go by `release`, by `sweep`, or by the finalizer, whichever is first. */
struct Allocation {
  BufferReference buffer;
  size_t bytes;
  /** Empty once the engine has dropped the array buffer. */
  napi_ref arrayBuffer = nullptr;
};

/** Of one JavaScript environment (the main thread or a worker). */
struct EnvironmentData {
  /** By address; those that a finalizer let go stay until the next sweep. Shared with finalizers, which may outlive this struct. */
  std::unordered_map<void *, std::shared_ptr<Allocation>> allocations;
  /** Bytes allocated since the last sweep, and how many make the next one due. */
  size_t unswept = 0;
  size_t sweepAt = kFirstSweep;
  std::vector<Span> parameters;
  std::vector<Span> results;
  mlxc::PendingRuns<RunReference> runs;
  mlxc::ForeignMemory foreign;
};

std::mutex environmentMutex;
int environments = 0;

/** Comes before the environment's own clean-up, so that nothing of it is touched by a run afterwards. */
void leaveEnvironment(void *argument) {
  Stream::shared().abandon(argument);
  const std::lock_guard lock(environmentMutex);
  if (--environments == 0) Stream::shared().stop();
}

Napi::Value fail(Napi::Env env, const std::string &message) {
  Napi::Error::New(env, message).ThrowAsJavaScriptException();
  return env.Undefined();
}

EnvironmentData &dataOf(Napi::Env env) { return *env.GetInstanceData<EnvironmentData>(); }

/** device(): what there is to know about the GPU; undefined where there is none. */
Napi::Value device(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  MetalContext *context = MetalContext::shared();
  if (context == nullptr) return env.Undefined();
  auto result = Napi::Object::New(env);
  const std::string problem = mlxc::guarded([&]() -> std::string {
    id<MTLDevice> gpu = context->device();
    result.Set("name", mlxc::textOf([gpu name]));
    result.Set("architecture", mlxc::textOf([[gpu architecture] name]));
    result.Set("hasUnifiedMemory", Napi::Boolean::New(env, [gpu hasUnifiedMemory]));
    result.Set("maxBufferLength", static_cast<double>([gpu maxBufferLength]));
    result.Set("recommendedMaxWorkingSetSize", static_cast<double>([gpu recommendedMaxWorkingSetSize]));
    result.Set("maxThreadgroupMemoryLength", static_cast<double>([gpu maxThreadgroupMemoryLength]));
    result.Set("maxThreadsPerThreadgroup", static_cast<double>([gpu maxThreadsPerThreadgroup].width));
    auto families = Napi::Array::New(env);
    // by number: older SDKs lack the names of newer families
    static constexpr struct {
      NSInteger family;
      const char *name;
    } known[] = {{1006, "apple6"},   {1007, "apple7"}, {1008, "apple8"},  {1009, "apple9"},
                 {1010, "apple10"}, {2002, "mac2"},   {5001, "metal3"}, {5002, "metal4"}};
    for (const auto &[family, name] : known) {
      if ([gpu supportsFamily:static_cast<MTLGPUFamily>(family)]) families.Set(families.Length(), name);
    }
    result.Set("families", families);
    return "";
  });
  return problem.empty() ? Napi::Value(result) : fail(env, problem);
}

// ---------------------------------------------------------------------------------------------------------
// Libraries and instances

using LibraryReference = std::shared_ptr<MetalLibrary>;

/** A number, bigint or boolean as the bytes of a function constant; false for other types. */
bool readConstant(const Napi::Object &from, mlxc::FunctionConstant &constant) {
  const Napi::Value value = from.Get("value");
  const std::string type = from.Get("type").ToString();
  constant = {from.Get("index").ToNumber().Uint32Value(), MTLDataTypeNone, 0};
  const auto store = [&](MTLDataType dataType, auto number) {
    constant.type = dataType;
    std::memcpy(&constant.bits, &number, sizeof number);
    return true;
  };
  if (type == "bool") return store(MTLDataTypeBool, static_cast<uint8_t>(value.ToBoolean()));
  if (type == "i32") return store(MTLDataTypeInt, value.ToNumber().Int32Value());
  if (type == "u32") return store(MTLDataTypeUInt, value.ToNumber().Uint32Value());
  if (type == "f32") return store(MTLDataTypeFloat, value.ToNumber().FloatValue());
  return false;
}

/** The parts of a request that kernels of users have. */
std::string readExternal(const Napi::Object &kernel, KernelRequest &request) {
  const Napi::Value group = kernel.Get("threadgroup");
  if (group.IsArray()) {
    for (uint32_t axis = 0; axis < 3; axis++) {
      request.threadgroup[axis] = group.As<Napi::Array>().Get(axis).ToNumber().Uint32Value();
      if (request.threadgroup[axis] == 0) return "a threadgroup without threads";
    }
  }
  const Napi::Value library = kernel.Get("library");
  if (library.IsString()) request.library = library.ToString();
  const Napi::Value arguments = kernel.Get("arguments");
  if (!arguments.IsObject()) return "";
  const auto from = arguments.As<Napi::Object>();
  mlxc::ArgumentBuffer &table = request.arguments;
  table.index = from.Get("index").ToNumber().Uint32Value();
  table.bytes = from.Get("size").ToNumber().Uint32Value();
  const auto entries = from.Get("entries").As<Napi::Array>();
  for (uint32_t i = 0; i < entries.Length(); i++) {
    const auto entry = entries.Get(i).As<Napi::Object>();
    const Napi::Value binding = entry.Get("binding");
    const int64_t number = binding.IsNumber() ? binding.ToNumber().Int64Value() : -1;
    const uint64_t offset = entry.Get("offset").ToNumber().Uint32Value();
    const bool isInside = offset + 24 <= table.bytes && number < static_cast<int64_t>(request.accesses.size());
    if (!isInside) return "an argument buffer with an entry outside it";
    table.entries.push_back({offset, number});
  }
  return "";
}

std::string readKernels(const Napi::Array &from, std::vector<KernelRequest> &requests) {
  for (uint32_t i = 0; i < from.Length(); i++) {
    const auto kernel = from.Get(i).As<Napi::Object>();
    KernelRequest request{kernel.Get("name").ToString(), {}, kernel.Get("threads").ToNumber().Uint32Value(),
                          kernel.Get("accesses").ToString(), kernel.Get("usesTable").ToBoolean()};
    if (request.threads == 0) return "the kernel " + request.name + " has threadgroups without threads";
    std::string problem = readExternal(kernel, request);
    if (!problem.empty()) return problem;
    const bool isTable = request.usesTable || !request.arguments.entries.empty();
    if (!isTable && request.accesses.size() > kMostBindings) return "the kernel " + request.name + " has too many buffers";
    if (request.arguments.index > kMostBindings) return "the kernel " + request.name + " has a binding beyond the last";
    if (request.arguments.bytes > kMostTable) return "the kernel " + request.name + " has an argument buffer that is too large";
    const Napi::Value constants = kernel.Get("constants");
    if (constants.IsArray()) {
      const auto list = constants.As<Napi::Array>();
      for (uint32_t c = 0; c < list.Length(); c++) {
        mlxc::FunctionConstant constant;
        if (!readConstant(list.Get(c).As<Napi::Object>(), constant)) return "a function constant of a type that is not known";
        request.constants.push_back(constant);
      }
    }
    requests.push_back(std::move(request));
  }
  return "";
}

/** Compiling takes long: it has a thread of its own. */
class OpenLibrary : public Napi::AsyncWorker {
 public:
  OpenLibrary(Napi::Env env, std::string source, std::string path, std::vector<KernelRequest> requests, bool copies)
      : Napi::AsyncWorker(env),
        deferred_(Napi::Promise::Deferred::New(env)),
        source_(std::move(source)),
        path_(std::move(path)),
        requests_(std::move(requests)),
        copies_(copies) {}

  Napi::Promise promise() const { return deferred_.Promise(); }

 protected:
  void Execute() override {
    MetalContext &context = *MetalContext::shared();
    std::string problem = copies_ ? context.prepareCopies() : "";
    if (problem.empty() && !requests_.empty()) {
      problem = path_.empty() ? library_->openSource(context.device(), source_, std::move(requests_))
                              : library_->openFile(context.device(), path_, std::move(requests_));
    }
    if (!problem.empty()) SetError(problem);
  }

  void OnOK() override {
    deferred_.Resolve(Napi::External<LibraryReference>::New(Env(), new LibraryReference(library_),
                                                            [](Napi::Env, LibraryReference *p) { delete p; }));
  }

  void OnError(const Napi::Error &error) override { deferred_.Reject(error.Value()); }

 private:
  Napi::Promise::Deferred deferred_;
  const std::string source_;
  const std::string path_;
  std::vector<KernelRequest> requests_;
  const bool copies_;
  const LibraryReference library_ = std::make_shared<MetalLibrary>();
};

/** openLibrary(source, path, kernels, copies): a promise of a library, from a .metallib where a path is given, else from source. */
Napi::Value openLibrary(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  if (info.Length() != 4 || !info[0].IsString() || !info[1].IsString() || !info[2].IsArray()) {
    return fail(env, "openLibrary takes (source, path, kernels, copies)");
  }
  if (MetalContext::shared() == nullptr) return fail(env, "there is no GPU");
  std::vector<KernelRequest> requests;
  const std::string problem = readKernels(info[2].As<Napi::Array>(), requests);
  if (!problem.empty()) return fail(env, problem);
  auto *worker = new OpenLibrary(env, info[0].ToString(), info[1].ToString(), std::move(requests), info[3].ToBoolean());
  const Napi::Promise promise = worker->promise();
  worker->Queue();
  return promise;
}

using InstanceReference = std::shared_ptr<const Instance>;

/** createInstance(library, name, constants, arenaBytes, buffers, steps): a function with its dims bound. */
Napi::Value createInstance(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  if (info.Length() != 6 || !info[0].IsExternal() || !info[1].IsString() || !info[2].IsArray() || !info[3].IsNumber()) {
    return fail(env, "createInstance takes (library, name, constants, arenaBytes, buffers, steps)");
  }
  auto instance = std::make_shared<Instance>();
  instance->library = *info[0].As<Napi::External<LibraryReference>>().Data();
  instance->name = info[1].ToString();
  if (!readSpans(env, info[2], instance->plan.constants)) return fail(env, "a constant is no typed array");
  instance->plan.arenaBytes = info[3].As<Napi::Number>().Int64Value();
  std::vector<int64_t> buffers;
  std::vector<int64_t> steps;
  if (!readNumbers(info[4], buffers) || !readNumbers(info[5], steps)) {
    return fail(env, "buffers and steps are Float64Arrays of whole numbers");
  }
  std::string problem = instance->plan.setBuffers(buffers);
  if (problem.empty()) problem = instance->setSteps(steps);
  if (problem.empty()) problem = mlxc::guarded([&] { return instance->setConstants(*MetalContext::shared()); });
  if (!problem.empty()) return fail(env, problem);
  return Napi::External<InstanceReference>::New(env, new InstanceReference(instance),
                                                [](Napi::Env, InstanceReference *p) { delete p; });
}

// ---------------------------------------------------------------------------------------------------------
// Runs

using RunHandle = Napi::External<RunReference>;

void waitFor(napi_env env, EnvironmentData &data, const RunReference &run) {
  Stream::shared().wait(*run);
  data.runs.settle(env);
}

std::vector<uint32_t> readPositions(const Napi::Array &list) {
  std::vector<uint32_t> positions(list.Length());
  for (uint32_t i = 0; i < list.Length(); i++) positions[i] = list.Get(i).ToNumber().Uint32Value();
  return positions;
}

/**
 * submit(instance, parameters, results, exposed, after): encodes an execution of the plan, or queues it, and gives its handle. `exposed` are the
 * positions of parameters that JavaScript can reach: they are copied, or, when they are large, the run has ended on return and there is
 * no handle. `after` are the handles of earlier runs whose results this one reads.
 */
Napi::Value submit(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  EnvironmentData &data = dataOf(env);
  if (info.Length() != 5 || !info[0].IsExternal() || !info[3].IsArray() || !info[4].IsArray() ||
      !readSpans(env, info[1], data.parameters) || !readSpans(env, info[2], data.results)) {
    return fail(env, "submit takes (instance, parameters, results, exposed, after)");
  }
  const InstanceReference instance = *info[0].As<Napi::External<InstanceReference>>().Data();
  std::string problem = instance->plan.check(data.parameters, data.results);
  if (!problem.empty()) return fail(env, problem);
  int64_t bytes = instance->plan.arenaBytes;
  for (const Span &span : data.results) bytes += span.bytes;
  data.runs.settle(env);
  while (data.runs.isFull(bytes)) waitFor(env, data, RunReference(data.runs.oldest()));
  std::vector<RunReference> after;
  const auto earlier = info[4].As<Napi::Array>();
  for (uint32_t i = 0; i < earlier.Length(); i++) after.push_back(*earlier.Get(i).As<RunHandle>().Data());
  const std::vector<uint32_t> exposed = readPositions(info[3].As<Napi::Array>());
  mlxc::BoundArguments bound;
  problem = mlxc::bindArguments(*MetalContext::shared(), data.foreign, data.parameters, data.results, exposed, bound);
  if (!problem.empty()) return fail(env, problem);
  const auto kept = Napi::Array::New(env, 2);
  for (uint32_t i = 0; i < 2; i++) kept.Set(i, info[i + 1]);
  auto *runs = &data.runs;
  const auto run = std::make_shared<mlxc::Run>(&data, instance, std::move(bound.arguments), std::move(after), [runs] { runs->notify(); });
  data.foreign.add(bound.foreign, run);
  data.runs.add(env, run, kept, bytes);
  Stream::shared().submit(run);
  if (!bound.mustWait) return RunHandle::New(env, new RunReference(run), [](Napi::Env, RunReference *p) { delete p; });
  waitFor(env, data, run);
  return run->problem().empty() ? env.Undefined() : fail(env, run->problem());
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
  const RunReference run = *info[0].As<RunHandle>().Data();
  waitFor(env, dataOf(env), run);
  return Napi::String::New(env, run->problem());
}

/** ready(run): a promise of its problem, or of an empty string. */
Napi::Value ready(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsExternal()) return fail(env, "ready takes a run");
  napi_value promise = dataOf(env).runs.ready(env, *info[0].As<RunHandle>().Data());
  return promise == nullptr ? fail(env, "there is no promise to give") : Napi::Value(env, promise);
}

// ---------------------------------------------------------------------------------------------------------
// Memory

void freeAllocation(napi_env env, Allocation &allocation) {
  if (allocation.arrayBuffer != nullptr) napi_delete_reference(env, allocation.arrayBuffer);
  allocation.arrayBuffer = nullptr;
  allocation.buffer = nullptr;
}

/**
 * Lets go of the buffers of collected array buffers. Finalizers wait for the event loop, which a loop of calls never reaches; a weak
 * reference is empty right after the collection.
 */
void sweep(napi_env env, EnvironmentData &data) {
  size_t live = 0;
  for (auto it = data.allocations.begin(); it != data.allocations.end();) {
    Allocation &allocation = *it->second;
    napi_value arrayBuffer = nullptr;
    if (allocation.arrayBuffer != nullptr) napi_get_reference_value(env, allocation.arrayBuffer, &arrayBuffer);
    if (arrayBuffer != nullptr) {
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

/** allocate(bytes): the one ArrayBuffer over a buffer, of undefined contents. */
Napi::Value allocate(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  const double bytes = info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : -1;
  if (!(bytes >= 0 && bytes <= 9007199254740991.0)) return fail(env, "allocate takes a size in bytes");
  MetalContext *context = MetalContext::shared();
  if (context == nullptr) return fail(env, "there is no GPU");
  EnvironmentData &data = dataOf(env);
  const auto size = static_cast<size_t>(bytes);
  if (data.unswept + size > data.sweepAt) sweep(env, data);
  data.unswept += size;
  auto allocation = std::make_shared<Allocation>();
  allocation->bytes = size;
  const std::string problem = mlxc::guarded([&]() -> std::string {
    allocation->buffer = context->pool().allocate(size);
    return allocation->buffer == nullptr ? "out of memory" : "";
  });
  if (!problem.empty()) return fail(env, problem);
  void *memory = allocation->buffer->memory;
  auto *finalizer = new std::shared_ptr<Allocation>(allocation);
  napi_value arrayBuffer = nullptr;
  const napi_status status = napi_create_external_arraybuffer(
      env, memory, size,
      [](napi_env finalEnv, void *, void *hint) {
        auto *self = static_cast<std::shared_ptr<Allocation> *>(hint);
        freeAllocation(finalEnv, **self);
        delete self;
      },
      finalizer, &arrayBuffer);
  if (status != napi_ok) {
    delete finalizer;
    return fail(env, "this JavaScript engine takes no memory from outside");
  }
  napi_create_reference(env, arrayBuffer, 0, &allocation->arrayBuffer);
  data.allocations[memory] = std::move(allocation);
  return Napi::Value(env, arrayBuffer);
}

/**
 * release(buffer): detaches a buffer from `allocate` and lets its memory go, at once or when the runs that use it have ended. Others
 * and detached ones are left alone.
 */
Napi::Value releaseBuffer(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsArrayBuffer()) return env.Undefined();
  auto arrayBuffer = info[0].As<Napi::ArrayBuffer>();
  if (arrayBuffer.IsDetached()) return env.Undefined();
  EnvironmentData &data = dataOf(env);
  const auto found = data.allocations.find(arrayBuffer.Data());
  if (found == data.allocations.end()) return env.Undefined();
  // detached before somebody else may have the memory
  arrayBuffer.Detach();
  freeAllocation(env, *found->second);
  data.allocations.erase(found);
  data.runs.settle(env);
  return env.Undefined();
}

Napi::Value statistics(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  MetalContext *context = MetalContext::shared();
  if (context == nullptr) return fail(env, "there is no GPU");
  const mlxc::MemoryStatistics s = context->pool().statistics();
  auto result = Napi::Object::New(env);
  result.Set("active", static_cast<double>(s.active));
  result.Set("peak", static_cast<double>(s.peak));
  result.Set("cached", static_cast<double>(s.cached));
  result.Set("limit", static_cast<double>(s.limit));
  result.Set("allocations", static_cast<double>(s.allocations));
  result.Set("reuses", static_cast<double>(s.reuses));
  return result;
}

/** counts(): what has been encoded since the process began. */
Napi::Value counts(const Napi::CallbackInfo &info) {
  MetalContext *context = MetalContext::shared();
  if (context == nullptr) return fail(info.Env(), "there is no GPU");
  mlxc::Counts &counted = context->counts();
  auto result = Napi::Object::New(info.Env());
  result.Set("commandBuffers", static_cast<double>(counted.commandBuffers));
  result.Set("commands", static_cast<double>(counted.commands));
  result.Set("barriers", static_cast<double>(counted.barriers));
  return result;
}

/** pipelineCount(library) */
Napi::Value pipelineCount(const Napi::CallbackInfo &info) {
  if (!info[0].IsExternal()) return fail(info.Env(), "pipelineCount takes a library");
  const auto &library = *info[0].As<Napi::External<LibraryReference>>().Data();
  return Napi::Number::New(info.Env(), static_cast<double>(library->pipelines()));
}

/** setCacheLimit(bytes) */
Napi::Value setCacheLimit(const Napi::CallbackInfo &info) {
  const double bytes = info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : -1;
  MetalContext *context = MetalContext::shared();
  if (!(bytes >= 0 && bytes <= 9007199254740991.0) || context == nullptr) {
    return fail(info.Env(), "setCacheLimit takes a size in bytes");
  }
  context->pool().setCacheLimit(static_cast<size_t>(bytes));
  return info.Env().Undefined();
}

Napi::Value trim(const Napi::CallbackInfo &info) {
  MetalContext *context = MetalContext::shared();
  if (context != nullptr) context->pool().trim();
  return info.Env().Undefined();
}

/** configure({separate, mostOps, mostBytes}): what is there overrides the variables of the environment; for tests and debugging. */
Napi::Value configure(const Napi::CallbackInfo &info) {
  MetalContext *context = MetalContext::shared();
  if (context == nullptr || !info[0].IsObject()) return fail(info.Env(), "configure takes an object");
  const auto given = info[0].As<Napi::Object>();
  mlxc::MetalOptions &options = context->options();
  const auto setNumber = [&](const char *name, std::atomic<size_t> &option) {
    const Napi::Value value = given.Get(name);
    if (value.IsNumber() && value.As<Napi::Number>().DoubleValue() >= 1) option = value.As<Napi::Number>().Int64Value();
  };
  setNumber("mostOps", options.mostOps);
  setNumber("mostBytes", options.mostBytes);
  const Napi::Value separate = given.Get("separate");
  if (separate.IsBoolean()) options.isSeparate = separate.As<Napi::Boolean>().Value();
  return info.Env().Undefined();
}

// ---------------------------------------------------------------------------------------------------------
// Profiles and captures

/** setProfiling(isOn) */
Napi::Value setProfiling(const Napi::CallbackInfo &info) {
  MetalContext *context = MetalContext::shared();
  if (context != nullptr) context->setProfiling(info[0].ToBoolean());
  return info.Env().Undefined();
}

/** takeTimings(): kernel and seconds of each dispatch that has ended since the last time. */
Napi::Value takeTimings(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  auto list = Napi::Array::New(env);
  MetalContext *context = MetalContext::shared();
  if (context == nullptr) return list;
  for (const mlxc::Timing &timing : context->takeTimings()) {
    auto entry = Napi::Object::New(env);
    entry.Set("kernel", timing.kernel);
    entry.Set("seconds", timing.seconds);
    list.Set(list.Length(), entry);
  }
  return list;
}

/** startCapture(path) */
Napi::Value startCapture(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  MetalContext *context = MetalContext::shared();
  if (context == nullptr || !info[0].IsString()) return fail(env, "startCapture takes a path");
  const std::string problem = context->startCapture(info[0].ToString());
  return problem.empty() ? env.Undefined() : fail(env, problem);
}

Napi::Value stopCapture(const Napi::CallbackInfo &info) {
  MetalContext *context = MetalContext::shared();
  const std::string problem = context == nullptr ? "there is no GPU" : context->stopCapture();
  return problem.empty() ? info.Env().Undefined() : fail(info.Env(), problem);
}

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  {
    const std::lock_guard lock(environmentMutex);
    environments++;
  }
  auto *data = new EnvironmentData;
  env.SetInstanceData(data);
  // before the hook: what is added last is cleaned up first
  data->runs.start(env, "mlxc_metal");
  napi_add_env_cleanup_hook(env, leaveEnvironment, data);
  const auto set = [&](const char *name, Napi::Value (*function)(const Napi::CallbackInfo &)) {
    exports.Set(name, Napi::Function::New(env, function));
  };
  set("device", device);
  set("openLibrary", openLibrary);
  set("createInstance", createInstance);
  set("submit", submit);
  set("hasEnded", hasEnded);
  set("wait", wait);
  set("ready", ready);
  set("allocate", allocate);
  set("release", releaseBuffer);
  set("memoryStatistics", statistics);
  set("counts", counts);
  set("pipelineCount", pipelineCount);
  set("setCacheLimit", setCacheLimit);
  set("trimMemory", trim);
  set("configure", configure);
  set("setProfiling", setProfiling);
  set("takeTimings", takeTimings);
  set("startCapture", startCapture);
  set("stopCapture", stopCapture);
  return exports;
}

}  // namespace

NODE_API_MODULE(mlxc_metal, initialise)
