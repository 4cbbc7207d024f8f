#include "library.h"

#include <dlfcn.h>

namespace mlxc {

Library::~Library() {
  if (handle_ != nullptr) dlclose(handle_);
}

std::string Library::open(const std::string &path) {
  handle_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle_ != nullptr) return "";
  const char *message = dlerror();
  return message == nullptr ? "dlopen failed" : message;
}

KernelFunction Library::find(const std::string &symbol) const {
  return reinterpret_cast<KernelFunction>(dlsym(handle_, symbol.c_str()));
}

}  // namespace mlxc
