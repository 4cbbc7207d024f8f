"""Metal text, as the compiler prints it, to CUDA text over msl.cuh: only signatures of kernels and pragmas change."""

import re

ATTRIBUTE = re.compile(r"\s*\[\[[^\]]*\]\]")
KERNEL = re.compile(
    r"\[\[kernel, max_total_threads_per_threadgroup\((\d+)\)\]\] void (\w+)\(\n(.*?)\) \{\n", re.S
)
BUILT_INS = {
    "threadgroup_position_in_grid": "const metal::uint3 {} = blockIdx;",
    "thread_index_in_threadgroup": "const uint {} = threadIdx.x;",
    "simdgroup_index_in_threadgroup": "const uint {} = threadIdx.x / 32u;",
    "thread_index_in_simdgroup": "const uint {} = threadIdx.x % 32u;",
}


def parameter(text):
    """A bound argument: pointers as they are (Metal assumes that they do not alias), structs by value."""
    declaration = ATTRIBUTE.sub("", text).strip()
    by_reference = re.fullmatch(r"constant (\w+)& (\w+)", declaration)
    if by_reference:
        return f"const {by_reference[1]} {by_reference[2]}"
    pointer = re.fullmatch(r"(const )?device (\w+)\* (\w+)", declaration)
    if pointer is None:
        raise ValueError(f"a parameter that is not understood: {text}")
    return f"{pointer[1] or ''}{pointer[2]}* __restrict__ {pointer[3]}"


def signature(match):
    threads, name, arguments = match.groups()
    parameters, built_ins = [], []
    for line in arguments.split(",\n"):
        attribute = re.search(r"\[\[(\w+)(?:\(\d+\))?\]\]", line)[1]
        if attribute == "buffer":
            parameters.append(parameter(line))
        else:
            identifier = ATTRIBUTE.sub("", line).split()[-1]
            built_ins.append("  " + BUILT_INS[attribute].format(identifier))
    head = f'extern "C" __global__ void __launch_bounds__({threads}) {name}('
    return head + ", ".join(parameters) + ") {\n" + "".join(f"{b}\n" for b in built_ins)


def translate(metal):
    text = metal.replace("#include <metal_stdlib>", '#include "msl.cuh"')
    text = text.replace("#pragma clang loop unroll(full)", "#pragma unroll")
    return KERNEL.sub(signature, text)
