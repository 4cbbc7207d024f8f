"""Writes test/golden/stdlib/layers.json: what PyTorch gives for the functions of std/nn, with the gradients of all their arguments.

usage: python tools/goldens/layers.py        (needs numpy, jax, torch; run from the root of the repository)

The inputs of a case are the arguments in our layouts (features last, weights [I, O] and [O, ...spatial, I]) and a cotangent of the
result; its outputs are the result and the cotangents of the arguments. The programs that are held against them are in
test/support/library-cases.ts, under the same names.
"""

import numpy as np
import torch
import torch.nn.functional as F
from stdlib import case, sample, write
from torch.func import functional_call


def backward(f, *inputs):
    leaves = [torch.from_numpy(np.asarray(x)).requires_grad_() for x in inputs]
    y = f(*leaves)
    cotangent = np.asarray(sample(*y.shape))
    gradients = torch.autograd.grad(y, leaves, torch.from_numpy(cotangent))
    return case([y, *gradients], [*inputs, cotangent])


def forward(f, *inputs):
    return case(f(*[torch.from_numpy(np.asarray(x)) for x in inputs]), inputs)


def first(x):
    """Channels from the last axis to where torch has them."""
    return x.movedim(-1, 1)


def last(x):
    return x.movedim(1, -1)


MODERATE = np.array([-6.5, -4, -2, -1, -0.5, -0.1, 0, 0.1, 0.5, 1, 2, 4, 6, 7], np.float32)
LARGE = np.array([-1e4, -100, -30, 30, 100, 1e4], np.float32)

ACTIVATIONS = {
    "relu": F.relu,
    "relu2": lambda x: F.relu(x) ** 2,
    "relu6": F.relu6,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.1),
    "elu": lambda x: F.elu(x, 1.5),
    "celu": lambda x: F.celu(x, 1.5),
    "selu": F.selu,
    "gelu": F.gelu,
    "gelu_approx": lambda x: F.gelu(x, approximate="tanh"),
    "gelu_fast_approx": lambda x: x * torch.sigmoid(1.702 * x),
    "sigmoid": torch.sigmoid,
    "log_sigmoid": F.logsigmoid,
    "silu": F.silu,
    "mish": F.mish,
    "hardswish": F.hardswish,
    "hard_tanh": lambda x: F.hardtanh(x, -1.5, 2.5),
    "hard_shrink": F.hardshrink,
    "softshrink": F.softshrink,
    "softsign": F.softsign,
    "softplus": F.softplus,
    "tanh": torch.tanh,
    "softmax": lambda x: F.softmax(x, -1),
    "softmin": lambda x: F.softmin(x, -1),
    "log_softmax": lambda x: F.log_softmax(x, -1),
}


def activation_cases():
    cases = {}
    for name, f in ACTIVATIONS.items():
        cases[name] = backward(f, MODERATE)
        cases[f"{name} of large"] = backward(f, LARGE)
    x = sample(2, 3, 4)
    return cases | {
        "step": forward(lambda x: (x >= 0.5).to(x.dtype), MODERATE),
        "glu": backward(lambda x: F.glu(x, -1), x),
        "glu axis 1": backward(lambda x: F.glu(x, 1), sample(2, 4, 3)),
        "prelu": backward(lambda x, a: last(F.prelu(first(x), a)), x, sample(4)),
        "softmax axis 1": backward(lambda x: F.softmax(x, 1), x),
    }


def linear_cases():
    tokens = np.array([[0, 2], [2, 1]], np.int32)
    return {
        "linear": backward(lambda x, w, b: x @ w + b, sample(2, 3, 4), sample(4, 5), sample(5)),
        "bilinear": backward(lambda x, y, w, b: F.bilinear(x, y, w.permute(2, 0, 1), b), sample(2, 3, 4), sample(2, 3, 5), sample(4, 5, 2), sample(2)),
        "embedding": backward(lambda w: F.embedding(torch.from_numpy(tokens), w), sample(3, 4)),
        "embedding_as_linear": backward(lambda x, w: x @ w.T, sample(2, 4), sample(3, 4)),
    }


def conv(f, **options):
    return lambda x, w, b: last(f(first(x), w.movedim(-1, 1), b, **options))


def transposed(f, **options):
    return lambda x, w, b: last(f(first(x), w.movedim(-1, 0), b, **options))


def convolution_cases():
    return {
        "conv1d": backward(conv(F.conv1d, stride=2, padding=1), sample(2, 7, 3), sample(4, 3, 3), sample(4)),
        "conv2d": backward(conv(F.conv2d, padding=1), sample(2, 5, 4, 3), sample(2, 3, 3, 3), sample(2)),
        "conv2d strides": backward(conv(F.conv2d, stride=(2, 1), padding=(0, 2), dilation=(1, 2)), sample(1, 6, 5, 2), sample(3, 2, 3, 2), sample(3)),
        "conv2d groups": backward(conv(F.conv2d, groups=2), sample(1, 4, 4, 4), sample(6, 2, 2, 2), sample(6)),
        "conv3d": backward(conv(F.conv3d), sample(1, 3, 3, 3, 2), sample(2, 2, 2, 2, 2), sample(2)),
        "conv_transpose1d": backward(transposed(F.conv_transpose1d, stride=2, padding=1, output_padding=1), sample(1, 4, 3), sample(2, 3, 3), sample(2)),
        "conv_transpose2d": backward(transposed(F.conv_transpose2d, stride=2, dilation=2), sample(1, 3, 2, 2), sample(2, 2, 3, 2), sample(2)),
        "conv_transpose3d": backward(transposed(F.conv_transpose3d), sample(1, 2, 2, 2, 2), sample(2, 2, 2, 2, 2), sample(2)),
        "max_pool": backward(lambda x: last(F.max_pool2d(first(x), 3, 2, 1)), sample(1, 5, 6, 2)),
        "avg_pool": backward(lambda x: last(F.avg_pool2d(first(x), 2)), sample(1, 4, 6, 2)),
    }


def upsample_cases():
    def linear(mode, scale, corners=False):
        return lambda x: last(F.interpolate(first(x), scale_factor=scale, mode=mode, align_corners=corners))

    return {
        "upsample_nearest": backward(lambda x: last(F.interpolate(first(x), scale_factor=3)), sample(1, 3, 2, 2)),
        "upsample_nearest 1d": backward(lambda x: last(F.interpolate(first(x), scale_factor=2)), sample(2, 3, 2)),
        "upsample_linear": backward(linear("linear", 2), sample(1, 4, 2)),
        "upsample_linear 2d": backward(linear("bilinear", 3), sample(1, 3, 2, 2)),
        "upsample_linear corners": backward(linear("bilinear", 2, True), sample(1, 3, 4, 1)),
        "upsample_linear 3d": backward(linear("trilinear", 2), sample(1, 2, 3, 2, 1)),
    }


def norm_cases():
    x, w, b = sample(4, 3, 6), sample(6), sample(6)
    mean, var = sample(6), np.abs(sample(6)) + np.float32(0.5)

    def train(x, w, b):
        return last(F.batch_norm(first(x), None, None, w, b, training=True))

    new_mean, new_var = torch.from_numpy(mean.copy()), torch.from_numpy(var.copy())
    F.batch_norm(first(torch.from_numpy(x)), new_mean, new_var, training=True, momentum=0.1)
    return {
        "layer_norm": backward(lambda x, w, b: F.layer_norm(x, (6,), w, b), x, w, b),
        "rms_norm": backward(lambda x, w: F.rms_norm(x, (6,), w, 1e-5), x, w),
        "batch_norm": backward(lambda x, w, b, m, v: last(F.batch_norm(first(x), m.detach(), v.detach(), w, b)) + 0 * (m + v), x, w, b, mean, var),
        "batch_norm_train": backward(train, x, w, b),
        "batch_norm_train statistics": case([new_mean, new_var], [x, mean, var]),
        "group_norm": backward(lambda x, w, b: last(F.group_norm(first(x), 3, w, b)), x, w, b),
        "group_norm of images": backward(lambda x, w, b: last(F.group_norm(first(x), 2, w, b)), sample(2, 2, 3, 4), sample(4), sample(4)),
        "instance_norm": backward(lambda x, w, b: last(F.instance_norm(first(x), None, None, w, b)), x, w, b),
        "instance_norm plain": backward(lambda x: last(F.instance_norm(first(x))), x),
    }


def rotate(x, theta, traditional, count):
    """Complex products: pairs of features as numbers, times exp(i theta)."""
    part, rest = x[..., :count], x[..., count:]
    pairs = part.unflatten(-1, (-1, 2)) if traditional else part.unflatten(-1, (2, -1)).movedim(-2, -1)
    turned = torch.view_as_real(torch.view_as_complex(pairs.contiguous()) * torch.polar(torch.ones_like(theta), theta))
    flat = turned.flatten(-2) if traditional else turned.movedim(-1, -2).flatten(-2)
    return torch.cat([flat, rest], -1)


def angles(n, count, base=10000.0, scale=1.0, offset=0):
    place = (torch.arange(n) + offset) * scale
    return (place[:, None] * base ** (-torch.arange(0, count, 2) / count)).float()


def slopes(heads):
    """The recipe of the paper: powers of two, and every other slope of the next power for the rest."""
    power = 2 ** int(np.floor(np.log2(heads)))
    of = lambda n: [2 ** (-8 * (i + 1) / n) for i in range(n)]
    return np.array(of(power) + of(2 * power)[0::2][: heads - power], np.float32)


def sinusoids(x, dims):
    sigma = torch.exp(torch.linspace(0, np.log(0.0001), dims // 2))
    y = x[..., None] * sigma
    return torch.cat([y.sin(), y.cos()], -1) * (2 / dims) ** 0.5


def position_cases():
    distance = -np.abs(np.arange(3)[:, None] + 2 - np.arange(5)[None]).astype(np.float32)
    return {
        "rope": backward(lambda x: rotate(x, angles(5, 6), False, 6), sample(2, 5, 6)),
        "rope traditional": backward(lambda x: rotate(x, angles(5, 4, 100.0, 0.5, 3), True, 4), sample(2, 5, 6)),
        "sinusoidal_positional_encoding": backward(lambda x: sinusoids(x, 6), np.array([0, 1, 2.5, 40], np.float32)),
        "alibi": case(slopes(6)[:, None, None] * distance),
        "alibi of 8 heads": case(slopes(8)[:, None, None] * -np.abs(np.arange(2)[:, None] - np.arange(2)).astype(np.float32)),
    }


def heads(x, h):
    return x.unflatten(-1, (h, -1)).transpose(1, 2)


def multi(x, memory, w, b, w2, b2, h, mask=None):
    d = x.shape[-1]
    q, k, v = x @ w[:, :d] + b[:d], memory @ w[:, d : 2 * d] + b[d : 2 * d], memory @ w[:, 2 * d :] + b[2 * d :]
    y = F.scaled_dot_product_attention(heads(q, h), heads(k, h), heads(v, h), mask)
    return y.transpose(1, 2).flatten(-2) @ w2 + b2


def attention_cases():
    sdpa = F.scaled_dot_product_attention
    q, k, v = sample(2, 2, 3, 4), sample(2, 2, 5, 4), sample(2, 2, 5, 3)
    allowed = np.array([1, 1, 0, 1, 0], bool)
    added = sample(3, 5)
    tail = np.tril(np.ones((3, 5), bool), 2)
    weights = [sample(4, 12), sample(12), sample(4, 4), sample(4)]
    return {
        "attention": backward(sdpa, q, k, v),
        "causal_attention": backward(lambda q, k, v: sdpa(q, k, v, is_causal=True), q, k[:, :, :3], v[:, :, :3]),
        "sdpa bool mask": backward(lambda q, k, v: sdpa(q, k, v, torch.from_numpy(allowed)[None], scale=0.3), q, k, v),
        "sdpa float mask": backward(lambda q, k, v, m: sdpa(q, k, v, m), q, k, v, added),
        "sdpa causal": backward(lambda q, k, v: sdpa(q, k, v, torch.from_numpy(tail)), q, k, v),
        "grouped queries": backward(lambda q, k, v: sdpa(q, k, v, enable_gqa=True), sample(1, 4, 3, 2), sample(1, 2, 3, 2), sample(1, 2, 3, 2)),
        "multi_head_attention": backward(lambda x, *p: multi(x, x, *p, 2), sample(2, 3, 4), *weights),
        "cross_attention": backward(lambda x, m, *p: multi(x, m, *p, 2), sample(2, 3, 4), sample(2, 5, 4), *weights),
    }


def recurrent(kind, extra=None, **options):
    """torch's layer on our weights, with no bias of the state but for the `new` gate of a GRU."""

    def run(x, wx, wh, b, h=None, c=None, *, bn=None):
        module = kind(wx.shape[0], wh.shape[0], batch_first=True, **options)
        hidden_bias = torch.zeros_like(b) if bn is None else torch.cat([torch.zeros(2 * len(bn)), bn])
        weights = {"weight_ih_l0": wx.T, "weight_hh_l0": wh.T, "bias_ih_l0": b, "bias_hh_l0": hidden_bias}
        state = None if h is None else (h[None], c[None]) if c is not None else h[None]
        return functional_call(module, weights, (x,) if state is None else (x, state))[0]

    return run


def recurrent_cases():
    nn = torch.nn
    x, h, c = sample(2, 4, 3), sample(2, 2), sample(2, 2)
    gru = recurrent(nn.GRU)
    return {
        "rnn": backward(recurrent(nn.RNN), x, sample(3, 2), sample(2, 2), sample(2)),
        "rnn relu": backward(recurrent(nn.RNN, nonlinearity="relu"), x, sample(3, 2), sample(2, 2), sample(2), h),
        "lstm": backward(recurrent(nn.LSTM), x, sample(3, 8), sample(2, 8), sample(8)),
        "lstm from a state": backward(recurrent(nn.LSTM), x, sample(3, 8), sample(2, 8), sample(8), h, c),
        "gru": backward(lambda x, wx, wh, b, bn: gru(x, wx, wh, b, bn=bn), x, sample(3, 6), sample(2, 6), sample(6), sample(2)),
        "gru from a state": backward(lambda x, wx, wh, b, bn, h: gru(x, wx, wh, b, h, bn=bn), x, sample(3, 6), sample(2, 6), sample(6), sample(2), h),
    }


def attention_weights(prefix, p):
    names = ["in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"]
    return {f"{prefix}.{n}": (v.T if "weight" in n else v) for n, v in zip(names, p)}


def encoder(norm_first):
    module = torch.nn.TransformerEncoderLayer(4, 2, 6, 0.0, batch_first=True, norm_first=norm_first)

    def run(x, *p):
        names = ["norm1.weight", "norm1.bias", "norm2.weight", "norm2.bias", "linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]
        rest = {n: (v.T if n.startswith("linear") and "weight" in n else v) for n, v in zip(names, p[4:])}
        return functional_call(module, attention_weights("self_attn", p) | rest, (x,))

    return run


def decoder(norm_first):
    module = torch.nn.TransformerDecoderLayer(4, 2, 6, 0.0, batch_first=True, norm_first=norm_first)
    causal = torch.nn.Transformer.generate_square_subsequent_mask(3)

    def run(x, memory, *p):
        norms = [f"norm{i}.{n}" for i in (1, 2, 3) for n in ("weight", "bias")]
        names = [*norms, "linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]
        rest = {n: (v.T if n.startswith("linear") and "weight" in n else v) for n, v in zip(names, p[8:])}
        weights = attention_weights("self_attn", p) | attention_weights("multihead_attn", p[4:]) | rest
        return functional_call(module, weights, (x, memory), {"tgt_mask": causal})

    return run


def transformer_cases():
    attention = lambda: [sample(4, 12), sample(12), sample(4, 4), sample(4)]
    network = lambda: [sample(4, 6), sample(6), sample(6, 4), sample(4)]
    norms = lambda n: [sample(4) for _ in range(2 * n)]
    encoded = [sample(2, 3, 4), *attention(), *norms(2), *network()]
    decoded = [sample(1, 3, 4), sample(1, 2, 4), *attention(), *attention(), *norms(3), *network()]
    return {
        "transformer_encoder_layer": backward(encoder(False), *encoded),
        "transformer_encoder_layer norm first": backward(encoder(True), *encoded),
        "transformer_decoder_layer": backward(decoder(False), *decoded),
        "transformer_decoder_layer norm first": backward(decoder(True), *decoded),
    }


if __name__ == "__main__":
    torch.manual_seed(0)
    write(
        "layers",
        activation_cases()
        | linear_cases()
        | convolution_cases()
        | upsample_cases()
        | norm_cases()
        | position_cases()
        | attention_cases()
        | recurrent_cases()
        | transformer_cases(),
    )
