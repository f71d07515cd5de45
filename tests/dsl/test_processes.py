# SPDX-License-Identifier: MIT
"""Processes and channels, as they are written down and what they give."""
import json

import numpy as np
import pytest

from conftest import random
from pto_wsp.trace import trace
from pto_wsp import (Channel, CompileError, DType, In, InOut, Out, Tensor, Tile, connect, consume,
                     for_each, kernel, parallel_for, process, pto, replicate, send, task, workload)

F32 = DType.F32


@kernel
def copy(src: In[Tile[4, 8, F32]], dst: Out[Tile[4, 8, F32]]):
    pto.store(dst, src)


@kernel
def square(src: In[Tile[4, 8, F32]], dst: Out[Tile[4, 8, F32]]):
    pto.store(dst, src * src)


@kernel
def add(x: In[Tile[4, 8, F32]], acc: InOut[Tile[4, 8, F32]]):
    pto.store(acc, acc + x)


def traced(workload):
    return json.loads(workload.traced().json_text)


def tensors(n):
    return (Tensor(data=random(n, 4, 8), name="x"), Tensor(shape=(n, 4, 8), dtype=F32, temporary=True),
            Tensor(shape=(n, 4, 8), dtype=F32, temporary=True),
            Tensor(data=np.zeros((n, 4, 8), np.float32), name="y"))


def pipeline(X, A, B, Y, n, depth=2):
    ab, bc = Channel("ab", depth=depth), Channel[Tensor]("bc", depth=depth, latency=40)
    loader = process("loader").produces(ab).body(
        for_each(n, lambda t: send(ab, task(copy, [t], {"src": X[t], "dst": A[t]}))))
    middle = process("square").consumes(ab).produces(bc).body(
        consume(ab, lambda t: send(bc, task(square, [t], {"src": A[t], "dst": B[t]}))))
    storer = process("storer").consumes(bc).body(
        consume(bc, lambda t: task(copy, [t], {"src": B[t], "dst": Y[t]})))
    return connect([loader, middle, storer], [ab, bc])


def test_pipeline(results, summary):
    X, A, B, Y = tensors(6)
    w = pipeline(X, A, B, Y, 6)
    ir = traced(w)
    assert ir["channels"] == [{"name": "ab", "depth": 2}, {"name": "bc", "depth": 2, "latency": 40}]
    assert ir["program"][0]["connect"][1] == {
        "process": "square", "consumes": ["ab"], "produces": ["bc"], "body": [
            {"consume": "ab", "as": "t", "body": [
                {"send": "bc", "body": [
                    {"task": "square", "args": {"src": "A[t]", "dst": "B[t]"}}]}]}]}
    assert {t["name"]: t["role"] for t in ir["tensors"]} == {
        "x": "input", "A": "temporary", "B": "temporary", "y": "output"}
    np.testing.assert_array_equal(results(w)["y"], X.data * X.data)
    # Data: two edges a tile. Room: each slot of each channel is used again by four tokens.
    assert (summary(w)["tasks"], summary(w)["edges"]) == (18, 2 * 6 + 2 * 4)
    assert summary(w)["channels"] == [{"name": "ab", "depth": 2, "latency": 0, "tokens": 6},
                                      {"name": "bc", "depth": 2, "latency": 40, "tokens": 6}]


@pytest.mark.parametrize("depth", [0, 1, 5, 100])
def test_any_depth_gives_the_same(results, depth):
    X, A, B, Y = tensors(5)
    np.testing.assert_array_equal(results(pipeline(X, A, B, Y, 5, depth))["y"], X.data * X.data)


def test_inside_a_workload_and_twice(results):
    X, A, B, Y = tensors(3)
    X2, A2, B2, Y2 = Tensor(data=X.data, name="x2"), *tensors(3)[1:3], Tensor(shape=(3, 4, 8), name="y2")

    @workload
    def wl():
        pipeline(X, A, B, Y, 3)
        pipeline(X2, A2, B2, Y2, 3)
    ir = traced(wl())
    assert [c["name"] for c in ir["channels"]] == ["ab", "bc", "ab_2", "bc_2"]
    assert [p["process"] for p in ir["program"][1]["connect"]] == ["loader_2", "square_2", "storer_2"]
    assert set(results(wl())) == {"y", "y2"}


def test_bodies_as_functions_and_nests(results, summary):
    X, A, _, Y = tensors(6)
    total = Tensor(data=np.zeros((4, 8), np.float32), name="total")
    done = Channel("done", depth=1)

    def work():
        from pto_wsp import P
        for i in P.seq(2):
            send(done, parallel_for(3, lambda j: task(square, [i, j], [X[3*i+j], A[3*i+j]])))

    def use(i):
        from pto_wsp import P
        for j in P.seq(3):
            copy[i, j](A[3*i+j], Y[3*i+j])
            add[i, j](A[3*i+j], total)
    w = connect([process("worker").produces(done).body(work),
                 process("user").consumes(done).body(consume(done, use))])
    got = results(w)
    np.testing.assert_array_equal(got["y"], X.data * X.data)
    np.testing.assert_allclose(got["total"], (X.data * X.data).sum(axis=0), rtol=1e-5)
    assert summary(w)["tasks"] == 6 + 12


def test_replicate_with_channels_of_their_own(results):
    X, A, _, Y = tensors(8)
    channels = [Channel(f"c{i}") for i in range(4)]
    makers = replicate(lambda i: process("maker").produces(channels[i]).body(
        for_each(2, lambda t: send(channels[i], task(square, [t], [X[2*i+t], A[2*i+t]])))), 4)
    users = replicate(lambda i: process("user").consumes(channels[i]).body(
        consume(channels[i], lambda t: task(copy, [t], [A[2*i+t], Y[2*i+t]]))), 4)
    w = connect([makers, users], channels)
    assert [p["process"] for p in traced(w)["program"][0]["connect"]] == [
        "maker", "maker_2", "maker_3", "maker_4", "user", "user_2", "user_3", "user_4"]
    np.testing.assert_array_equal(results(w)["y"], X.data * X.data)


def test_latency_of_channels_that_have_none_of_their_own():
    w = pipeline(*tensors(6), 6)
    found = trace(w, {"__pto_wsp_channel_latency_cycles": 7})
    assert found.symbols == {"__pto_wsp_channel_latency_cycles": 7}
    assert [channel.get("latency") for channel in json.loads(found.json_text)["channels"]] == [7, 40]
    assert trace(w).symbols == {"__pto_wsp_channel_latency_cycles": 0}


@pytest.mark.parametrize("mistake, message", [
    (lambda: Channel(3), "a channel's name is a string, found 3"),
    (lambda: Channel("c", latency=1.5), "the latency of channel 'c' is an integer of at least 0"),
    (lambda: process(""), "a process's name is a string"),
    (lambda: process("p").consumes("ab"), "process 'p' consumes takes a channel, found str"),
    (lambda: process("p").body(), "process 'p' has no task"),
    (lambda: consume(Channel("c"), 3), "the body of consume\\(\\) is a function"),
    (lambda: connect([]), "connect\\(\\) has no process"),
    (lambda: connect([3]), "connect\\(\\) takes processes, found int"),
    (lambda: connect(3), "connect\\(\\) takes a list of processes, found int"),
    (lambda: replicate(lambda i: 3, 2), "the function of replicate\\(\\) gave 3"),
    (lambda: replicate(process("p"), 2), "replicate\\(\\) takes a process with a body"),
    (lambda: replicate(lambda i: 3, 0), "replicate\\(\\) makes at least 1 process, found 0"),
])
def test_mistakes(mistake, message):
    with pytest.raises(CompileError, match=message) as caught:
        mistake()
    assert caught.value.file == __file__ and caught.value.line > 0
