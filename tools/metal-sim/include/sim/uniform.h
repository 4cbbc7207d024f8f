// Values that are the same for all threads of a dispatch: plain values here, that stay uniform through arithmetic.
#pragma once

namespace metal {

// clang has this name without the last _
template <typename T> struct uniform_ {
  T value_;
  constexpr operator T() const { return value_; }
};
template <typename T> constexpr uniform_<T> make_uniform(T x) { return {x}; }
template <typename T> struct is_uniform : false_type {};
template <typename T> struct is_uniform<uniform_<T>> : true_type {};
template <typename T> constexpr const bool is_uniform_v = is_uniform<remove_cv_t<T>>::value;

#define METAL_SIM_UNIFORM(OP) \
  template <typename A, typename B> constexpr auto operator OP(uniform_<A> a, uniform_<B> b) { return make_uniform(a.value_ OP b.value_); }
METAL_SIM_UNIFORM(+)
METAL_SIM_UNIFORM(-)
METAL_SIM_UNIFORM(*)
METAL_SIM_UNIFORM(/)
METAL_SIM_UNIFORM(%)
METAL_SIM_UNIFORM(&)
METAL_SIM_UNIFORM(|)
METAL_SIM_UNIFORM(^)
METAL_SIM_UNIFORM(<<)
METAL_SIM_UNIFORM(>>)
METAL_SIM_UNIFORM(==)
METAL_SIM_UNIFORM(!=)
METAL_SIM_UNIFORM(<)
METAL_SIM_UNIFORM(>)
METAL_SIM_UNIFORM(<=)
METAL_SIM_UNIFORM(>=)
METAL_SIM_UNIFORM(&&)
METAL_SIM_UNIFORM(||)
#undef METAL_SIM_UNIFORM

}  // namespace metal
