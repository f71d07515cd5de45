# SPDX-License-Identifier: MIT
"""Kernels: every op, operators, numbers, stores, and how values get their names."""
import json

import numpy as np
import pytest

from conftest import random
from pto_wsp import (DType, In, InOut, Out, Scalar, Tensor, Tile, kernel, pto, workload)

F32 = DType.F32
Whole, Row, Column = Tile[4, 8, F32], Tile[1, 8, F32], Tile[4, 1, F32]


def body(k):
    return [op.ir() for op in k.trace().body]


def run(results, k, shape=(4, 8), **arrays):
    tensors = {name: Tensor(data=array, name=name) for name, array in arrays.items()}
    out = Tensor(data=np.full(shape, np.nan, np.float32), name="out")

    @workload
    def wl():
        k(**tensors, out=out)
    return results(wl())["out"]


UNARY = {"exp": np.exp, "log": lambda x: np.log(np.abs(x)), "sqrt": lambda x: np.sqrt(np.abs(x)),
         "rsqrt": lambda x: 1 / np.sqrt(np.abs(x)), "neg": np.negative, "abs": np.abs}


@pytest.mark.parametrize("op", UNARY)
def test_unary(results, op):
    @kernel
    def k(x: In[Whole], out: Out[Whole]):
        value = pto.abs(x) if op in ("log", "sqrt", "rsqrt") else x
        pto.store(out, getattr(pto, op)(value))
    x = random(4, 8)
    np.testing.assert_allclose(run(results, k, x=x), UNARY[op](x), rtol=1e-5)


BINARY = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "max": np.maximum,
          "min": np.minimum, "maximum": np.maximum, "minimum": np.minimum}


@pytest.mark.parametrize("op", BINARY)
def test_binary(results, op):
    @kernel
    def k(a: In[Whole], b: In[Row], c: In[Column], out: Out[Whole]):
        f = getattr(pto, op)
        pto.store(out, f(f(a, b), f(2.5, f(c, b))))
    f = BINARY[op]
    a, b, c = random(4, 8), random(1, 8, seed=1), random(4, 1, seed=2)
    np.testing.assert_allclose(run(results, k, a=a, b=b, c=c),
                               f(f(a, b), f(np.float32(2.5), f(c, b))), rtol=1e-4)


REDUCTIONS = {"rowsum": np.sum, "rowmax": np.max, "rowmin": np.min, "rowmean": np.mean}


@pytest.mark.parametrize("op", REDUCTIONS)
def test_reductions(results, op):
    @kernel
    def k(x: In[Whole], out: Out[Column]):
        value = getattr(pto, op)(x)
        assert value.shape == (4, 1) and value.dtype is F32
        pto.store(out, value)
    x = random(4, 8)
    np.testing.assert_allclose(run(results, k, (4, 1), x=x),
                               REDUCTIONS[op](x, axis=1, keepdims=True), rtol=1e-5, atol=1e-6)


def test_every_op_of_the_table_is_there():
    import pathlib
    source = pathlib.Path(__file__).parents[2] / "generator" / "ops" / "ops.json"
    table = json.loads(source.read_text())
    for op in table["ops"]:
        for name in op["python"]:
            assert op["doc"] in getattr(pto, name).__doc__
            assert name in pto.__all__


def test_operators(results):
    @kernel
    def k(a: In[Whole], b: In[Whole], out: Out[Whole]):
        pto.store(out, -(a + b) * 2 - b / 4.0 + (1 - a) / (3 + abs(b)) - np.float32(0.5) * +a)
    a, b = random(4, 8), random(4, 8, seed=1)
    np.testing.assert_allclose(
        run(results, k, a=a, b=b),
        -(a + b) * 2 - b / 4 + (1 - a) / (3 + np.abs(b)) - np.float32(0.5) * a, rtol=1e-4, atol=1e-6)


def test_constant_load_and_scalars(results):
    @kernel
    def k(x: In[Whole], out: Out[Whole], s: Scalar[F32] = 3.0):
        value = pto.load(x)
        assert value.shape == (4, 8)
        pto.store(out, pto.add(pto.mul(value, pto.constant(0.5, F32)), s))
    x = random(4, 8)
    np.testing.assert_allclose(run(results, k, x=x), x / 2 + 3, rtol=1e-6)


def test_results_are_named_as_the_user_names_them():
    @kernel
    def k(x: In[Whole], y: Out[Whole]):
        row_max = pto.rowmax(x)
        shifted = x - row_max
        exp = pto.exp(shifted)        # a name of the C library
        for _ in range(2):
            exp = exp * exp
        pto.store(y, exp / pto.rowsum(exp))
    assert [op.get("result") for op in body(k)] == \
        ["row_max", "shifted", "exp_", "exp_2", "exp_3", "v", "v_2", None]


def test_after_a_store_the_parameter_is_what_was_stored(results):
    @kernel
    def k(x: In[Whole], out: Out[Whole]):
        pto.store(out, x + 1.0)
        pto.store(out, out * out)
    x = random(4, 8)
    np.testing.assert_allclose(run(results, k, x=x), (x + 1) ** 2, rtol=1e-5)


def test_what_was_loaded_outlives_a_store(results):
    @kernel
    def k(a: InOut[Whole], out: Out[Whole]):
        old = pto.load(a)
        pto.store(a, old * 2.0)
        pto.store(out, a + old)
    a = random(4, 8)
    before = a.copy()
    np.testing.assert_allclose(run(results, k, a=a), before * 3, rtol=1e-6)


def test_a_load_that_is_stored_elsewhere_after_its_tile_changed(results):
    @kernel
    def k(a: InOut[Whole], out: Out[Whole]):
        old = pto.load(a)
        pto.store(a, a + 1.0)
        pto.store(out, old)
    a = random(4, 8)
    before = a.copy()
    np.testing.assert_array_equal(run(results, k, a=a), before)


def test_a_kernel_is_traced_once():
    calls = []

    @kernel
    def k(x: In[Whole], y: Out[Whole]):
        calls.append(1)
        pto.store(y, x)
    x, y = Tensor(shape=(4, 8)), Tensor(shape=(4, 8))

    @workload
    def wl():
        k(x, y)
    wl().traced(), wl().traced()
    assert calls == [1]


def test_annotations_as_text(tmp_path):
    source = ("from __future__ import annotations\n"
              "from pto_wsp import DType, In, Out, Tile, kernel, pto\n"
              "def make(n):\n"
              "    f32 = DType.F32\n"
              "    @kernel\n"
              "    def k(x: In[Tile[n, 8, f32]], y: Out[Tile[n, 8, f32]]):\n"
              "        pto.store(y, x)\n"
              "    return k\n")
    scope = {}
    exec(compile(source, "annotated.py", "exec"), scope)
    assert scope["make"](16).trace().params[0].type.tile.shape == (16, 8)


def test_two_kernels_of_one_name():
    def make(rows):
        @kernel
        def k(x: In[Tile[rows, 8, F32]], y: Out[Tile[rows, 8, F32]]):
            pto.store(y, x * 2.0)
        return k
    x, y = Tensor(shape=(8, 8)), Tensor(shape=(8, 8))
    first, second, like_first = make(2), make(4), make(2)

    @workload
    def wl():
        first(x[0:2], y[0:2])
        second(x[2:6], y[2:6])
        like_first(x[6:8], y[6:8])
    traced = wl().traced()
    assert traced.kernels == ["k", "k_2"]
    assert [node["task"] for node in json.loads(traced.json_text)["program"]] == ["k", "k_2", "k"]
