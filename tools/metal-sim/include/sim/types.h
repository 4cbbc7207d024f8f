// Scalars, traits of types, limits, and arrays.
#pragma once

typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned long ulong;
typedef __bf16 bfloat;
typedef char int8_t;
typedef uchar uint8_t;
typedef short int16_t;
typedef ushort uint16_t;
typedef int int32_t;
typedef uint uint32_t;
typedef long int64_t;
typedef ulong uint64_t;
typedef ulong size_t;
typedef long ptrdiff_t;
typedef ulong uintptr_t;
typedef long intptr_t;

// Both are parts of clang's global address space, so structs can be copied out of them, and no pointer becomes one to the other.
#define metal_sim_device __attribute__((opencl_global_device))
#define metal_sim_constant __attribute__((opencl_global_host)) const

// A function that meets the engine must not have a frame of its own: what is reported is the line of its caller.
#define METAL_SIM_INLINE inline __attribute__((always_inline))
// One that works on its own numbers only, which nobody has to watch.
#define METAL_SIM_UNWATCHED inline __attribute__((noinline, no_sanitize("kernel-address", "array-bounds")))

namespace metal {

using ::bfloat;
using ::int16_t;
using ::int32_t;
using ::int64_t;
using ::int8_t;
using ::ptrdiff_t;
using ::size_t;
using ::uchar;
using ::uint;
using ::uint16_t;
using ::uint32_t;
using ::uint64_t;
using ::uint8_t;
using ::ulong;
using ::ushort;

template <typename T, T v> struct integral_constant {
  static constexpr const T value = v;
  typedef T value_type;
  typedef integral_constant type;
  constexpr operator T() const { return v; }
};
template <bool v> using bool_constant = integral_constant<bool, v>;
typedef bool_constant<true> true_type;
typedef bool_constant<false> false_type;

/** Memory of the thread is where objects are when nothing else is said, so a type with it is the type without. */
template <typename T> struct metal_sim_plain_type { typedef T type; };
template <typename T> struct metal_sim_plain_type<__private T> { typedef T type; };
template <typename T> struct metal_sim_plain_type<const __private T> { typedef const T type; };
template <typename T> struct metal_sim_plain_type<volatile __private T> { typedef volatile T type; };
template <typename T> using metal_sim_plain = typename metal_sim_plain_type<T>::type;

template <typename A, typename B> struct is_same : bool_constant<__is_same(metal_sim_plain<A>, metal_sim_plain<B>)> {};
template <typename A, typename B> constexpr const bool is_same_v = is_same<A, B>::value;

template <bool, typename T = void> struct enable_if {};
template <typename T> struct enable_if<true, T> { typedef T type; };
template <bool c, typename T = void> using enable_if_t = typename enable_if<c, T>::type;

template <bool, typename A, typename B> struct conditional { typedef A type; };
template <typename A, typename B> struct conditional<false, A, B> { typedef B type; };
template <bool c, typename A, typename B> using conditional_t = typename conditional<c, A, B>::type;

template <typename T> struct remove_const { typedef T type; };
template <typename T> struct remove_const<const T> { typedef T type; };
template <typename T> struct remove_volatile { typedef T type; };
template <typename T> struct remove_volatile<volatile T> { typedef T type; };
// Address spaces are qualifiers too.
template <typename T> struct remove_cv { typedef T type; };
template <typename T> struct remove_cv<const T> { typedef T type; };
template <typename T> struct remove_cv<volatile T> { typedef T type; };
template <typename T> struct remove_cv<const volatile T> { typedef T type; };
#define METAL_SIM_REMOVE_SPACE(SPACE) \
  template <typename T> struct remove_cv<SPACE T> { typedef typename remove_cv<T>::type type; }; \
  template <typename T> struct remove_cv<const SPACE T> { typedef typename remove_cv<T>::type type; }; \
  template <typename T> struct remove_cv<volatile SPACE T> { typedef typename remove_cv<T>::type type; };
METAL_SIM_REMOVE_SPACE(__global)
METAL_SIM_REMOVE_SPACE(metal_sim_device)
METAL_SIM_REMOVE_SPACE(__attribute__((opencl_global_host)))
METAL_SIM_REMOVE_SPACE(__local)
METAL_SIM_REMOVE_SPACE(__private)
METAL_SIM_REMOVE_SPACE(__constant)
#undef METAL_SIM_REMOVE_SPACE
template <typename T> struct remove_addrspace { typedef T type; };
#define METAL_SIM_REMOVE_SPACE(SPACE) \
  template <typename T> struct remove_addrspace<SPACE T> { typedef T type; }; \
  template <typename T> struct remove_addrspace<const SPACE T> { typedef const T type; }; \
  template <typename T> struct remove_addrspace<volatile SPACE T> { typedef volatile T type; };
METAL_SIM_REMOVE_SPACE(__global)
METAL_SIM_REMOVE_SPACE(metal_sim_device)
METAL_SIM_REMOVE_SPACE(__attribute__((opencl_global_host)))
METAL_SIM_REMOVE_SPACE(__local)
METAL_SIM_REMOVE_SPACE(__private)
METAL_SIM_REMOVE_SPACE(__constant)
#undef METAL_SIM_REMOVE_SPACE
template <typename T> using remove_addrspace_t = typename remove_addrspace<T>::type;
template <typename T> struct remove_reference { typedef T type; };
template <typename T> struct remove_reference<T &> { typedef T type; };
template <typename T> struct remove_reference<T &&> { typedef T type; };
template <typename T> struct remove_pointer { typedef T type; };
template <typename T> struct remove_pointer<T *> { typedef T type; };
template <typename T> using remove_const_t = typename remove_const<T>::type;
template <typename T> using remove_cv_t = typename remove_cv<T>::type;
template <typename T> using remove_reference_t = typename remove_reference<T>::type;
template <typename T> using remove_pointer_t = typename remove_pointer<T>::type;
template <typename T> using remove_volatile_t = typename remove_volatile<T>::type;
template <typename T> struct add_const { typedef const T type; };
template <typename T> using add_const_t = typename add_const<T>::type;
template <typename T> struct decay { typedef remove_cv_t<remove_reference_t<T>> type; };
template <typename T> using decay_t = remove_cv_t<remove_reference_t<T>>;

template <typename T> struct is_integral_plain : false_type {};
#define METAL_SIM_INTEGRAL(T) template <> struct is_integral_plain<T> : true_type {};
METAL_SIM_INTEGRAL(bool)
METAL_SIM_INTEGRAL(char)
METAL_SIM_INTEGRAL(signed char)
METAL_SIM_INTEGRAL(uchar)
METAL_SIM_INTEGRAL(short)
METAL_SIM_INTEGRAL(ushort)
METAL_SIM_INTEGRAL(int)
METAL_SIM_INTEGRAL(uint)
METAL_SIM_INTEGRAL(long)
METAL_SIM_INTEGRAL(ulong)
#undef METAL_SIM_INTEGRAL
template <typename T> struct is_integral : is_integral_plain<remove_cv_t<T>> {};
template <typename T> struct is_floating_point_plain : false_type {};
template <> struct is_floating_point_plain<float> : true_type {};
template <> struct is_floating_point_plain<half> : true_type {};
template <> struct is_floating_point_plain<bfloat> : true_type {};
template <typename T> struct is_floating_point : is_floating_point_plain<remove_cv_t<T>> {};
template <typename T> constexpr const bool is_integral_v = is_integral<T>::value;
template <typename T> constexpr const bool is_floating_point_v = is_floating_point<T>::value;
template <typename T> struct is_arithmetic : bool_constant<is_integral_v<T> || is_floating_point_v<T>> {};
template <typename T> constexpr const bool is_arithmetic_v = is_arithmetic<T>::value;
template <typename T> struct is_unsigned : bool_constant<is_integral_v<T> && (T(-1) > T(0))> {};
template <> struct is_unsigned<float> : false_type {};
template <> struct is_unsigned<half> : false_type {};
template <> struct is_unsigned<bfloat> : false_type {};
template <typename T> struct is_signed : bool_constant<is_arithmetic_v<T> && !is_unsigned<T>::value> {};
template <typename T> constexpr const bool is_unsigned_v = is_unsigned<T>::value;
template <typename T> constexpr const bool is_signed_v = is_signed<T>::value;
template <typename T> struct is_pointer : false_type {};
template <typename T> struct is_pointer<T *> : true_type {};
template <typename T> constexpr const bool is_pointer_v = is_pointer<T>::value;
template <typename T> struct is_const : false_type {};
template <typename T> struct is_const<const T> : true_type {};
template <typename T> constexpr const bool is_const_v = is_const<T>::value;
template <typename T> struct is_volatile : false_type {};
template <typename T> struct is_volatile<volatile T> : true_type {};
template <typename T> constexpr const bool is_volatile_v = is_volatile<T>::value;
template <typename T> struct is_reference : false_type {};
template <typename T> struct is_reference<T &> : true_type {};
template <typename T> constexpr const bool is_reference_v = is_reference<T>::value;
template <typename T> struct is_void : is_same<remove_cv_t<T>, void> {};
template <typename T> constexpr const bool is_void_v = is_void<T>::value;
template <typename T> struct is_array : false_type {};
template <typename T> struct is_array<T[]> : true_type {};
template <typename T, size_t N> struct is_array<T[N]> : true_type {};
template <typename T> constexpr const bool is_array_v = is_array<T>::value;
template <typename T> struct is_class : bool_constant<__is_class(T)> {};
template <typename T> constexpr const bool is_class_v = is_class<T>::value;
template <typename T> struct is_union : bool_constant<__is_union(T)> {};
template <typename T> constexpr const bool is_union_v = is_union<T>::value;
template <typename T> struct is_scalar : bool_constant<is_arithmetic<remove_cv_t<T>>::value || is_pointer_v<remove_cv_t<T>> || __is_enum(T)> {};
template <typename T> constexpr const bool is_scalar_v = is_scalar<T>::value;
template <typename T> struct is_fundamental : bool_constant<is_arithmetic<remove_cv_t<T>>::value || is_void_v<T>> {};
template <typename T> constexpr const bool is_fundamental_v = is_fundamental<T>::value;
template <typename T> struct is_trivially_copyable : bool_constant<__is_trivially_copyable(T)> {};
template <typename T> constexpr const bool is_trivially_copyable_v = is_trivially_copyable<T>::value;
template <typename T> struct is_enum : bool_constant<__is_enum(T)> {};
template <typename T> constexpr const bool is_enum_v = is_enum<T>::value;
template <typename A, typename B> struct is_convertible : bool_constant<__is_convertible(A, B)> {};
template <typename A, typename B> constexpr const bool is_convertible_v = is_convertible<A, B>::value;
template <typename A, typename B> struct is_base_of : bool_constant<__is_base_of(A, B)> {};
template <typename A, typename B> constexpr const bool is_base_of_v = is_base_of<A, B>::value;
template <typename T> struct underlying_type { typedef __underlying_type(T) type; };
template <typename T> using underlying_type_t = typename underlying_type<T>::type;
template <typename T> struct make_unsigned { typedef T type; };
template <> struct make_unsigned<char> { typedef uchar type; };
template <> struct make_unsigned<short> { typedef ushort type; };
template <> struct make_unsigned<int> { typedef uint type; };
template <> struct make_unsigned<long> { typedef ulong type; };
template <typename T> using make_unsigned_t = typename make_unsigned<T>::type;
template <typename T> struct make_signed { typedef T type; };
template <> struct make_signed<uchar> { typedef char type; };
template <> struct make_signed<ushort> { typedef short type; };
template <> struct make_signed<uint> { typedef int type; };
template <> struct make_signed<ulong> { typedef long type; };
template <typename T> using make_signed_t = typename make_signed<T>::type;
// names of Metal's own headers, which public sources use
template <typename...> struct _disjunction : false_type {};
template <typename A, typename... R> struct _disjunction<A, R...> : bool_constant<A::value || _disjunction<R...>::value> {};
template <typename...> struct _conjunction : true_type {};
template <typename A, typename... R> struct _conjunction<A, R...> : bool_constant<A::value && _conjunction<R...>::value> {};
template <typename A> struct _negation : bool_constant<!A::value> {};

// ---------------------------------------------------------------------------------------------------------- limits

template <typename T> struct numeric_limits { static constexpr const bool is_specialized = false; };
template <typename T> struct numeric_limits<const T> : numeric_limits<T> {};
template <typename T> struct numeric_limits<__private T> : numeric_limits<T> {};
template <typename T> struct numeric_limits<const __private T> : numeric_limits<T> {};
#define METAL_SIM_INTEGER_LIMITS(T, LOW, HIGH, DIGITS) \
  template <> struct numeric_limits<T> { \
    static constexpr const bool is_specialized = true, is_integer = true, is_signed = (LOW) < 0, is_exact = true; \
    static constexpr const bool has_infinity = false, has_quiet_NaN = false; \
    static constexpr const bool is_iec559 = false, is_bounded = true, is_modulo = !is_signed; \
    static constexpr const int digits = DIGITS, digits10 = DIGITS * 301 / 1000, radix = 2; \
    static constexpr T min() { return LOW; } \
    static constexpr T lowest() { return LOW; } \
    static constexpr T max() { return HIGH; } \
    static constexpr T epsilon() { return 0; } \
    static constexpr T infinity() { return 0; } \
  };
METAL_SIM_INTEGER_LIMITS(bool, false, true, 1)
METAL_SIM_INTEGER_LIMITS(char, -128, 127, 7)
METAL_SIM_INTEGER_LIMITS(uchar, 0, 255, 8)
METAL_SIM_INTEGER_LIMITS(short, -32768, 32767, 15)
METAL_SIM_INTEGER_LIMITS(ushort, 0, 65535, 16)
METAL_SIM_INTEGER_LIMITS(int, -2147483647 - 1, 2147483647, 31)
METAL_SIM_INTEGER_LIMITS(uint, 0u, 0xffffffffu, 32)
METAL_SIM_INTEGER_LIMITS(long, -0x7fffffffffffffffl - 1l, 0x7fffffffffffffffl, 63)
METAL_SIM_INTEGER_LIMITS(ulong, 0ul, 0xfffffffffffffffful, 64)
#undef METAL_SIM_INTEGER_LIMITS
#define METAL_SIM_FLOAT_LIMITS(T, MIN, MAX, EPSILON, DENORM, DIGITS) \
  template <> struct numeric_limits<T> { \
    static constexpr const bool is_specialized = true, is_integer = false, is_signed = true, is_exact = false; \
    static constexpr const bool has_infinity = true, has_quiet_NaN = true; \
    static constexpr const bool is_iec559 = true, is_bounded = true, is_modulo = false; \
    static constexpr const int digits = DIGITS, digits10 = (DIGITS - 1) * 301 / 1000, max_digits10 = DIGITS * 301 / 1000 + 2, radix = 2; \
    static constexpr const int max_exponent = DIGITS == 11 ? 16 : 128, min_exponent = DIGITS == 11 ? -13 : -125; \
    static constexpr T round_error() { return (T)0.5f; } \
    static constexpr T signaling_NaN() { return (T)__builtin_nanf(""); } \
    static constexpr T min() { return (T)MIN; } \
    static constexpr T lowest() { return (T)-MAX; } \
    static constexpr T max() { return (T)MAX; } \
    static constexpr T epsilon() { return (T)EPSILON; } \
    static constexpr T denorm_min() { return (T)DENORM; } \
    static constexpr T infinity() { return (T)__builtin_inff(); } \
    static constexpr T quiet_NaN() { return (T)__builtin_nanf(""); } \
  };
METAL_SIM_FLOAT_LIMITS(float, 0x1p-126f, 0x1.fffffep+127f, 0x1p-23f, 0x1p-149f, 24)
METAL_SIM_FLOAT_LIMITS(half, 0x1p-14f, 65504.0f, 0x1p-10f, 0x1p-24f, 11)
METAL_SIM_FLOAT_LIMITS(bfloat, 0x1p-126f, 0x1.fep+127f, 0x1p-7f, 0x1p-133f, 8)
#undef METAL_SIM_FLOAT_LIMITS

// ---------------------------------------------------------------------------------------------------------- arrays

template <typename T, size_t N> struct array {
  T elements_[N];
  constexpr size_t size() const { return N; }
  T &operator[](size_t i) { return elements_[i]; }
  constexpr const T &operator[](size_t i) const { return elements_[i]; }
  constexpr bool empty() const { return N == 0; }
  T *data() { return elements_; }
  constexpr const T *data() const { return elements_; }
  T *begin() { return elements_; }
  constexpr const T *begin() const { return elements_; }
  T *end() { return elements_ + N; }
  constexpr const T *end() const { return elements_ + N; }
};

}  // namespace metal

namespace metal_sim {
/** Data of program scope, which clang wants in its whole global space, in the part that `constant` is. */
template <typename T> metal_sim_constant T &constant_of(const __global T &x) { return *(metal_sim_constant T *)&x; }
/** An object of the thread, a temporary it may be, in the thread's memory. */
template <typename T> __private T &own(__generic T *x) { return *(__private T *)x; }
/** A string, which clang has in a space of its own. */
inline metal_sim_constant char *text(const __constant char *s) { return __builtin_bit_cast(metal_sim_constant char *, s); }
}  // namespace metal_sim

// What clang finds no built-in operator for: a pointer moved by an object that stands for a number.
template <typename T, typename C, typename = metal::enable_if_t<__is_class(C) && metal::is_convertible_v<C, long>>>
constexpr T *__private &operator+=(T *__private &p, C by) { return p = p + (long)by; }
template <typename T, typename C, typename = metal::enable_if_t<__is_class(C) && metal::is_convertible_v<C, long>>>
constexpr T *__private &operator-=(T *__private &p, C by) { return p = p - (long)by; }

// A cast of bits between types of one size; a keyword in Metal, hence not in the namespace.
template <typename To, typename From> constexpr To as_type(From x) {
  static_assert(sizeof(To) == sizeof(From), "as_type between types of different sizes");
  static_assert(!metal::is_pointer_v<To> && !metal::is_pointer_v<From>, "as_type of a pointer");
  static_assert(!metal::is_same_v<To, bool> && !metal::is_same_v<From, bool>, "as_type of bool");
  return __builtin_bit_cast(To, x);
}
