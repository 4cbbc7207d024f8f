"""Golden results of windows and convolutions: JAX, PyTorch and NumPy in float64, with derivatives.

Usage: python tools/goldens/windows.py test/golden/windows      (needs numpy, jax, torch)

primitives.json: cases {name, attrs, operands, tangents, cotangent, result, jvp, vjp} of conv_general and reduce_window from JAX.
programs.json: cases {expression, operands, results, cotangents, vjp} of functions of the prelude from PyTorch and NumPy; the
operands are called a, b, c; without cotangents there are no derivatives.
"""
import json
import sys
from pathlib import Path

import jax

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")
import jax.numpy as jnp
import numpy as np
import torch
import torch.nn.functional as F
from jax import lax

rng = np.random.default_rng(5)
NAMES = {np.dtype(np.float64): "f64", np.dtype(np.int32): "i32"}


def draw(shape):
    return np.round(rng.uniform(-2, 2, shape), 3)


def tensor(a):
    a = np.asarray(a)
    return {"dtype": NAMES[a.dtype], "shape": list(a.shape), "data": [float(f"{x:.15g}") for x in a.ravel()]}


def with_derivatives(name, attrs, f, operands):
    operands = [jnp.asarray(x) for x in operands]
    tangents = [draw(x.shape) for x in operands]
    result, pullback = jax.vjp(f, *operands)
    cotangent = draw(result.shape)
    _, jvp = jax.jvp(f, operands, [jnp.asarray(t) for t in tangents])
    return {
        "name": name, "attrs": attrs, "operands": [tensor(x) for x in operands],
        "tangents": [tensor(t) for t in tangents], "cotangent": tensor(cotangent), "result": tensor(result),
        "jvp": tensor(jvp), "vjp": [tensor(c) for c in pullback(jnp.asarray(cotangent))],
    }


def convolution(x, w, stride=None, pad=None, input=None, kernel=None, groups=1, flip=False):
    n = len(x) - 2
    stride, input, kernel = stride or [1] * n, input or [1] * n, kernel or [1] * n
    pad = pad or [(0, 0)] * n
    attrs = {
        "stride": stride, "low": [p[0] for p in pad], "high": [p[1] for p in pad], "inputDilation": input,
        "kernelDilation": kernel, "groups": groups, "flip": flip,
    }
    letters = "DHW"[3 - n:]

    def f(x, w):
        if flip:
            w = jnp.flip(w, tuple(range(1, n + 1)))
        return lax.conv_general_dilated(
            x, w, stride, pad, lhs_dilation=input, rhs_dilation=kernel, feature_group_count=groups,
            dimension_numbers=(f"N{letters}C", f"O{letters}I", f"N{letters}C"), precision="highest",
        )

    return with_derivatives("conv_general", attrs, f, [draw(x), draw(w)])


def convolutions():
    yield convolution((2, 5, 4, 3), (4, 3, 2, 3), pad=[(1, 1), (0, 1)])
    yield convolution((2, 9, 2), (3, 3, 2), stride=[2], pad=[(1, 0)])
    yield convolution((1, 8, 2), (2, 3, 2), stride=[3], pad=[(2, 1)])  # elements that no window reaches
    yield convolution((1, 4, 5, 3, 2), (2, 2, 3, 1, 2), stride=[1, 2, 2])
    yield convolution((1, 10, 2), (2, 3, 2), kernel=[3], pad=[(2, -1)])
    yield convolution((2, 4, 5, 3), (2, 3, 2, 3), input=[2, 3], pad=[(2, 1), (0, 2)], flip=True)
    yield convolution((1, 5, 2), (2, 2, 2), input=[3], kernel=[2], stride=[2], pad=[(1, 1)])
    yield convolution((2, 9, 2), (2, 3, 2), pad=[(-2, -1)], stride=[2])
    yield convolution((2, 6, 6), (4, 3, 3), groups=2, stride=[2], pad=[(1, 2)])
    yield convolution((1, 5, 5, 6), (6, 3, 3, 1), groups=6, pad=[(1, 1), (1, 1)])
    yield convolution((1, 5, 4), (8, 2, 1), groups=4, flip=True, kernel=[2])
    yield convolution((2, 3, 3, 4), (5, 1, 1, 4), stride=[2, 2])
    yield convolution((3, 4), (2, 4))


def windows(x, window, stride, dilation, input, pad, fill):
    """Every window of x, by indexing: the axes of the windows come last."""
    padded = lax.pad(x, jnp.asarray(fill, x.dtype), [(lo, hi, d - 1) for (lo, hi), d in zip(pad, input)])
    places = []
    n = x.ndim
    for axis in range(n):
        count = (padded.shape[axis] - (window[axis] - 1) * dilation[axis] - 1) // stride[axis] + 1
        place = np.arange(count)[:, None] * stride[axis] + np.arange(window[axis])[None] * dilation[axis]
        shape = [1] * (2 * n)
        shape[axis], shape[n + axis] = place.shape
        places.append(place.reshape(shape))
    return padded[tuple(places)]


def reduction(monoid, x, window, stride=None, dilation=None, input=None, pad=None):
    n = len(x)
    stride, dilation, input = stride or [1] * n, dilation or [1] * n, input or [1] * n
    pad = pad or [(0, 0)] * n
    attrs = {
        "monoid": monoid, "window": window, "stride": stride, "dilation": dilation, "inputDilation": input,
        "low": [p[0] for p in pad], "high": [p[1] for p in pad],
    }
    fill, scalar, reduce = {
        "sum": (0.0, lax.add, jnp.sum), "prod": (1.0, lax.mul, jnp.prod),
        "max": (-np.inf, lax.max, jnp.max), "min": (np.inf, lax.min, jnp.min),
    }[monoid]

    def f(x):
        return reduce(windows(x, window, stride, dilation, input, pad, fill), axis=tuple(range(n, 2 * n)))

    value = draw(x)
    made = with_derivatives("reduce_window", attrs, f, [value])
    result = lax.reduce_window(jnp.asarray(value), fill, scalar, window, stride, pad, input, dilation)
    made["result"] = tensor(result)
    return made


def reductions():
    for monoid in ("sum", "prod", "max", "min"):
        yield reduction(monoid, (2, 5, 4), [1, 2, 3], stride=[1, 2, 1], pad=[(0, 0), (1, 0), (0, 1)])
        yield reduction(monoid, (9, 2), [3, 1], dilation=[2, 1], pad=[(0, 1), (0, 0)])
        yield reduction(monoid, (4, 3), [3, 2], input=[2, 1], stride=[2, 1], pad=[(1, 1), (0, 0)])
        yield reduction(monoid, (10,), [3], pad=[(-2, -1)], stride=[2])


def program(expression, f, *shapes, derivatives=True):
    operands = [draw(s) for s in shapes]
    inputs = [torch.tensor(x, requires_grad=derivatives) for x in operands]
    result = f(*inputs)
    made = {"expression": expression, "operands": [tensor(x) for x in operands], "result": tensor(result.detach().numpy())}
    if derivatives:
        cotangent = draw(tuple(result.shape))
        made["cotangent"] = tensor(cotangent)
        made["vjp"] = [tensor(g.numpy()) for g in torch.autograd.grad(result, inputs, torch.tensor(cotangent))]
    return made


def last(x):
    """NC... as N...C."""
    return x.movedim(1, -1)


def first(x):
    return x.movedim(-1, 1)


def programs():
    def conv(n, **options):
        f = [F.conv1d, F.conv2d, F.conv3d][n - 1]
        return lambda x, w: last(f(first(x), first(w), **options))

    def transpose(n, **options):
        f = [F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d][n - 1]
        groups = options.get("groups", 1)

        def run(x, w):
            # w[O, ..., C / groups] as [C, O / groups, ...]
            parts = [first(part).transpose(0, 1) for part in w.chunk(groups, 0)]
            return last(f(first(x), torch.cat(parts, 0), **options))

        return run

    yield program("conv1d(a, b)", conv(1), (2, 7, 3), (4, 3, 3))
    yield program("conv1d(a, b, 2, 1, 2, groups = 2)", conv(1, stride=2, padding=1, dilation=2, groups=2), (2, 9, 4), (6, 3, 2))
    yield program("conv2d(a, b, (2, 1), (1, 2))", conv(2, stride=(2, 1), padding=(1, 2)), (1, 5, 6, 2), (3, 3, 3, 2))
    yield program('conv2d(a, b, padding = "same")', conv(2, padding="same"), (1, 5, 4, 2), (3, 3, 2, 2))
    yield program('conv_general(a, b, padding = "valid")', conv(2, padding="valid"), (1, 5, 4, 2), (3, 3, 2, 2))
    yield program("conv3d(a, b, padding = (1, 0, 1))", conv(3, padding=(1, 0, 1)), (1, 3, 4, 3, 2), (2, 2, 3, 2, 2))
    yield program("conv_transpose1d(a, b, 3, 1, 2, 1)", transpose(1, stride=3, padding=1, dilation=2, output_padding=1), (2, 4, 3), (2, 3, 3))
    yield program(
        "conv_transpose2d(a, b, stride = 2, padding = 1, output_padding = (1, 0), groups = 2)",
        transpose(2, stride=2, padding=1, output_padding=(1, 0), groups=2), (1, 3, 4, 4), (6, 3, 3, 2),
    )
    yield program("conv_transpose3d(a, b, stride = (1, 2, 1))", transpose(3, stride=(1, 2, 1)), (1, 2, 2, 3, 2), (2, 2, 2, 1, 2))
    yield program("max_pool(a, 2)", lambda x: last(F.max_pool2d(first(x), 2)), (2, 5, 6, 3))
    yield program("max_pool(a, (3, 2), 2, 1)", lambda x: last(F.max_pool2d(first(x), (3, 2), 2, 1)), (1, 6, 5, 2))
    yield program("max_pool(a, 3, stride = 1)", lambda x: last(F.max_pool1d(first(x), 3, 1)), (1, 7, 2))
    yield program("min_pool(a, 2)", lambda x: last(-F.max_pool3d(-first(x), 2)), (1, 4, 2, 5, 2))
    yield program("avg_pool(a, 3, 2, 1)", lambda x: last(F.avg_pool2d(first(x), 3, 2, 1)), (1, 7, 6, 2))
    yield program(
        "avg_pool(a, 3, 2, 1, count_include_pad = false)",
        lambda x: last(F.avg_pool2d(first(x), 3, 2, 1, count_include_pad=False)), (1, 7, 6, 2),
    )
    for mode in ("full", "same", "valid"):
        for n, k in [(7, 3), (7, 4), (3, 6), (4, 4)]:
            for name in ("convolve", "correlate"):
                f = getattr(np, name)
                yield program(
                    f'{name}(a, b, "{mode}")', lambda a, b: torch.tensor(f(a.numpy(), b.numpy(), mode)), (n,), (k,), derivatives=False,
                )
    view = np.lib.stride_tricks.sliding_window_view
    for arguments in ("(2, 3)", "2, 0", "(2, 2), (1, 0)"):
        yield program(
            f"sliding_window_view(a, {arguments})",
            lambda a: torch.tensor(eval(f"view(a.numpy(), {arguments})", {"view": view, "a": a})), (4, 5), derivatives=False,
        )


def write(folder, name, cases):
    lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    (folder / f"{name}.json").write_text(f"[\n{lines}\n]\n")


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    write(folder, "primitives", [*convolutions(), *reductions()])
    write(folder, "programs", list(programs()))


if __name__ == "__main__":
    main()
