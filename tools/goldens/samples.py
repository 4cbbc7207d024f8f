"""Writes test/golden/samples/losses.json: the first training losses of the sample models, computed with JAX.

usage: python tools/goldens/samples.py        (needs jax; run from the root of the repository)

Parameters come from the same keys as in samples/*/*.mlx, data from a formula that test/samples/training.test.ts repeats.
"""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

TARGET = Path("test/golden/samples/losses.json")


def pattern(*shape):
    """Multiples of 1/16 in [0, 1] that look irregular enough."""
    i = np.arange(np.prod(shape))
    return ((i * 7 + i * i % 13) % 17 / 16).astype(np.float32).reshape(shape)


def integers(n, *shape):
    i = np.arange(np.prod(shape))
    return ((i * 5 + i * i % 11) % n).astype(np.int32).reshape(shape)


def linear_uniform(key, i, o):
    keys = jax.random.split(key)
    bound = np.float32(1 / np.sqrt(i))
    return {
        "w": jax.random.uniform(keys[0], (i, o), minval=-bound, maxval=bound),
        "b": jax.random.uniform(keys[1], (o,), minval=-bound, maxval=bound),
    }


def linear_normal(key, i, o, stddev=0.02):
    return {"w": jax.random.normal(key, (i, o)) * np.float32(stddev), "b": jnp.zeros(o)}


def norm_init(d):
    return {"w": jnp.ones(d), "b": jnp.zeros(d)}


def linear(x, m):
    return x @ m["w"] + m["b"]


def layer_norm(x, m):
    centred = x - x.mean(-1, keepdims=True)
    return centred * jax.lax.rsqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * m["w"] + m["b"]


def causal(x, heads):
    """Attention over the three thirds of x."""
    b, n, d = x.shape[0], x.shape[1], x.shape[2] // 3
    q, k, v = (t.reshape(b, n, heads, d // heads).swapaxes(1, 2) for t in jnp.split(x, 3, -1))
    scores = q @ k.swapaxes(-1, -2) / np.float32(np.sqrt(d // heads))
    weights = jax.nn.softmax(jnp.where(np.tril(np.ones((n, n), bool)), scores, -jnp.inf))
    return (weights @ v).swapaxes(1, 2).reshape(b, n, d)


def cross_entropy(logits, labels):
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[..., None], -1).mean()


def train(loss, params, steps, lr=1e-3, beta1=0.9, beta2=0.999, weight_decay=0.01):
    m = v = jax.tree.map(jnp.zeros_like, params)
    losses = []
    for t in range(1, steps + 1):
        value, grads = jax.value_and_grad(loss)(params)
        losses.append(float(value))
        m = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, m, grads)
        v = jax.tree.map(lambda v, g: beta2 * v + (1 - beta2) * g * g, v, grads)
        c1, c2 = 1 - beta1**t, 1 - beta2**t
        params = jax.tree.map(
            lambda p, m, v: p * (1 - lr * weight_decay) - lr / c1 * m / (jnp.sqrt(v / c2) + 1e-8), params, m, v
        )
    return losses


def digits():
    keys = jax.random.split(jax.random.key(3))
    params = {"hidden": linear_uniform(keys[0], 64, 128), "out": linear_uniform(keys[1], 128, 10)}
    x, y = pattern(8, 64), integers(10, 8)
    return train(lambda m: cross_entropy(linear(jax.nn.relu(linear(x, m["hidden"])), m["out"]), y), params, 4, lr=0.01)


def block():
    d, heads = 64, 4
    keys = jax.random.split(jax.random.key(5), 3)
    inner = jax.random.split(keys[0])
    params = {
        "norm1": norm_init(d),
        "qkv": linear_normal(inner[0], d, 3 * d),
        "out": linear_normal(inner[1], d, d),
        "norm2": norm_init(d),
        "up": linear_normal(keys[1], d, 4 * d),
        "down": linear_normal(keys[2], 4 * d, d),
    }
    x, y = pattern(2, 5, d), pattern(2, 5, d)[::-1]

    def loss(m):
        h = x + linear(causal(linear(layer_norm(x, m["norm1"]), m["qkv"]), heads), m["out"])
        h = h + linear(jax.nn.gelu(linear(layer_norm(h, m["norm2"]), m["up"]), approximate=False), m["down"])
        return ((h - y) ** 2).mean()

    return train(loss, params, 2)


def gpt():
    d, heads, depth, vocabulary, context = 32, 4, 2, 65, 32
    fold = jax.random.fold_in
    key = jax.random.key(11)
    small = 0.02 / np.sqrt(2 * depth)
    layers = []
    for i in range(depth):
        k = fold(key, 2 + i)
        layers.append(
            {
                "norm1": norm_init(d),
                "qkv": linear_normal(fold(k, 0), d, 3 * d),
                "proj": linear_normal(fold(k, 1), d, d, small),
                "norm2": norm_init(d),
                "up": linear_normal(fold(k, 2), d, 4 * d),
                "down": linear_normal(fold(k, 3), 4 * d, d, small),
            }
        )
    params = {
        "tokens": jax.random.normal(fold(key, 0), (vocabulary, d)) * np.float32(0.02),
        "positions": jax.random.normal(fold(key, 1), (context, d)) * np.float32(0.02),
        "layers": layers,
        "norm": norm_init(d),
    }
    tokens, targets = integers(vocabulary, 2, 9), integers(vocabulary, 2, 9)[:, ::-1]

    def loss(m):
        x = m["tokens"][tokens] + m["positions"][:9]
        for l in m["layers"]:
            x = x + linear(causal(linear(layer_norm(x, l["norm1"]), l["qkv"]), heads), l["proj"])
            x = x + linear(jax.nn.gelu(linear(layer_norm(x, l["norm2"]), l["up"]), approximate=True), l["down"])
        return cross_entropy(layer_norm(x, m["norm"]) @ m["tokens"].T, targets)

    return train(loss, params, 3, lr=3e-4, beta2=0.95, weight_decay=0.1)


if __name__ == "__main__":
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    losses = {"digits": digits(), "block": block(), "gpt": gpt()}
    TARGET.write_text(json.dumps(losses, indent=1) + "\n")
