/** From an address in a compiled kernel to the line of its Metal source. */
#pragma once

#include <string>

namespace metal_sim {

struct Place {
  /** 0 when nothing is known. */
  unsigned line = 0;
};

/** The innermost line of `source_name` that the code before a return address belongs to, calls that were inlined included. */
Place place_of(const void* return_address, const std::string& source_name);

}  // namespace metal_sim
