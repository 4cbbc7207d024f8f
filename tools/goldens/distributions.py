"""Writes test/golden/stdlib/distributions.json: what jax.random gives for the functions of std/random.

usage: python tools/goldens/distributions.py        (needs numpy, jax; run from the root of the repository)

The programs that are held against them are in test/support/library-cases.ts, under the same names.
"""

import jax
import jax.numpy as jnp
import numpy as np
from stdlib import case, write

r = jax.random
key = r.key
f32 = jnp.float32


def words(x):
    """64-bit words as their upper and lower halves: JSON has no integers of that size."""
    x = np.asarray(x).view(np.uint64)
    return [(x >> np.uint64(32)).astype(np.uint32), x.astype(np.uint32)]


def bit_cases():
    matrix = np.arange(12, dtype=np.float32).reshape(4, 3)
    weights = np.array([0.1, 0.2, 0.05, 0.4, 0.25], np.float32)
    rates = np.array([0.0, 0.5, 3.0, 9.0, 12.0, 200.0], np.float32)
    return {
        "bits u8": case(r.bits(key(1), (9,), jnp.uint8).astype(np.int32)),
        "bits u16": case(r.bits(key(1), (2, 4), jnp.uint16).astype(np.int32)),
        "bits empty": case(r.bits(key(1), (0, 3), jnp.uint32)),
        "fold_in twice": case(r.key_data(r.fold_in(r.fold_in(key(3), 2**32 - 1), 8))),
        "randint u8": case(r.randint(key(5), (9,), 3, 250, jnp.uint8).astype(np.int32)),
        "randint i8": case(r.randint(key(5), (9,), -100, 100, jnp.int8).astype(np.int32)),
        "randint i16": case(r.randint(key(5), (9,), -30000, 30000, jnp.int16).astype(np.int32)),
        "randint u32": case(r.randint(key(5), (9,), np.uint32(7), np.uint32(4000000000), jnp.uint32)),
        "randint empty range": case(r.randint(key(5), (3,), 4, 4, jnp.int32)),
        "rademacher": case(r.rademacher(key(2), (12,), jnp.int32)),
        "permutation": case(r.permutation(key(11), jnp.arange(20, dtype=np.int32))),
        "permutation of rows": case(r.permutation(key(12), matrix), [matrix]),
        "permutation along axis 1": case(r.permutation(key(12), matrix, axis=1), [matrix]),
        "permutation independent": case(r.permutation(key(12), matrix, axis=0, independent=True), [matrix]),
        "permutation of 2000": case(r.permutation(key(13), jnp.arange(2000, dtype=np.int32))[:50]),
        "choice": case(r.choice(key(14), weights, (2, 3)), [weights]),
        "choice without replacement": case(r.choice(key(14), weights, (4,), replace=False), [weights]),
        "choice by weight": case(r.choice(key(15), weights, (7,), p=weights), [weights]),
        "choice by weight without replacement": case(r.choice(key(15), weights, (3,), replace=False, p=weights), [weights]),
        "categorical draws": case(r.categorical(key(16), jnp.log(weights), shape=(3, 5)).astype(np.int32), [np.log(weights)]),
        "geometric": case(r.geometric(key(17), f32(0.3), (8,), dtype=jnp.int32)),
        "poisson": case(r.poisson(key(18), rates, dtype=jnp.int32), [rates]),
    }


def wide_cases():
    return {
        "bits u64": case(words(r.bits(key(1), (5,), jnp.uint64))),
        "uniform f64": case(words(r.uniform(key(9), (4,), jnp.float64))),
        "randint i64": case(words(r.randint(key(5), (4,), -(2**52), 2**52, jnp.int64))),
    }


def real_cases():
    a = np.array([0.05, 0.5, 1.0, 2.5, 30.0], np.float32)
    b = np.array([1.0, 0.2, 4.0, 2.5, 10.0], np.float32)
    covariance = np.array([[2, 1, 0.5], [1, 3, 0.2], [0.5, 0.2, 1]], np.float32)
    return {
        "laplace": case(r.laplace(key(1), (9,), f32)),
        "logistic": case(r.logistic(key(1), (9,), f32)),
        "cauchy": case(r.cauchy(key(1), (9,), f32)),
        "pareto": case(r.pareto(key(1), f32(3.0), (9,), f32)),
        "rayleigh": case(r.rayleigh(key(1), f32(1.5), (9,), f32)),
        "weibull_min": case(r.weibull_min(key(1), f32(2.0), f32(1.5), (9,), f32)),
        "triangular": case(r.triangular(key(1), f32(0.0), f32(1.0), f32(4.0), (9,), f32)),
        "lognormal": case(r.lognormal(key(1), f32(0.5), (9,), f32)),
        "maxwell": case(r.maxwell(key(1), (2, 4), f32)),
        "truncated_normal one side": case(r.truncated_normal(key(1), f32(1.0), f32(jnp.inf), (9,), f32)),
        "truncated_normal narrow": case(r.truncated_normal(key(1), f32(0.0), f32(1e-6), (5,), f32)),
        "normal f16": case(r.normal(key(1), (6,), jnp.float16)),
        "multivariate_normal": case(r.multivariate_normal(key(2), b[:3], covariance, (2, 2), f32), [b[:3], covariance]),
        "gamma": case(r.gamma(key(2), a, dtype=f32), [a]),
        "loggamma": case(r.loggamma(key(2), a, dtype=f32), [a]),
        "beta": case(r.beta(key(2), a, b, dtype=f32), [a, b]),
        "dirichlet": case(r.dirichlet(key(2), np.stack([a, b]), dtype=f32), [np.stack([a, b])]),
        "chisquare": case(r.chisquare(key(2), a, dtype=f32), [a]),
        "t": case(r.t(key(2), a, dtype=f32), [a]),
    }


if __name__ == "__main__":
    cases = bit_cases() | real_cases()
    with jax.enable_x64(True):
        write("distributions", cases | wide_cases())
