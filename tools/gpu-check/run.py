"""Runs the compiler's Metal kernels as CUDA, compares their results and times each dispatch.

usage: python tools/gpu-check/run.py FOLDER [--only TEXT] [--json FILE] [--peers]

FOLDER is what `npm run gpu-check -- --export --folder FOLDER` wrote. Needs an NVIDIA GPU, PyTorch and NVRTC. Cases that ask for it
are timed, beside a copy from device memory to device memory that moves as many bytes and with --peers beside PyTorch and JAX. Memory
that a plan has not written holds NaN. The exit code says whether all agreed.
"""

import argparse
import json
import sys
import traceback
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_context
from pathlib import Path

import torch
from compare import compare
from execute import Execution
from inputs import make_input
from measure import Copies, seconds_of
from nvrtc import Library, compile_cuda
from peers import peer_times


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--peers", action="store_true")
    options = parser.parse_args()
    cases = json.loads((options.folder / "cases.json").read_text())
    plans = {case: json.loads((options.folder / case / "plan.json").read_text()) for case in cases}
    plans = {case: plan for case, plan in plans.items() if options.only in plan["case"]["name"]}
    # by processes that end before this one has a context on the GPU
    with ProcessPoolExecutor(mp_context=get_context("fork")) as pool:
        machine_code = dict(zip(plans, pool.map(compiled, [options.folder / c / "kernels.cu" for c in plans]), strict=True))
    torch.zeros(1, device="cuda")
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, CUDA {torch.version.cuda}")
    copies = Copies()
    copy = 2**31 / copies.seconds(2**31)
    print(f"copy of 1 GiB: {copy / 1e9:.0f} GB/s, bytes read and written")
    records, failures = [], 0
    for case, plan in plans.items():
        name = plan["case"]["name"]
        try:
            problems, record = check(plan, machine_code[case], options.folder / case, copies, options.peers)
        except Exception as error:  # one case that fails leaves the others
            traceback.print_exc(limit=-2, file=sys.stdout)
            problems, record = [f"{type(error).__name__}: {error}"], {"case": name}
        failures += bool(problems)
        records.append({**record, "problems": problems})
        print(f"{'FAILED' if problems else 'ok'}  {name}", *problems[:8], sep="\n      ", flush=True)
        for line in record.get("lines", []):
            print(f"      {line}", flush=True)
        torch.cuda.empty_cache()
    print(f"{len(records)} cases, {failures} failed")
    if options.json:
        versions = {"cuda": torch.version.cuda, "torch": torch.__version__, "jax": version_of("jax")}
        report = {"device": torch.cuda.get_device_name(), "copy": copy, "versions": versions, "cases": records}
        options.json.write_text(json.dumps(report, indent=1))
    return 1 if failures else 0


def version_of(package):
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def compiled(path):
    """Machine code, or what the compiler said."""
    try:
        return compile_cuda(path.read_text())
    except RuntimeError as error:
        return error


def check(plan, code, folder, copies, with_peers):
    if isinstance(code, RuntimeError):
        raise code
    library = Library(code)
    given = (folder / "inputs.bin").read_bytes()
    inputs = [make_input(spec, given) for spec in plan["inputs"]]
    execution = Execution(plan, library, inputs, (folder / "constants.bin").read_bytes())
    execution.run()
    torch.cuda.synchronize()
    problems, error = compare(plan, execution.results(), folder)
    if any("mayReuse" in buffer for buffer in plan["buffers"]):
        donating = Execution(plan, library, inputs, (folder / "constants.bin").read_bytes(), donates=True)
        donating.run()
        torch.cuda.synchronize()
        problems += [f"with donated arguments: {p}" for p in compare(plan, donating.results(), folder)[0]]
    record = {"case": plan["case"]["name"], "error": error, "lines": [f"largest error {error:.1e}"]}
    if not plan["case"].get("isTimed"):
        return problems, record
    total = seconds_of(execution.run, not execution.is_decided_by_host())
    record["seconds"] = total
    record["lines"].append(f"whole plan: {total * 1e6:.1f} us")
    record["dispatches"] = []
    for step in execution.dispatches():
        seconds = seconds_of(lambda step=step: execution.dispatch(step))
        kernel = plan["kernels"][step["kernel"]]
        record["dispatches"].append(
            {"kernel": kernel["name"], "schedule": kernel["schedule"], "seconds": seconds}
            | {"bytes": step["bytes"], "flops": step["flops"], "copy": copies.seconds(step["bytes"]) / seconds}
        )
    slowest = sorted(record["dispatches"], key=lambda d: -d["seconds"])[:8]
    for d in slowest:
        record["lines"].append(
            f"{d['kernel']} ({d['schedule']}): {d['seconds'] * 1e6:.1f} us, {d['bytes'] / d['seconds'] / 1e9:.0f} GB/s"
            f" = {d['copy'] * 100:.0f} % of the copy, {d['flops'] / d['seconds'] / 1e9:.0f} GFLOP/s"
        )
    if with_peers and "peer" in plan["case"]:
        results = [execution.typed(i) for i in execution.result_indices()]
        record["peers"] = peer_times(plan["case"], inputs, results)
        record["lines"] += [f"{peer}: {show}" for peer, (_, show) in record["peers"].items()]
    return problems, record


if __name__ == "__main__":
    sys.exit(main())
