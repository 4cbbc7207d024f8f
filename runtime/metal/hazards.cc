#include "hazards.h"

namespace mlxc {

bool Hazards::overlaps(const std::vector<Range> &ranges, const Access &access) {
  for (const Range &range : ranges) {
    if (range.begin < access.end && access.begin < range.end) return true;
  }
  return false;
}

void Hazards::insert(std::vector<Range> &ranges, const Access &access) {
  for (Range &range : ranges) {
    if (range.begin <= access.begin && access.end <= range.end) return;
    // slices one after the other grow one range
    if (range.end == access.begin) {
      range.end = access.end;
      return;
    }
  }
  ranges.push_back({access.begin, access.end});
}

bool Hazards::needBarrier(const std::vector<Access> &accesses) const {
  for (const Access &access : accesses) {
    const auto found = touched_.find(access.buffer);
    if (found == touched_.end()) continue;
    if (overlaps(found->second.writes, access)) return true;
    if (access.isWritten && overlaps(found->second.reads, access)) return true;
  }
  return false;
}

void Hazards::add(const std::vector<Access> &accesses) {
  for (const Access &access : accesses) {
    if (access.begin == access.end) continue;
    Touched &touched = touched_[access.buffer];
    if (access.isRead) insert(touched.reads, access);
    if (access.isWritten) insert(touched.writes, access);
  }
}

}  // namespace mlxc
