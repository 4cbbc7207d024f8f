namespace mlxc {
// M. Giles, Approximating the erfinv function, GPU Computing Gems 2 (2011), single precision.
inline float erfinv(float y) {
  if (metal::fabs(y) == 1.0f) return y * INFINITY;
  float w = -metal::log((1.0f - y) * (1.0f + y));
  float p;
  if (w < 5.0f) {
    w -= 2.5f;
    p = 2.81022636e-08f;
    p = metal::fma(p, w, 3.43273939e-07f);
    p = metal::fma(p, w, -3.5233877e-06f);
    p = metal::fma(p, w, -4.39150654e-06f);
    p = metal::fma(p, w, 0.00021858087f);
    p = metal::fma(p, w, -0.00125372503f);
    p = metal::fma(p, w, -0.00417768164f);
    p = metal::fma(p, w, 0.246640727f);
    p = metal::fma(p, w, 1.50140941f);
  } else {
    w = metal::sqrt(w) - 3.0f;
    p = -0.000200214257f;
    p = metal::fma(p, w, 0.000100950558f);
    p = metal::fma(p, w, 0.00134934322f);
    p = metal::fma(p, w, -0.00367342844f);
    p = metal::fma(p, w, 0.00573950773f);
    p = metal::fma(p, w, -0.0076224613f);
    p = metal::fma(p, w, 0.00943887047f);
    p = metal::fma(p, w, 1.00167406f);
    p = metal::fma(p, w, 2.83297682f);
  }
  return p * y;
}
}
