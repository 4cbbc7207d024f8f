/**
 * Functions of x: f64[N] (six numbers in (0.3, 1.7)) to a scalar that are smooth along the path they take, written with the control flow of the
 * language. What is derived from them: control-flow.test.ts.
 */
export const controlFlowCases: Readonly<Record<string, string>> = {
  // scan: consts captured, carries of all kinds, lengths, directions
  scan_with_consts:
    'let w = cos(x); let (c, ys) = scan(|c, v| (sin(c * v) + dot(w, w), c * v), f64(0.5), x); c + sum(ys * w)',
  scan_backwards:
    'let (c, ys) = scan(|c, v| (c * v + 1.0, exp(-c)), x[0], x, reverse = true); c + dot(ys, x)',
  scan_without_carry: 'let (_, ys) = scan(|c, v| (c, v * v * v), (), x); sum(ys * ys)',
  scan_integer_carry:
    'let ((n, c), ys) = scan(|(n, c), v| ((n + 1, c * v + f64(n)), f64(n) * v), (0, f64(0.5)), x); c * f64(n) + sum(ys)',
  scan_without_sequence:
    'let (c, ys) = scan(|c, _| (sin(c) * x, c * c), x, length = 3); sum(c) + sum(ys)',
  scan_of_nothing: 'let (c, ys) = scan(|c, v| (c * v, c), x[1], x[0:0]); c * x[0] + sum(ys)',
  scan_of_one: 'let (c, ys) = scan(|c, v| (c * v, sin(c)), x[1], x[2:3]); c * sum(ys)',
  scan_of_pairs:
    'let ((a, b), ys) = scan(|(a, b), (u, v)| ((b * u, a + v), a * b), (x[0], x[1]), (x, cos(x))); a * b + sum(ys)',
  scan_of_symbolic_rows:
    'let m = outer(x, x); let (c, ys) = scan(|c, row| (tanh(c + row), dot(c, row)), x, m); sum(c) + sum(ys)',
  nested_scans:
    'let (c, ys) = scan(|c, v| { let (d, zs) = scan(|d, u| (sin(d * u + v), d * v), c, x); (d, sum(zs)) }, f64(0.1), x); c + sum(ys)',
  // loops
  fori_captures: 'fori(0, 4, |i, c| sin(c) * x + f64(i), x)[1]',
  for_symbolic: 'var c = f64(0.3); for i in 0..N { c = sin(c * x[i]) + 0.1 * f64(i); } c',
  for_bounded:
    'var c = sum(x); for i in 0..20 while c > 0.2 { c = c * 0.6 * cos(0.1 * x[0]); } c * x[1]',
  for_bounded_never: 'var c = sum(x); for i in 0..3 while c < 0.0 { c = c * x[0]; } c * x[1]',
  for_nested: 'var c = x; for i in 0..2 { for v in x { c = sin(c * v) + f64(i); } } sum(c)',
  for_with_if:
    'var c = f64(0.5); for v in x { if v > 1.0 { c = c * v; } else { c = c + sin(v); } } c',
  for_updates: 'var y = x; for i in 1..N { y = y.at[i].set(sin(y[i - 1]) * x[i]); } sum(y * y)',
  // branches
  cond_captures: 'let w = exp(-x); cond(x[0] > 0.2, |v| sum(v * w), |v| sum(v), x * x)',
  cond_other_side: 'cond(x[0] > 9.0, |v| sum(v * x), |v| prod(v) + x[0], x)',
  switch_middle:
    'let i = i32(x[0] * 0.0) + 1; switch(i, (|v| sum(v), |v| sum(sin(v) * x), |v| prod(v)), x * x)',
  switch_clamped:
    'let i = i32(x[0] * 0.0) + 7; switch(i, (|v| sum(v), |v| sum(sin(v) * x), |v| prod(v)), x * x)',
  switch_in_scan:
    'let (c, ys) = scan(|(i, c), v| ((i + 1, switch(i % 3, (|c| c * v, |c| sin(c), |c| c + v * v), c)), c), (0, f64(0.4)), x); c.1 + sum(ys)',
  // indexing
  gathered: 'let i = array([3, 1, 1, 0]); sum(x[i] ** 3) * x[2]',
  scatter_set: 'let i = array([3, 1, 0]); sum(x.at[i].set(sin(x[1:4])) * cos(x))',
  scatter_add: 'let i = array([3, 1, 1]); prod(x.at[i].add(sin(x[1:4])))',
  scatter_mul: 'let i = array([3, 1, 0]); sum(x.at[i].mul(sin(x[1:4])) * cos(x))',
  scatter_min: 'let i = array([3, 1, 0]); sum(x.at[i].min(0.9 * sin(x[1:4])) * cos(x))',
  scatter_max: 'let i = array([3, 1, 0]); sum(x.at[i].max(1.2 * exp(x[1:4])) * cos(x))',
  // prefixes
  associative_sum: 'sum(associative_scan(|a, b| a + b, x) * cos(x))',
  associative_affine:
    'let (_, y) = associative_scan(|(a, b), (c, d)| (a * c, b * c + d), (x, sin(x))); dot(y, y)',
  associative_backwards:
    'let y = associative_scan(|a, b| a * b + 0.0 * a, x[0:5], reverse = true); sum(y * y)',
  associative_symbolic:
    'let m = outer(x, cos(x)); sum(associative_scan(|a, b| a * b, m, axis = -1))',
  // around loops
  checkpoint_in_scan:
    'let (c, ys) = scan(|c, v| checkpoint(|c| (sin(c * v), c * c))(c), f64(0.5), x); c + sum(ys)',
  scan_in_checkpoint:
    'checkpoint(|x| { let (c, ys) = scan(|c, v| (sin(c * v), c * c), f64(0.5), x); c + sum(ys) })(x)',
  custom_in_scan:
    'let f = custom_vjp(|u| u * u, |u| (u * u, u), |u, ct| (2.0 * u * ct,)); let (c, _) = scan(|c, v| (f(c) * v + 0.5, ()), f64(0.5), x); c',
  vmap_in_scan: 'let (c, _) = scan(|c, v| (vmap(|u| sin(u) * v)(c), ()), x, x); sum(c)',
  grad_in_scan:
    'let (c, _) = scan(|c, v| (c - 0.1 * grad(|c| sin(c * v) * c)(c), ()), f64(0.5), x); c',
};
