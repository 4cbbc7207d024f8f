"""The timed functions in JAX, jitted. JAX has no events to time with: many calls in a row, by the clock, after the last is ready."""

import os
import statistics
import time

os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

import jax
import jax.numpy as jnp

# products in f32, as ours
jax.config.update("jax_default_matmul_precision", "highest")

SAMPLES = 11


def layer_norm(x, w, b):
    centred = x - x.mean(-1, keepdims=True)
    return centred * jax.lax.rsqrt((centred * centred).mean(-1, keepdims=True) + 1e-5) * w + b


def causal_attention(q, k, v):
    scores = q @ jnp.swapaxes(k, -1, -2) / q.shape[-1] ** 0.5
    inside = jnp.tril(jnp.ones(scores.shape[-2:], bool))
    return jax.nn.softmax(jnp.where(inside, scores, -jnp.inf), axis=-1) @ v


FORMULAS = {
    "gelu_chain": lambda x: jax.nn.gelu(x * 1.5 + 0.5, approximate=False) * x,
    "softmax": lambda x: jax.nn.softmax(x, axis=-1),
    "layer_norm": layer_norm,
    "layer_norm_backward": lambda x, w, b, dy: jax.vjp(layer_norm, x, w, b)[1](dy),
    "column_sum": lambda x: x.sum(0),
    "row_sum": lambda x: x.sum(1),
    "mean_squared_error": lambda x, y: ((x - y) ** 2).mean(),
    "cumsum_rows": lambda x: jnp.cumsum(x, axis=1),
    "cumsum_columns": lambda x: jnp.cumsum(x, axis=0),
    "cumsum_long": lambda x: jnp.cumsum(x),
    "argsort_rows": lambda x: jnp.argsort(x, axis=-1, stable=True).astype(jnp.int32),
    "argsort_long": lambda x: jnp.argsort(x, stable=True).astype(jnp.int32),
    "gemm": lambda a, b: a @ b,
    "linear_gelu": lambda x, w, b: jax.nn.gelu(x @ w + b, approximate=False),
    "attention": causal_attention,
}


def function_call(name, inputs):
    """A call of a function of FORMULAS on PyTorch's tensors, which stay where they are."""
    arrays = [jax.dlpack.from_dlpack(x.detach()) for x in inputs]
    compiled = jax.jit(FORMULAS[name])
    return lambda: compiled(*arrays)


def training_call(logits, dialect_of, start, x, y):
    """Steps of training, each from the state that the last one left."""
    from training import jax_update

    dialect = dialect_of(jnp, jax.nn.softmax, jax.lax.erf, jax.lax.rsqrt, jnp.take_along_axis)
    zeros = lambda: {k: jnp.zeros_like(a) for k, a in start.items()}  # noqa: E731
    state = [{k: jnp.asarray(a) for k, a in start.items()}, zeros(), zeros(), jnp.float32(0)]
    x, y = jnp.asarray(x), jnp.asarray(y)
    update = jax_update(logits, dialect)

    def step():
        *state[:], loss = update(*state, x, y)
        return loss

    return step


def seconds_of(call):
    """The median over SAMPLES of the mean of some calls in a row, warm."""

    def timed(count):
        start = time.perf_counter()
        for _ in range(count):
            last = call()
        jax.block_until_ready(last)
        return (time.perf_counter() - start) / count

    timed(3)
    count = max(5, min(200, int(2e-2 / timed(5))))
    return statistics.median(timed(count) for _ in range(SAMPLES))
