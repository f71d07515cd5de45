# SPDX-License-Identifier: MIT
"""Arrays: any view, DLPack, other dtypes where conversion is exact; files beside the workload file."""
import json
import os

import numpy as np
import pytest

from conftest import random
from pto_wsp import CompileError, DType, In, Out, Tensor, Tile, kernel, pto, workload


@kernel
def double(x: In[Tile[4, 8, DType.F32]], y: Out[Tile[4, 8, DType.F32]]):
    pto.store(y, x * 2.0)


def doubled(x, y):
    @workload
    def wl():
        double(x, y)
    return wl()


def test_contiguous_arrays_are_used_where_they_are():
    array = random(4, 8)
    x = Tensor(data=array)
    assert x.data is array and x.gather() is array
    assert (x.shape, x.dtype, x.name) == ((4, 8), DType.F32, "x")


@pytest.mark.parametrize("view", [
    lambda: random(8, 4).T, lambda: random(8, 8)[::2], lambda: random(4, 16)[:, 1::2],
    lambda: random(4, 8)[::-1, ::-1], lambda: np.broadcast_to(random(1, 8), (4, 8)),
    lambda: random(4, 2, 4).reshape(4, 8)])
def test_any_view_is_an_input(results, view):
    array = view()
    x, y = Tensor(data=array), Tensor(data=np.zeros((4, 8), np.float32))
    np.testing.assert_array_equal(results(doubled(x, y))["y"], array * 2)


def test_results_go_into_the_view_that_was_given():
    base = np.zeros((8, 8), np.float32)
    y = Tensor(data=base.T[1::2])
    y.scatter(np.arange(32, dtype=np.float32).reshape(4, 8))
    assert y.data.base is base
    np.testing.assert_array_equal(base[:, 1::2].T, np.arange(32).reshape(4, 8))
    assert base[:, ::2].sum() == 0


class Exporter:
    """An array of another library: it has DLPack and nothing else."""

    def __init__(self, array):
        self._array = array

    def __dlpack__(self, **kwargs):
        return self._array.__dlpack__(**kwargs)

    def __dlpack_device__(self):
        return self._array.__dlpack_device__()


class ExporterWithArray(Exporter):
    def __array__(self, dtype=None, copy=None):
        return self._array


def test_dlpack():
    array = random(4, 8)
    x = Tensor(data=Exporter(array))
    assert isinstance(x.data, Exporter) and np.shares_memory(x.array, array)
    y = Tensor(data=ExporterWithArray(array))
    y.check_writable()
    y.scatter(np.ones((4, 8), np.float32))
    assert array.sum() == 32


def test_exact_conversions(results):
    x = Tensor(data=np.arange(32).reshape(4, 8), dtype=DType.F32)              # int64
    y = Tensor(data=np.zeros((4, 8), np.float64), dtype=DType.F32)
    assert results(doubled(x, y))["y"].dtype == np.float32
    y.scatter(np.full((4, 8), 0.1, np.float32))
    assert y.data.dtype == np.float64 and y.data[0, 0] == np.float32(0.1)
    nan = np.array([[np.nan, np.inf]])
    assert np.isnan(Tensor(data=nan, dtype=DType.F32).gather()[0, 0])
    assert Tensor(data=np.float16([[1]]), dtype=DType.F32).gather().dtype == np.float32
    assert Tensor(data=np.uint16([[1]]), dtype=DType.BF16).gather().dtype == np.uint16
    assert Tensor(data=[[1.0, 2.0]], dtype=DType.F32).gather().tolist() == [[1, 2]]


@pytest.mark.parametrize("array, dtype", [
    (np.array([[0.1]]), DType.F32), (np.array([[2 ** 24 + 1]]), DType.F32),
    (np.float32([[0.1]]), DType.F16), (np.float32([[0.5]]), DType.I32),
    (np.array([[1e300]]), DType.F32), (np.float32([[1]]), DType.BF16)])
def test_inexact_conversions_are_errors(array, dtype):
    with pytest.raises(CompileError, match="the conversion is not exact") as caught:
        Tensor(data=array, dtype=dtype)
    assert caught.value.rule == "wrong-dtype" and caught.value.file == __file__


def test_elements_that_became_inexact_are_found_when_gathered():
    array = np.ones((4, 8))
    x = Tensor(data=array, dtype=DType.F32)
    array[1, 1] = 0.1
    with pytest.raises(CompileError, match="not exact"):
        x.gather()


def test_what_is_written_must_be_writable():
    x = Tensor(data=random(4, 8))
    read_only = random(4, 8)
    read_only.flags.writeable = False
    doubled(Tensor(data=read_only, name="a"), Tensor(shape=(4, 8), name="b")).traced()
    with pytest.raises(CompileError, match="its array is read-only"):
        doubled(x, Tensor(data=read_only)).traced()
    with pytest.raises(CompileError, match="cannot hold every result exactly"):
        doubled(x, Tensor(data=np.zeros((4, 8), np.float16), dtype=DType.F32)).traced()


def test_files_are_written_when_they_change(tmp_path):
    array = random(4, 8)
    x, y = Tensor(data=array[:, ::-1]), Tensor(shape=(4, 8))
    traced = doubled(x, y).traced()
    paths = traced.write(str(tmp_path / "wl.json"))
    assert [os.path.basename(path) for path in paths] == ["wl.json", "wl.locations.json", "wl.x.npy"]
    np.testing.assert_array_equal(np.load(paths[2]), array[:, ::-1])
    for path in paths:
        os.utime(path, (1, 1))
    traced.write(str(tmp_path / "wl.json"))
    assert [os.stat(path).st_mtime for path in paths] == [1, 1, 1]
    array[0, 0] += 1
    traced.write(str(tmp_path / "wl.json"))
    assert [os.stat(path).st_mtime == 1 for path in paths] == [True, True, False]
    assert sorted(os.listdir(tmp_path)) == ["wl.json", "wl.locations.json", "wl.x.npy"]


def test_the_workload_files_text_does_not_depend_on_elements():
    x, y = Tensor(data=random(4, 8)), Tensor(shape=(4, 8))
    before = doubled(x, y).traced().json_text
    x.data[0, 0] += 1
    assert doubled(x, y).traced().json_text == before


def test_numbers_of_numpy_in_a_workload_file():
    x = Tensor(shape=(np.int64(4), 8), dtype=DType.F32, name="x", rtol=np.float32(0.5), atol=np.int64(0),
               init={"uniform": [np.float64(-0.25), np.int32(1)]})
    y = Tensor(shape=(4, 8), dtype=DType.F32, name="y", rtol=np.float64(0.125))

    @kernel
    def copy(src: In[Tile[4, 8, DType.F32]], dst: Out[Tile[4, 8, DType.F32]]):
        pto.store(dst, src)

    @workload
    def wl():
        copy(x, y)
    traced = json.loads(wl().traced().json_text)
    assert [(t["rtol"], t.get("atol"), t.get("init")) for t in traced["tensors"]] == [
        (0.5, 0, {"uniform": [-0.25, 1]}), (0.125, None, None)]


def test_random_elements_are_those_of_ptowsp_gen(tmp_path):
    import subprocess
    from conftest import GEN
    from pto_wsp._file import inputs_of
    a = Tensor(shape=(4, 8))
    b = Tensor(shape=(4, 8), init={"normal": [1, 2]})
    c = Tensor(shape=(4, 8), init={"arange": [0.5, 0.25]})
    d = Tensor(shape=(4, 8), init={"constant": 3})
    y = Tensor(shape=(4, 4, 8))

    @workload
    def wl():
        for i, tensor in enumerate((a, b, c, d)):
            double(tensor, y[i])
    traced = wl().traced()
    traced.write(str(tmp_path / "wl.json"))
    subprocess.run([GEN, "eval", tmp_path / "wl.json", "-o", tmp_path, "--seed", "7"], check=True)
    inputs = inputs_of(traced, seed=7)
    assert list(inputs) == ["a", "b", "c", "d"]
    for name, array in inputs.items():
        np.testing.assert_array_equal(array, np.load(tmp_path / "inputs" / f"{name}.npy"))
