// Barriers, fences, and what compiled kernels call in the engine (metal_sim_abi.h, from the other side).
#pragma once

extern "C" {
void metal_sim_threadgroup_barrier(uint flags);
void metal_sim_simdgroup_barrier(uint flags);
uint metal_sim_exchange(const __constant char *what, const void *mine, uint size, void *all);
uint metal_sim_lane();
uint metal_sim_atomic_uint(uint operation, void *at, uint operand);
int metal_sim_atomic_int(uint operation, void *at, int operand);
float metal_sim_atomic_float(uint operation, void *at, float operand);
ulong metal_sim_atomic_ulong(uint operation, void *at, ulong operand);
uint metal_sim_atomic_byte(uint operation, void *at, uint operand);
int metal_sim_compare_exchange(void *at, uint *expected, uint desired);
int metal_sim_compare_exchange_byte(void *at, uint *expected, uint desired);
}

namespace metal {

enum class mem_flags : uint {
  mem_none = 0,
  mem_device = 1,
  mem_threadgroup = 2,
  mem_texture = 4,
  mem_threadgroup_imageblock = 8,
  mem_object_data = 16,
};
constexpr mem_flags operator|(mem_flags a, mem_flags b) { return static_cast<mem_flags>(static_cast<uint>(a) | static_cast<uint>(b)); }
constexpr mem_flags operator&(mem_flags a, mem_flags b) { return static_cast<mem_flags>(static_cast<uint>(a) & static_cast<uint>(b)); }

METAL_SIM_INLINE void threadgroup_barrier(mem_flags flags) { metal_sim_threadgroup_barrier(static_cast<uint>(flags)); }
METAL_SIM_INLINE void simdgroup_barrier(mem_flags flags) { metal_sim_simdgroup_barrier(static_cast<uint>(flags)); }

enum memory_order {
  memory_order_relaxed = 0,
#if __METAL_VERSION__ >= 320
  memory_order_seq_cst = 5,
#endif
};
#if __METAL_VERSION__ >= 320
enum thread_scope { thread_scope_thread, thread_scope_simdgroup, thread_scope_threadgroup, thread_scope_device };
// Threads run one at a time here, so there is nothing to wait for; a fence orders no two threads by itself.
METAL_SIM_INLINE void atomic_thread_fence(mem_flags, memory_order, thread_scope = thread_scope_device) {}
#endif

}  // namespace metal
