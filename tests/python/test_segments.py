# SPDX-License-Identifier: MIT
"""Graphs beyond the pinned pto-runtime's limits, on the built-in runtime as if it had them: several
launches, spilled temporaries and relay tasks give the same bits as the whole graph in one launch."""

import json
import os
import subprocess

import numpy as np

from toolchain import PINNED_LIMITS, compile_artifact, expect_success, generator, kernel_levels, run
from workloads import kernel, loop, task, tensor, tile, workload

RUN = os.environ["PTOWSP_RUN"]
ADD = kernel("plus", [tile("a", 1, 4, "in"), tile("b", 1, 4, "in"), tile("c", 1, 4, "out")],
             "s = add a b", "store c s")
BUMP = kernel("bump", [tile("a", 1, 4, "in"), tile("c", 1, 4, "out")], "s = add a 1", "store c s")


def built(tmp_path, description, **options):
    source = tmp_path / "w.json"
    source.write_text(json.dumps(description))
    return compile_artifact(source, tmp_path / "artifact", kernel_levels()[0], limits=PINNED_LIMITS,
                            **options)


def manifest(artifact):
    return json.loads((artifact / "manifest.json").read_text())


def stats(artifact, *options):
    done = expect_success(subprocess.run([RUN, artifact, "--json", *options], capture_output=True,
                                         text=True))
    return json.loads(done.stdout)["stats"]


def check_both_forms(tmp_path, artifact):
    """Right in one launch and in several, with the same bits."""
    bits = {}
    for form, options in (("whole", []), ("limits", ["--pinned-limits"])):
        expect_success(run(artifact, tmp_path / form, workers=2, schedule_seed=7, more=options))
        bits[form] = {f.name: np.load(f).tobytes() for f in (tmp_path / form).glob("*.npy")}
    assert bits["whole"] and bits["whole"] == bits["limits"]


def chain(rows, steps):
    """`steps` times over all rows: t1 = x + 1, t2 = t1 + 1, ..., y; a temporary for each step."""
    names = ["x", *(f"t{i}" for i in range(1, steps)), "y"]
    roles = ["input", *["temporary"] * (steps - 1), "output"]
    return workload(
        [tensor(n, (rows, 4), r) for n, r in zip(names, roles)], [BUMP],
        [loop(rows, "parallel", task("bump", a=f"{a}[i, :]", c=f"{c}[i, :]"))
         for a, c in zip(names, names[1:])])


def test_temporaries_are_spilled(tmp_path):
    # 3 x 700 tasks: cuts at 700 and 1400 spill one temporary each, cuts elsewhere one or two.
    artifact = built(tmp_path, chain(700, 3))
    graph = manifest(artifact)["graph"]
    assert graph["segments"] == 3
    assert graph["cuts"] == [700, 1400] or len(graph["cuts"]) == 2
    assert [s["name"] for s in graph["spills"]] == ["t1", "t2"]
    assert [s["bytes"] for s in graph["spills"]] == [700 * 16, 700 * 16]
    check_both_forms(tmp_path, artifact)
    assert stats(artifact)["launches"] == 1
    limited = stats(artifact, "--pinned-limits")
    assert (limited["launches"], limited["tasks"], limited["completed"]) == (3, 2100, 2100)
    assert limited["kernels"] == [{"name": "bump", "tasks": 2100,
                                   "total_ns": limited["kernels"][0]["total_ns"]}]


def test_a_cut_is_made_where_nothing_crosses(tmp_path):
    # Two independent pipelines of 2 x 400 tasks: the cut between them costs nothing.
    one, two = chain(400, 2), chain(400, 2)
    text = json.dumps(two)
    for name in ("x", "t1", "y"):
        text = text.replace(f'"{name}"', f'"{name}b"').replace(f'"{name}[', f'"{name}b[')
    two = json.loads(text)
    artifact = built(tmp_path, workload(one["tensors"] + two["tensors"], [BUMP],
                                        one["program"] + two["program"]))
    graph = manifest(artifact)["graph"]
    assert (graph["segments"], graph["cuts"], graph["spills"]) == (2, [800], [])
    check_both_forms(tmp_path, artifact)


def test_results_of_an_earlier_launch_are_there_in_the_next(tmp_path):
    # A running sum down an output, and an inout that all tasks of both launches change.
    rows = 1500
    artifact = built(tmp_path, workload(
        [tensor("x", (rows, 4), "input"), tensor("y", (rows, 4), "output"),
         tensor("z", (1, 4), "inout")],
        [ADD, kernel("gather", [tile("a", 1, 4, "in"), tile("z", 1, 4, "inout")], "s = add z a",
                     "store z s")],
        [task("plus", a="x[0, :]", b="x[0, :]", c="y[0, :]"),
         loop(rows - 1, "sequential", task("plus", a="x[i+1, :]", b="y[i, :]", c="y[i+1, :]")),
         loop(40, "sequential", task("gather", a="y[i, :]", z="z"))]))
    assert manifest(artifact)["graph"]["segments"] == 2
    check_both_forms(tmp_path, artifact)


def fan(readers):
    """One task whose result `readers` tasks read, and one that waits for them all."""
    return workload(
        [tensor("x", (1, 4), "input"), tensor("t", (1, 4), "temporary"),
         tensor("y", (readers, 4), "output"), tensor("z", (1, 4), "output")],
        [BUMP, ADD],
        [task("bump", a="x", c="t"),
         loop(readers, "parallel", task("plus", a="t", b="x", c="y[i, :]")),
         task("bump", a=f"y[{readers - 1}, :]", c="z")])


def test_many_successors_are_reached_through_relays(tmp_path):
    artifact = built(tmp_path, fan(600))
    found = manifest(artifact)
    assert found["graph"]["segments"] == 1
    assert found["relay"] == {"name": "ptowsp_relay", "func_id": 2, "core_type": "aiv",
                              "sources": {"a2a3sim": "kernels/aiv_sim/kernel_ptowsp_relay.cpp"}}
    config = {}
    exec((artifact / "kernels/kernel_config.py").read_text(),
         {"__file__": str(artifact / "kernels/kernel_config.py"), "__name__": "config"}, config)
    assert [k["func_id"] for k in config["KERNELS"]] == [0, 1, 2]
    assert config["KERNELS"][2]["source"].endswith("aiv_sim/kernel_ptowsp_relay.cpp")
    assert os.path.exists(config["KERNELS"][2]["source"])
    check_both_forms(tmp_path, artifact)
    limited = stats(artifact, "--pinned-limits")
    assert (limited["launches"], limited["tasks"], limited["completed"]) == (1, 602, 602)


def test_many_successors_in_many_launches(tmp_path):
    artifact = built(tmp_path, fan(5000))
    graph = manifest(artifact)["graph"]
    # 5002 tasks and relays in each launch that holds the task they are for: only the first does.
    assert graph["segments"] == 5
    assert [s["name"] for s in graph["spills"]] == ["t"]
    check_both_forms(tmp_path, artifact)


def test_no_relay_where_none_is_needed(tmp_path):
    artifact = built(tmp_path, fan(512))
    assert manifest(artifact)["relay"] is None
    assert not (artifact / "kernels/aiv_sim/kernel_ptowsp_relay.cpp").exists()
    check_both_forms(tmp_path, artifact)


def test_a_relay_source_goes_when_it_is_no_longer_needed(tmp_path):
    artifact = built(tmp_path, fan(600))
    source = tmp_path / "w.json"
    source.write_text(json.dumps(fan(20)))
    expect_success(generator("emit", source, "-o", artifact, "--name", "w"))
    assert not (artifact / "kernels/aiv_sim/kernel_ptowsp_relay.cpp").exists()


def test_program_order_in_segments(tmp_path):
    artifact = built(tmp_path, chain(700, 3), dependences="program_order")
    assert manifest(artifact)["graph"]["segments"] == 3
    check_both_forms(tmp_path, artifact)


def test_a_wrong_element_names_its_task_across_launches(tmp_path):
    artifact = built(tmp_path, chain(700, 3))
    want = np.load(artifact / "expected/y.npy")
    want[650, 2] += 1
    np.save(artifact / "expected/y.npy", want)
    done = subprocess.run([RUN, artifact, "--pinned-limits"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "written by task 2050, bump[i=650]" in done.stderr


def many_outputs(count):
    return workload([tensor("x", (1, 4), "input"),
                     *(tensor(f"out{i}", (1, 4), "output") for i in range(count))], [BUMP],
                    [task("bump", a="x", c=f"out{i}") for i in range(count)])


def test_as_many_tensors_as_a_launch_brings_back(tmp_path):
    artifact = built(tmp_path, many_outputs(63))
    check_both_forms(tmp_path, artifact)


def test_more_tensors_than_a_launch_brings_back(tmp_path):
    artifact = built(tmp_path, many_outputs(64))
    expect_success(run(artifact, tmp_path / "whole", workers=2))
    done = subprocess.run([RUN, artifact, "--pinned-limits"], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == (
        f"{artifact}/manifest.json: error: found a graph of which every launch brings back more than "
        "64 tensors, its ledger included: the limit of runtime G1\n"
        "  fix: join outputs into tensors with one more dimension, or run it on the built-in "
        "runtime\n")
    done = generator("check", tmp_path / "w.json")
    assert "tensor pairs   65 of 64: does not fit" in done.stdout
    done = generator("check", tmp_path / "w.json", "--limits", "pinned")
    assert done.returncode == 1
    assert done.stderr == (
        f"{tmp_path}/w.json:1:39: error: a launch of pto-runtime G1 brings back at most 64 tensors, "
        "and this graph, however it is cut into launches, needs 65: 64 outputs and the ledger "
        "[too-many-tensors]\n"
        "  at /tensors\n"
        "  fix: join outputs into tensors with one more dimension, or build it for the built-in "
        "runtime only\n")


def test_the_size_of_the_orchestration_does_not_follow_the_number_of_tasks(tmp_path):
    sizes = []
    for rows in (10, 5000):
        source = tmp_path / f"w{rows}.json"
        source.write_text(json.dumps(chain(rows, 3)))
        expect_success(generator("emit", source, "-o", tmp_path / str(rows), "--name", "w"))
        text = (tmp_path / str(rows) / "kernels/orchestration/pto_wsp_orch.cpp").read_text()
        sizes.append(len(text.replace("5000", "10").replace("15000", "30").splitlines()))
    assert sizes[0] == sizes[1]
