# SPDX-License-Identifier: MIT
"""Roles follow from what kernels do with a tensor; an output that is not written completely keeps its
old elements."""
import json
import random

import numpy as np
import pytest

from pto_wsp import DType, In, InOut, Out, P, Tensor, Tile, kernel, pto, workload
from pto_wsp._affine import Affine
from pto_wsp._coverage import Write, complete
from pto_wsp._nodes import Loop

F32 = DType.F32


def copy(rows, cols):
    @kernel
    def copy(src: In[Tile[rows, cols, F32]], dst: Out[Tile[rows, cols, F32]]):
        pto.store(dst, src)
    return copy


@kernel
def increment(x: InOut[Tile[4, 8, F32]]):
    pto.store(x, x + 1.0)


def roles(workload):
    return {tensor.name: tensor.role for tensor in workload.traced().tensors}


def test_roles_follow_from_use():
    a, b, c, d, unused = (Tensor(shape=(4, 8)) for _ in range(5))
    e = Tensor(shape=(4, 8), temporary=True)
    names = dict(zip("abcde", (a, b, c, d, e)))
    for name, tensor in names.items():
        tensor.name = name

    @workload
    def wl():
        k = copy(4, 8)
        k(a, b)         # a only read, b only written
        k(a, c)
        increment(c)    # c read and written
        k(a, e)
        k(e, d)
    assert roles(wl()) == {"a": "input", "b": "output", "c": "inout", "d": "output",
                           "e": "temporary"}


def test_an_incomplete_output_keeps_its_elements(results):
    x = Tensor(data=np.ones((8, 8), np.float32))
    y = Tensor(data=np.full((12, 8), 7, np.float32))

    @workload
    def wl():
        for i in P(2):
            copy(4, 8)(x[4 * i:4 * i + 4], y[4 * i + 4:4 * i + 8])
    assert roles(wl()) == {"x": "input", "y": "inout"}
    np.testing.assert_array_equal(results(wl())["y"], [[7] * 8] * 4 + [[1] * 8] * 8)


def test_several_views_complete_an_output():
    x, y = Tensor(shape=(16, 16)), Tensor(shape=(3, 16, 16))

    @workload
    def wl():
        for i in P(2):
            copy(8, 8)(x[0:8, 0:8], y[0, 8 * i:8 * i + 8, 0:8])
            copy(4, 8)(x[0:4, 0:8], y[0, 8 * i:8 * i + 4, 8:16])
            copy(4, 8)(x[0:4, 0:8], y[0, 8 * i + 4:8 * i + 8, 8:16])
        for b in P(2):
            copy(16, 16)(x, y[b + 1])
    assert roles(wl())["y"] == "output"


def test_an_array_that_is_allocated_later_begins_with_zeros():
    x, y = Tensor(shape=(4, 8)), Tensor(shape=(8, 8))

    @workload
    def wl():
        copy(4, 8)(x, y[0:4])
    tensors = json.loads(wl().traced().json_text)["tensors"]
    assert "init" not in tensors[0] and tensors[1]["init"] == {"constant": 0}
    assert y.data is None and y.gather().sum() == 0 and y.data.shape == (8, 8)


@pytest.mark.parametrize("round", range(20))
def test_completeness_is_exact(round):
    generator = random.Random(round)
    answers = set()
    for _ in range(60):
        shape = [generator.randint(1, 6) for _ in range(generator.randint(1, 3))]
        writes, written = [], np.zeros(shape, bool)
        for _ in range(generator.randint(1, 4)):
            loops = {Loop(0, True, "i", None): generator.randint(1, 4)
                     for _ in range(generator.randint(0, 3))}
            # Views inside the tensor: what lies outside is ptowsp-gen's to refuse.
            dims = [(Affine(generator.choice([0, 0, 0, generator.randrange(n)]),
                            {loop: generator.choice([0, 0, 1, 1, 2, 3, -1]) for loop in loops}),
                     generator.choice([None, n, generator.randint(1, n)])) for n in shape]
            writes.append(Write(dims, loops))
            for values in np.ndindex(*loops.values()):
                at = {loop: Affine(value) for loop, value in zip(loops, values)}
                box = []
                for (start, extent), n in zip(dims, shape):
                    first = start.substitute(at).const
                    box.append(slice(max(first, 0), max(first + (extent or 1), 0)))
                written[tuple(box)] = True
        assert complete(shape, writes) == written.all(), (shape, [w.dims for w in writes])
        answers.add(bool(written.all()))
    assert answers == {True, False}
