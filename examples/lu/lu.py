# SPDX-License-Identifier: MIT
"""Blocked LU factorisation, right-looking, without pivoting: a = L U, in place.

A step of the blocked algorithm factors the diagonal block, solves with it for the blocks below and to the
right of it, and takes their products from all blocks behind. Kernels have no loops, so what goes through a
block column by column is a task for each column. Row k and column k of a block are picked by sums
with unit vectors, the rows and columns of `eye`; zeros add nothing, so that the sums are exact.
"""
import numpy as np

from pto_wsp import DType, In, InOut, P, Tensor, Tile, kernel, pto, workload

BLOCK, BLOCKS = 16, 8
SIZE = BLOCK * BLOCKS

# Without pivoting the pivots must be large: a dominant diagonal, of both signs, makes them so.
diagonal = np.diag(SIZE / 4 * (-1.0) ** np.arange(SIZE))
a = Tensor(data=(np.random.default_rng(5).uniform(-1, 1, (SIZE, SIZE)) + diagonal).astype(np.float32),
           rtol=1e-4, atol=1e-5)
eye = Tensor(data=np.eye(BLOCK, dtype=np.float32))
lower = Tensor(data=np.tri(BLOCK, k=-1, dtype=np.float32))  # ones below the diagonal
upper = Tensor(data=np.tri(BLOCK, k=-1, dtype=np.float32).T.copy())

Block = Tile[BLOCK, BLOCK, DType.F32]
Row = Tile[1, BLOCK, DType.F32]
Column = Tile[BLOCK, 1, DType.F32]


def row(block, unit_column):
    return pto.colsum(block * unit_column)


def column(block, unit_row):
    return pto.rowsum(block * unit_row)


@kernel
def factor(x: InOut[Block], e_row: In[Row], e_column: In[Column], after: In[Row], below: In[Column]):
    """Column k of a diagonal block: the multipliers take the column's place, and the rows below lose
    their multiple of row k."""
    u = row(x, e_column)
    entries = column(x, e_row) * below
    multipliers = entries / pto.rowsum(u * e_row)
    pto.store(x, x - multipliers * (u * after) + (multipliers - entries) * e_row)


@kernel
def solve_below(x: InOut[Block], diagonal: In[Block], e_row: In[Row], e_column: In[Column], after: In[Row]):
    """Column k of x U^-1, in the place of x, where U is the upper triangle of the diagonal block."""
    u = row(diagonal, e_column)
    entries = column(x, e_row)
    solution = entries / pto.rowsum(u * e_row)
    pto.store(x, x - solution * (u * after) + (solution - entries) * e_row)


@kernel
def solve_right(x: InOut[Block], diagonal: In[Block], e_row: In[Row], e_column: In[Column],
                below: In[Column]):
    """Row k of L^-1 x, in the place of x, where L has ones on its diagonal."""
    pto.store(x, x - (column(diagonal, e_row) * below) * row(x, e_column))


@kernel
def update(x: InOut[Block], left: In[Block], above: In[Block]):
    pto.store(x, x - pto.matmul(left, above))


def block(i, j):
    return a[BLOCK * i : BLOCK * (i + 1), BLOCK * j : BLOCK * (j + 1)]


@workload
def lu(blocks=BLOCKS):
    for d in range(blocks):
        rest = blocks - d - 1
        for k in P.seq(BLOCK):
            factor[d, k](block(d, d), eye[k : k + 1, :], eye[:, k : k + 1], upper[k : k + 1, :],
                         lower[:, k : k + 1])
        if rest == 0:
            break
        for i in P(rest):
            for k in P.seq(BLOCK):
                solve_below[i, k](block(d + 1 + i, d), block(d, d), eye[k : k + 1, :], eye[:, k : k + 1],
                                  upper[k : k + 1, :])
        for j in P(rest):
            for k in P.seq(BLOCK):
                solve_right[j, k](block(d, d + 1 + j), block(d, d), eye[k : k + 1, :], eye[:, k : k + 1],
                                  lower[:, k : k + 1])
        for i, j in P(rest, rest):
            update[i, j](block(d + 1 + i, d + 1 + j), block(d + 1 + i, d), block(d, d + 1 + j))


def golden(a, eye, lower, upper):
    """The factors in double, L below the diagonal and U on and above it, entry by entry and not by blocks."""
    x = a.astype(np.float64)
    for k in range(SIZE - 1):
        x[k + 1 :, k] /= x[k, k]
        x[k + 1 :, k + 1 :] -= np.outer(x[k + 1 :, k], x[k, k + 1 :])
    return {"a": x}
