"""Writes test/golden/oracles/{nested,random,symbolic}.{json,bin}: what JAX makes of functions under nested transformations, of random keys,
and of programs called at several sizes.

usage: python tools/goldens/jax_nested.py [nested|random|symbolic]...        (needs jax, numpy, ml_dtypes)

Each function stands beside its text in the language.
"""

import os
import sys

# a thousand small programs: time goes to compiling them
os.environ["XLA_FLAGS"] = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
import jax

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_threefry_partitionable", True)
import jax.numpy as jnp
import numpy as np
from jax import lax

from oracle_files import Store

# ---- functions of x: f64[4]

W = np.array([[0.5, -0.25, 1.0], [0.75, 0.5, -0.5], [-1.0, 0.25, 0.125], [0.375, -0.75, 0.5]])
W_TEXT = "array([[0.5, -0.25, 1.0], [0.75, 0.5, -0.5], [-1.0, 0.25, 0.125], [0.375, -0.75, 0.5]], dtype = f64)"
IDX = np.array([2, 0, 2, -1, 1], np.int32)
IDX_TEXT = "array([2, 0, 2, -1, 1])"


def recur(x, reverse=False):
    def step(c, v):
        c = jnp.sin(c * 1.5 + v)
        return c, c * v

    last, ys = lax.scan(step, jnp.float64(0.3), x, reverse=reverse)
    return ys + last


def two_carries(x):
    def step(c, v):
        a, b = c
        return (a + v * b, jnp.tanh(b - a)), a * b

    (a, b), ys = lax.scan(step, (jnp.float64(0.1), jnp.float64(0.7)), x)
    return ys * a + b


def nested_scan(x):
    inner = lambda c, v: (c * 0.5 + jnp.sin(v), None)
    outer = lambda c, v: ((h := lax.scan(inner, c, x * v)[0]), h)
    return lax.scan(outer, jnp.float64(0.2), x)[1]


def newton(x):
    def step(y, _):
        return jnp.where(jnp.abs(y * y - s) > 1e-3, (y + s / y) / 2, y), None

    s = jnp.sum(x * x) + 1
    return x * lax.scan(step, s, None, length=12)[0]


@jax.custom_jvp
def scaled_sin(x):
    return jnp.sin(x)


scaled_sin.defjvp(lambda p, t: (jnp.sin(p[0]), t[0] * jnp.cos(p[0]) * 3))


@jax.custom_vjp
def clipped(x):
    return x * x


clipped.defvjp(lambda x: (x * x, x), lambda x, c: (jnp.tanh(c * 2 * x),))

sort_text = "sort(x)"
positive = lambda x: 0.5 + x * x
FUNCTIONS = {
    "tanh layer": (lambda x: jnp.tanh(x @ W), f"tanh(x @ {W_TEXT})"),
    "softmax": (jax.nn.softmax, "{ let w = exp(x - stop_gradient(max(x))); w / sum(w) }"),
    "normalised": (lambda x: (x - x.mean()) / jnp.sqrt(x.var() + 0.1), "(x - mean(x)) / sqrt(var(x) + 0.1)"),
    "logsumexp": (lambda x: jax.nn.logsumexp(x * 2) * x, "logsumexp(x * 2.0) * x"),
    "polynomial": (lambda x: x**3 - 2 * x * x + x[::-1], "x ** 3.0 - 2.0 * x * x + flip(x)"),
    "power": (lambda x: (1.5 + x) ** x, "(1.5 + x) ** x"),
    "prod": (lambda x: jnp.prod(x) + x, "prod(x) + x"),
    "max and min": (lambda x: x * x.max() - x.min(), "x * max(x) - min(x)"),
    "maximum": (lambda x: jnp.maximum(x, 0.2) * jnp.minimum(x, x[::-1] + 0.1), "maximum(x, 0.2) * minimum(x, flip(x) + 0.1)"),
    "where": (lambda x: jnp.where(x > 0, jnp.sin(x), x * x), "where(x > 0.0, sin(x), x * x)"),
    "clip": (lambda x: jnp.clip(x, -0.5, 0.6) * x, "clip(x, -0.5, 0.6) * x"),
    "outer product": (lambda x: jnp.einsum("i,j,ij->j", x, jnp.sin(x), jnp.outer(x, x)), 'einsum("i,j,ij->j", x, sin(x), outer(x, x))'),
    "gather": (lambda x: jnp.sin(x)[IDX] * x[1], f"sin(x)[{IDX_TEXT}] * x[1]"),
    "scatter add": (lambda x: (x * x).at[IDX].add(jnp.sin(x)[IDX]), f"(x * x).at[{IDX_TEXT}].add(sin(x)[{IDX_TEXT}])"),
    "scatter set": (lambda x: x.at[jnp.array([2, 0])].set(jnp.cos(x[:2])) * x, "x.at[array([2, 0])].set(cos(x[:2])) * x"),
    "scatter max": (lambda x: (x * x).at[jnp.array([3, 1])].max(x[:2] + 0.5) * x, "(x * x).at[array([3, 1])].max(x[:2] + 0.5) * x"),
    "dynamic slice": (lambda x: lax.dynamic_slice(x * x, (jnp.int32(1),), (2,)) * x[:2], "dynamic_slice(x * x, (1,), (2,)) * x[:2]"),
    "dynamic update": (lambda x: lax.dynamic_update_slice(x, jnp.sin(x[:2]), (jnp.int32(2),)) * x, "dynamic_update_slice(x, sin(x[:2]), (2,)) * x"),
    "pieces": (lambda x: jnp.concatenate([x[1:] * x[:-1], jnp.pad(x, (1, 0))[::2]]), "concatenate((x[1:] * x[:-1], pad(x, (1, 0))[::2]))"),
    "roll": (lambda x: jnp.roll(x, 1) * jnp.roll(x, -1) + x, "roll(x, 1) * roll(x, -1) + x"),
    "matrix": (lambda x: (jnp.tril(x.reshape(2, 2)) @ x.reshape(2, 2).T).ravel(), "ravel(tril(reshape(x, (2, 2))) @ transpose(reshape(x, (2, 2))))"),
    "special": (lambda x: jax.scipy.special.erf(x) + jnp.log1p(x * x) + jnp.arctan2(x, 1 + x * x), "erf(x) + log1p(x * x) + atan2(x, 1.0 + x * x)"),
    "scan": (recur, "{ let (last, ys) = scan(|c, v| { let n = sin(c * 1.5 + v); (n, n * v) }, f64(0.3), x); ys + last }"),
    "scan in reverse": (lambda x: recur(x, True), "{ let (last, ys) = scan(|c, v| { let n = sin(c * 1.5 + v); (n, n * v) }, f64(0.3), x, reverse = true); ys + last }"),
    "scan of two": (two_carries, "{ let (c, ys) = scan(|c, v| ((c.0 + v * c.1, tanh(c.1 - c.0)), c.0 * c.1), (f64(0.1), f64(0.7)), x); ys * c.0 + c.1 }"),
    "scan in scan": (nested_scan, "scan(|c, v| { let h = scan(|c, v| (c * 0.5 + sin(v), ()), c, x * v).0; (h, h) }, f64(0.2), x).1"),
    "fori": (lambda x: lax.fori_loop(0, 5, lambda i, c: jnp.sin(c) * (i + 1.0) + x, x), "fori(0, 5, |i, c| sin(c) * (f64(i) + 1.0) + x, x)"),
    "for and while": (newton, "{ let s = sum(x * x) + 1.0; var y = s; for i in 0..12 while abs(y * y - s) > 0.001 { y = (y + s / y) / 2.0; } x * y }"),
    "cond": (lambda x: lax.cond(x[0] > 0, jnp.sin, lambda v: v * v * x, x), "cond(x[0] > 0.0, |v| sin(v), |v| v * v * x, x)"),
    "cond of a sum": (lambda x: lax.cond(jnp.sum(x) > 0, lambda v: v * v[0], jnp.cos, x), "if sum(x) > 0.0 { x * x[0] } else { cos(x) }"),
    "custom jvp": (lambda x: scaled_sin(x) * x, "custom_jvp(|v| sin(v), |p, t| (sin(p.0), t.0 * cos(p.0) * 3.0))(x) * x"),
    "checkpoint": (lambda x: jax.checkpoint(lambda v: jnp.sin(jnp.sin(v) * x))(x), "checkpoint(|v| sin(sin(v) * x))(x)"),
    "sort": (lambda x: jnp.sort(x) * jnp.arange(1.0, 5.0), "sort(x) * arange(1, 5, dtype = f64)"),
    "argsort": (lambda x: jnp.sin(x)[jnp.argsort(-x)] * x, "sin(x)[argsort(-x)] * x"),
    "top k": (lambda x: lax.top_k(x * x, 2)[0] * x[:2], "top_k(x * x, 2).0 * x[:2]"),
    "cumsum": (lambda x: jnp.cumsum(x * x) * x, "cumsum(x * x) * x"),
    "cumprod": (lambda x: jnp.cumprod(1 + x) * x, "cumprod(1.0 + x) * x"),
    "cummax": (lambda x: lax.cummax(jnp.sin(x)) * x, "cummax(sin(x)) * x"),
    "cumlogsumexp": (lambda x: lax.cumlogsumexp(x) * x, "cumlogsumexp(x) * x"),
    "convolution": (
        lambda x: lax.conv_general_dilated(jnp.sin(x)[None, :, None], x[:2][None, :, None], (1,), "VALID", dimension_numbers=("NHC", "OHI", "NHC")).ravel(),
        "ravel(conv1d(reshape(sin(x), (1, 4, 1)), reshape(x[:2], (1, 2, 1))))",
    ),
    "pooling": (
        lambda x: lax.reduce_window(jnp.sin(x) * x, -jnp.inf, lax.max, (2,), (1,), "VALID") * x[:3],
        "ravel(max_pool(reshape(sin(x) * x, (1, 4, 1)), (2,), stride = 1)) * x[:3]",
    ),
    "log gamma": (lambda x: jax.scipy.special.gammaln(positive(x)), "lgamma(0.5 + x * x)"),
    "solve": (
        lambda x: jnp.linalg.solve(jnp.outer(x, x) + 2 * jnp.eye(4), jnp.sin(x)),
        "solve(outer(x, x) + 2.0 * eye(4, dtype = f64), sin(x))",
    ),
    "cholesky": (
        lambda x: jnp.linalg.cholesky(jnp.outer(x, x) + 2 * jnp.eye(4))[:, 0] * x,
        "cholesky(outer(x, x) + 2.0 * eye(4, dtype = f64))[:, 0] * x",
    ),
    "determinant": (lambda x: jnp.linalg.det(jnp.outer(x, jnp.cos(x)) + 2 * jnp.eye(4)) * x, "det(outer(x, cos(x)) + 2.0 * eye(4, dtype = f64)) * x"),
}
# reverse mode alone, forward mode alone
REVERSE = {"custom vjp": (clipped, "custom_vjp(|v| v * v, |v| (v * v, v), |v, c| (tanh(c * 2.0 * v),))(x)")}
FORWARD = {
    "while": (
        lambda x: lax.while_loop(lambda v: jnp.sum(v * v) < 50, lambda v: v * 1.5 + x, x),
        "while_loop(|v| sum(v * v) < 50.0, |v| v * 1.5 + x, x)",
    ),
    "while of an example": (
        lambda x: lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 0.5 + jnp.abs(c[1][0]), jnp.sin(c[1]) * x), (jnp.float64(0.5), x))[1],
        "while_loop(|c| c.0 < 3.0, |c| (c.0 + 0.5 + abs(c.1[0]), sin(c.1) * x), (f64(0.5), x)).1",
    ),
}

# ---- transformations of them; a: f64[4] and b: f64[4], or f64[3, 4], or f64[2, 3, 4]

VECTOR, BATCH, BATCHES = (4,), (3, 4), (2, 3, 4)
loss = lambda f: lambda x: jnp.sum(f(x) ** 2)
LOSS = "let l = |x: f64[4]| { let y = f(x); sum(y * y) };"
dot = lambda u, v: jnp.sum(u * v)
ANY_MODE = {
    "vmap": ((BATCH,), lambda f, a: jax.vmap(f)(a), "vmap(f)(a)"),
    "vmap along the last axis": ((BATCH,), lambda f, a: jax.vmap(f, in_axes=1, out_axes=1)(a.T), "vmap(f, axes = 1, out = 1)(transpose(a))"),
}
FORWARD_ONLY = {
    "jvp": ((VECTOR, VECTOR), lambda f, a, b: jax.jvp(f, (a,), (b,))[1], "jvp(f, (a,), (b,)).1"),
    "jvp of jvp": (
        (VECTOR, VECTOR),
        lambda f, a, b: jax.jvp(lambda v: jax.jvp(f, (v,), (b,))[1], (a,), (b,))[1],
        "jvp(|v: f64[4]| jvp(f, (v,), (b,)).1, (a,), (b,)).1",
    ),
    "jacfwd of jvp": ((VECTOR, VECTOR), lambda f, a, b: jax.jacfwd(lambda v: jax.jvp(f, (v,), (b,))[1])(a), "jacfwd(|v: f64[4]| jvp(f, (v,), (b,)).1)(a)"),
    "vmap of jvp": (
        (BATCH, BATCH),
        lambda f, a, b: jax.vmap(lambda x, t: jax.jvp(f, (x,), (t,))[1])(a, b),
        "vmap(|x: f64[4], t: f64[4]| jvp(f, (x,), (t,)).1)(a, b)",
    ),
    "jvp of vmap": ((BATCH, BATCH), lambda f, a, b: jax.jvp(jax.vmap(f), (a,), (b,))[1], "jvp(vmap(f), (a,), (b,)).1"),
}
REVERSE_ONLY = {
    "grad": ((VECTOR,), lambda f, a: jax.grad(loss(f))(a), f"{LOSS} grad(l)(a)"),
    "grad of grad": ((VECTOR, VECTOR), lambda f, a, b: jax.grad(lambda v: dot(jax.grad(loss(f))(v), b))(a), f"{LOSS} grad(|v: f64[4]| sum(grad(l)(v) * b))(a)"),
    "vmap of grad": ((BATCH,), lambda f, a: jax.vmap(jax.grad(loss(f)))(a), f"{LOSS} vmap(grad(l))(a)"),
    "vmap of vmap of grad": ((BATCHES,), lambda f, a: jax.vmap(jax.vmap(jax.grad(loss(f))), in_axes=1)(a), f"{LOSS} vmap(vmap(grad(l)), axes = 1)(a)"),
    "grad of vmap": ((BATCH,), lambda f, a: jax.grad(lambda v: jnp.sum(jax.vmap(f)(v) ** 3))(a), "grad(|v: f64[3, 4]| { let y = vmap(f)(v); sum(y * y * y) })(a)"),
    "grad of vmap of grad": (
        (BATCH,),
        lambda f, a: jax.grad(lambda v: jnp.sum(jax.vmap(jax.grad(loss(f)))(v) ** 2))(a),
        f"{LOSS} grad(|v: f64[3, 4]| {{ let g = vmap(grad(l))(v); sum(g * g) }})(a)",
    ),
    "vmap of pullbacks": (
        (VECTOR, BATCH),
        lambda f, a, b: jax.vmap(lambda s: jax.vjp(f, a)[1](f(s) * s[0])[0])(b),
        "vmap(|s: f64[4]| vjp(f, a).1(f(s) * s[0]).0)(b)",
    ),
    "grad of checkpoint": ((VECTOR,), lambda f, a: jax.grad(jax.checkpoint(loss(f)))(a), f"{LOSS} grad(checkpoint(l))(a)"),
    "jacrev": ((VECTOR,), lambda f, a: jax.jacrev(f)(a), "jacrev(f)(a)"),
}
BOTH = {
    "jacfwd of jacrev": ((VECTOR,), lambda f, a: jax.jacfwd(jax.jacrev(f))(a), "jacfwd(jacrev(f))(a)"),
    "hessian under vmap": ((BATCH,), lambda f, a: jax.vmap(jax.hessian(loss(f)))(a), f"{LOSS} vmap(hessian(l))(a)"),
    "grad of vmap of jvp": (
        (BATCH, BATCH),
        lambda f, a, b: jax.grad(lambda v: jnp.sum(jax.vmap(lambda x, t: jax.jvp(f, (x,), (t,))[1])(v, b) ** 2))(a),
        "grad(|v: f64[3, 4]| { let y = vmap(|x: f64[4], t: f64[4]| jvp(f, (x,), (t,)).1)(v, b); sum(y * y) })(a)",
    ),
    "jvp of vmap of grad": (
        (BATCH, BATCH),
        lambda f, a, b: jax.jvp(jax.vmap(jax.grad(loss(f))), (a,), (b,))[1],
        f"{LOSS} jvp(vmap(grad(l)), (a,), (b,)).1",
    ),
    "third derivative": (
        (VECTOR, VECTOR),
        lambda f, a, b: jax.grad(lambda v: dot(jax.jvp(jax.grad(loss(f)), (v,), (b,))[1], b))(a),
        f"{LOSS} grad(|v: f64[4]| sum(jvp(grad(l), (v,), (b,)).1 * b))(a)",
    ),
    "linearize under vmap": (
        (VECTOR, BATCH),
        lambda f, a, b: jax.vmap(jax.linearize(f, a)[1])(b),
        "{ let (_, push) = linearize(f, a); vmap(push)(b) }",
    ),
}
NUMBERS = np.random.default_rng(4)
INPUTS = {s: [np.round(NUMBERS.uniform(-1, 1.2, s), 3) for _ in range(2)] for s in (VECTOR, BATCH, BATCHES)}
NESTED_IMPORTS = 'import { cholesky, det, solve } from "std/linalg";'


def nested():
    store = Store("nested")
    groups = [
        (FUNCTIONS, {**ANY_MODE, **FORWARD_ONLY, **REVERSE_ONLY, **BOTH}),
        (REVERSE, {**ANY_MODE, **{k: REVERSE_ONLY[k] for k in ("grad", "vmap of grad", "grad of vmap", "vmap of vmap of grad", "jacrev")}}),
        (FORWARD, {**ANY_MODE, **FORWARD_ONLY}),
    ]
    for functions, transformations in groups:
        for name, (f, text) in functions.items():
            calls = {}
            for how, (shapes, transform, written) in transformations.items():
                inputs = [INPUTS[s][i] for i, s in enumerate(shapes)]
                call = lambda *a, transform=transform: transform(f, *a)
                try:
                    jax.eval_shape(call, *inputs)
                except Exception as problem:  # noqa: BLE001  what JAX cannot do
                    store.exclude(name, f"JAX refuses: {type(problem).__name__}")
                    continue
                calls[how] = (call, inputs, f"{{ let f = |x: f64[4]| {text}; {written} }}")
            # one program for all
            run = jax.jit(lambda arguments: {how: call(*arguments[how]) for how, (call, _, _) in calls.items()})
            results = run({how: inputs for how, (_, inputs, _) in calls.items()})
            jax.clear_caches()
            for how, (_, inputs, code) in calls.items():
                store.cases.append({
                    "f": name, "dtype": "f64", "code": code, "near": 1000,
                    "in": [store.tensor(x) for x in inputs], "out": [store.tensor(np.asarray(results[how]))],
                })  # fmt: skip
            print(name, flush=True)
    store.write(imports=NESTED_IMPORTS)
    print("nested:", len({c["f"] for c in store.cases}), "functions,", len(store.cases), "cases,", len(store.bytes), "bytes")


# ---- random numbers: the same bits

SHAPES = [(), (1,), (5,), (2, 3), (3, 1, 4), (0, 3), (129,)]
SEEDS = [0, 1, 42, -7, 2**31 - 1]
LETTERS = {"uint8": "u8", "uint16": "u16", "uint32": "u32", "uint64": "u64", "float16": "f16", "bfloat16": "bf16", "float32": "f32", "float64": "f64", "int32": "i32"}


def random():
    store = Store("random")
    r = jax.random

    def case(name, code, result, near=1):
        dtype = LETTERS[str(result.dtype)]
        store.cases.append({"f": name, "dtype": dtype, "code": code, "in": [], "out": [store.tensor(np.asarray(result))], "near": near})

    for seed in SEEDS:
        key = r.key(np.int32(seed))  # a seed of 64 bits would be another key
        case("split", f"key_data(split_key(key({seed}), 5))", r.key_data(r.split(key, 5)))
        case("fold_in", f"key_data(fold_in(key({seed}), 9))", r.key_data(r.fold_in(key, 9)))
        case("split of fold_in of split", f"key_data(split_key(fold_in(split_key(key({seed}))[1], 3), 2))", r.key_data(r.split(r.fold_in(r.split(key)[1], 3), 2)))
        case("vmap of bits", f"vmap(|k: Key| draw(k))(split_key(key({seed}), 3))", jax.vmap(lambda k: r.bits(k, (4,), jnp.uint32))(r.split(key, 3)))
        for shape in SHAPES:
            for dtype in ("uint8", "uint16", "uint32", "uint64"):
                case(f"bits {LETTERS[dtype]}", f"bits(key({seed}))", r.bits(key, shape, getattr(jnp, dtype)))
            for dtype in ("float16", "bfloat16", "float32", "float64"):
                case(f"uniform {LETTERS[dtype]}", f"uniform(key({seed}))", r.uniform(key, shape, getattr(jnp, dtype)), 0)
            case("normal", f"normal(key({seed}))", r.normal(key, shape, jnp.float32), 4)
            case("randint", f"randint(key({seed}), -5, 1000)", r.randint(key, shape, -5, 1000, jnp.int32))
            case("gumbel", f"gumbel(key({seed}))", r.gumbel(key, shape, jnp.float32), 4)
    store.write(imports='import { bits, fold_in, gumbel, normal, randint, split as split_key, uniform } from "std/random";\nfn draw(k: Key) -> u32[4] { bits(k) }')
    print("random:", len({c["f"] for c in store.cases}), "functions,", len(store.cases), "cases,", len(store.bytes), "bytes")


# ---- programs with dims, at several sizes

SYMBOLIC = {
    "softmax": (["f32[N, M]"], ["f32[N, M]"], "{ let w = exp(a - max(a, axis = 1, keepdims = true)); w / sum(w, axis = 1, keepdims = true) }", lambda a: jax.nn.softmax(a, axis=1)),
    "gram": (["f32[N, M]"], ["f32[N, N]", "f32[M, M]"], "(a @ transpose(a), transpose(a) @ a)", lambda a: (a @ a.T, a.T @ a)),
    "differences": (["f32[N]"], ["f32[N-1]"], "a[1:] - a[:-1]", lambda a: a[1:] - a[:-1]),
    "every other": (["f32[N]"], ["f32[ceildiv(N, 2)]", "f32[floordiv(N, 2)]"], "(a[::2], a[1::2])", lambda a: (a[::2], a[1::2])),
    "windows": (["f32[N]", "f32[K]"], ["f32[N-K+1]"], "vmap(|i: i32| sum(dynamic_slice(a, (i,), (K,)) * b))(arange(N - K + 1))", lambda a, b: jnp.correlate(a, b, "valid")),
    "outer sum": (["f32[N]", "f32[M]"], ["f32[N*M]"], "ravel(a[:, newaxis] + b)", lambda a, b: (a[:, None] + b).ravel()),
    "concatenated": (["f32[N]", "f32[M]"], ["f32[N+M]"], "concatenate((a, b))", lambda a, b: jnp.concatenate([a, b])),
    "gradient of attention": (
        ["f32[N, D]", "f32[M, D]"], ["f32[N, D]", "f32[M, D]"],
        "grad(|q, k| { let s = q @ transpose(k); let w = exp(s - stop_gradient(max(s, axis = 1, keepdims = true))); sum((w / sum(w, axis = 1, keepdims = true)) @ k * q) }, wrt = (0, 1))(a, b)",
        lambda q, k: jax.grad(lambda q, k: jnp.sum(jax.nn.softmax(q @ k.T) @ k * q), (0, 1))(q, k),
    ),
    "scan": (["f32[N, M]"], ["f32[M]", "f32[N, M]"], "scan(|c, v| (sin(c + v), c * v), a[0] * 0.0, a)", lambda a: lax.scan(lambda c, v: (jnp.sin(c + v), c * v), a[0] * 0, a)),
    "gradient of scan": (["f32[N]"], ["f32[N]"], "grad(|x| scan(|c, v| (sin(c + v), ()), 0.0, x).0)(a)", lambda a: jax.grad(lambda x: lax.scan(lambda c, v: (jnp.sin(c + v), None), jnp.float32(0), x)[0])(a)),
    "hessian": (["f32[N]"], ["f32[N, N]"], "hessian(|x| sum(sin(x)) * sum(x * x))(a)", lambda a: jax.hessian(lambda x: jnp.sum(jnp.sin(x)) * jnp.sum(x * x))(a)),
    "cumsum": (["f32[N, M]"], ["f32[N, M]", "f32[N, M]"], "(cumsum(a, axis = 0), cumsum(a, axis = 1))", lambda a: (jnp.cumsum(a, 0), jnp.cumsum(a, 1))),
    "sort": (["f32[N, M]"], ["f32[N, M]", "i32[N, M]"], "(sort(a, axis = 0), argsort(a, axis = 1))", lambda a: (jnp.sort(a, axis=0), jnp.argsort(a, axis=1).astype(jnp.int32))),
    "moments": (["f32[N, M]"], ["f32[M]", "f32[N]"], "(mean(a, axis = 0), var(a, axis = 1))", lambda a: (a.mean(0), a.var(1))),
    "one hot": (["i32[N]"], ["f32[N, 7]"], "one_hot(a, 7)", lambda a: jax.nn.one_hot(a, 7, dtype=jnp.float32)),
    "histogram": (["f32[N]", "i32[N]"], ["f32[5]"], "{ let z: f32[5] = zeros(); z.at[b].add(a) }", lambda a, b: jnp.zeros(5, jnp.float32).at[b].add(a)),
    "vmap over a dim": (["f32[N, M]", "f32[M]"], ["f32[N]"], "vmap(|r: f32[M]| sum(r * b) / M)(a)", lambda a, b: (a * b).sum(1) / a.shape[1]),
    "padded": (["f32[N, M]"], ["f32[N+2, M]"], "pad(a, ((1, 1), (0, 0)))", lambda a: jnp.pad(a, ((1, 1), (0, 0)))),
    "tiled": (["f32[N]"], ["f32[3*N]"], "tile(a, (3,))", lambda a: jnp.tile(a, 3)),
    "roll and flip": (["f32[N, M]"], ["f32[N, M]"], "roll(flip(a, axis = 0), 1, axis = 1)", lambda a: jnp.roll(jnp.flip(a, 0), 1, 1)),
    "convolution": (
        ["f32[B, N, 2]", "f32[3, 2, 2]"], ["f32[B, N-1, 3]"], "conv1d(a, b)",
        lambda a, b: lax.conv_general_dilated(a, b, (1,), "VALID", dimension_numbers=("NHC", "OHI", "NHC")),
    ),
    "normalised": (["f32[N, M]", "f32[M]"], ["f32[N, M]"], "standardize(a) * b", lambda a, b: (a - a.mean(1, keepdims=True)) / jnp.sqrt(a.var(1, keepdims=True) + 1e-5) * b),
}  # fmt: skip
SIZES = [
    dict(N=4, M=3, K=2, D=5, B=2), dict(N=1, M=1, K=1, D=1, B=1), dict(N=7, M=16, K=3, D=2, B=3), dict(N=33, M=5, K=8, D=3, B=1),
    dict(N=2, M=70, K=2, D=8, B=4), dict(N=64, M=17, K=5, D=4, B=2),
]  # fmt: skip


def symbolic():
    store = Store("symbolic")
    numbers = np.random.default_rng(9)
    for name, (types, results, code, f) in SYMBOLIC.items():
        for sizes in SIZES:
            if name == "convolution" and sizes["N"] < 2:
                continue
            inputs = []
            for t in types:
                dtype, shape = t[:3], [int(s) if s.strip().isdigit() else sizes[s.strip()] for s in t[4:-1].split(",")]
                x = numbers.uniform(-1, 1, shape).astype(np.float32) if dtype == "f32" else numbers.integers(0, 5, shape, dtype=np.int32)
                inputs.append(x)
            found = jax.jit(f)(*inputs)
            found = list(found) if isinstance(found, (tuple, list)) else [found]
            store.cases.append({
                "f": name, "dtype": "f32", "code": code, "types": types, "results": results, "near": 10,
                "in": [store.tensor(x) for x in inputs], "out": [store.tensor(np.asarray(x)) for x in found],
            })  # fmt: skip
    store.write(imports="")
    print("symbolic:", len({c["f"] for c in store.cases}), "functions,", len(store.cases), "cases,", len(store.bytes), "bytes")


if __name__ == "__main__":
    for make in (random, symbolic, nested):
        if not sys.argv[1:] or make.__name__ in sys.argv[1:]:
            make()
