#include <metal_stdlib>
#include <metal_math>
#include <metal_simdgroup>
using namespace metal;

#define SWAP(x, y) { auto tmp = (x); (x) = (y); (y) = tmp; }
#define N_SIMDWIDTH 32
#define FOR_UNROLL(x) _Pragma("clang loop unroll(full)") for (x)
#pragma METAL fp math_mode(safe)

typedef struct {
    int32_t  ne00;
    uint64_t nb01;
    float    scale;
} Arguments;

typedef struct { half d; uint8_t qs[16]; } Block4;
typedef decltype(exp2(1.0f)) real_t;

enum class op_t : uint { add = 1, mul = 2 };
enum { OP_A, OP_B = 4 };

struct Complex {
  float real, imag;
  constexpr Complex(float r, float i) : real(r), imag(i) {}
  constexpr Complex() : real(0), imag(0) {}
  template <typename T, typename = typename enable_if<is_convertible_v<T, float>>::type>
  constexpr Complex(T x) thread : real(static_cast<float>(x)), imag(0) {}
  Complex operator+(Complex o) const thread { return {real + o.real, imag + o.imag}; }
};
constexpr Complex operator*(Complex a, Complex b) {
  return {a.real * b.real - a.imag * b.imag, a.real * b.imag + a.imag * b.real};
}

template <typename type4x4>
void dequantize(device const Block4 * xb, short il, thread type4x4 & reg) {
    device const uint16_t * qs = ((device const uint16_t *)xb + 1);
    const float d1 = il ? (xb->d / 16.h) : xb->d;
    const float md = -8.h * xb->d;
    const ushort mask0 = il ? 0x00F0 : 0x000F;
    float4x4 reg_f;
    for (int i = 0; i < 8; i++) {
        reg_f[i/2][2*(i%2) + 0] = d1 * (qs[i] & mask0) + md;
        reg_f[i/2][2*(i%2) + 1] = d1 * (qs[i] & mask0) + md;
    }
    reg = (type4x4) reg_f;
}

template <typename T0, typename T, short NW>
inline T reduce_rows(T0 x, threadgroup T * buf, ushort sgitg, ushort tiisg) {
    T sum = simd_sum((T) x);
    if (tiisg == 0) buf[sgitg] = sum;
    threadgroup_barrier(mem_flags::mem_threadgroup);
    return buf[tiisg % NW];
}

template<typename block_t, int nr, void (*deq)(device const block_t *, short, thread float4x4 &)>
kernel void multiply(
        constant Arguments & args,
        device const char * src0,
        device const char * src1,
        device       char * dst,
        threadgroup  char * shmem [[threadgroup(0)]],
        uint3  tgpig[[threadgroup_position_in_grid]],
        ushort tiisg[[thread_index_in_simdgroup]],
        ushort sgitg[[simdgroup_index_in_threadgroup]],
        uint3   ntg[[threads_per_threadgroup]]) {
    threadgroup float * sh = (threadgroup float *) shmem;
    device const block_t * x = (device const block_t *) (src0 + tgpig.x*args.nb01);
    device const float4 * y4 = (device const float4 *) src1;
    float sumf[nr] = { 0.f };
    float4x4 r;
    FOR_UNROLL (int row = 0; row < nr; ++row) {
        deq(x + row, tiisg % 2, r);
        sumf[row] += dot(r[0], y4[0]) + dot(r[1], y4[1]);
    }
    const float all = reduce_rows<float, float, 2>(sumf[0], sh, sgitg, tiisg);
    if (tiisg == 0 && sgitg == 0) ((device float *) dst)[tgpig.x] = all * args.scale;
}
typedef decltype(multiply<Block4, 2, dequantize<float4x4>>) multiply_t;
template [[host_name("kernel_multiply")]] kernel multiply_t multiply<Block4, 2, dequantize<float4x4>>;

template <typename T> struct Limits { static constexpr constant T max = numeric_limits<T>::max(); static constexpr T zero() { return T(0); } };
template <> struct Limits<bool> { static constexpr constant bool max = true; };

template <typename U> struct Max {
  static constexpr constant U init = numeric_limits<U>::lowest();
  template <typename T> enable_if_t<is_integral_v<T>, T> simd_reduce(T v) { return simd_max(v); }
  template <typename T> enable_if_t<!is_integral_v<T>, T> simd_reduce(T v) { return isnan(v) ? v : simd_max(v); }
  U operator()(U a, U b) { return a > b ? a : b; }
};

template <typename T, typename Op = Max<T>, int N_READS = 4>
[[kernel]] void row_reduce(const device T* in [[buffer(0)]], device T* out [[buffer(1)]],
    const constant size_t& n [[buffer(2)]], const constant int* shape [[buffer(3)]],
    uint3 gid [[threadgroup_position_in_grid]], uint3 lid [[thread_position_in_threadgroup]], uint3 lsize [[threads_per_threadgroup]],
    uint simd_lane_id [[thread_index_in_simdgroup]]) {
  Op op;
  T total[N_READS];
  for (int i = 0; i < N_READS; i++) total[i] = Op::init;
  for (size_t i = lid.x; i < n; i += lsize.x) total[i % N_READS] = op(total[i % N_READS], in[i + gid.y * n]);
  for (int i = 1; i < N_READS; i++) total[0] = op(total[0], total[i]);
  total[0] = op.simd_reduce(total[0]);
  if (simd_lane_id == 0) out[gid.y] = total[0];
}
#define inst_reduce(name, type) template [[host_name("row_reduce_" #name)]] [[kernel]] decltype(row_reduce<type>) row_reduce<type>;
inst_reduce(f32, float)
inst_reduce(i32, int32_t)
inst_reduce(u8, uint8_t)

namespace ns { namespace inner {
  constant float k[3] = {0.1f, 0.2f, 0.3f};
  inline float3 apply(float3 v, constant float* w = k) { return v * float3(w[0], w[1], w[2]); }
}}
struct alignas(16) Block { float v[4]; };
union Bits { float f; uint u; };
static inline uint hash(uint x) { x ^= x >> 16; x *= 0x7feb352dU; return x; }
constant uint perm[] = { 3, 1, 2, 0 };

kernel void misc(device float* out [[buffer(0)]], device Block* blocks [[buffer(1)]], device Complex* z [[buffer(2)]], constant Block& cb [[buffer(3)]],
   device bool* flags [[buffer(4)]], device const packed_half4* ph [[buffer(5)]], device uint8_t* bytes [[buffer(6)]],
   uint i [[thread_position_in_grid]]) {
  Bits b; b.f = out[i]; b.u ^= 0x80000000;
  float3 v = ns::inner::apply(float3(b.f));
  out[i] = v.x + v[1] + cb.v[perm[i & 3]];
  Complex c = z[i]; c = c * Complex(1.0f, 2.0f) + z[i]; z[i] = c;
  flags[i] = out[i] > 0 && !flags[i];
  half4 h = ph[i]; out[i] += h.x;
  uint8_t q = bytes[i]; q = (q >> 4) | (q << 4); bytes[i] = q;
  switch (i % 3) { case OP_A: out[i] += 1; break; case 1: { out[i] += 2; } break; default: out[i] *= 2; }
  float a = 1, d = 2; SWAP(a, d);
  do { a -= 0.5f; } while (a > 0);
  const op_t op = i ? op_t::add : op_t::mul;
  out[i] += op == op_t::add ? a : -a;
  auto f2 = float2(a, d); f2 *= 2; f2.x = max3(a, d, 1.0f); out[i] += length(f2) + f2[i & 1];
  device Block& blk = blocks[i]; blk.v[0] = hash(i); thread float* pa = &a; *pa += 1; out[i] += *pa;
  int k = int(i) - 5; k = abs(k) % 3; uint3 u3(1, 2, 3); u3 += uint3(k); out[i] += u3.z; ushort2 us = ushort2(u3.xy); out[i] += us.y;
  out[i] += select(1.0f, 2.0f, i > 3) + (float)as_type<int>(1.0f) + float(half(0.1h)) + INFINITY * 0.0f;
  if (i == 0) { float4 arr[2] = { float4(1), float4(2, 3, 4, 5) }; out[i] += arr[1].w; } else if (constexpr bool t = true; t) { out[i] -= 1; }
  out[i] = metal::isnan(out[i]) ? 0.f : out[i]; float2x2 m2(1, 2, 3, 4); out[i] += (m2 * f2).x; 
  vec<float, 2> vv = vec<float, 2>(i); out[i] += vv.y; uchar4 uc = uchar4(1, 2, 3, 4); out[i] += float4(uc).w + ((float4)uc).x + float(uc.x);
  ulong big = ulong(i) << 33; out[i] += float(big >> 33); out[i] += (i < 4 && !(i > 2)) ? 1 : 0; int2 ii = int2(i, -1); ii.y++; out[i] += (ii == int2(0)).y;
}
