"""The files of the oracles in test/golden/oracles: NAME.json holds the cases, a line each, NAME.bin the elements of their tensors.

A tensor is [dtype, shape, byte offset]; equal elements are stored once. Cotangents and tangents follow the formula `direction`, which
test/oracles/cases.ts repeats, and are not stored.
"""

import json
from pathlib import Path

import ml_dtypes
import numpy as np

TARGET = Path(__file__).parents[2] / "test" / "golden" / "oracles"
NAMES = {
    "bool": "bool", "int8": "i8", "int16": "i16", "int32": "i32", "int64": "i64",
    "uint8": "u8", "uint16": "u16", "uint32": "u32", "uint64": "u64",
    "float16": "f16", "bfloat16": "bf16", "float32": "f32", "float64": "f64",
}  # fmt: skip
FLOATS = ("f16", "bf16", "f32", "f64")


def direction(number, shape):
    """Multiples of 1/16 in (-2, 2) that look random; the first of cotangents is number 0, of tangents 100."""
    count = int(np.prod(shape))
    state = (np.uint64(7919 * (number + 1)) + np.arange(count, dtype=np.uint64)) * np.uint64(2654435761)
    return (((state & np.uint64(0xFFFFFFFF)) >> np.uint64(26)).astype(np.float64) - 31.5).reshape(shape) / 16


class Store:
    def __init__(self, name):
        self.name = name
        self.offsets = {}
        self.bytes = bytearray()
        self.cases = []
        self.excluded = {}

    def tensor(self, array):
        array = np.asarray(array)
        size, data = array.dtype.itemsize, np.ascontiguousarray(array).tobytes()
        if (size, data) not in self.offsets:
            self.bytes.extend(b"\0" * (-len(self.bytes) % size))
            self.offsets[size, data] = len(self.bytes)
            self.bytes.extend(data)
        return [NAMES[str(array.dtype)], list(array.shape), self.offsets[size, data]]

    def exclude(self, what, reason, count=1):
        key = (what, reason)
        self.excluded[key] = self.excluded.get(key, 0) + count

    def write(self, **more):
        TARGET.mkdir(parents=True, exist_ok=True)
        excluded = [{"function": f, "reason": r, "cases": n} for (f, r), n in sorted(self.excluded.items())]
        (TARGET / f"{self.name}.bin").write_bytes(bytes(self.bytes))
        head = json.dumps({**more, "excluded": excluded})[:-1]
        lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in self.cases)
        (TARGET / f"{self.name}.json").write_text(f'{head},\n"cases": [\n{lines}\n]}}\n')


__all__ = ["FLOATS", "NAMES", "Store", "direction", "ml_dtypes"]
