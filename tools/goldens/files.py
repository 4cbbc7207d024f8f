"""Writes test/golden/files: arrays as NumPy itself saves them. Usage: python tools/goldens/files.py"""

from pathlib import Path

import numpy as np

folder = Path(__file__).parents[2] / "test" / "golden" / "files"
folder.mkdir(parents=True, exist_ok=True)
matrix = np.arange(6, dtype=np.float32).reshape(2, 3)
arrays = {
    "matrix": matrix,
    "fortran": np.asfortranarray(matrix),
    "big_endian": matrix.astype(">f4"),
    "half": np.array([1.0, -2.5, np.inf, 6e-8], dtype=np.float16),
    "flags": np.array([True, False]),
    "scalar": np.array(7, dtype=np.int64),
    "empty": np.zeros((0, 4), dtype=np.uint8),
}
np.save(folder / "fortran.npy", arrays["fortran"])
np.save(folder / "records.npy", np.zeros(2, dtype=[("a", "f4"), ("b", "i4")]))
np.savez(folder / "stored.npz", **arrays)
np.savez_compressed(folder / "deflated.npz", **arrays)
