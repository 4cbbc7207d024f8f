"""More of PyTorch's operators as text: ordering, windows, layers, losses, linear algebra, and NumPy's further functions. See opinfo_table.py."""

import math

from opinfo_table import (
    Name, Skip, TABLE, as_i32, at, axes, axis, binary, cast, moments, number, of, op, reduced, same, scaled, tuple_of, unary,
)  # fmt: skip

# ---- element by element

unary("lgamma", "lgamma", ints=False, near=10)
unary("digamma", "digamma", ints=False, near=50)
unary("i0", "i0", ints=False, near=10)
unary("sinc", "sinc", ints=False, near=5)
unary("signbit", "signbit", derivative=False, ints=False)
unary("isposinf", "isposinf", derivative=False, ints=False)
unary("isneginf", "isneginf", derivative=False, ints=False)
binary("copysign", "copysign", ints=False)
binary("fmax", "fmax", bools=False)
binary("fmin", "fmin", bools=False)
binary("fmod", "fmod", narrow=False, ints=False)
binary("heaviside", "heaviside", derivative=False, ints=False)
binary("nextafter", "nextafter", derivative=False, ints=False)
binary("gcd", "gcd", derivative=False, bools=False)
binary("lcm", "lcm", derivative=False, bools=False)
binary("logaddexp2", "logaddexp2", ints=False, near=5)


@op("float_power", ints=False, near=20, narrow=False)
def _(x, y):
    same(x, y)
    if x.dtype != "f64":
        raise Skip("PyTorch computes in doubles")
    return f"float_power({x}, {of(y, x)})"


@op("polygamma.polygamma_n_1", ints=False, near=100, narrow=False)
def _(x, n):
    if x.dtype == "f64":
        raise Skip("PyTorch's trigamma has ten digits")
    return f"polygamma({float(n)}, {x})"


@op("ldexp", ints=False)
def _(x, n):
    if n.dtype != "i32":
        raise Skip("an exponent that is a float")
    return f"ldexp({x}, {n})"


# PyTorch differentiates the mantissa, the language takes both parts for piecewise constant
@op("frexp", ints=False, narrow=False)
def _(x):
    return f"frexp({x})"


@op("nan_to_num", ints=False)
def _(x, nan=None, posinf=None, neginf=None):
    rest = [f"{k} = {number(float(v))}" for k, v in (("nan", nan), ("posinf", posinf), ("neginf", neginf)) if v is not None]
    return f"nan_to_num({', '.join([x, *rest])})"


@op("isclose", derivative=False, ints=False)
def _(x, y, rtol=1e-5, atol=1e-8, equal_nan=False):
    same(x, y)
    return f"isclose({x}, {y}, rtol = {rtol}, atol = {atol}, equal_nan = {number(equal_nan)})"


@op("xlogy", ints=False)
def _(x, y):
    same(x, y)
    raise Skip("no function of this name")


@op("logit", ints=False, near=5)
def _(x, eps=None):
    if eps is not None:
        raise Skip("held within eps")
    return f"log({x} / (1.0 - {x}))"


@op("mvlgamma.mvlgamma_p_1", ints=False, near=10)
def _(x, p):
    if p != 1:
        raise Skip("of several dimensions")
    return f"lgamma({x})"


# ---- ordering


@op("sort", index=True, narrow=False, ints=False)
def _(x, dim=-1, descending=False, stable=False):
    rest = f"axis = {axis(x, dim)}, descending = {number(bool(descending))}"
    return f"(sort({x}, {rest}), argsort({x}, {rest}))"


@op("msort", narrow=False)
def _(x):
    return f"sort({x}, axis = {axis(x, 0)})"


@op("argsort", derivative=False, index=True, ints=False, narrow=False)
def _(x, dim=-1, descending=False, stable=False):
    return f"argsort({x}, axis = {axis(x, dim)}, descending = {number(bool(descending))})"


@op("topk", index=True, narrow=False, ints=False)
def _(x, k, dim=-1, largest=True, sorted=True):
    if not largest or not sorted:
        raise Skip("the least elements, or in no order")
    return f"top_k({x}, {k}, axis = {axis(x, dim)})"


@op("kthvalue", narrow=False, ints=False, index=True)
def _(x, k, dim=-1, keepdim=False):
    d = axis(x, dim)
    pick = f"[{at(int(d), f'{k - 1}:{k}' if keepdim else str(k - 1), x.rank)}]"
    return f"(sort({x}, axis = {d}){pick}, argsort({x}, axis = {d}){pick})"


for name in ("cummax", "cummin"):

    @op(name, ints=False, narrow=False)
    def _(x, dim, name=name):
        raise Skip("PyTorch gives indices too")


# PyTorch's pullback goes through logarithms of cotangents and loses digits: JAX holds ours
@op("logcumsumexp", ints=False, near=5, derivative=False)
def _(x, dim):
    return f"logcumsumexp({x}, axis = {axis(x, dim)})"


@op("searchsorted", derivative=False, index=True, narrow=False, ints=False)
def _(x, v, out_int32=False, right=False, side=None, sorter=None):
    if x.rank != 1:
        raise Skip("a sequence for each row")
    side = side or ("right" if right else "left")
    more = "" if sorter is None else f", sorter = {as_i32(sorter)}"
    return f'searchsorted({x}, {of(v, x)}, side = "{side}"{more})'


@op("bucketize", derivative=False, index=True, narrow=False, ints=False)
def _(v, x, out_int32=False, right=False):
    same(v, x)
    return f'searchsorted({x}, {v}, side = "{"right" if right else "left"}")'


@op("isin", derivative=False, narrow=False)
def _(x, tests, assume_unique=False, invert=False):
    same(x, tests)
    return f"isin({x}, {tests}, invert = {number(invert)})"


for name in ("quantile", "nanquantile"):

    @op(name, ints=False, near=5)
    def _(x, q, dim=None, keepdim=False, interpolation="linear", name=name):
        if isinstance(q, Name):
            same(x, q)
        if isinstance(q, Name) and keepdim:
            raise Skip("several quantiles with keepdim")
        return f'{name}({x}, {number(q) if not isinstance(q, Name) else q}, axis = {axes(x, dim)}, method = "{interpolation}", keepdims = {number(keepdim)})'


@op("median", "nanmedian", ints=False)
def _(x, dim=None, keepdim=False):
    raise Skip("PyTorch takes the lower of two middle elements")


for kind in ("nansum", "nanmean"):

    @op(kind, ints=False, near=5)
    def _(x, dim=None, keepdim=False, dtype=None, kind=kind):
        return f"{kind}({cast(x, dtype)}, axis = {axes(x, dim)}, keepdims = {number(bool(keepdim))})"


@op("cov", ints=False, near=20, narrow=False)
def _(x, correction=1, fweights=None, aweights=None):
    if fweights is not None or aweights is not None or correction < 0 or x.rank == 0:
        raise Skip("weights, or a negative correction")
    if x.shape[-1] <= correction:
        raise Skip("no degrees of freedom")
    return f"cov({x}, ddof = {correction})"


@op("diff", bools=False)
def _(x, n=1, dim=-1, prepend=None, append=None):
    same(x, prepend, append)
    if n < 1 or n >= x.shape[dim]:
        raise Skip("no differences, or of a higher order than there are elements")
    more = "".join(f", {k} = {v}" for k, v in (("prepend", prepend), ("append", append)) if v is not None)
    return f"diff({x}, n = {n}, axis = {dim}{more})"


for name in ("trapz", "trapezoid"):

    @op(name, ints=False, near=5)
    def _(y, x=None, dim=-1, dx=1.0):
        if x is not None:
            same(x, y)
            if x.rank != y.rank or x.shape != y.shape:
                raise Skip("places that broadcast")
            return f"trapezoid({y}, {x}, axis = {dim})"
        return f"trapezoid({y}, dx = {float(dx)}, axis = {dim})"


@op("count_nonzero", derivative=False, index=True)
def _(x, dim=None):
    return f"count_nonzero({x}, axis = {axes(x, dim)})"


@op("cross", "linalg.cross", near=20, bools=False)
def _(x, y, dim=-1):
    dim = -1 if dim is None else dim
    return f"cross({x}, {y}, axis = {dim})"


# ---- shapes


@op("diagonal", "diagonal_copy", "linalg.diagonal")
def _(x, offset=0, dim1=None, dim2=None):
    first = -2 if dim1 is None and x.rank == 2 else 0 if dim1 is None else dim1
    second = -1 if dim2 is None and x.rank == 2 else 1 if dim2 is None else dim2
    return f"diagonal({x}, offset = {offset}, axis1 = {first}, axis2 = {second})"


@op("linalg.diagonal")
def _(x, offset=0, dim1=-2, dim2=-1):
    return f"diagonal({x}, offset = {offset}, axis1 = {dim1}, axis2 = {dim2})"


@op("diag")
def _(x, k=0):
    return f"diag({x}, k = {k})"


@op("diagflat")
def _(x, offset=0):
    return f"diagflat({x}, k = {offset})"


@op("trace", keep=True, ints=False, near=3)
def _(x):
    return f"trace({x})"


@op("rot90")
def _(x, k=1, dims=(0, 1)):
    return f"rot90({x}, k = {k}, axes = {tuple_of(dims)})"


for name, target in {"hstack": "hstack", "vstack": "vstack", "dstack": "dstack", "column_stack": "column_stack"}.items():

    @op(name)
    def _(xs, target=target):
        same(*xs)
        return f"{target}({tuple_of(xs)})"


for name in ("atleast_1d", "atleast_2d", "atleast_3d"):

    @op(name)
    def _(*xs, name=name):
        if len(xs) != 1 or isinstance(xs[0], (tuple, list)):
            raise Skip("several tensors")
        return f"{name}({xs[0]})"


for name in ("hsplit", "vsplit", "dsplit"):

    @op(name)
    def _(x, sections, name=name):
        if not isinstance(sections, int):
            if len(sections) == 0 or any(s < 0 for s in sections):
                raise Skip("places outside of the axis")
        elif sections == 1:
            return x
        return f"{name}({x}, {sections if isinstance(sections, int) else tuple_of(sections)})"


@op("kron", bools=False)
def _(x, y):
    same(x, y)
    return f"kron({x}, {y})"


@op("meshgrid.list_of_tensors")
def _(xs, indexing="ij"):
    return mesh(xs, indexing)


@op("meshgrid.variadic_tensors")
def _(*xs, indexing="ij"):
    return mesh(xs, indexing)


def mesh(xs, indexing):
    if len(xs) < 2 or any(x.rank != 1 for x in xs):
        raise Skip("scalars, or one tensor")
    return f'meshgrid({", ".join(xs)}, indexing = "{indexing}")'


@op("unflatten")
def _(x, dim, sizes):
    return f"unflatten({x}, {dim}, {tuple_of(sizes)})"


@op("unravel_index", derivative=False, index=True, narrow=False)
def _(x, shape):
    raise Skip("indices that are tensors of another dtype")


@op("roll")
def _(x, shifts, dims=None):
    if x.rank == 0:
        raise Skip("an axis of a scalar")
    if dims is None or dims == ():
        if isinstance(shifts, (tuple, list)):
            if len(shifts) != 1:
                raise Skip("several shifts of the flattened tensor")
            shifts = shifts[0]
        return f"roll({x}, {shifts})"
    if isinstance(shifts, (tuple, list)):
        dims = dims if isinstance(dims, (tuple, list)) else (dims,) * len(shifts)
        for shift, dim in zip(shifts, dims):
            x = Name(f"roll({x}, {shift}, axis = {dim})", x.shape, x.dtype)
        return x
    return f"roll({x}, {shifts}, axis = {dims[0] if isinstance(dims, (tuple, list)) else dims})"


@op("logspace", derivative=False, ints=False, narrow=False, near=10)
def _(start, stop, num, base=10.0, dtype=None, **_):
    if num < 2 or dtype is None or base <= 0:
        raise Skip("fewer than two places")
    return f"logspace({number(start)}, {number(stop)}, {num}, base = {float(base)}, dtype = {dtype})"


for name, target in {"hann": "hanning", "hamming": "hamming", "blackman": "blackman", "bartlett": "bartlett"}.items():

    @op(f"signal.windows.{name}", derivative=False, near=5)
    def _(m, sym=True, dtype=None, target=target, **_):
        if not sym or dtype != "f32":
            raise Skip("periodic windows")
        return f"{target}({m})"


@op("signal.windows.kaiser", derivative=False, near=5)
def _(m, sym=True, beta=12.0, dtype=None, **_):
    if not sym or dtype != "f32":
        raise Skip("periodic windows")
    return f"kaiser({m}, {float(beta)})"


@op("index_fill", bools=False)
def _(x, dim, index, value):
    if x.rank == 0 or index.rank == 0:
        raise Skip("an axis of a scalar")
    same(x, value)
    return f"{x}.at[{at(dim, as_i32(index), x.rank)}].set({of(value, x)})"


@op("scatter", bools=False, near=5)
def _(x, dim, index, source, reduce=None):
    if not isinstance(source, Name) or reduce is not None:
        raise Skip("a number, or a reduction")
    d = dim % max(x.rank, 1)
    if x.rank == 0 or index.shape != source.shape or any(x.shape[a] != index.shape[a] for a in range(x.rank) if a != d):
        raise Skip("an index smaller than the tensor on another axis")
    return f"put_along_axis({x}, {as_i32(index)}, {source}, axis = {dim})"


# ---- products


@op("linalg.vecdot", near=10)
def _(x, y, dim=-1):
    same(x, y)
    return f"vecdot({x}, {y}, axis = {dim})"


@op("addmm", "addmm.decomposed", near=10, ints=False)
def _(c, a, b, beta=1, alpha=1):
    if beta == 0:
        raise Skip("beta = 0 passes NaN by")
    return f"addmm({c}, {a}, {b}, alpha = {float(alpha)}, beta = {float(beta)})"


# ---- windows: PyTorch has the channels first

LAST = {1: "(0, 2, 1)", 2: "(0, 2, 3, 1)", 3: "(0, 2, 3, 4, 1)"}
FIRST = {1: "(0, 2, 1)", 2: "(0, 3, 1, 2)", 3: "(0, 4, 1, 2, 3)"}


def spread(v, n):
    return tuple(v) * (n if len(v) == 1 else 1) if isinstance(v, (tuple, list)) else (v,) * n


def plan(v, n):
    return tuple_of(spread(v, n))


for n in (1, 2, 3):

    @op(f"nn.functional.conv{n}d", near=20, ints=False)
    def _(x, w, b=None, stride=1, padding=0, dilation=1, groups=1, n=n):
        if x.rank != n + 2:
            raise Skip("without a batch")
        if x.shape[0] == 0 or 0 in x.shape:
            raise Skip("nothing to convolve")
        if isinstance(padding, str):
            rest = f'"{padding}"'
        else:
            rest = plan(padding, n)
        y = (
            f"conv{n}d(transpose({x}, {LAST[n]}), transpose({w}, {LAST[n]}), stride = {plan(stride, n)}, padding = {rest}, "
            f"dilation = {plan(dilation, n)}, groups = {groups})"
        )
        return f"transpose({y}{'' if b is None else f' + {b}'}, {FIRST[n]})"

    @op(f"nn.functional.conv_transpose{n}d", near=20, ints=False)
    def _(x, w, b=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1, n=n):
        if x.rank != n + 2 or groups != 1:
            raise Skip("without a batch, or in groups")
        # PyTorch's weight is [in, out, ...], ours [out, ..., in]
        order = {1: "(1, 2, 0)", 2: "(1, 2, 3, 0)", 3: "(1, 2, 3, 4, 0)"}[n]
        y = (
            f"conv_transpose{n}d(transpose({x}, {LAST[n]}), transpose({w}, {order}), stride = {plan(stride, n)}, padding = {plan(padding, n)}, "
            f"dilation = {plan(dilation, n)}, output_padding = {plan(output_padding, n)})"
        )
        return f"transpose({y}{'' if b is None else f' + {b}'}, {FIRST[n]})"

    @op(f"nn.functional.max_pool{n}d", ints=False, narrow=False)
    def _(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False, n=n):
        if x.rank != n + 2 or ceil_mode or return_indices or set(spread(dilation, n)) != {1}:
            raise Skip("without a batch, rounded up, with indices, with gaps")
        stride = kernel_size if stride is None or stride == () else stride
        return (
            f"transpose(max_pool(transpose({x}, {LAST[n]}), {plan(kernel_size, n)}, stride = {plan(stride, n)}, padding = {plan(padding, n)}), {FIRST[n]})"
        )

    @op(f"nn.functional.avg_pool{n}d", ints=False, near=5)
    def _(x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None, n=n):
        if x.rank != n + 2 or ceil_mode or divisor_override is not None:
            raise Skip("without a batch, rounded up, with another divisor")
        stride = kernel_size if stride is None or stride == () else stride
        return (
            f"transpose(avg_pool(transpose({x}, {LAST[n]}), {plan(kernel_size, n)}, stride = {plan(stride, n)}, padding = {plan(padding, n)}, "
            f"count_include_pad = {number(bool(count_include_pad))}), {FIRST[n]})"
        )


for name, mode in {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}.items():

    @op(f"nn.functional.pad.{name}", near=2)
    def _(x, pads, theirs=None, mode=mode):
        if any(p < 0 for p in pads) or 0 in x.shape:
            raise Skip("padding below 0, or of nothing")
        widths = [(0, 0)] * x.rank
        for i in range(len(pads) // 2):
            widths[x.rank - 1 - i] = (pads[2 * i], pads[2 * i + 1])
        return f'pad({x}, {tuple_of(tuple_of(w) for w in widths)}, mode = "{mode}")'


@op("unfold", "unfold_copy")
def _(x, dim, size, step):
    if step != 1 or x.rank == 0:
        raise Skip("steps between windows")
    return f"sliding_window_view({x}, ({size},), axis = ({dim},))"


# ---- layers and activations


def activation(name, target, **options):
    @op(name, ints=False, **options)
    def text(x, inplace=False):
        return f"{target}({x})"


activation("nn.functional.relu6", "relu6")
activation("nn.functional.hardswish", "hardswish")
activation("nn.functional.mish", "mish", near=2)
activation("nn.functional.softsign", "softsign")
activation("nn.functional.selu", "selu")
activation("nn.functional.logsigmoid", "log_sigmoid")


@op("nn.functional.leaky_relu", ints=False)
def _(x, negative_slope=0.01, inplace=False):
    return f"leaky_relu({x}, negative_slope = {number(float(negative_slope))})"


@op("nn.functional.celu", ints=False)
def _(x, alpha=1.0, inplace=False):
    return f"celu({x}, alpha = {float(alpha)})"


@op("nn.functional.glu", ints=False, near=2)
def _(x, dim=-1):
    return f"glu({x}, axis = {dim})"


@op("nn.functional.hardtanh", ints=False)
def _(x, min_val=-1.0, max_val=1.0, inplace=False):
    return f"hard_tanh({x}, min_val = {float(min_val)}, max_val = {float(max_val)})"


@op("nn.functional.hardshrink", ints=False)
def _(x, lambd=0.5):
    return f"hard_shrink({x}, lambd = {float(lambd)})"


@op("nn.functional.softshrink", ints=False)
def _(x, lambd=0.5):
    return f"softshrink({x}, lambd = {float(lambd)})"


@op("nn.functional.prelu", ints=False, near=5)
def _(x, w):
    if w.rank == 0 or w.shape[0] == 1 or x.rank < 2 or x.shape[1] != w.shape[0]:
        raise Skip("one slope for all channels")
    return f"moveaxis(prelu(moveaxis({x}, 1, -1), {w}), -1, 1)"


@op("nn.functional.softmin", ints=False, near=2)
def _(x, dim=None, dtype=None):
    if x.rank > 0 and x.shape[dim] == 0:
        raise Skip("the maximum of nothing")
    return f"softmin({cast(x, dtype)}, axis = {axis(x, dim)})"


@op("nn.functional.group_norm", ints=False, near=20)
def _(x, groups, weight=None, bias=None, eps=1e-5):
    if weight is None or bias is None or eps < 0 or 0 in x.shape or x.rank < 3:
        raise Skip("without parameters, with eps below 0, or of nothing")
    return f"moveaxis(group_norm(moveaxis({x}, 1, -1), GroupNorm {{ w: {weight}, b: {bias} }}, {groups}, eps = {eps}), -1, 1)"


@op("nn.functional.batch_norm", "nn.functional.batch_norm.without_cudnn", ints=False, near=20)
def _(x, mean, var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    if training or weight is None or bias is None or eps < 0 or mean is None:
        raise Skip("in training, without parameters, with eps below 0")
    return f"moveaxis(batch_norm(moveaxis({x}, 1, -1), BatchNorm {{ w: {weight}, b: {bias} }}, BatchStats {{ mean: {mean}, var: {var} }}, eps = {eps}), -1, 1)"


@op("nn.functional.bilinear", near=20, ints=False)
def _(x, y, w, b=None):
    same(x, y, w)
    lead = "...i,oij,...j->...o"
    return f'einsum("{lead}", {x}, {w}, {y})' + ("" if b is None else f" + {b}")


@op("nn.functional.scaled_dot_product_attention", ints=False, near=20, narrow=False)
def _(q, k, v, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
    if dropout_p or enable_gqa:
        raise Skip("dropout, shared heads")
    if is_causal and q.shape[-2] != k.shape[-2]:
        raise Skip("causal with unequal lengths")
    if attn_mask is not None:
        same(q, attn_mask)
    rest = [f"causal = {number(is_causal)}"]
    rest += [] if scale is None else [f"scale = {float(scale)}"]
    rest += [] if attn_mask is None else [f"mask = {attn_mask}"]
    return f"scaled_dot_product_attention({', '.join([q, k, v, *rest])})"


# ---- losses


def loss(name, target, **options):
    @op(name, ints=False, near=5)
    def text(x, y, reduction="mean", **more):
        same(x, y)
        if set(more) - set(options):
            raise Skip("weights and other options")
        rest = "".join(f", {options[k]} = {float(v)}" for k, v in more.items())
        return f'{target}({x}, {y}{rest}, reduction = "{reduction}")'


loss("nn.functional.mse_loss", "mse_loss")
loss("nn.functional.l1_loss", "l1_loss")
loss("nn.functional.huber_loss", "huber_loss", delta="delta")
loss("nn.functional.smooth_l1_loss", "smooth_l1_loss", beta="beta")


@op("nn.functional.binary_cross_entropy_with_logits", ints=False, near=5)
def _(x, y, weight=None, pos_weight=None, reduction="mean"):
    same(x, y)
    if pos_weight is not None or (weight is not None and weight.shape != x.shape):
        raise Skip("weights that broadcast, or of the positive answers")
    more = "" if weight is None else f", weights = {weight}"
    return f'binary_cross_entropy({x}, {y}{more}, reduction = "{reduction}")'


@op("nn.functional.binary_cross_entropy", ints=False, near=20, narrow=False)
def _(x, y, weight=None, reduction="mean"):
    same(x, y)
    if weight is not None and weight.shape != x.shape:
        raise Skip("weights that broadcast, or of the positive answers")
    more = "" if weight is None else f", weights = {weight}"
    return f'binary_cross_entropy({x}, {y}{more}, with_logits = false, reduction = "{reduction}")'


@op("nn.functional.cross_entropy", ints=False, near=5)
def _(x, labels, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    if weight is not None or ignore_index != -100:
        raise Skip("weights of classes, ignored labels")
    logits = x if x.rank <= 2 else f"moveaxis({x}, 1, -1)"
    if labels.dtype in ("i64", "i32"):
        return f'cross_entropy({logits}, {as_i32(labels)}, label_smoothing = {float(label_smoothing)}, reduction = "{reduction}")'
    if label_smoothing:
        raise Skip("probabilities that are smoothed")
    probabilities = labels if labels.rank <= 2 else f"moveaxis({labels}, 1, -1)"
    return f'soft_cross_entropy({logits}, {probabilities}, reduction = "{reduction}")'


@op("nn.functional.nll_loss", ints=False, near=5)
def _(x, labels, weight=None, ignore_index=-100, reduction="mean"):
    if weight is not None or ignore_index != -100:
        raise Skip("weights of classes, ignored labels")
    if 0 in labels.shape and reduction == "mean":
        raise Skip("the mean of nothing")
    inputs = x if x.rank <= 2 else f"moveaxis({x}, 1, -1)"
    return f'nll_loss({inputs}, {as_i32(labels)}, reduction = "{reduction}")'


@op("nn.functional.gaussian_nll_loss", ints=False, near=10)
def _(x, y, var, full=False, eps=1e-6, reduction="mean"):
    if not isinstance(var, Name) or not x.shape == y.shape == var.shape:
        raise Skip("a variance that broadcasts")
    return f'gaussian_nll_loss({x}, {y}, {var}, full = {number(full)}, eps = {eps}, reduction = "{reduction}")'


@op("nn.functional.margin_ranking_loss", ints=False, near=5)
def _(x, y, target, margin=0.0, reduction="mean"):
    if not x.shape == y.shape == target.shape:
        raise Skip("inputs that broadcast")
    return f'margin_ranking_loss({x}, {y}, {target}, margin = {float(margin)}, reduction = "{reduction}")'


@op("nn.functional.kl_div", ints=False, near=10)
def _(x, y, reduction="mean", log_target=False):
    if not log_target or reduction != "sum" or x.rank == 0:
        raise Skip("targets that are no logarithms, or element by element")
    return f"sum(kl_div_loss({x}, {y}))"


# ---- linear algebra


def matrices(x):
    if x.rank != 2 and x.rank != 3:
        raise Skip("batches of several axes")
    if 0 in x.shape:
        raise Skip("matrices of nothing")


def square_function(name, text_of, near=200, **options):
    @op(name, ints=False, near=near, narrow=False, **options)
    def text(x, *rest, **more):
        matrices(x)
        if rest or any(v not in (None, False, "L") for v in more.values()):
            raise Skip("options of the factorisation")
        return text_of(x)


square_function("linalg.det", lambda x: f"det({x})")
square_function("linalg.inv", lambda x: f"inv({x})", near=1000)
square_function("linalg.slogdet", lambda x: f"slogdet({x})")
square_function("logdet", lambda x: f"slogdet({x}).1")
# PyTorch shares the cotangent between both triangles of a symmetric matrix, the language gives it to the one that it reads
square_function("linalg.cholesky", lambda x: f"cholesky({x})", near=1000, derivative=False)
square_function("matrix_exp", lambda x: f"expm({x})", near=2000)


@op("linalg.svdvals", ints=False, near=500, narrow=False)
def _(x):
    if x.rank != 2 or 0 in x.shape:
        raise Skip("batches of several axes")
    return f"svdvals({x})"


@op("linalg.eigvalsh", ints=False, near=500, narrow=False, derivative=False)
def _(x, UPLO="L"):
    matrices(x)
    return f"eigvalsh({x}, lower = {number(UPLO == 'L')})"


@op("linalg.solve", ints=False, near=1000, narrow=False)
def _(a, b, left=True):
    if a.rank != 2 or 0 in a.shape or 0 in b.shape or not left or b.rank > 2:
        raise Skip("batches of several axes")
    return f"solve({a}, {b})"


@op("linalg.solve_triangular", ints=False, near=1000, narrow=False)
def _(a, b, upper=False, left=True, unitriangular=False):
    if a.rank != 2 or 0 in a.shape or 0 in b.shape or not left:
        raise Skip("batches of several axes")
    return f"solve_triangular({a}, {b}, lower = {number(not upper)}, unit_diagonal = {number(unitriangular)})"


@op("linalg.matrix_power", ints=False, near=1000, narrow=False)
def _(x, n):
    matrices(x)
    return f"matrix_power({x}, {n})"


@op("linalg.pinv", ints=False, near=2000, narrow=False, derivative=True)
def _(x, rtol=None):
    if x.rank != 2 or 0 in x.shape or rtol is not None:
        raise Skip("batches of several axes")
    return f"pinv({x})"


@op("linalg.vector_norm", ints=False, near=10, narrow=False)
def _(x, ord=2, dim=None, keepdim=False, dtype=None):
    if x.rank == 0 or 0 in x.shape:
        raise Skip("norms of nothing or of scalars")
    if dim is None:
        x = Name(f"ravel({x})", (math.prod(x.shape),), x.dtype)
        if keepdim:
            raise Skip("all axes kept")
    if isinstance(dim, (tuple, list)) and len(dim) != 1:
        raise Skip("norms of vectors over several axes")
    return f"norm({cast(x, dtype)}, ord = {number(float(ord))}, axis = {axes(x, dim)}, keepdims = {number(keepdim)})"


IMPORTS = """import { BatchNorm, BatchStats, Embedding, GroupNorm, LayerNorm, RMSNorm, batch_norm, celu, elu, embedding, gelu, gelu_tanh, glu, group_norm,
  hard_shrink, hard_tanh, hardswish, layer_norm, leaky_relu, log_sigmoid, log_softmax, mish, prelu, relu, relu6, rms_norm,
  scaled_dot_product_attention, selu, silu, softmax, softmin, softshrink, softsign } from "std/nn";
import { binary_cross_entropy, cross_entropy, gaussian_nll_loss, huber_loss, kl_div_loss, l1_loss, margin_ranking_loss, mse_loss, nll_loss,
  smooth_l1_loss, soft_cross_entropy } from "std/losses";
import { cholesky, det, eigvalsh, expm, inv, matrix_power, pinv, slogdet, solve, solve_triangular, svdvals } from "std/linalg";"""
