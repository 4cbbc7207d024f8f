"""Executes the steps of a plan on buffers of the GPU."""

import ctypes

import torch
from inputs import DTYPES


class Execution:
    def __init__(self, plan, library, inputs, constants, donates=False):
        """With `donates`, results lie over the arguments that the plan lets them reuse."""
        self.plan = plan
        self.library = library
        self.functions = {}
        given = iter(inputs)
        arena = torch.full((arena_size(plan["buffers"]),), 0xFF, dtype=torch.uint8, device="cuda")
        # a result without memory of its own is another buffer; parameters come first
        self.buffers = []
        for buffer in plan["buffers"]:
            if buffer["kind"] == "parameter":
                memory = next(given).contiguous().flatten().view(torch.uint8)
                memory = memory.clone() if donates else memory
            elif buffer["kind"] == "constant":
                start = plan["constants"][buffer["constant"]]
                count = size_of(buffer)
                memory = torch.frombuffer(bytearray(constants[start : start + count]), dtype=torch.uint8).cuda()
            elif "offset" in buffer:
                memory = arena[buffer["offset"] : buffer["offset"] + size_of(buffer)]
            elif donates and "mayReuse" in buffer:
                memory = self.buffers[buffer["mayReuse"]]
            else:
                count = 0 if "sameAs" in buffer else size_of(buffer)
                memory = torch.full((count,), 0xFF, dtype=torch.uint8, device="cuda")
            self.buffers.append(memory)

    def is_decided_by_host(self):
        """Whether the host reads a value in between, which a graph cannot hold."""

        def inside(steps):
            return any(
                "condition" in step or any(inside(step.get(part, [])) for part in ("body", "then", "otherwise"))
                for step in steps
            )

        return inside(self.plan["steps"])

    def typed(self, index):
        buffer = self.plan["buffers"][index]
        memory = self.buffers[buffer.get("sameAs", index)]
        return memory.view(DTYPES[buffer["dtype"]])

    def result_indices(self):
        return [i for i, b in enumerate(self.plan["buffers"]) if b["kind"] == "result"]

    def results(self):
        return [(self.plan["buffers"][i]["dtype"], self.typed(i)) for i in self.result_indices()]

    def dispatches(self):
        """All dispatches, those inside loops and branches once."""

        def inside(steps):
            for step in steps:
                if step["kind"] == "dispatch":
                    yield step
                for part in ("body", "then", "otherwise"):
                    yield from inside(step.get(part, []))

        return list(inside(self.plan["steps"]))

    def run(self):
        self.run_steps(self.plan["steps"], 0)

    def run_steps(self, steps, iteration):
        for step in steps:
            kind = step["kind"]
            if kind == "dispatch":
                self.dispatch(step)
            elif kind == "copy":
                self.copy(step, iteration)
            elif kind == "branch":
                side = "then" if bool(self.typed(step["condition"])[0]) else "otherwise"
                self.run_steps(step[side], iteration)
            else:
                self.loop(step)

    def loop(self, step):
        count = step["count"]
        for at in range(count):
            if "condition" in step and not bool(self.typed(step["condition"])[0]):
                return
            number = count - 1 - at if step["reverse"] else at
            if "index" in step:
                self.typed(step["index"]).fill_(number)
            self.run_steps(step["body"], number)

    def copy(self, step, iteration):
        source, target = self.typed(step["from"]), self.typed(step["to"])
        a = step["fromOffset"][0] + step["fromOffset"][1] * iteration
        b = step["toOffset"][0] + step["toOffset"][1] * iteration
        target[b : b + step["size"]].copy_(source[a : a + step["size"]])

    def dispatch(self, step):
        """The grid's last extent is x, the one before y, the product of the others z; of a kernel of the user it counts threads."""
        kernel = self.plan["kernels"][step["kernel"]]
        grid = [1, 1, 1, *step["grid"]]
        z = 1
        for extent in grid[:-2]:
            z *= extent
        shape = (grid[-1], grid[-2], z)
        if 0 in shape:
            return
        addresses = [self.buffers[self.plan["buffers"][i].get("sameAs", i)].data_ptr() for i in step["buffers"]]
        if kernel["bindingTable"]:
            arguments = [(ctypes.c_uint64 * len(addresses))(*addresses)]
        else:
            arguments = [ctypes.c_uint64(a) for a in addresses]
        if step["integers"]:
            arguments.append((ctypes.c_int32 * len(step["integers"]))(*step["integers"]))
        if "threadgroup" not in kernel:
            for first, groups in parts(shape):
                place = (ctypes.c_uint32 * 3)(*first)
                self.launch(kernel["name"], groups, (kernel["threads"], 1, 1), [*arguments, place])
            return
        for first, groups, threads, place in pieces(shape, kernel["threadgroup"]):
            self.launch(kernel["name"], groups, threads, [*arguments, (ctypes.c_uint32 * 12)(*first, *place)])

    def launch(self, name, groups, threads, arguments):
        if groups[1] > 65535 or groups[2] > 65535:
            raise ValueError(f"a grid of {groups} is too large for CUDA")
        if name not in self.functions:
            self.functions[name] = self.library.kernel(name)
        stream = torch.cuda.current_stream().cuda_stream
        self.library.launch(self.functions[name], groups, threads, arguments, stream)


def parts(shape, most=65535):
    """A grid of threadgroups as launches that CUDA takes, which has less room along y and z: where each starts, and its size."""
    for z in range(0, shape[2], most):
        for y in range(0, shape[1], most):
            yield (0, y, z), (shape[0], min(most, shape[1] - y), min(most, shape[2] - z))


def pieces(threads, size):
    """A grid of threads as launches of equal threadgroups: those at its edges are smaller, as `dispatchThreads` makes them.

    Of each piece its first threadgroup, its number of threadgroups, their size, and what all share (`Launch` of msl-library.cuh).
    """
    groups = [-(-n // s) for n, s in zip(threads, size, strict=True)]
    whole = (*threads, *groups, *size)
    # along each axis: full groups, then the one that is left
    axes = [
        [(first, count, own) for first, count, own in ((0, n // s, s), (n // s, 1, n % s)) if count > 0 and own > 0]
        for n, s in zip(threads, size, strict=True)
    ]
    for z in axes[2]:
        for y in axes[1]:
            for x in axes[0]:
                first, count, own = zip(x, y, z, strict=True)
                yield first, count, own, whole


def size_of(buffer):
    return buffer["size"] * torch.empty(0, dtype=DTYPES[buffer["dtype"]]).element_size()


def arena_size(buffers):
    """Bytes of the memory that temporaries share in a plan without dims."""
    return max((b["offset"] + size_of(b) for b in buffers if "offset" in b), default=0)
