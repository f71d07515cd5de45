# SPDX-License-Identifier: MIT
"""The C API of PtoWsp's built-in runtime through ctypes, with the interface of pto-runtime's module
of this name:

    Runtime = bind_host_binary(library)
    set_device(0)
    register_kernel(func_id, image)                      # before each run
    runtime = Runtime()
    runtime.initialize(orchestration, function, args)
    launch_runtime(runtime, aicpu_thread_num=1, block_dim=1, device_id=0,
                   aicpu_binary=..., aicore_binary=...)
    runtime.finalize()                                   # brings the results back

Every failure raises RuntimeError with the runtime's own message.
"""
from __future__ import annotations

import ctypes
import os
import tempfile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Sequence

_ALIGNMENT = 64  # of the runtime object
_lib: ctypes.CDLL | None = None

_bytes = ctypes.c_char_p  # read only by what is called
_SIGNATURES = {
    "get_runtime_size": (ctypes.c_size_t, []),
    "init_runtime": (ctypes.c_int, [ctypes.c_void_p, _bytes, ctypes.c_size_t, ctypes.c_char_p,
                                    ctypes.POINTER(ctypes.c_uint64), ctypes.c_int]),
    "launch_runtime": (ctypes.c_int, [ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_int,
                                      _bytes, ctypes.c_size_t, _bytes, ctypes.c_size_t]),
    "finalize_runtime": (ctypes.c_int, [ctypes.c_void_p]),
    "set_device": (ctypes.c_int, [ctypes.c_int]),
    "register_kernel": (ctypes.c_int, [ctypes.c_int, _bytes, ctypes.c_size_t]),
}


class _Error(ctypes.Structure):
    # struct ptowsp_sim_error of ptowsp/sim_api.h.
    _fields_ = [("size", ctypes.c_uint32), ("code", ctypes.c_int32), ("task", ctypes.c_int32),
                ("func_id", ctypes.c_int32), ("core", ctypes.c_int32),
                ("core_type", ctypes.c_int32), ("detail", ctypes.c_int32),
                ("task_count", ctypes.c_uint32), ("tasks", ctypes.c_void_p),
                ("message", ctypes.c_char_p)]


def _library() -> ctypes.CDLL:
    if _lib is None:
        raise RuntimeError("no runtime is loaded; call bind_host_binary() first")
    return _lib


def _check(code: int, call: str) -> None:
    if code == 0:
        return
    error = _Error(ctypes.sizeof(_Error))
    _library().ptowsp_sim_last_error(ctypes.byref(error))
    raise RuntimeError(f"{call} failed: {code}: {(error.message or b'').decode(errors='replace')}")


class Runtime:
    """A runtime object: one task graph, built by initialize(), run by launch_runtime()."""

    def __init__(self, lib: ctypes.CDLL) -> None:
        self.lib = lib
        self._memory = ctypes.create_string_buffer(lib.get_runtime_size() + _ALIGNMENT)
        address = ctypes.addressof(self._memory)
        self._handle = ctypes.c_void_p(-(-address // _ALIGNMENT) * _ALIGNMENT)

    def initialize(self, orch_so_binary: bytes, orch_func_name: str,
                   func_args: Sequence[int] | None = None) -> None:
        """Loads the orchestration library and has its function build the graph. func_args:
        integers, such as addresses, which must stay valid until finalize()."""
        args = (ctypes.c_uint64 * len(func_args or ()))(*(func_args or ()))
        code = self.lib.init_runtime(self._handle, orch_so_binary, len(orch_so_binary),
                                     orch_func_name.encode(), args, len(args))
        _check(code, "init_runtime")

    def finalize(self) -> None:
        """Copies what was recorded back to the host, and releases the graph and the kernels."""
        _check(self.lib.finalize_runtime(self._handle), "finalize_runtime")


def bind_host_binary(lib_path: str | os.PathLike[str] | bytes) -> type[Runtime]:
    """Loads the runtime's library, a path or its bytes, and returns a class of runtime objects."""
    global _lib
    if isinstance(lib_path, bytes):
        with tempfile.NamedTemporaryFile(prefix="ptowsp-", suffix=".so") as file:
            file.write(lib_path)
            file.flush()
            lib = ctypes.CDLL(file.name, mode=ctypes.RTLD_GLOBAL)
    else:
        path = os.path.abspath(lib_path)
        if not os.path.exists(path):
            raise FileNotFoundError(f"there is no library {path}")
        lib = ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(lib, name)
        function.restype, function.argtypes = result, arguments
    _lib = lib

    class BoundRuntime(Runtime):
        def __init__(self) -> None:
            super().__init__(lib)

    return BoundRuntime


def set_device(device_id: int) -> None:
    """Chooses the device; before any other call."""
    _check(_library().set_device(device_id), "set_device")


def register_kernel(func_id: int, binary_data: bytes) -> None:
    """Gives the code of a kernel: the bytes of its .text, or 8 bytes that are a function's
    address."""
    if not binary_data:
        raise ValueError("binary_data is empty, expected the code of a kernel")
    _check(_library().register_kernel(func_id, binary_data, len(binary_data)), "register_kernel")


def launch_runtime(runtime: Runtime, aicpu_thread_num: int, block_dim: int, device_id: int,
                   aicpu_binary: bytes, aicore_binary: bytes) -> None:
    """Runs the tasks and returns when all are done. block_dim blocks of one AIC and two AIV cores
    are shared by aicpu_thread_num schedulers."""
    code = _library().launch_runtime(runtime._handle, aicpu_thread_num, block_dim, device_id,
                                     aicpu_binary, len(aicpu_binary), aicore_binary,
                                     len(aicore_binary))
    _check(code, "launch_runtime")
