"""Writes test/golden/stdlib/losses.json: what PyTorch gives for the functions of std/losses, with the gradients of all float arguments.

usage: python tools/goldens/losses.py        (needs numpy, jax, torch; run from the root of the repository)

MLX's definition counts where the two differ (`kl_div_loss` sums over an axis, `triplet_loss` adds eps under the root).
"""

import numpy as np
import torch
import torch.nn.functional as F
from layers import backward
from stdlib import sample, write


def losses():
    x, y, z = sample(4, 5), sample(4, 5), sample(4, 5)
    logits, labels = sample(4, 3) * np.float32(3), np.array([0, 2, 1, 2])
    weights = np.array([1, 0.5, 0, 2], np.float32)
    probabilities = torch.softmax(torch.from_numpy(sample(4, 3)), -1).numpy()
    chances = np.array([[0.01, 0.5], [0.99, 0.3]], np.float32)
    answers = np.array([[0, 1], [1, 0.25]], np.float32)
    signs = np.where(sample(4, 5) > 0, 1, -1).astype(np.float32)
    variances = np.abs(sample(4, 5)) + np.float32(0.1)
    log_p = torch.log_softmax(torch.from_numpy(sample(4, 3)), -1).numpy()
    log_q = torch.log_softmax(torch.from_numpy(sample(4, 3)), -1).numpy()
    target = torch.from_numpy(labels)
    each = {"reduction": "none"}
    tiny = np.array([-200, -50, 50, 200], np.float32)

    def norm(v, p):
        return (v.abs().pow(p).sum(-1) + 1e-6).pow(1 / p)

    return {
        "cross_entropy": backward(lambda l: F.cross_entropy(l, target, **each), logits),
        "cross_entropy weights": backward(lambda l, w: F.cross_entropy(l, target, **each) * w, logits, weights),
        "cross_entropy smoothing": backward(lambda l: F.cross_entropy(l, target, label_smoothing=0.1), logits),
        "cross_entropy of large": backward(lambda l: F.cross_entropy(l, target, **each), logits * np.float32(1000)),
        "soft_cross_entropy": backward(lambda l, p: F.cross_entropy(l, p, reduction="sum"), logits, probabilities),
        "binary_cross_entropy": backward(lambda x, t: F.binary_cross_entropy_with_logits(x, t, **each), sample(2, 2), answers),
        "binary_cross_entropy of large": backward(lambda x: F.binary_cross_entropy_with_logits(x, torch.ones(4), **each), tiny),
        "binary_cross_entropy probabilities": backward(lambda p: F.binary_cross_entropy(p, torch.from_numpy(answers)), chances),
        "nll_loss": backward(lambda l: F.nll_loss(l, target, **each), log_p),
        "kl_div_loss": backward(lambda q, p: F.kl_div(q, p, log_target=True, **each).sum(-1), log_q, log_p),
        "hinge_loss": backward(lambda x, t: torch.relu(1 - x * t), x, signs),
        "mse_loss": backward(F.mse_loss, x, y),
        "mse_loss sum": backward(lambda x, y: F.mse_loss(x, y, reduction="sum"), x, y),
        "l1_loss": backward(lambda x, y: F.l1_loss(x, y, **each), x, y),
        "smooth_l1_loss": backward(lambda x, y: F.smooth_l1_loss(x, y, beta=0.5), x, y),
        "huber_loss": backward(lambda x, y: F.huber_loss(x, y, delta=0.7, **each), x, y),
        "log_cosh_loss": backward(lambda x, y: (x - y).cosh().log(), x, y),
        "gaussian_nll_loss": backward(lambda x, y, v: F.gaussian_nll_loss(x, y, v, full=True, eps=0.3), x, y, variances),
        "cosine_similarity_loss": backward(lambda x, y: F.cosine_similarity(x, y), x, y),
        "margin_ranking_loss": backward(lambda x, y, t: F.margin_ranking_loss(x, y, t, margin=0.3, **each), x, y, signs),
        "triplet_loss": backward(lambda a, p, n: torch.relu(norm(a - p, 2) - norm(a - n, 2) + 1), x, y, z),
        "triplet_loss p 3": backward(lambda a, p, n: torch.relu(norm(a - p, 3) - norm(a - n, 3) + 0.5).mean(), x, y, z),
    }


if __name__ == "__main__":
    torch.manual_seed(0)
    write("losses", losses())
