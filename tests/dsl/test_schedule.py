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
    (DispatchPolicy.work_steal(), {"work_steal": {}}),
    (DispatchPolicy.hash(lambda t: t[0], 3), {"hash": {"targets": 3, "keys": ["b"]}}),
    (DispatchPolicy.affinity(lambda t: t.get("t") + 3 * t.b, 4),
     {"affinity": {"targets": 4, "keys": ["3*b+t"]}}),
    (DispatchPolicy.dispatch_by(lambda t: len(t.params) - 1, 2),
     {"dispatch_by": {"targets": 2, "keys": ["1"]}}),
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
        {"task_window": {"size": 2, "mode": "abort"}}
    for deps in (Deps.infer_tensor_map_exact(), Deps.infer_bytes_overlap()):
        assert wl().task_graph(deps=deps).traced().dependences == "dataflow"


def test_methods_leave_the_workload_as_it_is(summary):
    plain = wl()
    named = plain.named("other").dispatch(DispatchPolicy.work_steal())
    assert (plain.name, named.name) == ("wl", "other")
    assert schedule(plain) is None and schedule(named) is not None
    assert summary(plain)["tasks"] == 6


@pytest.mark.parametrize("mistake, message", [
    (lambda: DispatchPolicy.round_robin(0), "the number of AICPUs is an integer of at least 1"),
    (lambda: DispatchPolicy.hash(4, 4), "takes a function of a task"),
    (lambda: wl().dispatch("round_robin"), "dispatch\\(\\) takes a DispatchPolicy, found str"),
    (lambda: wl().task_graph(windows=1), "task_graph\\(\\) has no keyword 'windows'"),
    (lambda: wl().task_graph(pools=1), "task_graph\\(pools=...\\) is not supported yet"),
    (lambda: TaskWindow(0), "a task window is an integer of at least 1"),
    (lambda: TaskWindow(4, "bytes"), "a task window in 'bytes' is not supported yet"),
    (lambda: TaskWindow(4, "tasks", "stall"), "the mode of a task window is a WindowMode"),
    (lambda: Deps.explicit(), "Deps.explicit is not supported yet"),
    (lambda: wl().dispatch(DispatchPolicy.hash(lambda t: t[2], 4)).traced(),
     "a task of kernel 'copy' has the coordinates \\[b, t\\], not 2"),
    (lambda: wl().dispatch(DispatchPolicy.hash(lambda t: "b", 4)).traced(), "gives no integer"),
    (lambda: wl().dispatch(DispatchPolicy.hash(lambda t: t[0] % 2, 4)).traced(),
     "\\(b\\) % 2 is not affine"),
])
def test_mistakes(mistake, message):
    with pytest.raises(CompileError, match=message) as caught:
        mistake()
    assert caught.value.file == __file__ and caught.value.line > 0
