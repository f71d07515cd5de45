# SPDX-License-Identifier: MIT
"""Softmax of each row, eight rows a task. Without the subtraction exp would overflow."""
import numpy as np

from pto_wsp import DType, In, Out, P, Tensor, Tile, kernel, pto, workload

ROWS, COLS, STRIP = 64, 256, 8

x = Tensor(shape=(ROWS, COLS), dtype=DType.F32, init={"normal": [200, 10]})
y = Tensor(shape=(ROWS, COLS), dtype=DType.F32, rtol=1e-5, atol=1e-12)

Strip = Tile[STRIP, COLS, DType.F32]


@kernel
def softmax_rows(a: In[Strip], b: Out[Strip]):
    e = pto.exp(a - pto.rowmax(a))
    pto.store(b, e / pto.rowsum(e))


@workload
def softmax(rows=ROWS):
    for r in P(rows // STRIP):
        softmax_rows[r](x[STRIP * r : STRIP * r + STRIP], y[STRIP * r : STRIP * r + STRIP])


def golden(x):
    e = np.exp(x.astype(np.float64) - x.max(axis=1, keepdims=True))
    return {"y": e / e.sum(axis=1, keepdims=True)}
