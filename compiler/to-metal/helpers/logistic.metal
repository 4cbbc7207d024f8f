namespace mlxc {
// 1 / (1 + exp(-x)); an overflow of exp gives the right limit, 0.
inline float logistic(float x) {
  return 1.0f / (1.0f + metal::exp(-x));
}
}
