"""Prints the Chebyshev coefficients of `i0` in stdlib/prelude/numeric.mlx, from the highest on.

usage: python tools/fit/bessel.py        (needs mpmath)

exp(-x) i0(x) on [0, 8], and exp(-x) sqrt(x) i0(x) in 1/x on [8, inf), sampled at Chebyshev points with 50 digits.
"""

import mpmath as mp

mp.mp.dps = 50
POINTS = 80


def coefficients(f, count):
    angles = [mp.pi * (k + mp.mpf(1) / 2) / POINTS for k in range(POINTS)]
    values = [f(mp.cos(angle)) for angle in angles]
    return [2 * sum(v * mp.cos(j * a) for v, a in zip(values, angles)) / POINTS for j in range(count)]


def scaled(x):
    return mp.exp(-x) * mp.besseli(0, x)


def show(name, values):
    print(name, ", ".join(f"{float(v):.17e}".replace("e-0", "e-").replace("e+0", "e+") for v in reversed(values)))


show("near 0", coefficients(lambda t: scaled(4 * (t + 1)), 31))
show("beyond 8", coefficients(lambda t: scaled(16 / (t + 1)) * mp.sqrt(16 / (t + 1)), 26))
