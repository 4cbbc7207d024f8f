#import "library.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>
#include <utility>

namespace mlxc {
namespace {

/** Building a pipeline takes 1 to 100 ms of one core; the system's compiler service has a few workers. */
constexpr size_t kMostBuilders = 4;

/** Kernels keep IEEE semantics, so the fast modes are off; macOS 14 knows only `fastMathEnabled`. */
Retained<MTLCompileOptions *> compileOptions() {
  auto options = Retained<MTLCompileOptions *>::adopt([[MTLCompileOptions alloc] init]);
  [options.get() setLanguageVersion:MTLLanguageVersion3_1];
#if defined(GNUSTEP) || (defined(__MAC_OS_X_VERSION_MAX_ALLOWED) && __MAC_OS_X_VERSION_MAX_ALLOWED >= 150000)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wunguarded-availability-new"
  if ([options.get() respondsToSelector:@selector(setMathMode:)]) {
    [options.get() setMathMode:MTLMathModeSafe];
    [options.get() setMathFloatingPointFunctions:MTLMathFloatingPointFunctionsPrecise];
    return options;
  }
#pragma clang diagnostic pop
#endif
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
  [options.get() setFastMathEnabled:NO];
#pragma clang diagnostic pop
  return options;
}

/** Pipelines of the same function with the same constants are one. */
std::string keyOf(const KernelRequest &request) {
  std::string key = request.library + '\0' + request.name;
  for (const FunctionConstant &constant : request.constants) {
    key += '\0' + std::to_string(constant.index) + ':' + std::to_string(constant.type) + ':' + std::to_string(constant.bits);
  }
  return key;
}

Retained<id<MTLFunction>> findFunction(id<MTLLibrary> library, const KernelRequest &request, std::string &problem) {
  NSString *name = stringOf(request.name);
  if (request.constants.empty()) {
    auto function = Retained<id<MTLFunction>>::adopt([library newFunctionWithName:name]);
    if (!function) problem = "the library has no kernel " + request.name;
    return function;
  }
  MTLFunctionConstantValues *values = [[[MTLFunctionConstantValues alloc] init] autorelease];
  for (const FunctionConstant &constant : request.constants) {
    [values setConstantValue:&constant.bits type:constant.type atIndex:static_cast<NSUInteger>(constant.index)];
  }
  NSError *error = nil;
  auto function = Retained<id<MTLFunction>>::adopt([library newFunctionWithName:name constantValues:values error:&error]);
  if (!function) problem = "the kernel " + request.name + ": " + describe(error, "the library does not have it");
  return function;
}

std::string buildKernel(id<MTLDevice> device, id<MTLLibrary> library, Kernel &kernel) {
  const KernelRequest &request = kernel.request;
  return guarded([&]() -> std::string {
    std::string problem;
    const auto function = findFunction(library, request, problem);
    if (!function) return problem;
    MTLComputePipelineDescriptor *descriptor = [[[MTLComputePipelineDescriptor alloc] init] autorelease];
    descriptor.label = stringOf(request.name);
    descriptor.computeFunction = function.get();
    // launches that count threads have smaller groups at their edges
    descriptor.threadGroupSizeIsMultipleOfThreadExecutionWidth = request.threadgroup[0] == 0 && request.threads % 32 == 0;
    NSError *error = nil;
    kernel.pipeline = Retained<id<MTLComputePipelineState>>::adopt([device newComputePipelineStateWithDescriptor:descriptor
                                                                                                        options:MTLPipelineOptionNone
                                                                                                     reflection:nullptr
                                                                                                          error:&error]);
    if (!kernel.pipeline) return "the kernel " + request.name + ": " + describe(error, "its pipeline cannot be built");
    const NSUInteger most = [kernel.pipeline.get() maxTotalThreadsPerThreadgroup];
    const uint64_t *group = request.threadgroup;
    const uint64_t threads = group[0] == 0 ? request.threads : group[0] * group[1] * group[2];
    if (threads > most) {
      // dispatched all the same, it would silently do nothing
      return "the kernel " + request.name + " needs threadgroups of " + std::to_string(threads) +
             " threads, this GPU runs it with at most " + std::to_string(most);
    }
    return "";
  });
}

Retained<id<MTLLibrary>> readLibrary(id<MTLDevice> device, const std::string &path, std::string &problem) {
  NSError *error = nil;
  auto library = Retained<id<MTLLibrary>>::adopt([device newLibraryWithURL:[NSURL fileURLWithPath:stringOf(path)] error:&error]);
  if (!library) problem = path + ": " + describe(error, "the library does not load");
  return library;
}

}  // namespace

std::string MetalLibrary::openSource(id<MTLDevice> device, const std::string &source, std::vector<KernelRequest> requests) {
  return guarded([&]() -> std::string {
    const auto options = compileOptions();
    NSError *error = nil;
    // the error holds warnings too: only a missing library has failed
    const auto library = Retained<id<MTLLibrary>>::adopt([device newLibraryWithSource:stringOf(source)
                                                                              options:options.get()
                                                                                error:&error]);
    if (!library) return describe(error, "the source does not compile");
    return build(device, library.get(), std::move(requests));
  });
}

std::string MetalLibrary::openFile(id<MTLDevice> device, const std::string &path, std::vector<KernelRequest> requests) {
  return guarded([&]() -> std::string {
    std::string problem;
    const auto library = readLibrary(device, path, problem);
    if (!library) return problem;
    return build(device, library.get(), std::move(requests));
  });
}

std::string MetalLibrary::build(id<MTLDevice> device, id<MTLLibrary> main, std::vector<KernelRequest> requests) {
  std::map<std::string, Retained<id<MTLLibrary>>> own;
  for (const KernelRequest &request : requests) {
    if (request.library.empty() || own.count(request.library) > 0) continue;
    std::string problem;
    own[request.library] = readLibrary(device, request.library, problem);
    if (!problem.empty()) return problem;
  }
  std::map<std::string, size_t> first;
  std::vector<size_t> distinct;
  std::vector<size_t> same;
  for (KernelRequest &request : requests) {
    const auto [found, isNew] = first.emplace(keyOf(request), kernels_.size());
    if (isNew) distinct.push_back(kernels_.size());
    same.push_back(found->second);
    kernels_.push_back({std::move(request), {}});
  }
  pipelines_ = distinct.size();
  std::vector<std::string> problems(distinct.size());
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i = next++; i < distinct.size(); i = next++) {
      Kernel &kernel = kernels_[distinct[i]];
      const auto found = own.find(kernel.request.library);
      problems[i] = buildKernel(device, found == own.end() ? main : found->second.get(), kernel);
    }
  };
  std::vector<std::thread> builders;
  for (size_t i = 1; i < std::min(kMostBuilders, distinct.size()); i++) builders.emplace_back(work);
  work();
  for (std::thread &builder : builders) builder.join();
  for (const std::string &problem : problems) {
    if (!problem.empty()) return problem;
  }
  for (size_t i = 0; i < kernels_.size(); i++) {
    if (same[i] != i) kernels_[i].pipeline = kernels_[same[i]].pipeline;
  }
  return "";
}

}  // namespace mlxc
