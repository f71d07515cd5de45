# SPDX-License-Identifier: MIT
"""One run of a task graph on pto-runtime, in a process of its own, through its bindings.

ptowsp-run and Program start it (external_run.cpp in glue), which checks everything; here are only
the calls. Files that it finds open:
    0  the request: lines `key value...`, below
    1, 2  what the runtime prints; 1 takes one line at a time
    3  reports: `phase TEXT` when one begins, `time NAME NANOSECONDS`, `failed TEXT`, and `done`
    4  the memory that holds the arrays, shared with who started it
"""
from __future__ import annotations

import ctypes
import mmap
import os
import struct
import sys
import time

_REPORTS, _MEMORY = 3, 4
_IOLBF, _LINE = 1, 4096
_MAP_FAILED = ctypes.c_void_p(-1).value


def report(line: str) -> None:
    os.write(_REPORTS, (line.replace("\n", " ") + "\n").encode(errors="replace"))


class Request:
    """What to run.

    bindings FOLDER; host, aicpu, aicore, orchestration FILE; function NAME; kernel SYMBOL FILE in
    order of func_id, or, on a device, image FILE, its code, likewise; array OFFSET BYTES r|rw, one for
    each tensor that is not temporary; ledger OFFSET; spill OFFSET; segments N; threads N; blocks N;
    device N. With kernels the device can use the memory of the ledger, since it is simulated; with
    images it cannot.
    """

    def __init__(self, text: str) -> None:
        self.values: dict[str, str] = {}
        self.lists: dict[str, list[str]] = {"kernel": [], "image": [], "array": [], "spill": []}
        for line in text.splitlines():
            key, _, value = line.partition(" ")
            if key in self.lists:
                self.lists[key].append(value)
            else:
                self.values[key] = value

    def number(self, key: str) -> int:
        return int(self.values[key])


class Memory:
    """The shared arrays. Those that a run only reads are mapped so that a write to them crashes."""

    def __init__(self) -> None:
        self._map = ctypes.CDLL(None, use_errno=True).mmap
        self._map.restype = ctypes.c_void_p
        self._map.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int,
                              ctypes.c_int, ctypes.c_int64]

    def address(self, offset: int, size: int, writable: bool) -> int:
        access = mmap.PROT_READ | (mmap.PROT_WRITE if writable else 0)
        address = self._map(None, max(size, 1), access, mmap.MAP_SHARED, _MEMORY, offset)
        if address in (None, _MAP_FAILED):
            raise OSError(ctypes.get_errno(), f"mapping {size} bytes of shared memory failed")
        return int(address)


def read_file(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def orchestration_args(request: Request) -> tuple[list[int], list[int]]:
    """The arguments before the segment's number, and those after it."""
    memory = Memory()
    pairs = []
    for line in request.lists["array"]:
        offset, size, access = line.split()
        pairs += [memory.address(int(offset), int(size), access == "rw"), int(size)]
    offset, size = request.values["ledger"].split()
    # Bit 0: the device can use this memory itself. So what has run is known even after a crash. Bit 1:
    # it cannot, and its cores' caches know nothing of each other: each slot has a line of its own.
    how = 2 if request.lists["image"] else 1
    rest = [memory.address(int(offset), int(size), True) | how]
    for line in request.lists["spill"]:
        offset, size = line.split()
        rest.append(memory.address(int(offset), int(size), True))
    return pairs, rest


def check_layout(orchestration: str, runtime_size: int) -> None:
    """An orchestration that was compiled with other limits than the library writes where it must
    not."""
    library = ctypes.CDLL(orchestration)
    compiled = ctypes.c_uint64.in_dll(library, "ptowsp_runtime_object_size").value
    if compiled != runtime_size:
        raise RuntimeError(f"the orchestration was compiled for a runtime object of {compiled} "
                           f"bytes, the library has one of {runtime_size} bytes: RUNTIME_MAX_... "
                           "differ, or the versions")


def kernel_images(request: Request) -> list[bytes]:
    """What is registered of each kernel: its code, or its address as 8 bytes."""
    images = [read_file(path) for path in request.lists["image"]]
    for line in request.lists["kernel"]:
        symbol, _, path = line.partition(" ")
        function = getattr(ctypes.CDLL(path), symbol)  # stays loaded
        images.append(struct.pack("=Q", ctypes.cast(function, ctypes.c_void_p).value or 0))
    return images


def print_lines() -> None:
    """Has the runtime print each line at once, instead of when a buffer is full: who started this
    process holds a scheduler up that only waits, by not taking its lines."""
    library = ctypes.CDLL(None)
    library.setvbuf(ctypes.c_void_p.in_dll(library, "stdout"), None, ctypes.c_int(_IOLBF),
                    ctypes.c_size_t(_LINE))


def run(request: Request) -> None:
    print_lines()
    report("phase loading pto-runtime")
    sys.path.insert(0, request.values["bindings"])
    import bindings
    runtime_class = bindings.bind_host_binary(request.values["host"])
    bindings.set_device(request.number("device"))
    report("phase loading the kernels and the orchestration")
    images = kernel_images(request)
    pairs, rest = orchestration_args(request)
    path = request.values["orchestration"]
    check_layout(path, runtime_class().lib.get_runtime_size())
    orchestration = read_file(path)
    aicpu, aicore = read_file(request.values["aicpu"]), read_file(request.values["aicore"])
    for segment in range(request.number("segments")):
        report("phase registering the kernels")
        for func_id, image in enumerate(images):  # finalize forgets them
            bindings.register_kernel(func_id, image)
        report("phase building the task graph (orchestration)")
        runtime = runtime_class()
        begun = time.monotonic_ns()
        runtime.initialize(orchestration, request.values["function"], [*pairs, segment, *rest])
        built = time.monotonic_ns()
        report(f"time build {built - begun}")
        report("phase running the tasks")
        bindings.launch_runtime(runtime, aicpu_thread_num=request.number("threads"),
                                block_dim=request.number("blocks"),
                                device_id=request.number("device"),
                                aicpu_binary=aicpu, aicore_binary=aicore)
        report(f"time run {time.monotonic_ns() - built}")
        report("phase bringing the results back from the device")
        runtime.finalize()


def main() -> None:
    with open(0, encoding="utf-8", errors="surrogateescape", closefd=False) as file:
        request = Request(file.read())
    try:
        run(request)
    except Exception as error:  # whatever its code raises is a run that failed
        report(f"failed {error}" if str(error) else f"failed {type(error).__name__}")
        os._exit(1)
    report("done")
    os._exit(0)  # destructors of the runtime and its threads have nothing more to do


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
