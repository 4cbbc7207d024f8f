// Members of objects of the thread, called on objects that have names and on what functions give.
#include <metal_stdlib>
using namespace metal;

float total(thread const float* v) { return v[0] + v[1] + v[2]; }

struct Triple {
  float v[3];
  float sum() const { return total(v); }
  thread const float& operator[](int n) const { return v[n]; }
  thread float& operator[](int n) { return v[n]; }
  float last() const { return (*this)[2]; }
};

struct Sum {
  float of = 0;
  thread Sum& operator+=(float x) { of += x; return *this; }
  thread Sum& add(float x) { return *this += x; }
  Sum operator+(Sum o) const { return Sum{of + o.of}; }
  template <typename T> T as(T scale = T(1)) const { return T(of) * scale; }
  float value() const;
};

float Sum::value() const { return of; }

Sum sumOf(float x) { return Sum{x}; }

struct Mean {
  Sum s;
  Mean(float a, float b) { set(a); s += b; }
  void set(float a) { s.of = a; }
  float operator()(float n) const { return s.of / n; }
};

kernel void members(device const float* x [[buffer(0)]], device float* y [[buffer(1)]],
                    uint i [[thread_position_in_grid]]) {
  Triple t = {{x[i], 2, 3}};
  t[1] = 4;
  Sum s;
  s.add(1).add(2) += x[i];
  y[i * 4] = t.sum() + t.last();
  y[i * 4 + 1] = (s + sumOf(1)).value() + sumOf(x[i]).as<float>();
  y[i * 4 + 2] = Mean(x[i], 3)(2.0f);
  y[i * 4 + 3] = sumOf(7).as(2);
}
