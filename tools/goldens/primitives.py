"""Golden results of primitives: NumPy, SciPy and JAX on special and random values.

Usage: python tools/goldens/primitives.py test/golden/primitives      (needs numpy, scipy, jax)

Each file holds cases {name, attrs, operands: [{dtype, shape, data}], results: [...]}. Numbers that JSON lacks are the
strings "nan", "inf", "-inf", "-0"; 64-bit integers are strings. Narrow floats are computed in float64 from rounded operands
and rounded once, which is what the reference evaluator promises.
"""
import json
import sys
from pathlib import Path

import jax

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import scipy.special as sp
from jax import lax

np.seterr(all="ignore")
rng = np.random.default_rng(0)
DTYPES = {
    "bool": np.bool_, "i8": np.int8, "i16": np.int16, "i32": np.int32, "i64": np.int64,
    "u8": np.uint8, "u16": np.uint16, "u32": np.uint32, "u64": np.uint64,
    "f16": np.float16, "bf16": ml_dtypes.bfloat16, "f32": np.float32, "f64": np.float64,
}
NAMES = {np.dtype(t): n for n, t in DTYPES.items()}
FLOATS = ["f32", "f16", "bf16", "f64"]
INTS = ["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64"]


def number(x, dtype):
    if dtype in ("i64", "u64"):
        return str(int(x))
    if dtype == "bool" or dtype in INTS:
        return int(x)
    x = float(x)
    if np.isnan(x):
        return "nan"
    if np.isinf(x):
        return "inf" if x > 0 else "-inf"
    if x == 0 and np.signbit(x):
        return "-0"
    return int(x) if x == int(x) and abs(x) < 1e15 else x


def tensor(a):
    a = np.asarray(a)
    dtype = NAMES[a.dtype]
    return {"dtype": dtype, "shape": list(a.shape), "data": [number(x, dtype) for x in a.ravel()]}


def case(name, operands, results, **attrs):
    return {"name": name, "attrs": attrs, "operands": [tensor(x) for x in operands], "results": [tensor(r) for r in results]}


def narrow(values, dtype):
    """float64 to a float dtype with one rounding; ml_dtypes goes through float32, so round to odd there first."""
    values = np.asarray(values, np.float64)
    if dtype == "bf16":
        f = values.astype(np.float32)
        bits = f.view(np.uint32).copy()
        inexact = np.isfinite(values) & np.isfinite(f) & (f.astype(np.float64) != values)
        too_far = inexact & (np.abs(f.astype(np.float64)) > np.abs(values))
        bits = np.where(too_far, bits - 1, bits)
        bits = np.where(inexact, bits | 1, bits)
        return bits.astype(np.uint32).view(np.float32).astype(ml_dtypes.bfloat16)
    return values.astype(DTYPES[dtype])


SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 0.5, -0.5, 1e-3, 2.5, -3.5, 60.0, -60.0, 700.0]
EDGES = {
    "f16": [6e-8, 65504.0, 1e-5, -65504.0],
    "bf16": [1e-40, 3.3e38, -3.3e38],
    "f32": [1e-45, 1e-39, 3.4e38, -3.4e38, 88.0, -104.0],
    "f64": [5e-324, 1e-310, 1.7e308, -745.5, 709.0],
}


def floats(dtype, extra=()):
    values = SPECIAL + EDGES[dtype] + list(extra) + list(rng.uniform(-3, 3, 6))
    return narrow(values, dtype)


UNARY = {
    "neg": np.negative, "abs": np.abs, "floor": np.floor, "ceil": np.ceil, "round": np.rint, "trunc": np.trunc,
    "sign": lambda x: np.where(x == 0, x, np.sign(x)),
    "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "log": np.log, "log2": np.log2, "log1p": np.log1p,
    "sqrt": np.sqrt, "rsqrt": lambda x: 1 / np.sqrt(x), "cbrt": np.cbrt, "sin": np.sin, "cos": np.cos, "tan": np.tan,
    "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh,
    "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh, "logistic": sp.expit,
    "erf": sp.erf, "erfc": sp.erfc, "erfinv": lambda x: np.copysign(sp.erfinv(x), x),  # odd, also at -0
}


def unary():
    for name, f in UNARY.items():
        for dtype in FLOATS:
            extra = [3.0, -0.999, 0.999999, 1e-8, 5.0, 26.0] if dtype == "f64" else [3.0, 0.99]
            x = floats(dtype, extra)
            if name in ("sin", "cos", "tan"):
                x = x[~(np.abs(x.astype(np.float64)) > 1e5)]
            yield case(name, [x], [narrow(f(x.astype(np.float64)), dtype)])
    for dtype in FLOATS:
        x = floats(dtype)
        yield case("is_finite", [x], [np.isfinite(x)])
    for dtype in INTS:
        x = integers(dtype)
        yield case("neg", [x], [-x])
        yield case("abs", [x], [np.abs(x)])
        yield case("sign", [x], [np.sign(x)])
        yield case("not", [x], [~x])
        yield case("popcount", [x], [lax.population_count(jnp.asarray(x))])
        yield case("clz", [x], [lax.clz(jnp.asarray(x))])
    yield case("not", [np.array([True, False])], [np.array([False, True])])


def integers(dtype):
    info = np.iinfo(DTYPES[dtype])
    values = [info.min, info.max, 0, 1, 2, 3, 7, info.max // 3, info.min // 5, info.max - 1]
    if info.min < 0:
        values += [-1, -2, -7, info.min + 1]
    return np.array(values, DTYPES[dtype])


def pairs(x):
    return np.repeat(x, len(x)), np.tile(x, len(x))


def floor_div(x, y):
    """Python's // and % on floats of any size; by zero as IEEE division."""
    return np.floor_divide(x, y)


def integer_pow(x, y, dtype):
    bits = 8 * np.dtype(DTYPES[dtype]).itemsize
    out = []
    for a, b in zip(x.tolist(), y.tolist()):
        if b >= 0:
            v = pow(a % 2**bits, b, 2**bits)
        else:
            v = 1 if a == 1 else (1 if b % 2 == 0 else -1) if a == -1 else 0
        v %= 2**bits
        out.append(v - 2**bits if np.iinfo(DTYPES[dtype]).min < 0 and v >= 2 ** (bits - 1) else v)
    return np.array(out, DTYPES[dtype])


COMPARE = {"eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal}


def binary():
    for dtype in FLOATS:
        base = narrow([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 2.5, -0.75, EDGES[dtype][0]], dtype)
        x, y = pairs(base)
        a, b = x.astype(np.float64), y.astype(np.float64)
        ops = {
            "add": a + b, "sub": a - b, "mul": a * b, "div": a / b, "atan2": np.arctan2(a, b),
            "pow": np.power(a, b), "max": np.maximum(a, b), "min": np.minimum(a, b),
        }
        for name, result in ops.items():
            yield case(name, [x, y], [narrow(result, dtype)])
        for name, f in COMPARE.items() if dtype == "f32" else ():
            yield case(name, [x, y], [f(x, y)])
        finite = narrow([0.0, 1.0, -1.0, 2.5, -0.75, 3.0, 0.1, -7.3, np.inf, -np.inf, np.nan], dtype)
        x, y = pairs(finite)
        a, b = x.astype(np.float64), y.astype(np.float64)
        yield case("rem", [x, y], [narrow(np.remainder(a, b), dtype)])
        yield case("floor_div", [x, y], [narrow(floor_div(a, b), dtype)])
    for dtype in INTS:
        t = DTYPES[dtype]
        x, y = pairs(integers(dtype)[[0, 1, 2, 3, 6, 7, -1, -2]])
        yield case("add", [x, y], [x + y])
        yield case("sub", [x, y], [x - y])
        yield case("mul", [x, y], [x * y])
        yield case("floor_div", [x, y], [np.floor_divide(x, y)])
        yield case("rem", [x, y], [np.remainder(x, y)])
        yield case("pow", [x, y], [integer_pow(x, y, dtype)])
        yield case("max", [x, y], [np.maximum(x, y)])
        yield case("min", [x, y], [np.minimum(x, y)])
        yield case("and", [x, y], [x & y])
        yield case("or", [x, y], [x | y])
        yield case("xor", [x, y], [x ^ y])
        for name, f in COMPARE.items() if dtype in ("i32", "i64", "u64", "u8") else ():
            yield case(name, [x, y], [f(x, y)])
        bits = 8 * np.dtype(t).itemsize
        amounts = np.array([0, 1, 3, bits - 1, bits, bits + 5], t)
        values = integers(dtype)[[0, 1, 3, 7, -1]]
        x, y = np.repeat(values, len(amounts)), np.tile(amounts, len(values))
        right = lax.shift_right_arithmetic if np.iinfo(t).min < 0 else lax.shift_right_logical
        yield case("shift_left", [x, y], [lax.shift_left(jnp.asarray(x), jnp.asarray(y))])
        yield case("shift_right", [x, y], [right(jnp.asarray(x), jnp.asarray(y))])
    x, y = pairs(np.array([False, True]))
    for name, f in {"and": np.logical_and, "or": np.logical_or, "xor": np.logical_xor, **COMPARE}.items():
        yield case(name, [x, y], [f(x, y)])


def saturate(x, dtype):
    info = np.iinfo(DTYPES[dtype])
    out = []
    for v in x.astype(np.float64).tolist():
        out.append(0 if np.isnan(v) else info.max if v >= info.max else info.min if v <= info.min else int(v))
    return np.array(out, DTYPES[dtype])


def conversions():
    wide = np.array([0, 1, 2**53 + 1, -(2**53) - 1, 2**24 + 1, 2**62 + 2**38 + 1, 2**40 + 2**16, 2**40 + 2**16 + 1, -1], np.int64)
    exact = {"f32": [], "f64": []}
    for v in wide.tolist():
        exact["f64"].append(float(v))
        f = np.float32(0)  # nearest float32 by exact comparison of the candidates
        guess = np.float32(float(v))
        candidates = [np.nextafter(guess, np.float32(-np.inf)), guess, np.nextafter(guess, np.float32(np.inf))]
        f = min(candidates, key=lambda c: (abs(int(c) - v), int(np.float32(c).view(np.uint32)) & 1))
        exact["f32"].append(f)
    yield case("convert", [wide], [np.array(exact["f32"], np.float32)], dtype="f32")
    yield case("convert", [wide], [np.array(exact["f64"], np.float64)], dtype="f64")
    for source in FLOATS:
        x = floats(source, [127.5, 128.0, 255.9, -129.0, 32768.0, 2147483648.0, -2147483649.0, 4294967296.0, 9.3e18, 1.9e19] if source != "f16" else [127.5, 128.0, 255.9, -129.0, 32768.0])
        for target in INTS:
            yield case("convert", [x], [saturate(x, target)], dtype=target)
        yield case("convert", [x], [x.astype(np.float64) != 0], dtype="bool")
        for target in FLOATS:
            yield case("convert", [x], [narrow(x.astype(np.float64), target)], dtype=target)
    for source in INTS:
        x = integers(source)
        for target in INTS:
            yield case("convert", [x], [x.astype(DTYPES[target])], dtype=target)
        yield case("convert", [x], [x != 0], dtype="bool")
    halfway = narrow([1 + 2**-11, 1 + 3 * 2**-11, 2**-24, 2**-25, 3 * 2**-25, 65519.9, 65520.0], "f64")
    yield case("convert", [halfway], [narrow(halfway, "f16")], dtype="f16")
    halfway = narrow([1 + 2**-8, 1 + 3 * 2**-8, 1 + 2**-8 + 2**-40, 2.0**-134, 3.3961775292304957e38], "f64")
    yield case("convert", [halfway], [narrow(halfway, "bf16")], dtype="bf16")
    for source, target in [("f32", "u32"), ("f16", "u16"), ("bf16", "u16"), ("f64", "i64"), ("f32", "i32")]:
        x = floats(source)
        x = x[~np.isnan(x.astype(np.float64))]
        yield case("bitcast", [x], [x.view(DTYPES[target])], dtype=target)
        yield case("bitcast", [x.view(DTYPES[target])], [x], dtype=source)


def reductions():
    nan = np.array([[1, np.nan, 3], [np.inf, 2, -np.inf], [-0.0, 0.0, 5]], np.float32)
    x = rng.uniform(-2, 2, (3, 4, 5))
    for dtype in FLOATS:
        v = narrow(x, dtype)
        w = v.astype(np.float64)
        for axes in [(1,), (0, 2), (0, 1, 2)]:
            for name, f in {"reduce_sum": np.sum, "reduce_prod": np.prod, "reduce_max": np.max, "reduce_min": np.min}.items():
                yield case(name, [v], [narrow(f(w, axis=axes), dtype)], axes=axes)
    for name, f in {"reduce_sum": np.sum, "reduce_prod": np.prod, "reduce_max": np.max, "reduce_min": np.min}.items():
        yield case(name, [nan], [f(nan, axis=1)], axes=(1,))
    for dtype in INTS:
        v = integers(dtype)[:10].reshape(2, 5)
        yield case("reduce_sum", [v], [np.sum(v, axis=1, dtype=v.dtype)], axes=(1,))
        yield case("reduce_prod", [v], [np.prod(v, axis=1, dtype=v.dtype)], axes=(1,))
        yield case("reduce_max", [v], [np.max(v, axis=0)], axes=(0,))
        yield case("reduce_min", [v], [np.min(v, axis=0)], axes=(0,))
        yield case("argmax", [v], [np.argmax(v, axis=1).astype(np.int32)], axis=1)
    b = np.array([[True, True], [True, False], [False, False]])
    yield case("reduce_all", [b], [np.all(b, axis=1)], axes=(1,))
    yield case("reduce_any", [b], [np.any(b, axis=1)], axes=(1,))
    empty = np.zeros((2, 0), np.float32)
    yield case("reduce_sum", [empty], [np.sum(empty, axis=1)], axes=(1,))
    yield case("reduce_prod", [empty], [np.prod(empty, axis=1)], axes=(1,))
    yield case("reduce_max", [empty], [np.full(2, -np.inf, np.float32)], axes=(1,))
    yield case("reduce_all", [empty != 0], [np.array([True, True])], axes=(1,))
    ties = np.array([[1, 3, 3, 0], [2, 2, 2, 2], [np.nan, 5, np.nan, 7], [-np.inf, -np.inf, 1, np.inf]], np.float32)
    for axis in (0, 1):
        yield case("argmax", [ties], [np.argmax(ties, axis=axis).astype(np.int32)], axis=axis)
        yield case("argmin", [ties], [np.argmin(ties, axis=axis).astype(np.int32)], axis=axis)


def contractions():
    def dot(x, y, contracting, batch, dtype):
        dims = (contracting, batch)
        result = lax.dot_general(jnp.asarray(x), jnp.asarray(y), dims, precision="highest")
        return case("dot_general", [x, y], [narrow(np.asarray(result), dtype) if dtype in FLOATS else result],
                    contracting=contracting, batch=batch)

    for shape_x, shape_y, contracting, batch in [
        ((3, 4), (4, 2), ((1,), (0,)), ((), ())),
        ((2, 3, 4), (2, 5, 4), ((2,), (2,)), ((0,), (0,))),
        ((2, 3, 4), (4, 5, 2), ((0, 2), (2, 0)), ((), ())),
        ((3, 2, 4), (4, 5, 2), ((2,), (0,)), ((1,), (2,))),
        ((2, 3, 4), (3, 4, 2), ((2,), (1,)), ((0, 1), (2, 0))),
        ((3,), (2,), ((), ()), ((), ())),
    ]:
        x, y = rng.uniform(-1, 1, shape_x), rng.uniform(-1, 1, shape_y)
        yield dot(x, y, contracting, batch, "f64")
    x, y = rng.integers(-100, 100, (3, 4)).astype(np.int8), rng.integers(-100, 100, (4, 2)).astype(np.int8)
    yield case("dot_general", [x, y], [np.matmul(x, y)], contracting=((1,), (0,)), batch=((), ()))
    x, y = rng.integers(-2**31, 2**31, (2, 3)).astype(np.int32), rng.integers(-2**31, 2**31, (3, 2)).astype(np.int32)
    yield case("dot_general", [x, y], [np.matmul(x, y)], contracting=((1,), (0,)), batch=((), ()))


def indexing():
    x = rng.uniform(-2, 2, (4, 5, 3)).astype(np.float32)
    index = np.array([[0, 3, -2], [7, 1, 4]], np.int32)
    yield case("gather", [x, index], [x[np.clip(index, 0, 3)]], axes=(0,))
    yield case("gather", [x, index], [np.moveaxis(x[:, np.clip(index, 0, 4)], 0, 2)], axes=(1,))
    other = np.array([[2, 0, 1], [0, 5, -1]], np.int32)
    yield case("gather", [x, other, index], [np.moveaxis(x, 2, 0)[np.clip(other, 0, 2), np.clip(index, 0, 3)]], axes=(2, 0))
    base = rng.uniform(0.5, 2, (4, 3)).astype(np.float32)
    rows = np.array([1, 3, 1, 9, -1, 0, 1], np.int32)
    update = rng.uniform(0.5, 2, (7, 3)).astype(np.float32)
    combine = {"set": lambda a, b: b, "add": np.add, "mul": np.multiply, "min": np.minimum, "max": np.maximum}
    for mode, f in combine.items():
        result = base.astype(np.float64)
        for row, values in zip(rows, update.astype(np.float64)):
            if 0 <= row < 4:
                result[row] = f(result[row], values)
        yield case("scatter", [base, update, rows], [result.astype(np.float32)], axes=(0,), mode=mode)
    for start in [(1, 1), (-3, 9), (3, 4)]:
        starts = [np.int32(s) for s in start]
        y = x[:, :, 0]
        start = (min(max(start[0], 0), 2), min(max(start[1], 0), 2))  # lax counts negative ones from the end
        yield case("dynamic_slice", [y, *starts], [lax.dynamic_slice(jnp.asarray(y), start, (2, 3))], sizes=(2, 3))
        block = rng.uniform(-2, 2, (2, 3)).astype(np.float32)
        result = lax.dynamic_update_slice(jnp.asarray(y), jnp.asarray(block), start)
        yield case("dynamic_update_slice", [y, block, *starts], [result])


def views():
    x = rng.integers(0, 100, (4, 6)).astype(np.int32)
    one = np.int32(-1)
    yield case("reshape", [x], [x.reshape(3, 8)], shape=(3, 8))
    yield case("permute", [x], [x.T], permutation=(1, 0))
    y = rng.integers(0, 100, (2, 3, 4)).astype(np.int32)
    yield case("permute", [y], [np.transpose(y, (2, 0, 1))], permutation=(2, 0, 1))
    yield case("broadcast", [x[:, :1]], [np.broadcast_to(x[:, :1], (4, 3))], shape=(4, 3), axes=(0, 1))
    yield case("broadcast", [x[0]], [np.broadcast_to(x[0][:, None], (6, 2))], shape=(6, 2), axes=(0,))
    yield case("slice", [x], [x[1:4:2, 0:6:4]], start=(1, 0), stop=(4, 6), step=(2, 4))
    yield case("reverse", [x], [x[::-1, ::-1]], axes=(0, 1))
    yield case("concatenate", [x, x[:, :2], x[:, :0]], [np.concatenate([x, x[:, :2]], 1)], axis=1)
    for low, high, interior in [((1, 2), (0, 1), (0, 0)), ((1, -2), (-1, 3), (2, 1)), ((-1, -1), (-1, -2), (0, 3))]:
        result = lax.pad(jnp.asarray(x), one, [*zip(low, high, interior)])
        yield case("pad", [x, one], [result], low=low, high=high, interior=interior)
    c = np.array([[True, False], [False, True]])
    a, b = np.arange(4, dtype=np.float32).reshape(2, 2), -np.ones((2, 2), np.float32)
    yield case("select", [c, a, b], [np.where(c, a, b)])
    yield case("iota", [], [np.broadcast_to(np.arange(3, dtype=np.int32), (2, 3))], dtype="i32", shape=(2, 3), axis=1)
    yield case("iota", [], [np.arange(300).astype(np.uint8)], dtype="u8", shape=(300,), axis=0)


def write(folder, name, cases):
    lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    (folder / f"{name}.json").write_text(f"[\n{lines}\n]\n")


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for make in (unary, binary, conversions, reductions, contractions, indexing, views):
        write(folder, make.__name__, list(make()))


if __name__ == "__main__":
    main()
