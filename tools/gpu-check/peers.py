"""The functions that are timed, of tools/bench/programs/kernels.mlx and of programs/, in PyTorch and JAX, on the same inputs."""

import torch
import torch.nn.functional as F
from measure import seconds_of

FORMULAS = {
    "gelu_chain": lambda x: F.gelu(x * 1.5 + 0.5, approximate="none") * x,
    "softmax": lambda x: torch.softmax(x, -1),
    "layer_norm": lambda x, w, b: F.layer_norm(x, (x.shape[-1],), w, b, 1e-5),
    "column_sum": lambda x: x.sum(0),
    "mean_squared_error": lambda x, y: ((x - y) ** 2).mean(),
    "row_sum": lambda x: x.sum(1),
    "layer_norm_backward": lambda x, w, b, dy: torch.ops.aten.native_layer_norm_backward(
        dy, x, [x.shape[-1]], *statistics(x), w, b, [True, True, True]
    ),
    "cumsum_rows": lambda x: x.cumsum(1),
    "cumsum_columns": lambda x: x.cumsum(0),
    "cumsum_long": lambda x: x.cumsum(0),
    "argsort_rows": lambda x: x.argsort(dim=-1, stable=True).int(),
    "argsort_long": lambda x: x.argsort(stable=True).int(),
    "gemm": lambda a, b: a @ b,
    "linear_gelu": lambda x, w, b: F.gelu(x @ w + b, approximate="none"),
    "attention": lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
}


def statistics(x):
    """Mean and 1 / standard deviation of each row, as the forward pass leaves them."""
    variance, mean = torch.var_mean(x, -1, keepdim=True, unbiased=False)
    return mean, torch.rsqrt(variance + 1e-5)


def peer_times(case, inputs, results):
    """For each peer its seconds and a line for people, which for functions also tells how far its results are from ours."""
    torch.backends.cuda.matmul.allow_tf32 = False
    name, sizes = case["peer"], case.get("sizes")
    make = {
        "torch eager": lambda: torch_call(name, sizes, inputs, False),
        "torch.compile": lambda: torch_call(name, sizes, inputs, True),
        "jax": lambda: jax_call(name, sizes, inputs),
    }
    times = {}
    for peer, make_call in make.items():
        try:
            call, seconds_for = make_call()
            seconds = seconds_for(call)
            line = f"{seconds * 1e6:.1f} us"
            if sizes is None:
                line += f", largest difference {difference(call(), results[0]):.1e}"
            times[peer] = (seconds, line)
        except Exception as error:  # a peer that cannot run is told, not fatal
            times[peer] = (None, f"{type(error).__name__}: {str(error)[:200]}")
    return times


def torch_call(name, sizes, inputs, compiled):
    if sizes is not None:
        from training_peers import torch_call as training_call

        return training_call(name, sizes, compiled), seconds_of
    formula = torch.compile(FORMULAS[name]) if compiled else FORMULAS[name]

    def call():
        with torch.no_grad():
            return formula(*inputs)

    return call, seconds_of


def jax_call(name, sizes, inputs):
    import jax_peers

    if sizes is None:
        return jax_peers.function_call(name, inputs), jax_peers.seconds_of
    from training_peers import jax_call as training_call

    return training_call(name, sizes), jax_peers.seconds_of


def difference(theirs, ours):
    theirs = theirs[0] if isinstance(theirs, tuple) else theirs
    theirs = torch.from_dlpack(theirs)
    return float((ours.reshape(theirs.shape) - theirs).abs().max())
