import { alike, type Reference, withAliases } from '../entry.ts';

export const bits: Reference = withAliases(
  {
    static_assert: {
      signature: '(condition: bool, message: string) -> ()',
      example: '{ static_assert(1 < 2, "1 is less than 2"); array([1]) }',
    },
    ...alike('(dtype: dtype) -> int', {
      bit_width: 'bit_width(f32)',
      mantissa_bits: 'mantissa_bits(f32)',
    }),
    ...alike('(dtype: dtype) -> float', {
      epsilon: 'epsilon(f32)',
      smallest_normal: 'smallest_normal(f16)',
      largest_finite: 'largest_finite(f16)',
    }),
    bitcast: {
      signature: '<T: any>(x: T[...S], dtype: dtype) -> U[...S]',
      example: 'bitcast(array([1.0]), i32)',
    },
    key: { signature: '(seed: i32) -> Key', example: 'key_data(key(42))' },
    key_data: { signature: '(key: Key[...S]) -> u32[...S, 2]', example: 'key_data(key(42))' },
    wrap_key_data: {
      signature: '(data: u32[...S, 2]) -> Key[...S]',
      example: 'key_data(wrap_key_data(array([0, 42], dtype = u32)))',
    },
    isdtype: {
      signature: '(dtype: dtype, kind: any) -> bool',
      example: '(isdtype(f16, "real floating"), isdtype(u8, (f32, "signed integer")))',
    },
    can_cast: {
      signature: '(from: dtype, to: dtype) -> bool',
      example: '(can_cast(i32, f32), can_cast(i16, f32))',
    },
  },
  { view: 'bitcast', issubdtype: 'isdtype' },
);

const pair = '(array([1.0, 2.0]), array([3.0]))';

export const trees: Reference = withAliases(
  {
    map: {
      signature: '<P: tree>(f: fn(A) -> B, tree: P, ...others: P) -> P',
      example: `map(|a, b| a + 10 * b, ${pair}, ${pair})`,
    },
    tree_reduce: {
      signature: '<P: tree>(f: fn(A, B) -> A, tree: P, init: A = none) -> A',
      example: `tree_reduce(|total, leaf| total + sum(leaf), ${pair}, 0.0)`,
    },
    tree_leaves: {
      signature: '<P: tree>(tree: P) -> (T[...], ...)',
      example: 'tree_leaves((array([1]), (2, [3, 4])))',
    },
    ...alike('<P: tree>(x: P) -> P', {
      stop_gradient: 'grad(|x| x * stop_gradient(x))(3.0)',
      optimization_barrier: 'optimization_barrier(array([1.0]))',
      widen: 'widen(array([0.1], dtype = f16))',
    }),
    astype: {
      signature: '<P: tree>(x: P, dtype: dtype) -> P',
      example: 'astype(array([1.7, -1.7, 300.0]), i8)',
    },
  },
  { tree_map: 'map' },
);

export const control: Reference = {
  scan: {
    signature:
      '<C: tree, X: tree, Y: tree>(f: fn(C, X) -> (C, Y), init: C, xs: X[N] = none, length: int = none, reverse: bool = false) -> (C, Y[N])',
    example: 'scan(|total, x| (total + x, total), 0.0, array([1.0, 2.0, 3.0]))',
  },
  fori: {
    signature: '<C: tree>(lo: i32, hi: i32, body: fn(i32, C) -> C, init: C) -> C',
    example: 'fori(0, 5, |i, total| total + i, 0)',
  },
  while_loop: {
    signature: '<C: tree>(cond: fn(C) -> bool, body: fn(C) -> C, init: C) -> C',
    example: 'while_loop(|x| x < 100, |x| 2 * x, 3)',
  },
  cond: {
    signature:
      '(pred: bool, true_fun: fn(...) -> R, false_fun: fn(...) -> R, ...operands: any) -> R',
    example: 'cond(array([1, 2])[0] > 1, |x| x, |x| -x, 5.0)',
  },
  switch: {
    signature: '(index: i32, branches: any, ...operands: any) -> R',
    example: 'switch(array([1, 2])[0], [|x| x, |x| 10 * x], 5.0)',
  },
  associative_scan: {
    signature: '<P: tree>(f: fn(P, P) -> P, xs: P, axis: int = 0, reverse: bool = false) -> P',
    example: 'associative_scan(|a, b| a * b, array([1.0, 2.0, 3.0]))',
  },
};

export const transformations: Reference = {
  ...alike('(f: fn(...) -> T, wrt: any = 0, has_aux: bool = false) -> fn(...) -> G', {
    grad: 'grad(|x, y| x * x * y, wrt = (0, 1))(3.0, 2.0)',
  }),
  ...alike('(f: fn(...) -> T, wrt: any = 0, has_aux: bool = false) -> fn(...) -> (T, G)', {
    value_and_grad: 'value_and_grad(|x| x * x)(3.0)',
  }),
  vjp: {
    signature: '(f: fn(...) -> R, ...primals: any) -> (R, fn(R) -> (...))',
    example:
      '{ let (y, back) = vjp(|x| x * x, array([1.0, 2.0])); (y, back(array([1.0, 10.0])).0) }',
  },
  jvp: {
    signature: '(f: fn(...) -> R, primals: any, tangents: any) -> (R, R)',
    example: 'jvp(|x| x * x, (3.0,), (1.0,))',
  },
  linearize: {
    signature: '(f: fn(...) -> R, ...primals: any) -> (R, fn(...) -> R)',
    example: '{ let (y, push) = linearize(|x| x * x, 3.0); (y, push(0.5)) }',
  },
  vmap: {
    signature: '(f: fn(...) -> R, axes: any = 0, out: any = 0) -> fn(...) -> R[B]',
    example: 'vmap(|x, y| sum(x) * y, axes = (0, none))(array([[1.0, 2.0], [3.0, 4.0]]), 10.0)',
  },
  ...alike('(f: fn(...) -> T[...R], wrt: int = 0) -> fn(...) -> T[...R, ...S]', {
    jacfwd: 'jacfwd(|x| x * x)(array([1.0, 2.0]))',
    jacrev: 'jacrev(|x| x * sum(x))(array([1.0, 2.0]))',
  }),
  hessian: {
    signature: '(f: fn(...) -> T, wrt: int = 0) -> fn(...) -> T[...S, ...S]',
    example: 'hessian(|x| sum(x * x * x))(array([1.0, 2.0]))',
  },
  checkpoint: {
    signature: '(f: fn(...) -> R) -> fn(...) -> R',
    example: 'grad(checkpoint(|x| sin(sin(x))))(0.0)',
  },
  custom_vjp: {
    signature: '(f: fn(...) -> R, fwd: fn(...) -> (R, C), bwd: fn(C, R) -> (...)) -> fn(...) -> R',
    example: 'grad(custom_vjp(|x: f32| x, |x| (x, ()), |_, g| (2.0 * g,)))(3.0)',
  },
  custom_jvp: {
    signature: '(f: fn(...) -> R, rule: fn((...), (...)) -> (R, R)) -> fn(...) -> R',
    example: 'grad(custom_jvp(|x: f32| x, |v, t| (v.0, 5.0 * t.0)))(3.0)',
  },
};
