"""Softmax of each row, eight rows a task."""
import numpy as np

from pto_wsp import DType, In, Out, P, Tensor, Tile, kernel, pto, workload

x = Tensor(data=np.random.default_rng(0).normal(200, 10, (64, 256)).astype(np.float32))
y = Tensor(shape=(64, 256), dtype=DType.F32, rtol=1e-5)


@kernel
def softmax_rows(a: In[Tile[8, 256, DType.F32]], b: Out[Tile[8, 256, DType.F32]]):
    e = pto.exp(a - pto.rowmax(a))
    pto.store(b, e / pto.rowsum(e))


@workload
def softmax(rows=64):
    for r in P(rows // 8):
        softmax_rows[r](x[8*r:8*r+8], y[8*r:8*r+8])


def golden(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return {"y": e / e.sum(axis=1, keepdims=True)}
