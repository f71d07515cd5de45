# SPDX-License-Identifier: MIT
"""A recurrence over a grid of tiles: each tile needs those above, to the left, and in the corner between.

Along a diagonal of the grid the tiles are independent, so the tasks run as a wavefront. Nothing here says
so: the loops are written in their natural order, row by row, and the graph follows from what tasks read.
"""
import numpy as np

from pto_wsp import DType, In, Out, P, Tensor, Tile, kernel, pto, workload

ROWS, COLS = 8, 16  # of a tile
DOWN, ACROSS = 36, 36  # tiles

rng = np.random.default_rng(9)
gain = Tensor(data=rng.uniform(-1, 1, (ROWS * DOWN, COLS * ACROSS)).astype(np.float32))
# The first row and column of tiles are given, the others computed.
edge_above = Tensor(data=rng.uniform(-1, 1, (ROWS, COLS * ACROSS)).astype(np.float32))
edge_left = Tensor(data=rng.uniform(-1, 1, (ROWS * DOWN, COLS)).astype(np.float32))
grid = Tensor(shape=(ROWS * DOWN, COLS * ACROSS), dtype=DType.F32, rtol=1e-4, atol=1e-5)

Cell = Tile[ROWS, COLS, DType.F32]


@kernel
def cell(above: In[Cell], left: In[Cell], corner: In[Cell], factor: In[Cell], out: Out[Cell]):
    pto.store(out, 0.5 * above + 0.375 * left - 0.25 * corner * factor + 0.125 * factor)


def tile(tensor, r, c):
    return tensor[ROWS * r : ROWS * (r + 1), COLS * c : COLS * (c + 1)]


@workload
def wavefront(down=DOWN, across=ACROSS):
    cell(tile(edge_above, 0, 0), tile(edge_left, 0, 0), tile(edge_above, 0, 0), tile(gain, 0, 0),
         tile(grid, 0, 0))
    for c in P.seq(across - 1):
        cell[0, c](tile(edge_above, 0, c + 1), tile(grid, 0, c), tile(edge_above, 0, c), tile(gain, 0, c + 1),
                   tile(grid, 0, c + 1))
    for r in P.seq(down - 1):
        cell[r, 0](tile(grid, r, 0), tile(edge_left, r + 1, 0), tile(edge_left, r, 0), tile(gain, r + 1, 0),
                   tile(grid, r + 1, 0))
        for c in P.seq(across - 1):
            cell[r, c](tile(grid, r, c + 1), tile(grid, r + 1, c), tile(grid, r, c), tile(gain, r + 1, c + 1),
                       tile(grid, r + 1, c + 1))


def golden(gain, edge_above, edge_left):
    """Element by element over the padded grid, in double: an element depends on those one tile away."""
    padded = np.empty((ROWS * (DOWN + 1), COLS * (ACROSS + 1)))
    padded[:ROWS, COLS:] = edge_above
    padded[ROWS:, :COLS] = edge_left
    padded[:ROWS, :COLS] = edge_above[:, :COLS]
    for i in range(ROWS, padded.shape[0]):
        for j in range(COLS, padded.shape[1]):
            factor = float(gain[i - ROWS, j - COLS])
            corner = padded[i - ROWS, j - COLS]
            padded[i, j] = 0.5 * padded[i - ROWS, j] + 0.375 * padded[i, j - COLS] \
                - 0.25 * corner * factor + 0.125 * factor
    return {"grid": padded[ROWS:, COLS:]}
