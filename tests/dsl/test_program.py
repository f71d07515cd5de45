# SPDX-License-Identifier: MIT
"""Programs: loops, views, expressions, blocks, and what is unrolled."""
import json

import numpy as np
import pytest

from conftest import random
from pto_wsp import (Dense, DenseDyn, DType, In, InOut, Out, P, Ragged, Scalar, Sparse, Symbol, Tensor,
                     Tile, combine, cond, for_each, kernel, parallel_for, pto, select, sequential,
                     task, workload)

F32 = DType.F32


@kernel
def copy(src: In[Tile[4, 8, F32]], dst: Out[Tile[4, 8, F32]]):
    pto.store(dst, src)


@kernel
def add_one(acc: InOut[Tile[4, 8, F32]]):
    pto.store(acc, acc + 1.0)


@kernel
def accumulate(x: In[Tile[4, 8, F32]], acc: InOut[Tile[4, 8, F32]]):
    pto.store(acc, acc + x)


def program(workload):
    return json.loads(workload.traced().json_text)["program"]


def pair(*shape):
    return Tensor(data=random(*shape), name="x"), Tensor(data=np.zeros(shape, np.float32), name="y")


def test_nested_loops(results):
    x, y = pair(2, 3, 4, 8)

    @workload
    def wl():
        for b in P(Dense[2]()):
            for t in P.seq(3):
                copy[b, t](src=x[b][t], dst=y[b, t])
    assert program(wl()) == [
        {"for": "b", "extent": 2, "mode": "parallel", "body": [
            {"for": "t", "extent": 3, "mode": "sequential", "body": [
                {"task": "copy", "args": {"src": "x[b, t]", "dst": "y[b, t]"}}]}]}]
    np.testing.assert_array_equal(results(wl())["y"], x.data)


def test_several_axes_in_one_loop(results):
    x, y = pair(2, 3, 4, 8)
    batch, tiles = Dense[2](), DenseDyn(3)

    @workload
    def wl(batch, tiles):
        for b, t in P(batch, tiles):
            copy[b, t](x[b][t], y[b][t])
    assert [program(wl(batch, tiles))[0][key] for key in ("for", "extent")] == ["b", 2]
    np.testing.assert_array_equal(results(wl(batch, tiles))["y"], x.data)


def test_loop_variables_in_slices(results):
    x, y = pair(3, 32, 16)

    @workload
    def wl():
        for b, i, j in P(3, 8, 2):
            copy(x[b, i * 4:(i + 1) * 4, j * 8:(j + 1) * 8],
                 y[b, 28 - 4 * i:32 - i * 4, np.int64(8) * j:8 + 8 * j])
    args = program(wl())[0]["body"][0]["body"][0]["body"][0]["args"]
    assert args == {"src": "x[b, 4*i:4*i+4, 8*j:8*j+8]", "dst": "y[b, -4*i+28:-4*i+32, 8*j:8*j+8]"}
    expected = x.data.reshape(3, 8, 4, 16)[:, ::-1].reshape(3, 32, 16)
    np.testing.assert_array_equal(results(wl())["y"], expected)


@pytest.mark.parametrize("view, expected", [
    (lambda x: x[-1, 4:8, :], "x[4, 4:8]"),
    (lambda x: x[4][-4:, 0:8], "x[4, 12:16]"),
    (lambda x: x[..., 0, 0:4, :], "x[0, 0:4]"),
    (lambda x: x[4, ..., 4:8, :], "x[4, 4:8]"),
    (lambda x: x[4][4:12][2:6], "x[4, 6:10]"),
    (lambda x: x[1:3][1][0:4], "x[2, 0:4]"),
    (lambda x: x[2][:4], "x[2, 0:4]"),
])
def test_views_mean_what_they_mean_in_numpy(results, view, expected):
    x = Tensor(data=random(5, 16, 8), name="x")
    y = Tensor(data=np.zeros((4, 8), np.float32), name="y")

    @workload
    def wl():
        copy(view(x), y)
    assert program(wl())[0]["args"]["src"] == expected
    np.testing.assert_array_equal(results(wl())["y"], view(x.data))


def test_rows_columns_and_rank_one(results):
    @kernel
    def outer(row: In[Tile[1, 8, F32]], column: In[Tile[4, 1, F32]], vector: In[Tile[1, 8, F32]],
              out: Out[Tile[4, 8, F32]]):
        pto.store(out, row * column + vector)
    a, v = Tensor(data=random(4, 8), name="a"), Tensor(data=random(16, seed=1), name="v")
    y = Tensor(data=np.zeros((4, 8), np.float32), name="y")

    @workload
    def wl():
        outer(a[2], a[:, 3:4], v[8:16], y)
    np.testing.assert_allclose(results(wl())["y"], a.data[2:3] * a.data[:, 3:4] + v.data[8:16],
                               rtol=1e-6)


def test_statements_run_in_program_order(results):
    x, y = pair(4, 8)

    @workload
    def wl():
        copy(x, y)
        for i in P.seq(5):
            add_one(y)
        for _ in range(3):  # Python's own loop unrolls
            add_one(y)
    assert len(program(wl())) == 5
    np.testing.assert_allclose(results(wl())["y"], x.data + 8, rtol=1e-6)


def test_functional_forms(results):
    x, y = pair(2, 3, 4, 8)
    z = Tensor(data=np.zeros((4, 8), np.float32), name="z")
    w = sequential(
        combine(parallel_for((Dense[2](), 3), lambda b, t: task(copy, [b, t],
                                                                {"src": x[b][t], "dst": y[b][t]})),
                task(copy, [], [x[0, 0], z])),
        for_each(3, lambda i: [task(accumulate, [i], {"x": y[1, i], "acc": z}),
                               task(add_one, [i], [z])]))
    assert program(w)[0]["sequential"][0]["combine"][0]["for"] == "b"
    out = results(w.named("forms"))
    np.testing.assert_array_equal(out["y"], x.data)
    np.testing.assert_allclose(out["z"], x.data[0, 0] + x.data[1].sum(0) + 3, rtol=1e-5)
    assert w.named("forms").traced().name == "forms" and w.traced().name == "sequential"


def test_functional_forms_inside_a_workload_keep_their_place(results):
    x, y = pair(2, 4, 8)

    @workload
    def inner():
        for b in P(2):
            copy[b](x[b], y[b])

    @workload
    def again():
        for b in P(2):
            add_one[b](y[b])

    @workload
    def wl():
        inner()
        combine(task(add_one, [], [y[0]]), task(add_one, [], [y[1]]))
        sequential(parallel_for(2, lambda b: add_one[b](y[b])), again())
        parallel_for(2, lambda b: add_one[b](y[b]))
    assert [list(node)[0] for node in program(wl())] == \
        ["sequential", "combine", "sequential", "for"]
    np.testing.assert_allclose(results(wl())["y"], x.data + 4, rtol=1e-6)


def test_lists_of_indices(results):
    x, y = pair(6, 4, 8)

    @workload
    def wl():
        for e in P([5, 0, 3]):
            copy[e](x[e], y[e])
        for e in P.sel(Sparse(2, [0, 1, 2], [1, 4])):
            copy[e](x[e], y[e])
        select([2], lambda e: copy(x[e], y[e]))
    nodes = program(wl())
    assert [task["args"]["src"] for task in nodes[0]["combine"]] == ["x[5]", "x[0]", "x[3]"]
    assert nodes[1]["body"][0]["args"]["src"] == "x[3*e+1]"  # evenly spaced: a loop
    np.testing.assert_array_equal(results(wl())["y"], x.data)


def test_ranges_stay_loops(results):
    x, y = pair(16, 8)

    @workload
    def wl():
        for i in P(range(0, 16, 4)):
            copy(x[i:i + 4], y[i:i + 4])
    assert program(wl()) == [{"for": "i", "extent": 4, "mode": "parallel", "body": [
        {"task": "copy", "args": {"src": "x[4*i:4*i+4]", "dst": "y[4*i:4*i+4]"}}]}]
    np.testing.assert_array_equal(results(wl())["y"], x.data)


@pytest.mark.parametrize("extent", [np.int64(4), np.uint8(4), np.array(4)])
def test_extents_of_numpy(results, extent):
    """Every object of numpy has a size: that of a number is 1."""
    x, y = pair(16, 8)

    @workload
    def wl():
        for i in P(extent):
            copy(x[4 * i:4 * i + 4], y[4 * i:4 * i + 4])
    assert program(wl())[0]["extent"] == 4
    np.testing.assert_array_equal(results(wl())["y"], x.data)


def test_ragged(results):
    x, y = pair(2, 3, 4, 8)
    lengths = Ragged(2, [3, 1])
    assert lengths.total() == 4 and lengths.length(0) == 3 and lengths.offset(1) == 3

    @workload
    def wl():
        for b in P(lengths.outer_size):
            for t in P(lengths.length(b)):
                copy[b, t](x[b][t], y[b][t])
        for t in P.seq(lengths, name="token"):
            add_one(y[0, 0])
    nodes = program(wl())
    assert [loop["extent"] for loop in nodes[0]["combine"]] == [3, 1]
    assert (nodes[1]["for"], nodes[1]["extent"]) == ("token", 4)
    expected = np.zeros_like(x.data)
    expected[0], expected[1, 0] = x.data[0], x.data[1, 0]
    expected[0, 0] += 4
    np.testing.assert_allclose(results(wl())["y"], expected, rtol=1e-6)


def test_rows_of_sparse(results):
    x, y = pair(3, 4, 4, 8)
    routing = Sparse(3, [0, 2, 2, 5], [1, 3, 0, 2, 3])
    assert routing.nnz() == 5 and routing[0] == [1, 3] and routing.row_nnz(1) == 0

    @workload
    def wl():
        for b in P(3):
            for e in P.sel(routing[b]):
                copy[b, e](x[b, e], y[b, e])
    expected = np.zeros_like(x.data)
    for b, e in [(0, 1), (0, 3), (2, 0), (2, 2), (2, 3)]:
        expected[b, e] = x.data[b, e]
    np.testing.assert_array_equal(results(wl())["y"], expected)


def test_conditions(results):
    x, y = pair(4, 4, 4, 8)

    @workload
    def wl():
        for i in P(4):
            for j in P(4):
                with P.when((i < 2) & (j != 3)):
                    copy(x[i, j], y[i, j])
                with P.otherwise():
                    copy(x[j, i], y[i, j])
                with P.when(i == j):
                    add_one(y[i, j])
            with P.when(i > 5):
                add_one(y[0, 0])
        cond(True, task(add_one, [], [y[0, 0]]), task(add_one, [], [y[0, 1]]))
    expected = x.data.transpose(1, 0, 2, 3).copy()
    expected[:2, :3] = x.data[:2, :3]
    for i in range(4):
        expected[i, i] += 1
    expected[0, 0] += 1
    np.testing.assert_allclose(results(wl())["y"], expected, rtol=1e-6)


def test_scalars(results):
    @kernel
    def scale(x: In[Tile[4, 8, F32]], s: Scalar[F32], y: Out[Tile[4, 8, F32]],
              t: Scalar[F32] = 1):
        pto.store(y, x * s + t)
    x, y = pair(3, 4, 8)

    @workload
    def wl(factor):
        scale(x[0], factor, y[0], t=0.5)
        scale(x[1], np.float32(0.25), y[1])
        scale(x[2], Symbol("s", 4), y=y[2])
    np.testing.assert_allclose(results(wl(2))["y"], np.stack(
        [x.data[0] * 2 + 0.5, x.data[1] * 0.25 + 1, x.data[2] * 4 + 1]), rtol=1e-5)


def test_workloads_are_traced_in_several_threads():
    import threading
    texts = []

    def one(n):
        x, y = pair(n, 4, 8)

        @workload
        def wl():
            for i in P(n):
                copy(x[i], y[i])
        texts.append((n, wl().traced().json_text))
    threads = [threading.Thread(target=one, args=(n,)) for n in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(n for n, _ in texts) == list(range(1, 9))
    assert all(f'"extent": {n}' in text for n, text in texts)


def test_a_failed_trace_leaves_nothing_behind(results):
    x, y = pair(2, 4, 8)

    @workload
    def broken():
        for i in P(2):
            copy(x[i], y[i])
            raise ValueError

    @workload
    def wl():
        for i in P(2):
            copy(x[i], y[i])
    with pytest.raises(ValueError):
        broken()
    np.testing.assert_array_equal(results(wl())["y"], x.data)
