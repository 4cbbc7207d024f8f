#pragma once
#include "kernel.h"

namespace mlxc {

/** Threads that take part in a launch, the caller included: MLXC_THREADS, else the processors that this process may use. */
int threadCount();

/**
 * Runs a launch to its end: on the caller's thread when one grain holds it all or another thread is using the pool,
 * otherwise on all threads. False when there is no memory for the scratch. Any thread may call.
 */
bool runLaunch(const Launch &launch);

/** Ends the threads; the next launch starts them again. Only while no launch runs on the calling side. */
void stopThreads();

}  // namespace mlxc
