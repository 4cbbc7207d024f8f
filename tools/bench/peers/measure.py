"""The peers' side of `npm run bench -- cpu`: measures one framework at a time on request.

Reads one JSON request a line on stdin, answers one JSON line on stdout:

    {"peers": true}                                   -> {"peers": {"numpy": "2.1.0", ...}, "missing": {"mlx": "reason"}}
    {"prepare": "gemm", "sizes": {...}, "peer": "jax"} -> {"ready": true, "launches": null} or {"absent": "reason"}
    {"sample": "jax", "seconds": 0.1}                  -> {"seconds": 0.0012, "calls": 80}
    {"compile": "gpt_step", "sizes": {...}}            -> {"seconds": 15.2} (jax.jit, lower and compile)

A sample is the mean time of a call over at least `seconds`, after the result is ready. Inputs are made once per case;
every framework computes the same formula in f32, compiled where it has a compiler.
"""

import json
import math
import os
import sys
import time

THREADS = int(os.environ.get("MLXC_BENCH_THREADS", os.cpu_count() or 1))
os.environ.setdefault("OMP_NUM_THREADS", str(THREADS))
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import numpy as np  # noqa: E402

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what libraries print goes to stderr


def load_peers():
    peers, missing = {"numpy": np.__version__}, {}
    modules = {}
    for name, module in (("pytorch", "torch"), ("jax", "jax"), ("mlx", "mlx.core")):
        try:
            modules[name] = __import__(module, fromlist=["_"])
            version = modules[name].__version__
            peers[name] = version
        except Exception as error:  # any failure to load means: this peer is not here
            missing[name] = f"{type(error).__name__}: {error}"
    if "pytorch" in modules:
        modules["pytorch"].set_num_threads(THREADS)
        # torch.compile needs a C++ compiler; its timing is a peer of its own.
        peers["pytorch-compile"] = peers["pytorch"]
    if "mlx" in modules:
        modules["mlx"].set_default_device(modules["mlx"].cpu)
    return peers, missing, modules


PEERS, MISSING, MODULES = load_peers()


def random_arrays(shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape, dtype=np.float32) for shape in shapes]


# Each case: shapes of its arrays, and its formula over `x`, a small common dialect of the frameworks (see dialects).

def erf_gelu(x, v):
    return v * 0.5 * (1.0 + x.erf(v * (1.0 / math.sqrt(2.0))))


def layer_norm(x, v, w, b):
    mean = x.mean(v)
    centred = v - mean
    return centred * x.rsqrt(x.mean(centred * centred) + 1e-5) * w + b


def causal_attention(x, q, k, v):
    length, width = q.shape[-2], q.shape[-1]
    scores = x.matmul(q, x.transpose(k)) * (1.0 / math.sqrt(width))
    scores = x.where(x.causal(length), scores, -1e30)
    return x.matmul(x.softmax(scores), v)


CASES = {
    "gemm": (lambda s: [(s["M"], s["K"]), (s["K"], s["N"])], lambda x, a, b: x.matmul(a, b)),
    "softmax": (lambda s: [(s["M"], s["N"])], lambda x, v: x.softmax(v)),
    "gelu_chain": (lambda s: [(s["N"],)], lambda x, v: erf_gelu(x, v * 1.5 + 0.5) * v),
    "layer_norm": (lambda s: [(s["M"], s["N"]), (s["N"],), (s["N"],)], layer_norm),
    "column_sum": (lambda s: [(s["M"], s["N"])], lambda x, v: x.sum0(v)),
    "mean_squared_error": (lambda s: [(s["N"],), (s["N"],)], lambda x, a, b: x.mean_all((a - b) * (a - b))),
    "linear_gelu": (
        lambda s: [(s["M"], s["K"]), (s["K"], s["N"]), (s["N"],)],
        lambda x, v, w, b: erf_gelu(x, x.matmul(v, w) + b),
    ),
    "attention": (lambda s: [(s["B"], s["H"], s["T"], s["D"])] * 3, causal_attention),
}


class NumpyDialect:
    def erf(self, v):
        from scipy.special import erf  # NumPy has none

        return erf(v)

    matmul = staticmethod(np.matmul)

    def transpose(self, v):
        return np.swapaxes(v, -1, -2)

    def softmax(self, v):
        e = np.exp(v - v.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)

    def mean(self, v):
        return v.mean(axis=-1, keepdims=True)

    def mean_all(self, v):
        return v.mean()

    def sum0(self, v):
        return v.sum(axis=0)

    def rsqrt(self, v):
        return 1.0 / np.sqrt(v)

    def where(self, c, a, b):
        return np.where(c, a, np.float32(b))

    def causal(self, n):
        return np.tril(np.ones((n, n), dtype=bool))


class TorchDialect:
    def __init__(self, torch):
        self.t = torch
        self.erf, self.matmul, self.rsqrt = torch.erf, torch.matmul, torch.rsqrt

    def transpose(self, v):
        return v.transpose(-1, -2)

    def softmax(self, v):
        return self.t.softmax(v, dim=-1)

    def mean(self, v):
        return v.mean(dim=-1, keepdim=True)

    def mean_all(self, v):
        return v.mean()

    def sum0(self, v):
        return v.sum(dim=0)

    def where(self, c, a, b):
        return self.t.where(c, a, b)

    def causal(self, n):
        return self.t.tril(self.t.ones(n, n, dtype=self.t.bool))


class ArrayDialect:
    """JAX and MLX, which share NumPy's names."""

    def __init__(self, xp, erf, rsqrt, softmax):
        self.xp, self.erf, self.rsqrt, self.softmax_of = xp, erf, rsqrt, softmax
        self.matmul, self.where = xp.matmul, xp.where

    def transpose(self, v):
        return self.xp.swapaxes(v, -1, -2)

    def softmax(self, v):
        return self.softmax_of(v, axis=-1)

    def mean(self, v):
        return self.xp.mean(v, axis=-1, keepdims=True)

    def mean_all(self, v):
        return self.xp.mean(v)

    def sum0(self, v):
        return self.xp.sum(v, axis=0)

    def causal(self, n):
        return self.xp.tril(self.xp.ones((n, n))) > 0


def prepare(case, sizes, peer):
    """A function of no arguments that computes the case once and waits for the result."""
    if case in TRAINING:
        return TRAINING[case](sizes, peer)
    shapes, formula = CASES[case]
    arrays = random_arrays(shapes(sizes))
    if peer == "numpy":
        return lambda: formula(NumpyDialect(), *arrays)
    if peer.startswith("pytorch"):
        torch = MODULES["pytorch"]
        dialect, tensors = TorchDialect(torch), [torch.from_numpy(a) for a in arrays]
        run = lambda *args: formula(dialect, *args)  # noqa: E731
        if peer == "pytorch-compile":
            run = torch.compile(run)

        def torch_call():
            with torch.no_grad():
                return run(*tensors)

        return torch_call
    if peer == "jax":
        jax = MODULES["jax"]
        dialect = ArrayDialect(jax.numpy, jax.lax.erf, jax.lax.rsqrt, jax.nn.softmax)
        run, tensors = jax.jit(lambda *args: formula(dialect, *args)), [jax.numpy.asarray(a) for a in arrays]
        return lambda: run(*tensors).block_until_ready()
    mx = MODULES["mlx"]
    dialect = ArrayDialect(mx, mx.erf, mx.rsqrt, mx.softmax)
    run, tensors = mx.compile(lambda *args: formula(dialect, *args)), [mx.array(a) for a in arrays]
    return lambda: mx.eval(run(*tensors))


from training import COMPILING, TRAINING  # noqa: E402


def sample(call, seconds):
    calls, started = 0, time.perf_counter()
    while True:
        call()
        calls += 1
        elapsed = time.perf_counter() - started
        if elapsed >= seconds:
            return {"seconds": elapsed / calls, "calls": calls}


def main():
    ready = {}
    for line in sys.stdin:
        request = json.loads(line)
        if "peers" in request:
            answer = {"peers": PEERS, "missing": MISSING}
        elif "prepare" in request:
            try:
                call = prepare(request["prepare"], request["sizes"], request["peer"])
                call()  # compiles
                ready[request["peer"]] = call
                answer = {"ready": True}
            except Exception as error:
                ready.pop(request["peer"], None)
                answer = {"absent": f"{type(error).__name__}: {error}".splitlines()[0]}
        elif "compile" in request:
            try:
                answer = {"seconds": COMPILING[request["compile"]](request["sizes"])}
            except Exception as error:
                answer = {"absent": f"{type(error).__name__}: {error}".splitlines()[0]}
        else:
            answer = sample(ready[request["sample"]], request["seconds"])
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
