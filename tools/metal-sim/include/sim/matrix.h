// Matrices, stored by columns.
#pragma once

namespace metal {

template <typename T, int C, int R> struct matrix {
  typedef vec<T, R> column;
  column columns[C];

  matrix() = default;
  /** `x` on the diagonal. */
  explicit matrix(T x) {
    for (int c = 0; c < C; c++)
      for (int r = 0; r < R; r++) columns[c][r] = c == r ? x : (T)0;
  }
  /** Columns, or all elements column by column. */
  template <typename A, typename B, typename... Rest> matrix(A a, B b, Rest... rest) {
    if constexpr (metal_sim::vector_of<A>::is_vector) {
      static_assert(sizeof...(Rest) + 2 == C, "wrong number of columns");
      const column given[C] = {metal_sim::construct<column>(a), metal_sim::construct<column>(b), metal_sim::construct<column>(rest)...};
      for (int c = 0; c < C; c++) columns[c] = given[c];
    } else {
      static_assert(sizeof...(Rest) + 2 == C * R, "wrong number of elements");
      const T given[C * R] = {(T)a, (T)b, (T)rest...};
      for (int i = 0; i < C * R; i++) columns[i / R][i % R] = given[i];
    }
  }
  template <typename U> explicit matrix(matrix<U, C, R> from) {
    for (int c = 0; c < C; c++) columns[c] = metal_sim::construct<column>(from.columns[c]);
  }
  __private column &operator[](int c) __private { return columns[c]; }
  const __private column &operator[](int c) const __private { return columns[c]; }
  __global column &operator[](int c) __global { return columns[c]; }
  const __global column &operator[](int c) const __global { return columns[c]; }
  __local column &operator[](int c) __local { return columns[c]; }
  const __local column &operator[](int c) const __local { return columns[c]; }
};

template <typename T, int C, int R> METAL_SIM_INLINE matrix<T, C, R> operator+(matrix<T, C, R> a, matrix<T, C, R> b) {
  for (int c = 0; c < C; c++) a.columns[c] += b.columns[c];
  return a;
}
template <typename T, int C, int R> METAL_SIM_INLINE matrix<T, C, R> operator-(matrix<T, C, R> a, matrix<T, C, R> b) {
  for (int c = 0; c < C; c++) a.columns[c] -= b.columns[c];
  return a;
}
template <typename T, int C, int R>
METAL_SIM_INLINE matrix<T, C, R> operator*(matrix<T, C, R> a, typename metal_sim_identity<T>::type x) {
  for (int c = 0; c < C; c++) a.columns[c] *= x;
  return a;
}
template <typename T, int C, int R>
METAL_SIM_INLINE matrix<T, C, R> operator*(typename metal_sim_identity<T>::type x, matrix<T, C, R> a) { return a * x; }
template <typename T, int C, int R> METAL_SIM_INLINE metal_sim_ext<T, R> operator*(matrix<T, C, R> a, metal_sim_ext<T, C> x) {
  metal_sim_ext<T, R> r = a.columns[0] * x[0];
  for (int c = 1; c < C; c++) r += a.columns[c] * x[c];
  return r;
}
template <typename T, int C, int R> METAL_SIM_INLINE metal_sim_ext<T, C> operator*(metal_sim_ext<T, R> x, matrix<T, C, R> a) {
  metal_sim_ext<T, C> r;
  for (int c = 0; c < C; c++) r[c] = dot(x, a.columns[c]);
  return r;
}
template <typename T, int K, int R, int C> METAL_SIM_INLINE matrix<T, C, R> operator*(matrix<T, K, R> a, matrix<T, C, K> b) {
  matrix<T, C, R> r;
  for (int c = 0; c < C; c++) r.columns[c] = a * b.columns[c];
  return r;
}
template <typename T, int C, int R> METAL_SIM_INLINE matrix<T, C, R> operator-(matrix<T, C, R> a) {
  for (int c = 0; c < C; c++) a.columns[c] = -a.columns[c];
  return a;
}
#define METAL_SIM_MATRIX_ASSIGN(SPACE) \
  template <typename T, int C, int R> METAL_SIM_INLINE SPACE matrix<T, C, R> &operator+=(SPACE matrix<T, C, R> &a, matrix<T, C, R> b) { \
    for (int c = 0; c < C; c++) a.columns[c] += b.columns[c]; \
    return a; \
  } \
  template <typename T, int C, int R> METAL_SIM_INLINE SPACE matrix<T, C, R> &operator-=(SPACE matrix<T, C, R> &a, matrix<T, C, R> b) { \
    for (int c = 0; c < C; c++) a.columns[c] -= b.columns[c]; \
    return a; \
  } \
  template <typename T, int C, int R> \
  METAL_SIM_INLINE SPACE matrix<T, C, R> &operator*=(SPACE matrix<T, C, R> &a, typename metal_sim_identity<T>::type x) { \
    for (int c = 0; c < C; c++) a.columns[c] *= x; \
    return a; \
  } \
  template <typename T, int N> METAL_SIM_INLINE SPACE matrix<T, N, N> &operator*=(SPACE matrix<T, N, N> &a, matrix<T, N, N> b) { \
    matrix<T, N, N> product; \
    for (int c = 0; c < N; c++) { \
      product.columns[c] = a.columns[0] * b.columns[c][0]; \
      for (int k = 1; k < N; k++) product.columns[c] += a.columns[k] * b.columns[c][k]; \
    } \
    for (int c = 0; c < N; c++) a.columns[c] = product.columns[c]; \
    return a; \
  }
METAL_SIM_MATRIX_ASSIGN(__private)
METAL_SIM_MATRIX_ASSIGN(metal_sim_device)
METAL_SIM_MATRIX_ASSIGN(__local)
#undef METAL_SIM_MATRIX_ASSIGN
template <typename T, int C, int R> METAL_SIM_INLINE bool operator==(matrix<T, C, R> a, matrix<T, C, R> b) {
  bool r = true;
  for (int c = 0; c < C; c++) r = r && all(a.columns[c] == b.columns[c]);
  return r;
}
template <typename T, int C, int R> METAL_SIM_INLINE bool operator!=(matrix<T, C, R> a, matrix<T, C, R> b) { return !(a == b); }
template <typename T, int C, int R> METAL_SIM_INLINE matrix<T, R, C> transpose(matrix<T, C, R> a) {
  matrix<T, R, C> t;
  for (int c = 0; c < C; c++)
    for (int r = 0; r < R; r++) t.columns[r][c] = a.columns[c][r];
  return t;
}
template <typename T> METAL_SIM_INLINE T determinant(matrix<T, 2, 2> a) {
  return a.columns[0].x * a.columns[1].y - a.columns[1].x * a.columns[0].y;
}
template <typename T> METAL_SIM_INLINE T determinant(matrix<T, 3, 3> a) { return dot(a.columns[0], cross(a.columns[1], a.columns[2])); }
template <typename T> METAL_SIM_INLINE T determinant(matrix<T, 4, 4> a) {
  T total = (T)0;
  for (int c = 0; c < 4; c++) {
    matrix<T, 3, 3> minor;
    for (int i = 0; i < 3; i++) minor.columns[i] = a.columns[i < c ? i : i + 1].yzw;
    const T term = a.columns[c].x * determinant(minor);
    total += c % 2 == 0 ? term : -term;
  }
  return total;
}

#define METAL_SIM_MATRICES(T) \
  typedef matrix<T, 2, 2> T##2x2; typedef matrix<T, 2, 3> T##2x3; typedef matrix<T, 2, 4> T##2x4; \
  typedef matrix<T, 3, 2> T##3x2; typedef matrix<T, 3, 3> T##3x3; typedef matrix<T, 3, 4> T##3x4; \
  typedef matrix<T, 4, 2> T##4x2; typedef matrix<T, 4, 3> T##4x3; typedef matrix<T, 4, 4> T##4x4;
METAL_SIM_MATRICES(float)
METAL_SIM_MATRICES(half)
#undef METAL_SIM_MATRICES

}  // namespace metal
