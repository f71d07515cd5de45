import numpy as np

from pto_wsp import (Channel, Dense, DispatchPolicy, DType, In, InOut, Out, P, Ragged, Scalar, Symbol,
                     Tensor, Tile, combine, kernel, parallel_for, pto, sequential, task, workload)

F32 = DType.F32
x = Tensor(data=np.ones((8, 16), np.float32))
y = Tensor(data=np.zeros((8, 16), np.float32))


@kernel
def twice(a: In[Tile[4, 16, F32]], b: Out[Tile[4, 16, F32]]):
    pto.store(b, a * 2.0)


@workload
def wl():
    for i in P(2):
        P.when(i < 1)
        twice(x[4*i:4*i+4], y[4*i:4*i+4])
