"""The inputs of inputs.ts again, on the GPU."""

import math

import torch

DTYPES = {
    "bool": torch.bool,
    "i8": torch.int8,
    "i16": torch.int16,
    "i32": torch.int32,
    "i64": torch.int64,
    "u8": torch.uint8,
    "u16": torch.uint16,
    "u32": torch.uint32,
    "u64": torch.uint64,
    "f16": torch.float16,
    "bf16": torch.bfloat16,
    "f32": torch.float32,
}
MASK = 0xFFFFFFFF


def is_float(dtype):
    return dtype in ("f16", "bf16", "f32")


def make_input(spec, given):
    """An input at its offset in the bytes `given`, or made up."""
    dtype = DTYPES[spec["dtype"]]
    length = math.prod(spec["shape"])
    if "offset" in spec:
        size = length * torch.empty(0, dtype=dtype).element_size()
        data = bytearray(given[spec["offset"] : spec["offset"] + size])
        flat = torch.frombuffer(data, dtype=torch.uint8) if size > 0 else torch.empty(0, dtype=torch.uint8)
        return flat.cuda().view(dtype).reshape(spec["shape"])
    bits = hashed(torch.arange(length, dtype=torch.int64, device="cuda"), spec["seed"])
    if is_float(spec["dtype"]):
        low, high = spec["low"], spec["high"]
        value = low + ((bits >> 24).to(torch.float64) / 256) * (high - low)
    elif spec["dtype"] == "bool":
        value = bits >> 31
    else:
        value = bits % spec["below"]
    return value.to(dtype).reshape(spec["shape"])


def hashed(index, seed):
    # products wrap at 64 bits, which leaves their low 32 as they are
    h = (index * 0x9E3779B9 + seed * 0x85EBCA6B) & MASK
    h = ((h ^ (h >> 16)) * 0x7FEB352D) & MASK
    h = ((h ^ (h >> 15)) * 0x846CA68B) & MASK
    return h ^ (h >> 16)
