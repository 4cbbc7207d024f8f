"""Writes test/golden/oracles/opinfo.{json,bin}: PyTorch's OpInfo samples of the operators that the language has under some name.

usage: python tools/goldens/opinfo.py        (needs torch, numpy, ml_dtypes, expecttest)

A case: the text of the operator (opinfo_table.py, opinfo_library.py), its tensors, the results, their pullback along `direction` and their derivative
along `direction`. f16 and bf16 are computed in double from rounded inputs and rounded once: they say what a good answer is, and not
how PyTorch's CPU kernels round on the way.
"""

import random
import sys
import warnings

import ml_dtypes
import numpy as np
import torch
import torch.autograd.forward_ad as fwAD
from torch.testing._internal import common_methods_invocations as invocations

import oracle_files
from oracle_files import Store, direction
from opinfo_library import IMPORTS
from opinfo_table import TABLE, Name, Skip

warnings.filterwarnings("ignore")
torch.set_num_threads(1)

# the sizes that the samples are made of: smaller, so that the files stay small
SIZES = {"XS": 2, "S": 4, "M": 5, "L": 7}
for module in list(sys.modules.values()):
    if getattr(module, "__name__", "").startswith("torch.testing._internal"):
        for key, size in SIZES.items():
            if isinstance(getattr(module, key, None), int):
                setattr(module, key, size)

LARGEST = 200  # elements of a tensor
MOST = {"f32": 32, "f64": 4, "f16": 3, "bf16": 3, "i32": 4, "bool": 2, "i8": 2, "u8": 2, "i64": 2}  # cases of a function
DTYPES = {
    "f32": torch.float32, "f64": torch.float64, "f16": torch.float16, "bf16": torch.bfloat16,
    "i32": torch.int32, "i64": torch.int64, "i8": torch.int8, "u8": torch.uint8, "i16": torch.int16, "bool": torch.bool,
}  # fmt: skip
NAMES = {v: k for k, v in DTYPES.items()}
store = Store("opinfo")


def numpy_of(x):
    x = x.detach().resolve_conj().resolve_neg()
    return x.float().numpy(force=True).astype(ml_dtypes.bfloat16) if x.dtype == torch.bfloat16 else x.numpy(force=True)


def walk(tree, f):
    if isinstance(tree, torch.Tensor):
        return f(tree)
    if isinstance(tree, (tuple, list)):
        return type(tree)(walk(v, f) for v in tree) if type(tree) in (tuple, list) else tuple(walk(v, f) for v in tree)
    if isinstance(tree, dict):
        return {k: walk(v, f) for k, v in tree.items()}
    if isinstance(tree, torch.dtype):
        return f(tree)
    return tree


def leaves(tree):
    found = []
    walk(tree, lambda x: found.append(x) if isinstance(x, torch.Tensor) else None)
    return found


def round_to(x, dtype):
    """double to a narrow dtype with one rounding."""
    if dtype == torch.bfloat16:
        bits = torch.from_numpy(oracle_narrow(x.detach().numpy()))
        return bits
    return x.detach().to(dtype)


def oracle_narrow(values):
    f = values.astype(np.float32)
    bits = np.atleast_1d(f).view(np.uint32).copy()
    wide = np.atleast_1d(values)
    inexact = np.isfinite(wide) & np.isfinite(np.atleast_1d(f)) & (np.atleast_1d(f).astype(np.float64) != wide)
    too_far = inexact & (np.abs(np.atleast_1d(f).astype(np.float64)) > np.abs(wide))
    bits = np.where(too_far, bits - 1, bits)
    bits = np.where(inexact, bits | 1, bits).astype(np.uint32)
    return bits.view(np.float32).reshape(values.shape)


def sample_case(name, entry, info, sample, dtype):
    tree = (sample.input, sample.args, sample.kwargs)
    tensors = []
    for x in leaves(tree):
        if not any(x is y for y in tensors):
            tensors.append(x)
    if any(x.numel() > LARGEST for x in tensors):
        raise Skip(f"more than {LARGEST} elements")
    if any(x.layout != torch.strided or x.dtype not in NAMES for x in tensors):
        raise Skip("a layout or a dtype that the language lacks")
    if len(tensors) > 8:
        raise Skip("more than 8 tensors")
    letters = "abcdefgh"
    names = [Name(letters[i], x.shape, NAMES[x.dtype]) for i, x in enumerate(tensors)]

    def named(x):
        if isinstance(x, torch.dtype):
            if x not in NAMES:
                raise Skip("a layout or a dtype that the language lacks")
            return NAMES[x]
        return next(n for n, y in zip(names, tensors) if y is x)

    arguments = [walk(sample.input, named), *walk(sample.args, named)]
    # some operators take their sizes one by one
    try:
        text = entry.text(*arguments, **walk(sample.kwargs, named))
    except (TypeError, AttributeError, IndexError, ZeroDivisionError) as problem:
        raise Skip("arguments that the table does not know") from problem

    narrow = dtype in ("f16", "bf16")
    work = lambda x: x.double() if narrow and x.dtype == DTYPES[dtype] else x
    inputs = [work(x.detach().clone()) for x in tensors]

    def call(values):
        def value(x):
            if isinstance(x, torch.dtype):
                return torch.float64 if narrow and x == DTYPES[dtype] else x
            return next(v for v, y in zip(values, tensors) if y is x)

        return leaves((info.op(walk(sample.input, value), *walk(sample.args, value), **walk(sample.kwargs, value)),))

    results = call(inputs)
    if any(x.is_complex() for x in results):
        raise Skip("complex numbers")
    if any(x.numel() > LARGEST for x in results):
        raise Skip(f"more than {LARGEST} elements")
    if not results:
        results = [torch.tensor(info.op(*[sample.input, *sample.args], **sample.kwargs))]
    floats = [i for i, x in enumerate(results) if x.is_floating_point()]
    wanted = [i for i, x in enumerate(tensors) if x.requires_grad]

    def out(x):
        if narrow and x.dtype == torch.float64:
            return round_to(x, DTYPES[dtype]).to(DTYPES[dtype])
        if entry.index and x.dtype == torch.int64:
            return x.to(torch.int32)
        if entry.keep and x.dtype == torch.int64 and dtype in ("i8", "u8", "i32", "bool"):
            return x.to(torch.int32 if dtype == "bool" else DTYPES[dtype])
        return x

    case = {"f": name, "dtype": dtype, "code": text, "in": [store.tensor(numpy_of(x)) for x in tensors]}
    derivatives = {}
    if wanted != [i for i, x in enumerate(inputs) if x.is_floating_point()]:
        case["wrt"] = wanted
    if entry.derivative and floats and wanted:
        live = [x.clone().requires_grad_() if i in wanted else x for i, x in enumerate(inputs)]
        outs = call(live)
        cotangents = [torch.tensor(direction(k, outs[i].shape)).to(outs[i].dtype) for k, i in enumerate(floats)]
        active = [(outs[i], c) for i, c in zip(floats, cotangents) if outs[i].requires_grad]
        if active:
            grads = torch.autograd.grad([a for a, _ in active], [live[i] for i in wanted], [c for _, c in active], allow_unused=True)
            grads = [torch.zeros_like(live[i]) if g is None else g for i, g in zip(wanted, grads)]
            derivatives["vjp"] = [out(g) for g in grads]
            try:
                with fwAD.dual_level():
                    duals = [
                        fwAD.make_dual(x, torch.tensor(direction(100 + wanted.index(i), x.shape)).to(x.dtype)) if i in wanted else x
                        for i, x in enumerate(inputs)
                    ]
                    tangents = [fwAD.unpack_dual(call(duals)[i]) for i in floats]
                    derivatives["jvp"] = [
                        out(torch.zeros_like(t.primal) if t.tangent is None else t.tangent.clone()) for t in tangents
                    ]
            except (RuntimeError, NotImplementedError):
                store.exclude(name, "PyTorch has no forward derivative (the value and the pullback are taken)", 0)
    case["out"] = [store.tensor(numpy_of(out(x))) for x in results]
    for key, values in derivatives.items():
        case[key] = [store.tensor(numpy_of(v)) for v in values]
    if entry.near != 1:
        case["near"] = entry.near
    return case


def full_name(info):
    return info.name + (f".{info.variant_test_name}" if info.variant_test_name else "")


def main():
    infos = {full_name(info): info for info in invocations.op_db}
    missing = set(TABLE) - set(infos)
    if missing:
        print("not in op_db:", *sorted(missing), file=sys.stderr)
    for name, entry in TABLE.items():
        info = infos.get(name)
        if info is None:
            continue
        for dtype, most in MOST.items():
            is_float = dtype in oracle_files.FLOATS
            if DTYPES[dtype] not in info.dtypes or not entry.takes(dtype):
                continue
            torch.manual_seed(0)
            np.random.seed(0)
            random.seed(0)
            taken, seen, left = [], set(), 0
            try:
                samples = list(info.sample_inputs("cpu", DTYPES[dtype], requires_grad=is_float and info.supports_autograd))
            except Exception as problem:  # noqa: BLE001  samples that do not come in these sizes
                store.exclude(name, f"the samples cannot be made in small sizes")
                print(name, dtype, repr(problem)[:100], file=sys.stderr)
                continue
            for sample in samples:
                if len(taken) >= most:
                    left += 1
                    continue
                try:
                    case = sample_case(name, entry, info, sample, dtype)
                except Skip as problem:
                    store.exclude(name, str(problem))
                    continue
                except Exception as problem:  # noqa: BLE001
                    store.exclude(name, "PyTorch refuses the sample in these sizes")
                    print(name, dtype, repr(problem)[:150], file=sys.stderr)
                    continue
                key = repr(case)
                if key in seen:
                    store.exclude(name, "the same case again")
                    continue
                seen.add(key)
                taken.append(case)
            if left:
                store.exclude(name, "more samples than the limit of a function and dtype", left)
            store.cases.extend(taken)
    untold = sorted(set(infos) - set(TABLE))
    store.write(imports=IMPORTS, operators=len(infos), absent=untold)
    print(len({c["f"] for c in store.cases}), "functions,", len(store.cases), "cases,", len(store.bytes), "bytes")


main()
