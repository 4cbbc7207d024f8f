#include <metal_stdlib>
using namespace metal;

// Functors with a call operator in thread space, as libraries write them.
struct Add {
  template <typename T> T operator()(T x, T y) const thread { return x + y; }
};
struct Power {
  template <typename T> T operator()(T x, T y) const thread { return metal::pow(x, y); }
  float operator()(float x, float y) const thread { return precise::pow(x, y); }
};

template <typename T, typename Op>
[[kernel]] void binary(device const T* a [[buffer(0)]],
                       device const T* b [[buffer(1)]],
                       device T* out [[buffer(2)]],
                       uint i [[thread_position_in_grid]]) {
  out[i] = Op()(a[i], b[i]);
}

#define instantiate(name, T, Op) \
  template [[host_name(#name)]] [[kernel]] void binary<T, Op>( \
      device const T*, device const T*, device T*, uint);
instantiate(add_f32, float, Add)
instantiate(add_f16, half, Add)
instantiate(add_i64, int64_t, Add)
instantiate(pow_f32, float, Power)
#undef instantiate

// Conversions: truncation, saturation, NaN to zero.
kernel void to_int(device const float* x, device int* y, device uchar* z, uint i [[thread_position_in_grid]]) {
  y[i] = int(x[i]);
  z[i] = static_cast<uchar>(x[i]);
}

// bfloat: arithmetic is rounded after each operation; it becomes float by itself.
kernel void bfloats(device const float* x [[buffer(0)]], device bfloat* y [[buffer(1)]], device float* z [[buffer(2)]],
                    uint i [[thread_position_in_grid]]) {
  bfloat a = bfloat(x[i]);
  bfloat b = a * a + bfloat(1.0f);
  y[i] = b;
  z[i] = b + 0.5f;
}

// Halfs: the product is rounded before the sum.
kernel void halfs(device const half* x [[buffer(0)]], device half* y [[buffer(1)]], uint i [[thread_position_in_grid]]) {
  half h = x[i];
  y[i] = h * h + 1.0h;
}

// Layout as in C: a packed vector after a char, an int after it.
struct Particle {
  uchar kind;
  packed_float3 position;
  packed_half2 spin;
  int id;
};
kernel void particles(device Particle* p [[buffer(0)]], constant float& dt [[buffer(1)]], uint i [[thread_position_in_grid]]) {
  Particle q = p[i];
  float3 step = float3(1.0f, float2(q.spin));
  q.position += dt * step;
  q.position[0] = q.kind;
  q.id = -q.id;
  p[i] = q;
}

// Bits and packing.
kernel void bits(device const uint* x [[buffer(0)]], device uint* y [[buffer(1)]], uint i [[thread_position_in_grid]]) {
  const uint v = x[i];
  device uint* row = y + 8 * i;
  row[0] = popcount(v);
  row[1] = clz(v) + 100 * ctz(v);
  row[2] = reverse_bits(v);
  row[3] = rotate(v, 7u);
  row[4] = mulhi(v, 0x9E3779B9u);
  row[5] = extract_bits(v, 5, 9);
  row[6] = insert_bits(v, 0x3u, 4, 2);
  row[7] = as_type<uint>(uchar4(as_type<uchar4>(v).wzyx));
}

// Vectors in every ordinary form.
kernel void vectors(device const float4* x [[buffer(0)]], device float4* y [[buffer(1)]], device int4* z [[buffer(2)]],
                    uint i [[thread_position_in_grid]]) {
  typedef vec<float, 4> V;
  float4 v = x[i];
  float3 n = normalize(v.xyz);
  V w = V(n.zy, V(v).ww);
  w.xw = w.wx;
  w = select(w, V(dot(n, n)), w < -0.5f);
  bool4 positive = v > 0.0f;
  y[i] = w + float4(positive) * 10.0f + (any(v > 100.0f) ? float4(1000.0f) : float4(0));
  half4 h = half4(v);
  z[i] = int4(h) + int4(short4(v)) * 100 + (v.x < v.y ? int4(1, 2, int2(3, 4)) : int4(0));
}

// Row vectors, column vectors, products of matrices.
kernel void matrices(device const float* x [[buffer(0)]], device float* y [[buffer(1)]]) {
  float3x3 m = float3x3(float3(x[0], x[1], x[2]), float3(x[3], x[4], x[5]), float3(x[6], x[7], x[8]));
  const float3x3 p = transpose(m) * m;
  float3 v = p * float3(1, 2, 3) + float3(1, 0, 0) * m;
  y[0] = v.x;
  y[1] = v.y;
  y[2] = v.z;
  y[3] = determinant(m);
  float2x3 r(1, 2, 3, 4, 5, 6);
  float2 q = float3(1, 1, 1) * r;
  y[4] = q.x;
  y[5] = q.y;
}

// What fast functions do at the edges of their domains, and precise ones do not.
kernel void hazards(device const float* x [[buffer(0)]], device float* y [[buffer(1)]], uint i [[thread_position_in_grid]]) {
  y[4 * i] = fast::tanh(x[i]);
  y[4 * i + 1] = precise::tanh(x[i]);
  y[4 * i + 2] = fast::pow(x[i], 2.0f);
  y[4 * i + 3] = precise::pow(x[i], 2.0f);
}

// Values in parentheses: choices and shifts are no comparisons.
template <typename T> T shifted(T a, T b) { return b >= T(8) ? T(a < T(0) ? T(-1) : T(0)) : T(a >> b); }
kernel void choices(device const short* x [[buffer(0)]], device short* y [[buffer(1)]], uint i [[thread_position_in_grid]]) {
  const short v = x[i];
  device short* row = y + 4 * i;
  row[0] = shifted(v, short(i));
  row[1] = short(half(v < 8 ? half(v) : v >= 100 ? 2.5h : -1.0h) * 2);
  row[2] = short(ushort(v << 2));
  row[3] = short(half(v < 8));
}

// Sums and bits of numbers too small to be normal, in three types.
kernel void tiny(device const float* x [[buffer(0)]], device float* sum [[buffer(1)]], device uint* moved [[buffer(2)]],
                 device half* halves [[buffer(3)]], uint i [[thread_position_in_grid]]) {
  sum[i] = x[i] + x[i];
  moved[i] = as_type<uint>(x[i]);
  halves[i] = halves[i] + halves[i];
}
