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

from pto_wsp import (DispatchPolicy, DType, In, Out, P, TaskWindow, Tensor, Tile, WindowMode, kernel,  # noqa: E402
                     pto, workload)

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
    "hash": (DispatchPolicy.hash(lambda k: k.b - 8 * k.t, 3), [mix(b - 8 * t) % 3 for b, t in ITERATIONS]),
    "hash_table": (DispatchPolicy.hash(lambda k: k.b * k.t, 4), [mix(b * t) % 4 for b, t in ITERATIONS]),
    "affinity": (DispatchPolicy.affinity(lambda k: k.t - 5 * k.b, 4), [(t - 5 * b) % 4 for b, t in ITERATIONS]),
    "affinity_table": (DispatchPolicy.affinity(lambda k: k.t // 2, 2), [t // 2 % 2 for b, t in ITERATIONS]),
    "dispatch_by": (DispatchPolicy.dispatch_by(lambda k: (k.b + k.t) % 4, 4), [(b + t) % 4 for b, t in ITERATIONS]),
    "dispatch_by_table": (DispatchPolicy.dispatch_by(lambda k: [2, 0, 1, 1][k.b], 3), [[2, 0, 1, 1][b] for b, t in ITERATIONS]),
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


def trace(artifact, tmp_path, *options):
    """(aicpu, core) of each task."""
    file = tmp_path / "trace.json"
    # The artifact of a Program has no test data of its own.
    folder = tmp_path / "data"
    folder.mkdir(exist_ok=True)
    np.save(folder / "x.npy", np.ones((B, T, 4, 16), np.float32))
    code, _, errors = run(artifact, "--inputs", str(folder), "--trace", str(file), *options)
    assert code == 0, errors
    found = {}
    for event in json.loads(file.read_text())["traceEvents"]:
        if event.get("ph") == "X" and "core" in event["args"]:
            found[event["args"]["task"]] = (event["args"]["aicpu"], event["args"]["core"])
    return [found[i] for i in range(B * T)]


@pytest.mark.parametrize("name", POLICIES)
def test_a_trace_shows_the_policy(name, tmp_path):
    policy, expected = POLICIES[name]
    program = build(policy)
    artifact = pathlib.Path(program.codegen_artifact_dir)
    assert program.stats.aicpus == policy.targets
    for workers in (1, 2, 4, 8, 64):
        found = trace(artifact, tmp_path, "--workers", str(workers))
        assert [aicpu for aicpu, _ in found] == expected, f"{workers} workers"


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
    assert f"task window     5 tasks, at most " in output and f" used, {B * T - 5} stalls" in output
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
