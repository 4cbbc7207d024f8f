// The types of a kernel's parameters, for the generated functions that hand arguments to it. C++ for OpenCL.
#ifndef METAL_SIM_ENTRIES_H
#define METAL_SIM_ENTRIES_H

extern "C" {
void *metal_sim_local(uint declaration, ulong size, ulong alignment);
}

struct metal_sim_thread {
  uint position_in_grid[3];
  uint grid_size[3];
  uint position_in_threadgroup[3];
  uint threadgroup_size[3];
  uint dispatched_threadgroup_size[3];
  uint threadgroup_position[3];
  uint threadgroup_count[3];
  uint index_in_threadgroup;
  uint index_in_simdgroup;
  uint simdgroup_index;
  uint simdgroup_count;
  uint dispatched_simdgroup_count;
};

struct metal_sim_arguments {
  const metal_sim_thread *thread;
  void *const *buffers;
  void *const *threadgroup;
};

// Reads what the host wrote, which is no memory of the GPU.
#define METAL_SIM_HOST __attribute__((no_sanitize("kernel-address"))) inline

namespace metal_sim {

/**
 * Memory that the threads of a threadgroup share, by the number of its declaration. Its size is also written to a table with the place of
 * the code, so that what a kernel needs is known before it runs.
 */
template <typename T, uint declaration> __attribute__((always_inline)) inline __local T &shared() {
  __asm__ volatile(
      "1:\n.pushsection metal_sim_declared,\"aw\"\n.balign 8\n.8byte 1b\n.8byte %c0\n.8byte %c1\n.popsection"
      :
      : "i"(declaration), "i"(sizeof(T)));
  return *(__local T *)metal_sim_local(declaration, sizeof(T), alignof(T));
}

template <unsigned I, typename... A> struct nth;
template <typename A, typename... R> struct nth<0, A, R...> { typedef A type; };
template <unsigned I, typename A, typename... R> struct nth<I, A, R...> { typedef typename nth<I - 1, R...>::type type; };

template <typename F> using pointer = F *;

template <typename F> struct parameters;
template <typename R, typename... A> struct parameters<R(A...)> {
  template <unsigned I> struct at { typedef typename nth<I, A...>::type type; };
};

/** Bytes of one element; a pointer to void is to bytes. */
template <typename T> struct size_behind { static constexpr unsigned long value = sizeof(T); };
#define METAL_SIM_VOID(T) template <> struct size_behind<T> { static constexpr unsigned long value = 1; };
METAL_SIM_VOID(void)
METAL_SIM_VOID(const void)
#undef METAL_SIM_VOID

/** A pointer or reference, from the address that the host bound. */
template <typename T> struct argument;
#define METAL_SIM_ARGUMENT(SPACE, CONST, WRITABLE) \
  template <typename T> struct argument<SPACE CONST T *> { \
    static constexpr unsigned long size = size_behind<T>::value; \
    static constexpr unsigned is_reference = 0, is_writable = WRITABLE; \
    static SPACE CONST T *of(void *at) { return (SPACE CONST T *)at; } \
  }; \
  template <typename T> struct argument<SPACE CONST T &> { \
    static constexpr unsigned long size = sizeof(T); \
    static constexpr unsigned is_reference = 1, is_writable = WRITABLE; \
    static SPACE CONST T &of(void *at) { return *(SPACE CONST T *)at; } \
  };
METAL_SIM_ARGUMENT(metal_sim_device, , 1)
METAL_SIM_ARGUMENT(metal_sim_device, const, 0)
METAL_SIM_ARGUMENT(__attribute__((opencl_global_host)), const, 0)
METAL_SIM_ARGUMENT(metal_sim_device, volatile, 1)
METAL_SIM_ARGUMENT(metal_sim_device, const volatile, 0)
METAL_SIM_ARGUMENT(__local, , 1)
METAL_SIM_ARGUMENT(__local, volatile, 1)
METAL_SIM_ARGUMENT(__local, const, 0)
#undef METAL_SIM_ARGUMENT

/** A position or size of one to three numbers. */
template <typename T> struct input {
  METAL_SIM_HOST static T of(const uint *v) { return (T)v[0]; }
  static T zero() { return (T)0; }
};
template <typename T> struct input<const T> : input<T> {};
#define METAL_SIM_INPUT(T) \
  template <> struct input<metal::T##2> { \
    METAL_SIM_HOST static metal::T##2 of(const uint *v) { return (metal::T##2)((T)v[0], (T)v[1]); } \
    static metal::T##2 zero() { return (metal::T##2)((T)0, (T)0); } \
  }; \
  template <> struct input<metal::T##3> { \
    METAL_SIM_HOST static metal::T##3 of(const uint *v) { return (metal::T##3)((T)v[0], (T)v[1], (T)v[2]); } \
    static metal::T##3 zero() { return (metal::T##3)((T)0, (T)0, (T)0); } \
  };
METAL_SIM_INPUT(uint)
METAL_SIM_INPUT(ushort)
#undef METAL_SIM_INPUT

}  // namespace metal_sim

#endif
