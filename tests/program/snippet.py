# SPDX-License-Identifier: MIT
import numpy as np
from pto_wsp import DType, In, Out, InOut, Scalar, Tensor, Tile, kernel, pto, workload, P, Dense, combine, sequential, parallel_for, for_each, task, DispatchPolicy, TaskWindow, WindowMode, CompileError

x = Tensor(data=np.arange(16, dtype=np.float32).reshape(4, 4), shape=(4, 4), dtype=DType.F32)
y = Tensor(data=np.zeros((4, 4), np.float32), shape=(4, 4), dtype=DType.F32)

@kernel
def scale(x_tile: In[Tile[4, 4, DType.F32]], y_tile: Out[Tile[4, 4, DType.F32]], s: Scalar[DType.F32]):
    pto.store(y_tile, pto.mul(x_tile, s))

@workload
def wl():
    scale(x_tile=x, y_tile=y, s=2.0)

program = wl().named("scale").compile(target="pto_runtime_a2a3sim")
program.execute(); program.synchronize()
assert np.allclose(y.data, x.data * 2.0)
