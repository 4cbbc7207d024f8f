// Stress for the thread pool and the queue of runs, to be built with -fsanitize=thread: launches of all sizes, callers on several threads at once,
// stops and restarts, sleeps long enough for workers to fall asleep, a fork. Exits with 0 when every task ran once.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "../src/cpu/memory.h"
#include "../src/cpu/run-queue.h"
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

/** Adds to numbers without atomics, in runs that depend on each other by their order alone; some fail, and so do those after them. */
bool queueMany(int rounds, unsigned seed, bool abandons) {
  int owner = 0;
  std::atomic<int> notices{0};
  for (int round = 0; round < rounds; round++) {
    int sum = 0;
    std::vector<mlxc::RunReference> runs;
    seed = seed * 1664525 + 1013904223;
    const int length = 1 + static_cast<int>((seed >> 8) % 40);
    const int bad = static_cast<int>((seed >> 16) % 80);
    for (int i = 0; i < length; i++) {
      std::vector<mlxc::RunReference> after;
      if (i > 0) after.push_back(runs.back());
      runs.push_back(std::make_shared<mlxc::Run>(
          &owner,
          [&sum, i, bad](mlxc::Block &arena) -> std::string {
            auto *temporary = static_cast<int *>(arena.ensure(4096));
            *temporary = sum;
            std::vector<int> counts(64, 0);
            void *buffers[] = {counts.data()};
            const int64_t integers[] = {1};
            if (!mlxc::runLaunch({count, buffers, integers, 64, 64, 8})) return "no scratch";
            if (i == bad) return "bad";
            sum = *temporary + counts[i % 64];
            return "";
          },
          std::move(after), [&notices] { notices++; }));
      mlxc::submit(runs.back());
      if ((seed >> 24) % 16 == static_cast<unsigned>(i % 16)) mlxc::wait(*runs[i / 2]);
    }
    if (abandons && round % 3 == 0) {
      mlxc::abandon(&owner);
      for (const auto &run : runs) {
        if (!run->hasEnded()) return false;
      }
      continue;
    }
    mlxc::wait(*runs.back());
    const int ran = bad < length ? bad : length;
    if (sum != ran || runs.back()->problem() != (bad < length ? "bad" : "")) {
      std::fprintf(stderr, "%d of %d queued runs ran\n", sum, ran);
      return false;
    }
    if (seed % 17 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  // a notice may still be on its way when the last wait returns
  mlxc::abandon(&owner);
  return notices > 0;
}

}  // namespace

int main() {
  setenv("MLXC_THREADS", "4", 1);
  std::atomic<bool> fine{true};
  for (int restart = 0; restart < 5; restart++) {
    if (!launchMany(500, restart)) return 1;
    if (!queueMany(50, restart, restart % 2 == 1)) return 1;
    mlxc::stopExecutor();
    mlxc::stopThreads();
  }
  std::vector<std::thread> callers;
  for (unsigned i = 0; i < 3; i++) {
    callers.emplace_back([i, &fine] {
      if (!launchMany(500, i + 100)) fine = false;
      if (!queueMany(200, i + 100, i == 1)) fine = false;
    });
  }
  for (std::thread &caller : callers) caller.join();
  if (!fine) return 1;
#ifndef NO_FORK
  // the child has none of the pool's threads and starts its own
  const pid_t child = fork();
  if (child == 0) {
    const bool ran = launchMany(200, 7) && queueMany(50, 7, true);
    mlxc::stopExecutor();
    mlxc::stopThreads();
    _exit(ran ? 0 : 1);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 0) {
    std::fprintf(stderr, "the forked child failed: %d\n", status);
    return 1;
  }
#endif
  if (!launchMany(200, 9) || !queueMany(50, 9, false)) return 1;
  mlxc::stopExecutor();
  mlxc::stopThreads();
  std::puts("ok");
  return 0;
}
