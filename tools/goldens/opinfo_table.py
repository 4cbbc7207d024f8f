"""PyTorch's operators as expressions of the language: a function with the signature of the operator gives the text.

Tensors come as names with a shape and a dtype. `Skip` says why a sample has no such text; `EXCLUDED` why an operator has none.
"""

import math

TABLE = {}


class Skip(Exception):
    """Why this sample cannot be written, or means something else in the language."""


class Name(str):
    """A tensor argument: its name in the program."""

    def __new__(cls, name, shape, dtype):
        self = super().__new__(cls, name)
        self.shape, self.dtype = tuple(shape), dtype
        return self

    @property
    def rank(self):
        return len(self.shape)

    @property
    def is_float(self):
        return self.dtype in ("f16", "bf16", "f32", "f64")


class Entry:
    def __init__(self, text, derivative=True, index=False, ints=True, bools=True, near=1, keep=False, narrow=True):
        self.text = text
        self.derivative = derivative  # does it have one?
        self.index = index  # PyTorch's i64 results are i32 in the language
        self.keep = keep  # PyTorch widens integers, the language keeps their dtype
        self.ints = ints  # are integer samples taken?
        self.bools = bools  # are samples of bools taken?
        self.narrow = narrow  # are f16 and bf16 samples taken?
        self.near = near  # tolerance, as a multiple of that of the dtype

    def takes(self, dtype):
        if dtype in ("f32", "f64"):
            return True
        if dtype in ("f16", "bf16"):
            return self.narrow
        return self.ints and (self.bools or dtype != "bool")


def op(*names, **options):
    def add(text):
        for name in names:
            TABLE[name] = Entry(text, **options)
        return text

    return add


def number(x):
    if isinstance(x, bool):
        return "true" if x else "false"
    if isinstance(x, complex):
        raise Skip("complex numbers")
    if isinstance(x, float):
        if math.isnan(x):
            return "nan"
        if math.isinf(x):
            return "inf" if x > 0 else "-inf"
    return str(x)


def of(x, like):
    """A tensor, or a number that has to suit `like`."""
    if isinstance(x, Name):
        if x.dtype != like.dtype:
            raise Skip("dtypes mixed: the language asks for a conversion")
        return x
    if isinstance(x, float) and not like.is_float:
        raise Skip("dtypes mixed: the language asks for a conversion")
    return number(x)


def same(*names):
    if len({n.dtype for n in names if isinstance(n, Name)}) > 1:
        raise Skip("dtypes mixed: the language asks for a conversion")


def axes(x, dim):
    if dim is None:
        return "none"
    if x.rank == 0:
        raise Skip("an axis of a scalar")
    if isinstance(dim, (tuple, list)):
        if len(dim) == 0:
            raise Skip("dim = () means all axes")
        return tuple_of(dim)
    return str(dim)


def axis(x, dim):
    if x.rank == 0:
        raise Skip("an axis of a scalar")
    return str(dim)


def tuple_of(items):
    items = [str(i) for i in items]
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"


def cast(x, dtype):
    if dtype is None or dtype == x.dtype:
        return x
    return Name(f"astype({x}, {dtype})", x.shape, dtype)


def flat(x):
    return x if x.rank == 1 else f"ravel({x})"


# ---- element by element


def unary(names, target, **options):
    @op(*names.split(), **options)
    def text(x):
        return f"{target}({x})"


for name in "abs acos acosh asin asinh atan atanh cos cosh erf erfc erfinv exp exp2 expm1 log log10 log1p log2 sin sinh sqrt tan tanh square".split():
    # the slopes of atanh and erfinv are steep near 1
    unary(name, name, ints=name in ("abs", "square"), bools=False, near=5 if name in ("atanh", "erfinv") else 1)
for name in "ceil floor trunc".split():
    unary(name, name, ints=False, derivative=True)
unary("round", "round", ints=False)
unary("neg", "negative", bools=False)
unary("positive clone contiguous resolve_conj resolve_neg conj conj_physical real", "", ints=True)
unary("reciprocal", "reciprocal", ints=False)
unary("rsqrt", "rsqrt", ints=False)
unary("sign sgn", "sign", bools=False)
unary("sigmoid", "logistic", ints=False)
unary("deg2rad", "radians", ints=False)
unary("rad2deg", "degrees", ints=False)
unary("isfinite", "isfinite", derivative=False, ints=False)
unary("isinf", "isinf", derivative=False, ints=False)
unary("isnan", "isnan", derivative=False, ints=False)
unary("logical_not", "logical_not", derivative=False)
unary("bitwise_not", "bitwise_not", derivative=False)


def binary(names, target, **options):
    @op(*names.split(), **options)
    def text(x, y):
        same(x, y)
        return f"{target}({x}, {of(y, x)})"


binary("atan2", "atan2", ints=False)
binary("pow", "power", ints=False, near=20)
binary("maximum max.binary", "maximum", bools=False)
binary("minimum min.binary", "minimum", bools=False)
binary("hypot", "hypot", ints=False, near=2)
binary("logaddexp", "logaddexp", ints=False)
for name, target in {"eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal"}.items():
    binary(name, target, derivative=False)
for name in "logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor".split():
    binary(name, name, derivative=False)


@op("add", bools=False)
def _(x, y, alpha=1):
    same(x, y)
    return f"{x} + {of(y, x)}" + ("" if alpha == 1 else f" * {of(alpha, x)}")


@op("sub", bools=False)
def _(x, y, alpha=1):
    same(x, y)
    return f"{x} - {of(y, x)}" + ("" if alpha == 1 else f" * {of(alpha, x)}")


@op("rsub", ints=False)
def _(x, y, alpha=1):
    same(x, y)
    return f"{of(y, x)} - {x}" + ("" if alpha == 1 else f" * {of(alpha, x)}")


@op("mul", bools=False)
def _(x, y):
    same(x, y)
    return f"{x} * {of(y, x)}"


for name, text in {"__radd__": "{y} + {x}", "__rmul__": "{y} * {x}", "__rsub__": "{y} - {x}", "__rdiv__": "{y} / {x}", "__rpow__": "{y} ** {x}"}.items():

    @op(name, ints=False, near=20 if name == "__rpow__" else 1)
    def _(x, y, text=text):
        same(x, y)
        return text.format(x=x, y=of(y, x))


for name, sign in {"__rand__": "&", "__ror__": "|", "__rxor__": "^"}.items():

    @op(name, derivative=False)
    def _(x, y, sign=sign):
        same(x, y)
        return f"{of(y, x)} {sign} {x}"


@op("div.no_rounding_mode", "true_divide", "div.floor_rounding", "div.trunc_rounding", ints=False)
def _(x, y, rounding_mode=None):
    same(x, y)
    if rounding_mode == "floor":
        return f"floor_divide({x}, {of(y, x)})"
    return f"trunc({x} / {of(y, x)})" if rounding_mode == "trunc" else f"{x} / {of(y, x)}"


@op("floor_divide", ints=False, derivative=False)
def _(x, y):
    same(x, y)
    return f"floor_divide({x}, {of(y, x)})"


@op("remainder", narrow=False)
def _(x, y):
    same(x, y)
    return f"{x} % {of(y, x)}"


@op("addcmul", ints=False, near=2)
def _(x, a, b, value=1):
    same(x, a, b)
    return f"{x} + {a} * {b} * {number(float(value))}"


@op("addcdiv", ints=False, near=4)
def _(x, a, b, value=1):
    same(x, a, b)
    return f"{x} + {number(float(value))} * {a} / {b}"


@op("lerp", ints=False)
def _(x, y, w):
    same(x, y, w)
    return f"{x} + {of(w, x)} * ({y} - {x})"


@op("clamp", bools=False)
def _(x, low=None, high=None):
    same(x, low, high)
    low = "none" if low is None else of(low, x)
    high = "none" if high is None else of(high, x)
    return f"clip({x}, {low}, {high})"


@op("clamp_min", bools=False)
def _(x, low):
    same(x, low)
    return f"maximum({x}, {of(low, x)})"


@op("clamp_max", bools=False)
def _(x, high):
    same(x, high)
    return f"minimum({x}, {of(high, x)})"


@op("where", ints=True)
def _(x, condition, y):
    # the sample calls x.where(condition, y)
    same(x, y)
    return f"where({condition}, {x}, {of(y, x)})"


@op("masked_fill", bools=False)
def _(x, mask, value):
    same(x, value)
    return f"where({mask}, {of(value, x)}, {x})"


@op("frac", ints=False)
def _(x):
    return f"{x} - trunc({x})"


@op("bitwise_left_shift", "bitwise_right_shift", derivative=False)
def _(x, y):
    raise Skip("shifts by more than the width, or by negative numbers")


@op("allclose", derivative=False, ints=False)
def _(x, y, rtol=1e-5, atol=1e-8, equal_nan=False):
    same(x, y)
    if equal_nan:
        raise Skip("equal_nan")
    return f"allclose({x}, {y}, rtol = {rtol}, atol = {atol})"



@op("float", "double", "half", "bfloat16", "int", "short", "char", "byte", "bool", "long")
def _(x, **_):
    raise Skip("conversions: test/golden/primitives has them")


# ---- reductions


def reduction(names, target, **options):
    @op(*names.split(), **options)
    def text(x, dim=None, keepdim=False, dtype=None, keepdims=None):
        x = cast(x, dtype)
        if target in ("all", "any") and x.dtype == "u8":
            raise Skip("PyTorch gives bytes for bytes")
        return f"{target}({x}, axis = {axes(x, dim)}, keepdims = {number(bool(keepdim or keepdims))})"


reduction("sum", "sum", keep=True, near=5)
reduction("mean", "mean", ints=False, near=5)
reduction("prod", "prod", keep=True, near=10, bools=False)
reduction("amax", "max", bools=False)
reduction("amin", "min", bools=False)
reduction("all", "all", derivative=False)
reduction("any", "any", derivative=False)
reduction("logsumexp", "logsumexp", ints=False)
reduction("argmax", "argmax", derivative=False, index=True, narrow=False, ints=False)
reduction("argmin", "argmin", derivative=False, index=True, narrow=False, ints=False)



for kind in ("max", "min"):

    @op(f"{kind}.reduction_no_dim", bools=False)
    def _(x, kind=kind):
        return f"{kind}({x})"

    @op(f"{kind}.reduction_with_dim", index=True, narrow=False, ints=False)
    def _(x, dim, keepdim=False, kind=kind):
        rest = f"axis = {axis(x, dim)}, keepdims = {number(keepdim)}"
        return f"({kind}({x}, {rest}), arg{kind}({x}, {rest}))"


@op("aminmax", bools=False)
def _(x, dim=None, keepdim=False):
    rest = f"axis = {axes(x, dim)}, keepdims = {number(keepdim)}"
    return f"(min({x}, {rest}), max({x}, {rest}))"


def moments(x, dim, unbiased, correction, keepdim):
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    ddof = 1 if correction is None else correction
    if unbiased is not None:
        ddof = int(unbiased)
    if not isinstance(ddof, int) or ddof < 0:
        raise Skip("a correction that is negative or no integer")
    over = range(x.rank) if dim is None else dim if isinstance(dim, (tuple, list)) else (dim,)
    if x.rank > 0 and math.prod(x.shape[a] for a in over) <= ddof:
        raise Skip("no degrees of freedom")
    return f"axis = {axes(x, dim)}, keepdims = {number(bool(keepdim))}", f"ddof = {ddof}"


for kind in ("var", "std"):

    @op(kind, f"{kind}.unbiased", ints=False, near=10)
    def _(x, dim=None, unbiased=None, keepdim=False, correction=None, kind=kind):
        rest, ddof = moments(x, dim, unbiased, correction, keepdim)
        return f"{kind}({x}, {rest}, {ddof})"

    @op(f"{kind}_mean", f"{kind}_mean.unbiased", ints=False, near=10)
    def _(x, dim=None, unbiased=None, keepdim=False, correction=None, kind=kind):
        rest, ddof = moments(x, dim, unbiased, correction, keepdim)
        return f"({kind}({x}, {rest}, {ddof}), mean({x}, {rest}))"



@op("dist", ints=False, near=5)
def _(x, y, p=2):
    if p != 2:
        raise Skip("norms other than 2")
    return f"sqrt(sum(square({x} - {y})))"


# ---- cumulative


@op("cumsum", keep=True, near=5)
def _(x, dim, dtype=None):
    return f"cumsum({cast(x, dtype)}, axis = {axis(x, dim)})"


@op("cumprod", keep=True, near=20)
def _(x, dim, dtype=None):
    return f"cumprod({cast(x, dtype)}, axis = {axis(x, dim)})"



# ---- shapes


@op("reshape", "view", "view_copy")
def _(x, shape):
    return f"reshape({x}, {tuple_of(shape)})"


@op("reshape_as", "view_as")
def _(x, y):
    return f"reshape({x}, {tuple_of(y.shape)})"


@op("ravel")
def _(x):
    return f"ravel({x})"


@op("flatten")
def _(x, start=0, end=-1, start_dim=None, end_dim=None):
    start = start if start_dim is None else start_dim
    end = end if end_dim is None else end_dim
    if x.rank == 0:
        return f"ravel({x})"
    start, end = start % x.rank, end % x.rank
    shape = (*x.shape[:start], math.prod(x.shape[start : end + 1]), *x.shape[end + 1 :])
    return f"reshape({x}, {tuple_of(shape)})"



@op("permute", "permute_copy")
def _(x, dims):
    return f"transpose({x}, {tuple_of(dims)})"


@op("transpose", "transpose_copy")
def _(x, a, b):
    return f"swapaxes({x}, {axis(x, a)}, {b})"


@op("t", "t_copy", "T")
def _(x):
    return f"transpose({x})"


@op("mT")
def _(x):
    return f"swapaxes({x}, -1, -2)"


@op("movedim")
def _(x, source, destination):
    return f"moveaxis({x}, {axes(x, source)}, {axes(x, destination)})"


@op("squeeze", "squeeze.multiple", "squeeze_copy")
def _(x, dim=None):
    if dim is None:
        return f"squeeze({x})"
    dims = dim if isinstance(dim, (tuple, list)) else (dim,)
    if x.rank == 0:
        raise Skip("an axis of a scalar")
    dims = [d for d in dims if x.shape[d] == 1]  # PyTorch lets other axes be
    return f"squeeze({x}, {tuple_of(dims)})" if dims else f"({x})"


@op("unsqueeze", "unsqueeze_copy")
def _(x, dim):
    return f"expand_dims({x}, {dim})"


@op("expand", "expand_copy", "broadcast_to")
def _(x, shape):
    lead = len(shape) - x.rank
    full = [x.shape[i - lead] if s == -1 else s for i, s in enumerate(shape)]
    return f"broadcast_to({x}, {tuple_of(full)})"


@op("expand_as")
def _(x, y):
    return f"broadcast_to({x}, {tuple_of(y.shape)})"


@op("broadcast_tensors")
def _(*xs):
    import numpy as np

    shape = np.broadcast_shapes(*(x.shape for x in xs))
    several = [f"broadcast_to({x}, {tuple_of(shape)})" for x in xs]
    return several[0] if len(xs) == 1 else tuple_of(several)


@op("flip")
def _(x, dims):
    if len(dims) == 0:
        raise Skip("no axis to turn round")
    return f"flip({x}, axis = {axes(x, dims)})"


@op("fliplr")
def _(x):
    return f"flip({x}, axis = 1)"


@op("flipud")
def _(x):
    return f"flip({x}, axis = 0)"



@op("tile", "repeat")
def _(x, reps):
    if len(reps) == 0:
        raise Skip("no repetitions")
    return f"tile({x}, {tuple_of(reps)})"


@op("repeat_interleave")
def _(x, repeats, dim=None, output_size=None):
    if isinstance(repeats, Name):
        raise Skip("a number of repetitions for each element")
    if dim is None:
        return f"repeat(ravel({x}), {repeats}, axis = 0)"
    return f"repeat({x}, {repeats}, axis = {dim})"


@op("cat")
def _(xs, dim=0):
    same(*xs)
    if any(x.shape == (0,) for x in xs) and any(x.rank > 1 for x in xs):
        raise Skip("empty tensors of another rank")
    return f"concatenate({tuple_of(xs)}, axis = {dim})"


@op("stack")
def _(xs, dim=0):
    same(*xs)
    return f"stack({tuple_of(xs)}, axis = {dim})"




@op("split", "split_with_sizes", "split.list_args", "split_with_sizes_copy", "unsafe_split")
def _(x, sizes, dim=0):
    n = x.shape[dim]
    if isinstance(sizes, int):
        sizes = [min(sizes, n - i) for i in range(0, n, sizes)]
    if len(sizes) < 2:
        return x
    cuts = [sum(sizes[: i + 1]) for i in range(len(sizes) - 1)]
    return f"split({x}, {tuple_of(cuts)}, axis = {dim})"


@op("chunk", "unsafe_chunk")
def _(x, chunks, dim=0):
    n = x.shape[dim]
    size = -(-n // chunks)
    return TABLE["split"].text(x, size, dim) if n > 0 else x


@op("tensor_split")
def _(x, sections, dim=0):
    if isinstance(sections, Name):
        raise Skip("places known at run time")
    n = x.shape[dim]
    if isinstance(sections, int):
        ends = [(i + 1) * (n // sections) + min(i + 1, n % sections) for i in range(sections - 1)]
    else:
        ends = list(sections)
        if any(e < 0 or e > n for e in ends) or sorted(ends) != ends:
            raise Skip("places outside of the axis")
    return f"split({x}, {tuple_of(ends)}, axis = {dim})" if ends else x


@op("unbind", "unbind_copy")
def _(x, dim=0):
    dim %= max(x.rank, 1)
    if x.shape[dim] == 0:
        raise Skip("nothing to unbind")
    at = lambda i: ", ".join([":"] * dim + [str(i)])
    return tuple_of(f"{x}[{at(i)}]" for i in range(x.shape[dim]))



for name in ("tril", "triu"):

    @op(name)
    def _(x, k=0, diagonal=None, name=name):
        return f"{name}({x}, k = {k if diagonal is None else diagonal})"


@op("nn.functional.pad.constant", "constant_pad_nd")
def _(x, pads, mode="constant", value=0.0):
    if mode != "constant":
        value, mode = mode, "constant"
    if any(p < 0 for p in pads):
        raise Skip("padding below 0")
    if x.dtype == "bool":
        raise Skip("a number around bools")
    widths = [(0, 0)] * x.rank
    for i in range(len(pads) // 2):
        widths[x.rank - 1 - i] = (pads[2 * i], pads[2 * i + 1])
    if not x.is_float:
        value = int(value or 0)
    return f"pad({x}, {tuple_of(tuple_of(w) for w in widths)}, constant_values = {number(value or 0)})"


@op("narrow", "narrow_copy")
def _(x, dim, start, length):
    if isinstance(start, Name):
        raise Skip("places known at run time")
    dim %= x.rank
    start = start + x.shape[dim] if start < 0 else start
    return f"{x}[{', '.join([':'] * dim + [f'{start}:{start + length}'])}]"


@op("slice")
def _(x, dim=0, start=None, end=None, step=1):
    dim %= x.rank
    s = slice(start, end, step).indices(x.shape[dim])
    return f"{x}[{', '.join([':'] * dim + [f'{s[0]}:{max(s[0], s[1])}:{s[2]}'])}]"


@op("select")
def _(x, dim, index):
    return f"{x}[{', '.join([':'] * (dim % x.rank) + [str(index)])}]"




def grid(xs, indexing):
    if indexing != "ij" or any(x.rank != 1 for x in xs):
        raise Skip("xy order, or scalars")
    if len(xs) == 1:
        return xs[0]
    sizes = tuple_of(x.shape[0] for x in xs)
    at = lambda i: tuple_of(x.shape[0] if j == i else 1 for j, x in enumerate(xs))
    return tuple_of(f"broadcast_to(reshape({x}, {at(i)}), {sizes})" for i, x in enumerate(xs))


# ---- making tensors


@op("zeros_like", derivative=False)
def _(x, dtype=None, **_):
    return f"zeros_like({cast(x, dtype)})"


@op("ones_like", derivative=False)
def _(x, dtype=None, **_):
    return f"ones_like({cast(x, dtype)})"


@op("full_like", derivative=False)
def _(x, value, dtype=None, **_):
    x = cast(x, dtype)
    return f"full_like({x}, {of(value, x)})"


@op("eye", derivative=False, ints=False)
def _(n, m=None, dtype=None, **_):
    return f"eye({n}, {n if m is None else m}, dtype = {dtype})"


@op("linspace", derivative=False, ints=False, narrow=False)
def _(start, stop, num, dtype=None, **_):
    if num < 2:
        raise Skip("fewer than two places")
    return f"linspace({number(start)}, {number(stop)}, {num}, dtype = {dtype})"


@op("arange", derivative=False, narrow=False)
def _(start, stop=None, step=1, end=None, dtype=None, **_):
    stop = stop if end is None else end
    if isinstance(start, bool) or isinstance(stop, bool) or dtype is None:
        raise Skip("bounds that are bools, or no dtype")
    if stop is None:
        start, stop = 0, start
    return f"arange({number(start)}, {number(stop)}, {number(step)}, dtype = {dtype})"


@op("zeros", derivative=False)
def _(shape, dtype=None, **_):
    return f"zeros({tuple_of(shape)}, dtype = {dtype})"


@op("ones", derivative=False)
def _(shape, dtype=None, **_):
    return f"ones({tuple_of(shape)}, dtype = {dtype})"


@op("full", derivative=False, ints=False)
def _(shape, value, dtype=None, **_):
    return f"full({tuple_of(shape)}, {number(value)}, dtype = {dtype})"


# ---- products


@op("matmul", near=10)
def _(x, y):
    same(x, y)
    return f"{x} @ {y}"


@op("__rmatmul__", near=10)
def _(x, y):
    same(x, y)
    return f"{y} @ {x}"


@op("mm", "bmm", "mv", near=10)
def _(x, y):
    return f"{x} @ {y}"


@op("dot", "vdot", near=10)
def _(x, y):
    return f"dot({x}, {y})"


@op("inner", near=10)
def _(x, y):
    return f"inner({x}, {y})"


@op("outer", near=2, bools=False)
def _(x, y):
    same(x, y)
    return f"outer({x}, {y})"



def scaled(by, text):
    return text if by == 1 else f"{number(float(by))} * ({text})"


@op("addmm", "addmm.decomposed", "addmv", "baddbmm", near=10, ints=False)
def _(x, a, b, beta=1, alpha=1):
    if beta == 0:
        raise Skip("beta = 0 passes NaN by")
    return f"{scaled(beta, x)} + {scaled(alpha, f'{a} @ {b}')}"


@op("addbmm", near=30, ints=False)
def _(x, a, b, beta=1, alpha=1):
    if beta == 0:
        raise Skip("beta = 0 passes NaN by")
    return f"{scaled(beta, x)} + {scaled(alpha, f'sum({a} @ {b}, axis = 0)')}"


@op("addr", near=5, ints=False)
def _(x, a, b, beta=1, alpha=1):
    return f"{scaled(beta, x)} + {scaled(alpha, f'outer({a}, {b})')}"


@op("einsum", near=10, keep=True)
def _(xs, equation):
    same(*xs)
    if any(x.shape == () for x in xs):
        raise Skip("an operand that is a scalar")
    return f'einsum("{equation}", {", ".join(xs)})'


@op("tensordot", near=10)
def _(x, y, dims=2):
    if isinstance(dims, int):
        return f"tensordot({x}, {y}, axes = {dims})"
    if any(x.shape[a] != y.shape[b] for a, b in zip(*dims)):
        raise Skip("axes of size 1 that are summed with longer ones")
    return f"tensordot({x}, {y}, axes = {tuple_of(tuple_of(d) for d in dims)})"



@op("linalg.multi_dot", near=20)
def _(xs):
    return " @ ".join(xs)


@op("nn.functional.linear", near=10, ints=False)
def _(x, w, b=None):
    if w.rank < 2:
        raise Skip("a weight without rows")
    return f"{x} @ transpose({w})" + ("" if b is None else f" + {b}")



# ---- indexing


def as_i32(x):
    return x if x.dtype == "i32" else f"astype({x}, i32)"


@op("gather")
def _(x, dim, index, sparse_grad=False):
    if x.rank == 0:
        raise Skip("an axis of a scalar")
    d = dim % x.rank
    if x.rank != index.rank:
        raise Skip("an index of another rank")
    if any(x.shape[a] != index.shape[a] for a in range(x.rank) if a != d):
        raise Skip("an index smaller than the tensor on another axis")
    return f"take_along_axis({x}, {as_i32(index)}, axis = {dim})"


@op("take_along_dim")
def _(x, index, dim=None):
    if dim is None:
        return f"take_along_axis(ravel({x}), ravel({as_i32(index)}), axis = 0)"
    return f"take_along_axis({x}, {as_i32(index)}, axis = {dim})"


@op("index_select")
def _(x, dim, index):
    if index.rank == 0:
        index = f"reshape({as_i32(index)}, (1,))"
    else:
        index = as_i32(index)
    return f"take({x}, {index}, axis = {axis(x, dim)})"


@op("take")
def _(x, index):
    if math.prod(x.shape) == 0:
        raise Skip("nothing to take from")
    return f"take({x}, {as_i32(index)})"


@op("nn.functional.embedding", ints=False)
def _(w, tokens, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False):
    if padding_idx is not None or max_norm is not None or scale_grad_by_freq or sparse:
        raise Skip("padding, norms and sparse gradients")
    return f"embedding({as_i32(tokens)}, Embedding {{ w: {w} }})"


@op("nn.functional.one_hot", derivative=False, index=True)
def _(x, num_classes=-1):
    if num_classes < 0:
        raise Skip("a number of classes known at run time")
    return f"one_hot({as_i32(x)}, {num_classes}, dtype = i32)"


def at(dim, index, rank):
    return ", ".join([":"] * (dim % rank) + [index])


@op("index_add", bools=False)
def _(x, dim, index, source, alpha=1):
    if x.rank == 0:
        raise Skip("an axis of a scalar")
    if alpha < 0 and x.dtype == "u8":
        raise Skip("a negative factor of unsigned numbers")
    more = source if alpha == 1 else f"{source} * {of(alpha, x)}"
    return f"{x}.at[{at(dim, as_i32(index), x.rank)}].add({more})"


@op("index_copy")
def _(x, dim, index, source):
    if x.rank == 0:
        raise Skip("an axis of a scalar")
    return f"{x}.at[{at(dim, as_i32(index), x.rank)}].set({source})"



@op("select_scatter")
def _(x, source, dim, index):
    return f"{x}.at[{at(dim, str(index), x.rank)}].set({source})"


@op("slice_scatter")
def _(x, source, dim=0, start=None, end=None, step=1):
    s = slice(start, end, step).indices(x.shape[dim])
    return f"{x}.at[{at(dim, f'{s[0]}:{s[1]}:{s[2]}', x.rank)}].set({source})"


@op("masked_select", "nonzero", "argwhere", "unique", "unique_consecutive")
def _(*_, **__):
    raise Skip("a shape known at run time")


# ---- layers, activations and losses


def activation(name, target, **options):
    @op(name, ints=False, **options)
    def text(x, inplace=False):
        return f"{target}({x})"


activation("nn.functional.relu", "relu")
activation("nn.functional.silu", "silu")



@op("nn.functional.elu", ints=False)
def _(x, alpha=1.0, inplace=False):
    return f"elu({x}, alpha = {number(float(alpha))})"


@op("nn.functional.gelu", ints=False)
def _(x, approximate="none"):
    return f"{'gelu_tanh' if approximate == 'tanh' else 'gelu'}({x})"


@op("nn.functional.softplus", ints=False, near=2)
def _(x, beta=1, threshold=20):
    if threshold < 20:
        raise Skip("linear from a threshold on")
    return f"softplus({x} * {float(beta)}) / {float(beta)}"



@op("nn.functional.tanhshrink", ints=False)
def _(x):
    return f"{x} - tanh({x})"


for name, target, sign in (("softmax", "softmax", ""), ("log_softmax", "log_softmax", ""), ("nn.functional.softmin", "softmax", "-")):

    def text(x, dim=None, dtype=None, target=target, sign=sign):
        if dim is None:
            raise Skip("no axis")
        x = cast(x, dtype)
        if x.rank > 0 and x.shape[dim] == 0:
            raise Skip("the maximum of nothing")
        return f"{target}({sign}{x}, axis = {axis(x, dim)})"

    op(name, ints=False, near=2)(text)
    op(f"{name}.with_dtype", ints=False, near=2, narrow=False)(text)


@op("nn.functional.layer_norm", ints=False, near=10)
def _(x, shape, w=None, b=None, eps=1e-5):
    if len(shape) != 1 or w is None or b is None or eps < 0 or x.shape[-1] == 1:
        raise Skip("over several axes, without parameters, of one element or with eps below 0")
    return f"layer_norm({x}, LayerNorm {{ w: {w}, b: {b} }}, eps = {eps})"


@op("nn.functional.rms_norm", ints=False, near=5)
def _(x, shape, w=None, eps=None):
    if len(shape) != 1 or w is None or eps is None or eps < 0:
        raise Skip("over several axes, without parameters or eps")
    return f"rms_norm({x}, RMSNorm {{ w: {w} }}, eps = {eps})"



def reduced(reduction, text):
    return text if reduction == "none" else f"{reduction}({text})"







@op("nn.functional.cosine_similarity", ints=False, near=10)
def _(x, y, dim=1, eps=1e-8):
    if x.rank == 0:
        raise Skip("an axis of a scalar")
    same(x, y)
    if x.shape != y.shape:
        raise Skip("norms before broadcasting")
    norm = lambda v: f"maximum(sqrt(sum(square({v}), axis = {dim})), {eps})"
    return f"sum({x} * {y}, axis = {dim}) / ({norm(x)} * {norm(y)})"


@op("nn.functional.normalize", ints=False, near=10)
def _(x, p=2.0, dim=1, eps=1e-12):
    if p != 2 or x.rank == 0:
        raise Skip("norms other than 2")
    return f"{x} / maximum(sqrt(sum(square({x}), axis = {dim}, keepdims = true)), {eps})"

