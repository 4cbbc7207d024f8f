#include <metal_stdlib>
#include <metal_simdgroup_matrix>
using namespace metal;

// Transposition through a tile with a padding column.
constant constexpr int TILE = 16;
kernel void transpose2d(device const float* in [[buffer(0)]], device float* out [[buffer(1)]], constant int2& shape [[buffer(2)]],
                        uint2 group [[threadgroup_position_in_grid]], uint2 lid [[thread_position_in_threadgroup]]) {
  threadgroup float tile[TILE][TILE + 1];
  int2 at = int2(group * TILE + lid);
  if (all(at < shape)) tile[lid.y][lid.x] = in[at.y * shape.x + at.x];
  threadgroup_barrier(mem_flags::mem_threadgroup);
  at = int2(group.yx * TILE + lid);
  if (at.x < shape.y && at.y < shape.x) out[at.y * shape.y + at.x] = tile[lid.x][lid.y];
}

// A tiled product with scalars: edges are filled with zeros.
template <int B>
kernel void matmul(device const float* a [[buffer(0)]], device const float* b [[buffer(1)]], device float* c [[buffer(2)]],
                   constant uint3& mnk [[buffer(3)]], uint2 tg [[threadgroup_position_in_grid]],
                   uint2 l [[thread_position_in_threadgroup]]) {
  threadgroup float as[B * B], bs[B * B];
  const uint row = tg.y * B + l.y, column = tg.x * B + l.x;
  float sum = 0;
  for (uint k = 0; k < mnk.z; k += B) {
    as[l.y * B + l.x] = row < mnk.x && k + l.x < mnk.z ? a[row * mnk.z + k + l.x] : 0;
    bs[l.y * B + l.x] = k + l.y < mnk.z && column < mnk.y ? b[(k + l.y) * mnk.y + column] : 0;
    threadgroup_barrier(mem_flags::mem_threadgroup);
#pragma clang loop unroll(full)
    for (uint i = 0; i < B; i++) sum += as[l.y * B + i] * bs[i * B + l.x];
    threadgroup_barrier(mem_flags::mem_threadgroup);
  }
  if (row < mnk.x && column < mnk.y) c[row * mnk.y + column] = sum;
}
template [[host_name("matmul_8")]] kernel void matmul<8>(device const float*, device const float*, device float*, constant uint3&, uint2, uint2);

// Four simdgroups, each 16 x 16 of a 32 x 32 tile, in fragments of 8 x 8; half inputs, float sums.
template <typename T, int BM, int BN, int BK, int WM, int WN>
struct Gemm {
  static constant constexpr const int TM = BM / (8 * WM);
  static constant constexpr const int TN = BN / (8 * WN);
  simdgroup_matrix<T, 8, 8> left[TM];
  simdgroup_matrix<T, 8, 8> right[TN];
  simdgroup_matrix<float, 8, 8> sums[TM * TN];

  METAL_FUNC void clear() thread {
    for (short i = 0; i < TM * TN; i++) sums[i] = make_filled_simdgroup_matrix<float, 8, 8>(0.0f);
  }
  METAL_FUNC void step(const threadgroup T* as, const threadgroup T* bs) thread {
    for (short k = 0; k < BK; k += 8) {
      simdgroup_barrier(mem_flags::mem_none);
      for (short i = 0; i < TM; i++) simdgroup_load(left[i], as + i * 8 * BK + k, BK);
      for (short j = 0; j < TN; j++) simdgroup_load(right[j], bs, BN, ulong2(j * 8, k));
      simdgroup_barrier(mem_flags::mem_none);
      for (short i = 0; i < TM; i++)
        for (short j = 0; j < TN; j++) simdgroup_multiply_accumulate(sums[i * TN + j], left[i], right[j], sums[i * TN + j]);
    }
  }
};
[[kernel, max_total_threads_per_threadgroup(128)]] void gemm(
    device const half* A [[buffer(0)]],
    device const half* B [[buffer(1)]],
    device float* C [[buffer(2)]],
    constant int& N [[buffer(3)]],
    constant int& K [[buffer(4)]],
    uint3 tid [[threadgroup_position_in_grid]],
    uint lid [[thread_index_in_threadgroup]],
    uint simd [[simdgroup_index_in_threadgroup]]) {
  constexpr int BM = 32, BN = 32, BK = 16;
  threadgroup half as[BM * BK];
  threadgroup half bs[BK * BN];
  Gemm<half, BM, BN, BK, 2, 2> mma;
  mma.clear();
  const int sm = simd / 2 * 16, sn = simd % 2 * 16;
  A += tid.y * BM * K;
  B += tid.x * BN;
  for (int k = 0; k < K; k += BK) {
    threadgroup_barrier(mem_flags::mem_threadgroup);
    // four halfs at once
    for (uint i = lid; i < BM * BK / 4; i += 128) {
      const int r = i / (BK / 4), c = i % (BK / 4) * 4;
      *(threadgroup half4*)&as[r * BK + c] = *(device const half4*)&A[r * K + k + c];
    }
    for (uint i = lid; i < BK * BN / 4; i += 128) {
      const int r = i / (BN / 4), c = i % (BN / 4) * 4;
      *(threadgroup half4*)&bs[r * BN + c] = *(device const half4*)&B[(k + r) * N + c];
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    mma.step(as + sm * BK, bs + sn);
  }
  device float* c = C + (tid.y * BM + sm) * N + tid.x * BN + sn;
  for (short i = 0; i < 2; i++)
    for (short j = 0; j < 2; j++) {
      thread auto& e = mma.sums[i * 2 + j].thread_elements();
      e[0] *= 0.5f;
      e[1] *= 0.5f;
      simdgroup_store(mma.sums[i * 2 + j], c + i * 8 * N + j * 8, N);
    }
}

// One simdgroup per query: scores by simd_sum, online softmax, values in registers.
template <int D>
[[kernel]] void attention(device const float* q [[buffer(0)]], device const float* k [[buffer(1)]], device const float* v [[buffer(2)]],
                          device float* o [[buffer(3)]], constant int& keys [[buffer(4)]], constant float& scale [[buffer(5)]],
                          uint query [[threadgroup_position_in_grid]], uint lane [[thread_index_in_simdgroup]]) {
  constexpr int E = D / 32;
  thread float qs[E];
  thread float out[E] = {0};
  for (int i = 0; i < E; i++) qs[i] = scale * q[query * D + lane * E + i];
  float top = -INFINITY, sum = 0;
  for (int t = 0; t < keys; t++) {
    float score = 0;
    for (int i = 0; i < E; i++) score += qs[i] * k[t * D + lane * E + i];
    score = simd_sum(score);
    const float next = max(top, score);
    const float factor = fast::exp(top - next);
    const float p = fast::exp(score - next);
    top = next;
    sum = sum * factor + p;
    for (int i = 0; i < E; i++) out[i] = out[i] * factor + p * v[t * D + lane * E + i];
  }
  for (int i = 0; i < E; i++) o[query * D + lane * E + i] = out[i] / sum;
}
template [[host_name("attention_64")]] [[kernel]] decltype(attention<64>) attention<64>;
