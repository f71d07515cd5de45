# SPDX-License-Identifier: MIT
"""The feed-forward block of a transformer: y = gelu(x w1 + b1) w2 + b2, in tiles of rows and of hidden units."""
import numpy as np

from pto_wsp import DType, In, InOut, Out, P, Tensor, Tile, kernel, pto, workload

ROWS, WIDTH, HIDDEN = 128, 64, 256
STRIP, PART = 32, 64

x = Tensor(shape=(ROWS, WIDTH), dtype=DType.F32, init={"normal": [0, 1]})
w1 = Tensor(shape=(WIDTH, HIDDEN), dtype=DType.F32, init={"normal": [0, WIDTH**-0.5]})
b1 = Tensor(shape=(1, HIDDEN), dtype=DType.F32, init={"normal": [0, 0.5]})
w2 = Tensor(shape=(HIDDEN, WIDTH), dtype=DType.F32, init={"normal": [0, HIDDEN**-0.5]})
b2 = Tensor(shape=(1, WIDTH), dtype=DType.F32, init={"normal": [0, 0.5]})
hidden = Tensor(shape=(ROWS, HIDDEN), dtype=DType.F32, temporary=True)
y = Tensor(shape=(ROWS, WIDTH), dtype=DType.F32, rtol=1e-5, atol=1e-5)

Strip = Tile[STRIP, WIDTH, DType.F32]
HiddenTile = Tile[STRIP, PART, DType.F32]


@kernel
def expand(x: In[Strip], w1: In[Tile[WIDTH, PART, DType.F32]], b1: In[Tile[1, PART, DType.F32]],
           hidden: Out[HiddenTile]):
    pto.store(hidden, pto.gelu(pto.matmul(x, w1) + b1))


@kernel
def contract(hidden: In[HiddenTile], w2: In[Tile[PART, WIDTH, DType.F32]], b2: In[Tile[1, WIDTH, DType.F32]],
             y: Out[Strip]):
    pto.store(y, pto.matmul(hidden, w2) + b2)


@kernel
def contract_more(hidden: In[HiddenTile], w2: In[Tile[PART, WIDTH, DType.F32]], y: InOut[Strip]):
    pto.store(y, pto.matmul(hidden, w2, y))


@workload
def mlp(rows=ROWS):
    def strip(r):
        return slice(STRIP * r, STRIP * r + STRIP)

    def part(p):
        return slice(PART * p, PART * p + PART)

    for r, p in P(rows // STRIP, HIDDEN // PART):
        expand[r, p](x[strip(r)], w1[:, part(p)], b1[:, part(p)], hidden[strip(r), part(p)])
    for r in P(rows // STRIP):
        contract[r](hidden[strip(r), part(0)], w2[part(0)], b2, y[strip(r)])
        for p in P.seq(HIDDEN // PART - 1):
            contract_more[r, p](hidden[strip(r), part(p + 1)], w2[part(p + 1)], y[strip(r)])


def golden(x, w1, b1, w2, b2):
    x, w1, b1, w2, b2 = (array.astype(np.float64) for array in (x, w1, b1, w2, b2))
    a = x @ w1 + b1
    gelu = 0.5 * a * (1 + np.tanh(np.sqrt(2 / np.pi) * (a + 0.044715 * a**3)))
    return {"y": gelu @ w2 + b2}
