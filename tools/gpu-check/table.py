"""The tables of docs/gpu-check.md from reports of run.py: python tools/gpu-check/table.py REPORT.json ...

A case that is in several reports is taken from the last of them. Cases of programs/memory.mlx make a table of their own, with their
times for constant and for symbolic dims side by side.
"""

import json
import sys

PEERS = ("torch eager", "torch.compile", "jax")
# of a case's time, kernels below this share are left out
SHARE = 0.1
MOST = 3
SYMBOLIC = ", symbolic dims"


def slowest_of(record):
    """Its kernels that take the time, the slowest first."""
    total = sum(d["seconds"] for d in record["dispatches"])
    slow = sorted(record["dispatches"], key=lambda d: -d["seconds"])[:MOST]
    return [d for d in slow if d["seconds"] >= SHARE * total] or slow[:1]


def speed_of(d):
    """GB/s and the part of a copy's speed, of products GFLOP/s."""
    if d["schedule"] == "contraction":
        return f"{d['schedule']} {d['flops'] / d['seconds'] / 1e9:.0f} GFLOP/s"
    return f"{d['schedule']} {d['bytes'] / d['seconds'] / 1e9:.0f} GB/s = {d['copy'] * 100:.0f} %"


def peer_of(record, peer):
    seconds, line = record.get("peers", {}).get(peer, (None, "not compared"))
    return f"{seconds * 1e6:.1f}" if seconds else line.split("\n")[0][:60]


def part_of_copy(record):
    """The time of copies that move as much as its kernels, over its own."""
    if record is None:
        return ""
    copies = sum(d["copy"] * d["seconds"] for d in record["dispatches"])
    return f"{record['seconds'] * 1e6:.1f} = {copies / record['seconds'] * 100:.0f} %"


def table(titles, rows):
    print("| " + " | ".join(titles) + " |")
    print("| --- |" + " --- |" * (len(titles) - 1))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def main():
    reports = [json.loads(open(path).read()) for path in sys.argv[1:]]
    cases = {c["case"]: c for report in reports for c in report["cases"]}
    failed = [name for name, c in cases.items() if c["problems"]]
    first = reports[0]
    print(f"{first['device']}, {first['versions']}; {len(cases)} cases, {len(failed)} failed;", end=" ")
    print(f"copy of 1 GiB: {first['copy'] / 1e9:.0f} GB/s\n")
    timed = {name: c for name, c in cases.items() if "dispatches" in c}
    memory = {name.removeprefix("memory "): c for name, c in timed.items() if name.startswith("memory ")}
    table(
        ["program", "ours", "kernels", "slowest", *PEERS],
        [
            [name.removeprefix("bench "), f"{c['seconds'] * 1e6:.1f}", str(len(c["dispatches"]))]
            + ["; ".join(speed_of(d) for d in slowest_of(c)), *(peer_of(c, p) for p in PEERS)]
            for name, c in timed.items()
            if name.removeprefix("memory ") not in memory
        ],
    )
    table(
        ["program", "ours", "symbolic dims", "kernels", *PEERS[:2]],
        [
            [name.strip(), part_of_copy(c), part_of_copy(memory.get(name + SYMBOLIC)), str(len(c["dispatches"]))]
            + [peer_of(c, p) for p in PEERS[:2]]
            for name, c in memory.items()
            if not name.endswith(SYMBOLIC)
        ],
    )


if __name__ == "__main__":
    main()
