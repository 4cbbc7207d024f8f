#pragma once
#include "types.h"
#include <string.h>
// Sorts pairs of an unsigned key and a 32-bit value by key, stably: insertion for few, else a radix sort from the lowest byte
// (Knuth, The Art of Computer Programming 3, 5.2.5), which leaves out the bytes that all keys share.

#define MLXC_DEFINE_SORT_PAIRS(NAME, KEY)                                                                       \
  __attribute__((unused)) static void sort_pairs_##NAME(KEY *keys, int32_t *values, KEY *spare_keys,            \
                                                        int32_t *spare_values, int64_t count) {                                                                \
    if (count <= 48) {                                                                                          \
      for (int64_t i = 1; i < count; i++) {                                                                     \
        const KEY key = keys[i];                                                                                \
        const int32_t value = values[i];                                                                        \
        int64_t at = i;                                                                                         \
        for (; at > 0 && keys[at - 1] > key; at--) {                                                            \
          keys[at] = keys[at - 1];                                                                              \
          values[at] = values[at - 1];                                                                          \
        }                                                                                                       \
        keys[at] = key;                                                                                         \
        values[at] = value;                                                                                     \
      }                                                                                                         \
      return;                                                                                                   \
    }                                                                                                           \
    enum { bytes = sizeof(KEY) };                                                                               \
    int64_t counts[bytes][256];                                                                                 \
    memset(counts, 0, sizeof counts);                                                                           \
    for (int64_t i = 0; i < count; i++) {                                                                       \
      for (int byte = 0; byte < bytes; byte++) counts[byte][(keys[i] >> (8 * byte)) & 255]++;                   \
    }                                                                                                           \
    KEY *from_keys = keys, *to_keys = spare_keys;                                                               \
    int32_t *from_values = values, *to_values = spare_values;                                                   \
    for (int byte = 0; byte < bytes; byte++) {                                                                  \
      int64_t *const starts = counts[byte];                                                                     \
      if (starts[(keys[0] >> (8 * byte)) & 255] == count) continue;                                             \
      int64_t start = 0;                                                                                        \
      for (int digit = 0; digit < 256; digit++) {                                                               \
        const int64_t size = starts[digit];                                                                     \
        starts[digit] = start;                                                                                  \
        start += size;                                                                                          \
      }                                                                                                         \
      for (int64_t i = 0; i < count; i++) {                                                                     \
        const KEY key = from_keys[i];                                                                           \
        const int64_t at = starts[(key >> (8 * byte)) & 255]++;                                                 \
        to_keys[at] = key;                                                                                      \
        to_values[at] = from_values[i];                                                                         \
      }                                                                                                         \
      KEY *const other_keys = from_keys;                                                                        \
      from_keys = to_keys;                                                                                      \
      to_keys = other_keys;                                                                                     \
      int32_t *const other_values = from_values;                                                                \
      from_values = to_values;                                                                                  \
      to_values = other_values;                                                                                 \
    }                                                                                                           \
    if (from_values != values) {                                                                                \
      memcpy(keys, from_keys, (size_t)count * sizeof(KEY));                                                     \
      memcpy(values, from_values, (size_t)count * sizeof(int32_t));                                             \
    }                                                                                                           \
  }

MLXC_DEFINE_SORT_PAIRS(u32, uint32_t)
MLXC_DEFINE_SORT_PAIRS(u64, uint64_t)
