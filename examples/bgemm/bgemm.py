# SPDX-License-Identifier: MIT
"""Batched matrix product C[b] = A[b] B[b], in tiles; the inner dimension is summed up by a sequential loop."""
import numpy as np

from pto_wsp import DType, In, InOut, Out, P, Tensor, Tile, kernel, pto, workload

BATCH, M, N, K = 4, 192, 128, 256
TILE = 64

a = Tensor(shape=(BATCH, M, K), dtype=DType.F16, init={"normal": [0, 1]})
b = Tensor(shape=(BATCH, K, N), dtype=DType.F16, init={"normal": [0, 1]})
c = Tensor(shape=(BATCH, M, N), dtype=DType.F32, rtol=1e-5, atol=2e-4)

Operand = Tile[TILE, TILE, DType.F16]
Sum = Tile[TILE, TILE, DType.F32]


@kernel
def product(a: In[Operand], b: In[Operand], c: Out[Sum]):
    pto.store(c, pto.matmul(a, b))


@kernel
def add_product(a: In[Operand], b: In[Operand], c: InOut[Sum]):
    pto.store(c, pto.matmul(a, b, c))


def tile(tensor, i, row, col):
    return tensor[i, TILE * row : TILE * row + TILE, TILE * col : TILE * col + TILE]


@workload
def bgemm(batch=BATCH, tiles_m=M // TILE, tiles_n=N // TILE):
    for i, m, n in P(batch, tiles_m, tiles_n):
        product[i, m, n](tile(a, i, m, 0), tile(b, i, 0, n), tile(c, i, m, n))
        for k in P.seq(K // TILE - 1):
            add_product[i, m, n, k](tile(a, i, m, k + 1), tile(b, i, k + 1, n), tile(c, i, m, n))


def golden(a, b):
    return {"c": a.astype(np.float64) @ b.astype(np.float64)}
