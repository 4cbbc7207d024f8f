// Logs, which nobody reads here: what they are given is evaluated and dropped.
#pragma once

#if __METAL_VERSION__ >= 320
namespace metal {

struct os_log {
  constexpr os_log(const __generic char *, const __generic char *) {}
  constexpr os_log() = default;
#define METAL_SIM_LOG(NAME) \
  template <typename... A> METAL_SIM_INLINE void NAME(metal_sim_constant char *, A...) const {}
  METAL_SIM_LOG(log)
  METAL_SIM_LOG(log_debug)
  METAL_SIM_LOG(log_info)
  METAL_SIM_LOG(log_error)
  METAL_SIM_LOG(log_fault)
#undef METAL_SIM_LOG
};
static __global const os_log os_log_default{};

}  // namespace metal
#endif
