"""Writes test/golden/stdlib/prelude-*.json: calls of the prelude and what NumPy and JAX give for them.

usage: python tools/goldens/prelude.py        (needs numpy, jax; run from the root of the repository)

Each file maps a name to {"expression", "inputs", "outputs"}: the expression is in the language, over the inputs a, b, c, ...
A tensor is {"dtype", "shape", "data"}, row-major; infinities and NaN are strings. With "fixed" the sizes must be known when compiling.
"""

import json
import warnings
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

warnings.simplefilter("ignore")
TARGET = Path("test/golden/stdlib")
random_state = np.random.RandomState(1)
NAMES = {"float32": "f32", "int32": "i32", "uint32": "u32", "uint8": "u8", "int8": "i8", "int16": "i16", "bool": "bool", "float16": "f16"}
# Python's 64 bits where the language has 32
NARROW = {"int64": np.int32, "float64": np.float32, "uint64": np.uint32}


def sample(*shape):
    """Inputs with few digits, so that the files stay small."""
    return np.round(random_state.standard_normal(shape), 2).astype(np.float32)


def number(v):
    if np.isnan(v):
        return "nan"
    if np.isinf(v):
        return "inf" if v > 0 else "-inf"
    return float(str(np.float32(v)))


def tensor(x):
    x = np.asarray(x)
    x = x.astype(NARROW.get(str(x.dtype), x.dtype))
    is_real = np.issubdtype(x.dtype, np.floating)
    data = [number(v) if is_real else int(v) for v in x.ravel()]
    return {"dtype": NAMES[str(x.dtype)], "shape": list(x.shape), "data": data}


def floats(outputs):
    return [x.astype(np.float32) for x in outputs]


class Suite:
    def __init__(self, name):
        self.name = name
        self.cases = {}

    def add(self, expression, outputs, *inputs, fixed=False):
        """One case; a second one with the same expression gets a number."""
        outputs = outputs if isinstance(outputs, (tuple, list)) else (outputs,)
        key, count = expression, 2
        while key in self.cases:
            key, count = f"{expression} #{count}", count + 1
        self.cases[key] = {
            "expression": expression,
            "inputs": [tensor(x) for x in inputs],
            "outputs": [tensor(x) for x in outputs],
            **({"fixed": True} if fixed else {}),
        }

    def over_axes(self, template, function, x, *, axes=(None, 0, -1), keepdims=True):
        """`template` has a place for ", axis = ..." and the like."""
        for axis in axes:
            shown = "" if axis is None else f", axis = {axis}"
            self.add(template % shown, function(x, axis=axis), x)
        if keepdims:
            self.add(template % ", axis = 1, keepdims = true", function(x, axis=1, keepdims=True), x)
            self.add(template % ", keepdims = true", function(x, keepdims=True), x)

    def gradient(self, expression, function, *inputs):
        """The gradient of sum(w * expression) by a, with weights w that are not all equal."""
        def weighted(x):
            out = function(x, *inputs[1:])
            return jnp.sum(out * jnp.cos(jnp.arange(out.size, dtype=jnp.float32)).reshape(out.shape))
        body = f"let r = {expression}; sum(r * cos(reshape(astype(arange(size(r)), dtype(r)), shape(r))))"
        self.add(f"grad(|a| {{ {body} }})(a)", jax.grad(weighted)(inputs[0]), *inputs)

    def write(self):
        lines = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in self.cases.items())
        (TARGET / f"prelude-{self.name}.json").write_text("{\n" + lines + "\n}\n")


X = sample(3, 4)
Y = sample(2, 3, 4)
V = sample(5)
EMPTY = np.zeros((0, 3), np.float32)
SCALAR = np.float32(1.5)
INTS = np.array([[5, -3, 0, 7], [2, 2, -8, 1]], np.int32)
BOOLS = np.array([[True, False, True], [False, False, True]])
HALF = sample(2, 3).astype(np.float16)
GAPS = np.array([[1, np.nan, 3, -2], [np.nan, np.nan, 0.5, 0.25], [4, 4, 4, np.nan]], np.float32)
ALL_NAN = np.full((2, 2), np.nan, np.float32)
TIES = np.array([[1, 1, 2, 2], [3, 1, 3, 1]], np.float32)
SPECIAL = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0, 1.0, -1.5, 1e-40, 3e38], np.float32)
LEFT, RIGHT = (m.ravel().astype(np.float32) for m in np.meshgrid(SPECIAL[:7], SPECIAL[:7]))


def elementwise():
    s = Suite("elementwise")
    for name in ["positive", "fabs", "fix", "rint", "degrees", "radians", "rad2deg", "deg2rad", "signbit", "isposinf", "isneginf"]:
        s.add(f"{name}(a)", getattr(np, name)(SPECIAL), SPECIAL)
    s.add("sinc(a)", np.sinc(V), V)
    s.add("sinc(a)", np.sinc(np.float32(0)), np.float32(0))
    s.gradient("sinc(a)", jnp.sinc, V)
    for name in ["logaddexp", "logaddexp2", "hypot", "copysign", "heaviside", "fmax", "fmin", "fmod", "nextafter"]:
        f = getattr(np, name)
        if name != "logaddexp2":
            s.add(f"{name}(a, b)", f(LEFT, RIGHT), LEFT, RIGHT)
        s.add(f"{name}(a, b)", f(X, X[:, :1]), X, X[:, :1])
        s.add(f"{name}(a, 0.5)", f(V, np.float32(0.5)), V)
        s.add(f"{name}(a, b)", f(EMPTY, EMPTY), EMPTY, EMPTY)
    s.add("logaddexp2(a, b)", np.logaddexp2(np.float32([1e3, -np.inf, 2]), np.float32([1e3, -np.inf, -np.inf])), np.float32([1e3, -np.inf, 2]), np.float32([1e3, -np.inf, -np.inf]))
    for name in ["logaddexp", "hypot"]:
        s.gradient(f"{name}(a, b)", getattr(jnp, name), X, X[::-1])
    s.add("grad(|a| sum(logaddexp(a, b)))(a)", np.float32([0.5, 0.5, 1, 0]), np.float32([-np.inf, 2, 700, -np.inf]), np.float32([-np.inf, 2, -700, 1]))
    s.add("grad(|a| hypot(a, 0.0))(a)", np.float32(0), np.float32(0))
    s.add("fmod(a, b)", np.fmod(INTS, np.int32(3)), INTS, np.int32(3))
    s.add("fmod(a, b)", np.fmod(INTS, np.int32(-3)), INTS, np.int32(-3))
    s.add("fmax(a, 1)", np.fmax(INTS, 1), INTS)
    for divisor in (3, -3):
        s.add("divmod(a, b)", np.divmod(INTS, np.int32(divisor)), INTS, np.int32(divisor))
    s.add("divmod(a, 0.5)", np.divmod(V, np.float32(0.5)), V)
    s.add("modf(a)", np.modf(SPECIAL), SPECIAL)
    s.add("frexp(a)", np.frexp(np.delete(SPECIAL, 0)), np.delete(SPECIAL, 0))
    s.add("frexp(a)", np.frexp(HALF), HALF)
    powers = np.array([3, -4, 0, 100, -120], np.int32)
    s.add("ldexp(a, b)", np.ldexp(V, powers), V, powers)
    s.add("ldexp(a, b)", np.ldexp(np.float32([1e-40, 1e38, 1]), np.int32([140, -240, 200])), np.float32([1e-40, 1e38, 1]), np.int32([140, -240, 200]))
    s.add("nextafter(a, b)", np.nextafter(HALF, np.float16(9)), HALF, np.float16(9))
    s.add("copysign(a, -1.0)", np.copysign(HALF, np.float16(-1)), HALF)
    s.add("gcd(a, b)", np.gcd(INTS, INTS[:, ::-1]), INTS, INTS[:, ::-1])
    s.add("lcm(a, b)", np.lcm(INTS, INTS[:, ::-1]), INTS, INTS[:, ::-1])
    s.add("gcd(a, 0)", np.gcd(INTS, 0), INTS)
    s.add("nan_to_num(a)", np.nan_to_num(SPECIAL), SPECIAL)
    s.add("nan_to_num(a, nan = 1.5, posinf = 2.0, neginf = -2.0)", np.nan_to_num(SPECIAL, nan=1.5, posinf=2, neginf=-2), SPECIAL)
    s.add("nan_to_num(a)", np.nan_to_num(np.float16([np.nan, np.inf, 2])), np.float16([np.nan, np.inf, 2]))
    for option, flag in (("", False), (", equal_nan = true", True)):
        s.add(f"isclose(a, b{option})", np.isclose(LEFT, RIGHT, equal_nan=flag), LEFT, RIGHT)
        s.add(f"allclose(a, a{option})", np.allclose(SPECIAL, SPECIAL, equal_nan=flag), SPECIAL)
        s.add(f"array_equal(a, a{option})", np.array_equal(SPECIAL, SPECIAL, equal_nan=flag), SPECIAL)
    s.add("isclose(a, b, rtol = 0.1, atol = 0.0)", np.isclose(X, X * 1.05, rtol=0.1, atol=0), X, X * np.float32(1.05))
    s.add("isclose(a, b, atol = 1.0)", np.isclose(INTS, INTS + 1, atol=1), INTS, INTS + 1)
    s.add("allclose(a, b)", np.allclose(EMPTY, EMPTY), EMPTY, EMPTY)
    s.add("array_equal(a, b)", np.array_equal(BOOLS, BOOLS), BOOLS, BOOLS)
    s.add("array_equal(a, b)", np.array_equal(INTS, INTS + 1), INTS, INTS + 1)
    s.add("array_equiv(a, b)", np.array_equiv(TIES, np.float32(1)), TIES, np.float32(1))
    s.add("select([a < 0, a > 1], [a, 2 * a], 9)", np.select([V < 0, V > 1], [V, 2 * V], 9), V)
    s.add("select((a > 0, a > -1), (1, b))", np.select([X > 0, X > -1], [np.float32(1), X[0]]), X, X[0])
    s.add("clip(a, 0.0, nan)", np.clip(V, 0, np.nan), V)
    s.add("clip(a, 2, 1)", np.clip(INTS, 2, 1), INTS)
    s.add("clip(a, max = 1)", np.clip(INTS, None, 1), INTS)
    s.add("i0(a)", np.i0(np.float32([0, 0.5, -3, 8, 12, 40])), np.float32([0, 0.5, -3, 8, 12, 40]))
    s.gradient("i0(a)", jnp.i0, V)
    for decimals in (0, 1, -1):
        s.add(f"round(a, {decimals})", np.round(V * 12, decimals), V * 12)
        s.add(f"round(a, decimals = {decimals})", np.round(np.float32([0.5, 1.5, -2.5, 0.25, 15, 25, np.inf]), decimals), np.float32([0.5, 1.5, -2.5, 0.25, 15, 25, np.inf]))
    return s


def reductions():
    s = Suite("reductions")
    for name in ["sum", "prod", "mean", "max", "min", "var", "std", "ptp", "median"]:
        f = getattr(np, name)
        s.over_axes(f"{name}(a%s)", f, Y, axes=(None, 0, -1, (0, 2)))
        s.add(f"{name}(a)", f(SCALAR), SCALAR)
        s.add(f"{name}(a, axis = 1)", f(GAPS, axis=1), GAPS)
        if name != "prod":
            s.add(f"{name}(a)", f(HALF.astype(np.float32)).astype(np.float16), HALF)
        s.gradient(f"{name}(a, axis = 1)", lambda x, n=name: getattr(jnp, n)(x, axis=1), Y)
    for name in ["sum", "prod", "max", "min", "ptp"]:
        s.add(f"{name}(a, axis = 0)", getattr(np, name)(INTS, axis=0), INTS)
    for name in ["sum", "prod", "all", "any"]:
        s.add(f"{name}(a, axis = 0)", getattr(np, name)(EMPTY, axis=0), EMPTY)
        s.add(f"{name}(a, axis = 1)", getattr(np, name)(BOOLS, axis=1), BOOLS)
    s.add("mean(a, axis = 0)", np.mean(EMPTY, axis=0), EMPTY)
    s.add("std(a, ddof = 1, axis = 0)", np.std(X, ddof=1, axis=0), X)
    s.add("var(a, axis = 0, ddof = 3)", np.var(X, ddof=3, axis=0), X)
    s.add("grad(|a| sum(std(a, axis = 1)))(a)", np.zeros((2, 3)), np.ones((2, 3), np.float32))
    s.over_axes("count_nonzero(a%s)", np.count_nonzero, INTS, keepdims=False)
    s.add("count_nonzero(a)", np.count_nonzero(SPECIAL), SPECIAL)
    s.add("count_nonzero(a, axis = 1, keepdims = true)", np.count_nonzero(BOOLS, axis=1, keepdims=True), BOOLS)
    s.over_axes("average(a%s)", np.average, X)
    s.add("average(a, weights = b)", np.average(X, weights=np.abs(X)), X, np.abs(X))
    s.add("average(a, axis = 1, weights = b)", np.average(X, axis=1, weights=np.abs(X)), X, np.abs(X))
    s.add("average(a, axis = 0, weights = b)", np.average(X, axis=0, weights=np.float32([1, 2, 3])), X, np.float32([1, 2, 3]))
    for name in ["nansum", "nanprod", "nanmean", "nanmax", "nanmin", "nanvar", "nanstd", "nanmedian"]:
        f = getattr(np, name)
        s.over_axes(f"{name}(a%s)", f, GAPS)
        s.add(f"{name}(a)", f(ALL_NAN), ALL_NAN)
        s.add(f"{name}(a, axis = 0)", f(X, axis=0), X)
    s.add("nanvar(a, ddof = 1)", np.nanvar(GAPS, ddof=1), GAPS)
    s.add("nanstd(a, axis = 1, ddof = 2)", np.nanstd(GAPS, axis=1, ddof=2), GAPS)
    for name in ["nanargmax", "nanargmin"]:
        f = getattr(np, name)
        s.add(f"{name}(a)", f(GAPS), GAPS)
        s.add(f"{name}(a, axis = 1)", f(GAPS, axis=1), GAPS)
        s.add(f"{name}(a)", np.int32(-1), ALL_NAN)
    s.add("nancumsum(a)", np.nancumsum(GAPS), GAPS)
    s.add("nancumsum(a, axis = 1)", np.nancumsum(GAPS, axis=1), GAPS)
    s.add("nancumprod(a, axis = 0)", np.nancumprod(GAPS, axis=0), GAPS)
    s.gradient("nanmean(a, axis = 1)", lambda x: jnp.nanmean(x, axis=1), np.where(np.isnan(GAPS), 9, GAPS).astype(np.float32))
    levels = np.float32([0, 0.3, 0.5, 1])
    for method in ["linear", "lower", "higher", "nearest", "midpoint"]:
        option = "" if method == "linear" else f', method = "{method}"'
        s.add(f"quantile(a, b, axis = 1{option})", np.quantile(X, levels, axis=1, method=method), X, levels)
        s.add(f"nanquantile(a, 0.4, axis = 1{option})", np.nanquantile(GAPS, 0.4, axis=1, method=method), GAPS)
    s.add("quantile(a, 0.25)", np.quantile(Y, 0.25), Y)
    s.add("quantile(a, 0.25, axis = (0, 2), keepdims = true)", np.quantile(Y, 0.25, axis=(0, 2), keepdims=True), Y)
    s.add("quantile(a, b, axis = 0, keepdims = true)", np.quantile(X, levels, axis=0, keepdims=True), X, levels)
    s.add("quantile(a, 0.5)", np.quantile(SPECIAL[:4], 0.5), SPECIAL[:4])
    s.add("quantile(a, 0.75)", np.float32(np.inf), np.float32([1, np.inf, np.inf, np.inf]))
    s.add("percentile(a, 30.0, axis = 1)", np.percentile(X, 30, axis=1), X)
    s.add("percentile(a, b)", np.percentile(V, levels * 100), V, levels * 100)
    s.add("nanpercentile(a, 50)", np.nanpercentile(GAPS, 50), GAPS)
    s.gradient("quantile(a, 0.3, axis = 1)", lambda x: jnp.quantile(x, 0.3, axis=1), X)
    s.add("median(a)", np.median(TIES), TIES)
    s.add("median(a)", np.median(np.float16([1, 3, 2, 5])), np.float16([1, 3, 2, 5]))
    orders = [("", None), (", 1", 1), (", 2", 2), (", inf", np.inf), (", -inf", -np.inf), (", 0", 0), (", 3", 3), (", 0.5", 0.5)]
    for shown, order in orders:
        s.add(f"norm(a{shown})", np.linalg.norm(V, order), V)
        axis = f"{shown or ', none'}, axis = 1"
        s.add(f"norm(a{axis})", np.linalg.norm(X, order, axis=1), X)
        s.add(f"norm(a{axis}, keepdims = true)", np.linalg.norm(X, order, axis=1, keepdims=True), X)
    for shown, order in [('"fro"', "fro"), ("1", 1), ("-1", -1), ("inf", np.inf), ("-inf", -np.inf)]:
        s.add(f"norm(a, {shown})", np.linalg.norm(X, order), X)
        s.add(f"norm(a, {shown}, axis = (0, 2))", np.linalg.norm(Y, order, axis=(0, 2)), Y)
        s.add(f"norm(a, {shown}, axis = (1, 2), keepdims = true)", np.linalg.norm(Y, order, axis=(1, 2), keepdims=True), Y)
    s.add("norm(a)", np.linalg.norm(Y), Y)
    s.gradient("norm(a, axis = 1)", lambda x: jnp.linalg.norm(x, axis=1), X)
    s.gradient("norm(a, 3, axis = 0)", lambda x: jnp.linalg.norm(x, 3, axis=0), X)
    s.add("grad(|a| norm(a))(a)", np.zeros(3), np.zeros(3, np.float32))
    s.add("cov(a)", np.cov(X), X)
    s.add("cov(a, b, bias = true)", np.cov(V, V[::-1], bias=True), V, V[::-1])
    s.add("cov(a, rowvar = false, ddof = 0)", np.cov(X, rowvar=False, ddof=0), X)
    s.add("cov(a)", np.cov(V), V)
    s.add("corrcoef(a)", np.corrcoef(X), X)
    s.add("corrcoef(a, b)", np.corrcoef(V, V[::-1]), V, V[::-1])
    s.gradient("cov(a)", jnp.cov, X)
    for k in (0, 1, -2, 5):
        s.add(f"trace(a, {k})", np.trace(X, k), X)
        s.add(f"diagonal(a, {k})", np.diagonal(Y, k), Y)
    s.add("trace(a, 1, 0, 2)", np.trace(Y, 1, 0, 2), Y)
    s.add("diagonal(a, 0, 2, 1)", np.diagonal(Y, 0, 2, 1), Y)
    s.add("diagonal(a, axis1 = -2, axis2 = -1)", np.diagonal(Y, axis1=-2, axis2=-1), Y)
    s.gradient("diagonal(a, 1)", lambda x: jnp.diagonal(x, 1), X)
    s.add("merge_axes(a, axis = (0, 2))", np.moveaxis(Y, (0, 2), (-2, -1)).reshape(3, 8), Y)
    return s


def shapes():
    s = Suite("shapes")
    s.add("identity(3)", np.identity(3))
    s.add("identity(2, dtype = i32)", np.identity(2, np.int32))
    s.add("tri(3, 4, k = -1)", np.tri(3, 4, -1))
    s.add("tri(2)", np.tri(2))
    for k in (0, 1, -2):
        s.add(f"diag(a, {k})", np.diag(V, k), V)
        s.add(f"diag(a, {k})", np.diag(X, k), X)
        s.add(f"tril(a, k = {k})", np.tril(Y, k), Y)
        s.add(f"triu(a, k = {k})", np.triu(INTS, k), INTS)
        s.add(f"tril_indices(3, k = {k})", np.tril_indices(3, k))
        s.add(f"triu_indices(3, {k}, 4)", np.triu_indices(3, k, 4))
    s.add("diag(a)", np.diag(BOOLS[0]), BOOLS[0])
    s.add("diagflat(a, k = 1)", np.diagflat(BOOLS, 1), BOOLS)
    filled = X.copy()
    np.fill_diagonal(filled, 7)
    s.add("fill_diagonal(a, 7.0)", filled, X)
    s.add("diag_indices(3, ndim = 3)", np.diag_indices(3, 3))
    s.add("vander(a)", np.vander(V), V)
    s.add("vander(a, 3)", np.vander(V, 3), V)
    s.add("vander(a, 4, increasing = true)", np.vander(INTS[0], 4, increasing=True), INTS[0])
    s.add("linspace(2, 5, 1)", np.linspace(2, 5, 1))
    s.add("linspace(2, 5, 0)", np.linspace(2, 5, 0))
    s.add("linspace(0.1, 0.7, 7)", np.linspace(0.1, 0.7, 7))
    s.add("linspace(2, 5, 4, endpoint = false)", np.linspace(2, 5, 4, endpoint=False))
    s.add("linspace(a, b, 3)", np.linspace(X[0], X[1], 3), X[0], X[1])
    s.add("linspace(a, 1.0, 3, axis = -1)", np.linspace(X, 1, 3, axis=-1), X)
    s.add("linspace(0, 1, 5, dtype = f16)", np.linspace(0, 1, 5, dtype=np.float16))
    s.add("logspace(0, 2, 5)", np.logspace(0, 2, 5))
    s.add("logspace(0, 3, 4, base = 2.0, endpoint = false)", np.logspace(0, 3, 4, base=2, endpoint=False))
    s.add("geomspace(1, 1000, 4)", np.geomspace(1, 1000, 4))
    s.add("geomspace(-8.0, -1.0, 4)", np.geomspace(-8, -1, 4))
    s.add("arange(0, 1, 0.1)", np.arange(0, 1, 0.1))
    s.add("arange(1.5)", np.arange(1.5))
    s.add("arange(3, 0)", np.arange(3, 0))
    s.add("meshgrid(a, b)", np.meshgrid(V, X[0]), V, X[0])
    s.add('meshgrid(a, b, indexing = "ij")', np.meshgrid(V, INTS[0], indexing="ij"), V, INTS[0])
    s.add("meshgrid(a, b, a, sparse = true)", np.meshgrid(V, X[0], V, sparse=True), V, X[0])
    s.add("meshgrid(a).0", np.meshgrid(V), V)
    s.add("broadcast_arrays(a, b, 2.0)", np.broadcast_arrays(X, X[:, :1], np.float32(2)), X, X[:, :1])
    s.add("zeros(broadcast_shapes((2, 1, 3), (4, 1)), f32)", np.zeros(np.broadcast_shapes((2, 1, 3), (4, 1))))
    s.add("indices((2, 3))", np.indices((2, 3)))
    s.add("unravel_index(a, (2, 3, 4))", np.unravel_index([0, 5, 23], (2, 3, 4)), np.int32([0, 5, 23]))
    s.add("ravel_multi_index((a, b), (3, 4))", np.ravel_multi_index(([0, 2], [3, 1]), (3, 4)), np.int32([0, 2]), np.int32([3, 1]))
    s.add("unstack(a)", list(X), X, fixed=True)
    s.add("unstack(a, axis = -1)", [X[:, i] for i in range(4)], X, fixed=True)
    for name in ["atleast_1d", "atleast_2d", "atleast_3d"]:
        for x in (SCALAR, V, X, Y):
            s.add(f"{name}(a)", getattr(np, name)(x), x)
    for name in ["hstack", "vstack", "dstack", "column_stack"]:
        f = getattr(np, name)
        s.add(f"{name}((a, b))", f((V, V + 1)), V, V + 1)
        s.add(f"{name}((a, b))", f((X, X + 1)), X, X + 1)
    s.add("hstack([a, b])", np.hstack((V, X[0])), V, X[0])
    s.add("vstack([a, b])", np.vstack((X, X[0])), X, X[0])
    s.add("concat((a, b), axis = none)", np.concatenate((X, V), axis=None), X, V)
    s.add("concatenate((a, b), axis = -1)", np.concatenate((INTS, INTS), axis=-1), INTS, INTS)
    s.add("stack((a, b), axis = 1)", np.stack((BOOLS, BOOLS), axis=1), BOOLS, BOOLS)
    s.add("hsplit(a, 2)", np.hsplit(X, 2), X, fixed=True)
    s.add("hsplit(a, (1, 3))", np.hsplit(V, (1, 3)), V, fixed=True)
    s.add("vsplit(a, 3)", np.vsplit(X, 3), X, fixed=True)
    s.add("dsplit(a, 2)", np.dsplit(Y, 2), Y, fixed=True)
    s.add("append(a, b)", np.append(X, V), X, V)
    s.add("append(a, b, axis = 0)", np.append(X, X[:1], axis=0), X, X[:1])
    for place in (0, 1, -1):
        s.add(f"insert(a, {place}, 9.0)", np.insert(X, place, 9), X)
        s.add(f"insert(a, {place}, b, axis = 1)", np.insert(X, place, V[:3], axis=1), X, V[:3])
        s.add(f"delete(a, {place})", np.delete(V, place), V)
        s.add(f"delete(a, {place}, axis = 1)", np.delete(X, place, axis=1), X)
    s.add("resize(a, (3, 4))", np.resize(V, (3, 4)), V)
    s.add("resize(a, (2, 2))", np.resize(V, (2, 2)), V)
    s.add("as_strided(a, (2, 3), (2, 1), offset = 1)", V[[[1, 2, 3], [3, 4, 4]]], V)
    s.add("contiguous(a)", X, X)
    s.add("matrix_transpose(a)", np.matrix_transpose(Y), Y)
    s.add("fliplr(a)", np.fliplr(Y), Y)
    s.add("flipud(a)", np.flipud(Y), Y)
    for k in range(-1, 5):
        s.add(f"rot90(a, {k})", np.rot90(X, k), X)
    s.add("rot90(a, 1, axes = (1, 2))", np.rot90(Y, 1, (1, 2)), Y)
    s.gradient("rot90(a)", jnp.rot90, X)
    for mode in ["edge", "reflect", "symmetric", "wrap"]:
        s.add(f'pad(a, ((1, 2), (3, 0)), mode = "{mode}")', np.pad(X, ((1, 2), (3, 0)), mode=mode), X)
        s.add(f'pad(a, 7, "{mode}")', np.pad(V[:3], 7, mode=mode), V[:3])
        s.add(f'pad(a, (2, 1), "{mode}")', np.pad(V[:1], (2, 1), mode=mode), V[:1])
        s.gradient(f'pad(a, 2, "{mode}")', lambda x, m=mode: jnp.pad(x, 2, mode=m), X)
    s.add("pad(a, 1, constant_values = 5)", np.pad(INTS, 1, constant_values=5), INTS)
    s.add("roll(a, (1, -2), axis = (0, 1))", np.roll(X, (1, -2), axis=(0, 1)), X)
    s.add("roll(a, 7, axis = 1)", np.roll(X, 7, axis=1), X)
    s.add("roll(a, 2)", np.roll(EMPTY, 2), EMPTY, fixed=True)
    s.add("repeat(a, 2)", np.repeat(X, 2), X)
    s.add("repeat(a, 0, axis = 0)", np.repeat(X, 0, axis=0), X)
    s.add("tile(a, 2)", np.tile(X, 2), X)
    s.add("flatten(a)", Y.ravel(), Y)
    s.add("flatten(a, 1)", Y.reshape(2, 12), Y)
    s.add("flatten(a, 0, 1)", Y.reshape(6, 4), Y)
    s.add("flatten(a)", SCALAR.reshape(1), SCALAR)
    s.add("unflatten(a, 1, (2, -1))", X.reshape(3, 2, 2), X, fixed=True)
    s.add("apply_along_axis(|v| sum(v * v), 1, a)", np.apply_along_axis(lambda v: np.sum(v * v), 1, Y), Y)
    s.add("apply_along_axis(|v| flip(v), 0, a)", np.apply_along_axis(np.flip, 0, Y), Y)
    s.add("apply_along_axis(|v| v[:2], -1, a)", np.apply_along_axis(lambda v: v[:2], -1, X), X, fixed=True)
    s.add("choose(a, (b, c))", np.choose([1, 0, 1, 1], (X[0], X[1])), np.int32([1, 0, 1, 1]), X[0], X[1])
    s.add("kron(a, b)", np.kron(X[:2, :2], X[1:, 1:]), X[:2, :2], X[1:, 1:])
    s.add("kron(a, b)", np.kron(V, X), V, X)
    s.gradient("kron(a, b)", jnp.kron, X, X[:2])
    s.add("put_along_axis(a, b, c, 1)", np.array([[9, X[0, 1], X[0, 2], 8], [X[1, 0], 7, 6, X[1, 3]], [X[2, 0], X[2, 1], 5, 4]], np.float32), X, np.int32([[0, -1], [1, 2], [2, 3]]), np.float32([[9, 8], [7, 6], [5, 4]]))
    s.add("take_along_axis(a, argsort(a, axis = 1), axis = 1)", np.sort(X, axis=1), X)
    s.add("outer(a, b)", np.outer(X, V), X, V)
    return s


def ordering():
    s = Suite("ordering")
    sparse = np.array([[0, 3, 0], [4, 0, 5]], np.int32)
    s.add("flatnonzero(a, size = 3)", np.flatnonzero(sparse), sparse)
    s.add("flatnonzero(a, size = 5, fill_value = -1)", jnp.flatnonzero(sparse, size=5, fill_value=-1), sparse)
    s.add("flatnonzero(a, size = 2)", jnp.flatnonzero(sparse, size=2), sparse)
    s.add("nonzero(a, size = 3)", np.nonzero(sparse), sparse)
    s.add("nonzero(a, size = 5, fill_value = 9)", jnp.nonzero(sparse, size=5, fill_value=9), sparse)
    s.add("nonzero(a, size = 2)", jnp.nonzero(BOOLS, size=2), BOOLS)
    s.add("argwhere(a, size = 3)", np.argwhere(sparse), sparse)
    s.add("argwhere(a, size = 4, fill_value = 7)", jnp.argwhere(sparse, size=4, fill_value=7), sparse)
    s.add("compress(a, b, size = 2)", np.compress([True, False, True], V), np.array([True, False, True]), V)
    s.add("compress(a, b, size = 2, axis = 1)", np.compress([False, True, False, True], X, axis=1), np.array([False, True, False, True]), X)
    s.add("compress(a, b, size = 3, axis = 0, fill_value = 5.0)", np.stack([X[1], np.full(4, 5), np.full(4, 5)]), np.array([False, True, False]), X)
    s.add("extract(a > 0, a, size = 4)", np.extract(X > 0, X)[:4], X)
    rows = np.sort(np.float32([1, 2, 2, 3.5, 7]))
    wanted = np.float32([[2, 0, 9], [3.5, 2.5, np.nan]])
    for side in ("left", "right"):
        s.add(f'searchsorted(a, b, side = "{side}")', np.searchsorted(rows, wanted, side), rows, wanted)
        nan_rows = np.float32([1, 2, np.nan, np.nan])
        s.add(f'searchsorted(a, b, side = "{side}")', np.searchsorted(nan_rows, wanted, side), nan_rows, wanted)
        s.add(f'searchsorted(a, b, "{side}")', np.searchsorted([2, 4, 4], INTS, side), np.int32([2, 4, 4]), INTS)
        s.add(f'searchsorted(a, b, "{side}")', np.searchsorted(EMPTY[:, 0], V, side), EMPTY[:, 0], V)
    s.add("searchsorted(a, b, sorter = argsort(a))", np.searchsorted(V, wanted, sorter=np.argsort(V)), V, wanted)
    s.add("searchsorted(a, 2.0)", np.searchsorted(rows, np.float32(2)), rows)
    for right in ("false", "true"):
        flag = right == "true"
        s.add(f"digitize(a, b, right = {right})", np.digitize(wanted[0], rows[[0, 1, 3, 4]], flag), wanted[0], rows[[0, 1, 3, 4]])
        s.add(f"digitize(a, b, right = {right})", np.digitize(wanted[0], rows[[4, 3, 1, 0]], flag), wanted[0], rows[[4, 3, 1, 0]])
    counts = np.int32([1, 3, 1, 0, 3, 3])
    s.add("bincount(a, length = 4)", np.bincount(counts), counts)
    s.add("bincount(a, length = 6)", np.bincount(counts, minlength=6), counts)
    s.add("bincount(a, length = 2)", jnp.bincount(counts, length=2), counts)
    s.add("bincount(a, weights = b, length = 4)", np.bincount(counts, weights=np.float32([1, 2, 3, 4, 5, 6])), counts, np.float32([1, 2, 3, 4, 5, 6]))
    hist_data = np.float32([0.1, 0.4, 0.4, 2.0, 1.0, -3.0])
    s.add("histogram(a, bins = 4)", floats(np.histogram(hist_data, 4)), hist_data)
    s.add("histogram(a, bins = 4, range = (0.0, 2.0))", floats(np.histogram(hist_data, 4, (0, 2))), hist_data)
    s.add("histogram(a, bins = 4, density = true)", floats(np.histogram(hist_data, 4, density=True)), hist_data)
    s.add("histogram(a, bins = b, weights = c)", floats(np.histogram(hist_data, [-1, 0, 0.4, 3], weights=np.arange(6))), hist_data, np.float32([-1, 0, 0.4, 3]), np.float32(np.arange(6)))
    s.add("histogram_bin_edges(a, bins = 3)", np.histogram_bin_edges(np.float32([2, 2]), 3), np.float32([2, 2]))
    xs, ys = np.float32([0, 0.5, 1, 2, 2.5]), np.float32([1, 1, 3, 0, 9])
    s.add("histogram2d(a, b, bins = 2)", floats(np.histogram2d(xs, ys, 2)), xs, ys)
    s.add("histogram2d(a, b, (2, 3), ((0.0, 2.0), (0.0, 3.0)), density = true)", floats(np.histogram2d(xs, ys, (2, 3), ((0, 2), (0, 3)), density=True)), xs, ys)
    s.add("histogram2d(a, b, (c, c), weights = a)", floats(np.histogram2d(xs, ys, ([0, 1, 3],) * 2, weights=xs)), xs, ys, np.float32([0, 1, 3]))
    messy = np.float32([3, np.nan, 1, 3, -0.0, 0.0, np.nan])
    s.add("unique(a, size = 4)", np.unique(messy), messy)
    s.add("unique(a, size = 6)", jnp.unique(messy, size=6), messy)
    s.add("unique(a, size = 2)", jnp.unique(TIES, size=2), TIES)
    s.add("unique(a, size = 5, fill_value = -1)", jnp.unique(INTS, size=5, fill_value=-1), INTS)
    s.add("unique(a, size = 2)", np.unique(counts)[:2], counts)
    s.add("unique_values(a, size = 3)", np.unique(TIES), TIES)
    s.add("unique_counts(a, size = 3)", np.unique(TIES, return_counts=True), TIES)
    s.add("unique_inverse(a, size = 3)", np.unique(TIES, return_inverse=True), TIES)
    values, index, inverse, number = np.unique(TIES, return_index=True, return_inverse=True, return_counts=True)
    s.add("unique_all(a, size = 3)", (values, index, inverse, number), TIES)
    s.add("isin(a, b)", np.isin(INTS, [2, 7, 7]), INTS, np.int32([2, 7, 7]))
    s.add("isin(a, b, invert = true)", np.isin(TIES, TIES[0], invert=True), TIES, TIES[0])
    s.add("isin(a, b)", np.isin(V, EMPTY), V, EMPTY)
    p, q = np.int32([3, 1, 3, 9]), np.int32([2, 3, 1, 1])
    s.add("union1d(a, b, size = 4)", np.union1d(p, q), p, q)
    s.add("intersect1d(a, b, size = 2)", np.intersect1d(p, q), p, q)
    s.add("intersect1d(a, b, size = 3, fill_value = -1)", np.append(np.intersect1d(p, q), -1), p, q)
    s.add("setdiff1d(a, b, size = 1)", np.setdiff1d(p, q), p, q)
    s.add("setxor1d(a, b, size = 2)", np.setxor1d(p, q), p, q)
    return s


def numeric():
    s = Suite("numeric")
    for n in (0, 1, 2, 3):
        s.add(f"diff(a, n = {n})", np.diff(X, n), X)
    s.add("diff(a, axis = 0)", np.diff(INTS, axis=0), INTS)
    s.add("diff(a, prepend = 0.0, append = b)", np.diff(V, prepend=0, append=V[:2]), V, V[:2])
    s.add("diff(a, axis = 0, prepend = b)", np.diff(X, axis=0, prepend=X[:1]), X, X[:1])
    s.add("diff(a)", np.diff(V[:1]), V[:1])
    s.gradient("diff(a, n = 2, axis = 0)", lambda x: jnp.diff(x, 2, axis=0), X)
    s.add("ediff1d(a, to_begin = b, to_end = 7)", np.ediff1d(INTS, to_begin=[1, 2], to_end=7), INTS, np.int32([1, 2]))
    s.add("gradient(a)", np.gradient(V), V)
    s.add("gradient(a, 0.5)", np.gradient(X, 0.5), X)
    s.add("gradient(a, axis = 1)", np.gradient(X, axis=1), X)
    s.add("gradient(a, 2.0, axis = 1)", np.gradient(Y, 2.0, axis=1), Y)
    places = np.float32([0, 1, 1.5, 3.5, 4])
    s.add("gradient(a, b)", np.gradient(V, places), V, places)
    s.add("gradient(a)", np.gradient(V[:2]), V[:2])
    s.gradient("gradient(a, axis = 0)", lambda x: jnp.gradient(x, axis=0), X)
    s.add("trapezoid(a)", np.trapezoid(X), X)
    s.add("trapezoid(a, dx = 0.25, axis = 0)", np.trapezoid(X, dx=0.25, axis=0), X)
    s.add("trapezoid(a, b)", np.trapezoid(V, places), V, places)
    s.add("trapezoid(a, b, axis = 0)", np.trapezoid(X, np.float32([0, 1, 4]), axis=0), X, np.float32([0, 1, 4]))
    s.gradient("trapezoid(a)", jnp.trapezoid, X)
    at = np.float32([-1, 0, 0.25, 1.2, 3.9, 4, 7, np.nan])
    s.add("interp(a, b, c)", np.interp(at, places, V), at, places, V)
    s.add("interp(a, b, c, left = -9.0, right = 9.0)", np.interp(at, places, V, left=-9, right=9), at, places, V)
    s.add("interp(a, b, c, period = 5.0)", np.interp(at, places, V, period=5), at, places, V)
    s.add("interp(a, b, c)", np.interp(at[:7], places[:1], V[:1]), at[:7], places[:1], V[:1])
    s.gradient("interp(a, b, c)", jnp.interp, np.float32([0.5, 1.2, 3.9]), places, V)
    angles = np.cumsum(np.float32([0.5, 3, -4, 2.5, 6, -7])).astype(np.float32)
    wrapped = np.angle(np.exp(1j * angles)).astype(np.float32)
    s.add("unwrap(a)", np.unwrap(wrapped), wrapped)
    s.add("unwrap(a, axis = 0)", np.unwrap(X * 3, axis=0), X * 3)
    s.add("unwrap(a, period = 4.0)", np.unwrap(np.float32([0, 1, 3, 5.5, -2]), period=4), np.float32([0, 1, 3, 5.5, -2]))
    s.add("unwrap(a, discont = 5.0)", np.unwrap(wrapped, discont=5), wrapped)
    p, q = np.float32([1, -2, 3]), np.float32([2, 0.5])
    s.add("polyval(a, b)", np.polyval(p, X), p, X)
    s.add("polyval(a, b)", np.polyval([1, 2, 3], INTS), np.int32([1, 2, 3]), INTS)
    s.add("polyval(a, b)", np.polyval(EMPTY[:, 0], V), EMPTY[:, 0], V)
    s.gradient("polyval(b, a)", lambda x, c: jnp.polyval(c, x), X, p)
    for name in ("polyadd", "polysub", "polymul"):
        s.add(f"{name}(a, b)", getattr(np, name)(p, q), p, q)
        s.add(f"{name}(a, b)", getattr(np, name)(q, p), q, p)
    s.add("polymul(a, b)", np.polymul(p, p), p, p)
    s.gradient("polymul(a, b)", jnp.polymul, p, q)
    for m in (0, 1, 2, 3):
        s.add(f"polyder(a, {m})", np.polyder(np.float32([4, 1, -2, 3]), m), np.float32([4, 1, -2, 3]))
    s.add("polyint(a)", np.polyint(p), p)
    s.add("polyint(a, k = 5.0)", np.polyint(p, k=5), p)
    for m in (0, 2, 3):
        s.add(f"polyint(a, {m})", np.polyint(p, m), p)
    s.add("polyint(a, 2, b)", np.polyint(p, 2, [5, 7]), p, np.float32([5, 7]), fixed=True)
    s.add("poly(a)", np.poly(p), p)
    s.add("poly(a)", np.poly([2, -1, 0]).astype(np.int32), np.int32([2, -1, 0]))
    s.gradient("poly(a)", jnp.poly, p)
    s.add("polyfit(a, b, 2)", np.polyfit(places, V, 2), places, V)
    s.add("polyfit(a, b, 1)", np.polyfit(X[:, 0], X, 1), X[:, 0], X)
    long = np.float32([2, -3, 1, 4, 6])
    s.add("polydiv(a, b)", np.polydiv(long, p), long, p)
    s.add("polydiv(a, b)", (np.polydiv(p, q)[0], np.polydiv(p, q)[1]), p, q)
    for name in ("bartlett", "blackman", "hamming", "hanning"):
        for m in (0, 1, 2, 7):
            s.add(f"{name}({m})", getattr(np, name)(m))
    for m in (1, 6):
        s.add(f"kaiser({m}, 8.6)", np.kaiser(m, 8.6))
    s.add("packbits(a)", np.packbits(BOOLS), BOOLS)
    s.add('packbits(a, axis = 0, bitorder = "little")', np.packbits(np.tile(BOOLS, (5, 1)), axis=0, bitorder="little"), np.tile(BOOLS, (5, 1)))
    s.add("packbits(a, axis = 1)", np.packbits(INTS.astype(np.uint8), axis=1), INTS)
    octets = np.array([[5, 255], [128, 7]], np.uint8)
    s.add("unpackbits(a)", np.unpackbits(octets), octets)
    s.add('unpackbits(a, axis = 0, bitorder = "little")', np.unpackbits(octets, axis=0, bitorder="little"), octets)
    # products
    s.add("vdot(a, b)", np.vdot(X, X[::-1]), X, X[::-1])
    s.add("vdot(a, b)", np.vdot(INTS, INTS), INTS, INTS)
    s.add("vecdot(a, b)", np.vecdot(Y, X), Y, X)
    s.add("vecdot(a, b, axis = 0)", np.vecdot(X, X, axis=0), X, X)
    s.add("matvec(a, b)", np.matvec(Y, X[0]), Y, X[0])
    s.add("matvec(a, b)", np.matvec(Y, Y[:, 0]), Y, Y[:, 0])
    s.add("vecmat(a, b)", np.vecmat(V[:3], Y), V[:3], Y)
    s.add("vecmat(a, b)", np.vecmat(Y[:, :, 0], Y), Y[:, :, 0], Y)
    s.add("cross(a, b)", np.cross(X[:, :3], V[:3]), X[:, :3], V[:3], fixed=True)
    s.add("cross(a, b, axis = 0)", np.cross(X, X[:, ::-1], axis=0), X, X[:, ::-1], fixed=True)
    s.add("addmm(a, b, c, alpha = 2.0, beta = 0.5)", 0.5 * X[0] + 2 * (X @ X[:, :4].T[:, [0, 1, 2, 0]]), X[0], X, X[:, :4].T[:, [0, 1, 2, 0]])
    s.add("gather_mm(a, b, lhs_indices = c)", Y[[1, 0, 1]] @ X.T, Y, X.T, np.int32([1, 0, 1]))
    s.add("gather_mm(a, b, lhs_indices = c, rhs_indices = c)", Y[[1, 0]] @ np.swapaxes(Y, 1, 2)[[1, 0]], Y, np.swapaxes(Y, 1, 2), np.int32([1, 0]))
    segments = np.int32([[0, 1], [1, 4], [2, 2]])
    s.add("segmented_mm(a, b, c)", np.stack([X[:, i:j] @ X[:, i:j].T for i, j in segments]), X, X.T, segments, fixed=True)
    mask = np.array([[1, 0], [0, 1]], np.float32)
    wide = np.repeat(np.repeat(mask, 2, 0), 2, 1)
    square = X[:, :3]
    s.add("block_masked_mm(a, a, 2, mask_out = b)", (square @ square) * wide[:3, :3], square, mask)
    s.add("block_masked_mm(a, a, 2, none, b, c)", (square * wide[:3, :3]) @ (square * wide[:3, :3]), square, mask > 0, mask)
    signs = np.array([[1, 1], [1, -1]], np.float32)
    s.add("hadamard_transform(a)", X @ np.kron(signs, signs) / 2, X)
    s.add("hadamard_transform(a, scale = 1.0)", V[:2] @ signs, V[:2])
    return s


if __name__ == "__main__":
    for make in (elementwise, reductions, shapes, ordering, numeric):
        make().write()
