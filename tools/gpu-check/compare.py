"""Results against the expected elements."""

import numpy as np

# Of the magnitude of an element or the root mean square of its result, whichever is larger.
TOLERANCES = {"f32": 2e-4, "f16": 4e-3, "bf16": 3e-2}


def compare(plan, results, expected_file):
    """What is wrong, and the largest error as a part of the magnitude."""
    expected = np.fromfile(expected_file, dtype=np.float64)
    problems, worst, start = [], 0.0, 0
    for number, ((dtype, data), place) in enumerate(zip(results, plan["results"], strict=True)):
        want = expected[start : start + place["count"]]
        start += place["count"]
        if want.size == 0:
            continue
        got = data.flatten()[:: place["stride"]].double().cpu().numpy()
        scale = np.sqrt(np.mean(np.where(np.isfinite(want), want, 0) ** 2))
        same = (got == want) | (np.isnan(got) & np.isnan(want))
        with np.errstate(invalid="ignore", divide="ignore"):
            error = np.where(same, 0.0, np.abs(got - want) / np.maximum(np.abs(want), scale))
        error = np.where(np.isnan(error), np.inf, error)
        worst = max(worst, float(error.max()))
        bad = np.flatnonzero(error > TOLERANCES.get(dtype, 0.0))
        if bad.size > 0:
            first = bad[0]
            problems.append(
                f"result {number}: {bad.size} of {want.size} elements differ; element {first * place['stride']} is"
                f" {got[first]:.9g}, expected {want[first]:.9g}"
            )
    return problems, worst
