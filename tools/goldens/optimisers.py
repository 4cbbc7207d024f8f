"""Writes test/golden/stdlib/optimisers.json: parameters after ten steps on given gradients, by torch.optim; by NumPy for Lion and Muon, which torch
lacks or computes in bf16. And values of schedules, by their formulas in f64.

usage: python tools/goldens/optimisers.py        (needs numpy, jax, torch; run from the root of the repository)

Inputs are a matrix, a vector and the gradients of ten steps for each.
"""

import numpy as np
import torch
from stdlib import case, sample, write

STEPS = 10
MATRIX, VECTOR = sample(4, 3), sample(4)
GRADIENTS = [sample(STEPS, 4, 3), sample(STEPS, 4)]


def case_of(results):
    return case([np.asarray(x, np.float32) for x in results], [MATRIX, VECTOR, *GRADIENTS])


def by_torch(make):
    params = [torch.nn.Parameter(torch.from_numpy(x.copy())) for x in (MATRIX, VECTOR)]
    optimizer = make(params)
    for step in range(STEPS):
        for p, g in zip(params, GRADIENTS):
            p.grad = torch.from_numpy(g[step].copy())
        optimizer.step()
    return case_of([p.detach().numpy() for p in params])


def by_numpy(step):
    """`step(p, g, state) -> (p, state)` in f64, from a state of zeros."""
    results = []
    for p, grads in zip((MATRIX, VECTOR), GRADIENTS):
        p, state = p.astype(np.float64), np.zeros(p.shape)
        for g in grads.astype(np.float64):
            p, state = step(p, g, state)
        results.append(p)
    return case_of(results)


def lion(lr, b1, b2, decay):
    return lambda p, g, m: (p * (1 - lr * decay) - lr * np.sign(b1 * m + (1 - b1) * g), b2 * m + (1 - b2) * g)


def zeroth_power(x):
    """On the short side of the matrix, as published."""
    y = x if x.shape[0] <= x.shape[1] else x.T
    y = y / np.linalg.norm(y)
    for _ in range(5):
        gram = y @ y.T
        y = 3.4445 * y + (-4.775 * gram + 2.0315 * gram @ gram) @ y
    return y if x.shape[0] <= x.shape[1] else y.T


def muon(lr, momentum, decay, nesterov):
    def step(p, g, m):
        m = momentum * m + (1 - momentum) * g
        u = momentum * m + (1 - momentum) * g if nesterov else m
        if p.ndim == 2:
            # the matrix reads what its first axis counts, and makes what its second counts
            u = zeroth_power(u) * np.sqrt(max(1, p.shape[1] / p.shape[0]))
        return p * (1 - lr * decay) - lr * u, m

    return step


def cosine(init, steps, end, t):
    return end + (init - end) * (1 + np.cos(np.pi * min(t, steps) / steps)) / 2


def linear(init, end, steps, t):
    return init + (end - init) * min(t, steps) / steps


def schedules():
    steps = np.array([0, 1, 5, 10, 11, 50, 99, 100, 500], np.int32)

    def of(f):
        return case(np.array([f(int(t)) for t in steps], np.float32), [steps])

    return {
        "exponential_decay": of(lambda t: 0.1 * 0.95**t),
        "step_decay": of(lambda t: 0.1 * 0.5 ** (t // 10)),
        "cosine_decay": of(lambda t: cosine(0.1, 100, 0.01, t)),
        "linear_schedule": of(lambda t: linear(0.01, 0.1, 50, t)),
        "warmup_cosine_decay": of(lambda t: linear(0, 0.1, 10, t) if t < 10 else cosine(0.1, 90, 0.02, t - 10)),
        "join_schedules": of(lambda t: linear(0, 0.1, 10, t) if t < 10 else cosine(0.1, 40, 0, t - 10) if t < 50 else 0.05 * 0.9 ** (t - 50)),
    }


def optimisers():
    o = torch.optim
    return {
        "sgd": by_torch(lambda p: o.SGD(p, lr=0.1)),
        "sgd momentum": by_torch(lambda p: o.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01, dampening=0.3)),
        "sgd nesterov": by_torch(lambda p: o.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01, nesterov=True)),
        "adam": by_torch(lambda p: o.Adam(p, lr=0.01, weight_decay=0.1)),
        "adamw": by_torch(lambda p: o.AdamW(p, lr=0.01)),
        "adamax": by_torch(lambda p: o.Adamax(p, weight_decay=0.1)),
        "rmsprop": by_torch(lambda p: o.RMSprop(p)),
        "rmsprop momentum": by_torch(lambda p: o.RMSprop(p, lr=0.02, alpha=0.9, momentum=0.8, weight_decay=0.1)),
        "adagrad": by_torch(lambda p: o.Adagrad(p, lr=0.1, lr_decay=0.1, weight_decay=0.1)),
        "adadelta": by_torch(lambda p: o.Adadelta(p, weight_decay=0.1)),
        "adafactor": by_torch(lambda p: o.Adafactor(p, weight_decay=0.1)),
        "adafactor fast": by_torch(lambda p: o.Adafactor(p, lr=0.5, d=1.5)),
        "lion": by_numpy(lion(0.01, 0.9, 0.99, 0.1)),
        "muon": by_numpy(muon(0.05, 0.95, 0.1, True)),
        "muon plain": by_numpy(muon(0.05, 0.9, 0.0, False)),
    }


def clipping():
    x = sample(2, 3)
    return {"clip_by_value": case([np.clip(x, -0.5, 0.5), np.clip(VECTOR, -0.5, 0.5)], [x, VECTOR])}


if __name__ == "__main__":
    write("optimisers", optimisers() | schedules() | clipping())
