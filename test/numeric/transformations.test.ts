/** Transformations and control flow of the prelude, from source to the reference evaluator, on numbers done by hand. */
import { describe, expect, test } from 'vitest';
import { runSource, type TestTensor } from '../support/run-source.ts';

function scalar(value: number): TestTensor {
  return { dtype: 'f32', shape: [], data: [value] };
}

function vector(...data: readonly number[]): TestTensor {
  return { dtype: 'f32', shape: [data.length], data };
}

function matrix(...rows: readonly (readonly number[])[]): TestTensor {
  return { dtype: 'f32', shape: [rows.length, rows[0]!.length], data: rows.flat() };
}

function integer(value: number): TestTensor {
  return { dtype: 'i32', shape: [], data: [value] };
}

/** The data of all results of `export fn test...`. */
function run(source: string, ...inputs: readonly TestTensor[]): number[][] {
  return runSource(source, 'test', inputs).map((t) => [...t.data]);
}

describe('grad', () => {
  test('of a lambda', () => {
    expect(run('export fn test(x: f32) -> f32 { grad(|x| x ** 3)(x) }', scalar(2))).toEqual([[12]]);
  });

  test('by several arguments, one a tuple', () => {
    const source = `
      fn f(p: (f32, f32[N]), x: f32[N], n: int) -> f32 { sum(p.0 * p.1 * x) * n }
      export fn test(a: f32, b: f32[N], x: f32[N]) -> ((f32, f32[N]), f32[N]) {
        grad(f, wrt = (0, 1))((a, b), x, 2)
      }`;
    const inputs = [scalar(3), vector(1, 2), vector(5, 7)];
    expect(run(source, ...inputs)).toEqual([[38], [30, 42], [6, 12]]);
  });

  test('of a struct passes integers by', () => {
    const source = `
      struct P { w: f32[N], n: i32 }
      export fn test(w: f32[3], n: i32) -> (f32[3], i32) {
        let p = P { w, n };
        let g = grad(|p: P<3>| sum(p.w * p.w) * f32(p.n))(p);
        let q = map(|p, g| p - g, p, g);
        (q.w, q.n)
      }`.replace('struct P {', 'struct P<N> {');
    expect(run(source, vector(1, 2, 3), integer(2))).toEqual([[-3, -6, -9], [2]]);
  });

  test('value_and_grad with more results', () => {
    const source = `
      export fn test(x: f32[N]) -> (f32, f32[N], f32[N]) {
        let ((l, double), g) = value_and_grad(|x| (sum(x * x), x * 2), has_aux = true)(x);
        (l, double, g)
      }`;
    expect(run(source, vector(1, 3))).toEqual([[10], [2, 6], [2, 6]]);
  });

  test('through captured values, nested', () => {
    const source = 'export fn test(x: f32) -> f32 { grad(|y| y * grad(|z| z * z * y * x)(y))(x) }';
    // d/dy (y * 2yyx) = 6 y^2 x at y = x = 2
    expect(run(source, scalar(2))).toEqual([[48]]);
  });

  test('stops at stop_gradient', () => {
    const source = 'export fn test(x: f32) -> f32 { grad(|x| x * stop_gradient(x))(x) }';
    expect(run(source, scalar(5))).toEqual([[5]]);
  });
});

describe('vjp, jvp, linearize', () => {
  test('a pullback gives a tuple', () => {
    const source = `
      export fn test(x: f32[N], y: f32[N]) -> (f32[N], f32[N], f32[N]) {
        let (value, pullback) = vjp(|x, y| x * y, x, y);
        let (dx, dy) = pullback(ones_like(x));
        (value, dx, dy)
      }`;
    expect(run(source, vector(2, 3), vector(5, 7))).toEqual([
      [10, 21],
      [5, 7],
      [2, 3],
    ]);
  });

  test('jvp of two arguments', () => {
    const source = `
      export fn test(x: f32, y: f32) -> (f32, f32) { jvp(|x, y| x * y, (x, y), (1.0, 10.0)) }`;
    expect(run(source, scalar(2), scalar(3))).toEqual([[6], [23]]);
  });

  test('linearize pushes tangents forward', () => {
    const source = `
      export fn test(x: f32[N]) -> (f32[N], f32[N]) {
        let (y, push) = linearize(|x| x * x, x);
        (y, push(ones_like(x)) + push(x))
      }`;
    expect(run(source, vector(1, 3))).toEqual([
      [1, 9],
      [4, 24],
    ]);
  });
});

describe('vmap', () => {
  test('axes and out', () => {
    const source = `
      export fn test(x: f32[M, N], y: f32[M]) -> f32[M, N] {
        vmap(|c, y| c * y, axes = (1, none), out = 1)(x, y)
      }`;
    const x = matrix([1, 2, 3], [4, 5, 6]);
    expect(run(source, x, vector(10, 100))).toEqual([[10, 20, 30, 400, 500, 600]]);
  });

  test('per-example gradients of a struct', () => {
    const source = `
      struct P { w: f32[2], b: f32 }
      fn f(p: P, x: f32[2]) -> f32 { sum(p.w * x) * p.b }
      export fn test(w: f32[2], b: f32, x: f32[B, 2]) -> (f32[B, 2], f32[B]) {
        let g = vmap(grad(f), axes = (none, 0))(P { w, b }, x);
        (g.w, g.b)
      }`;
    const x = matrix([1, 2], [3, 4], [5, 6]);
    expect(run(source, vector(1, 1), scalar(2), x)).toEqual([
      [2, 4, 6, 8, 10, 12],
      [3, 7, 11],
    ]);
  });

  test('over keys', () => {
    const source = `
      import { bits, split } from "std/random";
      fn draw(k: Key) -> u32[2] { bits(k) }
      export fn test() -> (u32[3, 2], u32[2]) {
        let keys = split(key(1), 3);
        let all = vmap(draw)(keys);
        (all, bits(keys[1]))
      }`;
    const [all, second] = run(source);
    expect(all!.slice(2, 4)).toEqual(second);
  });
});

describe('Jacobians', () => {
  const source = (name: string): string =>
    `export fn test(x: f32[N]) -> f32[2, N] { ${name}(|x| stack((sum(x * x), prod(x))))(x) }`;

  test.each(['jacfwd', 'jacrev'])('%s', (name) => {
    expect(run(source(name), vector(2, 3, 5))).toEqual([[4, 6, 10, 15, 10, 6]]);
  });

  test('hessian', () => {
    const hessian = 'export fn test(x: f32[N]) -> f32[N, N] { hessian(|x| sum(x * x * x))(x) }';
    expect(run(hessian, vector(1, 2))).toEqual([[6, 0, 0, 12]]);
  });
});

describe('control functions', () => {
  test('scan, forward and reverse', () => {
    const source = `
      export fn test(x: f32[N]) -> (f32, f32[N], f32[N]) {
        let (total, sums) = scan(|c, x| (c + x, c + x), 0.0, x);
        let (_, back) = scan(|c, x| (c + x, c), 0.0, x, reverse = true);
        (total, sums, back)
      }`;
    expect(run(source, vector(1, 2, 3))).toEqual([[6], [1, 3, 6], [5, 3, 0]]);
  });

  test('the gradient of a scan', () => {
    const source = `
      fn f(a: f32, x: f32[N]) -> f32 { scan(|c, x| (c * a + x, ()), 0.0, x).0 }
      export fn test(a: f32, x: f32[N]) -> (f32, f32[N]) { grad(f, wrt = (0, 1))(a, x) }`;
    // x0 a^2 + x1 a + x2
    expect(run(source, scalar(2), vector(1, 3, 5))).toEqual([[7], [4, 2, 1]]);
  });

  test('fori counts from lo', () => {
    const source = 'export fn test(x: f32) -> f32 { fori(2, 5, |i, c| c * f32(i) + x, 1.0) }';
    // ((1*2+1)*3+1)*4+1
    expect(run(source, scalar(1))).toEqual([[41]]);
  });

  test('fori with bounds known at run time', () => {
    const source = 'export fn test(n: i32) -> i32 { fori(1, n + 1, |i, c| c * i, 1) }';
    expect(run(source, integer(5))).toEqual([[120]]);
  });

  test('while_loop', () => {
    const source = 'export fn test(x: f32) -> f32 { while_loop(|c| c < 100.0, |c| c * x, 1.0) }';
    expect(run(source, scalar(3))).toEqual([[243]]);
  });

  test('cond', () => {
    const source = `
      export fn test(x: f32) -> (f32, f32) {
        let f = |x| cond(x > 0.0, |x| x * x, |x| -x, x);
        (f(x), grad(f)(x))
      }`;
    expect(run(source, scalar(3))).toEqual([[9], [6]]);
    expect(run(source, scalar(-3))).toEqual([[3], [-1]]);
  });
});

describe('rules of the user', () => {
  test('custom_vjp reads values around it', () => {
    const source = `
      export fn test(x: f32, s: f32) -> (f32, f32, f32) {
        let f = custom_vjp(|x| x * x * s, |x| (x * x * s, x), |x, ct| (ct * x * s * 10.0,));
        (f(x), grad(f)(x), vmap(grad(f))(stack((x, x + 1.0)))[1])
      }`;
    expect(run(source, scalar(3), scalar(2))).toEqual([[18], [60], [80]]);
  });

  test('custom_jvp', () => {
    const source = `
      export fn test(x: f32, s: f32) -> (f32, f32, f32) {
        let f = custom_jvp(|x| sin(x), |p, t| (sin(p.0), t.0 * s));
        (jvp(f, x, 2.0).1, grad(f)(x), grad(|x| f(x) * x)(x) - f(x))
      }`;
    expect(run(source, scalar(0), scalar(7))).toEqual([[14], [7], [0]]);
  });

  test('checkpoint keeps the gradient', () => {
    const source = `
      export fn test(x: f32, y: f32) -> f32 { grad(checkpoint(|x| x * x * y))(x) }`;
    expect(run(source, scalar(3), scalar(2))).toEqual([[12]]);
  });
});

describe('trees', () => {
  test('map, tree_reduce, zeros_like', () => {
    const source = `
      export fn test(x: f32[N], y: f32) -> (f32[N], f32, f32) {
        let t = map(|a, b| a * 2 + b, (x, y), zeros_like((x, y)));
        (t.0, t.1, tree_reduce(|s, v| s + sum(v), t, 0.0))
      }`;
    expect(run(source, vector(1, 2), scalar(5))).toEqual([[2, 4], [10], [16]]);
  });

  test('zeros of an expected struct', () => {
    const source = `
      struct P { w: f32[2], b: f32 }
      export fn test() -> (f32[2], f32) { let p: P = ones(); (p.w, p.b) }`;
    expect(run(source)).toEqual([[1, 1], [1]]);
  });
});
