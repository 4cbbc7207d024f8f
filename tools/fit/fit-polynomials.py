"""Coefficients of compiler/to-c/helpers/*.h: near-minimax polynomials by interpolation at Chebyshev nodes.

python tools/fit/fit-polynomials.py        (needs mpmath)

Prints, for each polynomial, the largest error on its interval and its coefficients from the constant up.
"""
from mpmath import mp, mpf, cos, pi, matrix, lu_solve, exp, expm1, log, log1p, sqrt, sin, atan, erf, erfc, erfinv, linspace

mp.dps = 120


def fit(name, f, low, high, degree, scale=lambda x: mpf(1)):
    """f on [low, high]; `scale` turns an error of f into the error that counts."""
    n = degree + 1
    low, high = mpf(low), mpf(high)
    nodes = [(low + high) / 2 + (high - low) / 2 * cos(pi * (2 * k + 1) / (2 * n)) for k in range(n)]
    nodes = [x if abs(x) > mpf('1e-25') else mpf('1e-25') for x in nodes]  # the functions are quotients: not at 0
    a = matrix(n, n)
    b = matrix(n, 1)
    for i, x in enumerate(nodes):
        for j in range(n):
            a[i, j] = x**j
        b[i] = f(x)
    c = lu_solve(a, b)
    worst = max(abs((f(x) - sum(c[j] * x**j for j in range(n))) * scale(x)) for x in linspace(low, high, 400) if x != 0)
    print(f"{name} on [{mp.nstr(low, 5)}, {mp.nstr(high, 5)}] error {mp.nstr(worst, 3)}")
    print("  " + ", ".join(mp.nstr(v, 17) for v in c))


half_ln2 = log(2) / 2 * mpf("1.001")
fit("exp32: (e^r - 1 - r)/r^2", lambda r: (exp(r) - 1 - r) / r**2, -half_ln2, half_ln2, 4, lambda r: r**2)
fit("expm1_32: (expm1(r) - r - r^2/2)/r^3", lambda r: (exp(r) - 1 - r - r**2 / 2) / r**3, -half_ln2, half_ln2, 4, lambda r: r**2)
fit("exp2_32: (2^r - 1)/r", lambda r: (2**r - 1) / r, -0.5005, 0.5005, 6, lambda r: r)
low, high = sqrt(mpf(1) / 2) - 1, sqrt(mpf(2)) - 1
fit("log32: (log1p(f) - f + f^2/2)/f^3", lambda f: (log1p(f) - f + f**2 / 2) / f**3, low, high, 8, lambda f: f**2)
fit("log2_32: (log1p(f) - f)/f^2 / ln2", lambda f: (log1p(f) - f) / f**2 / log(2), low, high, 9, lambda f: f)
fit("erf32 small: erf(x)/x in x^2", lambda t: erf(sqrt(t)) / sqrt(t), mpf("1e-30"), mpf("0.95") ** 2, 6)
fit("erf32 large: log(erfc(a))", lambda a: log(erfc(a)), 0.9, 4.05, 10, lambda a: erfc(a))

fit("exp64: e^r", lambda r: exp(r), -half_ln2, half_ln2, 9)
fit("log64: atanh(s)/s in s^2", lambda t: (log((1 + sqrt(t)) / (1 - sqrt(t)))) / 2 / sqrt(t), mpf("1e-30"), mpf("0.0295"), 6)
fit("sin64: (sin(r)/r - 1)/r^2 in r^2", lambda t: (sin(sqrt(t)) / sqrt(t) - 1) / t, mpf("1e-20"), mpf("0.6170"), 4, lambda t: t)
fit("cos64: (cos(r) - 1 + r^2/2)/r^4 in r^2", lambda t: (cos(sqrt(t)) - 1 + t / 2) / t**2, mpf("1e-12"), mpf("0.6170"), 4, lambda t: t**2)
fit("atan64: atan(z)/z in z^2", lambda t: atan(sqrt(t)) / sqrt(t), mpf("1e-30"), mpf("0.1717"), 9)
k = mpf(2)
x_of = lambda t: k * (1 + t) / (1 - t)
erfcx = lambda x: exp(x * x) * erfc(x)
fit("erfc64: (1+2x) erfcx(x) in t=(x-2)/(x+2)", lambda t: (1 + 2 * x_of(t)) * erfcx(x_of(t)), -1, (mpf("10.2") - k) / (mpf("10.2") + k), 14)
x_of_w = lambda w: sqrt(1 - exp(-w))
fit("erfinv64 centre: erfinv(x)/x in w-2.5", lambda s: erfinv(x_of_w(s + mpf("2.5"))) / x_of_w(s + mpf("2.5")), mpf("-2.4999999"), 2.6, 12)
fit("erfinv64 tail: erfinv(x)/x in sqrt(w)-3", lambda s: erfinv(x_of_w((s + 3) ** 2)) / x_of_w((s + 3) ** 2), sqrt(mpf(5)) - 3, sqrt(mpf("16.7")) - 3, 11)
