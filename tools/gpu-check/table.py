"""The table of docs/gpu-check.md from the report of run.py: python tools/gpu-check/table.py REPORT.json"""

import json
import sys

PEERS = ("torch eager", "torch.compile", "jax")
# of a case's time, kernels below this share are left out
SHARE = 0.1
MOST = 3


def kernels_of(record):
    """GB/s and the part of a copy's speed of the kernels that take the time, of products GFLOP/s; and the number of dispatches."""
    total = sum(d["seconds"] for d in record["dispatches"])
    slow = sorted(record["dispatches"], key=lambda d: -d["seconds"])[:MOST]
    slow = [d for d in slow if d["seconds"] >= SHARE * total] or slow[:1]
    return "; ".join(speed_of(d) for d in slow), len(record["dispatches"])


def speed_of(d):
    if d["schedule"] == "contraction":
        return f"{d['schedule']} {d['flops'] / d['seconds'] / 1e9:.0f} GFLOP/s"
    return f"{d['schedule']} {d['bytes'] / d['seconds'] / 1e9:.0f} GB/s = {d['copy'] * 100:.0f} %"


def peer_of(record, peer):
    seconds, line = record.get("peers", {}).get(peer, (None, "not compared"))
    return f"{seconds * 1e6:.1f}" if seconds else line.split("\n")[0][:60]


def main():
    report = json.loads(open(sys.argv[1]).read())
    timed = [c for c in report["cases"] if "dispatches" in c]
    failed = [c for c in report["cases"] if c["problems"]]
    print(f"{report['device']}, {report['versions']}; {len(report['cases'])} cases, {len(failed)} failed;", end=" ")
    print(f"copy of 1 GiB: {report['copy'] / 1e9:.0f} GB/s\n")
    print("| program | ours | kernels | slowest | " + " | ".join(PEERS) + " |")
    print("| --- | --- | --- | --- |" + " --- |" * len(PEERS))
    for record in timed:
        kernels, count = kernels_of(record)
        cells = [record["case"].removeprefix("bench "), f"{record['seconds'] * 1e6:.1f}", str(count), kernels]
        print("| " + " | ".join(cells + [peer_of(record, p) for p in PEERS]) + " |")


if __name__ == "__main__":
    main()
