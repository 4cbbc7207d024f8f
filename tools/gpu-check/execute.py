"""Executes the steps of a plan on buffers of the GPU."""

import ctypes

import torch
from inputs import DTYPES


class Execution:
    def __init__(self, plan, library, inputs, constants):
        self.plan = plan
        self.library = library
        self.functions = {}
        given = iter(inputs)
        # a result without memory of its own is another buffer; parameters come first
        self.buffers = []
        for buffer in plan["buffers"]:
            if buffer["kind"] == "parameter":
                memory = next(given).contiguous().flatten().view(torch.uint8)
            elif buffer["kind"] == "constant":
                start = plan["constants"][buffer["constant"]]
                count = size_of(buffer)
                memory = torch.frombuffer(bytearray(constants[start : start + count]), dtype=torch.uint8).cuda()
            else:
                count = 0 if "sameAs" in buffer else size_of(buffer)
                memory = torch.full((count,), 0xFF, dtype=torch.uint8, device="cuda")
            self.buffers.append(memory)

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
        """The grid's last extent is x, the one before y, the product of the others z."""
        kernel = self.plan["kernels"][step["kernel"]]
        grid = [1, 1, 1, *step["grid"]]
        z = 1
        for extent in grid[:-2]:
            z *= extent
        shape = (grid[-1], grid[-2], z)
        if 0 in shape:
            return
        if shape[1] > 65535 or shape[2] > 65535:
            raise ValueError(f"a grid of {shape} is too large for CUDA")
        addresses = [self.buffers[self.plan["buffers"][i].get("sameAs", i)].data_ptr() for i in step["buffers"]]
        if kernel["bindingTable"]:
            arguments = [(ctypes.c_uint64 * len(addresses))(*addresses)]
        else:
            arguments = [ctypes.c_uint64(a) for a in addresses]
        if step["integers"]:
            arguments.append((ctypes.c_int32 * len(step["integers"]))(*step["integers"]))
        name = kernel["name"]
        if name not in self.functions:
            self.functions[name] = self.library.kernel(name)
        stream = torch.cuda.current_stream().cuda_stream
        self.library.launch(self.functions[name], shape, kernel["threads"], arguments, stream)


def size_of(buffer):
    return buffer["size"] * torch.empty(0, dtype=DTYPES[buffer["dtype"]]).element_size()
