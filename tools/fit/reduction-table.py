"""Writes compiler/to-c/helpers/reduction-table.h: 2^e modulo 2 pi in three parts, for the reduction of large arguments.

python tools/fit/reduction-table.py > compiler/to-c/helpers/reduction-table.h        (needs mpmath)
"""
from mpmath import mp, mpf, fmod, nint, pi

mp.dps = 120
print("""#pragma once
// 2^e modulo 2 pi for e = 5 ... 104, as a multiple of 2^-25, a multiple of 2^-53 and the rest: 24 bits times either of the first two is exact.
// Written by tools/fit/reduction-table.py.
static const double mlxc_reduction_table[3][100] __attribute__((unused)) = {""")
rows = [[], [], []]
for e in range(5, 105):
    t = fmod(mpf(2) ** e, 2 * pi)
    high = nint(t * 2**25) / 2**25
    middle = nint((t - high) * mpf(2) ** 53) / mpf(2) ** 53
    for row, part in zip(rows, (high, middle, t - high - middle)):
        row.append(float(part).hex())
for row in rows:
    print("    {" + ",\n     ".join(", ".join(row[i : i + 4]) for i in range(0, 100, 4)) + "},")
print("};")
