# SPDX-License-Identifier: MIT
"""Rotary position embedding: each head's pairs of columns are turned by an angle that grows with the row."""
import numpy as np

from pto_wsp import DType, In, Out, P, Tensor, Tile, kernel, pto, workload

HEADS, POSITIONS, WIDTH, STRIP = 4, 128, 64, 32
HALF = WIDTH // 2

# Column i and column i + HALF of a head are one pair, with the angle position * 10000^(-i / HALF).
angle = np.arange(POSITIONS)[:, None] * 10000.0 ** (-np.arange(HALF) / HALF)

x = Tensor(shape=(HEADS, POSITIONS, WIDTH), dtype=DType.F32, init={"normal": [0, 1]})
cosine = Tensor(data=np.cos(angle).astype(np.float32))
sine = Tensor(data=np.sin(angle).astype(np.float32))
y = Tensor(shape=(HEADS, POSITIONS, WIDTH), dtype=DType.F32, rtol=1e-5, atol=1e-6)

Half = Tile[STRIP, HALF, DType.F32]


@kernel
def rotate(left: In[Half], right: In[Half], cosine: In[Half], sine: In[Half],
           new_left: Out[Half], new_right: Out[Half]):
    pto.store(new_left, left * cosine - right * sine)
    pto.store(new_right, right * cosine + left * sine)


@workload
def rope(heads=HEADS, positions=POSITIONS):
    for h, t in P(heads, positions // STRIP):
        strip = slice(STRIP * t, STRIP * t + STRIP)
        rotate[h, t](x[h, strip, :HALF], x[h, strip, HALF:], cosine[strip], sine[strip],
                     y[h, strip, :HALF], y[h, strip, HALF:])


def golden(x):
    """A turn is a product of complex numbers."""
    pairs = (x[..., :HALF] + 1j * x[..., HALF:]) * np.exp(1j * angle)
    return {"y": np.concatenate([pairs.real, pairs.imag], axis=-1)}
