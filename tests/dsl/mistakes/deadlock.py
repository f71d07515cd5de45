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
    ac = Channel("ac", depth=1)
    first = process("first").produces(ab, ac).body(
        for_each(2, lambda t: send(ab, task(copy, [t], [x[4*t:4*t+4], y[4*t:4*t+4]]))),
        send(ac, task(copy, [], [x[0:4], y[0:4]])))
    second = process("second").consumes(ab, ac).body(
        consume(ac, lambda t: task(copy, [t], [x[0:4], y[0:4]])),
        consume(ab, lambda t: task(copy, [t], [x[0:4], y[0:4]])))
    connect([first, second], [ab, ac])
