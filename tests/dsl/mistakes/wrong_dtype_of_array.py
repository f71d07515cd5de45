import numpy as np

from pto_wsp import (Channel, Dense, DispatchPolicy, DType, In, InOut, Out, P, Ragged, Scalar, Symbol,
                     Tensor, Tile, combine, kernel, parallel_for, pto, sequential, task, workload)

F32 = DType.F32
x = Tensor(data=np.ones((8, 16), np.float32))
y = Tensor(data=np.zeros((8, 16), np.float32))
z = Tensor(data=np.full((8, 16), 0.1), shape=(8, 16), dtype=F32)
