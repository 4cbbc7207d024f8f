/** Metal that its compiler refuses. */

export interface Refused {
  readonly name: string;
  readonly source: string;
  readonly line: number;
  readonly message: RegExp;
}

const head = '#include <metal_stdlib>\nusing namespace metal;\n';

/** A kernel whose body begins at line 5. */
const body = (text: string, parameters: string = ''): string =>
  `${head}kernel void k(device float* x [[buffer(0)]], constant float* c [[buffer(1)]]${parameters},\n    uint i [[thread_position_in_grid]], uint lane [[thread_index_in_simdgroup]]) {\n${text}\n}\n`;

/** Text before a kernel, from line 3. */
const before = (text: string, use: string = 'x[i] = 0.0f;'): string =>
  `${head}${text}\nkernel void k(device float* x [[buffer(0)]], constant float* c [[buffer(1)]], uint i [[thread_position_in_grid]]) {\n  ${use}\n}\n`;

export const refused: readonly Refused[] = [
  // address spaces
  {
    name: 'a pointer without an address space',
    source: before('float first(float* p) { return p[0]; }'),
    line: 3,
    message: /pointer type must have explicit address space qualifier/,
  },
  {
    name: 'a reference without an address space',
    source: before('template <typename T> void set(T& to, T v) { to = v; }'),
    line: 3,
    message: /reference type must have explicit address space qualifier/,
  },
  {
    name: 'a pointer to vectors without an address space',
    source: before('float4 first(const vec<float, 4>* p) { return p[0]; }'),
    line: 3,
    message: /explicit address space/,
  },
  {
    name: 'device memory where thread memory is wanted',
    source: before('float first(const thread float* p) { return p[0]; }', 'x[i] = first(x);'),
    line: 5,
    message: /no matching function for call to 'first'/,
  },
  {
    name: 'constant memory where device memory is wanted',
    source: before('float first(const device float* p) { return p[0]; }', 'x[i] = first(c);'),
    line: 5,
    message: /no matching function for call to 'first'/,
  },
  {
    name: 'a cast from constant to device',
    source: body('  device const float* p = (device const float*)c;\n  x[i] = p[0];'),
    line: 5,
    message: /converts between mismatching address spaces/,
  },
  {
    name: 'the address of a local as a device pointer',
    source: body('  float v = 1;\n  device float* p = &v;\n  x[i] = p[0];'),
    line: 6,
    message: /cannot initialize a variable of type 'device float \*|address space/,
  },
  {
    name: 'a program-scope table where device memory is wanted',
    source: before(
      'constant float table[2] = {1, 2};\nfloat first(const device float* p) { return p[0]; }',
      'x[i] = first(table);',
    ),
    line: 6,
    message: /no matching function for call to 'first'/,
  },
  {
    name: 'a member function called on an object in constant memory',
    source: before(
      'struct S { float a; float twice() const { return 2 * a; } };\nfloat f(constant S& s) { return s.twice(); }',
    ),
    line: 4,
    message: /deleted member function/,
  },
  {
    name: 'threadgroup memory declared in a function that is no kernel',
    source: before('float f(float v) { threadgroup float t[4]; t[0] = v; return t[0]; }'),
    line: 3,
    message: /can only be declared in the outermost scope of a kernel|threadgroup|local/,
  },
  {
    name: 'a write through constant',
    source: body('  c[i] = x[i];'),
    line: 5,
    message: /read-only|const-qualified/,
  },
  {
    name: 'a write through const device',
    source: body('  y[i] = x[i];', ', const device float* y [[buffer(2)]]'),
    line: 5,
    message: /read-only|const-qualified/,
  },
  // the language
  {
    name: 'a static local',
    source: body('  static int n = 0;\n  x[i] = n;'),
    line: 5,
    message: /variables in function scope cannot be declared static/,
  },
  { name: 'goto', source: body('again:\n  goto again;'), line: 6, message: /goto/ },
  { name: 'double', source: body('  double d = 1.0;\n  x[i] = d;'), line: 5, message: /double/ },
  { name: 'long long', source: body('  long long d = 1;'), line: 5, message: /long long/ },
  {
    name: 'a lambda before 3.2',
    source: body('  auto f = [](float v) { return v; };\n  x[i] = f(1);'),
    line: 5,
    message: /lambda expressions are not supported in Metal/,
  },
  {
    name: 'a virtual function',
    source: before('struct S { virtual float f() { return 1; } };'),
    line: 3,
    message: /virtual/,
  },
  { name: 'new', source: body('  x[i] = *(new float);'), line: 5, message: /new/ },
  { name: 'exceptions', source: body('  throw 1;'), line: 5, message: /exceptions/ },
  {
    name: 'a mutable variable of program scope',
    source: before('float total = 0;'),
    line: 3,
    message: /constant address space/,
  },
  {
    name: 'a table of program scope that is not constant',
    source: before('const float table[2] = {1, 2};'),
    line: 3,
    message: /constant address space/,
  },
  {
    name: 'the standard library of C++',
    source: body('  x[i] = std::exp(x[i]);'),
    line: 5,
    message: /standard library/,
  },
  {
    name: 'an array as long as a function constant says',
    source: before('constant int n [[function_constant(0)]];', 'float t[n];\n  x[i] = t[0];'),
    line: 5,
    message: /function constant/,
  },
  { name: 'a syntax error', source: body('  x[i] = ;'), line: 5, message: /expected expression/ },
  // kernels
  {
    name: 'a kernel that returns a value',
    source: `${head}kernel float k(device float* x [[buffer(0)]]) { return x[0]; }`,
    line: 3,
    message: /must return void/,
  },
  {
    name: 'a kernel called by a kernel',
    source: `${head}kernel void a(device float* x [[buffer(0)]]) { x[0] = 1; }\nkernel void b(device float* x [[buffer(0)]]) { a(x); }`,
    line: 4,
    message: /may not be called/,
  },
  {
    name: 'two kernels of one name',
    source: `${head}kernel void a(device float* x [[buffer(0)]]) { x[0] = 1; }\nkernel void a(device int* x [[buffer(0)]]) { x[0] = 1; }`,
    line: 4,
    message: /overloaded/,
  },
  {
    name: 'a kernel named main',
    source: `${head}kernel void main(device float* x [[buffer(0)]]) { x[0] = 1; }`,
    line: 3,
    message: /main/,
  },
  {
    name: 'buffer index 31',
    source: `${head}kernel void k(device float* x [[buffer(31)]]) { x[0] = 1; }`,
    line: 3,
    message: /must be between 0 and 30/,
  },
  {
    name: 'one buffer index twice',
    source: `${head}kernel void k(device float* x [[buffer(0)]],\n    device float* y [[buffer(0)]]) { x[0] = y[0]; }`,
    line: 4,
    message: /buffer.*index 0/,
  },
  {
    name: 'data by value',
    source: `${head}kernel void k(device float* x [[buffer(0)]],\n    int n) { x[n] = 0; }`,
    line: 4,
    message: /invalid type 'int' for input declaration in a kernel function/,
  },
  {
    name: 'data by value, with an index',
    source: `${head}kernel void k(device float* x [[buffer(0)]],\n    float n [[buffer(1)]]) { x[0] = n; }`,
    line: 4,
    message: /invalid type 'float' for input declaration/,
  },
  {
    name: 'a signed position',
    source: `${head}kernel void k(device float* x [[buffer(0)]],\n    int i [[thread_position_in_grid]]) { x[i] = 0; }`,
    line: 4,
    message: /invalid type 'int' for attribute 'thread_position_in_grid'/,
  },
  {
    name: 'positions of two widths',
    source: `${head}kernel void k(device float* x [[buffer(0)]], uint i [[thread_position_in_grid]],\n    uint2 g [[threadgroup_position_in_grid]]) { x[i] = g.x; }`,
    line: 3,
    message: /one vector width/,
  },
  {
    name: 'an input that does not exist',
    source: `${head}kernel void k(device float* x [[buffer(0)]],\n    uint i [[lane_id]]) { x[i] = 0; }`,
    line: 4,
    message: /unknown attribute 'lane_id'/,
  },
  // the library
  {
    name: 'erf, which Metal lacks',
    source: body('  x[i] = erf(x[i]);'),
    line: 5,
    message: /undeclared identifier 'erf'/,
  },
  {
    name: 'a library function without its namespace',
    source: '#include <metal_stdlib>\nfloat f(float x) { return exp(x); }\n',
    line: 2,
    message: /undeclared identifier 'exp'/,
  },
  {
    name: 'simd_sum of a bool',
    source: body('  x[i] = simd_sum(x[i] > 0);'),
    line: 5,
    message: /no matching function for call to 'simd_sum'/,
  },
  {
    name: 'simd_shuffle of a long',
    source: body('  x[i] = simd_shuffle(1l, 0);'),
    line: 5,
    message: /no matching function for call to 'simd_shuffle'/,
  },
  {
    name: 'simd_max of a bfloat',
    source: body('  x[i] = float(simd_max(bfloat(x[i])));'),
    line: 5,
    message: /no matching function for call to 'simd_max'/,
  },
  {
    name: 'a float to a bfloat without a cast',
    source: body('  bfloat b = x[i];\n  x[i] = b;'),
    line: 5,
    message: /bfloat/,
  },
  {
    name: 'half and bfloat in one expression',
    source: body('  x[i] = bfloat(x[i]) + half(x[i]);'),
    line: 5,
    message: /invalid operands|cannot convert|half/,
  },
  {
    name: 'a vector as a condition',
    source: body('  float2 v = float2(x[i], 1);\n  v = v > 0.0f ? v : -v;\n  x[i] = v.x;'),
    line: 6,
    message: /no condition|use all/,
  },
  {
    name: 'a vector as the condition of if',
    source: body('  if (float2(x[i], 1) > 0.0f) x[i] = 0;'),
    line: 5,
    message: /scalar|condition|convert/,
  },
  {
    name: 'a vector of another length',
    source: body('  float2 v = float3(x[i]);\n  x[i] = v.x;'),
    line: 5,
    message: /cannot initialize|different|convert/,
  },
  {
    name: 'a vector of another type',
    source: body('  float2 v = half2(x[i]);\n  x[i] = v.x;'),
    line: 5,
    message: /cannot initialize|convert/,
  },
  {
    name: 'a constructor with too few components',
    source: body('  x[i] = float4(x[i], 1, 2).w;'),
    line: 5,
    message: /wrong number of components/,
  },
  {
    name: 'a matrix of integers in a simdgroup',
    source: body('  simdgroup_matrix<int, 8, 8> m;\n  x[i] = m.thread_elements()[0];'),
    line: 5,
    message: /simdgroup matrix are half, bfloat or float/,
  },
  {
    name: 'atomic minimum of floats',
    source: body(
      '  atomic_fetch_min_explicit(a, 1.0f, memory_order_relaxed);',
      ', device atomic_float* a [[buffer(2)]]',
    ),
    line: 5,
    message: /no matching function for call to 'atomic_fetch_min_explicit'/,
  },
  {
    name: 'atomic sum of floats in threadgroup memory',
    source: body(
      '  threadgroup atomic_float t;\n  atomic_fetch_add_explicit(&t, 1.0f, memory_order_relaxed);',
    ),
    line: 6,
    message: /no matching function for call to 'atomic_fetch_add_explicit'/,
  },
  {
    name: 'an atomic without a memory order',
    source: body('  atomic_fetch_add(a, 1);', ', device atomic_uint* a [[buffer(2)]]'),
    line: 5,
    message: /undeclared identifier 'atomic_fetch_add'/,
  },
  {
    name: 'an atomic operation on plain memory',
    source: body(
      '  atomic_fetch_add_explicit(a, 1u, memory_order_relaxed);',
      ', device uint* a [[buffer(2)]]',
    ),
    line: 5,
    message: /no matching function for call to 'atomic_fetch_add_explicit'/,
  },
  {
    name: 'as_type between sizes',
    source: body('  x[i] = as_type<float>(half(1));'),
    line: 5,
    message: /different sizes/,
  },
  {
    name: 'max of two types',
    source: body('  x[i] = max(x[i], 1);'),
    line: 5,
    message: /ambiguous/,
  },
  // by other names and in other places
  {
    name: 'a pointer to a type by its other name',
    source: before('typedef float real;\nfloat first(real* p) { return p[0]; }'),
    line: 4,
    message: /explicit address space/,
  },
  {
    name: 'a pointer to pointers without a space of its own',
    source: before('float first(device float** p) { return p[0][0]; }'),
    line: 3,
    message: /explicit address space/,
  },
  {
    name: 'a reference to an array without an address space',
    source: before('float first(float (&p)[4]) { return p[0]; }'),
    line: 3,
    message: /explicit address space/,
  },
  {
    name: 'a reference to temporaries without an address space',
    source: before('float first(float&& v) { return v; }'),
    line: 3,
    message: /explicit address space/,
  },
  {
    name: 'a variable behind a struct',
    source: before('struct S { float a; } s;'),
    line: 3,
    message: /constant address space/,
  },
  {
    name: 'an initialiser that must run',
    source: before('constant float w = sqrt(2.0f);', 'x[i] = w;'),
    line: 3,
    message: /must be a constant expression/,
  },
  {
    name: 'long unsigned long',
    source: body('  long unsigned long n = 1;\n  x[i] = n;'),
    line: 5,
    message: /long long/,
  },
  {
    name: 'the noexcept operator',
    source: body('  x[i] = noexcept(x[i] + 1) ? 1 : 0;'),
    line: 5,
    message: /noexcept/,
  },
  {
    name: "a position by a signed type's other name",
    source: `${head}kernel void k(device float* x [[buffer(0)]],\n    int32_t i [[thread_position_in_grid]]) { x[i] = 0; }`,
    line: 4,
    message: /invalid type 'int' for attribute/,
  },
  {
    name: 'one buffer index twice, by names',
    source: `${head}enum { kIn = 1, kOut = 1 };\nkernel void k(device float* x [[buffer(kIn)]],\n    device float* y [[buffer(kOut)]]) { x[0] = y[0]; }`,
    line: 5,
    message: /index 1/,
  },
  {
    name: 'a buffer without an index',
    source: `${head}kernel void k(device float* x [[buffer]]) { x[0] = 1; }`,
    line: 3,
    message: /requires an integer constant/,
  },
  {
    name: 'an unknown attribute of a buffer',
    source: `${head}kernel void k(device float* x [[bufer(0)]]) { x[0] = 1; }`,
    line: 3,
    message: /unknown attribute 'bufer'/,
  },
  {
    name: 'a kernel that is a member',
    source: `${head}struct S { static kernel void k(device float* x [[buffer(0)]]) { x[0] = 1; } };`,
    line: 3,
    message: /member function/,
  },
  {
    name: 'a function constant with a value',
    source: before('constant int n [[function_constant(0)]] = 3;', 'x[i] = n;'),
    line: 3,
    message: /cannot have an initializer/,
  },
  {
    name: 'a guard that is no bool',
    source: `${head}constant float n [[function_constant(0)]];\nkernel void k(device float* x [[buffer(0), function_constant(n)]]) { x[0] = 1; }`,
    line: 4,
    message: /must be a bool/,
  },
  {
    name: 'an atomic copied',
    source: body('  auto v = a[0];', ', device atomic_uint* a [[buffer(2)]]'),
    line: 5,
    message: /deleted/,
  },
  {
    name: 'an atomic float in threadgroup memory',
    source: body(
      '  threadgroup atomic_float t;\n  atomic_store_explicit(&t, 1.0f, memory_order_relaxed);',
    ),
    line: 6,
    message: /no matching function/,
  },
  {
    name: 'an operator of the thread on objects of device memory',
    source: before(
      'struct S { float a; S operator+(S o) const { return S{a + o.a}; } };\nS f(device S* s) { return s[0] + s[1]; }',
    ),
    line: 4,
    message: /deleted/,
  },
  {
    name: 'a member of the thread on an object of threadgroup memory',
    source: before(
      'struct S { float a; float f() const { return a; } };\nfloat g(threadgroup S& s) { return s.f(); }',
    ),
    line: 4,
    message: /deleted/,
  },
  {
    name: 'an instance of no template',
    source: before(
      'template <typename T> kernel void f(device T* x [[buffer(0)]]) { x[0] = 1; }\ntemplate [[host_name("a")]] [[kernel]] decltype(g<float>) g<float>;',
    ),
    line: 4,
    message: /no kernel template/,
  },
  {
    name: 'one host name for two instances',
    source: before(
      'template <typename T> kernel void f(device T* x [[buffer(0)]]) { x[0] = 1; }\ntemplate [[host_name("a")]] [[kernel]] decltype(f<float>) f<float>; template [[host_name("a")]] [[kernel]] decltype(f<int>) f<int>;',
    ),
    line: 4,
    message: /two kernels have the host name/,
  },
  {
    name: 'a host name of another kernel',
    source: before(
      'template <typename T> kernel void f(device T* x [[buffer(0)]]) { x[0] = 1; }\ntemplate [[host_name("k")]] [[kernel]] decltype(f<float>) f<float>;',
    ),
    line: 4,
    message: /two kernels have the host name/,
  },
  {
    name: 'a host name that is no string',
    source: before(
      'template <typename T> kernel void f(device T* x [[buffer(0)]]) { x[0] = 1; }\ntemplate [[host_name(a)]] [[kernel]] decltype(f<float>) f<float>;',
    ),
    line: 4,
    message: /string literal/,
  },
  {
    name: 'an instance with another number of parameters',
    source: before(
      'template <typename T> kernel void f(device T* x [[buffer(0)]]) { x[0] = 1; }\ntemplate [[host_name("a")]] kernel void f<float>(device float*, device float*);',
    ),
    line: 4,
    message: /has 2 parameters/,
  },
  {
    name: 'a function named by a keyword',
    source: before('float vertex(float a) { return a; }'),
    line: 3,
    message: /keyword/,
  },
];
