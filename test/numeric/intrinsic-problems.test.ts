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
  ['scan(|c, x| (x, c), 0, x)', /MLX3120 .*expected \(i32\), found \(f32\)/],
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
