# SPDX-License-Identifier: MIT
"""A built artifact in this process: ptowsp/glue_c.h through ctypes. Knows arrays, no tensors."""
from __future__ import annotations

import ctypes
import os
import threading
from _thread import allocate_lock, start_new_thread

from pto_wsp.errors import ExecutionError, PtoError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Sequence
    import numpy

_OK, _BAD_ARTIFACT, _CANCELLED = 0, 2, 4
_CANCEL_EVERY = 0.02  # seconds


class _Options(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("workers", ctypes.c_int32),
                ("timeout_seconds", ctypes.c_double), ("runtime", ctypes.c_char_p)]


class RunStats(ctypes.Structure):
    """struct ptowsp_program_stats."""

    _fields_ = [("size", ctypes.c_uint32), ("workers", ctypes.c_int32), ("tasks", ctypes.c_int64),
                ("edges", ctypes.c_int64), ("critical_path", ctypes.c_int64),
                ("build_ns", ctypes.c_uint64), ("wall_ns", ctypes.c_uint64),
                ("aicpus", ctypes.c_int32), ("reserved", ctypes.c_uint32),
                ("window", ctypes.c_int64), ("window_high_water", ctypes.c_int64),
                ("window_stalls", ctypes.c_int64)]


class DamagedArtifact(PtoError):
    """The artifact cannot be loaded."""


class Library:
    """libptowsp_glue_c.so."""

    def __init__(self, path: str) -> None:
        try:
            library = ctypes.CDLL(path)  # its calls release the GIL
        except OSError as error:
            raise PtoError(f"error: {error}\n  fix: install PtoWsp again, or build all of its "
                           "build tree") from None
        pointer, u32, u64 = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint64
        for name, result, arguments in (
                ("ptowsp_program_open", ctypes.c_int,
                 [ctypes.c_char_p, ctypes.POINTER(_Options), ctypes.POINTER(pointer)]),
                ("ptowsp_program_close", None, [pointer]),
                ("ptowsp_program_run", ctypes.c_int,
                 [pointer, ctypes.POINTER(pointer), ctypes.POINTER(u64), u32]),
                ("ptowsp_program_cancel", None, [pointer]),
                ("ptowsp_program_error", ctypes.c_char_p, [pointer]),
                ("ptowsp_program_total_cycles", ctypes.c_int,
                 [pointer, ctypes.c_int, ctypes.POINTER(ctypes.c_int64)]),
                ("ptowsp_program_get_stats", ctypes.c_int, [pointer, ctypes.POINTER(RunStats)]),
                ("ptowsp_kernel_level", ctypes.c_char_p, [])):
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
        self.c = library

    @property
    def level(self) -> str:
        """The level of kernel code that fits this machine best."""
        return self.c.ptowsp_kernel_level().decode()


class Executable:
    """A loaded artifact with a device of its own. One call at a time. runtime: the folder of an
    external runtime's libraries, or None for the built-in one."""

    def __init__(self, library: Library, artifact: str, workers: int, timeout: float,
                 runtime: str | None = None) -> None:
        self._c = library.c
        self._process = os.getpid()
        self._program = ctypes.c_void_p()
        options = _Options(ctypes.sizeof(_Options), workers, timeout,
                           runtime and runtime.encode("utf-8", "surrogateescape"))
        outcome = self._c.ptowsp_program_open(
            artifact.encode("utf-8", "surrogateescape"), ctypes.byref(options),
            ctypes.byref(self._program))
        if outcome != _OK:
            message = self._error()
            self.close()
            raise (DamagedArtifact if outcome == _BAD_ARTIFACT else ExecutionError)(message)

    def _error(self) -> str:
        return self._c.ptowsp_program_error(self._program).decode(errors="replace")

    def run(self, arrays: Sequence[numpy.ndarray]) -> None:
        """Runs it once on row-major arrays without gaps, in the workload's order. ExecutionError;
        KeyboardInterrupt ends the run, results are not written then."""
        count = len(arrays)
        pointers = (ctypes.c_void_p * count)(*(array.ctypes.data for array in arrays))
        sizes = (ctypes.c_uint64 * count)(*(array.nbytes for array in arrays))
        outcome = _interruptible(
            lambda: self._c.ptowsp_program_run(self._program, pointers, sizes, count),
            lambda: self._c.ptowsp_program_cancel(self._program))
        if outcome != _OK:
            raise ExecutionError(self._error())

    @property
    def stats(self) -> RunStats:
        """Of the last run."""
        stats = RunStats(ctypes.sizeof(RunStats))
        if self._c.ptowsp_program_get_stats(self._program, ctypes.byref(stats)) != _OK:
            raise ExecutionError("the program is closed")
        return stats

    def total_cycles(self, block_dim: int) -> int:
        """Predicted for one run on that many blocks."""
        cycles = ctypes.c_int64()
        if self._c.ptowsp_program_total_cycles(self._program, block_dim, ctypes.byref(cycles)) != _OK:
            raise ExecutionError(self._error())
        return cycles.value

    @property
    def belongs_to_parent(self) -> bool:
        """Whether this process was forked from the one that made it: its threads are not here."""
        return self._process != os.getpid()

    def close(self) -> None:
        """Releases the device; the artifact's libraries stay loaded."""
        program, self._program = self._program, ctypes.c_void_p()
        # In a forked process it would wait for threads that are not here.
        if program and not self.belongs_to_parent:
            self._c.ptowsp_program_close(program)

    def __del__(self) -> None:
        self.close()


def _interruptible(call: Callable[[], Any], cancel: Callable[[], None]) -> Any:
    """What `call`, a long call of C, returns. Python runs signal handlers on its main thread only,
    and between two steps of its own; so there the call is made by another thread. When a handler
    raises, as Ctrl-C does, the call is cancelled, and over when this returns."""
    if threading.current_thread() is not threading.main_thread():
        return call()
    begun: list[bool] = []
    abandoned: list[bool] = []
    result: list[Any] = []
    over = allocate_lock()
    over.acquire()

    def work() -> None:
        try:
            begun.append(True)
            if not abandoned:
                result.append(call())
        finally:
            over.release()

    try:
        start_new_thread(work, ())
        over.acquire()
    except BaseException:
        # A thread that has not begun yet sees that it need not.
        abandoned.append(True)
        while begun and not _ended(over, cancel):
            pass
        raise
    return result[0]


def _ended(over: Any, cancel: Callable[[], None]) -> bool:
    try:
        cancel()
        return bool(over.acquire(timeout=_CANCEL_EVERY))
    except KeyboardInterrupt:
        return False  # impatient, but the arrays are in use until the call is over
