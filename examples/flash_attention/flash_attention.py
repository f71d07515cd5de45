# SPDX-License-Identifier: MIT
"""Attention with an online softmax: a tile of queries meets the keys block by block, and never all at once.

Of the blocks so far a tile keeps the largest score of each row, the sum of exp(score - largest), and the sum of
the values with these weights. A block with a larger score scales both sums down.
"""
import numpy as np

from pto_wsp import DType, In, InOut, Out, P, Tensor, Tile, kernel, pto, workload

HEADS, LENGTH, WIDTH, STRIP, BLOCK = 4, 256, 64, 64, 64
SCALE = WIDTH**-0.5

# Scores are near 96, which exp would not bear.
q = Tensor(shape=(HEADS, LENGTH, WIDTH), dtype=DType.F32, init={"normal": [6, 1]})
k_transposed = Tensor(shape=(HEADS, WIDTH, LENGTH), dtype=DType.F32, init={"normal": [2, 0.3]})
v = Tensor(shape=(HEADS, LENGTH, WIDTH), dtype=DType.F32, init={"normal": [0, 1]})
out = Tensor(shape=(HEADS, LENGTH, WIDTH), dtype=DType.F32, rtol=1e-4, atol=1e-4)

largest = Tensor(shape=(HEADS, LENGTH, 1), dtype=DType.F32, temporary=True)
weights = Tensor(shape=(HEADS, LENGTH, 1), dtype=DType.F32, temporary=True)
mixed = Tensor(shape=(HEADS, LENGTH, WIDTH), dtype=DType.F32, temporary=True)

Queries = Tile[STRIP, WIDTH, DType.F32]
Keys = Tile[WIDTH, BLOCK, DType.F32]
Values = Tile[BLOCK, WIDTH, DType.F32]
Column = Tile[STRIP, 1, DType.F32]


@kernel
def first_block(q: In[Queries], k_transposed: In[Keys], v: In[Values],
                largest: Out[Column], weights: Out[Column], mixed: Out[Queries]):
    score = pto.matmul(q, k_transposed) * SCALE
    top = pto.rowmax(score)
    weight = pto.exp(score - top)
    pto.store(largest, top)
    pto.store(weights, pto.rowsum(weight))
    pto.store(mixed, pto.matmul(weight, v))


@kernel
def next_block(q: In[Queries], k_transposed: In[Keys], v: In[Values],
               largest: InOut[Column], weights: InOut[Column], mixed: InOut[Queries]):
    score = pto.matmul(q, k_transposed) * SCALE
    top = pto.max(largest, pto.rowmax(score))
    fade = pto.exp(largest - top)
    weight = pto.exp(score - top)
    pto.store(weights, weights * fade + pto.rowsum(weight))
    pto.store(mixed, pto.matmul(weight, v, mixed * fade))
    pto.store(largest, top)


@kernel
def finish(weights: In[Column], mixed: In[Queries], out: Out[Queries]):
    pto.store(out, mixed / weights)


@workload
def flash_attention(heads=HEADS, strips=LENGTH // STRIP):
    for h, s in P(heads, strips):
        strip = slice(STRIP * s, STRIP * s + STRIP)
        state = largest[h, strip], weights[h, strip], mixed[h, strip]
        first_block[h, s](q[h, strip], k_transposed[h, :, :BLOCK], v[h, :BLOCK], *state)
        for n in P.seq(LENGTH // BLOCK - 1):
            block = slice(BLOCK * n + BLOCK, BLOCK * n + 2 * BLOCK)
            next_block[h, s, n](q[h, strip], k_transposed[h, :, block], v[h, block], *state)
        finish[h, s](*state[1:], out[h, strip])


def golden(q, k_transposed, v):
    """All keys at once."""
    score = q.astype(np.float64) @ k_transposed * SCALE
    weight = np.exp(score - score.max(axis=-1, keepdims=True))
    return {"out": weight / weight.sum(axis=-1, keepdims=True) @ v}
