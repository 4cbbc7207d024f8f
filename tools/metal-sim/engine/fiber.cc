#include "fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#if defined(__x86_64__)

// Saves the registers that a call keeps and the stack pointer, and takes up those of the other side.
extern "C" void metal_sim_switch(void** save, void* load);
asm(R"(
.text
.globl metal_sim_switch
.type metal_sim_switch, @function
metal_sim_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size metal_sim_switch, .-metal_sim_switch
)");
// Where a fresh fiber begins: what `start` left in %rbx, with its argument in %r12.
extern "C" void metal_sim_begin();
asm(R"(
.text
.globl metal_sim_begin
.type metal_sim_begin, @function
metal_sim_begin:
  movq %r12, %rdi
  callq *%rbx
  ud2
.size metal_sim_begin, .-metal_sim_begin
)");

#elif defined(__aarch64__)

extern "C" void metal_sim_switch(void** save, void* load);
asm(R"(
.text
.globl metal_sim_switch
metal_sim_switch:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
.globl metal_sim_begin
metal_sim_begin:
  mov x0, x20
  blr x19
  brk #1
)");
extern "C" void metal_sim_begin();

#else
#error "the simulator switches fibers on x86-64 and arm64 only"
#endif

namespace metal_sim {

namespace {
constexpr size_t kStack = 256 * 1024;
/** Below each stack, never touched but by a thread that runs out of it. */
constexpr size_t kGuard = 64 * 1024;
thread_local Fiber* running = nullptr;
struct sigaction before;
}  // namespace

/** A stack's end ends its fiber; any other fault is as it would be. */
void Fiber::fault(int signal, siginfo_t* info, void*) {
  Fiber* fiber = running;
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  if (fiber != nullptr && fiber->stack_ - address <= kGuard) {
    fiber->has_overflowed_ = true;
    fiber->suspend();
  }
  sigaction(signal, &before, nullptr);
}

/** Faults are handled on a stack of their own, one for each thread that runs fibers. */
void Fiber::watch() {
  static thread_local std::unique_ptr<char[]> stack;
  if (stack != nullptr) return;
  stack = std::make_unique<char[]>(kGuard);
  stack_t other{};
  other.ss_sp = stack.get();
  other.ss_size = kGuard;
  sigaltstack(&other, nullptr);
  static const bool is_installed = [] {
    struct sigaction action {};
    action.sa_sigaction = &Fiber::fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    return sigaction(SIGSEGV, &action, &before) == 0;
  }();
  (void)is_installed;
}


Fiber::Fiber() {
  size_ = kStack;
  void* memory = mmap(nullptr, size_ + kGuard, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    std::fprintf(stderr, "metal-sim: no memory for the stack of a thread\n");
    std::abort();
  }
  mprotect(memory, kGuard, PROT_NONE);
  stack_ = reinterpret_cast<uintptr_t>(memory) + kGuard;
}

Fiber::~Fiber() {
  munmap(reinterpret_cast<void*>(stack_ - kGuard), size_ + kGuard);
}

void Fiber::enter(Fiber* self) {
  self->body_(self->argument_);
  self->is_done_ = true;
  self->suspend();
}

void Fiber::start(void (*body)(void*), void* argument) {
  body_ = body;
  argument_ = argument;
  is_done_ = false;
  has_overflowed_ = false;
  auto* top = reinterpret_cast<void**>((stack_ + size_) & ~uintptr_t{15});
#if defined(__x86_64__)
  *--top = nullptr;
  *--top = nullptr;
  *--top = reinterpret_cast<void*>(metal_sim_begin);
  *--top = nullptr;                                    // rbp
  *--top = reinterpret_cast<void*>(&Fiber::enter);     // rbx
  *--top = this;                                       // r12
  for (int i = 0; i < 3; i++) *--top = nullptr;        // r13, r14, r15
#else
  top -= 20;
  for (int i = 0; i < 20; i++) top[i] = nullptr;
  top[0] = reinterpret_cast<void*>(&Fiber::enter);     // x19
  top[1] = this;                                       // x20
  top[11] = reinterpret_cast<void*>(metal_sim_begin);  // x30
#endif
  inside_ = top;
}

void Fiber::resume() {
  watch();
  Fiber* const outer = running;
  running = this;
  metal_sim_switch(&outside_, inside_);
  running = outer;
}
void Fiber::suspend() { metal_sim_switch(&inside_, outside_); }

}  // namespace metal_sim
