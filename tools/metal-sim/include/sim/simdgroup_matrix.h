// Matrices of 8 x 8 that a simdgroup holds together, two elements of a row in each lane, laid out as on every Apple GPU so far.
#pragma once

namespace metal {

template <typename T, int Columns, int Rows = Columns> struct simdgroup_matrix {
  static_assert(Columns == 8 && Rows == 8, "simdgroup matrices are 8 x 8");
  static_assert(is_floating_point_v<T>, "the elements of a simdgroup matrix are half, bfloat or float");
  vec<T, 2> elements_;

  simdgroup_matrix() = default;
  /** `x` on the diagonal. */
  explicit simdgroup_matrix(T x) {
    const uint lane = metal_sim_lane(), row = metal_sim_row(lane), column = metal_sim_column(lane);
    elements_ = vec<T, 2>{row == column ? x : (T)0, row == column + 1 ? x : (T)0};
  }
  static constexpr uint metal_sim_row(uint lane) { return (lane / 4 & 4) + lane / 2 % 4; }
  static constexpr uint metal_sim_column(uint lane) { return (lane / 4 & 2) * 2 + lane % 2 * 2; }
  static constexpr uint metal_sim_lane_of(uint row, uint column) {
    return (row & 4) << 2 | (row & 3) << 1 | (column & 4) << 1 | (column >> 1 & 1);
  }
  __private vec<T, 2> &thread_elements() { return *(__private vec<T, 2> *)&elements_; }
  const __private vec<T, 2> &thread_elements() const { return *(const __private vec<T, 2> *)&elements_; }
};
typedef simdgroup_matrix<half, 8, 8> simdgroup_half8x8;
typedef simdgroup_matrix<bfloat, 8, 8> simdgroup_bfloat8x8;
typedef simdgroup_matrix<float, 8, 8> simdgroup_float8x8;

template <typename T, int C, int R = C> METAL_SIM_INLINE simdgroup_matrix<T, C, R> make_filled_simdgroup_matrix(T x) {
  simdgroup_matrix<T, C, R> m;
  m.elements_ = vec<T, 2>{x, x};
  return m;
}

// The lanes meet, so that one that stays away is found; then each reads or writes its own two.
#define METAL_SIM_MATRIX_MEMORY(SPACE) \
  template <typename T> \
  METAL_SIM_INLINE void simdgroup_load(__private simdgroup_matrix<T, 8, 8> &d, const SPACE T *source, ulong elements_per_row = 8, \
                                       ulong2 matrix_origin = 0, bool transpose_matrix = false) { \
    metal_sim::meet("simdgroup_load", (uchar)0); \
    const uint lane = metal_sim_lane(); \
    const ulong row = simdgroup_matrix<T, 8, 8>::metal_sim_row(lane), column = simdgroup_matrix<T, 8, 8>::metal_sim_column(lane); \
    const SPACE T *from = source + matrix_origin.y * elements_per_row + matrix_origin.x; \
    const T a = transpose_matrix ? from[column * elements_per_row + row] : from[row * elements_per_row + column]; \
    const T b = transpose_matrix ? from[(column + 1) * elements_per_row + row] : from[row * elements_per_row + column + 1]; \
    d.elements_ = vec<T, 2>{a, b}; \
  } \
  template <typename T> \
  METAL_SIM_INLINE void simdgroup_store(simdgroup_matrix<T, 8, 8> m, SPACE T *destination, ulong elements_per_row = 8, \
                                        ulong2 matrix_origin = 0, bool transpose_matrix = false) { \
    metal_sim::meet("simdgroup_store", (uchar)0); \
    const uint lane = metal_sim_lane(); \
    const ulong row = simdgroup_matrix<T, 8, 8>::metal_sim_row(lane), column = simdgroup_matrix<T, 8, 8>::metal_sim_column(lane); \
    SPACE T *to = destination + matrix_origin.y * elements_per_row + matrix_origin.x; \
    to[transpose_matrix ? column * elements_per_row + row : row * elements_per_row + column] = m.elements_.x; \
    to[transpose_matrix ? (column + 1) * elements_per_row + row : row * elements_per_row + column + 1] = m.elements_.y; \
  }
METAL_SIM_MATRIX_MEMORY(metal_sim_device)
METAL_SIM_MATRIX_MEMORY(__local)
#undef METAL_SIM_MATRIX_MEMORY

}  // namespace metal

namespace metal_sim {

/** What a lane has of two matrices. */
struct fragments {
  float a[2], b[2];
};
/** Adds to `sum` the products for the two elements of a lane. */
METAL_SIM_UNWATCHED void multiply(const __private lanes<fragments> &all, __private float *sum) {
  typedef metal::simdgroup_matrix<float, 8, 8> M;
  const uint row = M::metal_sim_row(all.lane), column = M::metal_sim_column(all.lane);
  for (uint k = 0; k < 8; k++) {
    const float left = all.of[M::metal_sim_lane_of(row, k)].a[k % 2];
    const __private float *right = all.of[M::metal_sim_lane_of(k, column)].b;
    sum[0] = __builtin_fmaf(left, right[0], sum[0]);
    sum[1] = __builtin_fmaf(left, right[1], sum[1]);
  }
}

}  // namespace metal_sim

namespace metal {

/** d = a * b + c, in float whatever the types. */
template <typename D, typename A, typename B, typename C>
METAL_SIM_INLINE void simdgroup_multiply_accumulate(__private simdgroup_matrix<D, 8, 8> &d, simdgroup_matrix<A, 8, 8> a,
                                                    simdgroup_matrix<B, 8, 8> b, simdgroup_matrix<C, 8, 8> c) {
  const metal_sim::fragments mine = {{(float)a.elements_.x, (float)a.elements_.y}, {(float)b.elements_.x, (float)b.elements_.y}};
  const auto all = metal_sim::meet("simdgroup_multiply_accumulate", mine);
  float sum[2] = {(float)c.elements_.x, (float)c.elements_.y};
  metal_sim::multiply(all, sum);
  d.elements_ = vec<D, 2>{(D)sum[0], (D)sum[1]};
}
template <typename D, typename A, typename B>
METAL_SIM_INLINE void simdgroup_multiply(__private simdgroup_matrix<D, 8, 8> &d, simdgroup_matrix<A, 8, 8> a, simdgroup_matrix<B, 8, 8> b) {
  simdgroup_multiply_accumulate(d, a, b, make_filled_simdgroup_matrix<D, 8, 8>((D)0.0f));
}
template <typename T>
METAL_SIM_INLINE simdgroup_matrix<T, 8, 8> operator*(simdgroup_matrix<T, 8, 8> a, simdgroup_matrix<T, 8, 8> b) {
  simdgroup_matrix<T, 8, 8> d;
  simdgroup_multiply(d, a, b);
  return d;
}

}  // namespace metal
