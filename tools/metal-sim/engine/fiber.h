/** Threads that are switched by hand: every thread of a simulated threadgroup that has barriers is one. */
#pragma once

#include <cstddef>
#include <signal.h>

#include <cstdint>

namespace metal_sim {

class Fiber {
 public:
  Fiber();
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /** Makes it run `body(argument)` from the start at the next `resume`. */
  void start(void (*body)(void*), void* argument);
  /** Runs it until it calls `suspend` or ends. */
  void resume();
  /** From inside: back to who resumed it. */
  void suspend();

  bool is_done() const { return is_done_; }
  /** Whether it ran out of its stack: it was suspended there, and must be started anew. */
  bool has_overflowed() const { return has_overflowed_; }
  bool holds(uintptr_t address) const { return address - stack_ < size_; }

 private:
  static void enter(Fiber* self);
  static void fault(int signal, siginfo_t* info, void* context);
  static void watch();

  uintptr_t stack_ = 0;
  size_t size_ = 0;
  void* inside_ = nullptr;
  void* outside_ = nullptr;
  void (*body_)(void*) = nullptr;
  void* argument_ = nullptr;
  bool is_done_ = true;
  bool has_overflowed_ = false;
};

}  // namespace metal_sim
