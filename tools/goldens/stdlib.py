"""Writes test/golden/stdlib/*.json: inputs, and what JAX, NumPy and PyTorch give for them.

usage: python tools/goldens/stdlib.py        (needs numpy, jax, torch; run from the root of the repository)

Each file maps a case to {"inputs": [...], "outputs": [...]}; a tensor is {"dtype", "shape", "data"}, row-major.
The programs that are held against them are in test/numeric/stdlib.test.ts, under the same names.
"""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import torch

TARGET = Path("test/golden/stdlib")
random_state = np.random.RandomState(0)
NAMES = {"float32": "f32", "int32": "i32", "uint32": "u32", "bool": "bool", "float16": "f16", "bfloat16": "bf16", "float64": "f64"}


def sample(*shape):
    """Inputs with few digits, so that the files stay small."""
    return np.round(random_state.standard_normal(shape), 2).astype(np.float32)


def tensor(x):
    if isinstance(x, torch.Tensor):
        x = x.detach().numpy()
    if hasattr(x, "dtype") and jnp.issubdtype(x.dtype, jax.dtypes.prng_key):
        x = jax.random.key_data(x)
    x = np.asarray(x)
    dtype = NAMES[str(x.dtype)]
    if x.dtype == np.bool_:
        data = [int(v) for v in x.ravel()]
    elif np.issubdtype(x.dtype, np.integer):
        data = [int(v) for v in x.ravel()]
    else:
        # the fewest digits that give the same f32
        data = [float(str(np.float32(v))) for v in x.ravel()]
    return {"dtype": dtype, "shape": list(x.shape), "data": data}


def case(outputs, inputs=()):
    outputs = outputs if isinstance(outputs, (tuple, list)) else (outputs,)
    return {"inputs": [tensor(x) for x in inputs], "outputs": [tensor(x) for x in outputs]}


def write(name, cases):
    lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in cases.items())
    (TARGET / f"{name}.json").write_text("{\n" + lines + "\n}\n")


def random_cases():
    key = jax.random.key
    r = jax.random
    logits = sample(4, 5)
    return {
        "bits": case(r.bits(key(0), (7,))),
        "bits 2d": case(r.bits(key(1234), (3, 5))),
        "bits scalar": case(r.bits(key(5), ())),
        "split": case(r.split(key(42), 3)),
        "split of split": case(r.split(r.split(key(1))[1], 2)),
        "fold_in": case(r.fold_in(key(7), 5)),
        "negative seed": case(r.bits(key(-3), (3,))),
        "uniform": case(r.uniform(key(0), (11,))),
        "uniform range": case(r.uniform(key(3), (2, 4), minval=-2.0, maxval=3.0)),
        "uniform f16": case(r.uniform(key(3), (9,), dtype=jnp.float16)),
        "uniform bf16": case(r.uniform(key(3), (9,), dtype=jnp.bfloat16)),
        "normal": case(r.normal(key(0), (17,))),
        "normal 2d": case(r.normal(key(99), (4, 3))),
        "randint": case(r.randint(key(8), (12,), 0, 10)),
        "randint wide": case(r.randint(key(8), (3, 3), -5, 100003)),
        "bernoulli": case(r.bernoulli(key(2), 0.3, (16,))),
        "exponential": case(r.exponential(key(2), (6,))),
        "gumbel": case(r.gumbel(key(2), (6,))),
        "truncated_normal": case(r.truncated_normal(key(4), -1.0, 2.0, (10,))),
        "categorical": case(r.categorical(key(6), logits), [logits]),
    }


def layer_norm(x, w, b):
    mean = x.mean(-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(-1, keepdims=True)
    return (x - mean) * jax.lax.rsqrt(variance + 1e-5) * w + b


def attention(q, k, v, causal=False):
    scores = q @ jnp.swapaxes(k, -1, -2) / np.float32(np.sqrt(q.shape[-1]))
    if causal:
        n = q.shape[-2]
        scores = jnp.where(np.tril(np.ones((n, n), bool)), scores, -jnp.inf)
    return jax.nn.softmax(scores, axis=-1) @ v


def cross_entropy(logits, labels):
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=1)[:, 0]


def nn_cases():
    x = sample(3, 5)
    edge = np.array([-3, -1, -0.5, 0, 0.25, 1, 4], np.float32)
    w, b = sample(5), sample(5)
    dy = sample(3, 5)
    q, k, v = sample(2, 4, 3), sample(2, 4, 3), sample(2, 4, 6)
    dv = sample(2, 4, 6)
    logits, labels = sample(4, 6), np.array([0, 5, 2, 2], np.int32)
    weights, bias = sample(5, 2), sample(2)
    _, norm_back = jax.vjp(layer_norm, x, w, b)
    _, softmax_back = jax.vjp(jax.nn.softmax, x)
    _, attention_back = jax.vjp(lambda *a: attention(*a, causal=True), q, k, v)
    multi = torch.nn.MultiheadAttention(4, 2, batch_first=True)
    with torch.no_grad():
        for p in multi.parameters():
            p.copy_(torch.from_numpy(sample(*p.shape)))
    seq = sample(2, 3, 4)
    mixed, _ = multi(*[torch.from_numpy(seq)] * 3, need_weights=False, is_causal=True, attn_mask=torch.triu(torch.ones(3, 3, dtype=torch.bool), 1))
    return {
        "softmax": case(jax.nn.softmax(x), [x]),
        "softmax axis 0": case(jax.nn.softmax(x, axis=0), [x]),
        "softmax backward": case(softmax_back(dy), [x, dy]),
        "softmax of large": case(jax.nn.softmax(x * 1000), [x * 1000]),
        "log_softmax": case(jax.nn.log_softmax(x), [x]),
        "layer_norm": case(layer_norm(x, w, b), [x, w, b]),
        "layer_norm backward": case(norm_back(dy), [x, w, b, dy]),
        "rms_norm": case(torch.nn.functional.rms_norm(torch.from_numpy(x), (5,), torch.from_numpy(w), 1e-5), [x, w]),
        "relu": case(jax.nn.relu(edge), [edge]),
        "relu derivative": case(jax.vmap(jax.grad(jax.nn.relu))(edge), [edge]),
        "leaky_relu": case(jax.nn.leaky_relu(edge), [edge]),
        "gelu": case(jax.nn.gelu(edge, approximate=False), [edge]),
        "gelu_tanh": case(jax.nn.gelu(edge, approximate=True), [edge]),
        "silu": case(jax.nn.silu(edge), [edge]),
        "elu": case(jax.nn.elu(edge), [edge]),
        "sigmoid": case(jax.nn.sigmoid(edge), [edge]),
        "softplus": case(jax.nn.softplus(edge), [edge]),
        "linear": case(x @ weights + bias, [x, weights, bias]),
        "embedding": case(x[[2, 0, 2]], [np.array([2, 0, 2], np.int32), x]),
        "attention": case(attention(q, k, v), [q, k, v]),
        "causal_attention": case(attention(q, k, v, causal=True), [q, k, v]),
        "causal_attention backward": case(attention_back(dv), [q, k, v, dv]),
        "multi_head_attention": case(
            mixed,
            [seq, multi.in_proj_weight.T.detach(), multi.in_proj_bias, multi.out_proj.weight.T.detach(), multi.out_proj.bias],
        ),
        "cross_entropy": case(cross_entropy(logits, labels), [logits, labels]),
        "cross_entropy gradient": case(jax.grad(lambda l: cross_entropy(l, labels).mean())(logits), [logits, labels]),
        "binary_cross_entropy": case(
            torch.nn.functional.binary_cross_entropy_with_logits(torch.from_numpy(x), torch.sigmoid(torch.from_numpy(dy)), reduction="none"),
            [x, torch.sigmoid(torch.from_numpy(dy))],
        ),
        "huber": case(torch.nn.functional.huber_loss(torch.from_numpy(x), torch.from_numpy(dy), reduction="none"), [x, dy]),
        "mse": case(((x - dy) ** 2).mean(), [x, dy]),
        "logaddexp": case(np.logaddexp(x, dy), [x, dy]),
        "hypot": case(np.hypot(x, dy), [x, dy]),
    }


def optimiser(make, steps=3):
    """Parameters after a few steps on given gradients."""
    p, q = sample(2, 3), sample(4)
    params = [torch.nn.Parameter(torch.from_numpy(v.copy())) for v in (p, q)]
    grads = [sample(*v.shape) for _ in range(steps) for v in (p, q)]
    optimizer = make(params)
    for step in range(steps):
        for i, v in enumerate(params):
            v.grad = torch.from_numpy(grads[2 * step + i])
        optimizer.step()
    return case(params, [p, q, *grads])


def optim_cases():
    o = torch.optim
    tree = [sample(2, 3), sample(4)]
    params = [torch.nn.Parameter(torch.zeros(v.shape)) for v in tree]
    for v, g in zip(params, tree):
        v.grad = torch.from_numpy(g.copy())
    norm = torch.nn.utils.clip_grad_norm_(params, 0.5)
    return {
        "sgd": optimiser(lambda p: o.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01)),
        "adam": optimiser(lambda p: o.Adam(p, lr=0.01, weight_decay=0.1)),
        "adamw": optimiser(lambda p: o.AdamW(p, lr=0.01, betas=(0.8, 0.95), weight_decay=0.1)),
        "clip_by_global_norm": case([v.grad for v in params] + [norm], tree),
    }


EQUATIONS = {
    "ij,jk->ik": [(3, 4), (4, 2)],
    "bij,bjk->bik": [(2, 3, 4), (2, 4, 2)],
    "bhqd,bhkd->bhqk": [(2, 2, 3, 4), (2, 2, 5, 4)],
    "ij->ji": [(3, 4)],
    "ii->i": [(3, 3)],
    "ii": [(3, 3)],
    "ij->": [(3, 4)],
    "ij,j": [(3, 4), (4,)],
    "i,j->ij": [(3,), (2,)],
    "ij,kj,k->i": [(3, 4), (2, 4), (2,)],
    "...ij,...jk->...ik": [(2, 3, 4), (4, 2)],
    "b...d,d->b...": [(2, 3, 4), (4,)],
    "ijk,ilm,nlk->jmn": [(2, 3, 4), (2, 2, 3), (5, 2, 4)],
}


def array_cases():
    x = sample(3, 4)
    y = sample(2, 3, 4)
    v = sample(4)
    index = np.array([[2, -1], [0, 1]], np.int32)
    along = np.array([[3, 0], [1, 1], [-1, 2]], np.int32)
    cases = {}
    for equation, shapes in EQUATIONS.items():
        inputs = [sample(*shape) for shape in shapes]
        cases[f"einsum {equation}"] = case(np.einsum(equation, *inputs), inputs)
    cases |= {
        "var": case(np.var(y, axis=(0, 2)), [y]),
        "std ddof": case(np.std(y, axis=1, ddof=1), [y]),
        "logsumexp": case(jax.nn.logsumexp(y, axis=1), [y]),
        "argmax": case(np.argmax(y, axis=1).astype(np.int32), [y]),
        "argmin all": case(np.argmin(y).astype(np.int32), [y]),
        "cumsum": case(np.cumsum(y, axis=1), [y]),
        "cumprod": case(np.cumprod(x, axis=-1), [x]),
        "prod": case(np.prod(x, axis=0), [x]),
        "min keepdims": case(np.min(x, axis=1, keepdims=True), [x]),
        "any": case(np.any(x > 1, axis=0), [x]),
        "count": case(np.sum(x > 0).astype(np.int32), [x]),
        "take": case(np.take(x, index, axis=0), [x, index]),
        "take last axis": case(np.take(x, index, axis=1), [x, index]),
        "take flat": case(np.take(x, index), [x, index]),
        "take_along_axis": case(np.take_along_axis(x, along, axis=1), [x, along]),
        "one_hot": case(np.eye(4, dtype=np.float32)[index], [index]),
        "roll": case(np.roll(x, 1, axis=1), [x]),
        "roll flat": case(np.roll(x, -5), [x]),
        "tile": case(np.tile(x, (2, 1, 2)), [x]),
        "repeat": case(np.repeat(x, 2, axis=1), [x]),
        "pad": case(np.pad(x, ((1, 0), (2, 1)), constant_values=7), [x]),
        "flip": case(np.flip(y, axis=(0, 2)), [y]),
        "tril": case(np.tril(y, 1), [y]),
        "triu": case(np.triu(y, -1), [y]),
        "eye": case(np.eye(3, 5, k=1, dtype=np.float32)),
        "linspace": case(np.linspace(-1, 2, 7, dtype=np.float32)),
        "arange": case(np.arange(2, 17, 4, dtype=np.int32)),
        "arange down": case(np.arange(5, -4, -3, dtype=np.int32)),
        "arange real": case(np.arange(0, 1, 0.25, dtype=np.float32)),
        "moveaxis": case(np.moveaxis(y, (0, 1), (2, 0)), [y]),
        "transpose": case(np.transpose(y), [y]),
        "swapaxes": case(np.swapaxes(y, 0, -1), [y]),
        "concatenate": case(np.concatenate((x, x * 2), axis=1), [x]),
        "stack": case(np.stack((x, x + 1), axis=-1), [x]),
        "split at": case(np.split(x, (1, 3), axis=1), [x]),
        "squeeze": case(np.squeeze(y[:1]), [y]),
        "expand_dims": case(np.expand_dims(x, (0, -1)), [x]),
        "reshape": case(y.reshape(4, -1), [y]),
        "clip": case(np.clip(x, -0.5, 0.75), [x]),
        "where": case(np.where(x > v, x, 0.0).astype(np.float32), [x, v]),
        "tensordot": case(np.tensordot(y, x, axes=((2, 1), (1, 0))), [y, x]),
        "matmul vector": case(x @ v, [x, v]),
        "matmul batch": case(np.matmul(y, np.swapaxes(y, 1, 2)), [y]),
        "matmul shared": case(np.matmul(x, np.swapaxes(y, 1, 2)), [x, y]),
        "outer": case(np.outer(v, x[:, 0]), [v, x]),
        "round": case(np.round(v * 4), [v]),
        "log10": case(np.log10(np.abs(v)), [v]),
        "floor_divide": case(np.floor_divide(index, 2), [index]),
        "remainder": case(np.remainder(index - 1, 3), [index]),
        "diagonal": case(np.diagonal(y[:, :, :3], axis1=-2, axis2=-1), [y]),
    }
    return cases


if __name__ == "__main__":
    TARGET.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    write("random", random_cases())
    write("nn", nn_cases())
    write("optim", optim_cases())
    write("array", array_cases())
