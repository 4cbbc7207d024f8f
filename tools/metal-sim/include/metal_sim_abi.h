/**
 * What compiled kernels and the engine say to each other. Kernels are C++ for OpenCL compiled for this machine: pointers of all
 * address spaces are plain pointers here. Included by both sides, so it is plain C.
 */
#ifndef METAL_SIM_ABI_H
#define METAL_SIM_ABI_H

#define METAL_SIM_BUFFERS 31
#define METAL_SIM_LANES 32

/** Where a thread is: what the `[[...]]` inputs of kernels read. */
struct metal_sim_thread {
  unsigned position_in_grid[3];
  unsigned grid_size[3];
  unsigned position_in_threadgroup[3];
  /** Of this threadgroup: smaller than dispatched at the edge of a non-uniform grid. */
  unsigned threadgroup_size[3];
  unsigned dispatched_threadgroup_size[3];
  unsigned threadgroup_position[3];
  unsigned threadgroup_count[3];
  unsigned index_in_threadgroup;
  unsigned index_in_simdgroup;
  unsigned simdgroup_index;
  unsigned simdgroup_count;
  unsigned dispatched_simdgroup_count;
};

struct metal_sim_arguments {
  const struct metal_sim_thread *thread;
  /** What `[[buffer(n)]]` points at. */
  void *const *buffers;
  /** What `[[threadgroup(n)]]` points at. */
  void *const *threadgroup;
};

enum metal_sim_parameter_kind {
  metal_sim_device_buffer,
  metal_sim_constant_buffer,
  metal_sim_threadgroup_buffer,
  metal_sim_builtin,
};

/** Of a struct that is an argument buffer. */
struct metal_sim_member {
  /** `[[id(n)]]`; an array has those that follow too. */
  unsigned index;
  unsigned is_pointer;
  unsigned long offset;
  unsigned long size;
  unsigned count;
};

struct metal_sim_parameter {
  const char *name;
  enum metal_sim_parameter_kind kind;
  unsigned index;
  /** Bytes behind a reference, or of one element behind a pointer. */
  unsigned long size;
  unsigned is_reference;
  unsigned is_writable;
  /** A buffer guarded by a function constant that is false: it need not be bound. */
  unsigned is_absent;
  const struct metal_sim_member *members;
  unsigned member_count;
};

struct metal_sim_kernel {
  /** As the host asks for it. */
  const char *name;
  void (*run)(const struct metal_sim_arguments *arguments);
  const struct metal_sim_parameter *parameters;
  unsigned parameter_count;
  /** `[[max_total_threads_per_threadgroup(n)]]`, or 0. */
  unsigned max_threads;
  /** Whether its threads ever wait for each other; if not, they run in a plain loop. */
  unsigned has_barriers;
  /** Bytes of threadgroup memory that its body declares. */
  unsigned long static_local;
};

/** A declaration of threadgroup memory where the compiler has put it: there may be several of one declaration. */
struct metal_sim_declared {
  const void *at;
  unsigned long declaration;
  unsigned long size;
};

/** What a compiled library exports. */
struct metal_sim_library {
  const struct metal_sim_kernel *kernels;
  unsigned kernel_count;
};

#ifdef __cplusplus
extern "C" {
#endif

/** Memory flags of barriers: bits of `metal::mem_flags`. */
enum { metal_sim_mem_device = 1, metal_sim_mem_threadgroup = 2 };

void metal_sim_threadgroup_barrier(unsigned flags);
void metal_sim_simdgroup_barrier(unsigned flags);

/** Threadgroup memory of a declaration in a kernel: the same bytes for all threads of the threadgroup, undefined at first. */
void *metal_sim_local(unsigned declaration, unsigned long size, unsigned long alignment);

/**
 * All lanes of a simdgroup meet: each gives `size` bytes and gets those of all, by lane, in `all`. Returns the mask of the lanes that
 * exist. `what` names the function, in reports.
 */
unsigned metal_sim_exchange(const char *what, const void *mine, unsigned size, void *all);

/** The bytes that a kernel declares, by the functions that its body may have become part of. */
unsigned long metal_sim_static_local(const struct metal_sim_declared *begin, const struct metal_sim_declared *end, const void *run,
                                     const void *body);

/** A library tells of itself when it is loaded. */
void metal_sim_loaded(const struct metal_sim_library *library);

/** `[[thread_index_in_simdgroup]]` of the calling thread. */
unsigned metal_sim_lane(void);

enum metal_sim_atomic {
  metal_sim_atomic_load,
  metal_sim_atomic_store,
  metal_sim_atomic_exchange,
  metal_sim_atomic_add,
  metal_sim_atomic_sub,
  metal_sim_atomic_and,
  metal_sim_atomic_or,
  metal_sim_atomic_xor,
  metal_sim_atomic_min,
  metal_sim_atomic_max,
};

/** Each gives the value before. */
unsigned metal_sim_atomic_uint(enum metal_sim_atomic operation, void *at, unsigned operand);
int metal_sim_atomic_int(enum metal_sim_atomic operation, void *at, int operand);
float metal_sim_atomic_float(enum metal_sim_atomic operation, void *at, float operand);
unsigned long metal_sim_atomic_ulong(enum metal_sim_atomic operation, void *at, unsigned long operand);
/** Of `atomic_bool`: load, store and exchange. */
unsigned metal_sim_atomic_byte(enum metal_sim_atomic operation, void *at, unsigned operand);
/** True when `*at` was `*expected` and is now `desired`; else `*expected` becomes `*at`. Fails now and then for no reason, as Metal may. */
int metal_sim_compare_exchange(void *at, unsigned *expected, unsigned desired);
/** The same of one byte. */
int metal_sim_compare_exchange_byte(void *at, unsigned *expected, unsigned desired);

#ifdef __cplusplus
}
#endif

#endif
