/** JavaScript values as numbers and memory. */
#pragma once
#include <napi.h>

#include <vector>

#include "../plan/decoded-plan.h"

namespace mlxc {

/** Memory of a typed array; false when the value is none. Raw calls: this runs for every argument of every call. */
inline bool readSpan(napi_env env, napi_value value, Span &span) {
  bool isTypedArray = false;
  if (napi_is_typedarray(env, value, &isTypedArray) != napi_ok || !isTypedArray) return false;
  napi_typedarray_type type;
  size_t length = 0;
  if (napi_get_typedarray_info(env, value, &type, &length, &span.data, nullptr, nullptr) != napi_ok) {
    return false;
  }
  static constexpr int64_t sizes[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};
  if (static_cast<size_t>(type) >= sizeof sizes / sizeof sizes[0]) return false;
  span.bytes = static_cast<int64_t>(length) * sizes[type];
  return true;
}

inline bool readSpans(napi_env env, napi_value list, std::vector<Span> &spans) {
  uint32_t length = 0;
  if (napi_get_array_length(env, list, &length) != napi_ok) return false;
  spans.resize(length);
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    if (napi_get_element(env, list, i, &element) != napi_ok) return false;
    if (!readSpan(env, element, spans[i])) return false;
  }
  return true;
}

inline bool readNumbers(const Napi::Value &value, std::vector<int64_t> &numbers) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_float64_array) {
    return false;
  }
  const auto array = value.As<Napi::Float64Array>();
  numbers.resize(array.ElementLength());
  for (size_t i = 0; i < numbers.size(); i++) {
    const double number = array[i];
    if (!(number >= -9007199254740991.0 && number <= 9007199254740991.0)) return false;
    numbers[i] = static_cast<int64_t>(number);
    if (static_cast<double>(numbers[i]) != number) return false;
  }
  return true;
}

}  // namespace mlxc
