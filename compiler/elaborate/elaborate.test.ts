/** Meanings of the language, from source to numbers by the reference evaluator. */
import { describe, expect, test } from 'vitest';
import { runSource, type TestTensor } from '../../test/support/run-source.ts';

function f32(shape: readonly number[], data: readonly number[]): TestTensor {
  return { dtype: 'f32', shape, data };
}

function i32(shape: readonly number[], data: readonly number[]): TestTensor {
  return { dtype: 'i32', shape, data };
}

/** 0, 1, 2, ... */
function ramp(...shape: number[]): TestTensor {
  const count = shape.reduce((a, b) => a * b, 1);
  return f32(
    shape,
    Array.from({ length: count }, (_, i) => i),
  );
}

/** The results of the function `f` of the source. */
function run(source: string, ...inputs: TestTensor[]): readonly TestTensor[] {
  return runSource(source, 'f', inputs);
}

/** The one result as `[shape, data]`. */
function one(source: string, ...inputs: TestTensor[]): [readonly number[], readonly number[]] {
  const results = run(source, ...inputs);
  expect(results).toHaveLength(1);
  return [results[0]!.shape, results[0]!.data];
}

describe('operators', () => {
  test('literals take the dtype of what they meet', () => {
    const [result] = run('export fn f(x: bf16[2]) -> bf16[2] { x * 2 + 0.5 }', {
      dtype: 'bf16',
      shape: [2],
      data: [1, 2],
    });
    expect(result).toMatchObject({ dtype: 'bf16', data: [2.5, 4.5] });
  });

  test('floor modulo has the sign of the divisor', () => {
    expect(one('export fn f(x: i32[4]) -> i32[4] { x % 3 }', i32([4], [-4, -3, 4, 5]))[1]).toEqual([
      2, 0, 1, 2,
    ]);
  });

  test('powers bind tighter than the sign', () => {
    expect(one('export fn f(x: f32) -> f32 { -x ** 2 }', f32([], [3]))[1]).toEqual([-9]);
    expect(one('export fn f(x: f32) -> f32 { x ** -1 + 2 ** 3 }', f32([], [4]))[1]).toEqual([8.25]);
  });

  test('dims mix with tensors as literals do', () => {
    const source =
      'export fn f(x: f32[N, M]) -> f32 { sum(x) / N + (1.0 / M) * 4 + x[0, 0] * (M - 1) }';
    expect(one(source, ramp(2, 4))[1]).toEqual([14 + 1]);
  });

  test('matrices multiply as NumPy has it', () => {
    const shapes: [string, number[], number[], number[], number[]][] = [
      ['3].3', [3], [3], [], [5]],
      ['matrix vector', [2, 3], [3], [2], [5, 14]],
      ['vector matrix', [3], [3, 2], [2], [10, 13]],
      ['matrix matrix', [2, 3], [3, 2], [2, 2], [10, 13, 28, 40]],
      ['batch by matrix', [2, 1, 2], [2, 2], [2, 1, 2], [2, 3, 6, 11]],
      ['matrix by batch', [1, 2], [2, 2, 2], [2, 1, 2], [2, 3, 6, 7]],
      ['broadcast batches', [2, 1, 1, 2], [2, 2, 1], [2, 2, 1, 1], [1, 3, 3, 13]],
    ];
    for (const [name, a, b, shape, data] of shapes) {
      const type = (s: number[]): string => (s.length === 0 ? 'f32' : `f32[${s.join(', ')}]`);
      const source = `export fn f(a: ${type(a)}, b: ${type(b)}) -> ${type(shape)} { a @ b }`;
      expect([name, ...one(source, ramp(...a), ramp(...b))]).toEqual([name, shape, data]);
    }
  });

  test('trees add leaf by leaf, with each other and with numbers', () => {
    const source = `
struct P { a: f32[2], b: (f32, [f32; 2]) }
export fn f(p: P, s: f32) -> P { (p + p * 2) * s - 1 }`;
    const results = run(source, ramp(2), f32([], [5]), f32([], [1]), f32([], [2]), f32([], [10]));
    expect(results.map((r) => r.data)).toEqual([[-1, 29], [149], [29], [59]]);
  });
});

describe('types', () => {
  test('dims are solved from equations', () => {
    const source = `
fn g(x: f32[2*N], k: f32[K], y: f32[N-K+1]) -> f32[N, K] { zeros() + N * 10 + K }
export fn f(x: f32[8], k: f32[3], y: f32[2]) -> f32[4, 3] { g(x, k, y) }`;
    expect(one(source, ramp(8), ramp(3), ramp(2))).toEqual([[4, 3], Array(12).fill(43)]);
  });

  test('shape variables take what is left', () => {
    const source = `
fn last_sum<T: float>(x: T[...S, N]) -> T[...S] { sum(x, axis = -1) }
export fn f(x: f32[2, 2, 2]) -> f32[2, 2] { last_sum(x) }`;
    expect(one(source, ramp(2, 2, 2))).toEqual([
      [2, 2],
      [1, 5, 9, 13],
    ]);
  });

  test('the expected type reaches results through element-wise operators', () => {
    const source = 'export fn f(s: f32) -> f32[2, 3] { let w: f32[2, 3] = ones() * 2.0; -(w * s) }';
    expect(one(source, f32([], [4]))).toEqual([[2, 3], Array(6).fill(-8)]);
  });

  test('explicit generics, int parameters and defaults', () => {
    const source = `
fn fill<N>(v: f32) -> f32[N] { v + zeros() }
fn grid(n: int, m: int = n + 1) -> f32[n, m] { ones() }
export fn f(v: f32) -> (f32[3], f32[2, 3]) { (fill<3>(v), grid(2)) }`;
    expect(run(source, f32([], [7])).map((r) => [r.shape, r.data])).toEqual([
      [[3], [7, 7, 7]],
      [[2, 3], Array(6).fill(1)],
    ]);
  });

  test('axes and any: parameters that decide the shape of the result', () => {
    const source = `
fn spread<T: number>(x: T[...S], axis: axes = none, base: any = none) {
  let top = max(x, axis = axis);
  if base == none { top } else { top - base }
}
export fn f(x: f32[2, 3]) -> (f32, f32[2], f32[3], f32) {
  (spread(x), spread(x, 1), x.spread(axis = (0,), base = x[0]), spread(x, base = 1))
}`;
    const [all, rows, columns, shifted] = run(source, ramp(2, 3)).map((t) => t.data);
    expect([all, rows, columns, shifted]).toEqual([[5], [2, 5], [3, 3, 3], [4]]);
  });

  test('function parameters give the types of their results', () => {
    const source = `
fn twice<A: tree, B: tree>(g: fn(A) -> B, x: A) -> (B, B) { (g(x), g(x)) }
export fn f(x: f32[3]) -> f32 { let (a, b) = twice(|v| sum(v), x); a + b }`;
    expect(one(source, ramp(3))[1]).toEqual([6]);
  });

  test('structs: shorthand, update, dims from the fields, leading axes', () => {
    const source = `
struct Linear<I, O> { w: f32[I, O], b: f32[O] }
fn apply(x: f32[I], m: Linear<I, O>) -> f32[O] { x @ m.w + m.b }
export fn f(w: f32[2, 3], b: f32[3], x: f32[2], many: Linear<2, 3>[2]) -> (f32[3], f32[3]) {
  let m = Linear { w, b };
  let n = Linear { ..m, b: b * 2 };
  (apply(x, n), apply(x, many[1]))
}`;
    const results = run(source, ramp(2, 3), ramp(3), f32([2], [1, 1]), ramp(2, 2, 3), ramp(2, 3));
    expect(results.map((r) => r.data)).toEqual([
      [3, 7, 11],
      [18, 21, 24],
    ]);
  });

  test('exact division with a where clause', () => {
    const source = `
fn heads(x: f32[N, D], h: int) -> f32[h, N, D/h] { permute_dims(reshape(x, (N, h, D / h)), (1, 0, 2)) }
export fn f(x: f32[N, D]) -> f32[2, N, D/2] where D % 2 == 0 { heads(x, 2) }`;
    expect(one(source, ramp(1, 4))).toEqual([
      [2, 1, 2],
      [0, 1, 2, 3],
    ]);
  });
});

describe('indexing', () => {
  const x = ramp(2, 3, 4);
  const cases: [string, number[], number[]][] = [
    ['x[1]', [3, 4], [12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]],
    ['x[-1, 0]', [4], [12, 13, 14, 15]],
    ['x[..., 1]', [2, 3], [1, 5, 9, 13, 17, 21]],
    ['x[0, 1:, ::2]', [2, 2], [4, 6, 8, 10]],
    ['x[0, ::-1, 3:0:-2]', [3, 2], [11, 9, 7, 5, 3, 1]],
    ['x[0, 0, newaxis, :-2]', [1, 2], [0, 1]],
    ['x[i, 0]', [4], [12, 13, 14, 15]],
    ['x[i - 2, 0, 1:3]', [2], [13, 14]],
    ['x[:, j]', [2, 2, 4], [8, 9, 10, 11, 0, 1, 2, 3, 20, 21, 22, 23, 12, 13, 14, 15]],
    ['x[0, j, j]', [2], [10, 0]],
    ['x[j - 1, :, j]', [2, 3], [14, 18, 22, 12, 16, 20]],
    ['x[1, j[:, newaxis], j]', [2, 2], [22, 20, 14, 12]],
    ['x[0, [0, 2], 1]', [2], [1, 9]],
    ['x[0].T[1]', [3], [1, 5, 9]],
  ];
  test.each(cases)('%s', (text, shape, data) => {
    const type = `f32[${shape.join(', ')}]`;
    const source = `export fn f(x: f32[2, 3, 4], i: i32, j: i32[2]) -> ${type} { ${text} }`;
    // j is (2, 0), and j - 1 is (1, -1)
    expect(one(source, x, i32([], [1]), i32([2], [2, 0]))).toEqual([shape, data]);
  });

  const updates: [string, number[]][] = [
    ['x.at[1].set(9)', [0, 1, 2, 9, 9, 9]],
    ['x.at[:, 1].add(10.0)', [0, 11, 2, 3, 14, 5]],
    ['x.at[0, ::2].set(v)', [7, 1, 8, 3, 4, 5]],
    ['x.at[i, 1:].mul(v)', [0, 1, 2, 3, 28, 40]],
    ['x.at[:, j].set(v)', [0, 7, 8, 3, 7, 8]],
    ['x.at[i + 5].set(1)', [0, 1, 2, 3, 4, 5]],
    ['x.at[0, ::-2].set(v)', [8, 1, 7, 3, 4, 5]],
    ['x.at[...].max(3)', [3, 3, 3, 3, 4, 5]],
    ['x.at[j - 1, j].min(-1)', [0, -1, 2, 3, 4, -1]],
  ];
  test.each(updates)('%s', (text, data) => {
    const source = `export fn f(x: f32[2, 3], i: i32, j: i32[2], v: f32[2]) -> f32[2, 3] { ${text} }`;
    expect(one(source, ramp(2, 3), i32([], [1]), i32([2], [1, 2]), f32([2], [7, 8]))[1]).toEqual(
      data,
    );
  });
});

describe('control flow', () => {
  test('a loop over a range carries its variables', () => {
    const source = `
export fn f(x: f32[N]) -> (f32, i32) {
  var total = 0.0;
  var count = 0;
  for i in 0..N { total += x[i]; count = count + i; }
  (total, count)
}`;
    expect(run(source, ramp(5)).map((r) => [r.dtype, r.data])).toEqual([
      ['f32', [10]],
      ['i32', [10]],
    ]);
  });

  test('a literal that starts a carry takes the dtype of the body', () => {
    const source = `
export fn f(x: f16[3]) -> f16 { var t = 0; for v in x { t = t + v; } t }`;
    const [result] = run(source, { dtype: 'f16', shape: [3], data: [1, 2, 3] });
    expect(result).toMatchObject({ dtype: 'f16', data: [6] });
  });

  test('loops over a leading axis of structs, and over fixed arrays', () => {
    const source = `
struct P { a: f32, b: f32[2] }
export fn f(ps: P[3], qs: [P; 2]) -> (f32[2], f32[2]) {
  var s = zeros<f32[2]>();
  var t = zeros<f32[2]>();
  for p in ps { s = s + p.a * p.b; }
  for q in qs { t = t + q.a * q.b; }
  (s, t)
}`.replaceAll('zeros<f32[2]>()', '(qs[0].b * 0)');
    const results = run(source, ramp(3), ramp(3, 2), f32([], [2]), ramp(2), f32([], [3]), ramp(2));
    expect(results.map((r) => r.data)).toEqual([
      [10, 13],
      [0, 5],
    ]);
  });

  test('a struct with leading axes inside another keeps them in a gradient', () => {
    const source = `
struct P { w: f32 }
struct Net { scale: f32[4], layers: P[2] }
fn loss(net: Net) -> f32 {
  var y = sum(net.scale);
  for p in net.layers { y = y * p.w; }
  y
}
export fn f(net: Net) -> Net { grad(loss)(net) }`;
    const results = run(source, ramp(4), f32([2], [5, 7]));
    expect(results.map((r) => r.data)).toEqual([
      [35, 35, 35, 35],
      [42, 30],
    ]);
  });

  test('a parameter with default none may be left out, with the dims that only it names', () => {
    const source = `
fn affine(x: f32[N], w: f32[M] = none, groups: int = 1, by: f32 = none) -> f32[N]
where N % groups == 0 {
  let y = if w == none { x } else { x * sum(w) };
  if by == none { y } else { y + by }
}
export fn f(x: f32[2], w: f32[3]) -> (f32[2], f32[2], f32[2]) {
  (affine(x), affine(x, w), affine(x, none, by = 1.0))
}`;
    const results = run(source, f32([2], [1, 2]), f32([3], [1, 1, 1]));
    expect(results.map((r) => r.data)).toEqual([
      [1, 2],
      [3, 6],
      [2, 3],
    ]);
  });

  test('if gives a value, changes variables, and is decided early when it can be', () => {
    const source = `
fn pick(x: f32[...S], flip: bool = true) -> f32[...S] { if flip { -x } else { undefined_here(x) } }
fn undefined_here(x: f32[...S]) -> f32[...S] { x }
export fn f(x: f32) -> (f32, f32) {
  var n = 0;
  let y = if x > 1.0 { n = 3; x * 2 } else if x > 0.0 { n += 1; 5.0 } else { 0 };
  if y > 100.0 { n = 7; }
  (pick(y), f32(n))
}`;
    expect(run(source, f32([], [4])).map((r) => r.data)).toEqual([[-8], [3]]);
    expect(run(source, f32([], [0.5])).map((r) => r.data)).toEqual([[-5], [1]]);
    expect(run(source, f32([], [-3])).map((r) => r.data)).toEqual([[-0], [0]]);
  });

  test('while, for ... while, and ranges of the run', () => {
    const source = `
export fn f(n: i32) -> (i32, i32, i32) {
  var a = 1;
  while a < n { a *= 2; }
  var b = 0;
  for i in 0..100 while b < n { b = b + i; }
  var c = 0;
  for i in 2..n { c += i; }
  (a, b, c)
}`;
    expect(run(source, i32([], [7])).map((r) => r.data[0])).toEqual([8, 10, 20]);
  });

  test('a loop over a fixed array stops early too', () => {
    const source = `
export fn f(xs: [f32; 4]) -> f32 {
  var t = 0.0;
  for x in xs while t < 3.0 { t = t + x; }
  t
}`;
    const inputs = [1, 2, 3, 4].map((v) => f32([], [v]));
    expect(one(source, ...inputs)[1]).toEqual([3]);
  });

  test('loops nest and read what is outside', () => {
    const source = `
export fn f(x: f32[2, 3], s: f32) -> f32 {
  var t = 0.0;
  for row in x { for v in row { if v > 1.0 { t = t + s * v; } } }
  t
}`;
    expect(one(source, ramp(2, 3), f32([], [10]))[1]).toEqual([140]);
  });
});

describe('functions', () => {
  test('lambdas close over values, pipes and methods pass the first argument', () => {
    const source = `
fn scale(x: f32[N], by: f32 = 2.0, offset: f32 = 0.0) -> f32[N] { x * by + offset }
export fn f(x: f32[3], s: f32) -> f32 {
  let g = |v, (a, b)| v * s + a * b;
  let y = x |> scale(offset = 1.0) |> |v| g(v, (2, s));
  y.scale(by = 3.0).sum(axis = 0)
}`;
    expect(one(source, ramp(3), f32([], [10]))[1]).toEqual([450]);
  });

  test('transformations see functions that capture values', () => {
    const source = `
fn loss(w: f32[N], x: f32[N]) -> f32 { sum((w * x) ** 2) }
export fn f(w: f32[2], x: f32[2]) -> (f32, f32[2], f32[2]) {
  let (l, g) = value_and_grad(|v| loss(v, x))(w);
  (l, g, vmap(|a, b| grad(|c| c * b * a)(a))(w, x))
}`;
    expect(run(source, f32([2], [1, 2]), f32([2], [3, 4])).map((r) => r.data)).toEqual([
      [73],
      [18, 64],
      [3, 8],
    ]);
  });

  test('constants, shadowing of the prelude, conversions', () => {
    const source = `
const K: int = 3;
const TABLE = array([1.0, 2.0, 4.0]);
fn sum(x: f32[K]) -> f32 { x[0] }
export fn f(x: f32[K], n: i32) -> (f32, f32, i32) { (sum(x + TABLE), f32(n) / 2, i32(2.9) + n) }`;
    expect(run(source, ramp(3), i32([], [5])).map((r) => r.data)).toEqual([[1], [2.5], [7]]);
  });
});
