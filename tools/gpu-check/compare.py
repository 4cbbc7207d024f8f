"""Results against the expected elements."""

import numpy as np

# Of the magnitude of an element or the root mean square of its result, whichever is larger.
TOLERANCES = {"f32": 2e-4, "f16": 4e-3, "bf16": 3e-2}


def compare(plan, results, folder):
    """What is wrong, and the largest error as a part of the magnitude."""
    expected = np.fromfile(folder / "expected.bin", dtype=np.float64)
    slack_file = folder / "slack.bin"
    slack = np.fromfile(slack_file, dtype=np.float64) if slack_file.exists() else np.zeros(expected.size)
    # a result of f32 may come from narrower numbers
    least = TOLERANCES.get(plan.get("narrowest"), 0.0)
    problems, worst, start = [], 0.0, 0
    for number, ((dtype, data), place) in enumerate(zip(results, plan["results"], strict=True)):
        want = expected[start : start + place["count"]]
        allowed = slack[start : start + place["count"]]
        start += place["count"]
        if want.size == 0:
            continue
        got = data.flatten()[:: place["stride"]].double().cpu().numpy()
        scale = np.sqrt(np.mean(np.where(np.isfinite(want), want, 0) ** 2))
        same = (got == want) | (np.isnan(got) & np.isnan(want))
        with np.errstate(invalid="ignore", divide="ignore"):
            error = np.where(same, 0.0, np.abs(got - want) / np.maximum(np.abs(want), scale))
            is_explained = (np.abs(got - want) <= allowed) | np.isinf(allowed)
        error = np.where(is_explained, 0.0, np.where(np.isnan(error), np.inf, error))
        worst = max(worst, float(error.max()))
        bad = np.flatnonzero(error > (max(TOLERANCES[dtype], least) if dtype in TOLERANCES else 0.0))
        if bad.size > 0:
            first = bad[0]
            problems.append(
                f"result {number}: {bad.size} of {want.size} elements differ; element {first * place['stride']} is"
                f" {got[first]:.9g}, expected {want[first]:.9g}"
            )
    return problems, worst
