/** Wrong calls of the prelude: an error in the user's terms each, and no crash. */
import { expect, test } from 'vitest';
import { compileSource } from '../support/run-source.ts';

const wrong: readonly (readonly [expression: string, message: RegExp])[] = [
  ['grad(|x| x)(x)', /MLX3104 .*gradient needs a function that gives a float scalar.*f32\[N\]/],
  ['grad(|i| f32(i))(i)', /MLX3103 .*argument 0: i32 holds no floats/],
  ['grad(|x| sum(x), wrt = 1)(x)', /MLX3102 .*argument 1: the call has 1/],
  ['value_and_grad(|x| sum(x), has_aux = true)(x)', /MLX3101 .*\(loss, aux\)/],
  ['jvp(|x| x, (x,), (x, x))', /MLX3107 .*1 arguments need as many tangents, found 2/],
  ['jvp(|x| x, x, m)', /MLX3105 .*f32\[N\], found f32\[N, N\]/],
  ['vjp(|x| x, x).1(m)', /MLX3105 .*cotangent/],
  ['vmap(|x| x)(s)', /MLX3111 .*scalar f32 has no axis/],
  ['vmap(|x, y| x, axes = (0, 0, 0))(x, x)', /MLX3110 .*3 entries, the call 2 arguments/],
  ['vmap(|x| x, axes = (none,))(x)', /MLX3113 .*at least one mapped argument/],
  ['vmap(|x, y| x + y)(x, array([1.0, 2.0]))', /./],
  ['jacrev(|x| (x, x))(x)', /MLX3115 .*one float tensor/],
  ['jacfwd(|i| f32(i))(i)', /MLX3114 .*float tensor, found i32/],
  ['scan(|c, x| c, 0.0, x)', /MLX3101 .*\(carry, y\)/],
  ['scan(|c, x| (x, c), 0, x)', /MLX3120 .*expected i32, found f32/],
  ['scan(|c, x| (c, x), 0.0, s)', /MLX3130 .*scalar/],
  ['scan(|c, x| (c, x), 0.0)', /MLX3131 .*length/],
  ['while_loop(|c| c, |c| c, 1.0)', /MLX3132 .*bool/],
  ['cond(x > 0, || 1, || 2)', /MLX3133 .*bool scalar, found bool\[N\]/],
  ['cond(s > 0, || 1, || 2.0)', /MLX3120 .*both sides/],
  ['einsum("ij,jk", m)', /MLX2462 .*2 operands, found 1/],
  ['einsum("ijk->i", m)', /MLX2463 .*"ijk" does not fit f32\[N, N\]/],
  ['einsum("i->ij", x)', /MLX2461 .*"j" is in the result/],
  ['einsum("i-j", x)', /MLX2460 .*not an einsum equation/],
  ['reshape(array([1, 2, 3]), (2, -1))', /MLX2431 .*3 elements, which 2 does not divide/],
  ['reshape(m, (-1, -1))', /MLX2430 .*only one/],
  ['transpose(m, (0,))', /MLX2432 .*every axis: 2, found 1/],
  ['concatenate(x)', /MLX2434 .*tuple or an array/],
  ['concatenate((x, m))', /MLX2436 .*different rank/],
  ['split(array([1, 2, 3]), 2)', /MLX2437 .*cannot be split into 2 equal parts/],
  ['array([[1, 2], [3]])', /MLX2440 .*different lengths/],
  ['zeros()', /MLX2410 .*shape is not known/],
  ['where(x, x, x)', /MLX2401 .*bool condition, found f32/],
  ['mean(i)', /MLX2403 .*needs floats, found i32/],
  ['max(zeros((0, 3)), axis = 0)', /MLX2402 .*no elements/],
  ['take(x, x)', /MLX2470 .*positions must be integers/],
  ['map(|a, b| a, (x, x), (x,))', /MLX2420 .*a tuple of 2 and a tuple of 1/],
  ['key_data(x)', /MLX2480 .*expected a Key, found f32\[N\]/],
  ['key(0.5)', /does not fit u32/],
  ['sum(x, axis = 1)', /axis 1/],
  ['matmul(x, s)', /MLX2450 .*at least one axis/],
  ['exp(i)', /./],
  ['bitcast(x, f16)', /./],
  ['select((x > 0,), (x, x))', /MLX2404 .*as many choices as conditions: found 1 conditions and 2/],
  ['select(x > 0, x)', /MLX2404 .*tuples or arrays/],
  ['select((x,), (x,))', /MLX2401 .*`select` needs a bool condition, found f32/],
  ['round(i, decimals = -1)', /MLX2405 .*rounds floats, found i32/],
  ['meshgrid(m)', /MLX2416 .*expected a vector, found f32\[N, N\]/],
  ['meshgrid(x, indexing = "yx")', /MLX2417 .*"xy" or "ij"/],
  ['unstack(x)', /MLX2418 .*needs a known size: axis 0 is N/],
  ['unravel_index(x, (2, 2))', /MLX2419 .*indices must be integers, found f32/],
  ['ravel_multi_index((i, i), (2, 2, 2))', /MLX2419 .*each of 3 axes, found 2/],
  ['pad(x, 1, mode = "mirror")', /MLX2426 .*no padding is called "mirror"/],
  ['roll(m, (1, 2, 3), axis = (0, 1))', /MLX2427 .*3 shifts for 2 axes/],
  ['flatten(m, 1, 0)', /MLX2428 .*axis, 1, comes after the last, 0/],
  ['diagonal(m, 0, 1, 1)', /MLX2429 .*two different axes/],
  ['diagonal(m, size(x))', /MLX2429 .*offset of a diagonal must be a number/],
  ['linspace(0, 1, 3, dtype = i32)', /MLX2413 .*makes floats, not i32/],
  ['sum(x, axis = "rows")', /whole number.*"rows"/],
  [
    'median(x, axis = "rows")',
    /MLX2109 .*axis, a tuple of axes or `none` known.*found the string "rows"/,
  ],
  ['median(x, axis = 1)', /axis 1/],
  ['quantile(x, 0.5, method = "best")', /`method` is "linear"/],
  ['searchsorted(x, s, side = "middle")', /`side` is "left" or "right"/],
  ['isdtype(f32, "float")', /MLX2486 .*no class of dtypes is called "float"/],
  ['norm(m, 2)', /norm of a matrix/],
  ['cross(array([1.0, 2.0]), array([1.0, 2.0]))', /vectors of 3/],
  ['diff(x, n = -1)', /`diff` takes n from 0/],
  ['diag(zeros((2, 2, 2)))', /takes a vector or a matrix/],
  ['nonzero(x)', /MLX2302 .*lacks `size`/],
  ['compress(x > 0, x)', /MLX2302 .*lacks `size`/],
  ['gcd(s, 2)', /`T` must be .*integer|integer/],
  ['fill_diagonal(m, 1)[0, 0, 0]', /./],
  ['custom_vjp(|x| x, |x| x, |r, c| (c,))(x)', /MLX3101 .*\(result, residuals\)/],
  [
    'grad(custom_vjp(|x| sum(x), |x| (sum(x), ()), |r, c| (c,)))(x)',
    /MLX3120 .*cotangent of argument 0/,
  ],
];

test.each(wrong)('%s', (expression, message) => {
  const source = `export fn test(x: f32[N], m: f32[N, N], s: f32, i: i32) -> f32[N] {
    let result = ${expression};
    x
  }`;
  let problem: unknown;
  try {
    compileSource(source);
  } catch (thrown) {
    problem = thrown;
  }
  expect(problem).toBeInstanceOf(Error);
  const lines = (problem as Error).message.split('\n');
  expect(lines[0]).toMatch(/^MLX\d{4} /);
  expect(lines[0]).toMatch(message);
  expect(lines).toHaveLength(1);
});
