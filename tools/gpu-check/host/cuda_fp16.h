// Of CUDA what msl.cuh and the kernels use, as C++20 for this machine: a thread of the system for each thread of a block, block
// after block. For tests without a GPU; compiled by clang++ with this folder before all others.
#pragma once
#include <barrier>
#include <climits>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#define __global__
#define __launch_bounds__(threads)
#define __shared__ static
#define __restrict__ __restrict

typedef _Float16 half;
struct uint2 { unsigned x, y; };
struct uint3 { unsigned x, y, z; };
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }

inline thread_local uint3 threadIdx, blockIdx;

/// The threads of a block meet here, and those of a warp, which exchange values.
struct Block {
  explicit Block(unsigned threads) : all(threads) {
    for (unsigned w = 0; w < (threads + 31) / 32; ++w) warps.push_back(std::make_unique<Warp>());
  }
  struct Warp {
    std::barrier<> meet{32};
    uint64_t values[32] = {};
  };
  std::barrier<> all;
  std::vector<std::unique_ptr<Warp>> warps;
};
inline Block* running = nullptr;

inline void __syncthreads() { running->all.arrive_and_wait(); }

template <typename T> T __shfl_sync(unsigned, T value, unsigned source) {
  Block::Warp& warp = *running->warps[threadIdx.x / 32];
  std::memcpy(&warp.values[threadIdx.x % 32], &value, sizeof(T));
  warp.meet.arrive_and_wait();
  T result;
  std::memcpy(&result, &warp.values[source % 32], sizeof(T));
  warp.meet.arrive_and_wait();
  return result;
}
template <typename T> T __shfl_xor_sync(unsigned lanes, T value, unsigned mask) {
  return __shfl_sync(lanes, value, threadIdx.x % 32 ^ mask);
}
inline int __any_sync(unsigned lanes, int x) {
  for (unsigned mask = 16; mask > 0; mask /= 2) x |= __shfl_xor_sync(lanes, x, mask);
  return x;
}
inline int __all_sync(unsigned lanes, int x) { return !__any_sync(lanes, !x); }

inline float __int_as_float(int bits) {
  float x;
  std::memcpy(&x, &bits, 4);
  return x;
}
inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
inline int __popcll(unsigned long x) { return __builtin_popcountl(x); }
inline int __clzll(unsigned long x) { return x == 0 ? 64 : __builtin_clzl(x); }

/// Runs `kernel` for each block of a grid.
inline void launch(uint3 grid, unsigned threads, const std::function<void()>& kernel) {
  for (unsigned z = 0; z < grid.z; ++z)
    for (unsigned y = 0; y < grid.y; ++y)
      for (unsigned x = 0; x < grid.x; ++x) {
        Block block(threads);
        running = &block;
        std::vector<std::thread> team;
        for (unsigned t = 0; t < threads; ++t)
          team.emplace_back([=, &kernel] {
            threadIdx = {t, 0, 0};
            blockIdx = {x, y, z};
            kernel();
          });
        for (std::thread& member : team) member.join();
      }
}
