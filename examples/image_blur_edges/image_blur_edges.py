# SPDX-License-Identifier: MIT
"""Gaussian blur and Sobel edges of a photograph, in overlapping tiles.

Each stage reads, for a tile of ROWS x COLS, views that are shifted by one pixel each: what a neighbour
writes at its border is read too, so tasks depend on their neighbours' tiles of the stage before.

A stage needs a frame of pixels that the next one does not: 2 for the blur along rows, 2 for the blur
along columns, 1 for the edges. Each stage computes whole tiles, as many as cover what the next one needs, and
the photograph is repeated at its border as far as that takes.
"""
import numpy as np
from photograph import load

from pto_wsp import DType, In, Out, P, Tensor, Tile, kernel, pto, workload

ROWS, COLS = 40, 64
SIGMA = 1.4
WEIGHTS = np.exp(-0.5 * (np.arange(-2, 3) / SIGMA) ** 2)
WEIGHTS /= WEIGHTS.sum()

image = load()
HEIGHT, WIDTH = image.shape


def stages(edges):
    """How many tiles each stage computes, down and across: smeared, blurred, slopes, edges. Only the
    number for the edges is given, the others cover what the next stage needs."""
    slopes = edges[0], edges[1] + covering(2, COLS)
    blurred = slopes[0] + covering(2, ROWS), slopes[1]
    smeared = blurred[0] + covering(4, ROWS), blurred[1]
    return smeared, blurred, slopes, edges


def covering(pixels, tile):
    """How many tiles cover so many pixels."""
    return -(-pixels // tile)


def area(tiles, **keywords):
    return Tensor(shape=(ROWS * tiles[0], COLS * tiles[1]), dtype=DType.F32, **keywords)


DOWN, ACROSS = covering(HEIGHT, ROWS), covering(WIDTH, COLS)
SMEARED, BLURRED, SLOPES, EDGES = stages((DOWN, ACROSS))

framed_shape = ROWS * SMEARED[0], COLS * SMEARED[1] + 4
photo = Tensor(data=np.pad(image, [(3, framed - size - 3) for framed, size in zip(framed_shape, image.shape)],
                           mode="edge"))
smeared = area(SMEARED, temporary=True)
blurred = area(BLURRED, atol=1e-4)
across = area(SLOPES, temporary=True)
down = area(SLOPES, temporary=True)
edges = area(EDGES, atol=1e-3)

Area = Tile[ROWS, COLS, DType.F32]


@kernel
def blur5(a: In[Area], b: In[Area], c: In[Area], d: In[Area], e: In[Area], out: Out[Area]):
    outer, inner, middle = (float(w) for w in WEIGHTS[:3])
    pto.store(out, (a + e) * outer + (b + d) * inner + c * middle)


@kernel
def slopes_down(above: In[Area], here: In[Area], below: In[Area], across: Out[Area], down: Out[Area]):
    """Sobel's operators along columns: smoothed for the slope across, differences for the slope down."""
    pto.store(across, above + 2.0 * here + below)
    pto.store(down, below - above)


@kernel
def magnitude(across_left: In[Area], across_right: In[Area],
              down_left: In[Area], down_here: In[Area], down_right: In[Area], edges: Out[Area]):
    """Sobel's operators along rows, and the length of the slope."""
    x = across_right - across_left
    y = down_left + 2.0 * down_here + down_right
    pto.store(edges, pto.sqrt(x * x + y * y))


def window(tensor, r, c, down=0, across=0):
    """The tile at place r, c of the grid, moved by so many pixels."""
    return tensor[ROWS * r + down : ROWS * r + down + ROWS, COLS * c + across : COLS * c + across + COLS]


@workload
def image_blur_edges(tiles_down=DOWN, tiles_across=ACROSS):
    smear_grid, blur_grid, slope_grid, edge_grid = stages((tiles_down, tiles_across))
    for r, c in P(*smear_grid):
        blur5[r, c](*(window(photo, r, c, across=i) for i in range(5)), window(smeared, r, c))
    for r, c in P(*blur_grid):
        blur5[r, c](*(window(smeared, r, c, down=i) for i in range(5)), window(blurred, r, c))
    for r, c in P(*slope_grid):
        slopes_down[r, c](*(window(blurred, r, c, down=i) for i in range(3)),
                          window(across, r, c), window(down, r, c))
    for r, c in P(*edge_grid):
        magnitude[r, c](window(across, r, c), window(across, r, c, across=2),
                        *(window(down, r, c, across=i) for i in range(3)), window(edges, r, c))


def shifted_sum(a, weights, axis):
    """The sum of shifted copies, of the part where all of them are."""
    size = a.shape[axis] - len(weights) + 1
    return sum(w * np.take(a, range(i, i + size), axis=axis) for i, w in enumerate(weights))


def golden(photo):
    blurred = shifted_sum(shifted_sum(photo.astype(np.float64), WEIGHTS, 1), WEIGHTS, 0)
    corners = [blurred[i : i - 2 or None, j : j - 2 or None] for i in range(3) for j in range(3)]
    x = sum(w * corner for w, corner in zip([-1, 0, 1, -2, 0, 2, -1, 0, 1], corners))
    y = sum(w * corner for w, corner in zip([-1, -2, -1, 0, 0, 0, 1, 2, 1], corners))
    height, width = edges.shape
    return {"blurred": blurred[: ROWS * BLURRED[0]], "edges": np.hypot(x, y)[:height, :width]}
