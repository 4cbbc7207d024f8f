// Functions of integers, and those that integers and floats share.
#pragma once

namespace metal {

#define METAL_SIM_INTEGERS(m) \
  m(char, uchar, short, 8) m(uchar, uchar, ushort, 8) m(short, ushort, int, 16) m(ushort, ushort, uint, 16) m(int, uint, long, 32) \
  m(uint, uint, ulong, 32) m(long, ulong, __int128, 64) m(ulong, ulong, unsigned __int128, 64)

#define METAL_SIM_ORDERED(T) \
  METAL_SIM_INLINE T max3(T x, T y, T z) { return max(max(x, y), z); } \
  METAL_SIM_INLINE T min3(T x, T y, T z) { return min(min(x, y), z); } \
  METAL_SIM_INLINE T median3(T x, T y, T z) { return max(min(x, y), min(max(x, y), z)); } \
  METAL_SIM_INLINE T clamp(T x, T low, T high) { return min(max(x, low), high); }

#define METAL_SIM_INTEGER(T, U, W, BITS) \
  METAL_SIM_INLINE T max(T x, T y) { return x < y ? y : x; } \
  METAL_SIM_INLINE T min(T x, T y) { return y < x ? y : x; } \
  METAL_SIM_ORDERED(T) \
  METAL_SIM_INLINE T abs(T x) { return (T)(x < 0 ? (U)0 - (U)x : (U)x); } \
  METAL_SIM_INLINE T absdiff(T x, T y) { return (T)(x < y ? (U)y - (U)x : (U)x - (U)y); } \
  METAL_SIM_INLINE T addsat(T x, T y) { \
    T r; \
    return __builtin_add_overflow(x, y, (__private T *)&r) ? (x < 0 ? numeric_limits<T>::min() : numeric_limits<T>::max()) : r; \
  } \
  METAL_SIM_INLINE T subsat(T x, T y) { \
    T r; \
    return __builtin_sub_overflow(x, y, (__private T *)&r) \
               ? ((numeric_limits<T>::is_signed ? x < 0 : true) ? numeric_limits<T>::min() : numeric_limits<T>::max()) \
               : r; \
  } \
  METAL_SIM_INLINE T popcount(T x) { return (T)__builtin_popcountl((ulong)(U)x); } \
  METAL_SIM_INLINE T clz(T x) { return (T)(x == 0 ? BITS : __builtin_clzl((ulong)(U)x) - (64 - BITS)); } \
  METAL_SIM_INLINE T ctz(T x) { return (T)(x == 0 ? BITS : __builtin_ctzl((ulong)(U)x)); } \
  METAL_SIM_INLINE T reverse_bits(T x) { return (T)(U)(__builtin_bitreverse64((ulong)(U)x) >> (64 - BITS)); } \
  METAL_SIM_INLINE T rotate(T x, T y) { \
    const uint by = (uint)y & (BITS - 1); \
    return (T)(by == 0 ? (U)x : (U)((U)((U)x << by) | (U)((U)x >> (BITS - by)))); \
  } \
  METAL_SIM_INLINE T hadd(T x, T y) { return (T)((x >> 1) + (y >> 1) + (x & y & 1)); } \
  METAL_SIM_INLINE T rhadd(T x, T y) { return (T)((x >> 1) + (y >> 1) + ((x | y) & 1)); } \
  METAL_SIM_INLINE T extract_bits(T x, uint offset, uint bits) { \
    if (bits == 0) return 0; \
    return (T)((T)((U)x << (BITS - bits - offset)) >> (BITS - bits)); \
  } \
  METAL_SIM_INLINE T insert_bits(T base, T insert, uint offset, uint bits) { \
    if (bits == 0) return base; \
    const U mask = (U)((U)((U)~(U)0 >> (BITS - bits)) << offset); \
    return (T)(((U)base & (U)~mask) | ((U)((U)insert << offset) & mask)); \
  }
METAL_SIM_INTEGERS(METAL_SIM_INTEGER)
#undef METAL_SIM_INTEGER

#define METAL_SIM_HIGH(T, U, W, BITS) \
  METAL_SIM_INLINE T mulhi(T x, T y) { return (T)(((W)x * (W)y) >> BITS); } \
  METAL_SIM_INLINE T madhi(T x, T y, T z) { return (T)((U)mulhi(x, y) + (U)z); } \
  METAL_SIM_INLINE T madsat(T x, T y, T z) { \
    const W r = (W)x * (W)y + (W)z; \
    return r > (W)numeric_limits<T>::max() ? numeric_limits<T>::max() : r < (W)numeric_limits<T>::min() ? numeric_limits<T>::min() : (T)r; \
  }
METAL_SIM_HIGH(char, uchar, int, 8)
METAL_SIM_HIGH(uchar, uchar, uint, 8)
METAL_SIM_HIGH(short, ushort, int, 16)
METAL_SIM_HIGH(ushort, ushort, uint, 16)
METAL_SIM_HIGH(int, uint, long, 32)
METAL_SIM_HIGH(uint, uint, ulong, 32)
#undef METAL_SIM_HIGH
METAL_SIM_INLINE ulong mulhi(ulong x, ulong y) {
  const ulong a = x >> 32, b = x & 0xffffffff, c = y >> 32, d = y & 0xffffffff;
  const ulong middle = a * d + (b * d >> 32);
  return a * c + (middle >> 32) + ((b * c + (middle & 0xffffffff)) >> 32);
}
METAL_SIM_INLINE long mulhi(long x, long y) {
  return (long)(mulhi((ulong)x, (ulong)y) - (x < 0 ? (ulong)y : 0) - (y < 0 ? (ulong)x : 0));
}
METAL_SIM_INLINE ulong madhi(ulong x, ulong y, ulong z) { return mulhi(x, y) + z; }
METAL_SIM_INLINE long madhi(long x, long y, long z) { return (long)((ulong)mulhi(x, y) + (ulong)z); }
METAL_SIM_INLINE ulong madsat(ulong x, ulong y, ulong z) {
  ulong r;
  const bool is_over = mulhi(x, y) != 0 || __builtin_add_overflow(x * y, z, (__private ulong *)&r);
  return is_over ? numeric_limits<ulong>::max() : r;
}
METAL_SIM_INLINE long madsat(long x, long y, long z) {
  // a product of 128 bits, in two halves, and a sum
  const ulong product = (ulong)x * (ulong)y, low = product + (ulong)z;
  const long high = (long)((ulong)mulhi(x, y) + (z < 0 ? ~0ul : 0ul) + (low < product ? 1 : 0));
  if (high == ((long)low < 0 ? -1 : 0)) return (long)low;
  return high < 0 ? numeric_limits<long>::min() : numeric_limits<long>::max();
}
METAL_SIM_INLINE int mul24(int x, int y) { return ((x << 8) >> 8) * ((y << 8) >> 8); }
METAL_SIM_INLINE uint mul24(uint x, uint y) { return (x & 0xffffff) * (y & 0xffffff); }
METAL_SIM_INLINE int mad24(int x, int y, int z) { return mul24(x, y) + z; }
METAL_SIM_INLINE uint mad24(uint x, uint y, uint z) { return mul24(x, y) + z; }

METAL_SIM_INLINE float abs(float x) { return metal_sim::common::fabs(x); }
METAL_SIM_INLINE half abs(half x) { return (half)metal_sim::common::fabs((float)x); }
METAL_SIM_INLINE float max(float x, float y) { return metal_sim::common::fmax(x, y); }
METAL_SIM_INLINE float min(float x, float y) { return metal_sim::common::fmin(x, y); }
METAL_SIM_INLINE half max(half x, half y) { return fmax(x, y); }
METAL_SIM_INLINE half min(half x, half y) { return fmin(x, y); }
METAL_SIM_ORDERED(float)
METAL_SIM_ORDERED(half)
#undef METAL_SIM_ORDERED

METAL_SIM_EACH1(abs)
METAL_SIM_EACH1(clz)
METAL_SIM_EACH1(ctz)
METAL_SIM_EACH1(popcount)
METAL_SIM_EACH1(reverse_bits)
METAL_SIM_EACH2(max)
METAL_SIM_EACH2(min)
METAL_SIM_EACH2(absdiff)
METAL_SIM_EACH2(addsat)
METAL_SIM_EACH2(subsat)
METAL_SIM_EACH2(hadd)
METAL_SIM_EACH2(rhadd)
METAL_SIM_EACH2(mulhi)
METAL_SIM_EACH2(mul24)
METAL_SIM_EACH2(rotate)
METAL_SIM_EACH3(clamp)
METAL_SIM_EACH3(max3)
METAL_SIM_EACH3(min3)
METAL_SIM_EACH3(median3)
METAL_SIM_EACH3(madhi)
METAL_SIM_EACH3(madsat)
METAL_SIM_EACH3(mad24)

template <typename T, int N> METAL_SIM_INLINE metal_sim_ext<T, N> extract_bits(metal_sim_ext<T, N> x, uint offset, uint bits) {
  metal_sim_ext<T, N> r;
  for (int i = 0; i < N; i++) r[i] = extract_bits((T)x[i], offset, bits);
  return r;
}

template <typename T, int N>
METAL_SIM_INLINE metal_sim_ext<T, N> insert_bits(metal_sim_ext<T, N> base, metal_sim_ext<T, N> insert, uint offset, uint bits) {
  metal_sim_ext<T, N> r;
  for (int i = 0; i < N; i++) r[i] = insert_bits((T)base[i], (T)insert[i], offset, bits);
  return r;
}

}  // namespace metal
