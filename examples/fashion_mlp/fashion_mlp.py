# SPDX-License-Identifier: MIT
"""A 784-128-10 network classifies the 10,000 test images of Fashion-MNIST.

Tiles fit the cube core's buffers: of f32, 80 x 112 pixels and 112 x 128 weights are under 64 KiB (L0A, L0B), and
80 x 128 sums under 128 KiB (L0C). The ten classes are padded to sixteen, as the cube core computes in blocks of 16.
"""
import numpy as np
from network import PADDED_CLASSES, forward

from pto_wsp import DType, In, InOut, Out, P, Tensor, Tile, kernel, pto, workload

IMAGES, PIXELS, HIDDEN, CLASSES = 10000, 784, 128, PADDED_CLASSES
STRIP, PART = 80, 112

# The build gives the arrays: INPUTS of CMakeLists.txt.
images = Tensor(shape=(IMAGES, PIXELS), dtype=DType.F32, init={"uniform": [0, 1]})
w1 = Tensor(shape=(PIXELS, HIDDEN), dtype=DType.F32, init={"normal": [0, 0.05]})
b1 = Tensor(shape=(1, HIDDEN), dtype=DType.F32, init={"normal": [0, 0.05]})
w2 = Tensor(shape=(HIDDEN, CLASSES), dtype=DType.F32, init={"normal": [0, 0.1]})
b2 = Tensor(shape=(1, CLASSES), dtype=DType.F32, init={"normal": [0, 0.1]})
hidden = Tensor(shape=(IMAGES, HIDDEN), dtype=DType.F32, temporary=True)
logits = Tensor(shape=(IMAGES, CLASSES), dtype=DType.F32, rtol=1e-5, atol=1e-4)

Pixels = Tile[STRIP, PART, DType.F32]
Weights = Tile[PART, HIDDEN, DType.F32]
Hidden = Tile[STRIP, HIDDEN, DType.F32]


@kernel
def first_pixels(x: In[Pixels], w1: In[Weights], hidden: Out[Hidden]):
    pto.store(hidden, pto.matmul(x, w1))


@kernel
def more_pixels(x: In[Pixels], w1: In[Weights], hidden: InOut[Hidden]):
    pto.store(hidden, pto.matmul(x, w1, hidden))


@kernel
def classify(hidden: In[Hidden], b1: In[Tile[1, HIDDEN, DType.F32]], w2: In[Tile[HIDDEN, CLASSES, DType.F32]],
             b2: In[Tile[1, CLASSES, DType.F32]], logits: Out[Tile[STRIP, CLASSES, DType.F32]]):
    pto.store(logits, pto.matmul(pto.relu(hidden + b1), w2) + b2)


@workload
def fashion_mlp(strips=IMAGES // STRIP):
    for r in P(strips):
        strip = slice(STRIP * r, STRIP * r + STRIP)
        first_pixels[r](images[strip, :PART], w1[:PART], hidden[strip])
        for p in P.seq(PIXELS // PART - 1):
            part = slice(PART * p + PART, PART * p + 2 * PART)
            more_pixels[r, p](images[strip, part], w1[part], hidden[strip])
        classify[r](hidden[strip], b1, w2, b2, logits[strip])


def golden(images, w1, b1, w2, b2):
    return {"logits": forward(*(array.astype(np.float64) for array in (images, w1, b1, w2, b2)))}
