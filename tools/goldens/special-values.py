"""Golden results of element-wise primitives at the edges: the tables of the array API, NumPy and SciPy.

Usage: python tools/goldens/special-values.py test/golden/primitives      (needs numpy, scipy, mpmath, jax)

Writes special-values.json in the form of primitives.py, which has ordinary values.
"""
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import scipy.special as sp
from jax import lax
from mpmath import mp, mpf
from primitives import DTYPES, FLOATS, INTS, UNARY, case, narrow, write

np.seterr(all="ignore")
mp.dps = 60
inf, nan = np.inf, np.nan


def grid(xs, ys):
    return np.repeat(xs, len(ys)), np.tile(ys, len(xs))


def huge_angles():
    """Reduction modulo 2 pi of what no multiple of pi is near, and of what is next to one."""
    values = {
        "f32": [1e5, 1e6, 12345678.0, 16777216.0, 1e10, 1e22, 3.4e38, -3.4e38, 355.0, 2.0**100, 1e-30, 1e-45],
        "f64": [1e6, 1e15, 1e22, 1e300, 1.7976931348623157e308, -1e22, 6381956970095103.0 * 2.0**797, 355.0, 1e-300, 5e-324],
        "f16": [355.0, 65504.0, -2048.0],
        "bf16": [355.0, 1e10, 3.3e38],
    }
    for name in ("sin", "cos", "tan"):
        for dtype, xs in values.items():
            x = narrow(xs, dtype)
            mp.dps = 700
            exact = [float(getattr(mp, name)(mpf(float(v)))) for v in x]
            mp.dps = 60
            yield case(name, [x], [narrow(exact, dtype)])


def thresholds():
    """Where functions overflow, vanish, leave their domain, or change the formula they are computed by."""
    values = {
        "exp": [88.72, 88.73, -87.3, -87.4, -103.9, -104.0, 11.08, 11.1, -17.3, 709.7, 709.8, -745.1, -745.2],
        "exp2": [127.0, 127.99, 128.0, -126.0, -149.0, -149.5, -150.0, 15.99, 16.0, -24.0, -25.0, 1023.5, 1024.0, -1074.0, -1075.0],
        "expm1": [1e-8, -1e-8, 1e-40, 88.7, 88.8, -17.0, -40.0, 0.5, -0.5],
        "log": [1e-45, 1e-40, 1.17549435e-38, 0.99999994, 1.0000001, 3.4e38, -1e-45, -inf],
        "log2": [1e-45, 1e-40, 0.5, 2.0, 8.0, 0.99999994, 3.4e38, -1.0],
        "log1p": [-1.0, -0.99999994, -1.5, 1e-8, -1e-8, 1e-40, 3.4e38],
        "sqrt": [1e-45, 1e-40, -1e-45, 3.4e38, 4.0, 2.0],
        "rsqrt": [1e-45, 1e-40, -1e-45, 3.4e38, 4.0],
        "cbrt": [1e-45, -1e-45, 8.0, -8.0, 27.0, 3.4e38, -0.001],
        "asin": [1.0, -1.0, 1.0000001, -1.0000001, 0.99999994, 1e-30, 0.5],
        "acos": [1.0, -1.0, 1.0000001, -1.0000001, 0.99999994, 1e-30, 0.5],
        "atan": [1e-30, 1e30, -1e30, 0.41421357, 2.4142137],
        "sinh": [89.0, 89.5, -89.5, 1e-30, 1e-4, 711.0],
        "cosh": [89.0, 89.5, -89.5, 1e-30, 711.0],
        "tanh": [1e-30, 9.0, 20.0, -20.0, 0.625, 1e-4],
        "asinh": [1e-30, 1e-4, 1e19, 3.4e38, -3.4e38],
        "acosh": [1.0, 1.0000001, 0.99999994, 0.0, -2.0, 1e19, 3.4e38],
        "atanh": [1.0, -1.0, 1.0000001, -1.0000001, 0.99999994, 1e-30],
        "logistic": [88.0, 104.0, -88.0, -104.0, 17.0, 1e-30, -745.0],
        "erf": [1e-30, 1e-40, 0.92, 4.0, 6.0, -6.0],
        "erfc": [1e-30, 9.0, 10.05, 10.3, 26.0, 27.3, -6.0, 0.5, -0.5],
        "erfinv": [1.0, -1.0, 1.0000001, -1.0000001, 0.99999994, 1e-30],
        "round": [0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49999997, 8388607.5, 8388608.0, 4503599627370495.5, -0.2],
        "floor": [-0.5, 0.5, -1.0, 8388607.5, -8388607.5, 1e30, -1e-45],
        "ceil": [-0.5, 0.5, 1.0, 8388607.5, -8388607.5, 1e30, 1e-45],
        "trunc": [-0.5, 0.5, -1.9, 8388607.5, -8388607.5, 1e30, 1e-45],
        "sign": [1e-45, -1e-45, -0.0],
        "abs": [-0.0, -1e-45, -inf],
        "neg": [0.0, -0.0, 1e-45, -inf],
    }
    for name, xs in values.items():
        for dtype in FLOATS:
            x = narrow([*xs, 0.0, -0.0, inf, -inf, nan], dtype)
            yield case(name, [x], [narrow(UNARY[name](x.astype(np.float64)), dtype)])


def gamma_family():
    """SciPy at the poles, but lgamma(-inf) as C, JAX and PyTorch have it."""
    inner = [0.0, -0.0, -1.0, -2.0, -35.0, inf, -inf, nan, 1.0, 2.0, 0.5, 1.5, 3.0, 1.4616321325302124, 1.4616322, 1.0000001]
    ordinary = [0.99999994, 1e-30, 1e-10, 2.5, 9.999, 10.0, 35.04, 171.0, 1e4, 1e10, 1e30, -0.5, -1.5, -2.25, -10.75, -1e-10, 0.1, 4.7]
    for dtype in FLOATS:
        x = narrow(inner + ordinary, dtype)
        wide = x.astype(np.float64)
        pole = ~np.isfinite(wide) | ((wide <= 0) & (wide == np.floor(wide)))
        exact = lambda f, scipy: np.array([g if p else float(f(mpf(float(v)))) for v, p, g in zip(wide, pole, scipy(wide))])
        log_gamma = exact(lambda v: mp.loggamma(v).real, sp.gammaln)
        yield case("lgamma", [x], [narrow(np.where(wide == -inf, inf, log_gamma), dtype)])
        yield case("digamma", [x], [narrow(exact(lambda v: mp.psi(0, v), sp.digamma), dtype)])
        n, y = grid(narrow([0, 1, 2, 3, 7], dtype), narrow([0.0, -0.0, -1.0, -2.0, inf, -inf, nan, 1.0, 0.5, 2.5, 10.0, 60.0, -0.5, -2.25], dtype))
        yield case("polygamma", [n, y], [narrow(polygamma(n.astype(np.float64), y.astype(np.float64)), dtype)])
    yield case("polygamma", [np.array([-1.0, nan, 1.0]), np.array([2.0, 2.0, nan])], [np.array([nan, nan, nan])])


def polygamma(orders, xs):
    def one(n, x):
        if not np.isfinite(x) or (x <= 0 and x == np.floor(x)):
            return sp.polygamma(int(n), x)
        return float(mp.psi(int(n), mpf(float(x))).real)

    return np.array([one(n, x) for n, x in zip(orders, xs)])


def float_tables():
    for dtype in FLOATS:
        small = {"f32": 1e-40, "f64": 1e-310, "f16": 6e-8, "bf16": 1e-39}[dtype]
        base = narrow([0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 0.5, -0.5, inf, -inf, nan, small, -small], dtype)
        if dtype in ("f16", "bf16"):  # they are computed in f32
            base = base[[1, 2, 5, 6, 8, 10, 11, 12, 13]]
        x, y = grid(base, base)
        a, b = x.astype(np.float64), y.astype(np.float64)
        tables = {
            "add": a + b, "sub": a - b, "mul": a * b, "div": a / b, "pow": np.power(a, b), "atan2": np.arctan2(a, b),
            "rem": np.remainder(a, b), "floor_div": np.floor_divide(a, b), "max": np.maximum(a, b), "min": np.minimum(a, b),
        }
        for name, result in tables.items():
            # the quotient overflows in the dtype itself: floor(x / y) is computed there
            keep = np.isfinite(narrow(result, dtype).astype(np.float64)) | ~np.isfinite(result) | (name not in ("rem", "floor_div"))
            yield case(name, [x[keep], y[keep]], [narrow(result[keep], dtype)])
        for name, f in {"eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal}.items():
            if dtype in ("f64", "bf16"):
                yield case(name, [x, y], [f(a, b)])
    x = np.array([1e38, -1e38, 3e38, 1e-20, 1e-38, 1.5e-45], np.float32)
    y = np.array([10.0, 10.0, 3e38, 1e-20, 3.0, 0.5], np.float32)
    yield case("mul", [x, y], [x * y])
    yield case("div", [x, y], [x / y])
    yield case("add", [x, y], [x + y])
    x, y = grid(np.array([5.3, -5.3, 7.0, -7.0, 1e30, 6.0, 1.0, 0.3], np.float32), np.array([2.0, -2.0, 0.1, -0.1, 3.5, 1e-3], np.float32))
    yield case("rem", [x, y], [narrow(np.remainder(x.astype(np.float64), y.astype(np.float64)), "f32")])
    x, y = grid(np.array([2.0, 10.0, 0.1, 1.0000001, 0.99999994, -3.0]), np.array([127.0, -149.0, 38.0, 39.0, 1e7, -1e7, 3.0, 2.5]))
    for dtype in ("f32", "f64"):
        u, v = narrow(x, dtype), narrow(y, dtype)
        yield case("pow", [u, v], [narrow(np.power(u.astype(np.float64), v.astype(np.float64)), dtype)])
    for dtype in FLOATS:
        low, x, high = (narrow(v, dtype) for v in np.meshgrid([-1.0, nan, 2.0, -inf], [-3.0, -0.0, 0.5, 9.0, inf, nan], [1.0, nan, -2.0]))
        low, x, high = low.ravel(), x.ravel(), high.ravel()
        result = np.minimum(np.maximum(x.astype(np.float64), low.astype(np.float64)), high.astype(np.float64))
        yield case("clamp", [low, x, high], [narrow(result, dtype)])


def integer_tables():
    for dtype in INTS:
        t = DTYPES[dtype]
        info = np.iinfo(t)
        base = [info.min, info.max, 0, 1, 2, 3] + ([-1, -2, -3, info.min + 1] if info.min < 0 else [info.max // 2])
        x, y = grid(np.array(base, t), np.array(base, t))
        # the quotient INT_MIN / -1 wraps; division by 0 gives 0
        quotient = [0 if b == 0 else wrap(a // b, dtype) for a, b in zip(x.tolist(), y.tolist())]
        rest = [0 if b == 0 else a % b for a, b in zip(x.tolist(), y.tolist())]
        yield case("floor_div", [x, y], [np.array(quotient, t)])
        yield case("rem", [x, y], [np.array(rest, t)])
        yield case("mul", [x, y], [np.array([wrap(a * b, dtype) for a, b in zip(x.tolist(), y.tolist())], t)])
        yield case("clamp", [np.minimum(x, y), x, np.maximum(x, y)[::-1]], [np.minimum(np.maximum(x, np.minimum(x, y)), np.maximum(x, y)[::-1])])
        bits = 8 * np.dtype(t).itemsize
        counts = [0, bits - 1, bits, bits + 1, 2 * bits, info.max] + ([-1, -bits, info.min] if info.min < 0 else [])
        counts = [c for c in counts if c <= info.max]
        x, y = grid(np.array(base, t), np.array(counts, t))
        right = lax.shift_right_arithmetic if info.min < 0 else lax.shift_right_logical
        yield case("shift_left", [x, y], [lax.shift_left(jnp.asarray(x), jnp.asarray(y))])
        yield case("shift_right", [x, y], [right(jnp.asarray(x), jnp.asarray(y))])
        zero = np.array([0, 1, info.max, info.min], t)
        yield case("popcount", [zero], [lax.population_count(jnp.asarray(zero))])
        yield case("clz", [zero], [lax.clz(jnp.asarray(zero))])
        yield case("abs", [zero], [np.abs(zero)])
        yield case("neg", [zero], [-zero])


def wrap(v, dtype):
    bits = 8 * np.dtype(DTYPES[dtype]).itemsize
    v %= 2**bits
    return v - 2**bits if np.iinfo(DTYPES[dtype]).min < 0 and v >= 2 ** (bits - 1) else v


def rounded(v, dtype):
    """The float of `dtype` nearest to an exact rational or integer, ties to even."""
    digits, low, high = {"f16": (11, -14, 15), "bf16": (8, -126, 127), "f32": (24, -126, 127), "f64": (53, -1022, 1023)}[dtype]
    v = mpf(v)
    if v == 0:
        return 0.0
    size = abs(v)
    exponent = max(int(mp.floor(mp.log(size, 2) + mpf(2) ** -90)), low)
    unit = mpf(2) ** (exponent - digits + 1)
    steps = size / unit
    whole = int(mp.floor(steps))
    rest = steps - whole
    whole += rest > 0.5 or (rest == 0.5 and whole % 2 == 1)
    result = whole * unit
    if result >= mpf(2) ** (high + 1):
        result = mp.inf
    return float(result) * (1 if v > 0 else -1)


def rounding_ties():
    """One rounding from 64-bit integers and doubles: next to a tie two roundings go the other way."""
    integers = {
        "u64": [0, 2**64 - 1, 2**63, 2**63 + 2**39, 2**63 + 2**39 + 1, 2**53 + 1, 2049, 2051, 65519, 65520, 257, 259, 2**40 + 2**32, 2**40 + 2**32 + 1],
        "i64": [-(2**63), 2**63 - 1, -(2**40) - 2**32 - 1, 2**40 + 2**32 + 1, 2**40 + 2**16 + 1, 2049, -2051, -65520, 65519],
        "i32": [-(2**31), 2**31 - 1, 2**24 + 1, 2**24 + 3, 2**30 + 2**22 + 1, 2**30 + 2**22, -65520],
        "u32": [2**32 - 1, 2**31 + 2**23 + 1, 2**31 + 2**7, 2**31 + 2**7 + 1],
    }
    for source, values in integers.items():
        x = np.array(values, DTYPES[source])
        for target in FLOATS:
            yield case("convert", [x], [narrow([rounded(v, target) for v in values], target)], dtype=target)
    tie16, tiebf = 1 + 2.0**-11, 1 + 2.0**-8
    doubles = [tie16, tie16 + 2.0**-40, tie16 - 2.0**-40, 1 + 3 * 2.0**-11, tiebf, tiebf + 2.0**-40, tiebf - 2.0**-40, 2.0**-25, 2.0**-25 + 2.0**-60,
               2.0**-134, 2.0**-134 + 2.0**-180, 65519.99999999, 65520.0, 1e-46, 7e-46, 8e-46, 3.4028235677973366e38, 3.4028235677973362e38, 1 + 2.0**-24, 1 + 2.0**-24 + 2.0**-50]
    x = np.array(doubles + [-v for v in doubles])
    for target in ("f32", "f16", "bf16"):
        yield case("convert", [x], [narrow([rounded(v, target) for v in x.tolist()], target)], dtype=target)
    for dtype in ("f16", "bf16"):
        # sums and products of narrow floats round once
        x, y = grid(narrow([1.0, 1.5, 255.0, 2047.0, 1e-3], dtype), narrow([tie16 - 1, 2.0**-8, 3 * 2.0**-9, 1 + 2.0**-7, 0.1], dtype))
        a, b = x.astype(np.float64), y.astype(np.float64)
        for name, result in {"add": a + b, "mul": a * b, "sub": a - b}.items():
            yield case(name, [x, y], [narrow(result, dtype)])


def main():
    makers = (huge_angles, thresholds, gamma_family, float_tables, integer_tables, rounding_ties)
    write(Path(sys.argv[1]), "special-values", [c for make in makers for c in make()])


main()
