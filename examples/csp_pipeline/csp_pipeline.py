# SPDX-License-Identifier: MIT
"""Load, square, store: three processes, joined by two channels."""
import numpy as np

from pto_wsp import (Channel, Dense, DType, In, Out, Tensor, Tile, connect, consume, for_each, kernel,
                     process, pto, send, task, workload)

TILES = 16
X = Tensor(data=np.random.default_rng(0).standard_normal((TILES, 32, 64)).astype(np.float32))
A = Tensor(shape=(TILES, 32, 64), dtype=DType.F32, temporary=True)
B = Tensor(shape=(TILES, 32, 64), dtype=DType.F32, temporary=True)
Y = Tensor(shape=(TILES, 32, 64), dtype=DType.F32)


@kernel
def load(src: In[Tile[32, 64, DType.F32]], dst: Out[Tile[32, 64, DType.F32]]):
    pto.store(dst, src)


@kernel
def sq(src: In[Tile[32, 64, DType.F32]], dst: Out[Tile[32, 64, DType.F32]]):
    pto.store(dst, src * src)


@kernel
def store(src: In[Tile[32, 64, DType.F32]], dst: Out[Tile[32, 64, DType.F32]]):
    pto.store(dst, src)


@workload
def csp_pipeline(depth=2):
    tiles = Dense[TILES]()
    ab, bc = Channel("ab", depth), Channel("bc", depth)
    loader = process("loader").produces(ab).body(
        for_each(tiles, lambda t: send(ab, task(load, [t], {"src": X[t], "dst": A[t]}))))
    square = process("square").consumes(ab).produces(bc).body(
        consume(ab, lambda t: send(bc, task(sq, [t], {"src": A[t], "dst": B[t]}))))
    storer = process("storer").consumes(bc).body(
        consume(bc, lambda t: task(store, [t], {"src": B[t], "dst": Y[t]})))
    connect([loader, square, storer], [ab, bc])


def golden(X):
    return {"Y": X * X}
