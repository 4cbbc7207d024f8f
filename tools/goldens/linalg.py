"""Writes test/golden/programs/linalg.json: the factorisations of std/linalg against NumPy, SciPy and JAX, in double precision.

usage: python tools/goldens/linalg.py        (needs numpy, scipy and jax; run from the root of the repository)
"""

import jax
import jax.numpy as jnp
import jax.scipy.linalg as jsl
import numpy as np
import scipy.linalg as sl
from case_files import CaseFile

jax.config.update('jax_enable_x64', True)
rng = np.random.default_rng(0)
file = CaseFile('test/golden/programs/linalg.json')


def normal(*shape):
    """Numbers that are exact in f32, so that the oracle sees the same ones."""
    return rng.standard_normal(shape).astype(np.float32).astype(np.float64)


def add(function, arguments, result, tolerance=2e-4):
    file.add('linalg', function, arguments, result, tolerance)


def sines(f):
    return lambda *args: jnp.sum(jnp.sin(f(*args)))


for n in (0, 1, 3, 6):
    a, b, c = normal(n, n) + 2 * np.eye(n), normal(n, 2), normal(n)
    add('solutions', [a, b, c], [np.linalg.solve(a, b), np.linalg.solve(a, c), np.linalg.inv(a)])
    add('solution_gradients', [a, c], list(jax.grad(sines(jnp.linalg.solve), (0, 1))(a, c)))
    lower = lambda a, b: jsl.solve_triangular(a, b, lower=True)
    unit = jsl.solve_triangular(a, b, lower=True, unit_diagonal=True)
    add('triangular', [a, b], [jsl.solve_triangular(a, b), lower(a, b), unit, np.linalg.inv(np.tril(a))])
    add('triangular_gradients', [a, b], list(jax.grad(sines(lower), (0, 1))(a, b)))
    v = normal(n, n)
    add('inverse_curvature', [a, v], jax.jvp(jax.grad(sines(jnp.linalg.inv)), (a,), (v,))[1], 1e-3)

for n in (1, 2, 5):
    a = normal(3, n, n)
    sign, log = np.linalg.slogdet(a)
    both = lambda a: jnp.sum(jnp.linalg.det(a)) + jnp.sum(jnp.linalg.slogdet(a)[1])
    add('determinants', [a], [np.linalg.det(a), sign, log, jax.grad(both)(a)])
    positive = (a @ a.swapaxes(1, 2) + np.eye(n)).astype(np.float32).astype(np.float64)
    l = np.linalg.cholesky(positive)
    # JAX symmetrises; only the lower triangle counts here
    g = jax.grad(sines(jnp.linalg.cholesky))(positive)
    folded = np.tril(g) + np.tril(g.swapaxes(1, 2), -1)
    add('choleskies', [positive], [l, np.linalg.inv(positive), folded])
    b = normal(n)
    add('by_cholesky', [positive[0], b], np.linalg.solve(positive[0], b))
    add('eigenvalues', [positive], [np.linalg.eigvalsh(positive)] * 2 + [positive, np.eye(n) + np.zeros((3, 1, 1))])
    add('powers', [a], [np.linalg.matrix_power(a, p) for p in (5, 0, -2)], 2e-3)

for m, n in ((1, 1), (3, 3), (5, 3), (3, 5), (4, 0), (8, 7)):
    a = normal(m, n)
    k = min(m, n)
    if k > 0:
        packed, pivots, rows = jax.lax.linalg.lu(a)
        l, u = np.tril(packed[:, :k], -1) + np.eye(m, k), np.triu(packed[:k])
        add('lu_factors', [a], [np.asarray(rows), l, u, packed, np.asarray(pivots)])

        def of_lu(a):
            _, l, u = jsl.lu(a)
            return jnp.sum(jnp.sin(l)) + jnp.sum(jnp.cos(u))

        add('lu_gradient', [a], jax.grad(of_lu)(a))
        u, s, vt = np.linalg.svd(a, full_matrices=False)
        add('singular_values', [a], [s, a, np.eye(k), np.eye(k)])

        def of_svd(a):
            u, s, vt = jnp.linalg.svd(a, full_matrices=False)
            return jnp.sum(jnp.sin(s)) + jnp.sum(u**4) + jnp.sum(vt**4)

        add('singular_gradient', [a], jax.grad(of_svd)(a), 1e-3)
        b = normal(m)
        g = jax.grad(sines(jnp.linalg.pinv))(a)
        rank = np.int32(np.linalg.matrix_rank(a))
        add('inverses', [a, b], [np.linalg.pinv(a), g, np.linalg.lstsq(a, b, rcond=None)[0], np.linalg.cond(a), rank], 1e-3)
    q, r = np.linalg.qr(a)
    add('qr_factors', [a], [q, r])
    if m >= n > 0:

        def of_qr(a):
            q, r = jnp.linalg.qr(a)
            return jnp.sum(jnp.sin(q)) + jnp.sum(jnp.cos(r))

        add('qr_gradient', [a], jax.grad(of_qr)(a), 1e-3)

for n in (2, 3, 6):
    a = normal(n, n)

    def of_eigh(a):
        w, v = jnp.linalg.eigh((a + a.T) / 2)
        return jnp.sum(jnp.sin(w)) + jnp.sum(v**4)

    add('eigen_gradient', [a], jax.grad(of_eigh)(a), 1e-3)

for scale in (0.1, 1, 1.5):
    a = (normal(4, 4) * scale).astype(np.float32).astype(np.float64)
    # SciPy scales by another rule; what is left is rounding of f32 in the squarings
    add('exponential', [a], [sl.expm(a), jax.grad(sines(jsl.expm))(a)], 2e-3)

# a matrix of rank 1: the other singular values are 0, and their vectors still orthonormal
a = np.outer(normal(4), normal(3)).astype(np.float32).astype(np.float64)
add('singular_values', [a], [np.linalg.svd(a)[1].round(6), a, np.eye(3), np.eye(3)])
file.write()
