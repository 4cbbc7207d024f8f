#include <metal_stdlib>
using namespace metal;

// What each shuffle gives to each lane.
kernel void shuffles(device uint* out [[buffer(0)]], uint lane [[thread_index_in_simdgroup]]) {
  const uint v = lane * 10;
  device uint* row = out + lane * 12;
  row[0] = simd_shuffle(v, ushort(31 - lane));
  row[1] = simd_shuffle_up(v, 3);
  row[2] = simd_shuffle_down(v, 3);
  row[3] = simd_shuffle_rotate_up(v, 3);
  row[4] = simd_shuffle_rotate_down(v, 3);
  row[5] = simd_shuffle_xor(v, 5);
  row[6] = simd_broadcast(v, 7);
  row[7] = simd_shuffle_and_fill_down(v, lane + 1000, 2);
  row[8] = simd_shuffle_and_fill_up(v, lane + 1000, 2, 8);
  row[9] = simd_prefix_exclusive_sum(lane);
  row[10] = simd_or(lane & 12) + simd_and(lane | 64) + simd_xor(lane);
  row[11] = uint(as_type<int>(simd_min(int(lane) - 7)));
}

// Quads: sums, broadcasts, exchanges.
kernel void quads(device float* out [[buffer(0)]], uint i [[thread_position_in_grid]], uint q [[thread_index_in_quadgroup]]) {
  const float v = float(i * i);
  out[4 * i] = quad_sum(v);
  out[4 * i + 1] = quad_broadcast(v, 2);
  out[4 * i + 2] = quad_shuffle_xor(v, 1);
  out[4 * i + 3] = quad_prefix_inclusive_sum(v) + float(q) / 4.0f;
}

// Ballots: stream compaction without atomics inside of a simdgroup.
kernel void compact(device const int* in [[buffer(0)]], device int* out [[buffer(1)]], device uint* kept [[buffer(2)]],
                    uint lane [[thread_index_in_simdgroup]], uint group [[threadgroup_position_in_grid]]) {
  const int v = in[group * 32 + lane];
  const bool keep = v > 0;
  const simd_vote vote = simd_ballot(keep);
  const uint mask = uint(static_cast<simd_vote::vote_t>(vote));
  const uint before = popcount(mask & ((1u << lane) - 1u));
  if (keep) out[group * 32 + before] = v;
  if (lane == 0) kept[group] = popcount(mask);
}

// A partial simdgroup: only lanes that exist take part.
kernel void partial(device const float* in [[buffer(0)]], device float* out [[buffer(1)]], uint i [[thread_position_in_grid]]) {
  const half2 pair = half2(in[i], 1.0f);
  const half2 total = simd_sum(pair);
  out[2 * i] = total.x;
  out[2 * i + 1] = total.y;
}

// A transposed load of a matrix of 8 x 8, and what each lane holds of it.
kernel void fragments(device const float* in [[buffer(0)]], device float* out [[buffer(1)]], ushort lane [[thread_index_in_simdgroup]]) {
  simdgroup_float8x8 m, identity(1.0f);
  simdgroup_load(m, in, 8, ulong2(0, 0), true);
  simdgroup_multiply(m, identity, m);
  const float2 mine = m.thread_elements();
  out[lane * 2] = mine.x;
  out[lane * 2 + 1] = mine.y;
  simdgroup_store(m, out + 64, 8);
}
