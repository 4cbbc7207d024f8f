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


def adamw_model(*arrays):
    """The leaves of parameters, gradients and state, in the order of the struct; the step count is last of the state."""
    n = 48
    p, g, rest = arrays[:n], arrays[n : 2 * n], arrays[2 * n :]
    m, v = [x for x in rest if x.ndim][:n], [x for x in rest if x.ndim][n:]
    results = []
    for p, g, m, v in zip(p, g, m, v, strict=True):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        results += [p * (1 - 1e-5) - 1e-3 * m / (torch.sqrt(v) + 1e-8), m, v]
    return tuple(results)


FORMULAS |= {
    "softmax_rows": FORMULAS["softmax"],
    "softmax_half": FORMULAS["softmax"],
    "softmax_bfloat": FORMULAS["softmax"],
    "softmax_backward": lambda y, dy: y * (dy - (y * dy).sum(1, keepdim=True)),
    "log_softmax_rows": lambda x: torch.log_softmax(x, 1),
    "logsumexp_rows": lambda x: torch.logsumexp(x, 1),
    "loss": lambda x, labels: F.cross_entropy(x, labels.long()),
    "loss_gradient": lambda x, labels: (torch.softmax(x, 1) - F.one_hot(labels.long(), x.shape[1])) / x.shape[0],
    "layer_norm_rows": FORMULAS["layer_norm"],
    "rms_norm_rows": lambda x, w: F.rms_norm(x, (x.shape[1],), w, 1e-5),
    "rms_norm_half": lambda x, w: F.rms_norm(x, (x.shape[1],), w, 1e-5),
    "rms_norm_backward": lambda x, w, dy: rms_norm_backward(x, w, dy),
    "residual_norm": lambda x, r, w, b: (x + r, F.layer_norm(x + r, (x.shape[1],), w, b, 1e-5)),
    "gelu_backward": lambda x, dy: torch.ops.aten.gelu_backward(dy, x),
    "swiglu": lambda x, y: F.silu(x) * y,
    "swiglu_half": lambda x, y: F.silu(x) * y,
    "bias_relu": lambda x, b: torch.relu(x + b),
    "adamw_model": adamw_model,
    "transposed": lambda x: x.t().contiguous(),
    "transposed_half": lambda x: x.t().contiguous(),
    "batch_transposed": lambda x: x.transpose(1, 2).contiguous(),
    "heads_first": lambda x: x.transpose(1, 2).contiguous(),
    "rows_of": lambda tokens, w: w[tokens.long()],
    "joined": lambda x, y: torch.cat([x, y], 1),
    "shifted": lambda x: F.pad(x[:, 1:], (0, 1)),
    "row_sum_half": lambda x: x.sum(1),
    "row_max": lambda x: x.amax(1),
    "row_argmax": lambda x: x.argmax(1).int(),
    "total": lambda x: x.sum(),
    "column_sum_half": lambda x: x.sum(0),
    "middle_sum": lambda x: x.sum(1),
    "column_softmax": lambda x: torch.softmax(x, 0),
    "channel_moments": lambda x: (x.mean((0, 2)), x.var((0, 2), unbiased=False)),
}


def rms_norm_backward(x, w, dy):
    scale = torch.rsqrt((x * x).mean(1, keepdim=True) + 1e-5)
    g = dy * w
    return scale * g - x * scale**3 * (g * x).mean(1, keepdim=True), (dy * x * scale).sum(0)


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
        if name not in jax_peers.FORMULAS:
            raise LookupError("not compared")
        return jax_peers.function_call(name, inputs), jax_peers.seconds_of
    from training_peers import jax_call as training_call

    return training_call(name, sizes), jax_peers.seconds_of


def difference(theirs, ours):
    theirs = theirs[0] if isinstance(theirs, tuple) else theirs
    theirs = torch.from_dlpack(theirs)
    return float((ours.reshape(theirs.shape) - theirs).abs().max())
