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
from importlib.metadata import PackageNotFoundError, version
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
    torch.zeros(1, device="cuda")
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, CUDA {torch.version.cuda}")
    copies = Copies()
    copy = 2**31 / copies.seconds(2**31)
    print(f"copy of 1 GiB: {copy / 1e9:.0f} GB/s, bytes read and written")
    records, failures = [], 0
    for case in json.loads((options.folder / "cases.json").read_text()):
        folder = options.folder / case
        plan = json.loads((folder / "plan.json").read_text())
        name = plan["case"]["name"]
        if options.only not in name:
            continue
        try:
            problems, record = check(plan, folder, copies, options.peers)
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


def check(plan, folder, copies, with_peers):
    library = Library(compile_cuda((folder / "kernels.cu").read_text()))
    given = (folder / "inputs.bin").read_bytes()
    inputs = [make_input(spec, given) for spec in plan["inputs"]]
    execution = Execution(plan, library, inputs, (folder / "constants.bin").read_bytes())
    execution.run()
    torch.cuda.synchronize()
    problems, error = compare(plan, execution.results(), folder / "expected.bin")
    record = {"case": plan["case"]["name"], "error": error, "lines": [f"largest error {error:.1e}"]}
    if not plan["case"].get("isTimed"):
        return problems, record
    total = seconds_of(execution.run)
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
