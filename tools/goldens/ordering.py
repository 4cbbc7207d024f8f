"""Golden results of cumulative operations and of sorting: NumPy and JAX on special values, and JAX's derivatives.

Usage: python tools/goldens/ordering.py test/golden      (needs numpy, jax)

Writes primitives/ordering.json, as primitives.py does, and ordering/derivatives.json: for an expression over x and w (a row of
the language, the same function in JAX) its value, gradient and Hessian at x.
"""
import json
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from primitives import FLOATS, INTS, case, narrow, number, rng, write

NAN, INF = np.nan, np.inf
# rows whose running sums stay exact in every float type, whatever the order of the terms
ROWS = np.array(
    [
        [1.0, -0.5, 2.0, 0.25, -3.0, 1.5],
        [0.0, 0.5, -1.0, 0.0, 2.0, -0.0],
        [1.0, INF, 2.0, -1.0, -INF, 3.0],
        [-INF, -INF, 0.5, NAN, 1.0, INF],
    ]
)


def recurrence(a, b):
    h = np.zeros_like(b)
    previous = np.zeros(b.shape[:-1])
    for i in range(b.shape[-1]):
        previous = np.where(previous == 0, 0, a[..., i] * previous) + b[..., i]
        h[..., i] = previous
    return h


def cumulative():
    functions = {
        "cumsum": np.cumsum,
        "cumprod": np.cumprod,
        "cummax": np.maximum.accumulate,
        "cummin": np.minimum.accumulate,
        "cumlogsumexp": np.logaddexp.accumulate,
    }
    for name, f in functions.items():
        for dtype in FLOATS:
            x = narrow(ROWS, dtype)
            wide = x.astype(np.float64)
            yield case(name, [x], [narrow(f(wide, axis=1), dtype)], axis=1, reverse=False)
            yield case(name, [x], [narrow(f(wide[:, ::-1], axis=1)[:, ::-1], dtype)], axis=1, reverse=True)
            yield case(name, [x], [narrow(f(wide, axis=0), dtype)], axis=0, reverse=False)
        for shape in [(0,), (3, 0), (0, 3), (1, 1)]:
            x = np.ones(shape, np.float32)
            yield case(name, [x], [x], axis=len(shape) - 1, reverse=False)
        if name == "cumlogsumexp":
            continue
        for dtype in INTS:
            t = np.dtype({"i": "int", "u": "uint"}[dtype[0]] + dtype[1:])
            low, high = np.iinfo(t).min, np.iinfo(t).max
            x = np.array([[high, 1, low, 3, high, 7], [5, 2, 0, high, high, 1]], t)
            result = f(x, axis=1) if "max" in name or "min" in name else f(x, axis=1, dtype=t)
            yield case(name, [x], [result], axis=1, reverse=False)
    a = np.array([[INF, 0.5, 2, 0, -1, 4], [1, 1, 1, 1, 1, 1], [3, INF, 2, -INF, 0, 1]])
    b = np.array([[1.0, 2, 3, 4, 5, 6], [1, 2, INF, 4, NAN, 6], [0, 0, 0, 1, 2, 3]])
    for dtype in FLOATS:
        x, y = narrow(a, dtype), narrow(b, dtype)
        result = recurrence(x.astype(np.float64), y.astype(np.float64))
        yield case("linear_recurrence", [x, y], [narrow(result, dtype)], axis=1, reverse=False)


SORTED = np.array([2.0, NAN, -0.0, 0.0, -INF, 2.0, INF, -1.5, NAN, 0.0, -2.0, 1e-3, 2.0, -0.0, 60.0, -60.0, 1.0, -1.0])


def keys():
    for dtype in FLOATS:
        yield narrow(np.stack([SORTED, rng.permutation(SORTED)]), dtype)
    for dtype in INTS:
        t = np.dtype({"i": "int", "u": "uint"}[dtype[0]] + dtype[1:])
        low, high = np.iinfo(t).min, np.iinfo(t).max
        x = np.array([high, 1, low, 3, high, 7, 0, low, high // 2, 1, high - 1, low + 1, 5, 3, 9, 2, 8, 4], t)
        yield np.stack([x, rng.permutation(x)])
    yield rng.integers(0, 2, (2, 18)).astype(bool)


def numpy_key(x):
    return x.astype(np.float32) if x.dtype.kind == "V" or "bfloat" in str(x.dtype) else x


def sorting():
    for x in keys():
        up = np.argsort(numpy_key(x), axis=1, kind="stable")
        yield case("argsort", [x], [up.astype(np.int32)], axis=1, descending=False)
        down = jnp.argsort(jnp.asarray(numpy_key(x)), axis=1, stable=True, descending=True)
        yield case("argsort", [x], [np.asarray(down).astype(np.int32)], axis=1, descending=True)
        yield case("sort", [x], [np.take_along_axis(x, up, 1)], axis=1, keys=1, descending=False)
        values, indices = lax.top_k(jnp.asarray(numpy_key(x)), 5) if x.dtype != bool else (None, None)
        if values is not None:
            taken = np.take_along_axis(x, np.asarray(indices), 1)
            yield case("top_k", [x], [taken, np.asarray(indices, np.int32)], axis=1, k=5)
    # XLA takes subnormals for 0; NumPy does not
    for x in [np.array([5e-324, -5e-324, 0, 1e308, -1e308, NAN]), np.array([1e-45, -1e-45, 0, 3e38, -3e38, NAN], np.float32)]:
        order = np.argsort(x, kind="stable").astype(np.int32)
        yield case("argsort", [x], [order], axis=0, descending=False)
        yield case("sort", [x], [x[order]], axis=0, keys=1, descending=False)
    x = np.tile(SORTED, 10).astype(np.float32)
    order = np.argsort(x, kind="stable").astype(np.int32)
    yield case("argsort", [x], [order], axis=0, descending=False)
    a, b = rng.integers(0, 3, 40).astype(np.int8), rng.integers(0, 3, 40).astype(np.float32)
    c = np.arange(40, dtype=np.int32)
    order = np.lexsort((b, a))
    yield case("sort", [a, b, c], [a[order], b[order], c[order]], axis=0, keys=2, descending=False)
    for shape in [(0,), (2, 0), (0, 20), (1,), (3, 1)]:
        x = np.ones(shape, np.float32)
        yield case("argsort", [x], [np.argsort(x, axis=-1).astype(np.int32)], axis=len(shape) - 1, descending=False)



W = np.array([0.7, -1.3, 0.4, 2.1, -0.6])
POINTS = {
    "plain": np.array([0.5, -1.5, 2.0, 0.8, -0.3]),
    "one zero": np.array([0.5, -1.5, 0.0, 0.8, -0.3]),
    "two zeros": np.array([0.5, 0.0, 2.0, 0.0, -0.3]),
    "zero first": np.array([0.0, 1.5, 2.0, 0.8, 0.0]),
    "far apart": np.array([-40.0, 3.0, -200.0, 50.0, 49.0]),
}
DERIVED = {
    "cumsum(x) * cumsum(x, reverse = true)": lambda x: lax.cumsum(x) * lax.cumsum(x, reverse=True),
    "cumprod(x)": lambda x: lax.cumprod(x),
    "cumprod(x, reverse = true)": lambda x: lax.cumprod(x, reverse=True),
    "cummax(x) * cummin(x)": lambda x: lax.cummax(x) * lax.cummin(x),
    "cummax(x * x, reverse = true)": lambda x: lax.cummax(x * x, reverse=True),
    "logcumsumexp(x)": lambda x: lax.cumlogsumexp(x),
    "logcumsumexp(x, reverse = true)": lambda x: lax.cumlogsumexp(x, reverse=True),
    "sort(x) ** 2": lambda x: jnp.sort(x) ** 2,
    "sort(x, descending = true) * x": lambda x: jnp.sort(x, descending=True) * x,
    "x[argsort(x)] * x": lambda x: x[jnp.argsort(x)] * x,
    "{ let (_, v) = sort_by(x, w * x); v ** 2 }": lambda x: lax.sort((x, W * x), num_keys=1)[1] ** 2,
    "{ let (v, i) = top_k(x, 5); v * v * x[i] }": lambda x: (lambda v, i: v * v * x[i])(*lax.top_k(x, 5)),
}


def has_ties(text, x):
    return ("cumm" in text or "sort" in text or "top" in text) and len(np.unique(np.abs(x))) < len(x)


def derivatives():
    for text, f in DERIVED.items():
        for label, x in POINTS.items():
            if has_ties(text, x) or ("cumprod" in text and label == "far apart"):
                continue
            total = lambda x: jnp.sum(jnp.asarray(W) * f(x))
            yield {
                "text": text,
                "at": label,
                "x": [number(v, "f64") for v in x],
                "w": list(W),
                "value": number(total(x), "f64"),
                "gradient": [number(v, "f64") for v in np.asarray(jax.grad(total)(x))],
                "hessian": [number(v, "f64") for v in np.asarray(jax.hessian(total)(x)).ravel()],
            }


def main():
    folder = Path(sys.argv[1])
    write(folder / "primitives", "ordering", [*cumulative(), *sorting()])
    lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in derivatives())
    (folder / "ordering").mkdir(exist_ok=True)
    (folder / "ordering" / "derivatives.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
