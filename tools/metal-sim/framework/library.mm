/**
 * Libraries: Metal source becomes a shared library through tools/metal-sim/compile, which runs as a process of its own beside this one. What was
 * compiled is kept in a folder ($METAL_SIM_CACHE, else one for the user in the temporary folder) under a hash of the source.
 */
#import "objects.h"

#include <dlfcn.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>
#include <vector>

#import "assert.h"

NSString *const MTLLibraryErrorDomain = @"MTLLibraryErrorDomain";

extern char **environ;

namespace {

struct Loaded {
  /** Of the source, its constants and options. */
  std::string key;
  std::string json;
  void *handle = nullptr;
  const metal_sim_library *library = nullptr;
};

std::mutex cacheMutex;

uint64_t hashOf(const std::string &text, uint64_t seed) {
  uint64_t hash = 1469598103934665603u ^ seed;
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 1099511628211u;
  return hash;
}

/** The folder of this shared library: build/ of the repository. */
std::string buildFolder() {
  Dl_info info;
  if (dladdr(reinterpret_cast<void *>(&hashOf), &info) == 0 || info.dli_fname == nullptr) return ".";
  const std::string path(info.dli_fname);
  return path.substr(0, path.rfind('/'));
}

std::string cacheFolder() {
  const char *given = std::getenv("METAL_SIM_CACHE");
  const char *temporary = std::getenv("TMPDIR");
  const std::string folder =
      given != nullptr ? given : std::string(temporary != nullptr ? temporary : "/tmp") + "/metal-sim-" + std::to_string(getuid());
  mkdir(folder.c_str(), 0700);
  return folder;
}

bool readFile(const std::string &path, std::string &text) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return false;
  std::ostringstream all;
  all << file.rdbuf();
  text = all.str();
  return true;
}

/** Which clang the compiler finds: its size and time. */
std::string clangStamp() {
  std::istringstream folders(std::getenv("PATH") == nullptr ? "" : std::getenv("PATH"));
  struct stat status;
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (stat((folder + "/clang-19").c_str(), &status) != 0) continue;
    return std::to_string(status.st_size) + " " + std::to_string(status.st_mtime) + " ";
  }
  return "";
}

/** What the result of compiling depends on besides the source: clang, the engine, the compiler's own code and its headers. */
std::string stampOf(const std::string &build) {
  std::string stamp, text;
  readFile(build + "/libmetal_sim.so.hash", stamp);
  stamp += clangStamp();
  for (const char *folder : {"/../dist/tools/metal-sim/compile", "/../dist/tools/metal-check", "/../tools/metal-sim/include"}) {
    std::error_code problem;
    std::vector<std::string> paths;
    for (const auto &entry : std::filesystem::recursive_directory_iterator(build + folder, problem)) {
      if (entry.is_regular_file() && entry.path().extension() != ".map") paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    for (const std::string &path : paths) {
      readFile(path, text);
      char hash[24];
      std::snprintf(hash, sizeof hash, "%016llx", (unsigned long long)hashOf(text, 0));
      stamp += hash;
    }
  }
  return stamp;
}

/** A list of words as a line of JSON. */
std::string jsonOf(const std::vector<std::string> &words) {
  std::string json = "[";
  for (const std::string &word : words) {
    json += json.size() > 1 ? ", \"" : "\"";
    for (const char c : word) {
      char escaped[8];
      if (c == '"' || c == '\\') json += {'\\', c};
      else if (static_cast<uint8_t>(c) >= 32) json += c;
      else {
        std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(c));
        json += escaped;
      }
    }
    json += '"';
  }
  return json + "]\n";
}

/**
 * The compiler of the simulator, a process that stays up: started by the first library that nobody has compiled yet, ended by the end
 * of this process, which ends its input. Whoever uses it holds `cacheMutex`.
 */
class Compiler {
 public:
  /** The answer to one request; empty when there is none. A process that has died, or been killed, is started anew once. */
  std::string ask(const std::string &request) {
    for (int attempt = 0; attempt < 2; attempt++) {
      std::string answer;
      if ((socket_ >= 0 || start()) && send(request) && receive(answer)) return answer;
      stop();
    }
    return "";
  }

 private:
  bool start() {
    int ends[2];
    // nobody else that this process starts may inherit them: the compiler would outlive it
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return false;
    const char *given = std::getenv("METAL_SIM_COMPILER");
    const std::string compiler = given != nullptr ? given : buildFolder() + "/../dist/tools/metal-sim/compile/main.js";
    std::string words[] = {"node", compiler, "--serve"};
    char *arguments[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    const int problem = posix_spawnp(&child_, arguments[0], &actions, nullptr, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    socket_ = ends[0];
    if (problem != 0) stop();
    return problem == 0;
  }

  void stop() {
    if (socket_ >= 0) close(socket_);
    if (child_ > 0) {
      kill(child_, SIGKILL);
      while (waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
      }
    }
    socket_ = -1;
    child_ = 0;
  }

  bool send(const std::string &request) const {
    for (size_t done = 0; done < request.size();) {
      const ssize_t part = ::send(socket_, request.data() + done, request.size() - done, MSG_NOSIGNAL);
      if (part < 0 && errno == EINTR) continue;
      if (part <= 0) return false;
      done += static_cast<size_t>(part);
    }
    return true;
  }

  bool receive(std::string &answer) const {
    char part[65536];
    while (answer.empty() || answer.back() != '\n') {
      const ssize_t length = recv(socket_, part, sizeof part, 0);
      if (length < 0 && errno == EINTR) continue;
      if (length <= 0) return false;
      answer.append(part, static_cast<size_t>(length));
    }
    return true;
  }

  int socket_ = -1;
  pid_t child_ = 0;
};

bool isUnchecked() {
  const char *checks = std::getenv("METAL_SIM_CHECKS");
  return checks != nullptr && std::string(checks) == "off";
}

bool isOptimised() {
  const char *optimise = std::getenv("METAL_SIM_OPTIMIZE");
  return optimise == nullptr || std::string(optimise) != "0";
}

/** Compiles, or takes what was compiled before; errors are not kept. `constants` is JSON. */
Loaded compileSource(const std::string &source, const std::string &constants, std::vector<std::string> options) {
  options.push_back(isOptimised() ? "--optimize" : "--no-optimize");
  if (isUnchecked()) options.push_back("--unchecked");
  const std::lock_guard lock(cacheMutex);
  static std::map<std::string, Loaded> known;
  static Compiler compiler;
  static const std::string stamp = stampOf(buildFolder());
  std::string all = source + '\0' + constants + '\0' + stamp;
  for (const std::string &word : options) all += '\0' + word;
  char key[40];
  std::snprintf(key, sizeof key, "%016llx%016llx", (unsigned long long)hashOf(all, 0), (unsigned long long)hashOf(all, 77));
  if (auto found = known.find(key); found != known.end()) return found->second;
  const std::string base = cacheFolder() + "/" + key;
  Loaded loaded;
  loaded.key = key;
  struct stat status;
  const bool isThere = readFile(base + ".json", loaded.json) && stat((base + ".so").c_str(), &status) == 0;
  if (!isThere) {
    // other processes may compile the same at this moment
    const std::string unique = base + "." + std::to_string(getpid());
    {
      std::ofstream file(unique + ".metal", std::ios::binary);
      file << source;
    }
    std::vector<std::string> words = {unique + ".metal", unique + ".so", "--constants", constants};
    words.insert(words.end(), options.begin(), options.end());
    loaded.json = compiler.ask(jsonOf(words));
    unlink((unique + ".metal").c_str());
    if (loaded.json.empty()) {
      loaded.json = "{\"errors\": [{\"line\": 0, \"column\": 0, \"message\": \"the compiler of the simulator did not run: npm run build\"}]}";
      return loaded;
    }
    if (rename((unique + ".so").c_str(), (base + ".so").c_str()) != 0) return loaded;
    {
      std::ofstream file(unique + ".json", std::ios::binary);
      file << loaded.json;
    }
    rename((unique + ".json").c_str(), (base + ".json").c_str());
  }
  loaded.handle = dlopen((base + ".so").c_str(), RTLD_NOW | RTLD_LOCAL);
  if (loaded.handle == nullptr) std::fprintf(stderr, "metal-sim: %s\n", dlerror());
  else loaded.library = static_cast<const metal_sim_library *>(dlsym(loaded.handle, "metal_sim_library"));
  known[key] = loaded;
  return loaded;
}

NSError *makeError(NSString *domain, NSInteger code, NSString *text) {
  return [NSError errorWithDomain:domain code:code userInfo:@{NSLocalizedDescriptionKey : text}];
}

id parse(const std::string &json) {
  NSData *data = [NSData dataWithBytes:json.data() length:json.size()];
  return [NSJSONSerialization JSONObjectWithData:data options:0 error:nullptr];
}

/** `program_source:3:5: error: ...`, a line each, as Metal's compiler writes them; nil when there are none. */
NSString *errorsOf(id result) {
  NSArray *errors = [result objectForKey:@"errors"];
  if ([errors count] == 0) return nil;
  NSMutableString *text = [NSMutableString string];
  for (NSDictionary *e in errors) {
    NSString *file = [e objectForKey:@"file"] ?: @"program_source";
    [text appendFormat:@"%@:%@:%@: error: %@\n", file, [e objectForKey:@"line"], [e objectForKey:@"column"],
                       [e objectForKey:@"message"]];
  }
  return text;
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------

struct SimConstantValues {
  std::map<NSUInteger, std::string> byIndex;
  std::map<std::string, std::string> byName;
};

namespace {

std::string vectorTextOf(const void *value, MTLDataType type);

/** A value as C++ text of its type. */
std::string textOf(const void *value, MTLDataType type) {
  char text[64] = "0";
  switch (type) {
    case MTLDataTypeBool: return *static_cast<const bool *>(value) ? "true" : "false";
    case MTLDataTypeFloat: std::snprintf(text, sizeof text, "as_type<float>(0x%08xu)", *static_cast<const uint32_t *>(value)); break;
    case MTLDataTypeHalf: std::snprintf(text, sizeof text, "as_type<half>((ushort)%u)", *static_cast<const uint16_t *>(value)); break;
    case MTLDataTypeInt: std::snprintf(text, sizeof text, "(int)%uu", *static_cast<const uint32_t *>(value)); break;
    case MTLDataTypeUInt: std::snprintf(text, sizeof text, "%uu", *static_cast<const uint32_t *>(value)); break;
    case MTLDataTypeShort: std::snprintf(text, sizeof text, "%d", *static_cast<const int16_t *>(value)); break;
    case MTLDataTypeUShort: std::snprintf(text, sizeof text, "%u", *static_cast<const uint16_t *>(value)); break;
    case MTLDataTypeChar: std::snprintf(text, sizeof text, "%d", *static_cast<const int8_t *>(value)); break;
    case MTLDataTypeUChar: std::snprintf(text, sizeof text, "%u", *static_cast<const uint8_t *>(value)); break;
    case MTLDataTypeLong: std::snprintf(text, sizeof text, "(long)%lluul", (unsigned long long)*static_cast<const uint64_t *>(value)); break;
    case MTLDataTypeULong: std::snprintf(text, sizeof text, "%lluul", (unsigned long long)*static_cast<const uint64_t *>(value)); break;
    case MTLDataTypeBFloat: std::snprintf(text, sizeof text, "as_type<bfloat>((ushort)%u)", *static_cast<const uint16_t *>(value)); break;
    default: return vectorTextOf(value, type);
  }
  return text;
}

struct ScalarType {
  MTLDataType type;
  const char *name;
  size_t size;
};
constexpr ScalarType scalarTypes[] = {{MTLDataTypeFloat, "float", 4},   {MTLDataTypeHalf, "half", 2},   {MTLDataTypeInt, "int", 4},
                                      {MTLDataTypeUInt, "uint", 4},     {MTLDataTypeShort, "short", 2}, {MTLDataTypeUShort, "ushort", 2},
                                      {MTLDataTypeChar, "char", 1},     {MTLDataTypeUChar, "uchar", 1}, {MTLDataTypeBool, "bool", 1},
                                      {MTLDataTypeLong, "long", 8},     {MTLDataTypeULong, "ulong", 8}, {MTLDataTypeBFloat, "bfloat", 2}};

/** The scalar that a type is made of, and how many. */
const ScalarType *scalarOf(MTLDataType type, NSUInteger &count) {
  for (const ScalarType &scalar : scalarTypes) {
    if (type < scalar.type || type > scalar.type + 3) continue;
    count = type - scalar.type + 1;
    return &scalar;
  }
  return nullptr;
}

std::string vectorTextOf(const void *value, MTLDataType type) {
  NSUInteger count = 0;
  const ScalarType *scalar = scalarOf(type, count);
  MTLSimAssert(scalar != nullptr && scalar->type != MTLDataTypeBool, @"setConstantValue: the simulator has no constants of type %lu",
               (unsigned long)type);
  std::string text = "(" + std::string(scalar->name) + std::to_string(count) + ")(";
  for (NSUInteger i = 0; i < count; i++) {
    if (i > 0) text += ", ";
    text += textOf(static_cast<const char *>(value) + i * scalar->size, scalar->type);
  }
  return text + ")";
}

/** The bytes from one value to the next; a vector of three takes those of four. */
NSUInteger strideOf(MTLDataType type) {
  NSUInteger count = 0;
  const ScalarType *scalar = scalarOf(type, count);
  MTLSimAssert(scalar != nullptr, @"setConstantValues: the simulator has no constants of type %lu", (unsigned long)type);
  return scalar->size * (count == 3 ? 4 : count);
}

MTLDataType typeNamed(NSString *name) {
  for (const ScalarType &scalar : scalarTypes) {
    for (NSUInteger count = 1; count <= 4; count++) {
      NSString *whole = count == 1 ? [NSString stringWithUTF8String:scalar.name]
                                   : [NSString stringWithFormat:@"%s%lu", scalar.name, (unsigned long)count];
      if ([name isEqual:whole]) return static_cast<MTLDataType>(scalar.type + count - 1);
    }
  }
  return MTLDataTypeNone;
}

}  // namespace

@implementation MTLFunctionConstantValues
- (instancetype)init {
  self = [super init];
  values_ = new SimConstantValues;
  return self;
}
- (void)dealloc {
  delete values_;
  [super dealloc];
}
- (void)setConstantValue:(const void *)value type:(MTLDataType)type atIndex:(NSUInteger)index {
  MTLSimAssert(value != nullptr, @"setConstantValue: value must not be nil.");
  MTLSimAssert(index < 65536, @"index(%lu) must be < 65536.", (unsigned long)index);
  values_->byIndex[index] = textOf(value, type);
}
- (void)setConstantValues:(const void *)values type:(MTLDataType)type withRange:(NSRange)range {
  MTLSimAssert(values != nullptr, @"setConstantValues: values must not be nil.");
  const NSUInteger stride = strideOf(type);
  for (NSUInteger i = 0; i < range.length; i++) {
    [self setConstantValue:static_cast<const char *>(values) + i * stride type:type atIndex:range.location + i];
  }
}
- (void)setConstantValue:(const void *)value type:(MTLDataType)type withName:(NSString *)name {
  MTLSimAssert(value != nullptr, @"setConstantValue: value must not be nil.");
  values_->byName[[name UTF8String]] = textOf(value, type);
}
- (void)reset {
  *values_ = {};
}
- (id)copyWithZone:(NSZone *)zone {
  MTLFunctionConstantValues *copy = [[MTLFunctionConstantValues allocWithZone:zone] init];
  *copy->values_ = *values_;
  return copy;
}
@end

@implementation MTLFunctionConstant
@synthesize name, type, index;
- (void)dealloc {
  [name release];
  [super dealloc];
}
- (BOOL)required {
  return NO;
}
@end

@implementation MTLFunctionDescriptor
@synthesize name, specializedName, constantValues, options, binaryArchives;
+ (MTLFunctionDescriptor *)functionDescriptor {
  return [[[MTLFunctionDescriptor alloc] init] autorelease];
}
- (void)dealloc {
  [name release];
  [specializedName release];
  [constantValues release];
  [binaryArchives release];
  [super dealloc];
}
- (id)copyWithZone:(NSZone *)zone {
  MTLFunctionDescriptor *copy = [[MTLFunctionDescriptor allocWithZone:zone] init];
  copy.name = name;
  copy.specializedName = specializedName;
  copy.constantValues = constantValues;
  copy.options = options;
  copy.binaryArchives = binaryArchives;
  return copy;
}
@end

/** `fastMathEnabled` is the older word for the two newer properties. */
@implementation MTLCompileOptions
@synthesize preprocessorMacros, mathMode, mathFloatingPointFunctions, languageVersion, preserveInvariance, optimizationLevel,
    libraries, installName, libraryType, allowReferencingUndefinedSymbols, compileSymbolVisibility, maxTotalThreadsPerThreadgroup, enableLogging;
- (BOOL)fastMathEnabled {
  return mathMode == MTLMathModeFast;
}
- (void)setFastMathEnabled:(BOOL)isFast {
  mathMode = isFast ? MTLMathModeFast : MTLMathModeSafe;
  mathFloatingPointFunctions = isFast ? MTLMathFloatingPointFunctionsFast : MTLMathFloatingPointFunctionsPrecise;
}
- (instancetype)init {
  self = [super init];
  mathMode = MTLMathModeFast;
  languageVersion = MTLLanguageVersion3_1;
  return self;
}
- (void)dealloc {
  [preprocessorMacros release];
  [libraries release];
  [installName release];
  [super dealloc];
}
- (id)copyWithZone:(NSZone *)zone {
  MTLCompileOptions *copy = [[MTLCompileOptions allocWithZone:zone] init];
  copy.preprocessorMacros = self.preprocessorMacros;
  copy.mathMode = self.mathMode;
  copy.mathFloatingPointFunctions = self.mathFloatingPointFunctions;
  copy.languageVersion = self.languageVersion;
  copy.preserveInvariance = self.preserveInvariance;
  copy.optimizationLevel = self.optimizationLevel;
  copy.libraries = self.libraries;
  copy.installName = self.installName;
  copy.libraryType = self.libraryType;
  copy.allowReferencingUndefinedSymbols = self.allowReferencingUndefinedSymbols;
  copy.compileSymbolVisibility = self.compileSymbolVisibility;
  copy.maxTotalThreadsPerThreadgroup = self.maxTotalThreadsPerThreadgroup;
  copy.enableLogging = self.enableLogging;
  return copy;
}
@end

// ---------------------------------------------------------------------------------------------------------

/** Options of the compiler; `options` is nil for Metal's own choice, which is fast. */
static std::vector<std::string> compilerOptions(MTLCompileOptions *options) {
  const bool isSafe = options != nil && options.mathMode == MTLMathModeSafe;
  const bool isPrecise = options != nil && options.mathFloatingPointFunctions == MTLMathFloatingPointFunctionsPrecise;
  std::vector<std::string> words = {"--math", isSafe ? "safe" : "fast", "--functions", isPrecise ? "precise" : "fast"};
  if (options == nil) return words;
  MTLSimAssert([options.libraries count] == 0 && options.libraryType == MTLLibraryTypeExecutable,
               @"The simulator has no dynamic libraries.");
  const NSUInteger version = options.languageVersion;
  words.insert(words.end(), {"--language", std::to_string((version >> 16) * 100 + (version & 0xffff) * 10)});
  NSDictionary *macros = options.preprocessorMacros;
  for (id name in [[macros allKeys] sortedArrayUsingSelector:@selector(compare:)]) {
    NSString *macro = [NSString stringWithFormat:@"%@=%@", name, [macros objectForKey:name]];
    words.push_back("--macro=" + std::string([macro UTF8String]));
  }
  return words;
}

struct SimLibraryState {
  std::string source_{};
  std::vector<std::string> options_{};
  Loaded loaded_{};
  NSDictionary *result_{};
  id<MTLDevice> device_{};
};

@implementation SimLibrary

@synthesize label = label_;

- (instancetype)initWithSource:(NSString *)source options:(MTLCompileOptions *)options device:(id<MTLDevice>)device error:(NSError **)error {
  self = [super init];
  s = new SimLibraryState;
  s->options_ = compilerOptions(options);
  s->device_ = device;
  s->source_ = [source UTF8String];
  s->loaded_ = compileSource(s->source_, "{}", s->options_);
  s->result_ = [parse(s->loaded_.json) retain];
  NSString *errors = errorsOf(s->result_);
  if (errors == nil && s->loaded_.library == nullptr) errors = @"the compiled library does not load";
  if (errors != nil) {
    if (error != nullptr) *error = makeError(MTLLibraryErrorDomain, MTLLibraryErrorCompileFailure, errors);
    [self release];
    return nil;
  }
  return self;
}
- (void)dealloc {
  [s->result_ release];
  [label_ release];
  delete s;
  [super dealloc];
}
- (id<MTLDevice>)device {
  return s->device_;
}
- (MTLLibraryType)type {
  return MTLLibraryTypeExecutable;
}
- (NSString *)installName {
  return nil;
}
- (NSDictionary *)functionConstants {
  NSMutableDictionary *constants = [NSMutableDictionary dictionary];
  for (NSDictionary *known in [s->result_ objectForKey:@"constants"]) {
    MTLFunctionConstant *constant = [[[MTLFunctionConstant alloc] init] autorelease];
    constant->name = [[known objectForKey:@"name"] copy];
    constant->type = typeNamed([known objectForKey:@"type"]);
    constant->index = [[known objectForKey:@"index"] unsignedIntegerValue];
    [constants setObject:constant forKey:constant->name];
  }
  return constants;
}
- (NSArray *)functionNames {
  NSMutableArray *names = [NSMutableArray array];
  for (NSDictionary *kernel in [s->result_ objectForKey:@"kernels"]) [names addObject:[kernel objectForKey:@"hostName"]];
  return names;
}

- (BOOL)usesConstants:(NSString *)name {
  for (NSDictionary *kernel in [s->result_ objectForKey:@"kernels"]) {
    if ([[kernel objectForKey:@"hostName"] isEqual:name]) return [[kernel objectForKey:@"usesConstants"] boolValue];
  }
  return NO;
}

- (const metal_sim_kernel *)find:(NSString *)name in:(const metal_sim_library *)library {
  for (unsigned i = 0; i < library->kernel_count; i++) {
    if ([name isEqual:[NSString stringWithUTF8String:library->kernels[i].name]]) return &library->kernels[i];
  }
  return nullptr;
}

- (id<MTLFunction>)newFunctionWithName:(NSString *)name {
  MTLSimAssert(name != nil, @"newFunctionWithName: name must not be nil.");
  const metal_sim_kernel *kernel = [self find:name in:s->loaded_.library];
  if (kernel == nullptr) return nil;
  return [[SimFunction alloc] initWithName:name kernel:kernel needsConstants:[self usesConstants:name] key:s->loaded_.key constants:[self functionConstants] device:s->device_];
}

- (id<MTLFunction>)newFunctionWithName:(NSString *)name constantValues:(MTLFunctionConstantValues *)values error:(NSError **)error {
  MTLSimAssert(values != nil, @"constantValues must not be nil.");
  NSMutableString *json = [NSMutableString stringWithString:@"{"];
  std::map<NSUInteger, std::string> constants = values->values_->byIndex;
  for (NSDictionary *constant in [s->result_ objectForKey:@"constants"]) {
    const auto found = values->values_->byName.find([[constant objectForKey:@"name"] UTF8String]);
    if (found != values->values_->byName.end()) constants[[[constant objectForKey:@"index"] unsignedIntegerValue]] = found->second;
  }
  for (const auto &[index, text] : constants) {
    [json appendFormat:@"%@\"%lu\": \"%s\"", [json length] > 1 ? @", " : @"", (unsigned long)index, text.c_str()];
  }
  [json appendString:@"}"];
  const Loaded specialised = compileSource(s->source_, [json UTF8String], s->options_);
  NSString *errors = errorsOf(parse(specialised.json));
  const metal_sim_kernel *kernel = specialised.library == nullptr ? nullptr : [self find:name in:specialised.library];
  if (kernel == nullptr) {
    if (error != nullptr) {
      NSString *text = errors != nil ? errors : [NSString stringWithFormat:@"Function %@ was not found in the library", name];
      *error = makeError(MTLLibraryErrorDomain, errors != nil ? MTLLibraryErrorCompileFailure : MTLLibraryErrorFunctionNotFound, text);
    }
    return nil;
  }
  return [[SimFunction alloc] initWithName:name
                                    kernel:kernel
                            needsConstants:NO
                                       key:specialised.key
                                 constants:[self functionConstants]
                                    device:s->device_];
}
- (void)newFunctionWithName:(NSString *)name
             constantValues:(MTLFunctionConstantValues *)values
          completionHandler:(void (^)(id<MTLFunction>, NSError *))handler {
  name = [name copy];
  values = [values copy];
  dispatch_async(dispatch_get_global_queue(0, 0), ^{
    NSError *error = nil;
    id<MTLFunction> function = [self newFunctionWithName:name constantValues:values error:&error];
    handler(function, error);
    [function release];
    [values release];
    [name release];
  });
}
- (id<MTLFunction>)newFunctionWithDescriptor:(MTLFunctionDescriptor *)descriptor error:(NSError **)error {
  MTLSimAssert(descriptor.name != nil, @"newFunctionWithDescriptor: the name must not be nil.");
  if (descriptor.constantValues != nil) {
    return [self newFunctionWithName:descriptor.name constantValues:descriptor.constantValues error:error];
  }
  id<MTLFunction> function = [self newFunctionWithName:descriptor.name];
  if (function == nil && error != nullptr) {
    NSString *text = [NSString stringWithFormat:@"Function %@ was not found in the library", descriptor.name];
    *error = makeError(MTLLibraryErrorDomain, MTLLibraryErrorFunctionNotFound, text);
  }
  return function;
}

@end
