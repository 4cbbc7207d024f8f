"""Writes test/golden/programs/sequences.json: filtering, dynamic programming and search, done plainly in NumPy and JAX.

usage: python tools/goldens/sequences.py        (needs numpy and jax; run from the root of the repository)
"""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
from case_files import CaseFile

jax.config.update('jax_enable_x64', True)
rng = np.random.default_rng(0)
file = CaseFile('test/golden/programs/sequences.json')


def normal(*shape):
    return rng.standard_normal(shape).astype(np.float32).astype(np.float64)


def add(function, arguments, result, tolerance=None):
    file.add('sequences', function, arguments, result, tolerance)


def kalman(k, start, zs):
    mean, cov, means, total = start['mean'], start['cov'], [], 0.0
    for z in zs:
        mean, cov = k['f'] @ mean, k['f'] @ cov @ k['f'].T + k['q']
        v, s = z - k['h'] @ mean, k['h'] @ cov @ k['h'].T + k['r']
        gain = cov @ k['h'].T @ jnp.linalg.inv(s)
        total += 0.5 * v @ jnp.linalg.inv(s) @ v
        mean, cov = mean + gain @ v, (jnp.eye(4) - gain @ k['h']) @ cov
        means.append(mean)
    return {'mean': mean, 'cov': cov}, jnp.stack(means), total


half = normal(2, 2)
k = {'f': np.eye(4) + 0.1 * normal(4, 4), 'h': normal(2, 4), 'q': 0.1 * np.eye(4), 'r': half @ half.T + np.eye(2)}
k = {name: v.astype(np.float32).astype(np.float64) for name, v in k.items()}
start, zs = {'mean': np.zeros(4), 'cov': np.eye(4)}, normal(7, 2)
add('kalman', [k, start, zs], list(kalman(k, start, zs)), 1e-4)
add('kalman_gradient', [k, start, zs], jax.grad(lambda k: kalman(k, start, zs)[2])(k), 2e-3)

for states, times in ((3, 1), (3, 5), (2, 7)):
    pi, steps, emitted = normal(states), normal(states, states), normal(times, states)
    paths = list(itertools.product(range(states), repeat=times))

    def score(path, emitted):
        total = pi[path[0]] + emitted[0, path[0]]
        for t in range(1, times):
            total += steps[path[t - 1], path[t]] + emitted[t, path[t]]
        return total

    best = max(paths, key=lambda p: score(p, emitted))
    add('viterbi', [pi, steps, emitted], [np.array(best, np.int32), score(best, emitted)])
    evidence = lambda e: jax.nn.logsumexp(jnp.stack([score(p, e) for p in paths]))
    add('posterior', [pi, steps, emitted], list(jax.value_and_grad(evidence)(jnp.asarray(emitted))), 1e-4)

for a, b in (('kitten', 'sitting'), ('', 'abc'), ('abc', ''), ('flaw', 'lawn')):
    d = np.zeros((len(a) + 1, len(b) + 1), int)
    d[:, 0], d[0] = range(len(a) + 1), range(len(b) + 1)
    for i, j in itertools.product(range(len(a)), range(len(b))):
        d[i + 1, j + 1] = min(d[i, j + 1] + 1, d[i + 1, j] + 1, d[i, j] + (a[i] != b[j]))
    letters = [np.array([ord(c) for c in word], np.int32) for word in (a, b)]
    add('edit_distance', letters, np.int32(d[-1, -1]))

logits = normal(3, 9)
kept = np.full_like(logits, -np.inf)
for row, out in zip(logits, kept):
    order = np.argsort(-row, kind='stable')
    shares = np.exp(row[order]) / np.exp(row).sum()
    keep = order[np.cumsum(shares) - shares < 0.6]
    out[keep] = row[keep]
add('nucleus', [logits, np.array(0.6)], kept)

table = normal(5, 5)
beams = [([2], 0.0)]
for _ in range(5):
    longer = [(path + [v], s + table[path[-1], v]) for path, s in beams for v in range(5)]
    beams = sorted(longer, key=lambda beam: -beam[1])[:3]
add('beam_search', [table, np.int32(2)], [np.array([p for p, _ in beams], np.int32), np.array([s for _, s in beams])])

m = normal(8, 8)
a, b = (m @ m.T + 8 * np.eye(8)).astype(np.float32).astype(np.float64), normal(8)
steps = 0
x, r = np.zeros(8), b.copy()
p, size = r.copy(), b @ b
while size > 1e-9:
    alpha = size / (p @ a @ p)
    x, r = x + alpha * p, r - alpha * a @ p
    p, size, steps = r + (r @ r) / size * p, r @ r, steps + 1
add('conjugate_gradients', [a, b], [x, np.int32(steps)], 1e-4)
file.write()
