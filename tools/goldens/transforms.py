"""Writes test/golden/transforms/jax.json: what JAX gives for the functions of test/golden/transforms/*.ir.

usage: python tools/goldens/transforms.py        (needs jax; run from the root of the repository)

Inputs follow a formula that test/properties/transform-goldens.test.ts repeats: element i of parameter k is
sin(k + 1.7 i) for floats, (7 i + k) mod 20 for integers, and true. Dims are B = 3, D = 4. Doubles throughout.
"""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)
B, D = 3, 4


def floats(k, *shape):
    count = int(np.prod(shape))
    return jnp.asarray(np.sin(k + 1.7 * np.arange(count)).reshape(shape))


def integers(k, *shape):
    count = int(np.prod(shape))
    return jnp.asarray(((7 * np.arange(count) + k) % 20).reshape(shape), dtype=jnp.int32)


def pulled(f, cotangent, *args):
    """The results of f, then the cotangents of its arguments."""
    out, pullback = jax.vjp(f, *args)
    return (out, *pullback(cotangent))


def with_gradient(f, *args):
    return pulled(f, jnp.ones(()), *args)


def layer_norm(x, gain, bias):
    centred = x - x.mean(axis=1, keepdims=True)
    variance = (centred**2).mean(axis=1, keepdims=True)
    return centred * jax.lax.rsqrt(variance + 1e-5) * gain + bias


def attention(q, k, v):
    scores = jnp.einsum("bqd,bkd->bqk", q, k) * 0.3535533905932738
    return jnp.einsum("bqk,bkd->bqd", jax.nn.softmax(scores, axis=-1), v)


def last_of_recurrence(h, xs, w):
    last, _ = jax.lax.scan(lambda h, x: (jnp.tanh(x + h @ w), None), h, xs)
    return last.sum()


def branch(c, x):
    return jax.lax.cond(c, jnp.sin, lambda u: u * u, x)


def loss(x, w, v):
    return ((jnp.tanh(x @ w) @ v) ** 2).sum()


gradient = jax.grad(loss, argnums=(1, 2))


def gradient_norm(x, w, v):
    return sum((g**2).sum() for g in gradient(x, w, v))


def grow(x):
    return jax.lax.while_loop(lambda u: u < 10, lambda u: u * u + 1, x)


def choose(x):
    return jax.lax.cond(x > 0, jnp.sin, lambda u: u * u, x)


x1, x2 = floats(0, B), floats(0, B, D)

cases = {
    "square": pulled(lambda x: x**2, floats(1, B), x1),
    "maximum": pulled(lambda x: jnp.maximum(x, 0), floats(1, B), x1),
    "relu": pulled(jax.nn.relu, floats(1, B), x1),
    "mean": with_gradient(jnp.mean, x2),
    "mean_squared_error": with_gradient(lambda x, y: ((x - y) ** 2).mean(), x1, floats(1, B)),
    "gather": pulled(lambda t: t[integers(1, B)], floats(2, B, D), floats(0, 20, D)),
    "softmax": pulled(lambda x: jax.nn.softmax(x, axis=1), floats(1, B, D), x2),
    "layer_norm": pulled(layer_norm, floats(3, B, D), x2, floats(1, D), floats(2, D)),
    "linear": pulled(
        lambda x, w, b: jnp.tanh(x @ w + b),
        floats(3, B, 5),
        floats(0, B, 6),
        floats(1, 6, 5),
        floats(2, 5),
    ),
    "attention": pulled(attention, floats(3, B, 5, 2), *(floats(k, B, 5, 2) for k in range(3))),
    "recurrence": with_gradient(last_of_recurrence, floats(0, 8), floats(1, B, 8), floats(2, 8, 8)),
    "branch": pulled(lambda x: branch(True, x), floats(2, B), floats(1, B)),
    "checkpoint": pulled(jax.checkpoint(lambda x: jnp.sin(jnp.sin(x))), floats(1, B), x1),
    "per_example_gradient": jax.vmap(
        lambda x, w: with_gradient(lambda x, w: (x @ w) ** 2, x, w), in_axes=(0, None)
    )(floats(0, B, 8), floats(1, 8)),
    "hessian_vector": jax.jvp(
        lambda w, v: gradient(floats(0, B, 8), w, v),
        (floats(1, 8, 4), floats(2, 4)),
        (floats(3, 8, 4), floats(4, 4)),
    )[1],
    "grad_of_gradient_norm": with_gradient(
        gradient_norm, floats(0, B, 8), floats(1, 8, 4), floats(2, 4)
    ),
    # rows by the given basis, examples along the last axis
    "jacobian_of_softmax": [
        jax.vmap(
            lambda x: jax.vmap(lambda e: jax.vjp(jax.nn.softmax, x)[1](e)[0])(floats(1, 4, 4)),
            out_axes=2,
        )(floats(0, B, 4))
    ],
    "vmap_of_recurrence_gradient": jax.vmap(
        lambda h, xs, w: with_gradient(last_of_recurrence, h, xs, w), in_axes=(None, 1, None)
    )(floats(0, 8), floats(1, D, B, 8), floats(2, 8, 8)),
    "vmap_of_while_tangent": jax.vmap(lambda x, dx: jax.jvp(grow, (x,), (dx,)))(x1, floats(1, B)),
    "vmap_of_branch_gradient": jax.vmap(lambda x: with_gradient(choose, x))(x1),
}


def plain(x):
    x = np.asarray(x)
    return {"shape": list(x.shape), "data": [float(f"{v:.10g}") for v in x.ravel()]}


lines = [f"  {json.dumps(name)}: {json.dumps([plain(x) for x in out])}" for name, out in cases.items()]
Path("test/golden/transforms/jax.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
