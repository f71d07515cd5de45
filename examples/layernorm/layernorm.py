# SPDX-License-Identifier: MIT
"""Layer normalization of each row, sixteen rows a task."""
import numpy as np

from pto_wsp import DType, In, Out, P, Tensor, Tile, kernel, pto, workload

ROWS, COLS, STRIP = 256, 512, 16
EPSILON = 1e-5

x = Tensor(shape=(ROWS, COLS), dtype=DType.F32, init={"normal": [3, 2]})
gamma = Tensor(shape=(1, COLS), dtype=DType.F32, init={"uniform": [0.5, 1.5]})
beta = Tensor(shape=(1, COLS), dtype=DType.F32, init={"uniform": [-1, 1]})
y = Tensor(shape=(ROWS, COLS), dtype=DType.F32, rtol=1e-5, atol=3e-6)

Strip = Tile[STRIP, COLS, DType.F32]
Row = Tile[1, COLS, DType.F32]


@kernel
def layernorm_rows(x: In[Strip], gamma: In[Row], beta: In[Row], y: Out[Strip]):
    centred = x - pto.rowmean(x)
    variance = pto.rowmean(centred * centred)
    pto.store(y, centred * pto.rsqrt(variance + EPSILON) * gamma + beta)


@workload
def layernorm(rows=ROWS):
    for r in P(rows // STRIP):
        strip = slice(STRIP * r, STRIP * r + STRIP)
        layernorm_rows[r](x[strip], gamma, beta, y[strip])


def golden(x, gamma, beta):
    x = x.astype(np.float64)
    mean, variance = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
    return {"y": (x - mean) / np.sqrt(variance + EPSILON) * gamma + beta}
