# SPDX-License-Identifier: MIT
"""Schedules are recorded in the form that the workload file has for them."""
import json

import pytest

from pto_wsp import (CompileError, Deps, DispatchPolicy, DType, In, Out, P, TaskWindow, Tensor, Tile,
                     WindowMode, kernel, pto, workload)


@kernel
def copy(src: In[Tile[4, 8, DType.F32]], dst: Out[Tile[4, 8, DType.F32]]):
    pto.store(dst, src)


@workload
def wl():
    x, y = Tensor(shape=(2, 3, 4, 8)), Tensor(shape=(2, 3, 4, 8))
    for b in P(2):
        for t in P(3):
            copy[b, t](x[b, t], y[b, t])


def schedule(workload):
    return json.loads(workload.traced().json_text).get("schedule")


@pytest.mark.parametrize("policy, expected", [
    (DispatchPolicy.round_robin(4), {"round_robin": 4}),
    (DispatchPolicy.round_robin(num_aicpus=2), {"round_robin": 2}),
    (DispatchPolicy.work_steal(), {"work_steal": 4}),
    (DispatchPolicy.work_steal(num_aicpus=2), {"work_steal": 2}),
    (DispatchPolicy.hash(lambda t: t[0], 3), {"hash": {"aicpus": 3, "key": "b"}}),
    (DispatchPolicy.affinity(lambda t: t.get("t") + 3 * t.b, 4),
     {"affinity": {"aicpus": 4, "key": "3*b+t"}}),
    (DispatchPolicy.dispatch_by(lambda t: len(t.params) - 1, 2),
     {"dispatch_by": {"aicpus": 2, "aicpu": "1"}}),
    (DispatchPolicy.dispatch_by(lambda t: (t.b - t.t) % 4, 4),
     {"dispatch_by": {"aicpus": 4, "aicpu": "(b-t) % 4"}}),
    # What no expression says: a table of the tasks in program order.
    (DispatchPolicy.hash(lambda t: t.b * t.t, 4),
     {"hash": {"aicpus": 4, "key": {"table": [0, 0, 0, 0, 1, 2]}}}),
    (DispatchPolicy.dispatch_by(lambda t: {0: 1, 1: 1, 2: 0}[t.t], 3),
     {"dispatch_by": {"aicpus": 3, "aicpu": {"table": [1, 1, 0, 1, 1, 0]}}}),
    # Keys of Python's own: each call has the integers of one task.
    (DispatchPolicy.affinity(lambda t: hash((t.b,)) * 0 + (7 if t.b < 1 else 9), 4),
     {"affinity": {"aicpus": 4, "key": "2*b+7"}}),
])
def test_dispatch(policy, expected):
    assert schedule(wl().dispatch(policy)) == {"dispatch": expected}


def test_task_window_and_dependences():
    w = wl().task_graph(window=TaskWindow(8192, "tasks", WindowMode.STALL))
    assert schedule(w) == {"task_window": 8192}
    w = w.dispatch(DispatchPolicy.round_robin(4)).task_graph(deps=Deps.program_order())
    assert schedule(w) == {"dispatch": {"round_robin": 4}, "task_window": 8192}
    assert w.traced().dependences == "program_order"
    assert schedule(wl().task_graph(window=TaskWindow(2, mode=WindowMode.ABORT))) == \
        {"task_window": {"tasks": 2, "mode": "abort"}}
    assert wl().task_graph(deps=Deps.explicit()).traced().dependences == "explicit"
    for deps in (Deps.infer_tensor_map_exact(), Deps.infer_bytes_overlap()):
        assert wl().task_graph(deps=deps).traced().dependences == "dataflow"


def test_methods_leave_the_workload_as_it_is(summary):
    plain = wl()
    named = plain.named("other").dispatch(DispatchPolicy.work_steal())
    assert (plain.name, named.name) == ("wl", "other")
    assert schedule(plain) is None and schedule(named) is not None
    assert summary(plain)["tasks"] == 6


@pytest.mark.parametrize("mistake, message", [
    (lambda: DispatchPolicy.round_robin(0), "the number of AICPUs is an integer from 1 to 64, found 0"),
    (lambda: DispatchPolicy.work_steal(65), "the number of AICPUs is an integer from 1 to 64, found 65"),
    (lambda: DispatchPolicy.hash(4, 4), "takes a function of a task"),
    (lambda: wl().dispatch("round_robin"), "dispatch\\(\\) takes a DispatchPolicy, found str"),
    (lambda: wl().task_graph(windows=1), "task_graph\\(\\) has no keyword 'windows'"),
    (lambda: wl().task_graph(pools=1), "task_graph\\(pools=...\\) is not supported yet"),
    (lambda: TaskWindow(0), "a task window is an integer of at least 1"),
    (lambda: TaskWindow(4, "bytes"), "a task window in 'bytes' is not supported yet"),
    (lambda: TaskWindow(4, "tasks", "stall"), "the mode of a task window is a WindowMode"),
    (lambda: Deps.hybrid(), "Deps.hybrid is not supported yet"),
    (lambda: wl().dispatch(DispatchPolicy.hash(lambda t: t[2], 4)).traced(),
     "a task of kernel 'copy' has the coordinates \\[b, t\\], not 2"),
    (lambda: wl().dispatch(DispatchPolicy.hash(lambda t: "b", 4)).traced(), "gives 'b' for task copy\\[0, 0\\], expected an integer"),
    (lambda: wl().dispatch(DispatchPolicy.dispatch_by(lambda t: t.t + t.b, 3)).traced(),
     "gives 3 for task copy\\[1, 2\\], expected an AICPU, 0 to 2"),
])
def test_mistakes(mistake, message):
    with pytest.raises(CompileError, match=message) as caught:
        mistake()
    assert caught.value.file == __file__ and caught.value.line > 0


def test_tables_follow_the_program_through_blocks_and_several_kernels():
    """Two task nodes, one in an inner loop: the table is in program order."""
    @workload
    def two():
        x, y, z = Tensor(shape=(2, 3, 4, 8)), Tensor(shape=(2, 3, 4, 8)), Tensor(shape=(2, 4, 8))
        for b in P.seq(2):
            copy[b](x[b, 0], z[b])
            for t in P(3):
                copy[b, t](x[b, t], y[b, t])
    numbers = schedule(two().dispatch(DispatchPolicy.hash(
        lambda t: 100 if len(t.params) == 1 else 10 * t[0] * t[0] + t[1] * t[1], 4)))
    assert numbers["dispatch"]["hash"]["key"] == {"table": [100, 0, 1, 4, 100, 10, 11, 14]}
    keys = schedule(two().dispatch(DispatchPolicy.affinity(lambda t: sum(t.params), 4)))
    assert keys["dispatch"]["affinity"]["key"] == ["b", "b+t"]


def test_explicit_dependences_find_what_is_not_ordered():
    """Races are errors under Deps.explicit(), also where they are allowed."""
    from pto_wsp._check import check

    @workload
    def racing():
        x, y = Tensor(shape=(2, 4, 8)), Tensor(shape=(4, 8))
        for b in P(2):
            copy[b](x[b], y)
    assert check(racing().traced(), "--races", "allow").summary["tasks"] == 2
    with pytest.raises(CompileError, match="race"):
        check(racing().task_graph(deps=Deps.explicit()).traced(), "--races", "allow")
