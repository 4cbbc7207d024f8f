#include "symbolize.h"

#include <dlfcn.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

namespace metal_sim {

Place place_of(const void* return_address, const std::string& source_name) {
  static std::map<const void*, Place> known;
  if (auto found = known.find(return_address); found != known.end()) return found->second;
  Place place;
  Dl_info info;
  // the call is before the address that it returns to
  const auto* at = static_cast<const char*>(return_address) - 1;
  if (dladdr(at, &info) != 0 && info.dli_fname != nullptr) {
    const auto offset = static_cast<uintptr_t>(at - static_cast<const char*>(info.dli_fbase));
    char command[4096];
    std::snprintf(command, sizeof command, "addr2line -i -e '%s' 0x%" PRIxPTR " 2>/dev/null", info.dli_fname, offset);
    if (FILE* lines = popen(command, "r")) {
      char line[4096];
      while (place.line == 0 && std::fgets(line, sizeof line, lines) != nullptr) {
        const std::string text(line);
        const size_t colon = text.rfind(':');
        if (colon == std::string::npos || text.substr(0, colon).find(source_name) == std::string::npos) continue;
        place.line = static_cast<unsigned>(std::strtoul(text.c_str() + colon + 1, nullptr, 10));
      }
      pclose(lines);
    }
  }
  known[return_address] = place;
  return place;
}

}  // namespace metal_sim
