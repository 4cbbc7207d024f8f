#pragma once
#include <string>
#include <vector>

#include "../src/plan/decoded-plan.h"
#include "context.h"
#include "run.h"

namespace mlxc {

/** Memory of JavaScript's as what kernels can be given. */
struct BoundArguments {
  RunArguments arguments;
  /** Whether the run must have ended when the call returns: it reads memory that the program can write to. */
  bool mustWait = false;
};

/**
 * Binds parameters and results. Memory of the pool is bound as it is. Other memory is wrapped where it is whole pages, else copied: parameters
 * now, results (which are donated parameters) when the run has ended. `exposed` are the positions of parameters that the program can
 * write to while the run is pending: those are copied up to 256 KiB in all. Returns the problem, or an empty string.
 */
std::string bindArguments(MetalContext &context, const std::vector<Span> &parameters, const std::vector<Span> &results,
                          const std::vector<uint32_t> &exposed, BoundArguments &bound);

}  // namespace mlxc
