import numpy as np

from pto_wsp import (Channel, DType, In, Out, P, Tensor, Tile, connect, consume, for_each, kernel,
                     process, pto, replicate, send, task, workload)

F32 = DType.F32
x = Tensor(data=np.ones((8, 16), np.float32))
y = Tensor(data=np.zeros((8, 16), np.float32))


@kernel
def copy(a: In[Tile[4, 16, F32]], b: Out[Tile[4, 16, F32]]):
    pto.store(b, a)


@workload
def wl():
    ab = Channel("ab", depth=1)
    connect([process("first").produces(ab)], [ab])
