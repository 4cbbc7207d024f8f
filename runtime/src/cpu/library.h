#pragma once
#include <string>

#include "kernel.h"

namespace mlxc {

/** A shared library of kernels, open while the object lives. */
class Library {
 public:
  Library() = default;
  Library(const Library &) = delete;
  Library &operator=(const Library &) = delete;
  ~Library();

  /** Empty on success, otherwise the loader's message. */
  std::string open(const std::string &path);
  /** Null when there is no such symbol. */
  KernelFunction find(const std::string &symbol) const;

 private:
  void *handle_ = nullptr;
};

}  // namespace mlxc
