// Habits of people and of programs that write Metal.
#include <metal_stdlib>
#include <simd/simd.h>
typedef half2 pair_t;
using namespace metal;

// A fixed array as compilers of other languages print it: an index for each space that it may be in.
template <typename T, size_t N>
struct Fixed {
  T items[N ? N : 1];

  thread T& operator[](size_t i) thread { return items[i]; }
  constexpr const thread T& operator[](size_t i) const thread { return items[i]; }
  device T& operator[](size_t i) device { return items[i]; }
  constexpr const device T& operator[](size_t i) const device { return items[i]; }
  constexpr const constant T& operator[](size_t i) const constant { return items[i]; }
  threadgroup T& operator[](size_t i) threadgroup { return items[i]; }
  constexpr const threadgroup T& operator[](size_t i) const threadgroup { return items[i]; }
};

struct Corner {
  simd_float4 place [[position]];
};

vertex Corner corner_of(uint i [[vertex_id]]) {
  Corner c;
  c.place = simd_float4(float(i), 0, 0, 1);
  return c;
}

constant Fixed<float, 3> weights = {{1, 2, 4}};

kernel void fixed_arrays(device Fixed<float, 3>* rows [[buffer(0)]], uint i [[thread_position_in_threadgroup]]) {
  threadgroup Fixed<float, 3> shared[8];
  Fixed<float, 3> mine = rows[i];
  for (int k = 0; k < 3; k++) shared[i][k] = mine[k] * weights[k];
  threadgroup_barrier(mem_flags::mem_threadgroup);
  for (int k = 0; k < 3; k++) rows[i][k] = shared[7 - i][k];
}

// Scalars of a wider type beside vectors, and lists that leave components out.
kernel void narrow_vectors(
    device half4* h [[buffer(0)]],
    device ushort2* s [[buffer(1)]],
    device float4* out [[buffer(2)]],
    constant float& scale [[buffer(3)]],
    constant int& step [[buffer(4)]],
    uint i [[thread_position_in_grid]]) {
  half4 v = h[i] * scale + 0.5f;
  v -= scale;
  h[i] = i % 2 == 0 ? v : 0.0f;
  ushort2 p = (s[i] + step) & 0xff;
  p <<= 1;
  s[i] = p;
  float4 first = {3};
  float2 both[2] = {{1}, {2, float(i)}};
  float tail[4] = {[0 ... 3] = 0.25f};
  out[i] = first + float4(both[0], both[1]) + tail[i % 4];
}

template <typename T>
void thirds(T parts[3], T whole) {
  for (int k = 0; k < 3; k++) parts[k] = whole * 0.5 + T(k);
}

// Named after a function that it calls.
template <typename T>
void kernel
fmax(constant T* a [[buffer(0)]], constant T* b [[buffer(1)]], device T* out [[buffer(2)]], uint i [[thread_position_in_grid]]) {
  T parts[3];
  thirds(parts, static_cast<T>(fmax(a[i], b[i])));
  out[i] = (T) -parts[0] + parts[1] + (T) parts[2];
}
template [[host_name("fmax_f32")]] void kernel fmax<float>(constant float*, constant float*, device float*, uint);

struct Packed {
  uchar low;
  char high;
};
template <typename T>
void unpack(device const Packed* p, thread T& to) {
  to = T(float(p->low) + 256 * float(p->high));
}

template <typename T, typename Q, void (*read)(device const Q*, thread T&)>
kernel void unpack_all(device const Q* in [[buffer(0)]], device float* out [[buffer(1)]], uint i [[thread_position_in_grid]]) {
  T value;
  read(in + i, value);
  out[i] = (float)value;
}
typedef decltype(unpack_all<float, Packed, unpack>) unpack_t;
template [[host_name("unpack_f32")]] kernel unpack_t unpack_all<float, Packed, unpack>;
template [[host_name("unpack_i32")]] kernel decltype(unpack_all<int, Packed, unpack>) unpack_all<int, Packed, unpack>;

// T and Q are variables here.
kernel void plain_names(device const void* bytes [[buffer(0)]], device uint* out [[buffer(1)]], uint i [[thread_position_in_grid]]) {
  const uint T = 3, Q = i;
  device const uint* in = (device const uint*)bytes;
  const uint sum = T * Q + in[T * Q];
  out[i] = sum;
}

struct Turn {
  float re, im;
};
inline Turn times(Turn a, Turn b) { return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }

kernel void turns(device Turn* z [[buffer(0)]], uint i [[thread_position_in_grid]]) {
  const Turn t = z[i];
  z[i] = t.re > 0 ? times(t, t) : t;
}

#define FIRST_CONSTANT 40
constant int step_a [[function_constant(FIRST_CONSTANT + 0)]];
constant int step_b [[function_constant(FIRST_CONSTANT + 1)]];

kernel void counted_constants(device int* out [[buffer(0)]], uint i [[thread_position_in_grid]]) {
  out[i] = step_a * int(i) + step_b;
}

// Casts in the style of C between the two short floats go through float.
kernel void short_casts(device const half* h [[buffer(0)]], device bfloat* b [[buffer(1)]], device half* back [[buffer(2)]],
                        uint i [[thread_position_in_grid]]) {
  b[i] = (bfloat)h[i];
  back[i] = (half)-b[i];
}
