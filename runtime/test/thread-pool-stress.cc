// Stress for the thread pool, to be built with -fsanitize=thread: launches of all sizes, callers on several threads at once,
// stops and restarts, sleeps long enough for workers to fall asleep, a fork. Exits with 0 when every task ran once.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "../src/cpu/memory.h"
#include "../src/cpu/thread-pool.h"

namespace {

constexpr int64_t kMaxTasks = 1000;

/** Adds one to counts[task] and to a word of the worker's scratch, without atomics: a task run twice at once is a race. */
void count(void *const *buffers, const int64_t *integers, void *scratch, int64_t begin, int64_t end) {
  auto *counts = static_cast<int *>(buffers[0]);
  for (int64_t task = begin; task < end; task++) {
    counts[task] += static_cast<int>(integers[0]);
    static_cast<int64_t *>(scratch)[task % 8] = task;
  }
}

bool launchMany(int rounds, unsigned seed) {
  std::vector<int> counts(kMaxTasks, 0);
  for (int round = 0; round < rounds; round++) {
    seed = seed * 1664525 + 1013904223;
    const int64_t total = 1 + seed % kMaxTasks;
    const int64_t grain = 1 + (seed >> 16) % 64;
    std::fill(counts.begin(), counts.end(), 0);
    void *buffers[] = {counts.data()};
    const int64_t integers[] = {3};
    if (!mlxc::runLaunch({count, buffers, integers, 64 + (seed >> 20), total, grain})) return false;
    for (int64_t i = 0; i < kMaxTasks; i++) {
      if (counts[i] != (i < total ? 3 : 0)) {
        std::fprintf(stderr, "task %ld of %ld ran %d times\n", long(i), long(total), counts[i] / 3);
        return false;
      }
    }
    if (seed % 257 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace

int main() {
  setenv("MLXC_THREADS", "4", 1);
  std::atomic<bool> fine{true};
  for (int restart = 0; restart < 5; restart++) {
    if (!launchMany(500, restart)) return 1;
    mlxc::stopThreads();
  }
  std::vector<std::thread> callers;
  for (unsigned i = 0; i < 3; i++) {
    callers.emplace_back([i, &fine] {
      if (!launchMany(500, i + 100)) fine = false;
    });
  }
  for (std::thread &caller : callers) caller.join();
  if (!fine) return 1;
#ifndef NO_FORK
  // the child has none of the pool's threads and starts its own
  const pid_t child = fork();
  if (child == 0) {
    const bool ran = launchMany(200, 7);
    mlxc::stopThreads();
    _exit(ran ? 0 : 1);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 0) {
    std::fprintf(stderr, "the forked child failed: %d\n", status);
    return 1;
  }
#endif
  if (!launchMany(200, 9)) return 1;
  mlxc::stopThreads();
  std::puts("ok");
  return 0;
}
