/**
 * Names that people bring from NumPy, JAX, MLX, PyTorch and TypeScript, and what they are here. Looked up only for
 * names that do not exist.
 */

const noPrefix = 'functions stand without a prefix: `exp(x)`, `where(c, a, b)`';
const noEffect = 'functions have no effects: give the value back as a part of the result';
const dependsOnValues = 'sizes cannot depend on values: use `where(c, a, b)`, or a mask of 0 and 1';
const unmapped = 'write `none` for what is absent, `newaxis` for a new axis';
const noCopy = 'leave it out: values never change, so they need no copies';
const noDevice = 'leave it out: the device is chosen when the program is loaded';

function each(names: string, hint: string): [string, string][] {
  return names.split(' ').map((name) => [name, hint]);
}

/** Values and functions: what to write instead. */
const values: ReadonlyMap<string, string> = new Map<string, string>([
  ['True', 'write `true`'],
  ['False', 'write `false`'],
  ...each('None null nil undefined', unmapped),
  ['range', 'write `for i in 0..n { … }`, or `arange(n)` for a tensor'],
  ['enumerate', 'write `for i in 0..n { … }` and `x[i]`'],
  ['zip', 'write `for i in 0..n { … }` with `x[i]` and `y[i]`, or `map(f, a, b)` over trees'],
  [
    'self',
    'a parameter of its own name: `fn forward(m: Net, x: f32[N])`, called as `m.forward(x)`',
  ],
  [
    'this',
    'a parameter of its own name: `fn forward(m: Net, x: f32[N])`, called as `m.forward(x)`',
  ],
  ...each(
    'np numpy jnp jax lax mx mlx torch tf math Math F nn keras scipy sp cp functools itertools',
    noPrefix,
  ),
  ...each('print println console log_value breakpoint', noEffect),
  ['assert', 'a `where` clause behind the result type states what must hold: `where N > 0`'],
  ['float', 'convert with a dtype: `f32(x)`'],
  ['double', 'convert with a dtype: `f64(x)`'],
  ['int', 'convert with a dtype: `i32(x)`'],
  ['str', 'strings are compile-time options only'],
  ['list', 'a fixed array is `[a, b]`, a tensor `array([1, 2])`'],
  ['dict', 'declare a `struct`'],
  ...each('isinstance type', '`dtype(x)` is the dtype of a tensor; types are known when compiling'),
  ...each('float32 single', 'write `f32`'),
  ...each('float64', 'write `f64`'),
  ...each('float16 half', 'write `f16`'),
  ['bfloat16', 'write `bf16`'],
  ...each('bool_ boolean', 'write `bool`'),
  ...['8', '16', '32', '64'].flatMap((n) => [
    ...each(`int${n}`, `write \`i${n}\``),
    ...each(`uint${n}`, `write \`u${n}\``),
  ]),
  ...each('complex64 complex128', 'write `c64`'),
  ...each(
    'tensor Tensor asarray as_tensor ndarray Array',
    'a tensor is written `array([[1, 2], [3, 4]])`',
  ),
  ...each(
    'rand',
    'randomness takes a key: `uniform(key)` of "std/random", shaped by the expected type',
  ),
  ...each(
    'randn',
    'randomness takes a key: `normal(key)` of "std/random", shaped by the expected type',
  ),
  ...each('PRNGKey manual_seed seed RandomState default_rng', 'a random key is `key(seed)`'),
  ...each('permute', 'write `transpose(x, (1, 0, 2))` or `permute_dims`'),
  ['t', 'write `x.T`'],
  ['unsqueeze', 'write `x[newaxis]`, `x[:, newaxis]` or `expand_dims(x, axis)`'],
  ['cat', 'write `concatenate((a, b), axis = 0)`'],
  ...each('mm bmm mv', 'write `a @ b`'),
  ...each('item numpy tolist', 'leave it out: a scalar is a tensor without axes, `x[0]` an item'),
  ...each('detach stop_grad no_grad', 'write `stop_gradient(x)`'),
  ...each('backward requires_grad_ autograd', 'derivatives are functions: `grad(f)(x)`'),
  ...each('cuda cpu to device_put', noDevice),
  ...each('clone copy deepcopy contiguous ascontiguousarray', noCopy),
  ['masked_fill', 'write `where(mask, value, x)`'],
  ['clamp', 'write `clip(x, low, high)`'],
  ...each('jit compile njit', 'leave it out: every function is compiled'),
  ...each('Dense fully_connected', 'write `Linear` and `linear` of "std/nn"'),
  ...each(
    'gather index_select',
    'write `x[i]`, `take(x, i, axis)` or `take_along_axis(x, i, axis)`',
  ),
  ...each(
    'scatter scatter_add scatter_ index_add index_copy index_update segment_sum',
    'a changed copy is `x.at[i].set(v)` or `x.at[i].add(v)`',
  ),
  ...each('jacobian jac', 'write `jacfwd(f)` or `jacrev(f)`'),
  ['pmap', 'write `vmap(f)`'],
  ['fori_loop', 'write `fori(lo, hi, |i, carry| …, init)`, or a `for` loop'],
  ...each('nonzero argwhere unique compress extract flatnonzero', dependsOnValues),
  ...each('eval async_eval', 'leave it out: results are computed when they are read'),
  ...each(
    'push append extend insert',
    'values do not change: `concatenate` or `stack` make a new one',
  ),
  ['neg', 'write `-x`'],
  ['sub', 'write `a - b`'],
  ['mul', 'write `a * b`'],
  ['div', 'write `a / b`'],
  ['size_of', 'write `size(x)`'],
  ['length', 'write `len(x)`'],
]);

const types: ReadonlyMap<string, string> = new Map<string, string>([
  ...each('float32 single Float32Array', 'write `f32`'),
  ...each('double float64', 'write `f64`'),
  ...each('half float16', 'write `f16`'),
  ['bfloat16', 'write `bf16`'],
  ...each('boolean bool_ Bool', 'write `bool`'),
  ...['8', '16', '32', '64'].flatMap((n) => [
    ...each(`int${n}`, `write \`i${n}\``),
    ...each(`uint${n}`, `write \`u${n}\``),
  ]),
  ...each(
    'usize isize uint long size_t char integer',
    'write `i32` for a value, `int` for a number known when compiling',
  ),
  ['number', 'write `f32` for a value; as a class of dtypes it stands in `<T: number>`'],
  ...each('str String', 'write `string`; strings are known when compiling'),
  ...each(
    'Tensor Array ndarray Matrix Vector NDArray',
    'a tensor is its dtype and shape: `f32[M, N]`',
  ),
  ...each('void Void', 'a function without a result has the type `()`'),
  ...each('Tuple', 'a tuple type is written `(A, B)`'),
  ...each('List list Vec', 'a fixed array is written `[A; 3]`, a tensor `f32[N]`'),
  ...each('Callable Function Fn', 'the type of a function is written `fn(f32[N]) -> f32`'),
  ...each('Optional Option', 'a parameter with a default may be left out: `x: f32 = 0.0`'),
  ...each('PRNGKey KeyArray', 'write `Key`'),
  ...each('tree pytree PyTree', 'a generic stands for a tree: `fn f<P: tree>(params: P)`'),
  ...each('any Any object', 'a generic stands for a type: `fn f<T: number>(x: T[N])`'),
  ...each('Self self', 'write the name of the struct'),
  ...each('c128 complex64 complex128 complex', 'write `c64`'),
]);

/** Names of arguments, and the ones that may be meant. */
const argumentNames: ReadonlyMap<string, readonly string[]> = new Map([
  ['dim', ['axis', 'axes']],
  ['dims', ['axis', 'axes']],
  ['axes', ['axis']],
  ['axis', ['axes']],
  ['keepdim', ['keepdims']],
  ['keep_dims', ['keepdims']],
  ['in_axes', ['axes']],
  ['in_dims', ['axes']],
  ['out_axes', ['out']],
  ['out_dims', ['out']],
  ['argnums', ['wrt']],
  ['argnum', ['wrt']],
  ['argnames', ['wrt']],
  ['size', ['shape']],
  ['shape', ['size']],
  ['learning_rate', ['lr']],
  ['correction', ['ddof']],
  ['unbiased', ['ddof']],
  ['min', ['low', 'minval', 'lo']],
  ['max', ['high', 'maxval', 'hi']],
  ['reps', ['repeats']],
  ...(['reverse', 'largest', 'desc'] as const).map((n): [string, string[]] => [n, ['descending']]),
  ['n', ['num', 'count']],
]);

/** Functions that other libraries call with more arguments than ours take. */
const calls: ReadonlyMap<string, string> = new Map<string, string>([
  ...each(
    'normal uniform bits bernoulli rademacher truncated_normal lognormal exponential laplace logistic cauchy gumbel pareto rayleigh weibull_min triangular geometric maxwell gamma beta categorical poisson',
    'the shape and dtype are those expected: `let x: f32[3, 4] = normal(key);`',
  ),
  ...each(
    'transpose permute_dims',
    'axes stand in a tuple: `transpose(x, (0, 2, 1))`; `swapaxes(x, 0, 1)` swaps two',
  ),
  ...each('reshape view', 'the shape is a tuple: `reshape(x, (2, 3))`'),
  ...each('broadcast_to tile zeros ones', 'the sizes stand in a tuple: `zeros((2, 3))`'),
  ['max', '`maximum(a, b)` is the greater of two; `max` reduces over axes'],
  ['min', '`minimum(a, b)` is the smaller of two; `min` reduces over axes'],
  ['split', 'a key is divided by `split` of "std/random"; that of the prelude cuts a tensor'],
]);

/** Of a call with too many arguments. */
export function hintForCall(callee: string): string | undefined {
  return calls.get(callee);
}

export function hintForValue(name: string): string | undefined {
  return values.get(name);
}

export function hintForType(name: string): string | undefined {
  return types.get(name);
}

/** The parameter that an argument of another library names; undefined when the callee has none of that meaning. */
export function meantArgument(name: string, parameters: readonly string[]): string | undefined {
  return argumentNames.get(name)?.find((meant) => parameters.includes(meant));
}
