// What the translation writes for an operator between a vector and a scalar of a wider type: the scalar becomes one of the vector's
// elements. `a * b` is `a * mixed() * b`, `a *= b` is `a * assigned() = b`.
#pragma once

namespace metal_sim {

struct mixed {};
struct assigned {};
template <typename A> struct left_operand { A value; };

template <typename T> struct is_clang_vector { static constexpr bool value = false; };
template <typename T, int N> struct is_clang_vector<metal::metal_sim_ext<T, N>> { static constexpr bool value = true; };

/** `a` as the element type of `Of`, where `Of` is a vector and `a` a scalar. */
template <typename Of, typename A> constexpr auto fit(A a) {
  typedef metal::decay_t<Of> B;
  if constexpr (is_clang_vector<B>::value && metal::is_arithmetic_v<A>) {
    typedef typename vector_of<B>::element E;
    static_assert(metal::is_floating_point_v<E> || !metal::is_floating_point_v<A>, "a vector of integers and a scalar of floating point cannot be mixed");
    return component<E>(a);
  } else return a;
}

#define METAL_SIM_CHOOSE(C, A, B) ((C) ? metal_sim::fit<decltype(B)>(A) : metal_sim::fit<decltype(A)>(B))

#define METAL_SIM_MIXED(OP) \
  template <typename A> constexpr left_operand<A> operator OP(A a, mixed) { return {a}; } \
  template <typename A, typename B> constexpr auto operator OP(left_operand<A> a, B b) { return fit<B>(a.value) OP fit<A>(b); }
METAL_SIM_MIXED(*)
METAL_SIM_MIXED(/)
METAL_SIM_MIXED(%)
METAL_SIM_MIXED(+)
METAL_SIM_MIXED(-)
METAL_SIM_MIXED(<<)
METAL_SIM_MIXED(>>)
METAL_SIM_MIXED(&)
METAL_SIM_MIXED(|)
METAL_SIM_MIXED(^)
METAL_SIM_MIXED(<)
METAL_SIM_MIXED(>)
METAL_SIM_MIXED(<=)
METAL_SIM_MIXED(>=)
METAL_SIM_MIXED(==)
METAL_SIM_MIXED(!=)
#undef METAL_SIM_MIXED

#define METAL_SIM_ASSIGNED(OP, NAME, SPACE) \
  template <typename A> struct assigned_##NAME { \
    SPACE A &target; \
    template <typename B> METAL_SIM_INLINE SPACE A &operator=(B b) { return target = target OP fit<A>(b); } \
  }; \
  template <typename A> METAL_SIM_INLINE assigned_##NAME<A> operator OP(SPACE A &a, assigned) { return {a}; }
#define METAL_SIM_ASSIGNED_SPACES(OP, NAME) \
  METAL_SIM_ASSIGNED(OP, NAME##_private, __private) \
  METAL_SIM_ASSIGNED(OP, NAME##_local, __local) \
  METAL_SIM_ASSIGNED(OP, NAME##_device, metal_sim_device)
METAL_SIM_ASSIGNED_SPACES(*, times)
METAL_SIM_ASSIGNED_SPACES(/, over)
METAL_SIM_ASSIGNED_SPACES(%, modulo)
METAL_SIM_ASSIGNED_SPACES(+, plus)
METAL_SIM_ASSIGNED_SPACES(-, minus)
METAL_SIM_ASSIGNED_SPACES(<<, left)
METAL_SIM_ASSIGNED_SPACES(>>, right)
METAL_SIM_ASSIGNED_SPACES(&, conjunction)
METAL_SIM_ASSIGNED_SPACES(|, disjunction)
METAL_SIM_ASSIGNED_SPACES(^, difference)
#undef METAL_SIM_ASSIGNED_SPACES
#undef METAL_SIM_ASSIGNED

}  // namespace metal_sim
