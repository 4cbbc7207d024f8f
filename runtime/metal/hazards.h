#pragma once
#include <cstddef>
#include <unordered_map>
#include <vector>

namespace mlxc {

/** Bytes of a buffer that a command touches. */
struct Access {
  const void *buffer;
  size_t begin;
  size_t end;
  bool isRead;
  bool isWritten;
};

/**
 * What the commands since the last barrier have touched. Commands of a concurrent encoder run in any order; a barrier is needed before
 * one that reads what was written, or writes what was read or written.
 */
class Hazards {
 public:
  bool needBarrier(const std::vector<Access> &accesses) const;
  void add(const std::vector<Access> &accesses);
  void clear() { touched_.clear(); }

 private:
  struct Range {
    size_t begin;
    size_t end;
  };
  struct Touched {
    std::vector<Range> reads;
    std::vector<Range> writes;
  };
  static bool overlaps(const std::vector<Range> &ranges, const Access &access);
  static void insert(std::vector<Range> &ranges, const Access &access);

  std::unordered_map<const void *, Touched> touched_;
};

}  // namespace mlxc
