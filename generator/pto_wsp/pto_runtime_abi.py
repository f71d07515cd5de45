# SPDX-License-Identifier: MIT
"""What pto-runtime's orchestration functions take: bare addresses and sizes."""
from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Sequence
    import numpy

__all__ = ["build_orch_func_args"]


def build_orch_func_args(arrays: Sequence[numpy.ndarray]) -> list[int]:
    """The arguments of an orchestration function for arrays in the workload's order:
    `[address, bytes, address, bytes, ...]`.

    The arrays must stay alive until the runtime is finalized: addresses do not keep them. TypeError
    for anything but numpy arrays, ValueError for an array that has gaps or is not in C order, which
    an address and a size cannot describe.
    """
    import numpy
    args: list[int] = []
    for i, array in enumerate(arrays):
        if not isinstance(array, numpy.ndarray):
            raise TypeError(f"argument {i} is {type(array).__name__}, expected numpy.ndarray")
        if not array.flags.c_contiguous:
            raise ValueError(f"array {i}, of shape {array.shape} and strides {array.strides}, is "
                             "not C-contiguous; give numpy.ascontiguousarray(array)")
        args += [array.ctypes.data, array.nbytes]
    return args
