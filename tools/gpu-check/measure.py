"""Times on the GPU: calls recorded in a CUDA graph, so that the host's launching does not count."""

import statistics

import torch

SAMPLES = 11


def seconds_of(call, fits_graph=True):
    """The median over SAMPLES of the mean of some calls in a row, warm; without a graph the host's launching counts."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            call()
        once = timed(call)
    torch.cuda.current_stream().wait_stream(stream)
    if not fits_graph:
        return statistics.median(timed(call) for _ in range(SAMPLES))
    count = max(1, min(50, int(5e-3 / once)))
    graph = torch.cuda.CUDAGraph()
    # other threads (JAX has some) may call CUDA meanwhile
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        for _ in range(count):
            call()
    graph.replay()
    return statistics.median(timed(graph.replay) for _ in range(SAMPLES)) / count


def timed(call):
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    start.record()
    call()
    end.record()
    end.synchronize()
    return start.elapsed_time(end) / 1e3


class Copies:
    """Times of copies within device memory by the bytes they move, read and written."""

    def __init__(self):
        self.known = {}

    def seconds(self, moved):
        if moved not in self.known:
            source = torch.zeros(max(1, moved // 2), dtype=torch.uint8, device="cuda")
            target = torch.empty_like(source)
            self.known[moved] = seconds_of(lambda: target.copy_(source))
        return self.known[moved]
