# SPDX-License-Identifier: MIT
"""PtoWsp: tile workloads in Python, as tested Ascend task graphs.

Kernels compute on tiles, workloads call kernels on views of tensors:

    import numpy as np
    from pto_wsp import DType, In, Out, P, Tensor, Tile, kernel, pto, workload

    x = Tensor(data=np.ones((64, 256), np.float32))
    y = Tensor(data=np.zeros((64, 256), np.float32))

    @kernel
    def twice(a: In[Tile[8, 256, DType.F32]], b: Out[Tile[8, 256, DType.F32]]):
        pto.store(b, a * 2.0)

    @workload
    def wl():
        for r in P(8):
            twice[r](x[8*r:8*r+8], y[8*r:8*r+8])

    program = wl().compile(target="pto_runtime_a2a3sim")
    program.execute()

A workload is traced: its functions run once, on what stands for tiles and loop variables. Mistakes
raise CompileError with the user's file and line. Needs Python's standard library only; numpy where
arrays are given.
"""
from __future__ import annotations

from pto_wsp import pto
from pto_wsp.builder import (In, InOut, Kernel, Out, P, Value, Workload, WorkloadFunction, kernel,
                             workload)
from pto_wsp.csp import Channel, connect, consume, process, replicate, send, try_send
from pto_wsp.errors import CompileError, ExecutionError, PtoError
from pto_wsp.primitives import combine, cond, for_each, parallel_for, select, sequential, task
from pto_wsp.schedule import Deps, DispatchPolicy, TaskWindow, WindowMode
from pto_wsp.types import (Dense, DenseDyn, DType, Ragged, Scalar, Sparse, Symbol, Tensor, Tile,
                           View)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from pto_wsp.program import Program as Program

__all__ = [
    "Channel", "CompileError", "DType", "Dense", "DenseDyn", "Deps", "DispatchPolicy",
    "ExecutionError", "In", "InOut", "Kernel", "Out", "P", "Program", "PtoError", "Ragged",
    "Scalar",
    "Sparse", "Symbol", "TaskWindow", "Tensor", "Tile", "Value", "View", "WindowMode", "Workload",
    "WorkloadFunction", "combine", "cond", "connect", "consume", "for_each", "kernel",
    "parallel_for", "process", "pto", "replicate", "select", "send", "sequential", "task",
    "try_send", "workload",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Tracing needs nothing of what runs programs.
    if name == "Program":
        from pto_wsp.program import Program
        return Program
    raise AttributeError(f"module 'pto_wsp' has no attribute '{name}'")
