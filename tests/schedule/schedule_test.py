# SPDX-License-Identifier: MIT
"""Dispatch policies and task windows from the Python workload to the timeline of a run: which AICPU
scheduler each task ran under, by definitions that are written here once more."""
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

BUILD = pathlib.Path(os.environ["PTOWSP_BUILD_DIR"])
sys.path.insert(0, str(BUILD / "python"))

from pto_wsp import (Channel, Deps, DispatchPolicy, DType, In, Out, P, TaskWindow,  # noqa: E402
                     Tensor, Tile, WindowMode, connect, consume, for_each, kernel, process, pto,
                     send, task, workload)

RUN = os.environ["PTOWSP_RUN"]
B, T = 4, 6
ITERATIONS = [(b, t) for b in range(B) for t in range(T)]


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory):
    os.environ["PTOWSP_CACHE_DIR"] = str(tmp_path_factory.mktemp("cache"))


@kernel
def twice(a: In[Tile[4, 16, DType.F32]], b: Out[Tile[4, 16, DType.F32]]):
    pto.store(b, a * 2.0)


def make():
    x = Tensor(data=np.random.default_rng(1).random((B, T, 4, 16), np.float32))
    y = Tensor(data=np.zeros((B, T, 4, 16), np.float32))

    @workload
    def wl():
        for b, t in P(B, T):
            twice[b, t](x[b, t], y[b, t])
    return wl(), x, y


def mix(z):
    """The finalizer of splitmix64, as docs/ir.md has it."""
    mask = (1 << 64) - 1
    z &= mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return z ^ (z >> 31)


POLICIES = {
    "round_robin": (DispatchPolicy.round_robin(num_aicpus=4), [i % 4 for i in range(B * T)]),
    "one": (DispatchPolicy.round_robin(1), [0] * (B * T)),
    "many": (DispatchPolicy.round_robin(40), [i % 40 for i in range(B * T)]),
    "hash": (DispatchPolicy.hash(lambda k: k.b - 8 * k.t, 3),
             [mix(b - 8 * t) % 3 for b, t in ITERATIONS]),
    "hash_table": (DispatchPolicy.hash(lambda k: k.b * k.t, 4),
                   [mix(b * t) % 4 for b, t in ITERATIONS]),
    "affinity": (DispatchPolicy.affinity(lambda k: k.t - 5 * k.b, 4),
                 [(t - 5 * b) % 4 for b, t in ITERATIONS]),
    "affinity_table": (DispatchPolicy.affinity(lambda k: k.t // 2, 2),
                       [t // 2 % 2 for b, t in ITERATIONS]),
    "dispatch_by": (DispatchPolicy.dispatch_by(lambda k: (k.b + k.t) % 4, 4),
                    [(b + t) % 4 for b, t in ITERATIONS]),
    "dispatch_by_table": (DispatchPolicy.dispatch_by(lambda k: [2, 0, 1, 1][k.b], 3),
                          [[2, 0, 1, 1][b] for b, t in ITERATIONS]),
}


def build(policy=None, window=None):
    """The artifact's folder, after a run through Program that gave the right result."""
    w, x, y = make()
    w = w.dispatch(policy) if policy else w
    w = w.task_graph(window=window) if window else w
    program = w.compile(target="pto_runtime_a2a3sim")
    program.execute()
    program.synchronize()
    np.testing.assert_array_equal(y.data, x.data * 2)
    return program


def run(artifact, *options):
    done = subprocess.run([RUN, str(artifact), *options], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def trace(artifact, tmp_path, *options, inputs=None):
    """(aicpu, core) of each task; without inputs, those of make()."""
    file = tmp_path / "trace.json"
    # The artifact of a Program has no test data of its own.
    folder = tmp_path / "data"
    folder.mkdir(exist_ok=True)
    for name, data in (inputs or {"x": np.ones((B, T, 4, 16), np.float32)}).items():
        np.save(folder / f"{name}.npy", data)
    code, _, errors = run(artifact, "--inputs", str(folder), "--trace", str(file), *options)
    assert code == 0, errors
    found = {}
    for event in json.loads(file.read_text())["traceEvents"]:
        if event.get("ph") == "X" and "core" in event["args"]:
            found[event["args"]["task"]] = (event["args"]["aicpu"], event["args"]["core"])
    return [found[i] for i in range(len(found))]


@pytest.mark.parametrize("name", POLICIES)
def test_a_trace_shows_the_policy(name, tmp_path):
    policy, expected = POLICIES[name]
    program = build(policy)
    artifact = pathlib.Path(program.codegen_artifact_dir)
    assert program.stats.aicpus == policy.targets
    for workers in (1, 2, 4, 8, 64):
        found = trace(artifact, tmp_path, "--workers", str(workers))
        assert [aicpu for aicpu, _ in found] == expected, f"{workers} workers"


@kernel
def long(a: In[Tile[64, 64, DType.F32]], b: Out[Tile[64, 64, DType.F32]]):
    for _ in range(20):
        a = pto.exp(a * 0.5)
    pto.store(b, a)


@kernel
def short(a: In[Tile[64, 64, DType.F32]], b: Out[Tile[64, 64, DType.F32]]):
    pto.store(b, a)


def test_an_idle_scheduler_takes_tasks_of_another(tmp_path):
    """Dealt in turns, scheduler 0 gets all long tasks; whoever is done first helps the other."""
    count = 32
    x = Tensor(data=np.zeros((count, 2, 64, 64), np.float32))
    y = Tensor(data=np.zeros((count, 2, 64, 64), np.float32))

    @workload
    def wl():
        for i in P(count):
            long[i](x[i, 0], y[i, 0])
            short[i](x[i, 1], y[i, 1])
    moved = {}
    for policy in (DispatchPolicy.work_steal(2), DispatchPolicy.round_robin(2)):
        artifact = wl().dispatch(policy).compile(target="pto_runtime_a2a3sim").codegen_artifact_dir
        found = trace(artifact, tmp_path, "--workers", "2", inputs={"x": x.data})
        moved[policy.kind] = sum(aicpu != i % 2 for i, (aicpu, _) in enumerate(found))
        assert len(found) == 2 * count
    assert moved["work_steal"] > 0 and moved["round_robin"] == 0


@kernel
def product(a: In[Tile[16, 16, DType.F32]], b: In[Tile[16, 16, DType.F32]],
            c: Out[Tile[16, 16, DType.F32]]):
    pto.store(c, pto.matmul(a + 1.0, b) * 0.5)


@pytest.mark.parametrize("policy, expected", [
    (DispatchPolicy.affinity(lambda t: t[0], 4), lambda i, stage: i % 4),
    (DispatchPolicy.dispatch_by(lambda t: [2, 0, 1][t[0] % 3], 3), lambda i, stage: [2, 0, 1][i % 3]),
    (DispatchPolicy.round_robin(4), lambda i, stage: (3 * i + stage) % 4)],
    ids=["affinity", "dispatch_by", "round_robin"])
def test_stages_of_a_split_kernel(policy, expected, tmp_path):
    """A vector stage, a cube stage, a vector stage: with a key they go where their task goes, and
    round_robin deals them one by one."""
    random, count = np.random.default_rng(3), 7
    a, b = (Tensor(data=random.random((count, 16, 16), np.float32)) for _ in range(2))
    c = Tensor(data=np.zeros((count, 16, 16), np.float32))

    @workload
    def wl():
        for i in P(count):
            product[i](a[i], b[i], c[i])
    program = wl().dispatch(policy).compile(target="pto_runtime_a2a3sim")
    program.execute()
    program.synchronize()
    np.testing.assert_allclose(c.data, (a.data + 1) @ b.data * np.float32(0.5), rtol=1e-5)
    for workers in (1, 3, 8):
        found = trace(program.codegen_artifact_dir, tmp_path, "--workers", str(workers),
                      inputs={"a": a.data, "b": b.data})
        assert [aicpu for aicpu, _ in found] == \
            [expected(i, stage) for i in range(count) for stage in range(3)]


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_the_smallest_window_is_one_with_processes_too(depth):
    """Tasks are numbered in an order in which the processes can run, so all edges lead to later ones."""
    x = Tensor(data=np.random.default_rng(5).random((9, 4, 16), np.float32))
    middle = Tensor(shape=(9, 4, 16), temporary=True)
    y = Tensor(data=np.zeros((9, 4, 16), np.float32))
    channel = Channel("middle", depth)
    first = process("first").produces(channel).body(
        for_each(9, lambda t: send(channel, task(twice, [t], {"a": x[t], "b": middle[t]}))))
    second = process("second").consumes(channel).body(
        consume(channel, lambda t: task(twice, [t], {"a": middle[t], "b": y[t]})))
    program = connect([first, second], [channel]).dispatch(DispatchPolicy.round_robin(2)).task_graph(
        window=TaskWindow(1)).compile(target="pto_runtime_a2a3sim")
    program.execute()
    program.synchronize()
    np.testing.assert_array_equal(y.data, x.data * 4)
    assert (program.stats.window, program.stats.window_high_water) == (1, 1)


def test_explicit_dependences_are_in_the_manifest():
    w, x, y = make()
    program = w.task_graph(deps=Deps.explicit()).compile(target="pto_runtime_a2a3sim")
    program.execute()
    program.synchronize()
    np.testing.assert_array_equal(y.data, x.data * 2)
    manifest = json.loads((pathlib.Path(program.codegen_artifact_dir) / "manifest.json").read_text())
    assert manifest["graph"]["dependences"] == "explicit"


def test_the_manifest_has_the_policy_and_its_support():
    program = build(DispatchPolicy.round_robin(4), TaskWindow(5))
    manifest = json.loads((pathlib.Path(program.codegen_artifact_dir) / "manifest.json").read_text())
    recorded = {"builtin a2a3sim": "enforced", "pto-runtime a2a3sim": "recorded",
                "pto-runtime a2a3": "recorded"}
    assert manifest["schedule"] == [
        {"directive": "dispatch round_robin", "aicpus": 4, "support": recorded},
        {"directive": "task_window stall", "tasks": 5, "support": recorded}]


def test_numbers_that_contradict_the_policy(tmp_path):
    artifact = build(DispatchPolicy.round_robin(4)).codegen_artifact_dir
    np.save(tmp_path / "x.npy", np.ones((B, T, 4, 16), np.float32))
    code, _, errors = run(artifact, "--aicpu-threads", "2", "--inputs", str(tmp_path))
    assert code == 2
    assert "aicpu_threads: error: found 2, but the dispatch policy deals the tasks to 4 AICPU schedulers" in errors
    code, _, errors = run(artifact, "--block-dim", "6", "--inputs", str(tmp_path))
    assert code == 2 and "block_dim: error: found 6, expected a positive multiple of aicpu_threads, 4" in errors


def test_stall_is_in_the_figures(tmp_path):
    program = build(window=TaskWindow(5))
    assert program.stats.window == 5
    assert 1 <= program.stats.window_high_water <= 5
    assert program.stats.window_stalls == B * T - 5  # all tasks are ready at once
    np.save(tmp_path / "x.npy", np.ones((B, T, 4, 16), np.float32))
    artifact = program.codegen_artifact_dir
    _, output, _ = run(artifact, "--inputs", str(tmp_path), "--stats")
    assert "task window     5 tasks, at most " in output and f" used, {B * T - 5} stalls" in output
    _, output, _ = run(artifact, "--inputs", str(tmp_path), "--json")
    window = json.loads(output)["stats"]["task_window"]
    assert window["tasks"] == 5 and window["stalls"] == B * T - 5 and window["high_water"] <= 5


def test_abort_fails_the_run():
    w, _, _ = make()
    program = w.task_graph(window=TaskWindow(5, "tasks", WindowMode.ABORT)).compile(
        target="pto_runtime_a2a3sim")
    with pytest.raises(Exception, match="lies beyond the task window: task 0 is not finished, and the "
                                        "window is 5 tasks"):
        program.execute()
        program.synchronize()


def test_benchmark_counts_and_holds_nothing():
    stats = build(window=TaskWindow(5, "tasks", WindowMode.BENCHMARK)).stats
    assert stats.window == 5 and stats.window_stalls >= B * T - 5
