"""CUDA text to kernels that can be launched: NVRTC and the driver through ctypes. The caller holds a CUDA context."""

import ctypes
import glob
import os
import site
import sys
from pathlib import Path

HERE = Path(__file__).parent


def package_files(pattern):
    """Files of NVIDIA's Python packages and of a toolkit under CUDA_HOME."""
    roots = [*site.getsitepackages(), os.environ.get("CUDA_HOME", "/usr/local/cuda")]
    return [f for root in roots for f in sorted(glob.glob(f"{root}/**/{pattern}", recursive=True))]


def load_nvrtc():
    found = [f for f in package_files("libnvrtc.so*") if "builtins" not in f and ".alt." not in f]
    if not found:
        raise RuntimeError("libnvrtc.so was found neither among Python's packages nor under CUDA_HOME")
    # NVRTC looks for its built-ins by bare name: loaded before, they are found
    for built_ins in package_files("libnvrtc-builtins.so*"):
        if os.path.dirname(built_ins) == os.path.dirname(found[0]):
            ctypes.CDLL(built_ins)
    return ctypes.CDLL(found[0])


def compile_cuda(text, architecture="sm_90"):
    """The machine code for `text`; an error carries the log of the compiler."""
    nvrtc = load_nvrtc()
    includes = {str(HERE), *(os.path.dirname(f) for f in package_files("include/cuda_fp16.h"))}
    # libcu++ is in `cccl` below the toolkit's headers
    includes |= {i + "/cccl" for i in includes if os.path.isdir(i + "/cccl")}
    options = [
        f"--gpu-architecture={architecture}",
        "--std=c++17",
        "--device-as-default-execution-space",
        # no contraction that the text does not ask for: results are those of the interpreter, times may suffer
        "--fmad=false",
        *(f"--include-path={i}" for i in sorted(includes)),
    ]
    program = ctypes.c_void_p()
    checked(nvrtc.nvrtcCreateProgram(ctypes.byref(program), text.encode(), b"kernels.cu", 0, None, None))
    values = (ctypes.c_char_p * len(options))(*(o.encode() for o in options))
    failed = nvrtc.nvrtcCompileProgram(program, len(options), values)
    if failed:
        raise RuntimeError(output(nvrtc.nvrtcGetProgramLogSize, nvrtc.nvrtcGetProgramLog, program).decode())
    return output(nvrtc.nvrtcGetCUBINSize, nvrtc.nvrtcGetCUBIN, program)


def output(get_size, get, program):
    size = ctypes.c_size_t()
    checked(get_size(program, ctypes.byref(size)))
    data = ctypes.create_string_buffer(size.value)
    checked(get(program, data))
    return data.raw


def checked(code):
    if code:
        raise RuntimeError(f"CUDA error {code}")


class Library:
    """Kernels of one piece of machine code, by name."""

    def __init__(self, code):
        self.driver = ctypes.CDLL("libcuda.so.1")
        self.code = code
        self.module = ctypes.c_void_p()
        checked(self.driver.cuModuleLoadData(ctypes.byref(self.module), code))

    def kernel(self, name):
        function = ctypes.c_void_p()
        checked(self.driver.cuModuleGetFunction(ctypes.byref(function), self.module, name.encode()))
        return function

    def launch(self, function, grid, threads, arguments, stream):
        """`threads` along x, y and z; `arguments`: ctypes objects, passed by value."""
        pointers = (ctypes.c_void_p * len(arguments))(*(ctypes.addressof(a) for a in arguments))
        checked(
            self.driver.cuLaunchKernel(
                function, *grid, *threads, 0, ctypes.c_void_p(stream), pointers, None
            )
        )


if __name__ == "__main__":
    # python tools/gpu-check/nvrtc.py FILE.cu ... : whether each compiles; needs no GPU
    for path in sys.argv[1:]:
        compile_cuda(Path(path).read_text())
        print(path, "compiles")
