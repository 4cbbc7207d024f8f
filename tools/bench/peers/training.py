"""Training steps of the peers: an MLP and a small GPT, forward, backward and AdamW, compiled where possible.

Both follow tools/bench/programs/*.mlx: pre-norm blocks, exact gelu, one weight per projection, AdamW with lr 1e-3, betas
0.9 and 0.999, eps 1e-8, weight decay 0.01.
"""

import importlib
import math
import time

import numpy as np

LR, B1, B2, EPS, DECAY = 1e-3, 0.9, 0.999, 1e-8, 0.01


def mlp_parameters(s):
    rng = np.random.default_rng(0)
    normal = lambda *shape: (rng.standard_normal(shape) * 0.02).astype(np.float32)  # noqa: E731
    sizes = [s["I"], s["D"], s["D"], s["O"]]
    return {f"{k}{i}": normal(a, b) if k == "w" else np.zeros(b, np.float32)
            for i, (a, b) in enumerate(zip(sizes, sizes[1:])) for k in "wb"}


def mlp_data(s):
    rng = np.random.default_rng(1)
    return rng.standard_normal((s["B"], s["I"])).astype(np.float32), rng.integers(0, s["O"], s["B"]).astype(np.int32)


def gpt_parameters(s):
    rng = np.random.default_rng(0)
    normal = lambda *shape: (rng.standard_normal(shape) * 0.02).astype(np.float32)  # noqa: E731
    d = s["D"]
    p = {"wte": normal(s["V"], d), "wpe": normal(s["T"], d), "lnf_w": np.ones(d, np.float32), "lnf_b": np.zeros(d, np.float32)}
    for i in range(s["L"]):
        for name in ("ln1", "ln2"):
            p[f"{i}.{name}_w"], p[f"{i}.{name}_b"] = np.ones(d, np.float32), np.zeros(d, np.float32)
        for name, shape in (("qkv", (d, 3 * d)), ("proj", (d, d)), ("fc", (d, 4 * d)), ("out", (4 * d, d))):
            p[f"{i}.{name}_w"], p[f"{i}.{name}_b"] = normal(*shape), np.zeros(shape[1], np.float32)
    return p


def gpt_data(s):
    rng = np.random.default_rng(1)
    tokens = rng.integers(0, s["V"], (s["B"], s["T"] + 1)).astype(np.int32)
    return tokens[:, :-1], tokens[:, 1:]


def mlp_logits(x, p, v):
    v = x.relu(v @ p["w0"] + p["b0"])
    v = x.relu(v @ p["w1"] + p["b1"])
    return v @ p["w2"] + p["b2"]


def gpt_logits(s):
    def logits(x, p, tokens):
        d, h = s["D"], s["H"]
        t = tokens.shape[1]
        v = x.take(p["wte"], tokens) + p["wpe"]
        for i in range(s["L"]):
            q = lambda name: p[f"{i}.{name}"]  # noqa: E731
            qkv = x.norm(v, q("ln1_w"), q("ln1_b")) @ q("qkv_w") + q("qkv_b")
            heads = lambda part: x.swap(part.reshape(-1, t, h, d // h), 1, 2)  # noqa: E731
            a, b, c = (heads(qkv[..., j * d:(j + 1) * d]) for j in range(3))
            scores = a @ x.swap(b, 2, 3) * (1.0 / math.sqrt(d // h))
            scores = x.where(x.causal(t), scores, -1e30)
            mixed = x.swap(x.softmax(scores) @ c, 1, 2).reshape(-1, t, d)
            v = v + mixed @ q("proj_w") + q("proj_b")
            hidden = x.gelu(x.norm(v, q("ln2_w"), q("ln2_b")) @ q("fc_w") + q("fc_b"))
            v = v + hidden @ q("out_w") + q("out_b")
        return x.norm(v, p["lnf_w"], p["lnf_b"]) @ x.swap(p["wte"], 0, 1)

    return logits


class Torch:
    def __init__(self, torch):
        self.t, self.relu, self.where = torch, torch.relu, torch.where
        self.gelu = torch.nn.functional.gelu

    def take(self, table, index):
        return table[index]

    def swap(self, v, a, b):
        return v.transpose(a, b)

    def softmax(self, v):
        return self.t.softmax(v, -1)

    def causal(self, n):
        return self.t.tril(self.t.ones(n, n, dtype=self.t.bool))

    def norm(self, v, w, b):
        return self.t.nn.functional.layer_norm(v, v.shape[-1:], w, b)

    def loss(self, logits, y):
        return self.t.nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), y.reshape(-1))


class Arrays:
    """JAX and MLX."""

    def __init__(self, xp, softmax, erf, rsqrt, take_along):
        self.xp, self.erf, self.rsqrt, self.softmax_of, self.take_along = xp, erf, rsqrt, softmax, take_along
        self.where, self.swap = xp.where, xp.swapaxes

    def relu(self, v):
        return self.xp.maximum(v, 0)

    def gelu(self, v):
        return v * 0.5 * (1.0 + self.erf(v * (1.0 / math.sqrt(2.0))))

    def take(self, table, index):
        return table[index]

    def softmax(self, v):
        return self.softmax_of(v, axis=-1)

    def causal(self, n):
        return self.xp.tril(self.xp.ones((n, n))) > 0

    def norm(self, v, w, b):
        centred = v - self.xp.mean(v, axis=-1, keepdims=True)
        return centred * self.rsqrt(self.xp.mean(centred * centred, axis=-1, keepdims=True) + 1e-5) * w + b

    def loss(self, logits, y):
        shifted = logits - self.xp.max(logits, axis=-1, keepdims=True)
        normaliser = self.xp.log(self.xp.sum(self.xp.exp(shifted), axis=-1))
        picked = self.take_along(shifted, y[..., None], axis=-1)[..., 0]
        return self.xp.mean(normaliser - picked)


def adamw(xp, p, g, m, v, t):
    t = t + 1
    for k in p:
        m[k] = B1 * m[k] + (1 - B1) * g[k]
        v[k] = B2 * v[k] + (1 - B2) * g[k] * g[k]
    c1, c2 = 1 - B1**t, 1 - B2**t
    new = {k: p[k] * (1 - LR * DECAY) - LR * (m[k] / c1) / (xp.sqrt(v[k] / c2) + EPS) for k in p}
    return new, m, v, t


def training(parameters, data, logits_of):
    def make(sizes, peer):
        logits, start, (x, y) = logits_of(sizes), parameters(sizes), data(sizes)
        if peer == "numpy":
            raise RuntimeError("NumPy has no derivatives")
        if peer.startswith("pytorch"):
            return torch_step(logits, start, x, y, peer == "pytorch-compile")
        if peer == "jax":
            return jax_step(logits, start, x, y)
        return mlx_step(logits, start, x, y)

    return make


def torch_step(logits, start, x, y, compiled):
    torch = importlib.import_module("torch")
    dialect = Torch(torch)
    p = {k: torch.from_numpy(a).requires_grad_() for k, a in start.items()}
    x, y = torch.from_numpy(x), torch.from_numpy(y).long()
    x = x.long() if x.dtype == torch.int32 else x
    optimizer = torch.optim.AdamW(p.values(), lr=LR, betas=(B1, B2), eps=EPS, weight_decay=DECAY, foreach=True)
    loss_of = lambda p: dialect.loss(logits(dialect, p, x), y)  # noqa: E731
    if compiled:
        loss_of = torch.compile(loss_of)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(p)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def jax_step(logits, start, x, y):
    jax = importlib.import_module("jax")
    jnp = jax.numpy
    dialect = Arrays(jnp, jax.nn.softmax, jax.lax.erf, jax.lax.rsqrt, jnp.take_along_axis)
    zeros = lambda: {k: jnp.zeros_like(a) for k, a in start.items()}  # noqa: E731
    state = [{k: jnp.asarray(a) for k, a in start.items()}, zeros(), zeros(), jnp.float32(0)]
    x, y = jnp.asarray(x), jnp.asarray(y)

    one = jax_update(logits, dialect)

    def step():
        *state[:], loss = one(*state, x, y)
        return float(loss)

    return step


def jax_update(logits, dialect):
    jax = importlib.import_module("jax")

    def one(p, m, v, t, x, y):
        loss, g = jax.value_and_grad(lambda p: dialect.loss(logits(dialect, p, x), y))(p)
        return (*adamw(jax.numpy, p, g, dict(m), dict(v), t), loss)

    return jax.jit(one, donate_argnums=(0, 1, 2))


def jax_compile_gpt(sizes):
    """Seconds to lower and compile the step; nothing is allocated or run."""
    jax = importlib.import_module("jax")
    jnp = jax.numpy
    dialect = Arrays(jnp, jax.nn.softmax, jax.lax.erf, jax.lax.rsqrt, jnp.take_along_axis)
    shape_of = lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype)  # noqa: E731
    p = {k: shape_of(a) for k, a in gpt_parameters(sizes).items()}
    tokens = jax.ShapeDtypeStruct((sizes["B"], sizes["T"]), jnp.int32)
    one = jax_update(gpt_logits(sizes), dialect)
    started = time.perf_counter()
    one.lower(p, dict(p), dict(p), jax.ShapeDtypeStruct((), jnp.float32), tokens, tokens).compile()
    return time.perf_counter() - started


def mlx_step(logits, start, x, y):
    mx = importlib.import_module("mlx.core")
    dialect = Arrays(mx, mx.softmax, mx.erf, mx.rsqrt, mx.take_along_axis)
    p = {k: mx.array(a) for k, a in start.items()}
    state = [p, {k: mx.zeros_like(a) for k, a in p.items()}, {k: mx.zeros_like(a) for k, a in p.items()}, mx.array(0.0)]
    x, y = mx.array(x), mx.array(y)
    gradient = mx.value_and_grad(lambda p: dialect.loss(logits(dialect, p, x), y))

    def one(p, m, v, t):
        loss, g = gradient(p)
        return (*adamw(mx, p, g, dict(m), dict(v), t), loss)

    one = mx.compile(one)

    def step():
        *state[:], loss = one(*state)
        mx.eval(loss, state)
        return loss.item()

    return step


TRAINING = {
    "mlp_step": training(mlp_parameters, mlp_data, lambda s: mlp_logits),
    "gpt_step": training(gpt_parameters, gpt_data, gpt_logits),
}

COMPILING = {"gpt_step": jax_compile_gpt}
