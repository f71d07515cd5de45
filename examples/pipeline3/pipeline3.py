# SPDX-License-Identifier: MIT
"""Three stages over 512 tiles, joined by channels."""
import numpy as np

from pto_wsp import (Channel, DType, In, Out, Tensor, Tile, connect, consume, for_each, kernel,
                     process, pto, send, task, workload)

TILES, ROWS, COLS = 512, 8, 64
F32 = DType.F32
EPSILON = 1e-3

X = Tensor(data=np.random.default_rng(3).standard_normal((TILES, ROWS, COLS)).astype(np.float32))
A = Tensor(shape=(TILES, ROWS, COLS), dtype=F32, temporary=True)
B = Tensor(shape=(TILES, ROWS, COLS), dtype=F32, temporary=True)
Y = Tensor(shape=(TILES, ROWS, COLS), dtype=F32, rtol=1e-5, atol=1e-7)


@kernel
def normalise(x: In[Tile[ROWS, COLS, F32]], a: Out[Tile[ROWS, COLS, F32]]):
    d = x - pto.rowmean(x)
    pto.store(a, d / pto.sqrt(pto.rowmean(d * d) + EPSILON))


@kernel
def squash(a: In[Tile[ROWS, COLS, F32]], b: Out[Tile[ROWS, COLS, F32]]):
    pto.store(b, 1.0 / (pto.exp(-a) + 1.0))


@kernel
def weigh(b: In[Tile[ROWS, COLS, F32]], y: Out[Tile[ROWS, COLS, F32]]):
    pto.store(y, b / pto.rowsum(b))


@workload
def pipeline3(depth=4):
    ab, bc = Channel("ab", depth), Channel("bc", depth)
    first = process("first").produces(ab).body(
        for_each(TILES, lambda t: send(ab, task(normalise, [t], {"x": X[t], "a": A[t]}))))
    second = process("second").consumes(ab).produces(bc).body(
        consume(ab, lambda t: send(bc, task(squash, [t], {"a": A[t], "b": B[t]}))))
    third = process("third").consumes(bc).body(
        consume(bc, lambda t: task(weigh, [t], {"b": B[t], "y": Y[t]})))
    connect([first, second, third], [ab, bc])


def golden(X):
    x = X.astype(np.float64)
    d = x - x.mean(axis=2, keepdims=True)
    b = 1 / (1 + np.exp(-d / np.sqrt((d * d).mean(axis=2, keepdims=True) + EPSILON)))
    return {"Y": (b / b.sum(axis=2, keepdims=True)).astype(np.float32)}
