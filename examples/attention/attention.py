# SPDX-License-Identifier: MIT
"""Attention, one kernel for a tile of queries: it sees all the keys and values of its head at once."""
import numpy as np

from pto_wsp import DType, In, Out, P, Tensor, Tile, kernel, pto, workload

BATCH, HEADS, LENGTH, WIDTH, STRIP = 2, 4, 128, 64, 32
SCALE = WIDTH**-0.5

# Scores are near 96, which exp would not bear.
q = Tensor(shape=(BATCH, HEADS, LENGTH, WIDTH), dtype=DType.F32, init={"normal": [6, 1]})
k_transposed = Tensor(shape=(BATCH, HEADS, WIDTH, LENGTH), dtype=DType.F32, init={"normal": [2, 0.3]})
v = Tensor(shape=(BATCH, HEADS, LENGTH, WIDTH), dtype=DType.F32, init={"normal": [0, 1]})
out = Tensor(shape=(BATCH, HEADS, LENGTH, WIDTH), dtype=DType.F32, rtol=1e-4, atol=1e-4)

Queries = Tile[STRIP, WIDTH, DType.F32]
Keys = Tile[WIDTH, LENGTH, DType.F32]
Values = Tile[LENGTH, WIDTH, DType.F32]


@kernel
def attend(q: In[Queries], k_transposed: In[Keys], v: In[Values], out: Out[Queries]):
    score = pto.matmul(q, k_transposed) * SCALE
    weight = pto.exp(score - pto.rowmax(score))
    pto.store(out, pto.matmul(weight / pto.rowsum(weight), v))


@workload
def attention(batch=BATCH, heads=HEADS):
    for b, h, s in P(batch, heads, LENGTH // STRIP):
        strip = slice(STRIP * s, STRIP * s + STRIP)
        attend[b, h, s](q[b, h, strip], k_transposed[b, h], v[b, h], out[b, h, strip])


def golden(q, k_transposed, v):
    score = q.astype(np.float64) @ k_transposed * SCALE
    weight = np.exp(score - score.max(axis=-1, keepdims=True))
    return {"out": weight / weight.sum(axis=-1, keepdims=True) @ v}
