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
    first = process("first").produces(ab).body(
        for_each(2, lambda t: send(ab, task(copy, [t], [x[4*t:4*t+4], y[4*t:4*t+4]]))))

    def body(t):
        with P.when(t < 1):
            copy(x[0:4], y[0:4])
    connect([first, process("second").consumes(ab).body(consume(ab, body))], [ab])
