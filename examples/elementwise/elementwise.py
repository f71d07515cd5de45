# SPDX-License-Identifier: MIT
"""Every elementwise op: the unary ones, and the binary ones on a tile and a tile, a row, a column, a number.

Results lie behind each other in two stacks, a layer for each op.
"""
import numpy as np

from pto_wsp import DType, In, Out, P, Scalar, Tensor, Tile, kernel, pto, workload

ROWS, COLS, STRIP = 128, 256, 16
NUMBER = 0.75


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


# In the order of the layers, with their meaning in numpy.
SIGNED = {"neg": np.negative, "abs": np.abs, "exp": np.exp, "relu": lambda x: np.maximum(x, 0), "tanh": np.tanh,
          "sigmoid": sigmoid, "silu": lambda x: x * sigmoid(x), "gelu": gelu}
POSITIVE = {"log": np.log, "sqrt": np.sqrt, "rsqrt": lambda x: 1 / np.sqrt(x)}
BINARY = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "max": np.maximum,
          "min": np.minimum}

signed = Tensor(shape=(ROWS, COLS), dtype=DType.F32, init={"uniform": [-4, 4]})
positive = Tensor(shape=(ROWS, COLS), dtype=DType.F32, init={"uniform": [0.01, 4]})
row = Tensor(shape=(1, COLS), dtype=DType.F32, init={"uniform": [-4, 4]})
column = Tensor(shape=(ROWS, 1), dtype=DType.F32, init={"uniform": [-4, 4]})
unary = Tensor(shape=(len(SIGNED) + len(POSITIVE), ROWS, COLS), dtype=DType.F32, rtol=1e-6, atol=1e-6)
binary = Tensor(shape=(4, len(BINARY), ROWS, COLS), dtype=DType.F32, rtol=1e-6, atol=1e-6)

Strip = Tile[STRIP, COLS, DType.F32]
Row = Tile[1, COLS, DType.F32]
Column = Tile[STRIP, 1, DType.F32]


@kernel
def unary_signed(x: In[Strip], neg: Out[Strip], abs_: Out[Strip], exp: Out[Strip], relu: Out[Strip],
                 tanh: Out[Strip], sigmoid: Out[Strip], silu: Out[Strip], gelu: Out[Strip]):
    pto.store(neg, -x)
    pto.store(abs_, abs(x))
    pto.store(exp, pto.exp(x))
    pto.store(relu, pto.relu(x))
    pto.store(tanh, pto.tanh(x))
    pto.store(sigmoid, pto.sigmoid(x))
    pto.store(silu, pto.silu(x))
    pto.store(gelu, pto.gelu(x))


@kernel
def unary_positive(x: In[Strip], log: Out[Strip], sqrt: Out[Strip], rsqrt: Out[Strip]):
    pto.store(log, pto.log(x))
    pto.store(sqrt, pto.sqrt(x))
    pto.store(rsqrt, pto.rsqrt(x))


def store_binary(a, b, add, sub, mul, div, max, min):
    """What the four kernels below have in common."""
    pto.store(add, a + b)
    pto.store(sub, a - b)
    pto.store(mul, a * b)
    pto.store(div, a / b)
    pto.store(max, pto.max(a, b))
    pto.store(min, pto.min(a, b))


@kernel
def tile_tile(a: In[Strip], b: In[Strip], add: Out[Strip], sub: Out[Strip], mul: Out[Strip], div: Out[Strip],
              max: Out[Strip], min: Out[Strip]):
    store_binary(a, b, add, sub, mul, div, max, min)


@kernel
def tile_row(a: In[Strip], b: In[Row], add: Out[Strip], sub: Out[Strip], mul: Out[Strip], div: Out[Strip],
             max: Out[Strip], min: Out[Strip]):
    store_binary(a, b, add, sub, mul, div, max, min)


@kernel
def tile_column(a: In[Strip], b: In[Column], add: Out[Strip], sub: Out[Strip], mul: Out[Strip], div: Out[Strip],
                max: Out[Strip], min: Out[Strip]):
    store_binary(a, b, add, sub, mul, div, max, min)


@kernel
def tile_number(a: In[Strip], b: Scalar[DType.F32], add: Out[Strip], sub: Out[Strip], mul: Out[Strip],
                div: Out[Strip], max: Out[Strip], min: Out[Strip]):
    store_binary(a, b, add, sub, mul, div, max, min)


@workload
def elementwise(rows=ROWS):
    for r in P(rows // STRIP):
        strip = slice(STRIP * r, STRIP * r + STRIP)
        unary_signed[r](signed[strip], *(unary[i, strip] for i in range(len(SIGNED))))
        unary_positive[r](positive[strip], *(unary[len(SIGNED) + i, strip] for i in range(len(POSITIVE))))
        others = positive[strip], row, column[strip], NUMBER
        for form, (task, other) in enumerate(zip((tile_tile, tile_row, tile_column, tile_number), others)):
            task[r](signed[strip], other, *(binary[form, i, strip] for i in range(len(BINARY))))


def golden(signed, positive, row, column):
    signed, positive, row, column = (a.astype(np.float64) for a in (signed, positive, row, column))
    layers = [op(signed) for op in SIGNED.values()] + [op(positive) for op in POSITIVE.values()]
    forms = [[op(signed, other) for op in BINARY.values()] for other in (positive, row, column, NUMBER)]
    return {"unary": np.stack(layers), "binary": np.array(forms)}
