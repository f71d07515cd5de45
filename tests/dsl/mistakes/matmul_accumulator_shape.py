import numpy as np

from pto_wsp import (Channel, Dense, DispatchPolicy, DType, In, InOut, Out, P, Ragged, Scalar, Symbol,
                     Tensor, Tile, combine, kernel, parallel_for, pto, sequential, task, workload)

F32, F16, I32 = DType.F32, DType.F16, DType.I32
x = Tensor(data=np.ones((8, 16), np.float32))
y = Tensor(data=np.zeros((8, 16), np.float32))


@kernel
def k(a: In[Tile[4, 16, F32]], b: Out[Tile[4, 16, F32]]):
    pto.store(b, pto.matmul(pto.rowsum(a), pto.colsum(a), pto.rowsum(a)))


@workload
def wl():
    for i in P(2):
        k(x[4*i:4*i+4], y[4*i:4*i+4])
