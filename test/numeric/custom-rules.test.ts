/**
 * custom_vjp and custom_jvp keep their rule wherever they stand. F squares, but its rule says 10 x. The reference squares too and has that
 * derivative by itself, so values and gradients must be the same. Beyond, what the rules compute is differentiated as it
 * stands (as in JAX): there both kinds of rule must agree.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Program } from '../../compiler/tensor-ir/program.ts';
import { compileSource, runProgram, runSource, simplifyProgram } from '../support/run-source.ts';

const rules: Readonly<Record<string, string>> = {
  custom_vjp: 'custom_vjp(|u| u * u, |u| (u * u, u), |u, ct| (10.0 * u * ct,))(u)',
  custom_jvp: 'custom_jvp(|u| u * u, |p, t| (p.0 * p.0, 10.0 * p.0 * t.0))(u)',
};

const reference = '5.0 * u * u - 4.0 * stop_gradient(u * u)';

/** Expressions of x: f64[4] in which F is used. */
const places: Readonly<Record<string, string>> = {
  'on its own': 'F(x[0]) * x[1]',
  'in itself': 'F(F(x[0]) * x[1])',
  'under vmap': 'sum(vmap(F)(x) * x)',
  'under vmap twice': 'sum(vmap(|u| sum(vmap(|v| F(u * v))(x)))(x))',
  'in a scan': 'let (c, ys) = scan(|c, v| (F(0.5 * c * v), F(v)), x[0], x); c + sum(ys)',
  'in vmap in a scan': 'let (c, _) = scan(|c, v| (vmap(|u| F(0.5 * u) * v)(c), ()), x, x); sum(c)',
  'in a scan under vmap': 'sum(vmap(|u| scan(|c, v| (F(0.5 * c * v) + u, ()), u, x).0)(x))',
  'in a loop': 'var c = x[0]; for v in x { c = F(0.6 * c) + v; } c',
  'in a loop that stops': 'var c = x[0]; for i in 0..9 while c < 3.0 { c = F(c) + x[1]; } c',
  'in cond': 'cond(x[0] > 0.5, |u| F(u) * x[1], |u| u, x[0])',
  'in cond under vmap': 'sum(vmap(|u| cond(u > 0.8, |u| F(u), |u| u * x[0], u))(x))',
  'in switch': 'let i = i32(x[0]) + 1; switch(i, (|u| u, |u| F(u) * x[1], |u| F(F(u))), x[2])',
  'in checkpoint': 'checkpoint(|y| sum(vmap(F)(y)))(x * x[0])',
  'around checkpoint': 'sum(vmap(|u| checkpoint(|v| F(v) * v)(u))(x))',
  'under grad': 'grad(|u| F(u) * sin(u))(x[0]) * x[1]',
  'in vmap of grad': 'sum(vmap(grad(|u| F(u) * sin(u)))(x))',
  'in grad of vmap': 'sum(sin(grad(|y| sum(vmap(F)(y) * x))(x)))',
  'in another rule':
    'custom_vjp(|u| F(u) * 2.0, |u| (F(u) * 2.0, u), |u, ct| (F(u) * ct,))(x[0]) * F(x[1])',
  'behind associative_scan': 'sum(associative_scan(|a, b| a + b, vmap(F)(x)) * x)',
};

const x = { dtype: 'f64' as const, shape: [4], data: [0.7, 1.3, 0.4, 1.1] };

/** Of each place: what `outputs` says. */
function programOf(definition: string): string {
  const head = `fn F(u: f64) -> f64 { ${definition} }`;
  const functions = Object.values(places).map(
    (text, i) => `
      fn p${i}(x: f64[4]) -> f64 { ${text} }
      export fn all${i}(x: f64[4]) -> (f64, f64[4], f64[2, 4], f64[4]) {
        let second = grad(|x| sum(sin(grad(p${i})(x))))(x);
        (p${i}(x), grad(p${i})(x), vmap(grad(p${i}))(stack((x, cos(x)))), second)
      }`,
  );
  return [head, ...functions].join('\n');
}

const programs = new Map<string, Program<'plain'>>();

beforeAll(() => {
  for (const [rule, text] of [...Object.entries(rules), ['reference', reference]] as const) {
    programs.set(rule, compileSource(programOf(text)));
  }
});

/** Value, gradient, gradients of two examples, second derivative. */
function outputs(program: Program<'plain'>, place: string): readonly (readonly number[])[] {
  const name = `all${Object.keys(places).indexOf(place)}`;
  return runProgram(program, name, [x]).map((t) => [...t.data]);
}

function expectNear(
  found: readonly (readonly number[])[],
  expected: readonly (readonly number[])[],
): void {
  const numbers = expected.flat();
  found.flat().forEach((v, i) => {
    expect(Math.abs(v - numbers[i]!)).toBeLessThan(1e-9 * Math.max(1, Math.abs(numbers[i]!)));
  });
  expect(found.flat().length).toBe(numbers.length);
}

describe.each(Object.keys(places))('%s', (place) => {
  // of a gradient, the value alone is a first derivative
  const count = place.includes('grad') ? 1 : 3;

  test('value and gradients are those of the rule', () => {
    const expected = outputs(programs.get('reference')!, place).slice(0, count);
    for (const rule of Object.keys(rules)) {
      expectNear(outputs(programs.get(rule)!, place).slice(0, count), expected);
    }
  });

  test('both kinds of rule agree, also twice and behind the passes', () => {
    const [first, second] = Object.keys(rules).map((rule) => programs.get(rule)!);
    const expected = outputs(first!, place);
    expectNear(outputs(second!, place), expected);
    expectNear(outputs(simplifyProgram(second!), place), expected);
    expectNear(outputs(simplifyProgram(first!), place), expected);
  });
});

test('forward mode takes the rule of custom_jvp, and refuses custom_vjp', () => {
  const push = (rule: string): string => `
    fn F(u: f64) -> f64 { ${rules[rule]!} }
    export fn test(x: f64[4]) -> (f64, f64[4], f64[4]) {
      let (y, t) = jvp(F, (x[0],), (x[1],));
      (t, vmap(|u| jvp(F, (u,), (u,)).1)(x), jvp(grad(|x| sum(vmap(F)(x))), (x,), (x,)).1)
    }`;
  const [one, each, second] = runSource(push('custom_jvp'), 'test', [x]);
  expect(one!.data[0]).toBeCloseTo(10 * 0.7 * 1.3, 12);
  each!.data.forEach((v, i) => {
    expect(v).toBeCloseTo(10 * x.data[i]! ** 2, 12);
  });
  second!.data.forEach((v, i) => {
    expect(v).toBeCloseTo(10 * x.data[i]!, 12);
  });
  expect(() => runSource(push('custom_vjp'), 'test', [x])).toThrow(/reverse mode only/);
});

describe('what has no derivative', () => {
  const value = { dtype: 'f64' as const, shape: [], data: [3] };
  const count = { dtype: 'i32' as const, shape: [], data: [2] };

  test('integers and truths beside floats come through with () for a tangent', () => {
    const source = `
      fn f(x: f64, n: i32) -> (f64, i32, bool) { (x ** 2 * f64(n), n + 1, x > 1.0) }
      export fn test(x: f64, n: i32) -> (f64, i32, bool, f64, f64) {
        let (y, t) = jvp(|x| f(x, n), (x,), (1.0,));
        let (_, pull) = vjp(f, x, n);
        let (dx, _) = pull((1.0, (), ()));
        (y.0, y.1, y.2, t.0, dx)
      }`;
    const found = runSource(source, 'test', [value, count]).map((t) => t.data[0]);
    expect(found).toEqual([18, 3, 1, 12, 12]);
  });

  test('a result that does not depend on x has the gradient 0', () => {
    const source = `
      export fn test(x: f64, n: i32) -> (f64, f64, f64) {
        (grad(|x| f64(n))(x), grad(|x| stop_gradient(x) * 2.0)(x), grad(|x| f64(floor(x)) + round(x))(x))
      }`;
    const found = runSource(source, 'test', [value, count]).map((t) => t.data[0]);
    expect(found).toEqual([0, 0, 0]);
  });

  test('where passes NaN from the side not taken, unless that side is safe too', () => {
    const source = `
      fn naive(x: f64) -> f64 { where(x > 0.0, log(x), 0.0) }
      fn safe(x: f64) -> f64 { where(x > 0.0, log(where(x > 0.0, x, 1.0)), 0.0) }
      fn lazily(x: f64) -> f64 { if x > 0.0 { log(x) } else { 0.0 } }
      export fn test(x: f64) -> (f64, f64, f64) { (grad(naive)(x), grad(safe)(x), grad(lazily)(x)) }`;
    const zero = { dtype: 'f64' as const, shape: [], data: [0] };
    expect(runSource(source, 'test', [zero]).map((t) => t.data[0])).toEqual([Number.NaN, 0, 0]);
    const found = runSource(source, 'test', [value]).map((t) => t.data[0]);
    expect(found).toEqual([1 / 3, 1 / 3, 1 / 3]);
  });
});
