"""Writes test/golden/stdlib/signatures.json: the parameters of every function of NumPy and jax.numpy.

usage: python tools/goldens/signatures.py        (needs numpy, jax; run from the root of the repository)

{"clip": {"numpy": ["a", "a_min", "a_max", "*", "out"], "jax": [...]}}: "*" stands before what only keywords give.
"""

import inspect
import json
import types
from pathlib import Path

import jax.numpy as jnp
import numpy as np


def parameters(function):
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    names, keyword = [], False
    for p in signature.parameters.values():
        if p.kind in (p.KEYWORD_ONLY, p.VAR_KEYWORD) and not keyword:
            keyword = True
            names.append("*")
        if p.kind != p.VAR_KEYWORD:
            names.append(f"...{p.name}" if p.kind == p.VAR_POSITIONAL else p.name)
    return names


def functions(*modules):
    found = {}
    for module in modules:
        for name in sorted(vars(module)):
            value = getattr(module, name)
            if name.startswith("_") or isinstance(value, (type, types.ModuleType)) or not callable(value):
                continue
            shown = parameters(value)
            if shown is not None and name not in found:
                found[name] = shown
    return found


numpy, jax = functions(np, np.linalg), functions(jnp, jnp.linalg)
rows = {}
for name in sorted({*numpy, *jax}):
    rows[name] = {k: v for k, v in (("numpy", numpy.get(name)), ("jax", jax.get(name))) if v is not None}
lines = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in rows.items())
Path("test/golden/stdlib/signatures.json").write_text("{\n" + lines + "\n}\n")
